//! Replies of the SMTP server: reply code, enhanced status code (RFC 3463), text. The one place where a refusal
//! becomes a reply, and the one method that says temporary or permanent. It never lets a caller's text break a line.

use std::borrow::Cow;

use tracing::info;

use super::command::Misread;
use super::framing::Violation;

/// A reply line, code and line end included, is at most this long (RFC 5321 §4.5.3.1.5).
const LINE: usize = 512;

/// More lines than this no text of ours has; what a caller gives beyond is cut.
const LINES: usize = 32;

/// Why the intake turns something down, cut by what the peer should do about it. The text is for the peer: it must
/// help, and hold nothing that the peer does not know already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody vouches for the sender; the text says how to be proved.
    NotProved(String),
    /// The sender is proved, and a rule says no.
    NotPermitted(String),
    /// Log in first.
    LoginNeeded,
    /// User and password do not fit.
    BadCredentials,
    /// Too many failed logins from the peer's address; later ones are not even looked at (RFC 4954 §6).
    LoginsPaused,
    /// No such mailbox here.
    UnknownRecipient(String),
    /// The reverse-path cannot be used.
    BadSender(String),
    /// The message itself cannot be taken.
    BadContent(String),
    /// The message has been here, or too often elsewhere (RFC 5321 §6.3).
    Loop,
    /// The mail is only watched, and cannot go on by the way it came; it is counted.
    OnlyWatched,
    /// The message is larger than is taken.
    TooLarge,
    /// This transaction has as many recipients as it may have; send the rest in the next one.
    TooManyRecipients,
    /// Other things become of mail for this recipient than of mail for those before it, and DATA has one answer.
    OtherClass,
    /// The peer asks too much at once.
    TooFast,
    /// There is no room now.
    StoreFull,
    /// The store does not work now.
    StoreBroken,
    /// Something else does not work now; the text says what, in the peer's words.
    Unavailable(String),
}

/// What the peer should do with a refused message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permanence {
    /// Try again later, unchanged.
    Temporary,
    /// Do not try again unchanged.
    Permanent,
}

impl Refusal {
    /// The only place that tells temporary from permanent.
    pub fn permanence(&self) -> Permanence {
        match self {
            Refusal::NotProved(_)
            | Refusal::NotPermitted(_)
            | Refusal::LoginNeeded
            | Refusal::BadCredentials
            | Refusal::UnknownRecipient(_)
            | Refusal::BadSender(_)
            | Refusal::BadContent(_)
            | Refusal::Loop
            | Refusal::OnlyWatched
            | Refusal::TooLarge => Permanence::Permanent,
            Refusal::LoginsPaused
            | Refusal::TooManyRecipients
            | Refusal::OtherClass
            | Refusal::TooFast
            | Refusal::StoreFull
            | Refusal::StoreBroken
            | Refusal::Unavailable(_) => Permanence::Temporary,
        }
    }

    /// The kind, for the log: the text may hold an address.
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::NotProved(_) => "not-proved",
            Refusal::NotPermitted(_) => "not-permitted",
            Refusal::LoginNeeded => "login-needed",
            Refusal::BadCredentials => "bad-credentials",
            Refusal::LoginsPaused => "logins-paused",
            Refusal::UnknownRecipient(_) => "unknown-recipient",
            Refusal::BadSender(_) => "bad-sender",
            Refusal::BadContent(_) => "bad-content",
            Refusal::Loop => "loop",
            Refusal::OnlyWatched => "only-watched",
            Refusal::TooLarge => "too-large",
            Refusal::TooManyRecipients => "too-many-recipients",
            Refusal::OtherClass => "other-class",
            Refusal::TooFast => "too-fast",
            Refusal::StoreFull => "store-full",
            Refusal::StoreBroken => "store-broken",
            Refusal::Unavailable(_) => "unavailable",
        }
    }

    /// Notes it, once, without its text: that may hold an address. Connection and peer are in the span.
    pub(crate) fn logged(self, at: &'static str) -> Self {
        info!(at, refusal = self.name(), permanence = ?self.permanence(), "refused");
        self
    }
}

/// One reply: code, enhanced code, text. It is written whole, in lines that no text can break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: u16,
    enhanced: Enhanced,
    text: Cow<'static, str>,
}

/// RFC 3463. The class is always the first digit of the reply code, so it is not kept twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enhanced {
    /// The greeting, answers to EHLO and HELO, and 3xx have none (RFC 2034 §4).
    None,
    Code {
        subject: u16,
        detail: u16,
    },
}

impl Reply {
    /// A reply with an enhanced code: `coded(550, (7, 1), …)` is `550 5.7.1`.
    pub(crate) fn coded(
        code: u16,
        (subject, detail): (u16, u16),
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, enhanced: Enhanced::Code { subject, detail }, text: text.into() }
    }

    /// A reply without one. Line feeds in the text make lines of the reply.
    pub(crate) fn bare(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, enhanced: Enhanced::None, text: text.into() }
    }

    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// Writes the reply behind what stands in `output` already.
    pub(crate) fn write(&self, output: &mut Vec<u8>) {
        let prefix = match self.enhanced {
            Enhanced::None => String::new(),
            Enhanced::Code { subject, detail } => {
                format!("{}.{subject}.{detail} ", self.code / 100)
            }
        };
        // Code, separator and CRLF take six octets of a line.
        let lines = wrap(&self.text, LINE - 6 - prefix.len());
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            output.extend_from_slice(format!("{}{separator}{prefix}{line}\r\n", self.code).as_bytes());
        }
    }
}

/// Printable ASCII in lines of at most `width`; at least one line. Everything else becomes a question mark, and line
/// feeds of the text stay line ends.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let paragraph = paragraph.strip_suffix('\r').unwrap_or(paragraph);
        let clean: String = paragraph.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
        let mut rest = clean.as_str();
        while rest.len() > width {
            let cut = rest[..width].rfind(' ').filter(|cut| *cut > 0).unwrap_or(width);
            lines.push(rest[..cut].to_owned());
            rest = rest[cut..].trim_start_matches(' ');
        }
        lines.push(rest.to_owned());
    }
    lines.truncate(LINES);
    lines
}

impl From<Refusal> for Reply {
    /// The one place where a refusal becomes a reply. The class comes from [`Refusal::permanence`]; here are only the
    /// last two digits of the code, subject and detail (RFC 5321 §4.2.3, RFC 3463 §3).
    fn from(refusal: Refusal) -> Self {
        let class = match refusal.permanence() {
            Permanence::Temporary => 400,
            Permanence::Permanent => 500,
        };
        let (rest, enhanced, text): (u16, _, Cow<'static, str>) = match refusal {
            Refusal::NotProved(text) => (50, (7, 1), text.into()),
            Refusal::NotPermitted(text) => (50, (7, 1), text.into()),
            Refusal::LoginNeeded => (30, (7, 0), "log in with AUTH first".into()),
            Refusal::BadCredentials => (35, (7, 8), "user or password is not right".into()),
            Refusal::LoginsPaused => {
                (54, (7, 0), "too many failed logins from your address; try again in a minute".into())
            }
            Refusal::UnknownRecipient(text) => (50, (1, 1), text.into()),
            Refusal::BadSender(text) => (53, (1, 8), text.into()),
            Refusal::BadContent(text) => (54, (6, 0), text.into()),
            Refusal::Loop => (54, (4, 6), "the message has passed too many servers".into()),
            Refusal::OnlyWatched => (
                50,
                (7, 1),
                "mail like this is only watched here yet and cannot go on by this way; send it as you always did".into(),
            ),
            Refusal::TooLarge => {
                (52, (3, 4), "too large by mail; write it in the portal, which takes larger files".into())
            }
            Refusal::TooManyRecipients => {
                (52, (5, 3), "no more recipients in this transaction; send the rest in the next".into())
            }
            Refusal::OtherClass => {
                let text =
                    "this recipient is taken in a transaction of its own; send it apart from those before";
                (52, (5, 3), text.into())
            }
            Refusal::TooFast => (50, (7, 0), "too much at once; try again later".into()),
            Refusal::StoreFull => (52, (3, 1), "no room at the moment; try again later".into()),
            Refusal::StoreBroken => (51, (3, 0), "cannot store at the moment; try again later".into()),
            Refusal::Unavailable(text) => (51, (3, 2), text.into()),
        };
        Reply::coded(class + rest, enhanced, text)
    }
}

impl From<Misread> for Reply {
    fn from(misread: Misread) -> Self {
        match misread {
            Misread::Unknown => Reply::coded(500, (5, 1), "no such command; HELP lists them"),
            Misread::NotOffered => Reply::coded(502, (5, 1), "this server does not do that"),
            Misread::ChunkSize => Reply::coded(
                501,
                (5, 4),
                "BDAT needs a number of octets; what follows cannot be told from commands",
            ),
            Misread::ChunkForm(_) => Reply::coded(501, (5, 4), "write it as: BDAT octets [LAST]"),
            Misread::Syntax(form) => Reply::coded(501, (5, 2), format!("write it as: {form}")),
            Misread::Octets => Reply::coded(500, (5, 2), "a command has printable characters of UTF-8 only"),
            Misread::Mechanism => Reply::coded(504, (5, 4), "use a mechanism that EHLO lists"),
            Misread::Parameter => Reply::coded(555, (5, 4), "a parameter that was not offered"),
            Misread::ParameterValue(name) => {
                Reply::coded(501, (5, 4), format!("parameter {name} has a bad value or came twice"))
            }
            Misread::Sender => Reply::coded(553, (1, 7), "that is not a sender address"),
            Misread::Recipient => Reply::coded(553, (1, 3), "that is not a recipient address"),
            Misread::NeedsUtf8 => {
                Reply::coded(553, (6, 7), "give MAIL the parameter SMTPUTF8 to use such an address")
            }
        }
    }
}

impl Violation {
    /// The last reply to a peer that broke the framing of a command.
    pub(crate) fn in_command(self) -> Reply {
        match self {
            Violation::Pipelined => {
                Reply::coded(554, (5, 1), "octets came before the reply to a command that must be awaited")
            }
            other => Reply::coded(500, (5, 2), other.text()),
        }
    }

    /// The last reply to a peer that broke the framing of a message.
    pub(crate) fn in_data(self) -> Reply {
        match self {
            Violation::Endless => Refusal::TooLarge.into(),
            other => Reply::coded(550, (6, 0), other.text()),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Violation::BareCr => "a CR without LF was sent; every line must end with CRLF",
            Violation::BareLf => "an LF without CR was sent; every line must end with CRLF",
            Violation::Nul => "a NUL octet was sent",
            Violation::LongLine => "the line is too long",
            Violation::Endless => "there is no end to it",
            Violation::Pipelined => "octets came too early",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply) -> String {
        let mut output = Vec::new();
        reply.write(&mut output);
        String::from_utf8(output).expect("replies are ASCII")
    }

    fn every_refusal() -> Vec<(Refusal, &'static str)> {
        let text = || "because".to_owned();
        vec![
            (Refusal::NotProved(text()), "550 5.7.1 because\r\n"),
            (Refusal::NotPermitted(text()), "550 5.7.1 because\r\n"),
            (Refusal::LoginNeeded, "530 5.7.0 "),
            (Refusal::BadCredentials, "535 5.7.8 "),
            (Refusal::LoginsPaused, "454 4.7.0 "),
            (Refusal::UnknownRecipient(text()), "550 5.1.1 because\r\n"),
            (Refusal::BadSender(text()), "553 5.1.8 because\r\n"),
            (Refusal::BadContent(text()), "554 5.6.0 because\r\n"),
            (Refusal::Loop, "554 5.4.6 "),
            (Refusal::TooLarge, "552 5.3.4 "),
            (Refusal::TooManyRecipients, "452 4.5.3 "),
            (Refusal::OtherClass, "452 4.5.3 "),
            (Refusal::TooFast, "450 4.7.0 "),
            (Refusal::StoreFull, "452 4.3.1 "),
            (Refusal::StoreBroken, "451 4.3.0 "),
            (Refusal::Unavailable(text()), "451 4.3.2 because\r\n"),
        ]
    }

    #[test]
    fn each_refusal_has_its_code() {
        for (refusal, start) in every_refusal() {
            let temporary = refusal.permanence() == Permanence::Temporary;
            let reply = written(&Reply::from(refusal.clone()));
            assert!(reply.starts_with(start), "{refusal:?}: {reply}");
            assert_eq!(temporary, reply.starts_with('4'), "{refusal:?}");
        }
    }

    #[test]
    fn no_text_breaks_out_of_its_reply() {
        let hostile = "a\r\n250 2.0.0 forged\n\0\u{7f}\u{1b}[31m\u{e9} \rtail".to_owned();
        let reply = written(&Refusal::Unavailable(hostile).into());
        assert_eq!(reply, "451-4.3.2 a\r\n451-4.3.2 250 2.0.0 forged\r\n451 4.3.2 ???[31m? ?tail\r\n");
    }

    #[test]
    fn lines_stay_within_512_octets() {
        for text in ["word ".repeat(400), "x".repeat(3000), "y\n".repeat(100), String::new()] {
            let reply = written(&Refusal::NotProved(text).into());
            let lines: Vec<&str> = reply.split_inclusive("\r\n").collect();
            let (last, before) = lines.split_last().expect("a line");
            assert!(lines.len() <= LINES);
            assert!(lines.iter().all(|line| line.len() <= LINE));
            assert!(last.starts_with("550 5.7.1 "));
            assert!(before.iter().all(|line| line.starts_with("550-5.7.1 ")));
        }
    }
}
