//! API tokens: made by their user alone and after a proof, shown once, good under `/api/` and nowhere else.

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, StatusCode};
use store::{Act, Actor, DirectoryChange, User, UserState};

use crate::market::{Answer, Browser, Market, PASSWORD};

const HERE: &str = "/account/tokens";

impl Browser {
    async fn tell(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/account").await.token();
        let fields: Vec<_> = [("token", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post(path, &fields).await
    }

    async fn with_token(&mut self, path: &str, token: &str) -> Answer {
        let request = Request::builder().uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    async fn make_token(&mut self) -> String {
        self.prove(PASSWORD, "").await;
        let fields =
            [("name", "Nightly"), ("scope", "cases:read"), ("scope", "reports:read"), ("days", "30")];
        let page = self.tell(HERE, &fields).await.text();
        page.split("<code class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_token_is_made_after_a_proof_and_shown_once() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let next = market.next_event().await;
    let fields = [("name", "Nightly"), ("scope", "cases:read"), ("days", "30")];
    let answer = sam.tell(HERE, &fields).await;
    assert_eq!(answer.location(), "/account/confirm?next=/account/tokens");
    assert_eq!(market.acts(next).await, []);
    let token = sam.make_token().await;
    assert_eq!(market.acts(next).await, [Act::IdentityConfirmed, Act::ApiTokenMade]);
    let page = sam.get(HERE).await.text();
    assert!(!page.contains(&token) && page.contains("Nightly") && page.contains("Not used yet."));
    for fields in [
        [("name", ""), ("scope", "cases:read"), ("days", "30")],
        [("name", "x"), ("scope", "everything"), ("days", "30")],
        [("name", "x"), ("scope", "cases:read"), ("days", "4000")],
        [("name", "Nightly"), ("scope", "cases:read"), ("days", "30")],
    ] {
        assert_eq!(sam.tell(HERE, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
    }
    let mut operator = market.signed_in("ope@alpha.example").await;
    assert_eq!(operator.get(HERE).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn it_counts_under_api_and_nowhere_else_and_a_cookie_not_there() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let token = sam.make_token().await;
    let mut program = market.browser();
    let answer = program.with_token("/api/v1/whoami", &token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let id = market.user("sam@beta.example").id;
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({
        "user": id.to_string(), "group": "beta", "scopes": ["cases:read", "reports:read"],
    });
    assert_eq!(said, expected);
    for path in ["/", "/account", "/reports", "/account/tokens"] {
        let answer = program.with_token(path, &token).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: to sign in");
    }
    assert_eq!(sam.get("/").await.status, StatusCode::OK);
    let by_cookie = sam.get("/api/v1/whoami").await;
    assert_eq!(by_cookie.status, StatusCode::UNAUTHORIZED);
    assert_eq!(by_cookie.header("www-authenticate"), "Bearer");
    assert_eq!(by_cookie.header("content-type"), "application/problem+json");
    for wrong in ["", "x", &token[..token.len() - 1], &token.to_uppercase()] {
        assert_eq!(program.with_token("/api/v1/whoami", wrong).await.body, by_cookie.body, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_revoked_one_and_one_of_a_suspended_user_count_no_more() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let token = sam.make_token().await;
    let mut program = market.browser();
    assert_eq!(program.with_token("/api/v1/whoami", &token).await.status, StatusCode::OK);
    let page = sam.get(HERE).await.text();
    assert!(page.contains("Last used"));
    let revoke = page.split("action=\"/account/tokens/").nth(1).unwrap().split('"').next().unwrap();
    let revoke = format!("/account/tokens/{revoke}");
    let mut pat = market.signed_in("pat@beta.example").await;
    assert_eq!(pat.tell(&revoke, &[]).await.status, StatusCode::NOT_FOUND, "another's");
    let active = market.user("sam@beta.example");
    let suspended = User { state: UserState::Suspended, ..active.clone() };
    for (state, expected) in [(suspended, StatusCode::UNAUTHORIZED), (active, StatusCode::OK)] {
        market.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(state)]).await.unwrap();
        assert_eq!(program.with_token("/api/v1/whoami", &token).await.status, expected);
    }
    let mut sam = market.signed_in("sam@beta.example").await;
    assert_eq!(sam.tell(&revoke, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(program.with_token("/api/v1/whoami", &token).await.status, StatusCode::UNAUTHORIZED);
}
