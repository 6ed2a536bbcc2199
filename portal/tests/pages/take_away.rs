//! A case that leaves the portal: what is in the file, what is not, who gets it, and that it is written down first.

use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use store::Act;

use crate::market::{Browser, Market, Sent, rich_mail};

/// Names that are paths, devices, doubles and nothing at all.
fn hostile_mail() -> Vec<u8> {
    let mut mail = String::from(
        "From: ali@alpha.example\r\nTo: et@beta.example\r\nSubject: <script>alert(1)</script>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\n</pre><img src=x onerror=alert(1)>\r\n",
    );
    for name in ["../../x", "/etc/passwd", "C:\\\\x.exe", "same.txt", "SAME.TXT", "same.txt", "CON", ".."] {
        mail.push_str(&format!(
            "--m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; \
             filename=\"{name}\"\r\n\r\nbytes of {name}\r\n"
        ));
    }
    mail.push_str("--m--\r\n");
    mail.into_bytes()
}

/// The files of an archive as another implementation reads them, every sum checked.
fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("case.zip"), folder.path().join("out"));
    std::fs::write(&file, bytes).unwrap();
    std::fs::create_dir(&out).unwrap();
    let program = "import sys, os, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                   for number, entry in enumerate(z.infolist()):\n\
                   \x20 open(os.path.join(sys.argv[2], str(number)), 'wb').write(z.read(entry))\n\
                   \x20 print(entry.filename)";
    let answer = Command::new("python3").arg("-c").arg(program).arg(&file).arg(&out).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let names = String::from_utf8(answer.stdout).unwrap();
    let read = |number: usize| std::fs::read(out.join(number.to_string())).unwrap();
    names.lines().enumerate().map(|(number, name)| (name.to_owned(), read(number))).collect()
}

async fn taken(browser: &mut Browser, sent: &Sent) -> Vec<(String, Vec<u8>)> {
    let answer = browser.get(&format!("/case/{}/file", sent.case)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/zip");
    let name = format!("attachment; filename=\"{0}.zip\"; filename*=UTF-8''{0}.zip", sent.reference);
    assert_eq!(answer.header("content-disposition"), name);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; sandbox");
    unpacked(&answer.body)
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let found = files.iter().find(|(path, _)| path.ends_with(name));
    String::from_utf8(found.unwrap_or_else(|| panic!("{name} in {files:?}")).1.clone()).unwrap()
}

#[tokio::test]
async fn the_file_of_a_case_has_all_of_it() {
    let market = Market::new().await;
    let first = market.send(&rich_mail()).await;
    market.send_into(&first, &hostile_mail()).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get(&format!("/case/{}", first.case)).await;
    assert!(page.text().contains(&format!("href=\"/case/{}/file\"", first.case)));
    let token = page.token();
    let note = [("token", &*token), ("text", "Ask metering first.")];
    assert_eq!(sam.post(&format!("/case/{}/note", first.case), &note).await.status, StatusCode::SEE_OTHER);

    let next = market.next_event().await;
    let files = taken(&mut sam, &first).await;
    assert_eq!(market.acts(next).await, [Act::CaseTakenAway], "one event, whatever is in it");
    let root = &first.reference;
    let of = |name: &str| &files.iter().find(|(path, _)| *path == format!("{root}/{name}")).unwrap().1;
    assert_eq!(of("messages/0001.eml"), &rich_mail(), "byte for byte");
    assert_eq!(of("messages/0002.eml"), &hostile_mail());
    assert_eq!(of("attachments/0001/statement.pdf"), b"%PDF-1.7 says hello", "decoded");
    assert_eq!(of("attachments/0002/same.txt"), b"bytes of same.txt");
    assert!(text(&files, "internal-notes.txt").contains("Ask metering first."));
    let events = text(&files, "events.csv");
    assert!(
        events.starts_with("at,what,who,detail\r\n") && events.contains("Case taken away as a file"),
        "{events}"
    );
    assert_eq!(text(&files, "events.jsonl").lines().count() + 1, events.lines().count());

    let transcript = text(&files, "transcript.html");
    for shown in
        ["Please return the supply of café", "&lt;script&gt;alert(1)", "Alpha Energy", "(Beta Power)"]
    {
        assert!(transcript.contains(shown), "{shown} in {transcript}");
    }
    assert!(transcript.contains("content=\"default-src 'none'\"") && transcript.ends_with("</html>\n"));
    for gone in ["<script", "<img", "<a ", "style=", "Ask metering"] {
        assert!(!transcript.contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn names_in_the_file_stay_in_their_folder_and_are_alone_in_it() {
    let market = Market::new().await;
    let sent = market.send(&hostile_mail()).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let files = taken(&mut sam, &sent).await;
    let mut alone = std::collections::HashSet::new();
    for (path, _) in &files {
        let parts: Vec<_> = Path::new(path).components().collect();
        assert!(parts.iter().all(|part| matches!(part, std::path::Component::Normal(_))), "{path}");
        assert!(!path.contains(['\\', ':']) && path.starts_with(&sent.reference), "{path}");
        assert!(alone.insert(path.to_lowercase()), "{path} twice");
    }
    assert_eq!(files.iter().filter(|(path, _)| path.contains("/attachments/0001/")).count(), 8);
}

/// What a company keeps for itself is in its own file alone, and what its sender took back in nobody else's.
#[tokio::test]
async fn the_other_side_takes_nothing_of_ours_away() {
    let market = Market::new().await;
    let first = market.send(&rich_mail()).await;
    let second = market.send_into(&first, b"From: ali@alpha.example\r\n\r\nregretted words\r\n").await;
    let mut ali = market.signed_in("ali@alpha.example").await;
    let case = format!("/case/{}", first.case);
    let token = ali.get(&case).await.token();
    for (path, fields) in [
        ("note", vec![("token", &*token), ("text", "Alpha's own view")]),
        ("claim", vec![("token", &*token), ("seen", "")]),
    ] {
        assert_eq!(ali.post(&format!("{case}/{path}"), &fields).await.status, StatusCode::SEE_OTHER);
    }
    market.withdraw(&second, 2).await;
    assert!(text(&taken(&mut ali, &first).await, "events.csv").contains("Owner set"));
    let mut sam = market.signed_in("sam@beta.example").await;
    let paper = sam.get(&format!("{case}/print")).await.text();
    let files = taken(&mut sam, &first).await;
    assert!(!files.iter().any(|(path, _)| path.ends_with("notes.txt") || path.ends_with("0002.eml")));
    for hidden in
        ["Alpha's own view", "regretted words", "Owner set", "Note added", "taken away as a file,Ali"]
    {
        assert!(!paper.contains(hidden), "{hidden} on paper");
        for (path, bytes) in &files {
            assert!(!String::from_utf8_lossy(bytes).contains(hidden), "{hidden} in {path}");
        }
    }
}

#[tokio::test]
async fn who_may_not_read_gets_the_answer_of_an_absent_case() {
    let market = Market::new().await;
    let sent = market.send(&rich_mail()).await;
    let absent = "0".repeat(32);
    for person in ["gus@gamma.example", "kit@beta.example", "esc@beta.example", "mau@beta.example"] {
        let mut stranger = market.signed_in(person).await;
        let next = market.next_event().await;
        for path in ["file", "print"] {
            let foreign = stranger.get(&format!("/case/{}/{path}", sent.case)).await;
            let nothing = stranger.get(&format!("/case/{absent}/{path}")).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{person}");
            assert_eq!(foreign.body, nothing.body, "{person}");
        }
        assert_eq!(market.acts(next).await, [], "{person}");
    }
    let mut sam = market.signed_in("sam@beta.example").await;
    let next = market.next_event().await;
    for path in ["file", "print"] {
        let path = format!("/case/{}/{path}", sent.case);
        let head = Request::builder().method(Method::HEAD).uri(&path).body(Body::empty()).unwrap();
        sam.ask(head).await;
    }
    assert_eq!(market.acts(next).await, [], "who only asks takes nothing");
    assert!(!market.browser().get(&format!("/case/{}/file", sent.case)).await.status.is_success());
}

/// What somebody has on paper cannot be taken back unseen.
#[tokio::test]
async fn what_was_taken_away_was_seen() {
    let market = Market::new().await;
    for (path, act) in [("file", Act::CaseTakenAway), ("print", Act::CasePrinted)] {
        let sent = market.send(&rich_mail()).await;
        let mut sam = market.signed_in("sam@beta.example").await;
        let next = market.next_event().await;
        assert_eq!(sam.get(&format!("/case/{}/{path}", sent.case)).await.status, StatusCode::OK);
        assert_eq!(market.acts(next).await, [act]);
        assert!(market.withdraw(&sent, 1).await.unseen.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_case_on_paper_comes_in_parts() {
    let market = Market::new().await;
    let first = market.send(&hostile_mail()).await;
    for number in 2..=12 {
        let mail = format!("From: ali@alpha.example\r\nSubject: Number {number}.\r\n\r\nwords {number}.\r\n");
        market.send_into(&first, mail.as_bytes()).await;
    }
    let mut sam = market.signed_in("sam@beta.example").await;
    let address = format!("/case/{}/print", first.case);
    let page = sam.get(&address).await.without_our_script();
    assert!(
        page.contains("Messages 1 to 10 of 12.") && page.contains("words 10.") && !page.contains("words 11.")
    );
    assert!(
        page.contains("&lt;/pre&gt;&lt;img src") && !page.contains("<script") && !page.contains("<iframe")
    );
    let rest = sam.get(&format!("{address}?page=2")).await.text();
    assert!(
        rest.contains("Messages 11 to 12 of 12.")
            && rest.contains("words 12.")
            && !rest.contains("words 10.")
    );
}

/// A mail whose seal is broken in the middle tears the file, so that nobody takes the half for the whole.
#[tokio::test]
async fn damage_is_said_and_the_others_are_there() {
    let market = Market::new().await;
    let first = market.send(&rich_mail()).await;
    let second = market.send_into(&first, b"From: ali@alpha.example\r\n\r\nsecond words\r\n").await;
    market.damage_record(&second).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let files = taken(&mut sam, &first).await;
    assert_eq!(files.iter().filter(|(path, _)| path.ends_with(".eml")).count(), 1);
    assert!(text(&files, "transcript.html").contains("Message 2"), "what is missing is said");
}
