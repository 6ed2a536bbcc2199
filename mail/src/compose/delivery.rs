//! The delivery report that Postern sends about mail it passed on (RFC 3464). It says what became of which recipient and
//! never returns anything of the mail itself, not even its subject.

use mail_builder::{
    headers::{content_type::ContentType, date::Date},
    mime::MimePart,
};

use super::{ComposeError, Head, Submitted, boundary, check_bodies, unix_lines};
use crate::{Action, Address, Status};

/// Longest diagnostic that goes on, and longest name that somebody else gave a thing.
const DIAGNOSTIC_MAX: usize = 400;
const FOREIGN_MAX: usize = 500;
/// Where lines of the report are folded.
const LINE: usize = 76;

/// All that a delivery report says.
#[derive(Debug, Clone)]
pub struct DeliveryReport<'a> {
    /// Author, an address of the operator's domain.
    pub from: &'a Address,
    /// Display name of the author.
    pub from_name: &'a str,
    /// The envelope sender of the mail reported on.
    pub to: &'a Address,
    /// One line. Not the subject of the mail reported on.
    pub subject: &'a str,
    /// What happened and what to do, for people; any line ends.
    pub text: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Without angle brackets; the last is the mail reported on, so that clients show both together.
    pub references: &'a [String],
    /// Seconds since 1970.
    pub date: i64,
    /// Host name of the server that reports.
    pub reporting_mta: &'a str,
    /// `ENVID` as the sender gave it, its xtext decoded (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// When the mail reported on arrived, in seconds since 1970.
    pub arrival: Option<i64>,
    /// At least one.
    pub recipients: &'a [Outcome<'a>],
}

/// What became of the mail for one recipient.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// `ORCPT` as the sender gave it, its xtext decoded: `rfc822;jo@alpha.example`.
    pub original: Option<&'a str>,
    /// To whom delivery was tried.
    pub recipient: &'a Address,
    /// What happened.
    pub action: Action,
    /// Why.
    pub status: Status,
    /// What the other server answered. It is a stranger's text: it is cut, and only visible ASCII of it goes on.
    pub diagnostic: Option<&'a str>,
}

impl DeliveryReport<'_> {
    /// The mail in wire form: CRLF line ends, lines of at most 998 bytes (RFC 5322 §2.1.1). Marked as an automatic
    /// answer (RFC 3834 §5.1), so that no responder answers it; it goes out with the null sender (RFC 3464 §2).
    pub fn to_bytes(&self) -> Result<Vec<u8>, ComposeError> {
        let head = self.head();
        head.check()?;
        self.check()?;
        let (text, status) = (unix_lines(self.text), self.status());
        let boundary = boundary(self.message_id, &[&text, &status]);
        let body = ContentType::new("multipart/report")
            .attribute("report-type", "delivery-status")
            .attribute("boundary", boundary);
        let machine = MimePart::new("message/delivery-status", status.into_bytes()).transfer_encoding("7bit");
        Ok(head.write(MimePart::new(body, vec![MimePart::new("text/plain", text), machine])))
    }

    fn check(&self) -> Result<(), ComposeError> {
        check_bodies(&[("text", self.text)])?;
        let host = self.reporting_mta;
        if host.is_empty() || host.len() > 255 || !host.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ComposeError::Host);
        }
        if self.recipients.is_empty() {
            return Err(ComposeError::NoRecipients);
        }
        Ok(())
    }

    fn head(&self) -> Head<'_> {
        Head {
            from: self.from,
            from_name: self.from_name,
            to: Some(self.to),
            reply_to: None,
            subject: self.subject,
            message_id: self.message_id,
            references: self.references,
            date: self.date,
            submitted: Some(Submitted::Replied),
        }
    }

    /// Fields about the mail, then a block for each recipient (RFC 3464 §2.2, §2.3).
    fn status(&self) -> String {
        let mut out = Block(format!("Reporting-MTA: dns; {}\r\n", self.reporting_mta));
        out.field("Original-Envelope-Id", self.envelope_id.map(|id| visible(id, FOREIGN_MAX)));
        out.field("Arrival-Date", self.arrival.map(|date| Date::new(date).to_rfc822()));
        for outcome in self.recipients {
            out.0.push_str("\r\n");
            outcome.write(&mut out);
        }
        out.0
    }
}

impl Outcome<'_> {
    fn write(&self, out: &mut Block) {
        if let Some((kind, address)) = self.original.and_then(|original| original.split_once(';')) {
            out.line("Original-Recipient", &one_line(&typed(kind, address), FOREIGN_MAX));
        }
        out.line("Final-Recipient", &typed("rfc822", &self.recipient.to_string()));
        out.field("Action", Some(self.action.as_str().to_owned()));
        out.field("Status", Some(self.status.to_string()));
        let diagnostic = self.diagnostic.map(|said| visible(said, DIAGNOSTIC_MAX));
        out.field(
            "Diagnostic-Code",
            diagnostic.filter(|said| !said.is_empty()).map(|said| format!("smtp; {said}")),
        );
    }
}

/// Fields of the report in wire form.
struct Block(String);

impl Block {
    /// A field on one line: an address may have blanks in it that folding would change.
    fn line(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("{name}: {value}\r\n"));
    }

    /// A field if there is a value, folded before words that would pass the end of the line.
    fn field(&mut self, name: &str, value: Option<String>) {
        let Some(value) = value else { return };
        self.0.push_str(name);
        self.0.push(':');
        let mut column = name.len() + 1;
        for word in value.split_ascii_whitespace() {
            if column + 1 + word.len() > LINE && column > name.len() + 1 {
                self.0.push_str("\r\n");
                column = 0;
            }
            self.0.push(' ');
            self.0.push_str(word);
            column += 1 + word.len();
        }
        self.0.push_str("\r\n");
    }
}

/// Visible ASCII and single spaces, at most `most` bytes: what a stranger's text may be in a header.
fn visible(text: &str, most: usize) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if out.len() >= most {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }));
    }
    out.truncate(most);
    out
}

/// Visible ASCII and the blanks as they are, which in a quoted local part tell addresses apart.
fn one_line(text: &str, most: usize) -> String {
    let visible = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.trim().chars().map(visible).take(most).collect()
}

/// An address with its type; one beyond ASCII gets the type that may have it (RFC 6533 §3).
fn typed(kind: &str, address: &str) -> String {
    match address.is_ascii() {
        true => format!("{kind};{address}"),
        false => format!("utf-8;{}", xtext(address)),
    }
}

/// `utf-8-addr-xtext` of RFC 6533 §3.
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() && c != '\\' {
            true => out.push(c),
            false => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    out
}
