//! Reading a case: the page, the formatted view, downloads, taking and releasing.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use store::Act;

use crate::market::{Answer, Browser, Market, Sent};

/// The address of a download on the page, by the name it is shown under.
fn link(page: &str, name: &str) -> String {
    let end = page.find(&format!("download><bdi>{name}</bdi>")).unwrap_or_else(|| panic!("{name} in {page}"));
    let start = page[..end].rfind("href=\"").unwrap() + 6;
    page[start..].split('"').next().unwrap().to_owned()
}

async fn reader() -> (Market, Browser, Sent, Answer) {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let page = browser.get(&format!("/case/{}", sent.case)).await;
    assert_eq!(page.status, StatusCode::OK);
    (market, browser, sent, page)
}

#[tokio::test]
async fn the_page_shows_the_mail_and_escapes_it() {
    let (_market, _browser, sent, page) = reader().await;
    let text = page.without_our_script();
    for shown in [
        sent.reference.as_str(),
        "Ali Baker",
        "ali@alpha.example",
        "Alpha Energy",
        "Please return the supply of café",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "Erroneous transfer &lt;b&gt;of&lt;/b&gt; Example Row",
        "Ten working days after it was received.",
        "statement.pdf",
        "Take this case",
        "ALFA to BETA",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    for gone in ["<script", "onclick", "track.example", "../"] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert!(text.len() < 60_000);
    let pictures = text.find("Pictures in the text").unwrap();
    assert!(text.find("logo.gif").unwrap() > pictures, "apart from attachments");
}

#[tokio::test]
async fn every_page_is_locked_down() {
    let (_market, mut browser, sent, page) = reader().await;
    let pages = [page, browser.get("/").await, browser.get("/search").await, browser.get("/absent").await];
    for page in pages {
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "frame-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        let scripts: Vec<_> = policy.split("; ").filter(|part| part.contains("script")).collect();
        assert_eq!(scripts, ["script-src 'self'"], "our file, and nothing in the page");
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
        assert!(page.header("permissions-policy").contains("camera=()"));
    }
    let style = browser.get("/style.css?v=1").await;
    assert!(style.header("cache-control").contains("immutable"));
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(browser.get("/healthz").await.text(), "ok\n");
    drop(sent);
}

#[tokio::test]
async fn the_formatted_view_is_a_document_without_rights() {
    let (_market, mut browser, sent, page) = reader().await;
    let address = format!("/case/{}/message/{}/html", sent.case, sent.message);
    let frame = format!("<iframe src=\"{address}\"");
    let text = page.text();
    let frame = &text[text.find(&frame).expect("a frame")..];
    let frame = &frame[..frame.find('>').unwrap()];
    assert!(frame.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""), "{frame}");
    let view = browser.get(&address).await;
    let policy = view.header("content-security-policy");
    for part in
        ["default-src 'none'", "img-src data:", "form-action 'none'", "frame-ancestors 'self'", "; sandbox "]
    {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    for forbidden in ["allow-scripts", "allow-same-origin", "allow-forms", "allow-top-navigation", "http"] {
        assert!(!policy.contains(forbidden) && !frame.contains(forbidden), "{forbidden}");
    }
    let view = view.text();
    assert!(
        view.contains("<b>return</b>")
            && view
                .contains("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
        "{view}"
    );
    for gone in ["script", "onclick", "track.example", "cid:"] {
        assert!(!view.contains(gone), "{gone} in {view}");
    }
}

#[tokio::test]
async fn attachments_leave_decoded_under_safe_names() {
    let (_market, mut browser, _sent, page) = reader().await;
    let answer = browser.get(&link(&page.text(), "statement.pdf")).await;
    assert_eq!(answer.body.as_ref(), b"%PDF-1.7 says hello");
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"statement.pdf\"; filename*=UTF-8''statement.pdf"
    );
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn the_original_leaves_byte_for_byte() {
    let market = Market::new().await;
    let mut large = crate::market::rich_mail();
    let body = b"0123456789abcdef\r\n".repeat(40_000);
    large.extend_from_slice(&body);
    let mut browser = market.signed_in("sam@beta.example").await;
    for mail in [crate::market::rich_mail(), large] {
        let sent = market.send(&mail).await;
        let path = format!("/case/{}/message/{}/original", sent.case, sent.message);
        let answer = browser.get(&path).await;
        assert_eq!(answer.body.as_ref(), mail.as_slice());
        assert_eq!(answer.header("content-type"), "message/rfc822");
        assert_eq!(answer.header("content-length"), mail.len().to_string());
        let name = format!("attachment; filename=\"{}-1.eml\"", sent.reference);
        assert!(answer.header("content-disposition").starts_with(&name));
    }
}

#[tokio::test]
async fn a_case_is_taken_and_released_by_its_owner_only() {
    let (market, mut sam, sent, page) = reader().await;
    let case = format!("/case/{}", sent.case);
    let (claim, release) = (format!("{case}/claim"), format!("{case}/release"));
    let token = page.token();
    let answer = sam.post(&claim, &[("token", &token), ("seen", "")]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, case.as_str()));
    assert!(sam.get(&case).await.text().contains("Release this case"));
    assert!(sam.get("/").await.text().contains("<strong>You</strong>"));

    let mut pat = market.signed_in("pat@beta.example").await;
    let page = pat.get(&case).await;
    assert!(page.text().contains("Take over from sam"));
    let late = pat.post(&claim, &[("token", &page.token()), ("seen", "")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "sam was faster");
    assert!(late.text().contains("changed in the meantime"));
    let foreign = pat.post(&release, &[("token", &page.token())]).await;
    assert_eq!(foreign.status, StatusCode::CONFLICT);
    assert_eq!(sam.post(&release, &[("token", &token)]).await.status, StatusCode::SEE_OTHER);
    assert!(sam.get(&case).await.text().contains("Take this case"));
}

/// Link scanners open everything: without a session nothing changes, with one only reading is noted.
#[tokio::test]
async fn opening_links_changes_nothing() {
    let (market, mut browser, sent, page) = reader().await;
    let before = market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap();
    let mut stranger = market.browser();
    for address in page.text().split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        if address.starts_with('/') {
            let address = address.replace("&#x3D;", "=");
            stranger.get(&address).await;
            assert!(browser.get(&address).await.status.is_success(), "{address}");
        }
    }
    let after = market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(before, after);
}

/// HEAD and a browser's guess at where its user goes next show nobody anything: not read, no event,
/// and the notice still comes.
#[tokio::test]
async fn what_nobody_looks_at_is_not_read() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let before = market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap();
    let next = market.next_event().await;
    let case = format!("/case/{}", sent.case);
    let message = format!("{case}/message/{}", sent.message);
    let absent = format!("/case/{}", "0".repeat(32));
    for path in [&case, &message, &format!("{message}/original"), &format!("{message}/part/3")] {
        let head = Request::builder().method(Method::HEAD).uri(path).body(Body::empty()).unwrap();
        assert_eq!(browser.ask(head).await.status, StatusCode::OK, "{path}");
        let ahead = Request::builder().uri(path).header("sec-purpose", "prefetch;prerender");
        let answer = browser.ask(ahead.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let head = Request::builder().method(Method::HEAD).uri(&absent).body(Body::empty()).unwrap();
    assert_eq!(browser.ask(head).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap(), before);
    assert_eq!(market.acts(next).await, []);
}

/// Every reading and every change is one event, and what was refused is none.
#[tokio::test]
async fn each_reading_and_change_is_one_event() {
    let (market, mut browser, sent, page) = reader().await;
    let case = format!("/case/{}", sent.case);
    let message = format!("{case}/message/{}", sent.message);
    for (path, act) in [
        (case.clone(), Act::CaseRead),
        (message.clone(), Act::CaseRead),
        (format!("{message}/html"), Act::CaseRead),
        (format!("{message}/part/3"), Act::AttachmentRead),
        (format!("{message}/original"), Act::OriginalRead),
    ] {
        let next = market.next_event().await;
        assert_eq!(browser.get(&path).await.status, StatusCode::OK);
        assert_eq!(market.acts(next).await, [act], "{path}");
    }
    let token = page.token();
    for (path, act) in [(format!("{case}/claim"), Act::OwnerSet), (format!("{case}/release"), Act::OwnerSet)]
    {
        let next = market.next_event().await;
        assert_eq!(browser.post(&path, &[("token", &token)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(market.acts(next).await, [act], "{path}");
    }
    let mut stranger = market.signed_in("gus@gamma.example").await;
    let next = market.next_event().await;
    assert_eq!(stranger.get(&case).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.acts(next).await, []);
}

/// Thousands of texts in one mail are thousands of reads of the ledger: only the first are shown.
#[tokio::test]
async fn a_mail_of_thousands_of_texts_is_read_in_part() {
    let market = Market::new().await;
    let mut mail = String::from("From: a@alpha.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    for number in 0..5_000 {
        mail.push_str(&format!("--b\r\nContent-Type: text/plain\r\n\r\ntext {number}.\r\n"));
    }
    let sent = market.send(mail.as_bytes()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let page = browser.get(&format!("/case/{}", sent.case)).await.text();
    assert!(page.contains("text 19.") && !page.contains("text 20."));
    assert!(page.contains("Read the whole message"));
    let whole = browser.get(&format!("/case/{}/message/{}", sent.case, sent.message)).await.text();
    assert!(whole.contains("Only its beginning is shown"), "what is left out is said");
}

/// Somebody who takes many downloads and reads none of them holds up nobody else.
#[tokio::test]
async fn one_person_has_only_so_many_pages_at_once() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let path = format!("/case/{}/message/{}/original", sent.case, sent.message);
    let mut open = Vec::new();
    for _ in 0..12 {
        let response = browser.begin(&path).await;
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
    let refused = browser.get(&path).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.text().contains("still on their way"));
    let mut other = market.signed_in("pat@beta.example").await;
    assert_eq!(other.get(&path).await.status, StatusCode::OK);
    drop(open);
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn damaged_and_odd_mail_is_shown_as_far_as_it_can_be() {
    let market = Market::new().await;
    let mut browser = market.signed_in("sam@beta.example").await;
    for mail in [
        &b""[..],
        b"\r\n",
        b"no header at all",
        b"From: a@alpha.example\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"From: a@alpha.example, b@alpha.example\r\nContent-Type: text/html\r\n\r\n<p>only html",
        b"Subject: =?utf-8?B?////?=\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    ] {
        let sent = market.send(mail).await;
        let page = browser.get(&format!("/case/{}", sent.case)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", String::from_utf8_lossy(mail));
        let original = browser.get(&format!("/case/{}/message/{}/original", sent.case, sent.message)).await;
        assert_eq!(original.body.as_ref(), mail);
    }
}

#[tokio::test]
async fn a_message_that_does_not_open_hides_no_other() {
    let market = Market::new().await;
    let first = market.send(&crate::market::rich_mail()).await;
    let second = market.send_into(&first, b"From: a@alpha.example\r\n\r\nlost words\r\n").await;
    market.damage(&second).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let case = format!("/case/{}", first.case);
    let page = browser.get(&case).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(
        text.contains("Message 2 cannot be opened") && text.contains("Please return the supply"),
        "{text}"
    );
    assert!(!text.contains(&format!("{}/original", second.message)), "nothing of it to take");
    let alone = browser.get(&format!("{case}/message/{}", second.message)).await;
    assert!(alone.status == StatusCode::OK && alone.text().contains("Tell your Postern operator"));
    let original = browser.get(&format!("{case}/message/{}/original", second.message)).await;
    assert_eq!(original.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_hides_no_other_message() {
    let market = Market::new().await;
    let first = market.send(&crate::market::rich_mail()).await;
    let second = market.send_into(&first, b"From: a@alpha.example\r\n\r\nlost words\r\n").await;
    market.damage_record(&second).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let page = browser.get(&format!("/case/{}", first.case)).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(
        text.contains("Message 2 cannot be opened.") && text.contains("Please return the supply"),
        "{text}"
    );
}

#[tokio::test]
async fn long_text_has_a_page_of_its_own() {
    let market = Market::new().await;
    let text = "A line of text that goes on.\r\n".repeat(2_000);
    let sent = market.send(format!("From: a@alpha.example\r\n\r\n{text}THE END\r\n").as_bytes()).await;
    let mut browser = market.signed_in("sam@beta.example").await;
    let page = browser.get(&format!("/case/{}", sent.case)).await.text();
    assert!(page.len() < 60_000 && !page.contains("THE END"));
    let whole = format!("/case/{}/message/{}", sent.case, sent.message);
    assert!(page.contains(&format!("<a href=\"{whole}\">Read the whole message")));
    assert!(browser.get(&whole).await.text().contains("THE END"));
}

#[tokio::test]
async fn the_sample_market_shows_the_notices_that_left() {
    let market = Market::new().await;
    let mut browser = market.browser();
    assert!(browser.get("/demo/outbox").await.text().contains("Nothing has left yet"));
    assert!(browser.get("/sign-in").await.text().contains("copper-lantern-42"));
    let link = format!("http://127.0.0.1:8080/case/{}", "a".repeat(32));
    let mail = format!(
        "From: notices@postern.example\r\nTo: et@beta.example\r\nSubject: [X] Case K7Q-4M2X\r\n\r\nRead:\r\n{link}\r\n"
    );
    std::fs::write(market.outbox.path().join("1.eml"), mail).unwrap();
    let page = browser.get("/demo/outbox").await.text();
    assert!(page.contains("et@beta.example") && page.contains("[X] Case K7Q-4M2X"), "{page}");
    assert!(page.contains(&format!("class=\"button\" href=\"/case/{}\"", "a".repeat(32))), "{page}");
}
