//! Mail that passes through: byte for byte behind one line, with its reports, and never by a way that it may not take.

use std::time::Duration;

use mail::{Address, Envelope, Notify, Rcpt, ReportWish, ReversePath};
use store::TaskKind;

use super::Way;
use super::server::{Script, Server};
use crate::market::{Market, address};

const HELLO: &[u8] = b"From: Ann <ann@alpha.example>\r\nTo: jo@outside.example\r\nSubject: lunch\r\n\r\n\
                       .hidden dot\r\nShall we\tmeet?  \r\n\r\n..\r\n";

fn envelope(to: &str, notify: Notify) -> Envelope {
    let recipient = Rcpt { notify, original: Some(format!("rfc822;{to}")), ..Rcpt::from(address(to)) };
    Envelope {
        reverse_path: ReversePath::Address(address("ann@alpha.example")),
        recipients: vec![recipient],
        report: ReportWish { what: None, id: Some("E17".to_owned()) },
    }
}

fn replies(of: &[(&str, &str)]) -> Script {
    let replies = of.iter().map(|(verb, reply)| ((*verb).to_owned(), format!("{reply}\r\n")));
    Script { replies: replies.collect(), ..Script::default() }
}

#[tokio::test]
async fn a_relayed_mail_leaves_byte_for_byte_behind_one_line() {
    let market = Market::sending().await;
    market.pass(envelope("jo@outside.example", Notify::Default), HELLO).await.unwrap();
    let server = Server::open(Script { offers: vec!["DSN".to_owned()], ..Script::default() }).await;
    Way::to(server.port).work(&market, server.has_taken(1)).await;
    let [mail] = server.mails().try_into().unwrap();
    let line = mail.len() - HELLO.len();
    assert_eq!(&mail[line..], HELLO);
    let line = std::str::from_utf8(&mail[..line]).unwrap();
    assert!(line.starts_with("Received: ") && line.ends_with("\r\n"), "{line}");
    let folded = line.trim_end().split("\r\n").skip(1).all(|more| more.starts_with([' ', '\t']));
    assert!(folded, "one field: {line}");
    let lines: Vec<String> = server.heard().into_iter().map(|heard| heard.line).collect();
    assert!(lines.contains(&"MAIL FROM:<ann@alpha.example> ENVID=E17".to_owned()), "{lines:?}");
    assert!(lines.contains(&"RCPT TO:<jo@outside.example> ORCPT=rfc822;jo@outside.example".to_owned()));
    assert!(market.ledger.jobs().await.unwrap().is_empty(), "nobody is told of what went well");
}

/// One mail, one way that it may end, and what its sender is told.
async fn report_of(notify: Notify, script: Script, calls: usize) -> Option<String> {
    let market = Market::sending().await;
    market.pass(envelope("jo@outside.example", notify), HELLO).await.unwrap();
    let server = Server::open(script).await;
    let way = Way::to(server.port);
    if calls == 0 {
        way.work(&market, server.was_called()).await;
    } else {
        way.work(&market, server.has_taken(calls)).await;
    }
    let reports = market.jobs("report").await;
    let sink = Server::open(Script::default()).await;
    if reports.is_empty() {
        return None;
    }
    Way::to(sink.port).work(&market, sink.has_taken(1)).await;
    let lines: Vec<String> = sink.heard().into_iter().map(|heard| heard.line).collect();
    assert!(lines.contains(&"MAIL FROM:<>".to_owned()), "nobody answers a report: {lines:?}");
    assert!(lines.contains(&"RCPT TO:<ann@alpha.example>".to_owned()), "{lines:?}");
    Some(String::from_utf8(sink.mails().remove(0)).unwrap())
}

#[tokio::test]
async fn a_refused_mail_is_reported_to_its_sender() {
    let refusing = || replies(&[("RCPT", "550 5.1.1 no such user")]);
    let report = report_of(Notify::Default, refusing(), 0).await.expect("a report");
    for part in [
        "report-type=",
        "Auto-Submitted: auto-replied",
        "Subject: Your mail was not delivered",
        "Original-Envelope-Id: E17",
        "Original-Recipient: rfc822;jo@outside.example",
        "Final-Recipient: rfc822;jo@outside.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp;550 5.1.1 no such user",
        "Reporting-MTA: dns;mx.postern.example",
        "to jo@outside.example",
    ] {
        // RFC 3464 §2.1.2 leaves the white space behind a semicolon to the writer.
        assert!(report.replace("; ", ";").contains(part), "{part} in {report}");
    }
    assert!(!report.contains("lunch") && !report.contains("Shall we"), "nothing of the mail: {report}");
    let never = report_of(Notify::Never, refusing(), 0).await;
    assert_eq!(never, None, "NOTIFY=NEVER");
}

#[tokio::test]
async fn a_quoted_local_part_with_blanks_is_reported_as_it_is() {
    const JO: &str = "\"jo  o smith\"@outside.example";
    let market = Market::sending().await;
    market.pass(envelope(JO, Notify::Default), HELLO).await.unwrap();
    let offers = vec!["DSN".to_owned()];
    let refusing = Script { offers, ..replies(&[("RCPT", "550 5.1.1 no such user")]) };
    let server = Server::open(refusing).await;
    Way::to(server.port).work(&market, server.was_called()).await;
    let lines: Vec<String> = server.heard().into_iter().map(|heard| heard.line).collect();
    // Blanks are no xtext (RFC 3461 §4).
    let rcpt = format!("RCPT TO:<{JO}> ORCPT=rfc822;\"jo+20+20o+20smith\"@outside.example");
    assert!(lines.contains(&rcpt), "{lines:?}");
    let sink = Server::open(Script::default()).await;
    Way::to(sink.port).work(&market, sink.has_taken(1)).await;
    let report = String::from_utf8(sink.mails().remove(0)).unwrap().replace("; ", ";");
    assert!(report.contains(&format!("Original-Recipient: rfc822;{JO}\r\n")), "{report}");
    assert!(report.contains(&format!("Final-Recipient: rfc822;{JO}\r\n")), "{report}");
}

/// A smarthost that takes nothing for one recipient.
fn delaying() -> Script {
    replies(&[("RCPT TO:<jo@outside.example>", "450 4.2.0 greylisted")])
}

async fn delayed(notify: Notify, tries: u64) -> Vec<String> {
    let market = Market::sending().await;
    market.pass(envelope("jo@outside.example", notify), HELLO).await.unwrap();
    let server = Server::open(delaying()).await;
    let mut way = Way::to(server.port);
    way.pace.delay_warning = Duration::ZERO;
    for attempt in 1..=tries {
        way.work(&market, server.has_heard("RCPT TO:<jo@outside.example>", attempt)).await;
        let [job] = market.jobs("relay").await.try_into().unwrap();
        let words = job.last_error.unwrap();
        assert!(words.starts_with("4.2.0 450 4.2.0 greylisted [localhost]"), "{words}");
        market.ledger.retry_jobs(&store::Actor::Tool, &store::Selection::Job(job.id)).await.unwrap();
    }
    server.mails().into_iter().map(|mail| String::from_utf8(mail).unwrap()).collect()
}

#[tokio::test]
async fn a_sender_is_told_once_that_a_mail_waits() {
    let [warning] = delayed(Notify::Default, 3).await.try_into().unwrap();
    for part in [
        "Subject: Your mail is delayed",
        "To: <ann@alpha.example>",
        "Action: delayed",
        "Status: 4.2.0",
        "Original-Envelope-Id: E17",
        "You need not send it again.",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
    assert!(!warning.contains("lunch"), "{warning}");
    let quiet = Notify::On { success: true, failure: true, delay: false };
    assert_eq!(delayed(quiet, 2).await, Vec::<String>::new());
    assert_eq!(delayed(Notify::Never, 2).await, Vec::<String>::new());
}

/// The one text of a stranger that can get into a mail of ours.
#[tokio::test]
async fn a_servers_words_carry_nothing_personal_out() {
    let telling = replies(&[("RCPT", "550 5.1.1 no MPAN 1200023305967 here")]);
    let report = report_of(Notify::Default, telling, 0).await.expect("a report");
    assert!(report.contains("Status: 5.1.1") && !report.contains("1200023305967"), "{report}");
}

#[tokio::test]
async fn success_is_reported_only_where_asked_for_and_where_nobody_else_will() {
    let success = Notify::On { success: true, failure: true, delay: false };
    let report = report_of(success, Script::default(), 1).await.expect("a report");
    assert!(report.contains("Action: relayed") && report.contains("Status: 2.0.0"), "{report}");
    let knows = Script { offers: vec!["DSN".to_owned()], ..Script::default() };
    assert_eq!(report_of(success, knows, 1).await, None, "the next server reports");
    assert_eq!(report_of(Notify::Default, Script::default(), 1).await, None, "nobody asked");
}

#[tokio::test]
async fn a_mail_that_may_not_pass_on_is_stopped_at_the_door() {
    let market = Market::sending().await;
    let own = Address::parse("bob@alpha.example").unwrap();
    let personal = b"From: ann@alpha.example\r\nSubject: s\r\n\r\nMPAN 1200023305967\r\n";
    let envelope = Envelope::plain(ReversePath::Address(address("ann@alpha.example")), vec![own]);
    market.pass(envelope, personal).await.unwrap();
    // Bob's address moves to another company while the mail waits: now it would leave Alpha.
    let mut alpha = market.ledger.directory().group(&crate::market::group("alpha")).unwrap().clone();
    alpha.domains = vec!["alpha-energy.example".to_owned()];
    let change = store::DirectoryChange::Group(alpha);
    let moved = market.ledger.change_directory(&store::Actor::Tool, vec![change]).await;
    assert!(moved.is_ok(), "{moved:?}");
    let server = Server::open(Script::default()).await;
    let stopped = async {
        while market.ledger.tasks(None).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    Way::to(server.port).work(&market, stopped).await;
    let [alarm] = market.ledger.tasks(None).await.unwrap().try_into().unwrap();
    let stopped = TaskKind::StoppedAtDoor { kind: "relay".to_owned(), found: String::new() };
    assert_eq!(alarm.kind, stopped, "who runs this gateway hears of it");
    let mails = server.mails();
    assert!(mails.iter().all(|mail| !String::from_utf8_lossy(mail).contains("1200023305967")));
    assert!(market.jobs("relay").await.iter().all(|job| job.standing == store::Standing::Abandoned));
}
