//! Held mail: listed, opened and decided on by the compliance role of the company that sent it, and by
//! nobody else.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use mail::{HoldReason, Scan};
use store::{Act, Onward};

use crate::market::{MPAN, Market};
use crate::scenes::OUTSIDER;

const MAIL: &[u8] = b"From: Ali Baker <ali@alpha.example>\r\nTo: jo@gamma.example\r\n\
    Subject: Reading of <b>one</b> meter\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: text/plain\r\n\r\nThe MPAN is 1200023305967, <script>alert(1)</script>.\r\n\
    --m\r\nContent-Type: application/pdf; name=\"../bill.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    JVBERi0xLjcgc2F5cyBoZWxsbw==\r\n--m--\r\n";

/// Every way to a held mail.
fn ways(held: &str) -> Vec<(&'static str, String)> {
    let table = portal::route_table();
    let mut ways: Vec<_> = table
        .lines()
        .filter(|line| line.contains("/held"))
        .map(|line| {
            let mut words = line.split_whitespace();
            let method = if words.next() == Some("GET") { "GET" } else { "POST" };
            (method, words.next().unwrap().replace("{held}", held).replace("{part}", "1"))
        })
        .collect();
    assert!(ways.len() >= 6);
    ways.sort();
    ways
}

#[tokio::test]
async fn for_everybody_else_there_is_no_held_mail() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let next = market.next_event().await;
    for email in ["ali@alpha.example", "mau@alpha.example", "ope@alpha.example", "gus@gamma.example"] {
        let mut browser = market.signed_in(email).await;
        let home = browser.get("/").await;
        assert!(!home.text().contains("/held") && !home.text().contains("held mail"), "{email}");
        let absent = browser.get("/no/such/page").await;
        for (method, path) in ways(&held) {
            let answer = match method {
                "GET" => browser.get(&path).await,
                _ => browser.post(&path, &[("token", &home.token())]).await,
            };
            assert_eq!(
                (answer.status, &answer.body),
                (absent.status, &absent.body),
                "{email} {method} {path}"
            );
            assert_eq!(answer.headers, absent.headers, "{email} {method} {path}");
        }
    }
    // The compliance role of another company has a list, and this mail is not in it.
    let mut foreign = market.signed_in("com@beta.example").await;
    assert!(foreign.get("/held").await.text().contains("Nothing waits"));
    let token = foreign.get("/account").await.token();
    let absent = foreign.get(&format!("/held/{}", "0".repeat(32))).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    for (method, path) in ways(&held).into_iter().filter(|(_, path)| path != "/held") {
        let answer = match method {
            "GET" => foreign.get(&path).await,
            _ => foreign.post(&path, &[("token", &token)]).await,
        };
        assert_eq!((answer.status, &answer.body), (absent.status, &absent.body), "{method} {path}");
    }
    let malformed = foreign.get("/held/nonsense").await;
    assert_eq!((malformed.status, malformed.body), (absent.status, absent.body));
    let read = market.acts(next).await;
    assert!(read.iter().all(|act| *act == Act::SignedIn), "{read:?}");
    assert_eq!(market.waiting().await, 1);
    assert_eq!(market.browser().get("/held").await.location(), "/sign-in?next=/held");
}

#[tokio::test]
async fn the_list_shows_what_waits_and_nothing_of_it() {
    let market = Market::new().await;
    let mut officer = market.signed_in("com@alpha.example").await;
    assert!(officer.get("/held").await.text().contains("Nothing waits"));
    assert!(officer.get("/").await.text().contains("<strong>0</strong> <span>Held mail</span>"));
    let held = market.hold(MAIL).await;
    market.hold_for_case(MAIL).await;
    let home = officer.get("/").await.text();
    assert!(home.contains("<strong>2</strong> <span>Held mail</span>") && home.contains("href=\"/held\""));
    let next = market.next_event().await;
    let list = officer.get("/held").await.text();
    for words in [
        held.as_str(),
        "ali",
        "Personal data",
        "hold-personal-data",
        "passes it on to its recipient",
        "Virus found",
        "2 mails came here for your decision",
        "goes back to its sender",
    ] {
        assert!(list.contains(words), "{words} in {list}");
    }
    for secret in ["Reading of", MPAN, OUTSIDER, "bill.pdf"] {
        assert!(!list.contains(secret), "{secret}");
    }
    assert_eq!(market.acts(next).await, [], "a list opens nothing");
}

#[tokio::test]
async fn a_long_list_has_pages() {
    let market = Market::new().await;
    let mut ids = Vec::new();
    for _ in 0..41 {
        ids.push(market.hold(b"From: ali@alpha.example\r\n\r\ntext\r\n").await);
    }
    let mut officer = market.signed_in("com@alpha.example").await;
    let first = officer.get("/held").await.text().replace("&#x3D;", "=");
    let place = first.split("href=\"/held?after=").nth(1).expect("newer mail").split('"').next().unwrap();
    let second = officer.get(&format!("/held?after={place}")).await.text();
    let both = ids.iter().filter(|id| first.contains(*id) != second.contains(*id)).count();
    assert_eq!(both, 41, "each is on one of the two pages");
    assert!(second.contains("Back to the oldest"));
}

#[tokio::test]
async fn opening_it_is_written_down_and_shows_what_was_found() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let next = market.next_event().await;
    let page = officer.get(&format!("/held/{held}")).await;
    assert_eq!(market.acts(next).await, [Act::HeldRead]);
    let text = page.without_our_script();
    for words in [
        "Ali Baker",
        "Reading of &lt;b&gt;one&lt;/b&gt; meter",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        OUTSIDER,
        "Electricity meter point (MPAN)",
        "1200023305967: the check digits are right",
        "passed, for alpha.example",
        "failed softly",
        "bill.pdf",
        "Pass it on",
        "Return it to the sender",
        "Nobody can call it back",
        "This cannot be undone",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    for gone in ["<script", "../bill", "<iframe"] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert_eq!(market.waiting().await, 1, "looking decides nothing");
    let file = officer.get(&format!("/held/{held}/part/1")).await;
    assert_eq!(file.body.as_ref(), b"%PDF-1.7 says hello");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"bill.pdf\""));
    let original = officer.get(&format!("/held/{held}/original")).await;
    assert_eq!(original.body.as_ref(), MAIL);
    assert_eq!(market.acts(next).await, [Act::HeldRead; 3]);

    let portal = market.without_mail_side();
    let page = portal.signed_in("com@alpha.example").await.get(&format!("/held/{held}")).await;
    assert!(page.status == StatusCode::OK && !page.text().contains("Electricity meter point"));
}

/// HEAD and a browser's guess are no reading.
#[tokio::test]
async fn what_nobody_looks_at_is_not_opened() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let next = market.next_event().await;
    for path in [format!("/held/{held}"), format!("/held/{held}/original"), format!("/held/{held}/part/1")] {
        let head = Request::builder().method(Method::HEAD).uri(&path).body(Body::empty()).unwrap();
        assert_eq!(officer.ask(head).await.status, StatusCode::OK, "{path}");
        let ahead = Request::builder().uri(&path).header("sec-purpose", "prefetch");
        let answer = officer.ask(ahead.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let absent = format!("/held/{}", "0".repeat(32));
    let head = Request::builder().method(Method::HEAD).uri(&absent).body(Body::empty()).unwrap();
    assert_eq!(officer.ask(head).await.status, StatusCode::NOT_FOUND);
    for decision in ["release", "return"] {
        assert_eq!(officer.get(&format!("/held/{held}/{decision}")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(market.acts(next).await, []);
    assert_eq!(market.waiting().await, 1);
}

#[tokio::test]
async fn what_the_scanner_warned_of_is_named_and_not_given_away() {
    let market = Market::new().await;
    let held = market.hold_as(MAIL, HoldReason::Virus, Scan::Found, Onward::Relay).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let page = officer.get(&format!("/held/{held}")).await.text();
    for words in
        ["Virus found", "the scanner found something", "bill.pdf", "are not given away", "false alarm"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("download"));
    let next = market.next_event().await;
    for path in ["part/1", "original"] {
        let answer = officer.get(&format!("/held/{held}/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(market.acts(next).await, []);
}

#[tokio::test]
async fn a_release_passes_it_on_once() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let token = officer.get(&format!("/held/{held}")).await.token();
    let release = format!("/held/{held}/release");
    let next = market.next_event().await;
    let answer = officer.post(&release, &[("token", &token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(market.acts(next).await, [Act::HeldRelayed, Act::TaskClosed]);
    let page = officer.get(answer.location()).await.text();
    assert!(page.contains("Released: the mail goes on to its recipients.") && page.contains("Nothing waits"));
    let kinds: Vec<_> = market.ledger.jobs().await.unwrap().iter().map(|job| job.kind.as_str()).collect();
    assert!(kinds.contains(&"relay"), "{kinds:?}");
    let again = officer.post(&release, &[("token", &token)]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert!(
        again.text().contains("That mail does not wait any more") && again.text().contains("href=\"/held\"")
    );
}

#[tokio::test]
async fn a_release_into_its_case_starts_the_clock_anew() {
    let market = Market::new().await;
    let held = market.hold_for_case(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let page = officer.get(&format!("/held/{held}")).await;
    assert!(page.text().contains("It is sealed into its case"));
    let answer = officer.post(&format!("/held/{held}/release"), &[("token", &page.token())]).await;
    let list = officer.get(answer.location()).await.text();
    let reference = list.split("is in case ").nth(1).expect("the case").split(' ').next().unwrap().to_owned();
    let mut sam = market.signed_in("sam@beta.example").await;
    let home = sam.get("/").await.text();
    assert!(home.contains(&reference));
    let case = home.split("href=\"/case/").nth(1).unwrap().split('"').next().unwrap();
    let page = sam.get(&format!("/case/{case}")).await.text();
    assert!(page.contains("Reading of") && page.contains("Virus found"));
    assert!(!page.contains("The clock of the day it was stopped."), "it counts from the release");
}

#[tokio::test]
async fn a_return_destroys_it() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let token = officer.get(&format!("/held/{held}")).await.token();
    let next = market.next_event().await;
    let answer = officer.post(&format!("/held/{held}/return"), &[("token", &token)]).await;
    assert_eq!(market.acts(next).await, [Act::HeldReturned, Act::TaskClosed]);
    let page = officer.get(answer.location()).await.text();
    assert!(page.contains("The mail was destroyed, and its sender is told."));
    assert_eq!(market.waiting().await, 0);
    assert_eq!(officer.get(&format!("/held/{held}")).await.status, StatusCode::NOT_FOUND);
}

/// A link from elsewhere makes no page of ours say that something was done.
#[tokio::test]
async fn only_what_was_done_here_is_told() {
    let market = Market::new().await;
    let held = market.hold(MAIL).await;
    let mut officer = market.signed_in("com@alpha.example").await;
    let token = officer.get(&format!("/held/{held}")).await.token();
    let told =
        officer.post(&format!("/held/{held}/return"), &[("token", &token)]).await.location().to_owned();
    let sealed = told.rsplit_once('.').unwrap().1.to_owned();
    for made_up in [
        "/held?told=returned".to_owned(),
        "/held?told=returned.".to_owned(),
        format!("/held?told=relayed.{sealed}"),
        format!("/held?told=returned.{}", "0".repeat(32)),
        "/held?told=<script>.x".to_owned().replace('<', "%3C").replace('>', "%3E"),
    ] {
        assert!(!officer.get(&made_up).await.text().contains("role=\"status\""), "{made_up}");
    }
    assert!(officer.get(&told).await.text().contains("role=\"status\""));
    let mut other = market.signed_in("com@alpha.example").await;
    assert!(!other.get(&told).await.text().contains("role=\"status\""), "another session");
}
