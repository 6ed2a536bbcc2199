//! Who sees which case: absent, malformed, foreign and forbidden are one answer.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use store::{Actor, DirectoryChange, User};

use crate::market::{Answer, Market, Sent};

/// Every route that names a case, filled with these ids.
fn case_routes(sent: &Sent) -> Vec<(String, String)> {
    let table = portal::route_table();
    let routes: Vec<_> = table
        .lines()
        .filter(|line| line.ends_with("Case"))
        .map(|line| {
            let mut words = line.split_whitespace();
            let method = words.next().unwrap().to_owned();
            let path = words.next().unwrap();
            let path =
                path.replace("{case}", &sent.case).replace("{message}", &sent.message).replace("{part}", "3");
            (method, path)
        })
        .collect();
    assert!(routes.len() >= 7);
    routes
}

/// Everything a stranger could compare.
fn face(answer: &Answer) -> (StatusCode, Vec<(String, String)>, Vec<u8>) {
    let headers =
        answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, headers.collect(), answer.body.to_vec())
}

#[tokio::test]
async fn absent_foreign_and_forbidden_are_the_same_bytes() {
    let market = Market::new().await;
    let real = market.send(&crate::market::rich_mail()).await;
    let absent = Sent { case: "0".repeat(32), message: "0".repeat(32), reference: String::new() };
    let escaped = Sent { case: "%ff".into(), message: "%2e%2e".into(), reference: String::new() };
    let malformed = Sent { case: "nonsense".into(), message: "x".into(), reference: String::new() };
    let wrong_case = Sent { message: absent.message.clone(), ..real.clone() };
    for email in [
        "gus@gamma.example",
        "mau@gamma.example",
        "kit@beta.example",
        "esc@beta.example",
        "mau@beta.example",
        "com@alpha.example",
        "ope@alpha.example",
    ] {
        let mut browser = market.signed_in(email).await;
        let token = browser.get("/").await.token();
        let expected = face(&browser.get("/no/such/page").await);
        assert_eq!(expected.0, StatusCode::NOT_FOUND);
        for sent in [&real, &absent, &malformed, &escaped, &wrong_case] {
            for (method, path) in case_routes(sent) {
                let asked = Instant::now();
                let answer = match method.as_str() {
                    "GET" => browser.get(&path).await,
                    _ => browser.post(&path, &[("token", &token), ("seen", "")]).await,
                };
                assert_eq!(face(&answer), expected, "{email} {method} {path}");
                assert!(asked.elapsed() >= Duration::from_millis(5), "at one time: {email} {method} {path}");
            }
        }
        let home = browser.get("/").await.text();
        assert!(!home.contains(&real.reference) && !home.contains(&real.case), "{email}");
    }
}

#[tokio::test]
async fn strangers_are_sent_to_sign_in_whatever_the_id() {
    let market = Market::new().await;
    let real = market.send(&crate::market::rich_mail()).await;
    let absent = Sent { case: "0".repeat(32), ..real.clone() };
    for (real_route, absent_route) in case_routes(&real).into_iter().zip(case_routes(&absent)) {
        if real_route.0 != "GET" {
            continue;
        }
        let mut faces = Vec::new();
        for (path, case) in [(&real_route.1, &real.case), (&absent_route.1, &absent.case)] {
            let answer = market.browser().get(path).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            let (status, mut headers, body) = face(&answer);
            headers.iter_mut().for_each(|header| header.1 = header.1.replace(case.as_str(), "CASE"));
            faces.push((status, headers, body));
        }
        assert_eq!(faces[0], faces[1], "{}", real_route.1);
    }
}

#[tokio::test]
async fn every_permitted_route_answers_the_permitted() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    for email in ["sam@beta.example", "ali@alpha.example"] {
        let mut browser = market.signed_in(email).await;
        for (method, path) in case_routes(&sent) {
            if method == "GET" {
                assert_eq!(browser.get(&path).await.status, StatusCode::OK, "{email} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_permission_taken_away_counts_at_the_next_request() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let path = format!("/case/{}", sent.case);
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
    let sam = market.ledger.directory().users().find(|user| user.name == "sam").unwrap().clone();
    let without = DirectoryChange::User(User { permissions: Vec::new(), ..sam });
    market.ledger.change_directory(&Actor::Tool, vec![without]).await.unwrap();
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    assert!(browser.get("/").await.text().contains("You have no permissions yet"));
}

#[tokio::test]
async fn a_search_finds_only_what_one_may_see_and_leaves_no_trace_in_the_address() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    for (email, finds) in
        [("sam@beta.example", true), ("kit@beta.example", false), ("gus@gamma.example", false)]
    {
        let mut browser = market.signed_in(email).await;
        let token = browser.get("/search").await.token();
        for query in [crate::market::MPAN, "12 0002 3305 967", &sent.reference] {
            let answer = browser.post("/search", &[("token", &token), ("tag", query)]).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.text().contains(&format!("/case/{}", sent.case)), finds, "{email} {query}");
        }
        let answer = browser.post("/search", &[("token", &token), ("tag", "1200023305968")]).await;
        assert!(
            answer.text().contains("Nothing found") && answer.text().contains("mistyped"),
            "a wrong check digit"
        );
        let answer = browser.post("/search", &[("token", &token), ("tag", "")]).await;
        assert!(answer.text().contains("Type a whole MPAN") && !answer.text().contains("Nothing found"));
    }
}

/// A list says that there is more only when there is more to see, and no place in it is that of a
/// case that one may not see.
#[tokio::test]
async fn a_list_ends_where_what_one_may_see_ends() {
    let market = Market::new().await;
    // The templates write `=` as a character reference.
    let plain = |answer: Answer| answer.text().replace("&#x3D;", "=");
    let mail = b"From: a@alpha.example\r\n\r\ntext\r\n";
    let mut sent = Vec::new();
    for _ in 0..40 {
        sent.push(market.send(mail).await);
    }
    let mut sam = market.signed_in("sam@beta.example").await;
    let list = "/process/erroneous-transfers";
    let page = sam.get(list).await.text();
    assert!(!page.contains("Older cases") && sent.iter().all(|sent| page.contains(&sent.case)));
    sent.push(market.send(mail).await);
    let page = plain(sam.get(list).await);
    let marker = format!("href=\"{list}?after=");
    let older = page.split(&marker).nth(1).expect("an older one").split('"').next().unwrap();
    let rest = sam.get(&format!("{list}?after={older}")).await.text();
    let both = sent.iter().filter(|sent| page.contains(&sent.case) == rest.contains(&sent.case));
    assert_eq!(both.count(), 0, "each is on one of the two pages");
    assert!(!rest.contains("Older cases") && rest.contains("Back to the newest"));
    assert!(sam.get("/").await.text().contains("More cases"));
    // Of the same company, with a permission for another contact type.
    let mut esc = market.signed_in("esc@beta.example").await;
    for path in [list, "/"] {
        let page = plain(esc.get(path).await);
        assert!(!page.contains("after=") && !page.contains("More cases"), "{path}");
        assert!(page.contains("No cases"), "{path}");
    }
}
