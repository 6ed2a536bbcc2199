//! App passwords: made by their user alone, shown once, revoked at once.

use axum::http::StatusCode;
use certs::scram::{ITERATIONS, Verifier, check_password};
use store::Act;

use crate::market::{Answer, Browser, Market};

/// The password on the page, if there is one.
fn shown(page: &Answer) -> Option<String> {
    let text = page.text();
    let rest = text.split("<code class=\"secret\">").nth(1)?;
    Some(rest.split('<').next().unwrap().to_owned())
}

async fn make(browser: &mut Browser, name: &str) -> Answer {
    let token = browser.get("/account").await.token();
    browser.post("/account/app-passwords", &[("token", &token), ("name", name)]).await
}

#[tokio::test]
async fn a_password_is_shown_once_and_opens_what_it_says() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    assert!(sam.get("/account").await.text().contains("You have none yet."));
    let next = market.next_event().await;
    let page = make(&mut sam, " Outlook  at work ").await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "no-store"));
    let password = shown(&page).expect("shown");
    assert_eq!(market.acts(next).await, [Act::DirectoryChanged, Act::AppPasswordAdded]);
    for words in
        ["The password for Outlook at work", "sam@beta.example", "mail.postern.example", "465", "587"]
    {
        assert!(page.text().contains(words), "{words}");
    }
    let sam_id = market.user("sam@beta.example");
    let directory = market.ledger.directory();
    let kept = directory.app_passwords(&sam_id.id).next().unwrap();
    let verifier = Verifier { stored_key: kept.stored_key, server_key: kept.server_key };
    let salt = sam_id.scram_salt.expect("a salt");
    assert_eq!(check_password(&[verifier], &salt, ITERATIONS, &password), Some(0));

    for path in ["/account", "/"] {
        let later = sam.get(path).await;
        assert!(!later.text().contains(&password) && shown(&later).is_none(), "{path}");
    }
    // A reload sends the form again.
    let again = make(&mut sam, "Outlook at work").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(shown(&again).is_none() && again.text().contains("cannot be shown again"));
}

#[tokio::test]
async fn it_opens_no_page() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let password = shown(&make(&mut sam, "Phone").await).unwrap();
    let answer = market.browser().sign_in("sam@beta.example", &password, "/").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn it_is_revoked_by_its_user_alone() {
    let market = Market::new().await;
    let id = market.app_password("sam@beta.example", "Phone <b>").await;
    let revoke = format!("/account/app-passwords/{id}/revoke");
    let mut pat = market.signed_in("pat@beta.example").await;
    let page = pat.get("/account").await;
    assert!(!page.text().contains("Phone"), "another's");
    let mut mau = market.signed_in("mau@beta.example").await;
    for browser in [&mut pat, &mut mau] {
        let token = browser.get("/account").await.token();
        let absent = browser.post("/no/such/page", &[("token", &token)]).await;
        let refused = browser.post(&revoke, &[("token", &token)]).await;
        assert_eq!((refused.status, refused.body), (StatusCode::NOT_FOUND, absent.body));
    }
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get("/account").await;
    assert!(page.text().contains("Phone &lt;b&gt;") && page.text().contains(&revoke));
    let next = market.next_event().await;
    assert_eq!(sam.get(&revoke).await.status, StatusCode::NOT_FOUND, "GET changes nothing");
    assert_eq!(market.acts(next).await, []);
    let answer = sam.post(&revoke, &[("token", &page.token())]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(market.acts(next).await, [Act::AppPasswordRemoved]);
    let page = sam.get(answer.location()).await.text();
    assert!(page.contains("The app password is revoked") && page.contains("You have none yet."));
    let token = sam.get("/account").await.token();
    let again = sam.post(&revoke, &[("token", &token)]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn there_are_only_so_many_and_each_has_a_name() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    for name in ["", "   ", "\u{202e}", &"x".repeat(61)] {
        let answer = make(&mut sam, name).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
        assert!(shown(&answer).is_none() && answer.text().contains("Give it a name"));
    }
    for number in 0..20 {
        market.app_password("sam@beta.example", &format!("Device {number}")).await;
    }
    let page = sam.get("/account").await;
    assert!(
        page.text().contains("as many as one person may have") && !page.text().contains("Make a password")
    );
    let answer = sam.post("/account/app-passwords", &[("token", &page.token()), ("name", "one more")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(shown(&answer).is_none());
    let directory = market.ledger.directory();
    assert_eq!(directory.app_passwords(&market.user("sam@beta.example").id).count(), 20);
}

#[tokio::test]
async fn everybody_of_a_company_has_an_account_and_the_operator_none() {
    let market = Market::new().await;
    for email in ["sam@beta.example", "mau@beta.example", "com@beta.example", "kit@beta.example"] {
        let mut browser = market.signed_in(email).await;
        assert!(browser.get("/").await.text().contains("href=\"/account\""), "{email}");
        assert_eq!(browser.get("/account").await.status, StatusCode::OK, "{email}");
    }
    let mut operator = market.signed_in("ope@alpha.example").await;
    assert!(!operator.get("/").await.text().contains("href=\"/account\""));
    let absent = operator.get("/no/such/page").await;
    let account = operator.get("/account").await;
    assert_eq!((account.status, account.body), (absent.status, absent.body));
    assert_eq!(market.browser().get("/account").await.location(), "/sign-in?next=/account");
}

#[tokio::test]
async fn a_portal_that_was_told_nothing_says_whom_to_ask() {
    let market = Market::new().await.without_mail_side();
    let page = market.signed_in("sam@beta.example").await.get("/account").await.text();
    assert!(page.contains("has not been told where mail programs send to"), "{page}");
}
