//! What machines say about mail of ours: delivery reports with form and without, and answers that give a day.

use mail::{Action, Address, Budget, DeliveryReport, Message, Outcome, Scanner, Status};

use crate::message::holds;

const BOUNCE: &[u8] = b"From: MAILER-DAEMON@mx.beta.example\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n";
const ANSWER: &[u8] =
    b"From: ann@beta.example\nAuto-Submitted: auto-replied\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n";

/// However a report is cut, the same is read in it; it names no more recipients than are kept, in codes that exist; and
/// a report of ours about the same reads back as it was meant, whatever was said. The last byte chooses cuts and head.
pub fn report(data: &[u8]) {
    let Some((&choice, text)) = data.split_last() else { return };
    let head = if choice & 0x40 == 0 { BOUNCE } else { ANSWER };
    let mail = [head, text].concat();
    holds(&mail, choice);
    let message = scanned(&mail);
    let Some(report) = message.report else { return };
    assert!(report.recipients.len() <= 1000);
    assert!(report.original_message_id.is_none_or(|id| !id.contains(char::is_control)));
    for one in &report.recipients {
        assert!(one.status.is_none_or(|status| matches!(status.class, 2 | 4 | 5) && status.subject <= 7));
        if let Some(recipient) = &one.recipient {
            reads_back(recipient, one.action, &String::from_utf8_lossy(text));
        }
    }
}

fn reads_back(recipient: &Address, action: Action, said: &str) {
    let ours: Address = "mail@postern.example".parse().expect("an address");
    let status = Status { class: 4, subject: 4, detail: 1 };
    let outcome = Outcome { original: None, recipient, action, status, diagnostic: Some(said) };
    let written = DeliveryReport {
        from: &ours,
        from_name: "Postern",
        to: &ours,
        subject: "Delivery",
        text: "What became of your mail.",
        message_id: "d1@postern.example",
        references: &[],
        date: 1_795_000_000,
        reporting_mta: "mx.postern.example",
        envelope_id: Some(said),
        arrival: None,
        recipients: &[outcome],
    };
    let bytes = written.to_bytes().expect("what strangers say is no reason not to report");
    assert!(bytes.is_ascii(), "a report beyond ASCII");
    assert!(bytes.split(|&byte| byte == b'\n').all(|line| line.len() <= 998), "a line too long");
    let read = scanned(&bytes).report.expect("a report");
    assert_eq!(read.recipients.len(), 1, "recipients in {}", bytes.escape_ascii());
    assert_eq!(read.recipients[0].recipient.as_ref(), Some(recipient));
    assert_eq!((read.recipients[0].action, read.recipients[0].status), (action, Some(status)));
}

fn scanned(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}
