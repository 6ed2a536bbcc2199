//! What a master administration user does with the people of the own company, and what nobody else does.

use axum::http::StatusCode;
use store::{Act, Role, UserState};

use crate::market::{Answer, Browser, Market};

/// What the form of a person's page was filled from.
fn seen(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"seen\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

async fn step(browser: &mut Browser, person: &str, word: &str) -> Answer {
    let page = browser.get(person).await;
    let (token, seen) = (page.token(), seen(&page));
    browser.post(&format!("{person}/{word}"), &[("token", &token), ("seen", &seen)]).await
}

impl Market {
    fn person(&self, email: &str) -> String {
        format!("/people/{}", self.user(email).id)
    }

    fn state(&self, email: &str) -> Option<UserState> {
        self.ledger.directory().user_by_email(&email.parse().unwrap()).map(|user| user.state)
    }
}

#[tokio::test]
async fn somebody_is_invited_and_the_letter_is_due_in_the_same_commit() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let list = mau.get("/people").await.text();
    for words in
        ["People of Beta Power", "sam@beta.example", "Signs in", "Compliance", "href=\"/people/new\""]
    {
        assert!(list.contains(words), "{words} in {list}");
    }
    assert!(!list.contains("alpha.example") && !list.contains("gus@"));
    let token = mau.get("/people/new").await.token();
    let fields =
        |email, name, role| [("token", token.as_str()), ("email", email), ("name", name), ("role", role)];
    for (email, name, says) in [
        ("nonsense", "New One", "That is not an e-mail address"),
        ("SAM@beta.example", "Sam Again", "has this address already"),
        ("new@gamma.example", "New One", "belongs to another company"),
        ("new@beta.example", "  ", "1 to 80 characters"),
    ] {
        let answer = mau.post("/people/new", &fields(email, name, "user")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let text = answer.text();
        assert!(text.contains(says) && text.contains(email) && text.contains("aria-invalid"), "{text}");
        assert!(!text.contains("gamma "), "nothing of another company");
    }
    let next = market.next_event().await;
    let answer = mau.post("/people/new", &fields("new@beta.example", " New   One ", "compliance")).await;
    assert_eq!(market.acts(next).await, [Act::UserInvited, Act::InvitationMade]);
    let page = mau.get(answer.location()).await.text();
    for words in
        ["The invitation is on its way", "New One", "Invited", "Compliance", "Send the invitation again"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    let user = market.user("new@beta.example");
    assert_eq!(
        (user.state, user.role, user.name.as_str()),
        (UserState::Invited, Role::Compliance, "New One")
    );
    assert!(mau.get("/people?state=invited").await.text().contains("new@beta.example"));
    assert!(!mau.get("/people?state=invited").await.text().contains("sam@beta.example"));
    assert!(mau.get("/people?words=SAM%40").await.text().contains("sam@beta.example"));
    assert!(mau.get("/people?words=nobody").await.text().contains("Nobody like that"));
}

#[tokio::test]
async fn a_colleague_is_suspended_let_in_again_and_removed() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let person = market.person("sam@beta.example");
    let answer = step(&mut mau, &person, "suspend").await;
    assert!(mau.get(answer.location()).await.text().contains("nobody signs in with this account"));
    assert_eq!(market.state("sam@beta.example"), Some(UserState::Suspended));
    assert_eq!(sam.get("/").await.status, StatusCode::SEE_OTHER, "signed out at once");
    assert!(!mau.get(&person).await.text().contains("reset-link"), "nothing to reset");
    step(&mut mau, &person, "resume").await;
    assert_eq!(market.state("sam@beta.example"), Some(UserState::Confirmed));
    assert_eq!(sam.get("/").await.status, StatusCode::SEE_OTHER, "the old session is over");
    let next = market.next_event().await;
    step(&mut mau, &person, "reset-link").await;
    assert!(market.acts(next).await.contains(&Act::ResetLinkMade));
    step(&mut mau, &person, "reset-factors").await;
    let answer = step(&mut mau, &person, "remove").await;
    assert!(answer.location().starts_with("/people?"), "{}", answer.location());
    assert_eq!(market.state("sam@beta.example"), None);
    assert_eq!(mau.get(&person).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn name_and_role_are_changed_as_they_were_seen() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let person = market.person("kit@beta.example");
    let page = mau.get(&person).await;
    let (token, old) = (page.token(), seen(&page));
    let form = |seen: &str, name: &str, role: &str| {
        [("token", token.clone()), ("seen", seen.into()), ("name", name.into()), ("role", role.into())]
    };
    let post = async |browser: &mut Browser, form: [(&'static str, String); 4]| {
        let fields: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(&person, &fields).await
    };
    let wrong = post(&mut mau, form(&old, " ", "mau")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    post(&mut mau, form(&old, "Kit <K>", "mau")).await;
    let kit = market.user("kit@beta.example");
    assert_eq!((kit.name.as_str(), kit.role), ("Kit <K>", Role::Mau));
    assert!(mau.get(&person).await.text().contains("Kit &lt;K&gt;"));
    let stale = post(&mut mau, form(&old, "Kit", "user")).await;
    assert!(mau.get(stale.location()).await.text().contains("in between"));
    assert_eq!(market.user("kit@beta.example").role, Role::Mau);
    let next = market.next_event().await;
    let fresh = seen(&mau.get(&person).await);
    assert_eq!(post(&mut mau, form(&fresh, "Kit", "operator")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.acts(next).await, [Act::ChangeRefused]);
}

#[tokio::test]
async fn one_who_administers_remains_and_oneself_stays_as_one_is() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let own = market.person("mau@beta.example");
    let page = mau.get(&own).await;
    assert!(page.text().contains("This is you") && !page.text().contains("/suspend"));
    for word in ["suspend", "remove", "reset-factors"] {
        assert_eq!(step(&mut mau, &own, word).await.status, StatusCode::NOT_FOUND);
    }
    let fields = [
        ("token", page.token()),
        ("seen", seen(&page)),
        ("name", "mau".into()),
        ("role", "compliance".into()),
    ];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(mau.post(&own, &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.user("mau@beta.example").role, Role::Mau);
}

#[tokio::test]
async fn nobody_else_has_these_pages_and_a_try_is_recorded() {
    let market = Market::new().await;
    let person = market.person("kit@beta.example");
    for email in ["sam@beta.example", "com@beta.example", "ope@alpha.example", "mau@alpha.example"] {
        let mut browser = market.signed_in(email).await;
        let token = browser.get("/search").await.token();
        let page = browser.get(&person).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{email}");
        let next = market.next_event().await;
        let fields = [("token", token.as_str()), ("seen", "")];
        let answer = browser.post(&format!("{person}/remove"), &fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{email}");
        assert_eq!(market.acts(next).await, [Act::ChangeRefused], "{email}");
    }
    assert!(market.state("kit@beta.example").is_some());
}

#[tokio::test]
async fn long_lists_go_on_on_further_pages() {
    let market = Market::new().await;
    let person = |number: u32| {
        let id = store::UserId::new(market.ledger.now()).unwrap();
        let email = format!("p{number:03}@beta.example").parse().unwrap();
        let user = store::User::new(id, "beta".parse().unwrap(), email, format!("Person {number:03}"));
        store::DirectoryChange::User(user)
    };
    market.ledger.change_directory(&store::Actor::Tool, (0..120).map(person).collect()).await.unwrap();
    let mut mau = market.signed_in("mau@beta.example").await;
    let (mut path, mut seen) = (Some("/people?state=invited&words=person".to_owned()), 0);
    while let Some(here) = path {
        let page = mau.get(&here).await;
        let text = page.text().replace("&#x3D;", "=").replace("&amp;", "&");
        assert!(text.len() < 60_000);
        seen += text.matches("@beta.example</span>").count();
        path = text
            .split_once("\" rel=\"next\"")
            .map(|(before, _)| before.rsplit('"').next().unwrap().to_owned());
    }
    assert_eq!(seen, 120);
}
