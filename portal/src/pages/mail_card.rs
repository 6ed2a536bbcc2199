//! One opened mail as pages show it, whether it belongs to a case or is held.

use mail::{Class, Headline, Scan};
use store::{Authentication, OpenContent, Proof};
use templates::pages::{self, FileLink, Mail};

use super::{files, mail_words};
use crate::access::Visitor;
use crate::text::{self, Extent, Text};
use crate::{dates, file_names};

/// What a page knows of a mail beside what is in it.
pub(super) struct Facts<'a> {
    pub(super) visitor: &'a Visitor,
    /// Tells its places on the page from those of other mails.
    pub(super) anchor: String,
    pub(super) label: String,
    pub(super) company: String,
    pub(super) received: jiff::Timestamp,
    pub(super) proof: &'a Proof,
    pub(super) authentication: Option<&'a Authentication>,
    pub(super) class: Option<Class>,
    pub(super) automatic: bool,
    pub(super) scan: Scan,
    /// Where its files and its original are; none where they are not given away.
    pub(super) place: Option<String>,
    /// What the original is called when it is downloaded.
    pub(super) file_name: String,
    /// It has a page of its own at this place, with its whole text and a formatted view.
    pub(super) has_page: bool,
}

/// The mail, and whether its text had to be cut.
pub(super) async fn mail(
    facts: Facts<'_>,
    headline: &Headline,
    content: &OpenContent,
    extent: Extent,
) -> (Mail, bool) {
    let (text, broken) = match text::of(headline, content, extent).await {
        Ok(text) => (text, None),
        Err(error) => {
            tracing::error!(mail = %facts.label, %error, "the text of a mail could not be opened");
            let says = "The text of this mail could not be opened. Tell your Postern operator.";
            (Text::default(), Some(says.to_owned()))
        }
    };
    let (author, address) = mail_words::author(headline);
    let page = facts.place.as_deref().filter(|_| facts.has_page);
    let mail = Mail {
        author,
        address,
        sender: headline
            .sender
            .as_ref()
            .filter(|sender| !headline.from.contains(sender))
            .map(mail_words::person),
        received: dates::when(facts.received),
        proof: proof(&facts, headline),
        marks: mail_words::marks(facts.class, facts.scan, headline),
        subject: mail_words::line(&headline.subject),
        to: mail_words::people(&headline.to),
        cc: Some(mail_words::people(&headline.cc)).filter(|cc| !cc.is_empty()),
        text: text.fresh,
        quoted: text.quoted,
        whole: page.filter(|_| text.cut && extent == Extent::Beginning).map(str::to_owned),
        broken,
        formatted: page.map(|page| formatted(headline, page)).unwrap_or_default(),
        files: files::list(headline, facts.place.as_deref(), files::is_file),
        pictures: files::list(headline, facts.place.as_deref(), files::is_picture),
        original: original(&facts, content),
        remarks: mail_words::remarks(headline, facts.automatic),
        anchor: facts.anchor,
        label: facts.label,
        company: facts.company,
    };
    (mail, text.cut)
}

fn proof(facts: &Facts<'_>, headline: &Headline) -> pages::Proof {
    pages::Proof {
        says: mail_words::proof(facts.proof, facts.visitor),
        strong: facts.proof.is_direct() || matches!(facts.proof, Proof::Domain(_)),
        checks: mail_words::checks(facts.authentication, headline),
    }
}

fn original(facts: &Facts<'_>, content: &OpenContent) -> Option<FileLink> {
    let place = facts.place.as_ref()?;
    Some(FileLink {
        href: Some(format!("{place}/original")),
        name: facts.file_name.clone(),
        kind: "mail".to_owned(),
        size: file_names::size(content.size()),
    })
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
