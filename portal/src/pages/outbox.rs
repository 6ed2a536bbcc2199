//! The sample market's page of every mail that left. There is no such page anywhere else.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Html;
use jiff::Timestamp;
use mail::{Budget, Headline, Part, PartRole, Person, Scanner};
use templates::pages::{Outbox, OutboxMail};

use crate::dates;
use crate::error::Problem;
use crate::portal::{Place, Portal};
use crate::session::PerhapsVisitor;

const MOST_SHOWN: usize = 30;

/// A notice is small; anything larger is not shown.
const LARGEST: u64 = 256 * 1024;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    PerhapsVisitor(visitor): PerhapsVisitor,
) -> Result<Html<String>, Problem> {
    let folder = portal.demo.as_ref().ok_or(Problem::NotFound)?.outbox.clone();
    let origin = portal.url.origin().to_owned();
    let read = tokio::task::spawn_blocking(move || read(&folder, &origin));
    let (mails, hidden) = read.await.map_err(|_| Problem::Interrupted)?;
    Ok(Html(portal.words.page(&Outbox {
        frame: portal.frame("Notices that left", visitor.as_ref(), Place::Elsewhere),
        mails,
        hidden,
    })?))
}

/// The newest mails of the folder, and how many older ones there are.
fn read(folder: &Path, origin: &str) -> (Vec<OutboxMail>, usize) {
    let Ok(entries) = fs::read_dir(folder) else { return (Vec::new(), 0) };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "eml"))
        .filter_map(|path| {
            let about = fs::metadata(&path).ok().filter(|about| about.len() <= LARGEST)?;
            Some((about.modified().ok()?, path))
        })
        .collect();
    files.sort_by_key(|file| Reverse(file.clone()));
    let hidden = files.len().saturating_sub(MOST_SHOWN);
    let newest = files.iter().take(MOST_SHOWN);
    (newest.filter_map(|(_, path)| Some(mail(&fs::read(path).ok()?, origin))).collect(), hidden)
}

fn mail(bytes: &[u8], origin: &str) -> OutboxMail {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(bytes);
    let headline = scanner.finish().headline;
    let addresses = |people: &[Person]| {
        let addresses: Vec<_> = people.iter().filter_map(|person| person.address.clone()).collect();
        addresses.join(", ")
    };
    let text = plain_text(&headline, bytes).trim_end().replace("\r\n", "\n");
    OutboxMail {
        link: link(&text, origin),
        subject: headline.subject,
        from: addresses(&headline.from),
        to: addresses(&headline.to),
        date: headline.date.and_then(|date| Timestamp::from_second(date).ok()).map(dates::when),
        text,
    }
}

/// The plain form; a notice has its words in HTML as well.
fn plain_text(headline: &Headline, bytes: &[u8]) -> String {
    let plain = |part: &&Part| part.role == PartRole::Body && part.media_type == "text/plain";
    let Some(part) = headline.parts.iter().find(plain) else { return String::new() };
    let start = usize::try_from(part.offset).unwrap_or(usize::MAX).min(bytes.len());
    let length = usize::try_from(part.length).unwrap_or(usize::MAX).min(bytes.len() - start);
    part.text(&bytes[start..start + length])
}

/// The case that a notice points at, as a local path.
fn link(text: &str, origin: &str) -> Option<String> {
    let start = text.find(&format!("{origin}/case/"))? + origin.len();
    let path: String = text[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_notice_is_found() {
        let text = "Read it:\nhttp://127.0.0.1:8080/case/0123abc\nTo answer";
        assert_eq!(link(text, "http://127.0.0.1:8080").as_deref(), Some("/case/0123abc"));
        assert_eq!(link("nothing", "http://127.0.0.1:8080"), None);
    }
}
