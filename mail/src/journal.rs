//! The journal report that Exchange writes about a mail: who sent it to whom, in lines of text, with the mail itself
//! attached. What the lines say is the mail system's word, and as good as the proof of who handed them in.

use crate::{Address, Message, Part, PartRole, ReversePath};

/// As many as one transaction takes.
const MOST_RECIPIENTS: usize = 1_000;

/// The envelope of a journaled mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Who sent it; the null path where the report names nobody, as for a failure report.
    pub sender: ReversePath,
    /// Everybody whom it went to, blind copies included, each once.
    pub recipients: Vec<Address>,
    /// The mail itself, by its index in the parts of the report.
    pub mail: usize,
}

/// Why a mail is no journal report that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAJournal {
    /// No mail is attached.
    #[error("no mail is attached; journal with the original attached (envelope journaling)")]
    NoMail,
    /// The text names nobody.
    #[error("the report names no recipient; journal with the envelope (envelope journaling)")]
    NoRecipient,
}

impl Journal {
    /// Reads a report that was parsed like any other mail.
    ///
    /// # Errors
    /// What is missing, and how the mail system has to be set.
    pub fn read(report: &Message) -> Result<Self, NotAJournal> {
        let mail = report.headline.parts.iter().position(is_mail).ok_or(NotAJournal::NoMail)?;
        let mut journal = Self { sender: ReversePath::Null, recipients: Vec::new(), mail };
        // The attached mail's own text follows, so the lines end with the first that is none.
        for line in report.text.lines().skip_while(|line| line.trim().is_empty()) {
            let Some((name, value)) = line.split_once(':') else { break };
            journal.take(name.trim(), value.trim());
        }
        match journal.recipients.is_empty() {
            true => Err(NotAJournal::NoRecipient),
            false => Ok(journal),
        }
    }

    fn take(&mut self, name: &str, value: &str) {
        let is = |field: &str| name.eq_ignore_ascii_case(field);
        if is("Sender") || is("On-Behalf-Of") {
            // Whose mail it is: the delegate's line comes first, the owner's behind it.
            if let Some(address) = address(value) {
                self.sender = ReversePath::Address(address);
            }
        } else if (is("To") || is("Cc") || is("Bcc") || is("Recipient"))
            && self.recipients.len() < MOST_RECIPIENTS
            && let Some(address) = address(value)
            && !self.recipients.iter().any(|known| known.key() == address.key())
        {
            self.recipients.push(address);
        }
    }
}

fn is_mail(part: &Part) -> bool {
    let is = |name: &str| part.media_type == name;
    // RFC 6532 §3.7 names mails whose header is UTF-8 so.
    let mail = is("message/rfc822") || is("message/global");
    mail && part.role == PartRole::Attachment && part.inside.is_none()
}

/// `jo@alpha.example`, also before `, Expanded: list@alpha.example` and `, Forwarded: …`, and in angle brackets.
fn address(value: &str) -> Option<Address> {
    let first = value.split([',', ';']).next()?.trim();
    let bare = match first.rsplit_once('<') {
        Some((_, rest)) => rest.trim_end_matches('>'),
        None => first,
    };
    Address::parse(bare.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Scanner};

    fn read(report: &str, attached: &str) -> Result<Journal, NotAJournal> {
        let mail = format!(
            "From: Journal <journal@alpha.example>\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             {report}\r\n--b\r\nContent-Type: {attached}\r\n\r\nFrom: ann@alpha.example\r\nSubject: x\r\n\r\n\
             To: evil@gamma.example\r\n--b--\r\n"
        );
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail.as_bytes());
        Journal::read(&scanner.finish())
    }

    fn recipients(report: &str) -> Vec<String> {
        read(report, "message/rfc822").unwrap().recipients.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_envelope_is_in_the_lines() {
        let report = "Sender: ann@alpha.example\r\nSubject: MPAN: 1\r\nMessage-Id: <1@alpha.example>\r\n\
             To: et@beta.example\r\nCc: jo@gamma.example, Expanded: all@gamma.example\r\n\
             Bcc: Sam <sam@beta.example>\r\nRecipient: et@beta.example";
        let journal = read(report, "message/rfc822").unwrap();
        assert_eq!(journal.sender, ReversePath::Address("ann@alpha.example".parse().unwrap()));
        assert_eq!(recipients(report), ["et@beta.example", "jo@gamma.example", "sam@beta.example"]);
    }

    #[test]
    fn the_attached_mail_names_nobody() {
        assert_eq!(recipients("Recipient: a@b.example"), ["a@b.example"]);
        assert_eq!(recipients("Recipient: a@b.example\r\n\r\nTo: c@d.example"), ["a@b.example"]);
        assert_eq!(read("Sender: ann@alpha.example", "message/rfc822"), Err(NotAJournal::NoRecipient));
    }

    #[test]
    fn without_the_original_there_is_nothing_to_judge() {
        assert_eq!(read("Recipient: a@b.example", "text/plain"), Err(NotAJournal::NoMail));
    }

    #[test]
    fn a_mail_with_a_header_in_utf_8_has_another_type() {
        assert!(read("Recipient: a@b.example", "message/global").is_ok());
    }

    #[test]
    fn the_mail_may_be_encoded() {
        let encoded = "message/rfc822\r\nContent-Transfer-Encoding: base64";
        assert!(read("Recipient: a@b.example", encoded).is_ok());
    }

    #[test]
    fn delegates_write_for_the_owner_and_nonsense_is_nobody() {
        let report = "Sender: delegate@alpha.example\r\nOn-Behalf-Of: ann@alpha.example\r\nTo: nobody\r\nTo: a@b.example";
        let journal = read(report, "message/rfc822").unwrap();
        assert_eq!(journal.sender, ReversePath::Address("ann@alpha.example".parse().unwrap()));
        assert_eq!(journal.recipients.len(), 1);
    }
}
