//! What a mail is, how it came and what is wrong with it, in plain words. Claims of the mail are cut to
//! one line that cannot turn the page around.

use mail::{Class, Defect, Headline, Person, Scan};
use store::{Addressed, AuthResult, Authentication, Proof};
use templates::pages::{Check, Mark};

use super::{files, signature_words};
use crate::access::Visitor;

/// Longest subject, name or list of recipients that is shown, in characters.
const LONGEST_LINE: usize = 300;

/// People of one header field that are shown.
const MOST_PEOPLE: usize = 20;

/// One line of the mail's head: no controls, nothing that turns the reading direction, not endless.
pub(super) fn line(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line: String = text.chars().filter(|c| !hidden(*c)).take(LONGEST_LINE + 1).collect();
    if line.chars().count() > LONGEST_LINE {
        line.pop();
        line.push('…');
    }
    line
}

/// Name and address of the author.
pub(super) fn author(headline: &Headline) -> (String, Option<String>) {
    match headline.from.first() {
        None => ("No author named".to_owned(), None),
        Some(Person { name: Some(name), address }) if !name.trim().is_empty() => {
            (line(name), address.as_deref().map(line))
        }
        Some(Person { address, .. }) => {
            (address.as_deref().map_or_else(|| "No author named".to_owned(), line), None)
        }
    }
}

pub(super) fn person(person: &Person) -> String {
    let given = [&person.name, &person.address].into_iter().flatten().find(|text| !text.trim().is_empty());
    given.map(|text| line(text)).unwrap_or_default()
}

pub(super) fn people(people: &[Person]) -> String {
    let names: Vec<_> = people.iter().take(MOST_PEOPLE).map(person).filter(|name| !name.is_empty()).collect();
    let more = people.len().saturating_sub(MOST_PEOPLE);
    match more {
        0 => line(&names.join(", ")),
        more => format!("{} and {more} more", line(&names.join(", "))),
    }
}

/// How the company was proved.
pub(super) fn proof(proof: &Proof, visitor: &Visitor) -> String {
    match proof {
        Proof::Login(user, _) => format!("Sender proved by login of {}", line(&visitor.user_name(user))),
        Proof::Session(user) => {
            format!("Written in the portal by {}, signed in", line(&visitor.user_name(user)))
        }
        Proof::Certificate(_) => "Sender proved by its client certificate".to_owned(),
        Proof::Network => "Sender proved by its registered network".to_owned(),
        Proof::Domain(domain) => format!("Signed by {} (DKIM)", line(domain)),
        Proof::Connector(name) => format!("Sender proved by the connector {}", line(name)),
        Proof::Polled(name) => format!("Taken from the mailbox {}; its server vouched", line(name)),
    }
}

/// What the checks of the sender's domain said, and that of the mail's own signature.
pub(super) fn checks(authentication: Option<&Authentication>, headline: &Headline) -> Vec<Check> {
    let mut checks = domain_checks(authentication);
    checks.extend(signature_words::check(headline));
    checks
}

/// RFC 8601 §2.7, in words.
fn domain_checks(authentication: Option<&Authentication>) -> Vec<Check> {
    let Some(Authentication { spf, dkim, dmarc, arc, domain, addressed }) = authentication else {
        return Vec::new();
    };
    let dkim = match (dkim, domain) {
        (AuthResult::Pass, Some(domain)) => format!("{}, for {}", result(*dkim), line(domain)),
        _ => result(*dkim).to_owned(),
    };
    let check = |name, result: &str| Check { name, result: result.to_owned() };
    let mut checks = vec![
        check("SPF", result(*spf)),
        check("DKIM", &dkim),
        check("DMARC", result(*dmarc)),
        check("ARC", result(*arc)),
    ];
    checks.extend(addressed.map(|addressed| check("Recipient", named(addressed))));
    checks
}

/// A signature stays good whoever hands a mail in, and to whomever.
fn named(addressed: Addressed) -> &'static str {
    match addressed {
        Addressed::Named => "named in To or Cc",
        Addressed::Unnamed => "not named in To or Cc: a blind copy, or a mail that somebody handed on",
    }
}

fn result(result: AuthResult) -> &'static str {
    match result {
        AuthResult::None => "not there",
        AuthResult::Pass => "passed",
        AuthResult::Fail => "failed",
        AuthResult::SoftFail => "failed softly",
        AuthResult::Neutral => "says nothing",
        AuthResult::TemporaryError => "could not be checked then",
        AuthResult::PermanentError => "is set up wrongly",
    }
}

/// What is to be known at a glance.
pub(super) fn marks(class: Option<Class>, scan: Scan, headline: &Headline) -> Vec<Mark> {
    let mark = |label: &str, state| Mark { label: label.to_owned(), state };
    let kind = class.and_then(kind).map(|kind| mark(kind, "plain"));
    let viruses = match scan {
        Scan::Off => None,
        Scan::Clean => Some(mark("No virus found", "good")),
        Scan::Found => Some(mark("Virus found", "bad")),
        Scan::NotChecked => Some(mark("Not checked for viruses", "soon")),
    };
    [kind, viruses, signature_words::mark(headline)].into_iter().flatten().collect()
}

/// What no person wrote, or wrote no message with.
fn kind(class: Class) -> Option<&'static str> {
    match class {
        Class::Human => None,
        Class::AutoReply => Some("Automatic reply"),
        Class::Bounce => Some("Delivery report"),
        Class::Receipt => Some("Read receipt"),
        Class::Calendar => Some("Invitation"),
        Class::Recall => Some("Recall request"),
        Class::List => Some("List mail"),
        Class::Empty => Some("Empty mail"),
    }
}

/// What is to be known about the mail, each once: several defects can come to the same words.
pub(super) fn remarks(headline: &Headline, automatic: bool) -> Vec<String> {
    let automatic = automatic
        .then_some("This is an automatic mail: nobody was notified of it and it counts as no answer.");
    let unlisted = files::overflow(headline)
        .then_some("The mail has more files than are listed here; the original has all of them.");
    let defects = headline.defects.iter().map(|defect| in_words(*defect));
    let mut remarks: Vec<String> = Vec::new();
    let signature = signature_words::warning(headline);
    for remark in signature.into_iter().chain(automatic).chain(defects).chain(unlisted) {
        if remarks.iter().all(|said| said != remark) {
            remarks.push(remark.to_owned());
        }
    }
    remarks
}

fn in_words(defect: Defect) -> &'static str {
    match defect {
        Defect::ManyFrom | Defect::ManyAuthors => {
            "The mail names more than one author; the company shown is the one that was proved."
        }
        Defect::NoFrom => "The mail names no author; the company shown is the one that was proved.",
        Defect::ManyContentType | Defect::ManySingletons => {
            "The mail says the same thing twice in its head; other programs may show it differently."
        }
        Defect::TooDeep | Defect::TooManyParts => {
            "The mail has more parts inside each other than are opened here; the original has all of them."
        }
        Defect::HeaderTooLarge | Defect::TooManyAddresses => {
            "The head of the mail is very long; only its beginning is shown."
        }
        Defect::TextTruncated => {
            "The text is very long; only its beginning was searched for numbers and references."
        }
        Defect::NoBoundary | Defect::Unterminated | Defect::BadHeader => {
            "The mail was damaged before it arrived; it is shown as far as it can be."
        }
        Defect::BadCharset | Defect::UnknownEncoding => {
            "Some characters could not be read; the original has them as they came."
        }
        Defect::Opaque => {
            "Part of this mail is encrypted or locked with a password: nobody here could look inside, \
             and nothing in it was searched."
        }
        Defect::ContainerUnreadable => {
            "A file that should hold others, such as winmail.dat, could not be opened; it is there as it came."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_once() {
        let headline = Headline {
            defects: vec![Defect::ManyFrom, Defect::ManyAuthors, Defect::Unterminated],
            ..Headline::default()
        };
        let told = remarks(&headline, true);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("This is an automatic mail"));
        assert_eq!(remarks(&headline, false).len(), 2);
    }

    #[test]
    fn only_what_was_checked_is_clean() {
        let labels = |scan| {
            marks(None, scan, &Headline::default())
                .into_iter()
                .map(|mark| (mark.label, mark.state))
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(Scan::Off), []);
        assert_eq!(labels(Scan::Clean), [("No virus found".to_owned(), "good")]);
        assert_eq!(labels(Scan::NotChecked), [("Not checked for viruses".to_owned(), "soon")]);
        assert_eq!(labels(Scan::Found), [("Virus found".to_owned(), "bad")]);
    }

    #[test]
    fn names_stay_on_their_line() {
        assert_eq!(line("a\r\nb\u{202e}c\0"), "abc");
        assert_eq!(line(&"é".repeat(400)).chars().count(), LONGEST_LINE + 1);
        let many = vec![Person { name: None, address: Some("a@b.example".into()) }; 25];
        assert!(people(&many).ends_with(" and 5 more"));
    }
}
