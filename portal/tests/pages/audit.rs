//! What happened in a company, for its compliance officers alone: every event of it, and none of another's.

use axum::http::StatusCode;
use store::{Act, Actor, DirectoryChange, Event};

use crate::market::{Market, rich_mail};

#[tokio::test]
async fn an_officer_pages_through_everything_and_the_look_is_recorded() {
    let market = Market::new().await;
    let sent = market.send(&rich_mail()).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    sam.get(&format!("/case/{}", sent.case)).await;
    let mut officer = market.signed_in("com@beta.example").await;
    assert!(officer.get("/").await.text().contains("href=\"/audit\""));
    let next = market.next_event().await;
    let page = officer.get("/audit").await;
    assert_eq!(market.acts(next).await, [Act::TrailRead]);
    let text = page.text();
    assert!(text.len() < 60_000, "{}", text.len());
    for words in ["What happened at Beta Power", "Case read", "sam", &sent.reference, "Audit trail read"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    for gone in ["ali@", "Erroneous transfer <b>", "Example Row", "1200023305967"] {
        assert!(!text.contains(gone), "{gone}");
    }
    let read = officer.get("/audit?act=case_read").await.text();
    assert!(
        read.contains(&sent.reference)
            && read.matches("<tr role=\"row\"><th role=\"rowheader\"").count() == 1
    );
    let of_case = officer.get(&format!("/audit/events.csv?case={}", sent.reference)).await;
    assert_eq!(of_case.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(of_case.text().lines().count(), 2, "{}", of_case.text());
    let sams = format!("/audit/events.jsonl?user={}", market.user("sam@beta.example").id);
    let lines = officer.get(&sams).await.text();
    assert!(lines.lines().count() >= 1);
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["by"] == "sam" || event["about"].as_str().unwrap().contains("sam"), "{line}");
    }
    let old = officer.get("/audit?last=2020-01-01").await.text();
    assert!(old.contains("No such event"));
    assert!(officer.get("/audit?case=K7Q-4M2X").await.text().contains("No case of your company"));
    assert!(officer.get("/audit?first=yesterday").await.text().contains("Write days such as"));
}

#[tokio::test]
async fn long_trails_go_on_on_further_pages() {
    let market = Market::new().await;
    let beta = "beta".parse().unwrap();
    for number in 0..130 {
        let event = Event::new(market.ledger.now(), Actor::Tool, Act::PollingChanged).group(&beta);
        market.ledger.record(event.name(&format!("box-{number:03}"))).await.unwrap();
    }
    let mut officer = market.signed_in("com@beta.example").await;
    let (mut path, mut seen, mut pages) = (Some("/audit?act=polling_changed".to_owned()), Vec::new(), 0);
    while let Some(here) = path {
        let text = officer.get(&here).await.text().replace("&#x3D;", "=").replace("&amp;", "&");
        seen.extend((0..130).filter(|number| text.contains(&format!("box-{number:03}"))));
        pages += 1;
        path = text.split("<a href=\"").find(|link| link.contains("rel=\"next\"")).and_then(|link| {
            let href = link.split('"').next()?;
            href.starts_with("/audit?").then(|| href.to_owned())
        });
    }
    seen.sort_unstable();
    assert_eq!((seen, pages), ((0..130).collect::<Vec<_>>(), 3));
    let csv = officer.get("/audit/events.csv?act=polling_changed").await.text();
    assert_eq!(csv.lines().count(), 131, "all of them, under one heading");
}

#[tokio::test]
async fn the_operators_acts_on_the_company_are_there_without_a_name() {
    let market = Market::new().await;
    let operator = Actor::User(market.user("ope@alpha.example").id);
    let event = Event::new(market.ledger.now(), operator, Act::StageSet).group(&"beta".parse().unwrap());
    market.ledger.record(event.name("live")).await.unwrap();
    let csv = market.signed_in("com@beta.example").await.get("/audit/events.csv?act=stage_set").await.text();
    let line = csv.lines().nth(1).unwrap();
    assert!(
        line.contains("The market's operator") && line.contains("live") && !line.contains(",ope,"),
        "{line}"
    );
}

#[tokio::test]
async fn another_companys_events_change_nothing() {
    let [quiet, loud] = [Market::new().await, Market::new().await];
    let sent = loud.send(&rich_mail()).await;
    loud.signed_in("sam@beta.example").await.get(&format!("/case/{}", sent.case)).await;
    loud.signed_in("com@alpha.example").await.get("/audit").await;
    for path in [
        "/audit/events.csv?act=case_read".to_owned(),
        "/audit/events.jsonl?act=case_opened".to_owned(),
        format!("/audit?case={}&act=case_read", sent.reference),
        format!("/audit/events.csv?case={}", sent.reference),
    ] {
        let mut pages = Vec::new();
        for market in [&quiet, &loud] {
            let changes = market.user("com@beta.example");
            let officer = store::User { group: "gamma".parse().unwrap(), ..changes };
            let officer = store::User {
                email: "com@gamma.example".parse().unwrap(),
                permissions: Vec::new(),
                id: store::UserId::from_bytes([9; 20]),
                ..officer
            };
            if market.ledger.directory().user(&officer.id).is_none() {
                market
                    .ledger
                    .change_directory(&Actor::Tool, vec![DirectoryChange::User(officer)])
                    .await
                    .unwrap();
            }
            let mut officer = market.signed_in("com@gamma.example").await;
            let page = officer.get(&path).await;
            assert_eq!(page.status, StatusCode::OK);
            let token = officer.get("/search").await.token();
            let mut text = page.text().replace(&token, "token");
            for email in ["mau@gamma.example", "gus@gamma.example"] {
                text = text.replace(&market.user(email).id.to_string(), email);
            }
            pages.push(text);
        }
        assert_eq!(pages[0], pages[1], "{path}");
    }
}

#[tokio::test]
async fn for_everybody_else_there_is_no_such_page() {
    let market = Market::new().await;
    for email in ["ali@alpha.example", "mau@alpha.example", "ope@alpha.example"] {
        let mut browser = market.signed_in(email).await;
        let absent = browser.get("/no/such/page").await;
        for path in ["/audit", "/audit/events.csv", "/audit/events.jsonl"] {
            let page = browser.get(path).await;
            assert_eq!((page.status, &page.body), (StatusCode::NOT_FOUND, &absent.body), "{email} {path}");
        }
    }
}
