//! Journal reports: the envelope that a mail system writes in lines of text, and the mail that it attaches.

use mail::{Budget, Journal, Message, PartRole, ReversePath, Scanner};

use crate::message::holds;

const HEAD: &[u8] = b"From: exchange@alpha.example\nX-MS-Journal-Report:\nMIME-Version: 1.0\n\
                      Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\n";

/// However a report is cut, the same is read in it; it names each recipient once and no more than a transaction takes, in
/// addresses that read back; and what it attaches is a mail that lies in the report. The last byte chooses the cuts.
pub fn journal(data: &[u8]) {
    let Some((&choice, text)) = data.split_last() else { return };
    let mail = [HEAD, text].concat();
    holds(&mail, choice);
    let report = scanned(&mail);
    let Ok(Journal { sender, recipients, mail: place }) = Journal::read(&report) else { return };
    assert!((1..=1000).contains(&recipients.len()));
    let mut known: Vec<_> = recipients.iter().map(|to| to.key().to_owned()).collect();
    known.sort();
    known.dedup();
    assert_eq!(known.len(), recipients.len(), "somebody is named twice");
    let named = recipients.iter().chain(match &sender {
        ReversePath::Address(sender) => Some(sender),
        ReversePath::Null => None,
    });
    for address in named {
        assert_eq!(address.to_string().parse().as_ref(), Ok(address));
    }
    let part = &report.headline.parts[place];
    assert_eq!(part.role, PartRole::Attachment);
    assert!(part.offset + part.length <= mail.len() as u64, "the mail lies beyond the report");
}

fn scanned(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}
