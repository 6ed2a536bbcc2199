//! Mail that Postern originates, finished: letters, delivery reports, and what people write in the portal. The same values
//! give the same bytes, so a retry sends what was sent before. No line end or NUL of a value ever reaches a header.

mod delivery;
mod letter;
mod written;

use mail_builder::{
    MessageBuilder,
    headers::{HeaderType, address::Address as Mailbox, raw::Raw, text::Text},
    mime::MimePart,
};

use crate::Address;

pub use delivery::{DeliveryReport, Outcome};
pub use letter::{Letter, Submitted};
pub use written::{Composer, Written};

/// Exchange and Outlook honour it: delivery and read receipts, out of office and automatic replies are not wanted; `All`
/// would silence failures too.
const SUPPRESS: &str = "DR, RN, NRN, OOF, AutoReply";

/// Why a letter cannot be written. It names the field, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A line end, NUL or another control character where one line is needed; in a body, a NUL.
    #[error("the {0} of a letter has a control character in it: take it out before the letter is written")]
    ControlCharacter(&'static str),
    /// No `left@right` of visible ASCII characters.
    #[error("the {0} of a letter is not a message id: give left@right without angle brackets and spaces")]
    MessageId(&'static str),
    /// No host name of visible ASCII characters.
    #[error(
        "the reporting server of a delivery report is not a host name: give one such as mx.postern.example"
    )]
    Host,
    /// A delivery report about nobody (RFC 3464 §2.1 wants one recipient at least).
    #[error("a delivery report has no recipients: give the outcome for each recipient that it is about")]
    NoRecipients,
}

/// What the head of every mail of ours says.
struct Head<'a> {
    from: &'a Address,
    from_name: &'a str,
    /// None: nobody's address is shown.
    to: Option<&'a Address>,
    reply_to: Option<&'a Address>,
    subject: &'a str,
    message_id: &'a str,
    references: &'a [String],
    date: i64,
    /// None: a person wrote it.
    submitted: Option<Submitted>,
}

impl Head<'_> {
    fn check(&self) -> Result<(), ComposeError> {
        for (field, value) in [("sender's name", self.from_name), ("subject", self.subject)] {
            if value.chars().any(is_line_breaking) {
                return Err(ComposeError::ControlCharacter(field));
            }
        }
        if !is_message_id(self.message_id) {
            return Err(ComposeError::MessageId("message id"));
        }
        match self.references.iter().all(|id| is_message_id(id)) {
            true => Ok(()),
            false => Err(ComposeError::MessageId("references")),
        }
    }

    /// The mail in wire form: CRLF line ends, lines of at most 998 bytes (RFC 5322 §2.1.1).
    fn write(&self, body: MimePart<'_>) -> Vec<u8> {
        let mailbox = |address: &Address| Mailbox::new_address(None::<&str>, address.to_string());
        let mut mail =
            MessageBuilder::new().date(self.date).header("From", author(self.from, self.from_name));
        if let Some(to) = self.to {
            mail = mail.to(mailbox(to));
        }
        if let Some(reply_to) = self.reply_to {
            mail = mail.reply_to(mailbox(reply_to));
        }
        mail = mail.header("Subject", title(self.subject)).message_id(self.message_id);
        if let Some(answered) = self.references.last() {
            mail = mail.in_reply_to(answered.as_str()).references(self.references);
        }
        if let Some(submitted) = self.submitted {
            mail = mail
                .header("Auto-Submitted", Raw::new(submitted.as_str()))
                .header("X-Auto-Response-Suppress", Raw::new(SUPPRESS));
        }
        let mut bytes = Vec::new();
        mail.body(body).serialize(&mut bytes);
        bytes
    }
}

fn check_bodies(bodies: &[(&'static str, &str)]) -> Result<(), ComposeError> {
    match bodies.iter().find(|(_, body)| body.contains('\0')) {
        Some((field, _)) => Err(ComposeError::ControlCharacter(field)),
        None => Ok(()),
    }
}

/// ASCII stays as it is, however long, and is folded at its spaces (RFC 5322 §2.2.3): people read subjects in places that
/// decode nothing. Encoded words (RFC 2047) are for what ASCII cannot say.
fn title(subject: &str) -> HeaderType<'_> {
    match is_foldable(subject) {
        true => Raw::new(subject).into(),
        false => Text::new(subject).into(),
    }
}

/// The same for the name of an author: a quoted string, which may be folded at its spaces (RFC 5322 §3.2.4).
fn author<'a>(from: &Address, from_name: &'a str) -> HeaderType<'a> {
    let address = from.to_string();
    if is_foldable(from_name) && address.bytes().all(|b| b.is_ascii_graphic()) {
        let name = from_name.replace('\\', r"\\").replace('"', r#"\""#);
        Raw::new(format!("\"{name}\" <{address}>")).into()
    } else {
        Mailbox::new_address(Some(from_name), address).into()
    }
}

/// A boundary that no body holds; made from the message id so that it is the same every time. Of consonants alone: one
/// with figures in it is, once in some thousand letters, the number of somebody's bank account by its check digits.
fn boundary(message_id: &str, bodies: &[&str]) -> String {
    const LETTERS: [char; 16] =
        ['b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't'];
    let letters = fnv(message_id.as_bytes()).to_be_bytes().map(|byte| [byte >> 4, byte & 0xf]);
    let mut boundary: String = letters.iter().flatten().map(|half| LETTERS[usize::from(*half)]).collect();
    boundary.insert_str(0, "=_");
    while bodies.iter().any(|body| body.contains(&boundary)) {
        boundary.push('_');
    }
    boundary
}

/// Control characters, and the line separators that some readers take for line ends.
fn is_line_breaking(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Printable ASCII that folding leaves as it was: no white space at its ends, no word that fills a
/// line (RFC 5322 §2.1.1).
fn is_foldable(value: &str) -> bool {
    /// Leaves room on a line of 998 octets for the name of the field or an address.
    const LONGEST_WORD: usize = 300;
    let printable = value.bytes().all(|b| matches!(b, b' '..=b'~'));
    let short = value.split(' ').all(|word| word.len() <= LONGEST_WORD);
    !value.is_empty() && printable && short && value.trim() == value
}

fn is_message_id(id: &str) -> bool {
    let visible = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>');
    let parted = id.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    parted && id.len() <= 250 && id.bytes().all(visible)
}

/// Line ends made `\n`; the builder writes CRLF.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// FNV-1a: spreads message ids over boundaries; nothing secret hangs on it.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_has_no_figures_and_is_in_no_body() {
        for number in 0..1_000 {
            let id = format!("{number}@postern.example");
            let first = boundary(&id, &[]);
            assert!(!first.bytes().any(|byte| byte.is_ascii_digit()) && first.len() == 18, "{first}");
            assert_eq!(boundary(&id, &[&first]), format!("{first}_"));
        }
        assert_ne!(boundary("a@b.example", &[]), boundary("b@b.example", &[]));
    }
}
