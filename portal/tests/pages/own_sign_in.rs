//! How one signs in, changed by oneself: never without a proof, never for somebody else, sessions ended at once.

use axum::http::StatusCode;
use store::Act;

use crate::market::{Answer, Browser, Market, PASSWORD};

const HERE: &str = "/account/sign-in";
const CHOSEN: &str = "quiet harbour at dusk";

impl Browser {
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(HERE).await.token();
        let fields: Vec<_> = [("token", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post(path, &fields).await
    }

    pub(crate) async fn prove(&mut self, password: &str, code: &str) -> Answer {
        self.send("/account/confirm", &[("password", password), ("code", code), ("next", HERE)]).await
    }
}

#[tokio::test]
async fn nothing_that_lasts_changes_without_a_proof() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    assert!(!sam.get(HERE).await.text().contains("action=\"/account/password\""));
    let next = market.next_event().await;
    let before = market.user("sam@beta.example");
    for (path, fields) in [
        ("/account/password", [("password", CHOSEN), ("again", CHOSEN)].as_slice()),
        ("/account/app", &[]),
        ("/account/app/confirm", &[("code", "123456")]),
        ("/account/app/remove", &[]),
        ("/account/recovery-codes", &[]),
    ] {
        let answer = sam.send(path, fields).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account/confirm"), "{path}");
    }
    assert_eq!(sam.get("/account/app").await.location(), HERE);
    assert_eq!(market.acts(next).await, []);
    assert_eq!(market.user("sam@beta.example"), before);
    assert!(!market.ledger.factors(before.id).await.unwrap().any());
}

#[tokio::test]
async fn a_wrong_proof_is_none_and_locks_nobody_out() {
    let market = Market::new().await;
    let mut thief = market.signed_in("sam@beta.example").await;
    let next = market.next_event().await;
    assert_eq!(thief.prove("not the password", "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(market.acts(next).await, [Act::IdentityRefused]);
    let mut last = StatusCode::FORBIDDEN;
    for _ in 0..30 {
        last = thief.prove("not the password", "").await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert!(!thief.get(HERE).await.text().contains("action=\"/account/password\""));
    // The owner signs in elsewhere all the same.
    market.signed_in("sam@beta.example").await;
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let market = Market::new().await;
    let mut other = market.signed_in("sam@beta.example").await;
    let mut sam = market.signed_in("sam@beta.example").await;
    assert_eq!(sam.prove(PASSWORD, "").await.location(), HERE);
    for (typed, again, says) in [
        ("short", "short", "at least 12"),
        (CHOSEN, "quiet harbour at dawn", "not the same"),
        ("sam@beta.example!", "sam@beta.example!", "address"),
    ] {
        let answer = sam.send("/account/password", &[("password", typed), ("again", again)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(answer.text().contains("aria-invalid=\"true\""), "{says}");
    }
    let link = market.reset_link("sam@beta.example").await;
    assert_eq!(market.browser().get(&link).await.status, StatusCode::OK);
    let answer = sam.send("/account/password", &[("password", CHOSEN), ("again", CHOSEN)]).await;
    assert_eq!(market.browser().get(&link).await.status, StatusCode::NOT_FOUND, "nobody undoes it by mail");
    let page = sam.get(answer.location()).await.text();
    assert!(page.contains("Your password is changed"), "{page}");
    assert_eq!(other.get("/").await.status, StatusCode::SEE_OTHER, "ended");
    assert_eq!(
        market.browser().sign_in("sam@beta.example", PASSWORD, "/").await.status,
        StatusCode::FORBIDDEN
    );
    let answer = market.browser().sign_in("sam@beta.example", CHOSEN, "/").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_app_is_set_up_changed_and_removed() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let id = market.user("sam@beta.example").id;
    sam.prove(PASSWORD, "").await;
    assert_eq!(sam.send("/account/app", &[]).await.location(), "/account/app");
    let page = sam.get("/account/app").await.text();
    let secret = market.ledger.pending_app(id).await.unwrap().unwrap();
    assert!(page.contains("<svg class=\"picture\"") && page.len() < 60_000);
    let second = u64::try_from(market.ledger.now().as_second()).unwrap();
    assert_eq!(
        sam.send("/account/app/confirm", &[("code", "1")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let codes = sam.send("/account/app/confirm", &[("code", &secret.code_at(second - 30))]).await;
    assert_eq!(codes.text().matches("class=\"secret\"").count(), 10);
    assert!(market.ledger.factors(id).await.unwrap().any());

    let recovery = sam.send("/account/recovery-codes", &[]).await.text();
    let code = recovery.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut elsewhere = market.browser();
    let answer = elsewhere.sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.location(), "/sign-in/code");

    // Now the password alone proves nothing either.
    let mut other = market.browser();
    other.sign_in("sam@beta.example", PASSWORD, "/").await;
    let token = other.get("/sign-in/code").await.token();
    other.post("/sign-in/code", &[("token", &token), ("code", &code)]).await;
    assert_eq!(other.prove(PASSWORD, "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(other.prove("wrong", &secret.code_at(second)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(other.prove(PASSWORD, &secret.code_at(second)).await.status, StatusCode::SEE_OTHER);
    let answer = other.send("/account/app/remove", &[]).await;
    assert!(other.get(answer.location()).await.text().contains("second step is removed"));
    assert!(!market.ledger.factors(id).await.unwrap().any());
}

#[tokio::test]
async fn where_a_second_step_is_needed_it_is_not_removed() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let id = market.user("sam@beta.example").id;
    market.ledger.set_second_factor(id, true).await.unwrap();
    sam.prove(PASSWORD, "").await;
    assert!(!sam.get(HERE).await.text().contains("/account/app/remove"));
    assert_eq!(sam.send("/account/app/remove", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(sam.send("/account/recovery-codes", &[]).await.status, StatusCode::NOT_FOUND, "for no app");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_user_alone() {
    let market = Market::new().await;
    let mut one = market.signed_in("sam@beta.example").await;
    let mut two = market.signed_in("sam@beta.example").await;
    let mut pat = market.signed_in("pat@beta.example").await;
    let page = one.get(HERE).await.text();
    assert_eq!(page.matches("last used").count(), 2);
    assert_eq!(page.matches(">this one<").count(), 1);
    let end = page.split("action=\"/account/sessions/").nth(1).unwrap().split('"').next().unwrap();
    let end = format!("/account/sessions/{end}");
    let token = pat.get(HERE).await.token();
    assert_eq!(pat.post(&end, &[("token", &token)]).await.status, StatusCode::NOT_FOUND, "another's");
    assert_eq!(one.get(&end).await.status, StatusCode::NOT_FOUND, "GET changes nothing");
    assert_eq!(two.get("/").await.status, StatusCode::OK);
    let next = market.next_event().await;
    assert_eq!(one.send(&end, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(market.acts(next).await, [Act::SessionsEnded]);
    assert_eq!(two.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(one.send(&end, &[]).await.status, StatusCode::NOT_FOUND, "it is gone");

    let mut three = market.signed_in("sam@beta.example").await;
    one.send("/account/sessions/end-others", &[]).await;
    assert_eq!(three.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(one.get("/").await.status, StatusCode::OK);
    assert_eq!(pat.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_operator_has_a_way_of_signing_in_too() {
    let market = Market::new().await;
    let mut operator = market.signed_in("ope@alpha.example").await;
    assert!(operator.get("/").await.text().contains("href=\"/account/sign-in\""));
    assert_eq!(operator.get(HERE).await.status, StatusCode::OK);
    assert_eq!(market.browser().get(HERE).await.location(), "/sign-in?next=/account/sign-in");
}

#[tokio::test]
async fn a_proof_leads_to_pages_of_ours_alone() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    for elsewhere in ["//evil.example", "/case/1", "https://evil.example/account", ""] {
        let answer = sam.send("/account/confirm", &[("password", PASSWORD), ("next", elsewhere)]).await;
        assert_eq!(answer.location(), HERE, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_company_sets_who_needs_a_second_step() {
    let market = Market::new().await;
    let rules = "/company/sign-in";
    for email in ["sam@beta.example", "com@beta.example", "ope@alpha.example"] {
        let mut other = market.signed_in(email).await;
        assert_eq!(other.get(rules).await.status, StatusCode::NOT_FOUND, "{email}");
        let answer = other.send(rules, &[("second_step", "own-choice")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{email}");
    }
    let mut mau = market.signed_in("mau@beta.example").await;
    let answer = mau.send(rules, &[("second_step", "everybody")]).await;
    assert_eq!(answer.location(), "/account/confirm?next=/company/sign-in", "not without a proof");
    let next = market.next_event().await;
    let proof = [("password", PASSWORD), ("next", rules)];
    assert_eq!(mau.send("/account/confirm", &proof).await.location(), rules);
    assert_eq!(mau.send(rules, &[("second_step", "nobody")]).await.status, StatusCode::BAD_REQUEST);
    let answer = mau.send(rules, &[("second_step", "everybody")]).await;
    assert!(mau.get(answer.location()).await.text().contains("value=\"everybody\" checked"));
    assert_eq!(market.acts(next).await, [Act::IdentityConfirmed, Act::SecondStepRuleSet]);
    let answer = market.browser().sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.location(), "/sign-in/set-up");
    let answer = market.browser().sign_in("ali@alpha.example", PASSWORD, "/").await;
    assert_eq!(answer.location(), "/", "another company's people sign in as before");
    mau.send(rules, &[("second_step", "own-choice")]).await;
    let answer = market.browser().sign_in("sam@beta.example", PASSWORD, "/").await;
    assert_eq!(answer.location(), "/");
}
