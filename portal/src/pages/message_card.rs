//! One message as the case page and the message page show it.

use mail::{Defect, Headline, Part, PartRole, Person};
use store::{Closed, OpenMessage, Proof, Unreadable};
use templates::pages::{FileLink, MessageCard};

use crate::access::PermittedCase;
use crate::text::{self, Extent, Text};
use crate::{dates, file_names};

/// Longest subject, name or list of recipients that is shown, in characters.
const LONGEST_LINE: usize = 300;

/// Attachments that are listed; the original has all of them.
const MOST_FILES: usize = 100;

/// The card of a message, and whether its text had to be cut.
pub(super) async fn card(
    permitted: &PermittedCase,
    message: &OpenMessage,
    extent: Extent,
) -> (MessageCard, bool) {
    let (record, headline) = (&message.record, &message.headline);
    let place = format!("/case/{}/message/{}", record.case, record.id);
    let (text, unreadable) = match text::of(message, extent).await {
        Ok(text) => (text, None),
        Err(error) => {
            tracing::error!(message = %record.id, %error, "a message's text could not be opened");
            let says = "The text of this message could not be opened. Tell your Postern operator.";
            (Text::default(), Some(says.to_owned()))
        }
    };
    let (author, address) = author(headline);
    let original = file_name(permitted, message);
    let card = MessageCard {
        number: record.number,
        author,
        address,
        sender: headline.sender.as_ref().filter(|sender| !headline.from.contains(sender)).map(person),
        company: permitted.visitor().group_name(&record.from_group),
        ours: record.from_group == *permitted.visitor().group(),
        proof: proof(&record.proof).to_owned(),
        proved: true,
        subject: line(&headline.subject),
        to: people(&headline.to),
        cc: Some(people(&headline.cc)).filter(|cc| !cc.is_empty()),
        received: dates::when(record.received_at),
        text: text.fresh,
        quoted: text.quoted,
        whole: (text.cut && extent == Extent::Beginning).then(|| place.clone()),
        unreadable,
        formatted: formatted(headline, &place),
        files: files(headline, &place, is_file),
        pictures: files(headline, &place, is_picture),
        original: FileLink {
            href: format!("{place}/original"),
            name: original,
            kind: "mail".to_owned(),
            size: file_names::size(record.size),
        },
        remarks: remarks(headline, record.automatic),
    };
    (card, text.cut)
}

/// The card of a message that does not open; the others of its case do.
pub(super) fn closed(permitted: &PermittedCase, closed: &Unreadable) -> MessageCard {
    let record = &closed.record;
    let says = match &closed.why {
        Closed::Withdrawn => "The sender took this message back before anybody of your company read it.",
        Closed::Damaged(_) => {
            tracing::error!(message = %record.id, error = %closed, "a message cannot be opened");
            "This message could not be opened. Tell your Postern operator."
        }
    };
    MessageCard {
        number: record.number,
        author: permitted.visitor().group_name(&record.from_group),
        address: None,
        sender: None,
        company: permitted.visitor().group_name(&record.from_group),
        ours: record.from_group == *permitted.visitor().group(),
        proof: proof(&record.proof).to_owned(),
        proved: true,
        subject: String::new(),
        to: String::new(),
        cc: None,
        received: dates::when(record.received_at),
        text: String::new(),
        quoted: None,
        whole: None,
        unreadable: Some(says.to_owned()),
        formatted: Vec::new(),
        files: Vec::new(),
        pictures: Vec::new(),
        original: FileLink {
            href: format!("/case/{}/message/{}/original", record.case, record.id),
            name: format!("{}-{}.eml", permitted.case().reference, record.number),
            kind: "mail".to_owned(),
            size: file_names::size(record.size),
        },
        remarks: Vec::new(),
    }
}

/// What the original of a message is called when it is downloaded: `K7Q-4M2X-1.eml`.
pub(super) fn file_name(permitted: &PermittedCase, message: &OpenMessage) -> String {
    format!("{}-{}.eml", permitted.case().reference, message.record.number)
}

/// Each HTML part in a frame of its own; parts are never glued together (threat T11).
fn formatted(headline: &Headline, place: &str) -> Vec<String> {
    /// More frames than this help nobody.
    const MOST_FRAMES: usize = 5;
    let parts = text::html_bodies(headline).take(MOST_FRAMES);
    parts
        .enumerate()
        .map(|(place_in_list, (number, _))| match place_in_list {
            0 => format!("{place}/html"),
            _ => format!("{place}/html?part={number}"),
        })
        .collect()
}

/// Everything that is offered as a download: attachments, and bodies that are no text to read.
fn is_file(part: &Part) -> bool {
    match part.role {
        PartRole::Attachment => true,
        // The mail around it is listed and has all of its parts; its own files are worth a line.
        PartRole::Enclosed => part.name.is_some(),
        PartRole::Inline | PartRole::Container => false,
        PartRole::Body => !text::is_text(&part.media_type),
    }
}

/// Named by the text, or meant to stand in it.
fn is_picture(part: &Part) -> bool {
    part.role == PartRole::Inline
}

fn files(headline: &Headline, place: &str, wanted: impl Fn(&Part) -> bool) -> Vec<FileLink> {
    let parts = headline.parts.iter().enumerate().filter(|(_, part)| wanted(part)).take(MOST_FILES);
    parts
        .map(|(number, part)| FileLink {
            href: format!("{place}/part/{number}"),
            name: file_names::safe(part.name.as_deref(), &part.media_type, number),
            kind: file_names::kind(&part.media_type),
            size: decoded_size(part),
        })
        .collect()
}

/// The size after decoding is known before decoding only roughly.
fn decoded_size(part: &Part) -> String {
    match part.encoding {
        mail::Encoding::Base64 | mail::Encoding::Uuencode => {
            format!("about {}", file_names::size(part.length / 4 * 3))
        }
        mail::Encoding::QuotedPrintable => format!("about {}", file_names::size(part.length)),
        mail::Encoding::Identity => file_names::size(part.length),
    }
}

fn author(headline: &Headline) -> (String, Option<String>) {
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

fn person(person: &Person) -> String {
    let given = [&person.name, &person.address].into_iter().flatten().find(|text| !text.trim().is_empty());
    given.map(|text| line(text)).unwrap_or_default()
}

fn people(people: &[Person]) -> String {
    let names: Vec<_> = people.iter().take(20).map(person).filter(|name| !name.is_empty()).collect();
    let more = people.len().saturating_sub(20);
    match more {
        0 => line(&names.join(", ")),
        more => format!("{} and {more} more", line(&names.join(", "))),
    }
}

/// One line of the mail's head: no controls, nothing that turns the reading direction, not endless.
fn line(text: &str) -> String {
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

fn proof(proof: &Proof) -> &'static str {
    match proof {
        Proof::Login(_) => "Sender proved by sign-in",
        Proof::Certificate(_) => "Sender proved by certificate",
        Proof::Network => "Sender proved by the company's network",
        Proof::Domain(_) => "Sender proved by the signature of its domain",
        Proof::Connector(_) => "Sender proved by its mail provider's connector",
        Proof::Polled(_) => "Taken from a mailbox of the company",
    }
}

/// What is to be known about the mail, each once: several defects can come to the same words.
fn remarks(headline: &Headline, automatic: bool) -> Vec<String> {
    let automatic = automatic
        .then_some("This is an automatic mail: nobody was notified of it and it counts as no answer.");
    let many = |wanted: fn(&Part) -> bool| {
        headline.parts.iter().filter(|part| wanted(part)).nth(MOST_FILES).is_some()
    };
    let unlisted = (many(is_file) || many(is_picture))
        .then_some("The mail has more files than are listed here; the original has all of them.");
    let defects = headline.defects.iter().map(|defect| in_words(*defect));
    let mut remarks: Vec<String> = Vec::new();
    for remark in automatic.into_iter().chain(defects).chain(unlisted) {
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
        Defect::TextTruncated => "The text is very long; only its beginning was searched for meter points.",
        Defect::NoBoundary | Defect::Unterminated | Defect::BadHeader => {
            "The mail was damaged before it arrived; it is shown as far as it can be."
        }
        Defect::BadCharset | Defect::UnknownEncoding => {
            "Some characters could not be read; the original has them as they came."
        }
        Defect::Opaque => "Part of this mail is encrypted or closed; nobody could look inside.",
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
        let part = Part {
            offset: 0,
            length: 1,
            encoding: mail::Encoding::Identity,
            media_type: "application/pdf".into(),
            charset: None,
            name: None,
            content_id: None,
            role: PartRole::Attachment,
            inside: None,
        };
        let mut headline = Headline {
            defects: vec![Defect::ManyFrom, Defect::ManyAuthors, Defect::Unterminated],
            parts: vec![part.clone(); MOST_FILES],
            ..Headline::default()
        };
        let told = remarks(&headline, true);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("This is an automatic mail"));
        headline.parts.push(part);
        assert!(remarks(&headline, false).iter().any(|remark| remark.contains("more files than are listed")));
        assert_eq!(files(&headline, "", is_file).len(), MOST_FILES);
    }
}
