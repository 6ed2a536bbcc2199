//! What shadow mode shows to a company's officers and to the operator, and the way a process is promoted and taken back.

use axum::http::StatusCode;
use store::{Act, Margin, Observation, Stage, Tally};

use crate::market::Market;

const ALPHAS: [&str; 2] = ["mau@alpha.example", "com@alpha.example"];

async fn watch(market: &Market, group: &str, times: usize) {
    let word = |text: &str| text.to_owned();
    let et = || "erroneous-transfers".parse().unwrap();
    let mailbox = || format!("readings@{group}-counterparty.example").parse().unwrap();
    let tallies = vec![
        Tally::Mail { class: word("human") },
        Tally::Verdict { verdict: word("secure"), rule: word("secure-mailbox") },
        Tally::Mailbox { address: mailbox(), verdict: word("secure"), process: Some(et()) },
        Tally::Notice { address: mailbox() },
        Tally::RunnerUp {
            process: et(),
            second: "disputed-readings".parse().unwrap(),
            margin: Margin::Narrow,
        },
        Tally::Unmapped { group: "beta".parse().unwrap(), id: word("0011223344556677"), personal: true },
        Tally::Finding { category: word("mpan"), verdict: word("secure") },
        Tally::Otherwise { verdict: word("secure"), tried: word("hold"), process: Some(et()) },
    ];
    let observation = Observation { group: group.parse().unwrap(), tallies };
    for _ in 0..times {
        assert!(market.ledger.observe(&observation, &certs::random::<32>().unwrap()).await.unwrap());
    }
}

#[tokio::test]
async fn officers_see_what_would_have_happened_to_their_own_mail() {
    let market = Market::new().await;
    watch(&market, "alpha", 3).await;
    watch(&market, "gamma", 5).await;
    for email in ALPHAS {
        let mut browser = market.signed_in(email).await;
        assert!(browser.get("/").await.text().contains("href=\"/shadow\""), "{email}");
        let page = browser.get("/shadow").await.text();
        for words in [
            "Mailbox by mailbox",
            "readings@alpha-counterparty.example",
            "Two policies side by side",
            "Disputed Change of Supplier Meter Readings",
            "0011223344556677",
            "Beta Power",
            "narrow",
            "mpan",
            "<bdi>3</bdi>",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(!page.contains("gamma-counterparty") && !page.contains("<bdi>5</bdi>"));
        let csv = browser.get("/shadow/counts.csv").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert!(csv.header("content-disposition").starts_with("attachment"));
        let row = "\r\nmailboxes,readings@alpha-counterparty.example,secure,erroneous-transfers,3\r\n";
        assert!(csv.text().contains(row), "{}", csv.text());
        let json: serde_json::Value =
            serde_json::from_slice(&browser.get("/shadow/counts.json").await.body).unwrap();
        assert_eq!(json.as_array().unwrap().len(), csv.text().lines().count() - 1);
        assert_eq!(json[0]["count"], 3);
    }
}

#[tokio::test]
async fn the_operator_sees_sums_and_no_mailbox() {
    let market = Market::new().await;
    watch(&market, "alpha", 3).await;
    watch(&market, "gamma", 5).await;
    let mut operator = market.signed_in("ope@alpha.example").await;
    let page = operator.get("/market/shadow").await.text();
    assert!(page.contains("<bdi>8</bdi>") && page.contains("secure-mailbox"), "{page}");
    let csv = operator.get("/market/shadow/counts.csv").await.text();
    for gone in ["counterparty.example", "0011223344556677"] {
        assert!(!page.contains(gone) && !csv.contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn other_days_are_asked_for_and_wrong_ones_are_said_so() {
    let market = Market::new().await;
    watch(&market, "alpha", 1).await;
    let mut mau = market.signed_in("mau@alpha.example").await;
    let page = mau.get("/shadow?first=2020-01-01&last=2020-02-01").await.text();
    assert!(page.contains("Nothing was watched in these days") && page.contains("value=\"2020-01-01\""));
    for wrong in
        ["first=2020-02-02&last=2020-02-01", "first=x&last=2020-02-01", "first=2018-01-01&last=2020-02-01"]
    {
        let page = mau.get(&format!("/shadow?{wrong}")).await.text();
        assert!(page.contains("Give two days") && page.contains("Mailbox by mailbox"), "{wrong}");
    }
}

#[tokio::test]
async fn a_process_is_promoted_after_a_question_and_taken_back() {
    let market = Market::new().await;
    watch(&market, "alpha", 3).await;
    let process = "erroneous-transfers".parse().unwrap();
    let set = |group: &str| market.ledger.directory().stage(&group.parse().unwrap(), Some(&process));
    let mut officer = market.signed_in("com@alpha.example").await;
    let next = market.next_event().await;
    let question = officer.get("/shadow/stage?process=erroneous-transfers&to=live").await;
    assert!(question.text().contains("Promote Erroneous Transfers?") && question.text().contains("<dd>3"));
    assert_eq!(set("alpha"), None, "GET changes nothing");
    assert_eq!(market.acts(next).await, []);
    let token = question.token();
    for (to, expected, told) in [
        ("live", Some(Stage::Live), "Promoted: decisions are done from now on."),
        ("shadow", Some(Stage::Shadow), "Demoted: from now on"),
        ("unset", None, "Taken back: what is set"),
    ] {
        let next = market.next_event().await;
        let fields = [("token", token.as_str()), ("process", "erroneous-transfers"), ("to", to)];
        let answer = officer.post("/shadow/stage", &fields).await;
        assert_eq!((set("alpha"), set("beta")), (expected, None));
        assert_eq!(market.acts(next).await, [Act::StageSet]);
        assert!(officer.get(answer.location()).await.text().contains(told), "{to}");
    }
    let forged = [("token", "x"), ("process", "erroneous-transfers"), ("to", "live")];
    assert_eq!(officer.post("/shadow/stage", &forged).await.status, StatusCode::FORBIDDEN);
    for wrong in
        ["process=nothing&to=live", "process=erroneous-transfers&to=x", "process=erroneous-transfers"]
    {
        let answer = officer.get(&format!("/shadow/stage?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(set("alpha"), None);
}

#[tokio::test]
async fn the_operator_sets_what_holds_for_every_company() {
    let market = Market::new().await;
    let process = "erroneous-transfers".parse().unwrap();
    let mut operator = market.signed_in("ope@alpha.example").await;
    let question = operator.get("/market/shadow/stage?process=erroneous-transfers&to=live").await;
    let fields =
        [("token", question.token()), ("process", "erroneous-transfers".into()), ("to", "live".into())];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(operator.post("/market/shadow/stage", &fields).await.status, StatusCode::SEE_OTHER);
    for group in ["alpha", "beta", "gamma"] {
        let stage = market.ledger.directory().stage(&group.parse().unwrap(), Some(&process));
        assert_eq!(stage, Some(Stage::Live), "{group}");
    }
    let own = market.signed_in("mau@beta.example").await.get("/shadow").await.text();
    assert!(own.contains("for every company"));
}

#[tokio::test]
async fn for_everybody_else_there_is_no_such_page() {
    let market = Market::new().await;
    for (email, paths) in [
        ("ali@alpha.example", &["/shadow", "/shadow/counts.csv", "/market/shadow"][..]),
        ("mau@alpha.example", &["/market/shadow", "/market/shadow/stage?process=&to=live"]),
        ("com@alpha.example", &["/market/shadow", "/market/shadow/counts.json"]),
        ("ope@alpha.example", &["/shadow", "/shadow/stage?process=&to=live", "/shadow/counts.json"]),
    ] {
        let mut browser = market.signed_in(email).await;
        let absent = browser.get("/no/such/page").await;
        for path in paths {
            let page = browser.get(path).await;
            assert_eq!((page.status, &page.body), (StatusCode::NOT_FOUND, &absent.body), "{email} {path}");
        }
        let token = browser.get("/search").await.token();
        let own = ["/shadow/stage", "/market/shadow/stage"].into_iter().filter(|path| {
            !(email.starts_with("ope") && path.starts_with("/market")
                || !email.starts_with("ali") && !email.starts_with("ope") && path.starts_with("/shadow"))
        });
        for path in own {
            let fields = [("token", token.as_str()), ("process", ""), ("to", "live")];
            assert_eq!(browser.post(path, &fields).await.status, StatusCode::NOT_FOUND, "{email} {path}");
        }
        assert_eq!(market.ledger.directory().stages().count(), 0);
    }
}
