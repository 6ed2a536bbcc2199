//! One mailbox address of RFC 5321. Parsed strictly, kept as written; it never says whether the mailbox exists.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// RFC 5321 §4.5.3.1: longest local part, domain and path in octets (the path counts its angle brackets).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;
const ADDRESS_MAX: usize = 254;
const LABEL_MAX: usize = 63;

/// Why a text is no address. The text itself is not repeated: addresses do not belong in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing before or after it.
    #[error("an address needs a name, an @ and a domain, such as staff@alpha.example")]
    Incomplete,
    /// Local part, domain or the whole beyond the limits of RFC 5321 §4.5.3.1.
    #[error("the address is too long: at most 64 octets before the @ and 254 in all")]
    TooLong,
    /// Local part neither a dot-atom nor a quoted string.
    #[error("the part before the @ has a character or a dot where none may stand")]
    Local,
    /// Neither a domain name nor an address literal.
    #[error("the part after the @ is neither a domain name nor an address literal such as [192.0.2.1]")]
    Domain,
}

/// A mailbox: local part as written (quotes included), domain in lower case. Two addresses are equal when local part
/// (exactly) and domain are; use [`Address::key`] to find the mailbox a person meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// Reads an address as it stands between the angle brackets of an SMTP path (RFC 5321 §4.1.2, RFC 6531 §3.3).
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or(AddressError::Incomplete)?;
        // Lower case first: some letters are longer in it, and what is kept must read back.
        let (local, domain) = (&text[..at], text[at + 1..].to_lowercase());
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Incomplete);
        }
        if local.len() > LOCAL_MAX || domain.len() > DOMAIN_MAX || at + 1 + domain.len() > ADDRESS_MAX {
            return Err(AddressError::TooLong);
        }
        if !is_dot_string(local) && !is_quoted_string(local) {
            return Err(AddressError::Local);
        }
        if !is_domain_name(&domain) && !is_address_literal(&domain) {
            return Err(AddressError::Domain);
        }
        Ok(Self { text: format!("{local}@{domain}"), at })
    }

    /// The part before the `@`, as written.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The whole address in lower case: what a mailbox is looked up by. In theory local parts differ by case
    /// (RFC 5321 §2.4); no company of the market gives two people addresses that do.
    pub fn key(&self) -> String {
        self.text.to_lowercase()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.text)
    }
}

impl<C> Encode<C> for Address {
    fn encode<W: encode::Write>(
        &self,
        out: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        out.str(&self.text)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Address {
    fn decode(input: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        input.str()?.parse().map_err(decode::Error::custom)
    }
}

/// RFC 5321 §4.1.2 `Dot-string`, with the characters above ASCII that RFC 6531 §3.3 adds.
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

/// RFC 5321 §4.1.2 `Quoted-string`: printable characters, `"` and `\` only behind a `\`.
fn is_quoted_string(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        let allowed = match c {
            '\\' => matches!(characters.next(), Some(' '..='~')),
            '"' => false,
            c => c == ' ' || is_visible(c),
        };
        if !allowed {
            return false;
        }
    }
    local.len() >= 2
}

/// Labels of letters, digits and inner hyphens; underscores are tolerated because real host names have them.
fn is_domain_name(domain: &str) -> bool {
    domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_label_character)
    })
}

/// RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
fn is_address_literal(domain: &str) -> bool {
    let Some(inner) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner[5..].parse::<Ipv6Addr>().is_ok(),
        _ => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

fn is_atom_character(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        c if c.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(c),
        c => is_visible(c),
    }
}

fn is_label_character(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || c == '_'
        || (!c.is_ascii() && c.is_alphanumeric())
        || is_combining(c)
}

fn is_visible(c: char) -> bool {
    !c.is_control() && !c.is_whitespace() && !is_direction_mark(c)
}

/// Marks that join to a letter in Indic scripts and others; they count as alphanumeric in no standard library.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{0900}'..='\u{0dff}' | '\u{0e31}'..='\u{0e4e}' | '\u{200c}' | '\u{200d}')
}

/// Characters that turn or hide what stands beside them: an address must read as it is.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_they_are() {
        for good in [
            "staff@alpha.example",
            "a.b+tag@alpha.example",
            "o'brien_1{}@x",
            "\"two words\"@alpha.example",
            "\"a\\\"b@c\"@alpha.example",
            "müller@bücher.example",
            "用户@例子.example",
            "a@[192.0.2.1]",
            "a@[ipv6:2001:db8::1]",
            "a@xn--bcher-kva.example",
        ] {
            assert_eq!(Address::parse(good).map(|read| read.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn what_is_no_address() {
        for (bad, error) in [
            ("", AddressError::Incomplete),
            ("staff", AddressError::Incomplete),
            ("@alpha.example", AddressError::Incomplete),
            ("staff@", AddressError::Incomplete),
            (".a@x", AddressError::Local),
            ("a..b@x", AddressError::Local),
            ("a b@x", AddressError::Local),
            ("a\r\nRCPT TO:<b@x>@y", AddressError::Local),
            ("a\0@x", AddressError::Local),
            ("a@b@x", AddressError::Local),
            ("\"a\"b\"@x", AddressError::Local),
            ("\"a\\\"@x", AddressError::Local),
            ("\"@x", AddressError::Local),
            ("a\u{202e}b@x", AddressError::Local),
            ("a@x..y", AddressError::Domain),
            ("a@-x", AddressError::Domain),
            ("a@x y", AddressError::Domain),
            ("a@x>", AddressError::Domain),
            ("a@[192.0.2]", AddressError::Domain),
            ("a@[IPv6:::g]", AddressError::Domain),
            ("a@[é]", AddressError::Domain),
        ] {
            assert_eq!(Address::parse(bad), Err(error), "{bad:?}");
        }
        assert_eq!(Address::parse(&format!("{}@x", "a".repeat(65))), Err(AddressError::TooLong));
        assert_eq!(Address::parse(&format!("a@{}x", "a.".repeat(130))), Err(AddressError::TooLong));
    }

    #[test]
    fn the_domain_has_one_spelling_and_the_key_none_but_one() {
        let written = Address::parse("Ann.Smith@Alpha.EXAMPLE").unwrap();
        assert_eq!((written.local(), written.domain()), ("Ann.Smith", "alpha.example"));
        assert_eq!(written, Address::parse("Ann.Smith@alpha.example").unwrap());
        assert_ne!(written, Address::parse("ann.smith@alpha.example").unwrap());
        assert_eq!(written.key(), "ann.smith@alpha.example");
    }

    #[test]
    fn stored_form_is_checked_when_read() {
        let address = Address::parse("a@x").unwrap();
        assert_eq!(minicbor::decode::<Address>(&minicbor::to_vec(&address).unwrap()).unwrap(), address);
        assert!(minicbor::decode::<Address>(b"\x63a@@").is_err());
    }
}
