//! What the detectors look at: the texts of one mail, and whose words in it are business and nobody's private matter.

use std::fmt;

use mail::{Headline, Person};

use super::fold;

/// The texts of one mail.
#[derive(Debug, Clone, Copy)]
pub struct Inspected<'a> {
    /// The decoded subject.
    pub subject: &'a str,
    /// The text of all bodies, HTML made text.
    pub text: &'a str,
    /// Every file of the mail, also one whose text is not known.
    pub attachments: &'a [Document<'a>],
    /// Who is no consumer.
    pub business: &'a Business<'a>,
}

/// A file of the mail and the text in it.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Index of the part in [`Headline::parts`].
    pub part: u32,
    /// Its file name; empty where it has none.
    pub name: &'a str,
    /// Its text; rows of a sheet are lines, their cells separated by tabs or commas. Empty where it is not known.
    pub text: &'a str,
    /// Whether that is all of it: false where a budget ended before the file did.
    pub whole: bool,
}

/// Whom a mail concerns on business: the staff of companies here, and whoever writes it or gets it.
pub struct Business<'a> {
    staff: &'a dyn Fn(&str) -> bool,
    /// Words of the correspondents' names and addresses, lower case.
    names: Vec<String>,
    /// The correspondents' addresses, lower case.
    addresses: Vec<String>,
}

impl<'a> Business<'a> {
    /// Shorter words of a name are initials, or parts of many names.
    const NAME_MIN: usize = 2;

    /// `staff` says whether a domain (lower case) is one of a company here, the sender's own or a counterparty's.
    pub fn new(staff: &'a dyn Fn(&str) -> bool, headline: &Headline) -> Self {
        let mut business = Self { staff, names: Vec::new(), addresses: Vec::new() };
        let Headline { from, sender, to, cc, .. } = headline;
        for person in from.iter().chain(sender).chain(to).chain(cc) {
            business.add(person);
        }
        business.names.sort_unstable();
        business.names.dedup();
        business.addresses.sort_unstable();
        business.addresses.dedup();
        business
    }

    /// Whether an address (lower case) is one of staff, or of who writes or gets the mail.
    pub(super) fn has_address(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or_default();
        self.addresses.binary_search_by(|known| known.as_str().cmp(address)).is_ok() || (self.staff)(domain)
    }

    /// Whether a word (lower case) belongs to the name of who writes or gets the mail.
    pub(super) fn has_name(&self, word: &str) -> bool {
        self.names.binary_search_by(|known| known.as_str().cmp(word)).is_ok()
    }

    fn add(&mut self, person: &Person) {
        if let Some(address) = &person.address {
            let address = address.to_lowercase();
            self.add_words(address.split('@').next().unwrap_or_default());
            self.addresses.push(address);
        }
        if let Some(name) = &person.name {
            self.add_words(&fold::plain(name).to_lowercase());
        }
    }

    fn add_words(&mut self, text: &str) {
        let words = text.split(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '-')));
        self.names.extend(words.filter(|word| word.len() >= Self::NAME_MIN).map(str::to_owned));
    }
}

/// Without the names.
impl fmt::Debug for Business<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Business({} addresses)", self.addresses.len())
    }
}
