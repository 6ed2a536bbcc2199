//! The files of a mail as its page lists them. Names are rebuilt, sizes are what the mail shows
//! before anything is decoded.

use mail::{Coding, Headline, Part, PartRole};
use templates::pages::FileLink;

use crate::{file_names, text};

/// Attachments that are listed; the original has all of them.
pub(super) const MOST: usize = 100;

/// Everything that is offered as a download: attachments, and bodies that are no text to read.
pub(super) fn is_file(part: &Part) -> bool {
    match part.role {
        PartRole::Attachment => true,
        // The mail around it is listed and has all of its parts; its own files are worth a line.
        PartRole::Enclosed => part.name.is_some(),
        PartRole::Inline | PartRole::Container => false,
        PartRole::Body => !text::is_text(&part.media_type),
    }
}

/// Named by the text, or meant to stand in it.
pub(super) fn is_picture(part: &Part) -> bool {
    part.role == PartRole::Inline
}

/// There are more of a kind than are listed.
pub(super) fn overflow(headline: &Headline) -> bool {
    let many =
        |wanted: fn(&Part) -> bool| headline.parts.iter().filter(|part| wanted(part)).nth(MOST).is_some();
    many(is_file) || many(is_picture)
}

/// The wanted parts, each with its download under `place`; without a place they are only named.
pub(super) fn list(
    headline: &Headline,
    place: Option<&str>,
    wanted: impl Fn(&Part) -> bool,
) -> Vec<FileLink> {
    let parts = headline.parts.iter().enumerate().filter(|(_, part)| wanted(part)).take(MOST);
    parts
        .map(|(number, part)| FileLink {
            href: place.map(|place| format!("{place}/part/{number}")),
            name: file_names::safe(part.name.as_deref(), &part.media_type, number),
            kind: file_names::kind(&part.media_type),
            size: size(part),
        })
        .collect()
}

/// The size after decoding is known before decoding only roughly.
fn size(part: &Part) -> String {
    let (bytes, coding) = part.encoded();
    match coding {
        Coding::Identity => file_names::size(bytes),
        Coding::Base64 | Coding::Uuencode => format!("about {}", file_names::size(bytes / 4 * 3)),
        Coding::QuotedPrintable | Coding::Rtf | Coding::Segments => {
            format!("about {}", file_names::size(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_listed_than_a_page_holds() {
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
        let mut headline = Headline { parts: vec![part.clone(); MOST], ..Headline::default() };
        assert!(!overflow(&headline));
        headline.parts.push(part);
        assert!(overflow(&headline));
        let listed = list(&headline, Some("/x"), is_file);
        assert_eq!((listed.len(), listed[3].href.as_deref()), (MOST, Some("/x/part/3")));
        assert_eq!(list(&headline, None, is_file)[0].href, None);
    }
}
