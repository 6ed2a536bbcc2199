//! Delivery reports as mail systems write them, with form and without, and what Postern writes itself. The texts are
//! written for these tests; the corpus is read where it lies.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use mail::{
    Action, Address, Budget, Class, DeliveryReport, Message, Outcome, Report, Reported, Scanner, Status,
};

fn scan(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}

fn report(mail: &str) -> Report {
    let message = scan(mail.as_bytes());
    assert_eq!(message.class, Class::Bounce, "{mail}");
    message.report.expect("a bounce has a report")
}

fn status(text: &str) -> Status {
    let numbers: Vec<u16> = text.split('.').map(|number| number.parse().unwrap()).collect();
    Status { class: numbers[0] as u8, subject: numbers[1], detail: numbers[2] }
}

fn reported(action: Action, code: &str, recipient: &str) -> Reported {
    let status = (!code.is_empty()).then(|| status(code));
    Reported { action, status, recipient: Some(Address::parse(recipient).unwrap()) }
}

/// A report of RFC 3464 with these blocks, and the head of the mail that it returns.
fn formal(blocks: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.beta.example\nTo: n-1@postern.example\nSubject: Undelivered\nContent-Type: \
         multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nIt failed.\n--b\nContent-Type: \
         message/delivery-status\n\nReporting-MTA: dns; mx.beta.example\nArrival-Date: Mon, 23 Nov 2026 09:00:00 \
         +0000\n\n{blocks}\n--b\nContent-Type: text/rfc822-headers\n\nReceived: from x\nMessage-ID:\n \
         <n1@postern.example>\nSubject: Case\n\n--b--\n"
    )
}

fn plain(from: &str, subject: &str, text: &str) -> String {
    format!("From: {from}\nTo: n-1@postern.example\nSubject: {subject}\n\n{text}\n")
}

#[test]
fn a_formal_report_names_each_recipient() {
    let report = report(&formal(
        "Original-Recipient: rfc822;staff@beta.example\nFinal-Recipient: rfc822;inner@mx.beta.example\nAction: \
         failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\nFinal-Recipient: RFC822; \
         <desk@beta.example>\nAction: delayed (retry)\nStatus: 4.4.1 (connection)\n\nFinal-Recipient: rfc822; \
         x@beta.example\nAction: delivered\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; list@beta.example\nAction: \
         expanded\nStatus: 2.1.5\n\nFinal-Recipient: rfc822; far@gamma.example\nAction: relayed\nStatus: 2.0.0\n",
    ));
    assert_eq!(
        report.recipients,
        [
            reported(Action::Failed, "5.1.1", "staff@beta.example"),
            reported(Action::Delayed, "4.4.1", "desk@beta.example"),
            reported(Action::Delivered, "2.0.0", "x@beta.example"),
            reported(Action::Expanded, "2.1.5", "list@beta.example"),
            reported(Action::Relayed, "2.0.0", "far@gamma.example"),
        ]
    );
    assert_eq!(report.original_message_id.as_deref(), Some("n1@postern.example"));
}

#[test]
fn liberties_with_the_form_are_taken() {
    for (blocks, expected) in [
        ("Final-Recipient: a@beta.example\nAction: failure", reported(Action::Failed, "", "a@beta.example")),
        (
            "Final-Recipient:\n rfc822;a@beta.example\nStatus: 5.0.0\nAction: failed\nDiagnostic-Code: smtp; 550-5.7.26 spoofed",
            reported(Action::Failed, "5.7.26", "a@beta.example"),
        ),
        (
            "Original-Recipient: rfc822;\nFinal-Recipient: rfc822; a@beta.example\nStatus: 4.2.2",
            reported(Action::Failed, "4.2.2", "a@beta.example"),
        ),
        (
            "Final-Recipient: rfc822; a@beta.example\nAction: failed\nDiagnostic-Code: X-Unix; 5.1.2",
            reported(Action::Failed, "5.1.2", "a@beta.example"),
        ),
        (
            "Final-Recipient: utf-8; j\\x{F6}rg@beta.example\nAction: failed\nStatus: 5.6.7",
            reported(Action::Failed, "5.6.7", "jörg@beta.example"),
        ),
        (
            "Final-Recipient: rfc822; a@beta.example\nAction: failed\nStatus: 550 5.1.1",
            reported(Action::Failed, "5.1.1", "a@beta.example"),
        ),
    ] {
        assert_eq!(report(&formal(blocks)).recipients, [expected], "{blocks}");
    }
    let global = formal("Final-Recipient: utf-8;jörg@beta.example\nAction: failed\nStatus: 5.1.1\n")
        .replace("message/delivery-status", "message/global-delivery-status");
    assert_eq!(report(&global).recipients, [reported(Action::Failed, "5.1.1", "jörg@beta.example")]);
}

#[test]
fn reports_without_form_are_read() {
    let qmail = "Hi. This is the qmail-send program at mx.beta.example.\nI'm afraid I wasn't able to deliver your \
                 message to the following addresses.\n\n<staff@beta.example>:\n192.0.2.5 does not like \
                 recipient.\nRemote host said: 550 5.1.1 no mailbox\n\n--- Below this line is a copy of the \
                 message.\n\nReturn-Path: <n-1@postern.example>\nMessage-ID: <n1@postern.example>\nTo: \
                 other@beta.example\n";
    let postfix = "This is the mail system at host mx.beta.example.\n\nFor further assistance, please send mail to \
                   postmaster.\n\n<staff@beta.example>: host mail.beta.example[192.0.2.9] said: 552 5.2.2 mailbox \
                   full (in reply to RCPT TO command)\n";
    let sendmail = "The original message was received at Mon, 23 Nov 2026\n\n   ----- The following addresses had \
                    permanent fatal errors -----\n<staff@beta.example>\n    (reason: 550 5.1.1 unknown)\n\n   ----- \
                    Transcript of session follows -----\n... while talking to mail.beta.example.:\n>>> DATA\n<<< \
                    550 5.1.1 unknown\n";
    let exchange = "Your message\n\n  To:      n-1@postern.example\n  Subject: Case\n\ndid not reach the following \
                    recipient(s):\n\nstaff@beta.example on Mon, 23 Nov 2026 09:00:00\n    The e-mail account does \
                    not exist (#5.1.1)\n";
    let gmail = "Delivery to the following recipient failed permanently:\n\n     staff@beta.example\n\nTechnical \
                 details of permanent failure:\nThe error that the other server returned was:\n550 550 5.1.1 no such \
                 user (state 13).\n\n----- Original message -----\n\nMessage-ID: <n1@postern.example>\n";
    for (name, text, code) in [
        ("qmail", qmail, "5.1.1"),
        ("postfix", postfix, "5.2.2"),
        ("sendmail", sendmail, "5.1.1"),
        ("exchange", exchange, "5.1.1"),
        ("gmail", gmail, "5.1.1"),
        ("bare code", "<staff@beta.example>: host said: 550 no such user\n", "5.0.0"),
    ] {
        let report = report(&plain("MAILER-DAEMON@mx.beta.example", "failure notice", text));
        assert_eq!(report.recipients, [reported(Action::Failed, code, "staff@beta.example")], "{name}");
        let id = text.contains("Message-ID").then_some("n1@postern.example");
        assert_eq!(report.original_message_id.as_deref(), id, "{name}");
    }
}

#[test]
fn exim_names_its_recipients_in_the_head() {
    let text = "A message that you sent could not be delivered to one or more of its recipients.\n\n  \
                staff@beta.example\n    SMTP error from remote mail server after RCPT TO:<staff@beta.example>:\n    \
                host mail.beta.example [192.0.2.9]: 550 5.1.1 unknown\n  desk@beta.example\n    mailbox is full: \
                retry timeout exceeded\n";
    let mail = plain("Mailer-Daemon@mx.beta.example", "Mail delivery failed", text);
    let report = report(&format!(
        "X-Failed-Recipients: staff@beta.example,\n  desk@beta.example\nIn-Reply-To: <n1@postern.example>\n{mail}"
    ));
    let expected = [
        reported(Action::Failed, "5.1.1", "staff@beta.example"),
        reported(Action::Failed, "", "desk@beta.example"),
    ];
    assert_eq!(report.recipients, expected);
    assert_eq!(report.original_message_id.as_deref(), Some("n1@postern.example"));
}

#[test]
fn a_delay_is_no_failure() {
    let text = "Your message to the following address has been delayed:\n\n  staff@beta.example\n\nDelivery will be \
                retried: 450 4.2.1 greylisted\n";
    let report = report(&plain("MAILER-DAEMON@mx.beta.example", "Warning: message delayed 24 hours", text));
    assert_eq!(report.recipients, [reported(Action::Delayed, "4.2.1", "staff@beta.example")]);
}

#[test]
fn what_is_no_code_and_no_recipient_is_none() {
    let text = "Sent by Exim 4.94.2 at 5.1.2.3 and 192.0.2.5 on port 587, version 5.1.2600.\nAsk \
                postmaster@mx.beta.example; 551 mails wait.\n";
    let report = report(&plain("MAILER-DAEMON@mx.beta.example", "failure notice", text));
    assert_eq!(report, Report { recipients: Vec::new(), original_message_id: None });
}

#[test]
fn endless_reports_are_bounded() {
    let block = "Final-Recipient: rfc822; a@beta.example\nAction: failed\nStatus: 5.1.1\n\n";
    assert_eq!(report(&formal(&block.repeat(5000))).recipients.len(), 1000);
    let lines: String = (0..5000).map(|i| format!("<u{i}@beta.example>: 550 5.1.1\n")).collect();
    let report = report(&plain("MAILER-DAEMON@mx.beta.example", "failure notice", &lines));
    assert_eq!(report.recipients.len(), 1000);
}

#[test]
fn reports_of_the_corpus_tell_whom_and_why() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail/sisimai");
    let (mut bounces, mut named, mut coded, mut traced) = (0, 0, 0, 0);
    let (mut both, mut same_recipient, mut same_status, mut other_status) = (0, 0, 0, 0);
    for entry in fs::read_dir(folder).expect("the corpus lies at ../shared/corpus beside the repository") {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let Some(report) = scan(&bytes).report else { continue };
        bounces += 1;
        named += usize::from(report.recipients.iter().any(|one| one.recipient.is_some()));
        coded += usize::from(report.recipients.iter().any(|one| one.status.is_some()));
        traced += usize::from(report.original_message_id.is_some());
        // The same mail with its machine's part closed: what the text alone says.
        let text = String::from_utf8_lossy(&bytes);
        let closed =
            text.replace("message/delivery-status", "application/x-closed").replace("X-Failed-", "X-Closed-");
        if closed == text || report.recipients.is_empty() {
            continue;
        }
        let Some(told) = scan(closed.as_bytes()).report else { continue };
        both += 1;
        let any = |with: &dyn Fn(&Reported, &Reported) -> bool| {
            report.recipients.iter().any(|one| told.recipients.iter().any(|other| with(one, other)))
        };
        same_recipient += usize::from(any(&|one, other| one.recipient == other.recipient));
        let same = any(&|one, other| one.status.is_some() && one.status == other.status);
        let told_more = told
            .recipients
            .iter()
            .filter_map(|one| one.status)
            .any(|code| (code.subject, code.detail) != (0, 0));
        same_status += usize::from(same);
        other_status += usize::from(!same && told_more);
    }
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    println!(
        "{bounces} bounces: recipient {:.1} %, status {:.1} %, Message-ID of the returned mail {:.1} %",
        share(named, bounces),
        share(coded, bounces),
        share(traced, bounces)
    );
    println!(
        "{both} read twice, by fields and by text alone: same recipient {:.1} %, same status {:.1} %, another {:.1} %",
        share(same_recipient, both),
        share(same_status, both),
        share(other_status, both)
    );
    assert!(share(named, bounces) >= 98.5 && share(coded, bounces) >= 83.0 && share(traced, bounces) >= 86.0);
    assert!(share(same_recipient, both) >= 87.0 && share(other_status, both) <= 3.0);
}

/// A report of ours about one recipient.
fn written(
    change: impl FnOnce(&mut DeliveryReport<'_>, &mut Outcome<'_>),
) -> Result<Vec<u8>, mail::ComposeError> {
    let (from, to) = ("mail@postern.example".parse().unwrap(), "ann@alpha.example".parse().unwrap());
    let recipient = Address::parse("staff@beta.example").unwrap();
    let references = ["m1@alpha.example".to_owned()];
    let mut outcome = Outcome {
        original: Some("rfc822;desk@beta.example"),
        recipient: &recipient,
        action: Action::Failed,
        status: status("5.1.1"),
        diagnostic: Some("550 5.1.1 no such user"),
    };
    let mut report = DeliveryReport {
        from: &from,
        from_name: "Postern",
        to: &to,
        subject: "Mail could not be delivered",
        text: "Your mail to staff@beta.example could not be delivered.\n",
        message_id: "d1@postern.example",
        references: &references,
        date: 1_780_000_000,
        reporting_mta: "mx.postern.example",
        envelope_id: Some("QQ314159"),
        arrival: Some(1_779_990_000),
        recipients: &[],
    };
    change(&mut report, &mut outcome);
    let outcomes = [outcome];
    report.recipients = &outcomes;
    report.to_bytes()
}

#[test]
fn what_postern_writes_reads_back() {
    let bytes = written(|_, _| ()).unwrap();
    let message = scan(&bytes);
    assert_eq!(message.class, Class::Bounce);
    assert!(message.headline.defects.is_empty(), "{:?}", message.headline.defects);
    let types: Vec<_> = message.headline.parts.iter().map(|part| part.media_type.as_str()).collect();
    assert_eq!(types, ["text/plain", "message/delivery-status"]);
    assert_eq!(message.references, ["m1@alpha.example"]);
    let report = message.report.unwrap();
    assert_eq!(report.recipients, [reported(Action::Failed, "5.1.1", "desk@beta.example")]);
    assert_eq!(report.original_message_id.as_deref(), Some("m1@alpha.example"));
    let text = String::from_utf8(bytes).unwrap();
    for line in [
        "Auto-Submitted: auto-replied",
        "Reporting-MTA: dns; mx.postern.example",
        "Original-Envelope-Id: QQ314159",
        "Arrival-Date: Thu, 28 May 2026 17:40:00 +0000",
        "Original-Recipient: rfc822;desk@beta.example",
        "Final-Recipient: rfc822;staff@beta.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line} is not in\n{text}");
    }
    assert!(
        text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n']))
    );
}

#[test]
fn strangers_words_cannot_leave_their_field() {
    let hostile =
        "550 5.1.1 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@evil.example\0 ä\u{2028}b";
    let long: &str = "x".repeat(5000).leak();
    for said in [hostile, long, "", "\r\n"] {
        let bytes = written(|report, outcome| {
            (report.envelope_id, outcome.original, outcome.diagnostic) = (Some(said), Some(said), Some(said));
        })
        .unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.is_ascii() && !text.contains('\0'));
        assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        let report = scan(&bytes).report.unwrap();
        assert_eq!(report.recipients.len(), 1, "{text}");
        assert_eq!(report.recipients[0].action, Action::Failed);
    }
}

#[test]
fn an_address_beyond_ascii_stays_in_ascii() {
    let recipient = Address::parse("jörg@beta.example").unwrap();
    let bytes = {
        let (from, to) = ("mail@postern.example".parse().unwrap(), "ann@alpha.example".parse().unwrap());
        let outcome = Outcome {
            original: None,
            recipient: &recipient,
            action: Action::Delayed,
            status: status("4.4.1"),
            diagnostic: None,
        };
        DeliveryReport {
            from: &from,
            from_name: "Postern",
            to: &to,
            subject: "Mail waits",
            text: "It waits.",
            message_id: "d1@postern.example",
            references: &[],
            date: 0,
            reporting_mta: "mx.postern.example",
            envelope_id: None,
            arrival: None,
            recipients: &[outcome],
        }
        .to_bytes()
        .unwrap()
    };
    assert!(String::from_utf8_lossy(&bytes).contains("Final-Recipient: utf-8;j\\x{F6}rg@beta.example\r\n"));
    assert_eq!(
        scan(&bytes).report.unwrap().recipients,
        [reported(Action::Delayed, "4.4.1", "jörg@beta.example")]
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let errors = [
        written(|report, _| report.subject = "a\r\nBcc: x@evil.example"),
        written(|report, _| report.from_name = "a\0"),
        written(|report, _| report.text = "a\0"),
        written(|report, _| report.message_id = "a"),
        written(|report, _| report.reporting_mta = "a b"),
        written(|report, _| report.reporting_mta = ""),
    ];
    assert!(errors.iter().all(Result::is_err), "{errors:?}");
}
