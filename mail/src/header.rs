//! One header block: which lines belong to it, which fields it has, what their values say. Decoding of encoded words,
//! dates and addresses is mail-parser's; which field counts when there are several is decided here (the first).

use std::borrow::Cow;

use mail_parser::{
    Addr, Address, HeaderValue, decoders::charsets::map::charset_decoder, parsers::MessageStream,
};
use memchr::memchr;

use crate::{Person, date, parameters::Parameters, words};

/// Longest value read of a field that is parsed in more than linear time or shown whole.
const VALUE_MAX: usize = 16 * 1024;
/// Longest value read of a parameter list: enough for a file name of 255 characters, percent-encoded.
const PARAMETERS_MAX: usize = 4 * 1024;
/// Most fields read of one block.
const FIELDS_MAX: usize = 2000;

/// What a line inside a header block is (RFC 5322 §2.2, §3.6; RFC 4155 for the envelope line of a mailbox file).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Blank,
    Field,
    Folded,
    Envelope,
    /// No header line: the body has begun without an empty line.
    Body,
}

impl LineKind {
    /// Judges by the beginning of the line alone, so that a line longer than the beginning gets the same answer.
    pub(crate) fn of(line: &[u8]) -> Self {
        match line {
            [] | [b'\n'] | [b'\r', b'\n'] => Self::Blank,
            [b' ' | b'\t', ..] => Self::Folded,
            // `From :` is the obsolete form of the field; the line of a mailbox file has blanks before its colons.
            _ if field_name(line).is_some() => Self::Field,
            [.., b'\n'] if line.starts_with(b"From ") || line.starts_with(b">From ") => Self::Envelope,
            _ => Self::Body,
        }
    }
}

/// Printable ASCII before a colon; white space before the colon is the obsolete form of RFC 5322 §4.5.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let name = line[..memchr(b':', line)?].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

/// The lines of a header block as they arrive, within a budget.
///
/// A line that is no header line may be junk among the fields or the body that began without an empty line. The line
/// after it decides, so it is held: before a field it is junk.
#[derive(Debug, Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// Bytes kept of the last field.
    field_length: usize,
    overflow: bool,
    doubtful: Vec<u8>,
}

impl Block {
    /// A line that begins a field, or the beginning of one.
    pub(crate) fn field(&mut self, bytes: &[u8], budget: usize) {
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

    /// Whether nothing stands between the delimiter before the block and here.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.doubtful.is_empty()
    }

    /// The block with line ends, if it has bare CRs for all of them.
    pub(crate) fn with_line_ends(&self) -> Option<Vec<u8>> {
        with_line_ends(&self.bytes)
    }

    /// Holds a line; there was none held before.
    pub(crate) fn doubt(&mut self, line: &[u8]) {
        self.doubtful = line.to_vec();
    }

    /// The held line, empty when there is none.
    pub(crate) fn doubtful(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.doubtful)
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
                list.push(Field { name, value: &field[colon + 1..] });
            }
            rest = after;
        }
        Fields { list, cut }
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

/// The fields of one block.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    list: Vec<Field<'a>>,
    cut: bool,
}

/// One field; its value is raw, folded and ends with a line end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Whether the block was longer than its budget, so that fields may be missing.
    pub(crate) fn cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b Field<'a>> {
        self.list.iter().filter(move |field| field.is(name))
    }

    pub(crate) fn first(&self, name: &str) -> Option<&Field<'a>> {
        self.list.iter().find(|field| field.is(name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// Decoded text of the first field of this name; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.first(name).map(Field::text).unwrap_or_default()
    }

    /// The value's first word in lower case, without comments and parameters; empty when there is none.
    pub(crate) fn token(&self, name: &str) -> String {
        self.first(name).map(Field::token).unwrap_or_default()
    }
}

impl Field<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Encoded words decoded, runs of white space made one space, trimmed.
    pub(crate) fn text(&self) -> String {
        collapse(&words::decode(&self.value[..self.value.len().min(VALUE_MAX)]))
    }

    pub(crate) fn token(&self) -> String {
        let value = self.value.trim_ascii();
        let end = value.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'(' | b','));
        String::from_utf8_lossy(&value[..end.unwrap_or(value.len()).min(127)]).to_ascii_lowercase()
    }

    /// Mailboxes in order, groups flattened, at most `most` of them.
    pub(crate) fn people(&self, most: usize) -> Vec<Person> {
        let value = self.bounded(usize::MAX);
        let HeaderValue::Address(address) = MessageStream::new(&value).parse_address() else {
            return Vec::new();
        };
        let people: Vec<Addr<'_>> = match address {
            Address::List(list) => list,
            Address::Group(groups) => groups.into_iter().flat_map(|group| group.addresses).collect(),
        };
        people.into_iter().take(most).map(person).collect()
    }

    /// Message ids without angle brackets, the last `most` of them.
    pub(crate) fn ids(&self, most: usize) -> Vec<String> {
        let value = self.bounded(usize::MAX);
        let ids = match MessageStream::new(&value).parse_id() {
            HeaderValue::Text(id) => vec![id],
            HeaderValue::TextList(ids) => ids,
            _ => Vec::new(),
        };
        let skipped = ids.len().saturating_sub(most);
        ids.into_iter().skip(skipped).map(|id| clip(&id, 998)).collect()
    }

    /// Seconds since 1970.
    pub(crate) fn date(&self) -> Option<i64> {
        date::parse(&String::from_utf8_lossy(&self.value[..self.value.len().min(200)]))
    }

    /// A type with parameters: `Content-Type`, `Content-Disposition`.
    pub(crate) fn parameters(&self) -> Parameters {
        Parameters::parse(&self.value[..self.value.len().min(PARAMETERS_MAX)])
    }

    /// The value's first `most` bytes, always ending with a line end, and always UTF-8: raw 8-bit text that is not
    /// (RFC 6532 came late) is taken for Windows-1252, which is what old clients mostly meant.
    fn bounded(&self, most: usize) -> Cow<'_, [u8]> {
        let value = &self.value[..self.value.len().min(most)];
        match (std::str::from_utf8(value), value.ends_with(b"\n")) {
            (Ok(_), true) => Cow::Borrowed(value),
            (Ok(text), false) => Cow::Owned([text.as_bytes(), b"\n"].concat()),
            (Err(_), _) => {
                let mut text = western(value);
                text.push('\n');
                Cow::Owned(text.into_bytes())
            }
        }
    }
}

/// Windows-1252, in which every byte is a character.
pub(crate) fn western(bytes: &[u8]) -> String {
    match charset_decoder(b"windows-1252") {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Runs of white space made one space, trimmed.
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The first `most` bytes of a text, cut between characters.
pub(crate) fn clip(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

fn person(read: Addr<'_>) -> Person {
    let kept = |text: &str| (!text.is_empty()).then(|| clip(text, 998));
    let name = read.name.as_deref().and_then(|name| kept(&collapse(name)));
    let written = read.address.unwrap_or_default();
    match addr_spec(&written) {
        Some(address) => Person { name, address: kept(&address) },
        None => Person { name: name.or_else(|| kept(&collapse(&written))), address: None },
    }
}

/// Takes the obsolete forms of RFC 5322 §4.4 apart: a route before the address, blanks around dots and the `@`.
/// Words that are no address are none.
fn addr_spec(written: &str) -> Option<String> {
    let written = written.trim();
    let written = match written.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, behind)) => behind.trim(),
        None => written,
    };
    let mut address = String::with_capacity(written.len());
    for word in written.split_whitespace() {
        let joins = address.is_empty() || address.ends_with(['.', '@']) || word.starts_with(['.', '@']);
        if !joins && !address.starts_with('"') {
            return None;
        }
        if !joins {
            address.push(' ');
        }
        address.push_str(word);
    }
    (!address.is_empty()).then_some(address)
}
