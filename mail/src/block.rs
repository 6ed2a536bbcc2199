//! Which lines make up a header block, within a budget: fields, junk among them, or the body that began without an empty
//! line. Reads no field's value.

use memchr::memchr;

use crate::header::{Field, Fields};

/// Most fields read of one block.
const FIELDS_MAX: usize = 2000;

/// Fields that mail programs write. Before another field a line that is none may be the body's first.
const KNOWN: [&str; 34] = [
    "authentication-results",
    "auto-submitted",
    "bcc",
    "cc",
    "comments",
    "date",
    "delivered-to",
    "delivery-date",
    "disposition-notification-to",
    "dkim-signature",
    "envelope-to",
    "errors-to",
    "from",
    "importance",
    "in-reply-to",
    "keywords",
    "lines",
    "mailing-list",
    "message-id",
    "mime-version",
    "organization",
    "precedence",
    "priority",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "status",
    "subject",
    "thread-index",
    "to",
    "user-agent",
];
const KNOWN_FAMILIES: [&str; 5] = ["x-", "content-", "list-", "resent-", "arc-"];

/// Whose head it is: what ends it is another matter for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The mail itself or a part of a multipart. As servers do that take such a mail, the first line that is neither a
    /// field nor junk among fields is taken for the body's.
    Mail,
    /// A mail attached whole, which no server has looked at: for those who open it only an empty line ends its head
    /// (RFC 5322 §2.1).
    Attached,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It belongs to the block.
    Line,
    /// It is the empty line that ends the block.
    End,
    /// It is no header line; it was kept, for what follows decides what it is.
    Held,
    /// It belongs to the body, and so does what was held.
    Body,
}

/// What a line inside a header block is (RFC 5322 §2.2, §3.6; RFC 4155 for the envelope line of a mailbox file).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Blank,
    Field,
    Folded,
    Envelope,
    /// No header line.
    Other,
}

impl LineKind {
    /// Judges by the beginning of the line alone, so that a line longer than the beginning gets the same answer.
    fn of(line: &[u8]) -> Self {
        match line {
            [] | [b'\n'] | [b'\r', b'\n'] => Self::Blank,
            [b' ' | b'\t', ..] => Self::Folded,
            // `From :` is the obsolete form of the field; the line of a mailbox file has blanks before its colons.
            _ if field_name(line).is_some() => Self::Field,
            [.., b'\n'] if line.starts_with(b"From ") || line.starts_with(b">From ") => Self::Envelope,
            _ => Self::Other,
        }
    }
}

/// Printable ASCII before a colon; white space before the colon is the obsolete form of RFC 5322 §4.5.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let name = line[..memchr(b':', line)?].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

/// Whether the line begins a field that mail programs write.
fn is_known(line: &[u8]) -> bool {
    let begins = |name: &[u8], start: &str| {
        name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
    };
    field_name(line).is_some_and(|name| {
        KNOWN.iter().any(|known| known.len() == name.len() && begins(name, known))
            || KNOWN_FAMILIES.iter().any(|start| begins(name, start))
    })
}

/// Whether there is more than a ruler.
fn says_something(lines: &[u8]) -> bool {
    lines.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// The lines of a header block as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// Bytes kept of the last field.
    field_length: usize,
    overflow: bool,
    /// Whole lines from one on that is no header line, up to one that decides what they are.
    held: Vec<u8>,
    junk: Vec<u8>,
}

impl Block {
    /// Takes a line, or the beginning of a long one.
    pub(crate) fn line(&mut self, line: &[u8], budget: usize, owner: Owner) -> Taken {
        match LineKind::of(line) {
            _ if !self.held.is_empty() => return self.held_line(line, budget),
            LineKind::Field => self.field(line, budget),
            LineKind::Folded => self.push(line, budget),
            LineKind::Envelope => {}
            LineKind::Blank => return Taken::End,
            LineKind::Other if !line.ends_with(b"\n") => return Taken::Body,
            LineKind::Other if owner == Owner::Attached => {
                self.junk(line, budget);
                return Taken::Held;
            }
            LineKind::Other => {
                self.held.extend_from_slice(line);
                return Taken::Held;
            }
        }
        Taken::Line
    }

    /// One line before a field is junk. Several are, with the fields among them, if the next one is a field that mail
    /// programs write; people's text has lines with colons too.
    fn held_line(&mut self, line: &[u8], budget: usize) -> Taken {
        let one = memchr(b'\n', &self.held).is_some_and(|end| end + 1 == self.held.len());
        match LineKind::of(line) {
            LineKind::Field if one || is_known(line) => {
                self.release(budget);
                self.field(line, budget);
                Taken::Line
            }
            LineKind::Blank if !says_something(&self.held) => {
                self.release(budget);
                Taken::End
            }
            LineKind::Blank => Taken::Body,
            _ if !line.ends_with(b"\n") || self.held.len() + line.len() > budget => Taken::Body,
            _ => {
                self.held.extend_from_slice(line);
                Taken::Held
            }
        }
    }

    /// What was held is of the head.
    fn release(&mut self, budget: usize) {
        let held = std::mem::take(&mut self.held);
        for line in held.split_inclusive(|&byte| byte == b'\n') {
            match LineKind::of(line) {
                LineKind::Field => self.field(line, budget),
                LineKind::Folded => self.push(line, budget),
                _ => self.junk(line, budget),
            }
        }
    }

    fn field(&mut self, bytes: &[u8], budget: usize) {
        if self.bytes.last().is_some_and(|&last| last != b'\n') && self.bytes.len() < budget {
            self.bytes.push(b'\n');
        }
        self.field_length = 0;
        self.push(bytes, budget);
    }

    /// More of the same field. A field takes at most half the budget, so that an endless one hides no other.
    pub(crate) fn push(&mut self, bytes: &[u8], budget: usize) {
        let room =
            (budget / 2).saturating_sub(self.field_length).min(budget.saturating_sub(self.bytes.len()));
        let taken = bytes.len().min(room);
        self.overflow |= taken < bytes.len();
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.field_length += taken;
    }

    fn junk(&mut self, line: &[u8], budget: usize) {
        let room = budget.saturating_sub(self.junk.len());
        self.overflow |= line.len() > room;
        self.junk.extend_from_slice(&line[..line.len().min(room)]);
    }

    /// Whether nothing stands between the delimiter before the block and here.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.held.is_empty() && self.junk.is_empty()
    }

    /// The block with line ends, if it has bare CRs for all of them.
    pub(crate) fn with_line_ends(&self) -> Option<Vec<u8>> {
        with_line_ends(&self.bytes)
    }

    /// Takes the held lines out, which are the body's; empty when there are none.
    pub(crate) fn held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Lines that are no header lines, and no lines of the body either.
    pub(crate) fn junk_lines(&self) -> &[u8] {
        &self.junk
    }

    /// The fields, in order. A folded line before the first field belongs to none.
    pub(crate) fn fields(&mut self) -> Fields<'_> {
        if self.bytes.last().is_some_and(|&last| last != b'\n') {
            self.bytes.push(b'\n');
        }
        let mut cut = self.overflow;
        let mut list = Vec::with_capacity(24);
        let mut rest = &self.bytes[..];
        while !rest.is_empty() {
            if list.len() == FIELDS_MAX {
                cut = true;
                break;
            }
            let (field, after) = rest.split_at(unfolded_end(rest));
            if let Some(name) = field_name(field) {
                let colon = memchr(b':', field).unwrap_or(name.len());
                list.push(Field::new(name, &field[colon + 1..]));
            }
            rest = after;
        }
        Fields::new(list, cut)
    }
}

/// A mail from before Mac OS X, in which a bare CR ends every line: to everybody else it is one endless line (RFC 5322
/// §2.3). Gives it line ends.
pub(crate) fn with_line_ends(bytes: &[u8]) -> Option<Vec<u8>> {
    let bare = memchr(b'\r', bytes).is_some() && memchr(b'\n', bytes).is_none();
    bare.then(|| bytes.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect())
}

/// Where the field that begins here ends: behind the first line end that no white space follows.
fn unfolded_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(i) = memchr(b'\n', &bytes[at..]) {
        at += i + 1;
        if !matches!(bytes.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
    bytes.len()
}
