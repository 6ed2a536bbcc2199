//! Signing in and out, and what a change must bring with it.

use axum::http::StatusCode;
use store::{Act, Actor, DirectoryChange, User};

use crate::market::{Browser, Market, ORIGIN_HERE, PASSWORD};

#[tokio::test]
async fn signing_in_leads_to_where_one_wanted_to_go() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.browser();
    let path = format!("/case/{}", sent.case);
    let answer = browser.get(&path).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/sign-in?next={path}"));
    let page = browser.get(answer.location()).await;
    assert!(page.text().contains(&format!("name=\"next\" value=\"{path}\"")));
    let answer = browser.sign_in("Sam@Beta.example", PASSWORD, &path).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, path.as_str()));
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_never_leads_elsewhere() {
    let market = Market::new().await;
    for foreign in ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"] {
        let answer = market.browser().sign_in("sam@beta.example", PASSWORD, foreign).await;
        assert_eq!(answer.location(), "/", "{foreign}");
    }
}

#[tokio::test]
async fn wrong_and_unknown_get_the_same_answer() {
    let market = Market::at(ORIGIN_HERE, false).await;
    let wrong = market.browser().sign_in("sam@beta.example", "not it", "/").await;
    let unknown = market.browser().sign_in("who@beta.example", "not it", "/").await;
    let nonsense = market.browser().sign_in("no address", "not it", "/").await;
    for answer in [&wrong, &unknown, &nonsense] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text().contains("do not belong together"));
    }
    let neutral = |answer: &crate::market::Answer, email: &str| {
        answer.text().replace(email, "").replace(&answer.token(), "")
    };
    assert_eq!(neutral(&wrong, "sam@beta.example"), neutral(&unknown, "who@beta.example"));
}

#[tokio::test]
async fn a_fresh_session_replaces_the_old_one() {
    let market = Market::new().await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let first = browser.cookies["postern"].clone();
    let page = browser.get("/").await;
    let out = browser.post("/sign-out", &[("token", &page.token())]).await;
    assert_eq!(out.location(), "/sign-in");
    assert!(!browser.cookies.contains_key("postern"));
    browser.cookies.insert("postern".into(), first.clone());
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "the old session is over");
    browser.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_ne!(browser.cookies["postern"], first, "a planted session is not taken over");
}

#[tokio::test]
async fn a_user_who_is_no_longer_active_is_out_at_the_next_request() {
    let market = Market::new().await;
    let mut browser = market.signed_in("sam@beta.example").await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let directory = market.ledger.directory();
    let sam = directory.users().find(|user| user.name == "sam").unwrap().clone();
    let gone = DirectoryChange::User(User { state: store::UserState::Suspended, ..sam });
    market.ledger.change_directory(&Actor::Tool, vec![gone]).await.unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    let answer = market.browser().sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let market = Market::new().await;
    let mut browser = market.browser();
    for _ in 0..5 {
        assert_eq!(browser.sign_in("sam@beta.example", "x", "/").await.status, StatusCode::FORBIDDEN);
    }
    let answer = browser.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(browser.sign_in("pat@beta.example", PASSWORD, "/").await.status, StatusCode::SEE_OTHER);
}

/// Every changing route, from every place that is not a page of ours: nothing happens.
#[tokio::test]
async fn changes_from_elsewhere_are_refused() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let held = market.hold(b"From: ali@alpha.example\r\n\r\nnumbers\r\n").await;
    let task = market.raise_task("alpha").await;
    let password = market.app_password("sam@beta.example", "Phone").await;
    let reset = market.reset_link("sam@beta.example").await;
    let before = market.next_event().await;
    for email in ["sam@beta.example", "com@alpha.example", "mau@alpha.example"] {
        let mut browser = market.signed_in(email).await;
        let token = browser.get("/").await.token();
        let routes = portal::route_table();
        let paths: Vec<String> = routes
            .lines()
            .filter(|line| line.starts_with("POST"))
            .map(|line| line.split_whitespace().nth(1).unwrap())
            .map(|path| path.replace("{case}", &sent.case).replace("{held}", &held))
            .map(|path| path.replace("{task}", &task).replace("{password}", &password))
            .map(|path| path.replace("{token}", reset.rsplit('/').next().unwrap()))
            .collect();
        assert!(paths.len() >= 10);
        // What one may not do does not exist, whatever the token.
        let exists = |path: &str| match email {
            "com@alpha.example" => path.starts_with("/held") || path.starts_with("/shadow"),
            "mau@alpha.example" => {
                ["/mail", "/texts", "/people", "/company"].iter().any(|area| path.starts_with(area))
            }
            _ => !["/held", "/mail", "/texts", "/people", "/invitation", "/shadow", "/market", "/company"]
                .iter()
                .any(|area| path.starts_with(area)),
        };
        for path in paths.iter().filter(|path| exists(path)) {
            refuses_strange_forms(&mut browser, path, &token).await;
        }
        assert_eq!(browser.get("/").await.status, StatusCode::OK, "still signed in");
    }
    let done = market.acts(before).await;
    assert!(done.iter().all(|act| *act == Act::SignedIn || *act == Act::SignInRefused), "{done:?}");
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get(&format!("/case/{}", sent.case)).await;
    assert!(page.text().contains("Take this case"), "still nobody's");
}

async fn refuses_strange_forms(browser: &mut Browser, path: &str, token: &str) {
    for (origin, site) in [
        (None, None),
        (Some("https://evil.example"), None),
        (Some("https://evil.example"), Some("same-origin")),
        (Some(ORIGIN_HERE), Some("cross-site")),
        (Some(ORIGIN_HERE), Some("same-site")),
        (Some("null"), None),
        (Some("null"), Some("cross-site")),
        (None, Some("none")),
    ] {
        let fields = [("token", token), ("tag", crate::market::MPAN), ("seen", ""), ("name", "x")];
        let answer = browser.post_from(origin, site, path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {origin:?} {site:?}");
    }
    for token in ["", "wrong", &token[1..]] {
        let fields = [("token", token), ("tag", crate::market::MPAN), ("seen", ""), ("name", "x")];
        let answer = browser.post(path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {token}");
    }
}

#[tokio::test]
async fn a_form_with_a_null_origin_is_ours_only_beside_same_origin() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let token = browser.get("/").await.token();
    let path = format!("/case/{}/claim", sent.case);
    let fields = [("token", token.as_str()), ("seen", "")];
    let answer = browser.post_from(Some("null"), Some("same-origin"), &path, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn large_forms_are_refused() {
    let market = Market::new().await;
    let mut browser = market.browser();
    let long = "x".repeat(30_000);
    let answer = browser.post("/sign-in", &[("password", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn over_tls_cookies_are_bound_to_the_host() {
    let market = Market::at("https://portal.example", false).await;
    let mut browser = market.browser();
    let answer = browser.get("/sign-in").await;
    assert!(answer.header("set-cookie").starts_with("__Host-postern-form="), "{answer:?}");
    assert!(answer.header("set-cookie").ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"));
    assert!(answer.header("strict-transport-security").contains("max-age="));
    assert!(!answer.text().contains("Sample"));
    let answer = browser.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-postern=") && cookie.contains("Secure"), "{cookie}");
    assert_eq!(browser.get("/demo/outbox").await.status, StatusCode::NOT_FOUND);
}
