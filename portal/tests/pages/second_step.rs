//! The second step: set up after an invitation, asked for at every sign-in, guessed by nobody.

use axum::http::StatusCode;
use certs::totp::TotpSecret;
use store::{Act, Actor, DirectoryChange, User, UserState};

use crate::market::{Answer, Browser, Market, PASSWORD};

impl Market {
    /// Gives a user an app; its secret, and the recovery codes.
    async fn app_of(&self, email: &str) -> (TotpSecret, Vec<String>) {
        let user = self.user(email).id;
        let secret = self.ledger.begin_app(user).await.unwrap();
        // The step before this one, so that the present code is still unused.
        let earlier = secret.code_at(self.second() - 30);
        let codes = self.ledger.confirm_app(user, &earlier).await.unwrap().unwrap();
        (secret, codes)
    }

    fn second(&self) -> u64 {
        u64::try_from(self.ledger.now().as_second()).unwrap()
    }
}

impl Browser {
    async fn second_step(&mut self, code: &str) -> Answer {
        let token = self.get("/sign-in/code").await.token();
        self.post("/sign-in/code", &[("token", &token), ("code", code)]).await
    }
}

#[tokio::test]
async fn from_an_invitation_to_a_signed_in_user_with_a_second_factor() {
    let market = Market::new().await;
    let id = store::UserId::new(market.ledger.now()).unwrap();
    let new = User::new(id, "beta".parse().unwrap(), "new@beta.example".parse().unwrap(), "New".into());
    market.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(new)]).await.unwrap();
    market.ledger.invite(&Actor::Tool, id).await.unwrap();
    let link = market.mailed_links().await.remove(0);
    let mut browser = market.browser();
    let chosen = "quiet harbour at dusk";
    assert!(browser.choose(&link, chosen, chosen).await.text().contains("Your password is set"));
    let answer = browser.sign_in("new@beta.example", chosen, "/search").await;
    assert_eq!(answer.location(), "/sign-in/set-up");
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "not in yet");
    let page = browser.get("/sign-in/set-up").await;
    let secret = market.ledger.pending_app(id).await.unwrap().unwrap();
    let shown = page.text();
    let key = shown.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().replace(' ', "");
    assert_eq!(key, secret.in_base32(), "the page shows the key that counts");
    let wrong = browser.post("/sign-in/set-up", &[("token", &page.token()), ("code", "1")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let code = secret.code_at(market.second());
    let answer = browser.post("/sign-in/set-up", &[("token", &page.token()), ("code", &code)]).await;
    assert_eq!(answer.text().matches("class=\"secret\"").count(), 10, "{}", answer.text());
    assert!(answer.text().contains("href=\"/search\""));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_password_alone_opens_nothing() {
    let market = Market::new().await;
    let (secret, codes) = market.app_of("sam@beta.example").await;
    let mut browser = market.browser();
    let answer = browser.sign_in("sam@beta.example", PASSWORD, "/search").await;
    assert_eq!(answer.location(), "/sign-in/code");
    assert!(!browser.cookies.contains_key("postern"), "no session before the second step");
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/sign-in/set-up").await.location(), "/sign-in", "nor is another app set up");
    let code = secret.code_at(market.second());
    let answer = browser.second_step(&code).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/search"));
    assert_eq!(browser.get("/search").await.status, StatusCode::OK);
    assert!(!browser.cookies.contains_key("postern-step"));
    let mut other = market.browser();
    other.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(other.second_step(&code).await.status, StatusCode::FORBIDDEN, "a code counts once");
    assert_eq!(other.second_step(&codes[0]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn guessed_codes_are_few_and_lock_nobody_out() {
    let market = Market::new().await;
    let (secret, _) = market.app_of("sam@beta.example").await;
    let before = market.next_event().await;
    let mut thief = market.browser();
    thief.sign_in("sam@beta.example", PASSWORD, "/").await;
    let token = thief.get("/sign-in/code").await.token();
    let mut statuses = Vec::new();
    for guess in 0..8 {
        let code = format!("{guess:06}");
        let answer = thief.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
        statuses.push(answer.status);
    }
    assert!(statuses[..5].iter().all(|status| *status == StatusCode::FORBIDDEN), "{statuses:?}");
    assert!(
        statuses[5..]
            .iter()
            .all(|status| *status == StatusCode::FORBIDDEN || *status == StatusCode::TOO_MANY_REQUESTS)
    );
    let refused = market.acts(before).await.into_iter().filter(|act| *act == Act::SecondStepRefused).count();
    assert_eq!(refused, 5);
    let code = secret.code_at(market.second());
    let answer = thief.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
    assert_ne!(answer.status, StatusCode::SEE_OTHER, "that sign-in is over, whatever comes");
    assert!(!thief.cookies.contains_key("postern"));
}

#[tokio::test]
async fn a_step_belongs_to_the_browser_that_gave_the_password() {
    let market = Market::new().await;
    let (secret, _) = market.app_of("sam@beta.example").await;
    let mut sam = market.browser();
    sam.sign_in("sam@beta.example", PASSWORD, "/").await;
    let token = sam.get("/sign-in/code").await.token();
    let code = secret.code_at(market.second());
    let mut stranger = market.browser();
    assert_eq!(stranger.get("/sign-in/code").await.location(), "/sign-in");
    for token in [token.as_str(), "", "x"] {
        let answer = stranger.post("/sign-in/code", &[("token", token), ("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    // Login CSRF: a victim's browser does not finish a sign-in that somebody else began.
    let answer = sam.post("/sign-in/code", &[("token", "wrong"), ("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let fields = [("token", token.as_str()), ("code", code.as_str())];
    let answer = sam.post_from(Some("https://evil.example"), None, "/sign-in/code", &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(sam.second_step(&code).await.status, StatusCode::SEE_OTHER, "nothing was used up");
}

#[tokio::test]
async fn who_is_suspended_between_the_steps_stays_outside() {
    let market = Market::new().await;
    let (secret, _) = market.app_of("sam@beta.example").await;
    let mut sam = market.browser();
    sam.sign_in("sam@beta.example", PASSWORD, "/").await;
    let token = sam.get("/sign-in/code").await.token();
    let gone = User { state: UserState::Suspended, ..market.user("sam@beta.example") };
    market.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(gone)]).await.unwrap();
    let code = secret.code_at(market.second());
    let answer = sam.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!sam.cookies.contains_key("postern"));
}
