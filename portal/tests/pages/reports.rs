//! Figures as officers, users and the operator see them: from counters, each their own, and as files.

use axum::http::StatusCode;
use jiff::ToSpan;
use store::{Acceptance, Deadline, Joining, Place, Reckoning};

use crate::market::{Market, rich_mail};

/// Sam of Beta answers a mail of Alpha after this many working days; the deadline is so many hours away.
async fn exchange(market: &Market, days: u32, due_in: i64) {
    let since = market.ledger.now();
    let deadline = move |hours: i64| Deadline {
        at: since.checked_add(hours.hours()).unwrap(),
        reason: "as the test says".into(),
        reckoning: Some(Reckoning { since, working_days: days, calendar: "test".into() }),
        warn_at: None,
    };
    let sam = market.user("sam@beta.example").id;
    let mail = rich_mail();
    let asked = market.send_as(&mail, |mail: &mut Acceptance| {
        mail.author = Some(market.user("ali@alpha.example").id);
        if let Place::Open(opening) = &mut mail.entries[0].place {
            opening.deadline = deadline(due_in);
        }
    });
    let case = asked.await.case.parse().unwrap();
    let answer = market.send_as(&mail, |mail: &mut Acceptance| {
        mail.from_group = "beta".parse().unwrap();
        mail.author = Some(sam);
        mail.entries[0].place = Place::Join(Joining { case, deadline: deadline(24) });
    });
    answer.await;
}

async fn busy() -> Market {
    let market = Market::new().await;
    let turn = std::sync::atomic::AtomicU32::new(0);
    let days = [2, 3, 9];
    market.ledger.count_days_by(Box::new(move |_, _, _| {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(days[turn as usize % 3])
    }));
    market.ledger.begin_reports().await.unwrap();
    for (days, due_in) in [(2, 100), (3, 100), (9, -1)] {
        exchange(&market, days, due_in).await;
    }
    market
}

fn rows(json: &[u8]) -> Vec<serde_json::Value> {
    serde_json::from_slice::<serde_json::Value>(json).unwrap().as_array().unwrap().clone()
}

#[tokio::test]
async fn officers_see_their_companys_figures_and_take_them_away() {
    let market = busy().await;
    for email in ["mau@beta.example", "com@beta.example"] {
        let mut officer = market.signed_in(email).await;
        assert!(officer.get("/").await.text().contains("href=\"/reports\""));
        let page = officer.get("/reports").await;
        let text = page.without_our_script();
        assert!(text.len() < 60_000);
        for words in
            ["Reports of Beta Power", "<svg viewBox=\"0 0 3600 2000\"", "33 % of all answers", "Alpha Energy"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("style=") && !text.contains("<script"));
        let by_month = rows(&officer.get("/reports/figures.json").await.body);
        assert_eq!(by_month.len(), 6, "six months, the empty ones too");
        let now = by_month.last().unwrap();
        for (key, expected) in [
            ("sent", 3),
            ("received", 3),
            ("in_time", 2),
            ("late", 1),
            ("unanswered", 1),
            ("median", 3),
            ("p90", 9),
            ("open", 3),
        ] {
            assert_eq!(now[key], expected, "{key} in {now}");
        }
        let csv = officer.get("/reports/figures.csv?by=user").await.text();
        let sheet = "user,sent,assigned,in_time,late,median,p90\r\nsam,3,0,2,1,3,9\r\n";
        assert_eq!(csv, sheet);
        let none = officer.get("/reports?process=crossed-meters").await.text();
        assert!(none.contains("Nothing was counted in these months"));
        let wrong = officer.get("/reports?first=2026-13&last=2026-14").await.text();
        assert!(wrong.contains("Give two months") && wrong.contains("33 % of all answers"));
    }
    let alpha = market.signed_in("mau@alpha.example").await.get("/reports/figures.json").await;
    let alpha = rows(&alpha.body).pop().unwrap();
    assert_eq!((alpha["sent"].as_u64(), alpha["in_time"].as_u64()), (Some(3), Some(0)));
}

#[tokio::test]
async fn users_see_their_own_figures_alone() {
    let market = busy().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get("/reports").await.text();
    assert!(page.contains("Your figures") && !page.contains("name=\"user\""));
    assert_eq!(rows(&sam.get("/reports/figures.json").await.body).last().unwrap()["sent"], 3);
    let mut pat = market.signed_in("pat@beta.example").await;
    let others = format!("/reports/figures.json?user={}&by=user", market.user("sam@beta.example").id);
    assert_eq!(rows(&pat.get(&others).await.body).last().unwrap()["sent"], 0);
}

#[tokio::test]
async fn the_operator_compares_companies_and_sees_no_person() {
    let market = busy().await;
    market.ledger.mark_alive().await.unwrap();
    let mut operator = market.signed_in("ope@alpha.example").await;
    let page = operator.get("/market/reports?by=company").await.text();
    for words in ["Reports of the market", "Beta Power", "Availability", "Measured since"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("name=\"user\"") && !page.contains("name=\"counterparty\""));
    let csv = operator.get("/market/reports/figures.csv?by=company").await.text();
    assert!(csv.contains("\r\nBeta Power,3,3,0,2,1,1,0,3,9,3\r\n"), "{csv}");
    let by_user = operator.get("/market/reports/figures.csv?by=user").await.text();
    assert!(by_user.starts_with("month,") && !by_user.contains("sam"));
}

#[tokio::test]
async fn another_companys_figures_change_nothing() {
    let [quiet, loud] = [Market::new().await, busy().await];
    quiet.ledger.begin_reports().await.unwrap();
    for path in
        ["/reports", "/reports/figures.csv?by=counterparty", "/reports/figures.json?counterparty=beta"]
    {
        let mut pages = Vec::new();
        for market in [&quiet, &loud] {
            let mut gamma = market.signed_in("mau@gamma.example").await;
            let page = gamma.get(path).await;
            assert_eq!(page.status, StatusCode::OK);
            let mau = market.user("mau@gamma.example").id.to_string();
            let gus = market.user("gus@gamma.example").id.to_string();
            let token = gamma.get("/search").await.token();
            // Ids and tokens are drawn; all else must be the same.
            let text = page.text().replace(&token, "token").replace(&mau, "mau").replace(&gus, "gus");
            pages.push(text);
        }
        assert_eq!(pages[0], pages[1], "{path}");
    }
}

#[tokio::test]
async fn for_everybody_else_there_is_no_such_page() {
    let market = Market::new().await;
    for (email, paths) in [
        ("ali@alpha.example", &["/market/reports", "/market/reports/figures.csv"][..]),
        ("mau@alpha.example", &["/market/reports", "/market/reports/figures.json"]),
        ("ope@alpha.example", &["/reports", "/reports/figures.csv", "/reports/figures.json"]),
    ] {
        let mut browser = market.signed_in(email).await;
        let absent = browser.get("/no/such/page").await;
        for path in paths {
            let page = browser.get(path).await;
            assert_eq!((page.status, &page.body), (StatusCode::NOT_FOUND, &absent.body), "{email} {path}");
        }
    }
}
