//! Invitations and resets as their holders, scanners and strangers meet them.

use axum::http::{Method, Request, StatusCode};
use store::{Actor, JobKind, LinkKind};

use crate::market::{Answer, Browser, Market, PASSWORD};

const CHOSEN: &str = "quiet harbour at dusk";

impl Market {
    /// The addresses of the links that are on their way, as they are mailed.
    pub(crate) async fn mailed_links(&self) -> Vec<String> {
        let jobs = self.ledger.jobs().await.unwrap();
        let letters = jobs.into_iter().filter_map(|job| match job.kind {
            JobKind::Link(letter) => Some(letter),
            _ => None,
        });
        letters
            .map(|letter| {
                let place = if letter.kind == LinkKind::Invitation { "invitation" } else { "reset" };
                format!("/{place}/{}", self.ledger.link_token(letter.link).as_str())
            })
            .collect()
    }

    pub(crate) async fn reset_link(&self, email: &str) -> String {
        self.ledger.reset_link(&Actor::Tool, self.user(email).id).await.unwrap();
        self.mailed_links().await.pop().unwrap()
    }
}

impl Browser {
    pub(crate) async fn choose(&mut self, link: &str, password: &str, again: &str) -> Answer {
        let token = self.get(link).await.token();
        self.post(link, &[("token", &token), ("password", password), ("again", again)]).await
    }
}

#[tokio::test]
async fn who_follows_a_reset_link_signs_in_with_the_new_password() {
    let market = Market::new().await;
    let mut old = market.signed_in("sam@beta.example").await;
    let link = market.reset_link("sam@beta.example").await;
    let mut browser = market.browser();
    let page = browser.get(&link).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("sam@beta.example") && page.text().contains("new-password"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let answer = browser.choose(&link, CHOSEN, CHOSEN).await;
    assert!(answer.text().contains("Your password is set"), "{}", answer.text());
    assert_eq!(old.get("/").await.status, StatusCode::SEE_OTHER, "the old session is over");
    let refused = browser.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.sign_in("sam@beta.example", CHOSEN, "/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_bad_password_keeps_the_link() {
    let market = Market::new().await;
    let link = market.reset_link("sam@beta.example").await;
    let mut browser = market.browser();
    let long = "x".repeat(1_100);
    for (password, again, says) in [
        ("too short", "too short", "at least 12 characters"),
        (CHOSEN, "quiet harbour at dawn", "not the same"),
        ("Password1234", "Password1234", "attackers try first"),
        ("Sam@Beta.example", "Sam@Beta.example", "address is in it"),
        (&long, &long, "longer than"),
    ] {
        let answer = browser.choose(&link, password, again).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains(says), "{password}: {}", answer.text());
        assert!(!answer.text().contains(&format!("value=\"{password}\"")), "never shown again");
    }
    assert!(browser.choose(&link, CHOSEN, CHOSEN).await.text().contains("Your password is set"));
}

#[tokio::test]
async fn wrong_used_and_foreign_links_get_one_answer() {
    let market = Market::new().await;
    let link = market.reset_link("sam@beta.example").await;
    let token = link.rsplit('/').next().unwrap().to_owned();
    let mut browser = market.browser();
    let wrong_kind = browser.get(&format!("/invitation/{token}")).await;
    let wrong = browser.get(&format!("/reset/{}", "0".repeat(32))).await;
    let nonsense = browser.get("/reset/x").await;
    assert!(browser.choose(&link, CHOSEN, CHOSEN).await.status.is_success());
    let used = browser.get(&link).await;
    for answer in [&wrong_kind, &wrong, &nonsense, &used] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.text(), wrong.text());
    }
    let fields = [("token", "x"), ("password", CHOSEN), ("again", CHOSEN)];
    assert_eq!(browser.post(&link, &fields).await.text(), wrong.text());
}

#[tokio::test]
async fn scanners_that_open_everything_change_nothing() {
    let market = Market::new().await;
    let link = market.reset_link("sam@beta.example").await;
    let before = market.next_event().await;
    for _ in 0..20 {
        let mut scanner = market.browser();
        assert_eq!(scanner.get(&link).await.status, StatusCode::OK);
        let head =
            Request::builder().method(Method::HEAD).uri(&link).body(axum::body::Body::empty()).unwrap();
        assert_eq!(scanner.ask(head).await.status, StatusCode::OK);
        let answer = scanner.post(&link, &[("password", CHOSEN), ("again", CHOSEN)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "a form without our token");
        let fields = [("password", CHOSEN), ("again", CHOSEN)];
        let answer = scanner.post_from(Some("https://scanner.example"), None, &link, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(market.next_event().await, before);
    assert!(market.browser().choose(&link, CHOSEN, CHOSEN).await.status.is_success());
}

#[tokio::test]
async fn asking_for_a_link_tells_nobody_who_signs_in_here() {
    let market = Market::at("http://127.0.0.1:8080", false).await;
    let mut texts = Vec::new();
    for email in ["sam@beta.example", "nobody@beta.example", "x@nowhere.example"] {
        let mut browser = market.browser();
        let token = browser.get("/forgotten").await.token();
        let answer = browser.post("/forgotten", &[("token", &token), ("email", email)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        texts.push(answer.text());
    }
    assert!(texts.iter().all(|text| *text == texts[0]));
    while market.mailed_links().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let mut browser = market.browser();
    let answer = browser.post("/forgotten", &[("email", "sam@beta.example")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "not from a page of ours");
    let token = browser.get("/forgotten").await.token();
    let answer = browser.post("/forgotten", &[("token", &token), ("email", "sam")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}
