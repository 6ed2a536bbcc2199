//! The typed values that a letter was given to print: what the detectors may find in it, and nothing else. A value counts
//! where it stands whole; the same words elsewhere are a finding like any other.

use std::{fmt::Display, ops::Range};

use mail::Address;
use memchr::memmem;
use policies::detect::Category;

/// Values of one letter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
struct Value {
    form: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Made here, or checked when it became a typed value: a link, an id, a reference, a name of the directory.
    Own,
    /// Written by people: it may look like a name or a street, but a number of a person in it is a leak.
    Address,
}

/// Where the values of a letter stand in one text.
pub(super) struct Places(Vec<(Range<usize>, Kind)>);

impl Printed {
    /// A value of a type of `templates`, or an id of ours.
    pub(crate) fn value(&mut self, value: impl Display) -> &mut Self {
        self.add(&value.to_string(), Kind::Own);
        self
    }

    /// Who writes the letter, who gets it, whom it is about.
    pub(crate) fn address(&mut self, address: &Address) -> &mut Self {
        self.add(&address.to_string(), Kind::Address);
        self
    }

    /// Each form in which it may stand: as it is, as markup, and within an encoded word (RFC 2047 §4.2).
    fn add(&mut self, value: &str, kind: Kind) {
        let value = value.trim().to_ascii_lowercase();
        if value.is_empty() {
            return;
        }
        let markup = value.replace('&', "&amp;").replace('\'', "&#x27;");
        let word = value.replace(' ', "_");
        for form in [spread(&value), spread(&markup), value, markup, word] {
            if !self.values.iter().any(|known| known.form == form) {
                self.values.push(Value { form, kind });
            }
        }
    }

    /// `text` is in ASCII lower case.
    pub(super) fn places(&self, text: &str) -> Places {
        let place = |value: &Value| {
            let (length, kind) = (value.form.len(), value.kind);
            let found = memmem::find_iter(text.as_bytes(), value.form.as_bytes());
            found.map(move |start| (start..start + length, kind)).collect::<Vec<_>>()
        };
        Places(self.values.iter().flat_map(place).collect())
    }
}

impl Places {
    /// Whether a finding is all inside a value that may look like it.
    pub(super) fn explain(&self, span: &Range<usize>, category: Category) -> bool {
        self.0.iter().any(|(place, kind)| {
            place.start <= span.start
                && span.end <= place.end
                && (*kind == Kind::Own || looks_like_an_address(category))
        })
    }

    /// The text without the values of our own making, for readers that say what they found but not where.
    pub(super) fn without_own(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for (place, _) in self.0.iter().filter(|(_, kind)| *kind == Kind::Own) {
            // A mark that no word or number goes on in.
            bytes[place.clone()].fill(b'*');
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What parts the pieces of an address of the web or of a query (RFC 3986 §3), made blanks.
pub(super) fn spread(text: &str) -> String {
    text.replace(['?', '&', '=', '/', '+', ';'], " ")
}

/// `bereavement@…`, `jo.street@…`, `hu1@…`.
fn looks_like_an_address(category: Category) -> bool {
    matches!(
        category,
        Category::Email
            | Category::Name
            | Category::PostalAddress
            | Category::Postcode
            | Category::Vulnerability
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_explains_what_is_inside_it_and_nothing_beside_it() {
        let mut printed = Printed::default();
        printed.value("K7Q-4M2X").address(&"jo.street@beta.example".parse().unwrap());
        let text = "case k7q-4m2x, jo.street@beta.example, street";
        let places = printed.places(text);
        let at = |part: &str, from: usize| {
            let start = text[from..].find(part).unwrap() + from;
            start..start + part.len()
        };
        assert!(places.explain(&at("k7q-4m2x", 0), Category::MeterSerial));
        assert!(!places.explain(&at("case k7q-4m2x", 0), Category::MeterSerial));
        assert!(places.explain(&at("street", 0), Category::Name));
        assert!(!places.explain(&at("street", 0), Category::Mpan), "a number of a person is a leak anywhere");
        assert!(!places.explain(&at("street", 38), Category::Name), "the same word elsewhere");
        assert_eq!(places.without_own(text), "case ********, jo.street@beta.example, street");
    }

    #[test]
    fn forms_of_markup_and_headers_are_the_same_value() {
        let mut printed = Printed::default();
        printed.value("O'Neill & Sons");
        for text in ["o'neill & sons", "o&#x27;neill &amp; sons", "o'neill_&_sons"] {
            assert!(printed.places(text).explain(&(0..text.len()), Category::Name), "{text}");
        }
    }
}
