//! A notice in wire form: text and a small HTML alternative, nothing else. The same letter gives the same bytes, so a
//! retry sends what was sent before. No line end or NUL of a value ever reaches a header.

use mail_builder::{headers::content_type::ContentType, mime::MimePart};

use super::{ComposeError, Head, boundary, check_bodies, unix_lines};
use crate::Address;

/// All that a letter says.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Author, an address of the operator's domain.
    pub from: &'a Address,
    /// Display name of the author.
    pub from_name: &'a str,
    /// The one recipient.
    pub to: &'a Address,
    /// Where answers go.
    pub reply_to: &'a Address,
    /// One line.
    pub subject: &'a str,
    /// Plain text, any line ends.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Without angle brackets, oldest first; the last is what the letter answers.
    pub references: &'a [String],
    /// Seconds since 1970.
    pub date: i64,
    /// What made a machine write it.
    pub submitted: Submitted,
}

/// How an automatic mail came about (RFC 3834 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// Of itself: `auto-generated`.
    Generated,
    /// As an answer to a mail of its reader: `auto-replied`.
    Replied,
}

impl Submitted {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "auto-generated",
            Self::Replied => "auto-replied",
        }
    }
}

impl Letter<'_> {
    /// The mail in wire form: CRLF line ends, lines of at most 998 bytes (RFC 5322 §2.1.1). Marked as automatic
    /// (RFC 3834 §5), so that no responder answers it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ComposeError> {
        let head = self.head();
        head.check()?;
        check_bodies(&[("text", self.text), ("HTML", self.html)])?;
        let (text, html) = (unix_lines(self.text), unix_lines(self.html));
        let boundary = boundary(self.message_id, &[&text, &html]);
        let body = ContentType::new("multipart/alternative").attribute("boundary", boundary);
        let parts = vec![MimePart::new("text/plain", text), MimePart::new("text/html", html)];
        Ok(head.write(MimePart::new(body, parts)))
    }

    fn head(&self) -> Head<'_> {
        Head {
            from: self.from,
            from_name: self.from_name,
            to: Some(self.to),
            reply_to: Some(self.reply_to),
            subject: self.subject,
            message_id: self.message_id,
            references: self.references,
            date: self.date,
            submitted: Some(self.submitted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::is_foldable, *};
    use crate::{Budget, Class, Message, Scanner};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn with<T>(change: impl FnOnce(&mut Letter<'_>) -> T) -> Result<Vec<u8>, ComposeError> {
        let (from, to) = (address("notice@postern.example"), address("staff@beta.example"));
        let reply_to = address("case+k7q4m2x@postern.example");
        let references = ["root@postern.example".to_owned(), "one@postern.example".to_owned()];
        let mut letter = Letter {
            from: &from,
            from_name: "Postern",
            to: &to,
            reply_to: &reply_to,
            subject: "[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June",
            text: "Something waits.\r\n.\nFrom here: https://postern.example/c/1\n",
            html: "<p>Something waits.</p>",
            message_id: "n1@postern.example",
            references: &references,
            submitted: Submitted::Generated,
            date: 1_780_000_000,
        };
        change(&mut letter);
        letter.to_bytes()
    }

    fn scanned(bytes: &[u8]) -> Message {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(bytes);
        scanner.finish()
    }

    #[test]
    fn a_letter_says_what_it_was_given() {
        let bytes = with(|_| ()).unwrap();
        let message = scanned(&bytes);
        assert_eq!(message.headline.subject, "[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June");
        assert_eq!(message.headline.from[0].address.as_deref(), Some("notice@postern.example"));
        assert_eq!(message.headline.from[0].name.as_deref(), Some("Postern"));
        assert_eq!(message.headline.to[0].address.as_deref(), Some("staff@beta.example"));
        assert_eq!(message.headline.message_id.as_deref(), Some("n1@postern.example"));
        assert_eq!(message.headline.date, Some(1_780_000_000));
        assert_eq!(message.references, ["root@postern.example", "one@postern.example"]);
        assert_eq!(message.in_reply_to, ["one@postern.example"]);
        assert_eq!(message.class, Class::AutoReply);
        assert!(message.headline.defects.is_empty(), "{:?}", message.headline.defects);
        let types: Vec<_> = message.headline.parts.iter().map(|part| part.media_type.as_str()).collect();
        assert_eq!(types, ["text/plain", "text/html"]);
        let header = String::from_utf8(bytes).unwrap();
        assert!(header.contains("\r\nX-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n"));
        assert!(header.contains("\r\nAuto-Submitted: auto-generated\r\n"));
        assert!(header.contains("Reply-To: <case+k7q4m2x@postern.example>\r\n"));
    }

    #[test]
    fn the_same_letter_is_the_same_bytes() {
        assert_eq!(with(|_| ()), with(|_| ()));
    }

    #[test]
    fn line_ends_are_crlf_and_lines_short() {
        let long = &*"wörter ".repeat(500).leak();
        let bytes = with(|letter| {
            (letter.subject, letter.text) = (
                "Ein Fall für Änderungen: fällig am 5. Juni, bitte antworten Sie rechtzeitig",
                "a\rb\n\nlast",
            )
        })
        .unwrap();
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            assert!(piece.ends_with(b"\r\n") && piece.len() <= 1000);
            assert_eq!(piece.iter().filter(|&&b| b == b'\r').count(), 1);
        }
        assert!(bytes.ends_with(b"\r\n"));
        let long = with(|letter| letter.html = long).unwrap();
        assert!(long.split(|&b| b == b'\n').all(|line| line.len() <= 998));
    }

    fn field(bytes: &[u8], name: &str) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let header = text.split("\r\n\r\n").next().unwrap();
        let start = header.find(&format!("{name}: ")).unwrap();
        let lines: Vec<_> = header[start..].split("\r\n").collect();
        let more = lines[1..].iter().take_while(|line| line.starts_with(' ')).count();
        lines[..=more].join("\r\n")
    }

    #[test]
    fn long_ascii_stays_readable() {
        let subject = "[Disputed Change of Supplier Meter Readings] Case K7Q-4M2X: answer due 5 June";
        let name = "Postern, the \"secure\" gateway of the electricity and gas companies of Great Britain";
        let bytes = with(|letter| (letter.subject, letter.from_name) = (subject, name)).unwrap();
        assert_eq!(
            field(&bytes, "Subject"),
            "Subject: [Disputed Change of Supplier Meter Readings] Case K7Q-4M2X: answer\r\n due 5 June"
        );
        assert_eq!(
            field(&bytes, "From"),
            "From: \"Postern, the \\\"secure\\\" gateway of the electricity and gas companies of\r\n Great Britain\" \
             <notice@postern.example>"
        );
        let message = scanned(&bytes);
        assert_eq!(message.headline.subject, subject);
        assert_eq!(message.headline.from[0].name.as_deref(), Some(name));
    }

    #[test]
    fn only_what_folding_would_change_is_encoded() {
        let wide = &*"x".repeat(1200).leak();
        let spaced = "a  b ".repeat(40);
        for subject in ["Änderung", "ends in a space ", wide, "", spaced.trim()] {
            let bytes = with(|letter| letter.subject = &*subject.to_owned().leak()).unwrap();
            let encoded = field(&bytes, "Subject").contains("=?");
            assert_eq!(encoded, !is_foldable(subject) && !subject.is_empty(), "{subject}");
            let read = scanned(&bytes).headline.subject;
            assert!(read.split_whitespace().eq(subject.split_whitespace()), "{read}");
            assert!(field(&bytes, "Subject").split("\r\n").all(|line| line.len() <= 78), "{subject}");
        }
    }

    #[test]
    fn nothing_gets_into_the_header_through_a_value() {
        for attack in ["a\r\nBcc: x@evil.example", "a\nb", "a\rb", "a\0b", "a\u{2028}b"] {
            assert_eq!(
                with(|letter| letter.subject = attack),
                Err(ComposeError::ControlCharacter("subject"))
            );
            assert_eq!(
                with(|letter| letter.from_name = attack),
                Err(ComposeError::ControlCharacter("sender's name"))
            );
            assert!(matches!(with(|letter| letter.message_id = attack), Err(ComposeError::MessageId(_))));
        }
        assert_eq!(with(|letter| letter.text = "a\0"), Err(ComposeError::ControlCharacter("text")));
        assert!(with(|letter| letter.message_id = "a@b> <c@d").is_err());
    }

    #[test]
    fn a_body_cannot_end_its_part() {
        let bytes = with(|_| ()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let hostile = &*format!("--{boundary}--\r\nX").leak();
        let message = scanned(&with(|letter| letter.text = hostile).unwrap());
        assert_eq!(message.headline.parts.len(), 2);
    }

    #[test]
    fn names_with_quotes_and_accents_survive() {
        for name in ["Energy \"Best\" Ltd, Leeds", "Énergie <x@evil.example>", "a@b.example (c)", "\\"] {
            let message = scanned(&with(|letter| letter.from_name = name).unwrap());
            assert_eq!(message.headline.from.len(), 1, "{name}");
            assert_eq!(message.headline.from[0].name.as_deref(), Some(name));
            assert_eq!(message.headline.from[0].address.as_deref(), Some("notice@postern.example"));
        }
    }
}
