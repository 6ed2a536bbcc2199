//! The choke point: every finished mail is looked at once more, as its reader will see it and as its bytes are, before
//! the courier gets it. A hit stops the mail for good.
//!
//! Nothing but this file makes a [`Cleared`], and the courier takes nothing else.

mod inspection;
mod printed;

use std::fmt;

use bytes::Bytes;
use mail::{Budget, Scan, Scanner};
use policies::{Facts, Passing, Protection, Recipient, Ruleset, Verdict, detect::Business};
use store::{ContentReader, Directory, FoundCounts, OpenContent, OutgoingPassage, Stage, StoreError};

use crate::{
    documents::{self, ReadDocument, ReadError},
    letters::Signer,
};

pub(crate) use printed::Printed;

/// The finished mail holds something that no mail of ours may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the finished mail holds what looks like personal data ({0}), so the guard stopped it; mend the template or the name \
     that did it (`postern config check` tries the templates), then `postern queue retry` sends it"
)]
pub(crate) struct Leak(pub(crate) Found);

/// What was found in a mail, by category: never the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found(pub(crate) FoundCounts);

/// `mpan 2, name 1`
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, count)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {count}")?;
        }
        Ok(())
    }
}

/// Why a mail of somebody else's may not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(
        "looked at once more at the door, the mail may not pass on any more; it was stopped: send it again, and the \
         answer says what to do"
    )]
    NotAllowed,
    #[error("a file of the mail could not be read now")]
    Busy,
    #[error(transparent)]
    Unreadable(#[from] StoreError),
}

impl From<ReadError> for Stopped {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Unreadable(error),
            ReadError::NoProcess(_) => Self::Busy,
        }
    }
}

/// A mail that was looked at; only such a mail can be handed to the courier.
pub(crate) struct Cleared {
    content: Content,
    size: u64,
    eight_bit: bool,
    utf8_header: bool,
}

enum Content {
    /// Written here.
    Letter(Bytes),
    /// Passed on: our line, then the original byte for byte.
    Passage { received_line: Bytes, original: OpenContent },
}

/// A cleared mail, piece by piece, from its beginning.
pub(crate) enum Pieces {
    Whole(Option<Bytes>),
    Parts(Option<Bytes>, ContentReader),
}

/// Clears a mail that Postern wrote, and signs it: what is added after the look is made of what was looked at.
pub(crate) fn clear(
    rules: &Ruleset,
    signer: &Signer,
    printed: &Printed,
    letter: Vec<u8>,
) -> Result<Cleared, Leak> {
    let found = inspection::found(rules, &letter, printed);
    if !found.0.is_empty() {
        return Err(Leak(found));
    }
    let letter = signer.sign(letter);
    let mut shape = Shape::default();
    shape.feed(&letter);
    Ok(shape.clear(Content::Letter(letter.into())))
}

/// Clears a mail that passes through to one recipient: all of it is read once, and judged anew, before the first byte
/// of it leaves.
pub(crate) async fn clear_passage(
    rules: &Ruleset,
    recipient: Recipient,
    passage: &OutgoingPassage,
    directory: &Directory,
    reader: Option<&documents::Reader>,
) -> Result<Cleared, Stopped> {
    let received_line = Bytes::from(passage.received_line.clone());
    let mut shape = Shape::default();
    shape.feed(&received_line);
    let mut scanner = Scanner::new(Budget::default());
    let mut pieces = passage.content.read(0, passage.content.size());
    while let Some(piece) = pieces.next().await? {
        shape.feed(&piece);
        scanner.feed(&piece);
    }
    let mut message = scanner.finish();
    let read = match reader {
        Some(reader) => reader.read(&mut message, documents::Original::Sealed(&passage.content)).await?,
        None => Vec::new(),
    };
    let is_staff = |domain: &str| directory.group_of_domain(domain).is_some();
    let judged = rules.judge(&Facts {
        sender: &passage.from_group,
        // It was accepted to be passed on; a switch that was turned since does not lose it.
        passing: Passing::On,
        reverse_path: &passage.envelope.reverse_path,
        message: &message,
        recipients: &[recipient],
        referenced: &[],
        // What the virus scanner said is decided: it was let through, or a person has let it.
        scan: Scan::Clean,
        protection: Protection::Verified,
        documents: &documents::listed(&message.headline, &read),
        business: &Business::new(&is_staff, &message.headline),
        fields: &[],
    });
    let allowed = judged.verdicts.iter().all(|verdict| match verdict {
        // What they say in shadow is counted already.
        _ if passage.stage == Stage::Shadow => true,
        Verdict::Relay { .. } => true,
        // What held it was looked at, with all that is in it, by somebody of the compliance role.
        Verdict::Hold { .. } => rules.holds(&passage.decided_by),
        Verdict::Secure { .. } | Verdict::Return | Verdict::Refuse { .. } => false,
    });
    match allowed {
        true => Ok(shape.clear(Content::Passage { received_line, original: passage.content.clone() })),
        // What could be read when it was taken may be readable again.
        false if read.iter().any(ReadDocument::may_be_read_later) => Err(Stopped::Busy),
        false => Err(Stopped::NotAllowed),
    }
}

impl Cleared {
    /// Bytes of the mail.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn is_eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// The header is UTF-8 and more than ASCII (RFC 6532).
    pub(crate) fn has_utf8_header(&self) -> bool {
        self.utf8_header
    }

    pub(crate) fn read(&self) -> Pieces {
        match &self.content {
            Content::Letter(letter) => Pieces::Whole(Some(letter.clone())),
            Content::Passage { received_line, original } => {
                Pieces::Parts(Some(received_line.clone()), original.read(0, original.size()))
            }
        }
    }
}

impl Pieces {
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Whole(letter) => Ok(letter.take()),
            Self::Parts(first, rest) => match first.take() {
                Some(first) => Ok(Some(first)),
                None => rest.next().await,
            },
        }
    }
}

/// What the server must be told about a mail before it comes.
#[derive(Default)]
struct Shape {
    size: u64,
    eight_bit: bool,
    header: Vec<u8>,
    header_ended: bool,
}

impl Shape {
    /// A longer header is somebody's joke; it is passed on without a promise about its letters.
    const HEADER: usize = 256 * 1024;

    fn feed(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.eight_bit |= !piece.is_ascii();
        if self.header_ended {
            return;
        }
        let from = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(&piece[..piece.len().min(Self::HEADER - self.header.len())]);
        if let Some(end) = memchr::memmem::find(&self.header[from..], b"\r\n\r\n") {
            self.header.truncate(from + end);
            self.header_ended = true;
        }
        self.header_ended |= self.header.len() == Self::HEADER;
    }

    fn clear(self, content: Content) -> Cleared {
        let utf8_header = !self.header.is_ascii() && std::str::from_utf8(&self.header).is_ok();
        Cleared { content, size: self.size, eight_bit: self.eight_bit, utf8_header }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(body: &str) -> Vec<u8> {
        format!("From: a@b.example\r\nSubject: [X] Case K7Q-4M2X\r\n\r\n{body}\r\n").into_bytes()
    }

    fn clear(rules: &Ruleset, letter: Vec<u8>) -> Result<Cleared, Leak> {
        let mut printed = Printed::default();
        printed.value("K7Q-4M2X").address(&"a@b.example".parse().unwrap());
        super::clear(rules, &Signer::none(), &printed, letter)
    }

    #[test]
    fn a_meter_point_stops_the_mail_wherever_it_hides() {
        let rules = Ruleset::shipped().unwrap();
        assert!(clear(&rules, letter("https://postern.example/case/0123")).is_ok());
        assert!(clear(&rules, letter("MPAN 1200023305967")).is_err());
        assert!(clear(&rules, letter("https://postern.example/?mpan=1200023305967")).is_err());
        let subject = b"Subject: MPAN 1200023305967\r\n\r\nhello\r\n".to_vec();
        assert!(clear(&rules, subject).is_err());
        let encoded = b"Content-Transfer-Encoding: base64\r\n\r\nTVBBTiAxMjAwMDIzMzA1OTY3\r\n".to_vec();
        assert!(clear(&rules, encoded).is_err());
    }

    /// One of each sort, wherever a template, a name or a fault of ours could put it.
    #[test]
    fn personal_data_stop_a_mail_in_every_form() {
        let rules = Ruleset::shipped().unwrap();
        let stopped = |mail: String| clear(&rules, mail.into_bytes()).err().map(|leak| leak.0.to_string());
        for (data, category) in [
            ("call her on 07700 900123", "telephone 1"),
            ("Mrs Mary Jones", "name 1"),
            ("mary.jones@gmail.com", "email 1"),
            ("NI number AB123456C", "national-insurance 1"),
            ("the customer, date of birth 03/04/1961", "date-of-birth 1"),
            ("the customer is on dialysis", "vulnerability 1"),
            ("the customer lives at 12 High Street, SW1A 1AA", "postal-address"),
        ] {
            let leak = stopped(format!("Subject: x\r\n\r\n{data}\r\n"));
            assert!(leak.as_ref().is_some_and(|found| found.contains(category)), "{data}: {leak:?}");
            let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, data);
            let percent: String = data.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let twice = percent.replace('%', "%25");
            let marked: String = data.bytes().map(|byte| format!("&#{byte};")).collect();
            for mail in [
                format!("Subject: {data}\r\n\r\nx\r\n"),
                format!("Subject: =?utf-8?B?{coded}?=\r\n\r\nx\r\n"),
                format!("X-Postern-Note: {data}\r\n\r\nx\r\n"),
                format!("X-Postern-Note: =?utf-8?B?{coded}?=\r\n\r\nx\r\n"),
                format!("To: \"{data}\" <et@beta.example>\r\n\r\nx\r\n"),
                format!("Content-Transfer-Encoding: base64\r\n\r\n{coded}\r\n"),
                format!("Subject: x\r\n\r\nhttps://postern.example/case?note={percent}\r\n"),
                format!("Subject: x\r\n\r\nhttps://postern.example/case?note={twice}\r\n"),
                format!("Content-Type: text/html\r\n\r\n<p>x</p><!-- {data} -->\r\n"),
                format!("Content-Type: text/html\r\n\r\n<a title=\"{marked}\">x</a>\r\n"),
                format!("Content-Type: text/html\r\n\r\n<p style=\"display:none\">{data}</p>\r\n"),
            ] {
                assert!(stopped(mail.clone()).is_some(), "{mail}");
            }
        }
    }

    #[test]
    fn a_leak_names_categories_and_never_what_was_found() {
        let rules = Ruleset::shipped().unwrap();
        let leak = clear(&rules, letter("MPAN 1200023305967, Mrs Mary Jones")).err().unwrap();
        assert_eq!(leak.0.to_string(), "mpan 1, name 1");
        let said = leak.to_string();
        assert!(said.contains("postern queue retry"), "{said}");
        assert!(!said.contains("Jones") && !said.contains("12000"), "{said}");
    }

    #[tokio::test]
    async fn what_was_cleared_is_what_leaves() {
        let rules = Ruleset::shipped().unwrap();
        let cleared = clear(&rules, letter("hello")).unwrap();
        for _ in 0..2 {
            let mut pieces = cleared.read();
            assert_eq!(pieces.next().await.unwrap().as_deref(), Some(letter("hello").as_slice()));
            assert_eq!(pieces.next().await.unwrap(), None);
        }
        assert_eq!(cleared.size(), letter("hello").len() as u64);
    }

    #[test]
    fn letters_beyond_ascii_are_seen_where_they_stand() {
        let shape = |pieces: &[&[u8]]| {
            let mut shape = Shape::default();
            pieces.iter().for_each(|piece| shape.feed(piece));
            let cleared = shape.clear(Content::Letter(Bytes::new()));
            (cleared.eight_bit, cleared.utf8_header)
        };
        assert_eq!(shape(&[b"Subject: a\r\n\r\nb"]), (false, false));
        assert_eq!(shape(&["Subject: a\r\n\r\nö".as_bytes()]), (true, false));
        assert_eq!(shape(&["Subject: ö\r\n\r\nb".as_bytes()]), (true, true));
        assert_eq!(shape(&[b"Subject: \xf6\r\n\r\nb"]), (true, false));
        assert_eq!(shape(&[b"Subject: \xc3", b"\xb6\r\n\r", b"\n\xff"]), (true, true));
        let endless = vec![b'x'; Shape::HEADER * 2];
        assert_eq!(shape(&[&endless, b"\xff"]), (true, false));
    }
}
