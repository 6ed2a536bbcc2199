//! The notice as it lies in the reader's mailbox, behind a real Postfix: its header, its words, and nothing else.

use tests::installation::NAME;
use tests::letter::Read;
use tests::market::{AMY, MAILBOX};
use tests::wait;

use crate::stage::{Stage, curl, reference, story};

/// Fields that the way puts on top.
const OF_THE_WAY: [&str; 4] = ["return-path", "delivered-to", "received", "x-original-to"];

#[test]
fn holds_the_case_and_nothing_of_the_mail() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &story("first@alpha.example").bytes()));
    let raw = stage.postfix.arrived(MAILBOX, 1).remove(0);
    let notice = Read::parse(&raw);
    assert!(notice.defects.is_empty(), "{notice:?}");

    // The words: process, case, company, date, link.
    let due = stage.installation.json(["case", "show", &case])["due"]["at"].as_str().unwrap().to_owned();
    let day = day(&due);
    assert_eq!(notice.header("Subject"), format!("[Erroneous Transfers] Case {case}: answer due {day}"));
    for body in [&notice.text, &notice.html] {
        for word in
            ["Erroneous Transfers", "Alpha Energy", case.as_str(), day.as_str(), stage.server.portal()]
        {
            assert!(body.contains(word), "{word} in {body}");
        }
    }
    let portal = stage.server.portal().to_owned();
    assert!(notice.links().iter().any(|link| link.starts_with(&format!("{portal}/case/"))), "{notice:?}");
    assert!(notice.links().iter().all(|link| link.starts_with(&portal)), "{notice:?}");
    assert_eq!(notice.types, ["text/plain", "text/html"]);
    for remote in ["<img", "src=", "<script", "<form", "url("] {
        assert!(!notice.html.contains(remote), "{remote} in {}", notice.html);
    }

    // Nothing of the mail.
    let seen = format!("{}{}{}", String::from_utf8_lossy(&raw), notice.text, notice.html);
    for word in ["Quibble", "Dear Beta", "1200023305967", "taken over", "readings.bin", "Amy", "Archer"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
    stage.server.stop();
}

#[test]
fn has_the_header_of_an_automatic_mail() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &story("second@alpha.example").bytes()));
    let notice = Read::parse(&stage.postfix.arrived(MAILBOX, 1)[0]);
    assert!(notice.header("From").ends_with(&format!("<notices@{NAME}>")), "{notice:?}");
    assert_eq!(notice.header("To"), MAILBOX);
    assert_eq!(notice.header("Auto-Submitted"), "auto-generated");
    assert_eq!(notice.header("X-Auto-Response-Suppress"), "DR, RN, NRN, OOF, AutoReply");
    let domain = format!("@{NAME}>");
    for opaque in ["Message-ID", "References"] {
        let id = notice.header(opaque);
        assert!(
            id.ends_with(&domain) && !id.contains(&case) && !id.contains(char::is_whitespace),
            "{opaque}: {id}"
        );
    }
    assert_ne!(
        notice.header("Message-ID"),
        notice.header("References"),
        "the root of a case is not a notice"
    );
    let local = |field: &str| {
        let value = notice.header(field).trim_matches(['<', '>']).to_owned();
        value.strip_suffix(&format!("@{NAME}")).unwrap_or_else(|| panic!("{field}: {value}")).to_owned()
    };
    let (reply_to, sender) = (local("Reply-To"), local("Return-Path"));
    assert!(reply_to.len() >= 26 && sender.len() >= 26 && reply_to != sender, "keyed: {reply_to}, {sender}");
    let known = [
        "from",
        "to",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "references",
        "in-reply-to",
        "auto-submitted",
        "x-auto-response-suppress",
        "mime-version",
        "content-type",
    ];
    for (name, value) in &notice.headers {
        let name = name.to_lowercase();
        assert!(known.contains(&name.as_str()) || OF_THE_WAY.contains(&name.as_str()), "{name}: {value}");
    }
    let log = stage.postfix.log();
    assert!(log.contains("TLS connection established"), "over TLS: {log}");
    stage.server.stop();
}

#[test]
fn leaves_once_for_a_case_until_somebody_looks() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let first = reference(&curl(&stage, AMY, &password, MAILBOX, &story("a@alpha.example").bytes()));
    let mut again = story("b@alpha.example");
    again.headers.push("In-Reply-To: <a@alpha.example>".to_owned());
    assert_eq!(reference(&curl(&stage, AMY, &password, MAILBOX, &again.bytes())), first);
    let other = reference(&curl(&stage, AMY, &password, MAILBOX, &story("c@alpha.example").bytes()));
    assert_ne!(other, first);
    let waiting = || stage.installation.json(["queue", "list"]).as_array().unwrap().len();
    wait::until_true("an empty queue", || waiting() == 0);
    let mails = stage.postfix.arrived(MAILBOX, 2);
    assert_eq!(mails.len(), 2);
    let subjects: Vec<_> = mails.iter().map(|mail| Read::parse(mail).header("Subject").to_owned()).collect();
    for case in [&first, &other] {
        assert_eq!(
            subjects.iter().filter(|subject| subject.contains(case.as_str())).count(),
            1,
            "{subjects:?}"
        );
    }
    stage.server.stop();
}

/// `2026-12-07T17:00:00Z` as `7 December`; the deadline is 17:00 in London, the same day in every season.
fn day(at: &str) -> String {
    let months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let part = |range: std::ops::Range<usize>| at[range].parse::<usize>().expect("a date");
    format!("{} {}", part(8..10), months[part(5..7) - 1])
}
