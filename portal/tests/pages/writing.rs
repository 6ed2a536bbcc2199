//! Writing in the portal: answers and new cases become messages once, nothing typed is lost, and a draft is its author's.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use store::{Act, Proof};

use crate::market::{Answer, Browser, MPAN, Market};

const MAIL: &[u8] =
    b"From: Ali <ali@alpha.example>\r\nTo: et@beta.example\r\nSubject: Meter\r\n\r\nWhose is it?\r\n";
const FORM: &str = "multipart/form-data; boundary=x1";

/// A form with files as a browser sends it.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--x1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--x1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x1--\r\n");
    raw(browser, Method::POST, path, &[(header::CONTENT_TYPE.as_str(), FORM)], body).await
}

async fn raw(
    browser: &mut Browser,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.ask(request.body(Body::from(body)).unwrap()).await
}

/// Begins an answer; where it is written, and the form token.
async fn answering(browser: &mut Browser, case: &str) -> (String, String) {
    let token = browser.get(&format!("/case/{case}")).await.token();
    let begun = browser.post(&format!("/case/{case}/answer"), &[("token", &token)]).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    let draft = begun.location().to_owned();
    assert!(draft.starts_with("/draft/"), "{draft}");
    (draft, token)
}

/// Begins a new case of Ali at Alpha.
async fn opening(browser: &mut Browser) -> (String, String) {
    let page = browser.get("/new").await;
    assert!(page.text().contains("erroneous-transfers ALFA"), "{}", page.text());
    let token = page.token();
    let begun = browser.post("/new", &[("token", &token), ("kind", "erroneous-transfers ALFA")]).await;
    (begun.location().to_owned(), token)
}

#[tokio::test]
async fn an_answer_becomes_one_message_of_the_case_however_often_it_is_sent() {
    let market = Market::new().await;
    let sent = market.send(MAIL).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let (draft, token) = answering(&mut sam, &sent.case).await;
    let fields =
        [("token", token.as_str()), ("seen", "1"), ("text", "The meter is ours.\r\n"), ("do", "send")];
    let first = market.next_event().await;
    for _ in 0..2 {
        let answer = send(&mut sam, &draft, &fields, &[("readings.csv", b"1,2,3")]).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, format!("/case/{}", sent.case).as_str())
        );
    }
    assert_eq!(sam.get(&draft).await.location(), format!("/case/{}", sent.case), "loaded again");
    let case = market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap();
    let messages = market.ledger.messages(case.id).await.unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].proof, Proof::Session(market.user("sam@beta.example").id));
    assert_eq!(case.due, None, "a person has answered");
    let acts = market.acts(first).await;
    for act in [Act::MessageAdded, Act::DraftFileAdded, Act::DraftSent] {
        assert_eq!(acts.iter().filter(|known| **known == act).count(), 1, "{act:?} in {acts:?}");
    }
    let mut ali = market.signed_in("ali@alpha.example").await;
    let page = ali.get(&format!("/case/{}", sent.case)).await.text();
    assert!(page.contains("The meter is ours."), "{page}");
    assert!(page.contains("Written in the portal by sam, signed in") && page.contains("readings.csv"));
}

#[tokio::test]
async fn a_draft_is_its_authors_and_permission_decides() {
    let market = Market::new().await;
    let sent = market.send(MAIL).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let (draft, _) = answering(&mut sam, &sent.case).await;
    let absent = format!("/draft/{}", "0".repeat(32));
    for other in ["pat@beta.example", "kit@beta.example", "ali@alpha.example", "ope@alpha.example"] {
        let mut other = market.signed_in(other).await;
        let (foreign, missing) = (other.get(&draft).await, other.get(&absent).await);
        assert_eq!((foreign.status, missing.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        assert_eq!(foreign.body, missing.body);
    }
    for (who, may) in [("kit@beta.example", false), ("esc@beta.example", false), ("pat@beta.example", true)] {
        let mut browser = market.signed_in(who).await;
        let token = browser.get("/new").await.token();
        let answer = browser.post(&format!("/case/{}/answer", sent.case), &[("token", &token)]).await;
        assert_eq!(answer.status == StatusCode::SEE_OTHER, may, "{who}");
    }
    let mut kit = market.signed_in("kit@beta.example").await;
    assert!(kit.get("/new").await.text().contains("You cannot open a case yet"));
    let mut strange = market.browser();
    let answer = strange.get(&draft).await;
    assert!(answer.location().starts_with("/sign-in"));
}

#[tokio::test]
async fn colleagues_see_who_answers_and_who_answered_first() {
    let market = Market::new().await;
    let sent = market.send(MAIL).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let mut pat = market.signed_in("pat@beta.example").await;
    let (of_sam, token) = answering(&mut sam, &sent.case).await;
    let (of_pat, pats) = answering(&mut pat, &sent.case).await;
    let page = pat.get(&format!("/case/{}", sent.case)).await.text();
    assert!(page.contains("sam has been answering since"), "{page}");
    let mut ali = market.signed_in("ali@alpha.example").await;
    let theirs = ali.get(&format!("/case/{}", sent.case)).await.text();
    assert!(!theirs.contains("has been answering"));
    let fields = [("token", token.as_str()), ("seen", "1"), ("text", "first"), ("do", "send")];
    assert_eq!(send(&mut sam, &of_sam, &fields, &[]).await.status, StatusCode::SEE_OTHER);
    let fields = [("token", pats.as_str()), ("seen", "1"), ("text", "my own words"), ("do", "send")];
    let late = send(&mut pat, &of_pat, &fields, &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("my own words") && late.text().contains("A message has come"));
    let fields = [("token", pats.as_str()), ("seen", "2"), ("text", "my own words"), ("do", "send")];
    assert_eq!(send(&mut pat, &of_pat, &fields, &[]).await.status, StatusCode::SEE_OTHER);
    let case = market.ledger.case(sent.case.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(case.messages, 3);
}

#[tokio::test]
async fn a_new_case_says_beside_each_field_what_is_wrong_and_warns_of_its_twin() {
    let market = Market::new().await;
    let earlier = market.send(MAIL).await;
    let mut ali = market.signed_in("ali@alpha.example").await;
    let (draft, token) = opening(&mut ali).await;
    let token = token.as_str();
    let wrong = [("token", token), ("tag", "1200023305968"), ("text", "kept <words>"), ("do", "send")];
    let page = send(&mut ali, &draft, &wrong, &[]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for says in ["id=\"counterparty-problem\"", "id=\"tag-problem\"", "kept &lt;words&gt;", "1200023305968"] {
        assert!(page.text().contains(says), "{says}: {}", page.text());
    }
    let mut right = vec![
        ("token", token),
        ("counterparty", "BETA"),
        ("tag", MPAN),
        ("text", "Please look."),
        ("do", "send"),
    ];
    let required = ["field-customer-class"];
    let text = page.text();
    for field in required.into_iter().filter(|field| text.contains(&format!("name=\"{field}\""))) {
        let at = text.find(&format!("name=\"{field}\"")).unwrap();
        let value =
            text[at..].split("<option value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
        right.push((field, Box::leak(value.into_boxed_str())));
    }
    let warned = send(&mut ali, &draft, &right, &[]).await;
    assert_eq!(warned.status, StatusCode::CONFLICT, "{}", warned.text());
    assert!(warned.text().contains(&format!("/case/{}", earlier.case)));
    right.push(("anyway", "yes"));
    let opened = send(&mut ali, &draft, &right, &[]).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.text());
    let case = opened.location().strip_prefix("/case/").unwrap().parse().unwrap();
    let case = market.ledger.case(case).await.unwrap().unwrap();
    let due = case.due.expect("the other side owes an answer");
    assert_eq!(due.side.as_str(), "beta");
    let found = ali.post("/search", &[("token", token), ("tag", MPAN)]).await.text();
    assert!(found.contains(&case.reference.to_string()));
    let mut sam = market.signed_in("sam@beta.example").await;
    assert!(sam.get(&format!("/case/{}", case.id)).await.text().contains("Please look."));
}

#[tokio::test]
async fn an_upload_goes_on_where_it_broke_off() {
    let market = Market::new().await;
    let sent = market.send(MAIL).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let (draft, token) = answering(&mut sam, &sent.case).await;
    let file: Vec<u8> = (0..600_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let proof = [("x-form-token", token.as_str())];
    let begin = format!("{draft}/file?name=big.bin&size={}&type=application/zip", file.len());
    assert_eq!(raw(&mut sam, Method::POST, &begin, &[], Vec::new()).await.status, StatusCode::FORBIDDEN);
    let begun = raw(&mut sam, Method::POST, &begin, &proof, Vec::new()).await;
    assert_eq!(begun.status, StatusCode::CREATED);
    let address = format!("{draft}/file/{}", begun.text());
    let part =
        raw(&mut sam, Method::PUT, &format!("{address}?offset=0"), &proof, file[..1_500_000].to_vec()).await;
    let kept: usize = part.text().parse().unwrap();
    assert!(kept > 1_000_000 && kept <= 1_500_000, "{kept}");
    let fields = [("token", token.as_str()), ("seen", "1"), ("text", "x"), ("do", "send")];
    let early = send(&mut sam, &draft, &fields, &[]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY, "not while a file is incomplete");
    assert_eq!(sam.get(&address).await.text(), kept.to_string());
    let wrong = raw(&mut sam, Method::PUT, &format!("{address}?offset=7"), &proof, file[7..].to_vec()).await;
    assert_eq!((wrong.status, wrong.text()), (StatusCode::CONFLICT, kept.to_string()));
    let rest =
        raw(&mut sam, Method::PUT, &format!("{address}?offset={kept}"), &proof, file[kept..].to_vec()).await;
    assert_eq!(rest.text(), file.len().to_string());
    assert_eq!(send(&mut sam, &draft, &fields, &[]).await.status, StatusCode::SEE_OTHER);
    let case = market.ledger.messages(sent.case.parse().unwrap()).await.unwrap();
    let message = case.last().unwrap().id;
    let mut ali = market.signed_in("ali@alpha.example").await;
    let page = ali.get(&format!("/case/{}/message/{message}", sent.case)).await.text();
    let href = page.split('"').find(|text| text.contains("/part/")).unwrap().to_owned();
    assert!(ali.get(&href).await.body == file, "byte for byte");
    let too_large = format!("{draft}/file?name=a&size={}", u64::MAX);
    assert_eq!(
        raw(&mut sam, Method::POST, &too_large, &proof, Vec::new()).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn drafts_keep_texts_insert_and_only_their_keepers_change_them() {
    let market = Market::new().await;
    let sent = market.send(MAIL).await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let token = mau.get("/texts").await.token();
    let text = [("token", token.as_str()), ("name", "Greeting"), ("text", "Dear colleagues,")];
    assert_eq!(mau.post("/texts", &text).await.status, StatusCode::SEE_OTHER);
    let nameless = [("token", token.as_str()), ("name", " "), ("text", "kept")];
    let refused = mau.post("/texts", &nameless).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("kept"));
    let mut sam = market.signed_in("sam@beta.example").await;
    assert_eq!(sam.get("/texts").await.status, StatusCode::NOT_FOUND);
    let (draft, token) = answering(&mut sam, &sent.case).await;
    let page = sam.get(&draft).await.text();
    let id = page.split("<select id=\"template\"").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    let fields = [("token", token.as_str()), ("text", "Before."), ("template", id), ("do", "insert")];
    let to = send(&mut sam, &draft, &fields, &[]).await.location().to_owned();
    let page = sam.get(to.split('#').next().unwrap()).await.text();
    assert!(page.contains("Before.\n\nDear colleagues,"), "{page}");
    let kept = [("token", token.as_str()), ("text", "Autosaved."), ("do", "keep")];
    assert!(send(&mut sam, &draft, &kept, &[]).await.text().starts_with("Saved "));
    assert!(sam.get("/drafts").await.text().contains("Autosaved."));
    let forged = [("token", "no"), ("text", "x"), ("do", "save")];
    assert_eq!(send(&mut sam, &draft, &forged, &[("a", b"b")]).await.status, StatusCode::FORBIDDEN);
    let discard = [("token", token.as_str()), ("do", "discard")];
    assert_eq!(send(&mut sam, &draft, &discard, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(sam.get(&draft).await.status, StatusCode::NOT_FOUND);
}
