//! The values a notice may hold, each parsed into a type of its own.
//!
//! There is no conversion from a plain string, and what these types accept cannot carry a meter
//! point, an address, a line break or markup: text of a mail has no way in.

use std::fmt;

use jiff::civil::{Date, DateTime};

/// Longest company or process name that a notice prints, in characters.
const NAME_LIMIT: usize = 80;

/// Digits in a row that a name may hold; an MPRN starts at six.
const DIGIT_RUN: usize = 5;

/// Longest link in bytes; a subject or text line of RFC 5322 §2.1.1 ends at 998.
const LINK_LIMIT: usize = 400;

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not of the form `K7Q-4M2X`.
    #[error("a case reference looks like K7Q-4M2X: three and four letters or digits")]
    Reference,
    /// Empty, too long, or with characters that a name has no use for.
    #[error(
        "the {0} name must have 1 to 80 letters, digits, spaces or any of & ' ( ) , - . / and no \
         run of six digits; correct it in the directory or the catalogue"
    )]
    Name(&'static str),
    /// Not an address of the portal's own.
    #[error("a link must start with http:// or https:// and a host name, and end in a case locator")]
    Link,
    /// Too short, too long, or with characters that a phrase has no use for.
    #[error(
        "the phrase must have two words at least, 8 to 60 letters, digits, spaces or any of , - . ' and no run of four \
         digits"
    )]
    Phrase,
    /// Longer than an address may be, or with a space or a control character in it.
    #[error("a recipient must be one mail address without spaces")]
    Recipient,
}

/// The case reference that people read out on the telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReference(String);

impl CaseReference {
    /// Reads `K7Q-4M2X`: three and four upper-case letters or digits.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let (front, back) = text.split_once('-').ok_or(FieldError::Reference)?;
        let plain = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        if plain(front, 3) && plain(back, 4) { Ok(Self(text.to_owned())) } else { Err(FieldError::Reference) }
    }
}

/// The name of a business process, from the shipped catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessName(String);

impl ProcessName {
    /// Takes a catalogue entry's name.
    pub fn from_catalogue(name: &str) -> Result<Self, FieldError> {
        plain_name(name).map(Self).ok_or(FieldError::Name("process"))
    }
}

/// The name of a company group, from the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyName(String);

impl CompanyName {
    /// Takes a group's name as an administrator entered it.
    pub fn from_directory(name: &str) -> Result<Self, FieldError> {
        plain_name(name).map(Self).ok_or(FieldError::Name("company"))
    }
}

/// What a company has chosen so that its people know a real letter: `Green kettle on the roof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(String);

impl Phrase {
    /// Takes it as an administrator typed it. It is ASCII and holds nothing that markup knows.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        /// So many digits in a row may be part of a number of somebody.
        const DIGITS: usize = 4;
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ,-.'".contains(c);
        let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        let sound = (8..=60).contains(&text.len())
            && text.chars().all(allowed)
            && digits < DIGITS
            && text.split(' ').filter(|word| !word.is_empty()).count() >= 2;
        if sound { Ok(Self(text.to_owned())) } else { Err(FieldError::Phrase) }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn plain_name(name: &str) -> Option<String> {
    let name = name.trim();
    let length = name.chars().count();
    let allowed = |c: char| c.is_alphanumeric() || " &'(),-./’".contains(c);
    let digits = name.split(|c: char| !c.is_numeric()).map(|run| run.chars().count()).max().unwrap_or(0);
    (1..=NAME_LIMIT).contains(&length).then_some(())?;
    (name.chars().all(allowed) && digits <= DIGIT_RUN).then(|| name.to_owned())
}

/// The civil date by whose end an answer is due (Europe/London).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueDate(Date);

impl DueDate {
    /// The date that the calendar computed.
    pub fn on(date: Date) -> Self {
        Self(date)
    }

    /// `5 June`
    pub(crate) fn short(self) -> String {
        self.0.strftime("%-d %B").to_string()
    }

    /// `Friday 5 June 2026`
    pub(crate) fn long(self) -> String {
        self.0.strftime("%A %-d %B %Y").to_string()
    }
}

/// When a mail arrived, by the market's wall clock (Europe/London): how a person finds it without its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(DateTime);

impl Moment {
    /// The local date and time.
    pub fn at(moment: DateTime) -> Self {
        Self(moment)
    }

    /// `5 June, 14:02`
    pub(crate) fn short(self) -> String {
        self.0.strftime("%-d %B, %H:%M").to_string()
    }

    /// `Friday 5 June 2026, 14:02`
    pub(crate) fn long(self) -> String {
        self.0.strftime("%A %-d %B %Y, %H:%M").to_string()
    }
}

/// Whom a mail was for that Postern passed on: an address of the envelope, which the reader wrote there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(String);

impl Recipient {
    /// Takes an address as it stood in the envelope.
    pub fn of_envelope(address: &str) -> Result<Self, FieldError> {
        let (local, domain) = address.rsplit_once('@').ok_or(FieldError::Recipient)?;
        // Within quotes a blank is a character like others (RFC 5321 §4.1.2); none of them ends the line.
        let inner = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
        let quoted = inner.is_some_and(|inner| !inner.chars().any(char::is_control));
        let bare =
            |part: &str| !part.chars().any(|c| c.is_whitespace() || c.is_control() || "<>".contains(c));
        let sound = address.len() <= LINK_LIMIT && (quoted || bare(local)) && bare(domain);
        if sound { Ok(Self(address.to_owned())) } else { Err(FieldError::Recipient) }
    }
}

/// The portal's public address: `https://portal.example`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalAddress(String);

impl PortalAddress {
    /// Reads `https://host[:port]`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let portal = text.trim_end_matches('/');
        let host = portal.strip_prefix("https://").or_else(|| portal.strip_prefix("http://"));
        let host = host.ok_or(FieldError::Link)?;
        let sound = !host.is_empty()
            && portal.len() <= LINK_LIMIT
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        if sound { Ok(Self(portal.to_owned())) } else { Err(FieldError::Link) }
    }
}

/// Where the case waits: `https://portal.example/case/` and the locator. A place, not a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    portal: PortalAddress,
    locator: String,
}

/// Where one person chooses a password, once: `https://portal.example/invitation/` or `/reset/`, and a token. A key, so
/// no other letter than the one about it can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLink {
    portal: PortalAddress,
    place: &'static str,
    token: String,
}

impl PasswordLink {
    /// `token`: 32 lower-case letters and digits.
    pub fn invitation(portal: &str, token: &str) -> Result<Self, FieldError> {
        Self::to("invitation", portal, token)
    }

    /// The same for somebody who has a password already.
    pub fn reset(portal: &str, token: &str) -> Result<Self, FieldError> {
        Self::to("reset", portal, token)
    }

    fn to(place: &'static str, portal: &str, token: &str) -> Result<Self, FieldError> {
        let portal = PortalAddress::parse(portal)?;
        if is_locator(token) {
            Ok(Self { portal, place, token: token.to_owned() })
        } else {
            Err(FieldError::Link)
        }
    }

    pub(crate) fn is_invitation(&self) -> bool {
        self.place == "invitation"
    }
}

fn is_locator(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

impl fmt::Display for PasswordLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.portal, self.place, self.token)
    }
}

impl Link {
    /// `portal` is the portal's public address (`https://host[:port]`), `locator` the case id: 32
    /// lower-case letters and digits.
    pub fn to_case(portal: &str, locator: &str) -> Result<Self, FieldError> {
        let portal = PortalAddress::parse(portal)?;
        if is_locator(locator) {
            Ok(Self { portal, locator: locator.to_owned() })
        } else {
            Err(FieldError::Link)
        }
    }

    /// The portal's own address, which every real notice points at.
    pub(crate) fn portal(&self) -> &PortalAddress {
        &self.portal
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/case/{}", self.portal, self.locator)
    }
}

impl fmt::Display for PortalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CaseReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CompanyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_one_form() {
        assert!(CaseReference::parse("K7Q-4M2X").is_ok());
        for bad in ["", "K7Q4M2X", "k7q-4m2x", "K7Q-4M2X\r\nBcc: x", "K7Q-4M2", "Ä7Q-4M2X"] {
            assert_eq!(CaseReference::parse(bad), Err(FieldError::Reference), "{bad:?}");
        }
    }

    #[test]
    fn names_cannot_carry_mail_content() {
        assert!(CompanyName::from_directory("O’Neill & Sons (Energy), Ltd.").is_ok());
        for bad in [
            "",
            "   ",
            "1200023305967",
            "Alpha 123409",
            "jo@alpha.example",
            "Alpha\r\nBcc: x",
            "Alpha\u{202e}",
            "<b>Alpha</b>",
            "https://alpha.example",
            "Alpha: urgent",
        ] {
            assert!(CompanyName::from_directory(bad).is_err(), "{bad:?}");
            assert!(ProcessName::from_catalogue(bad).is_err(), "{bad:?}");
        }
        assert!(CompanyName::from_directory(&"A".repeat(81)).is_err());
    }

    #[test]
    fn links_point_at_the_portal_only() {
        let locator = "0123456789abcdefghijklmnopqrstuv";
        let link = Link::to_case("https://portal.example/", locator).unwrap();
        assert_eq!(link.to_string(), format!("https://portal.example/case/{locator}"));
        assert!(Link::to_case("http://[::1]:8080", locator).is_ok());
        for (portal, locator) in [
            ("javascript:alert(1)", locator),
            ("https://", locator),
            ("https://a.example/x", locator),
            ("https://user@a.example", locator),
            ("https://a.example", "short"),
            ("https://a.example", "0123456789ABCDEFGHIJKLMNOPQRSTUV"),
        ] {
            assert_eq!(Link::to_case(portal, locator), Err(FieldError::Link));
        }
    }

    #[test]
    fn dates_read_as_british_english() {
        let due = DueDate::on(jiff::civil::date(2026, 6, 5));
        assert_eq!(due.short(), "5 June");
        assert_eq!(due.long(), "Friday 5 June 2026");
        let moment = Moment::at(jiff::civil::date(2026, 6, 5).at(14, 2, 59, 0));
        assert_eq!(moment.short(), "5 June, 14:02");
        assert_eq!(moment.long(), "Friday 5 June 2026, 14:02");
    }

    #[test]
    fn a_recipient_is_one_address() {
        for good in ["jo.o’neill@beta.example", "\"a b\"@c.example", "\"<a>@b\"@c.example"] {
            assert_eq!(Recipient::of_envelope(good).map(|known| known.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "jo",
            "a b@c.example",
            "a@b.example\r\nBcc: x",
            "<a@b.example>",
            "\"a\r\nb\"@c.example",
            "\"a b@c.example",
            "\"a\"@c.example x",
        ] {
            assert_eq!(Recipient::of_envelope(bad), Err(FieldError::Recipient), "{bad:?}");
        }
        assert!(Recipient::of_envelope(&format!("{}@b.example", "a".repeat(500))).is_err());
    }
}
