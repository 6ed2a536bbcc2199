//! The fields of one header block and what their values say. Which field counts when there are several is decided here (the
//! first); which lines are fields is not.

use std::borrow::Cow;

use mail_parser::{
    Addr, Address, HeaderValue, decoders::charsets::map::charset_decoder, parsers::MessageStream,
};

use crate::{Person, date, parameters::Parameters, words};

/// Longest value read of a field that is parsed in more than linear time or shown whole.
const VALUE_MAX: usize = 16 * 1024;
/// Longest value read of a parameter list: enough for a file name of 255 characters, percent-encoded.
const PARAMETERS_MAX: usize = 4 * 1024;
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
    pub(crate) fn new(list: Vec<Field<'a>>, cut: bool) -> Self {
        Self { list, cut }
    }

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

impl<'a> Field<'a> {
    pub(crate) fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value }
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
