//! The text of a mail for reading: decoded within bounds, quoted tail apart.
//!
//! HTML becomes plain text here by the function that the scanner of incoming mail uses, so what is
//! searched and what is read are the same words. Nothing here makes markup.

use mail::{Headline, Part, PartRole};
use mail_parser::decoders::html::html_to_text;
use store::{OpenContent, StoreError};

use crate::parts::{self, Effort};
use crate::quotes;

/// Parts whose text is read; each is a read of its own, and a mail may have thousands.
const MOST_PARTS: usize = 20;

/// How much of a text is read and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// On the page of the case.
    Beginning,
    /// On the page of the message.
    Whole,
}

impl Extent {
    /// Bytes of the text, its transfer encoding undone.
    fn bytes(self) -> usize {
        match self {
            Self::Beginning => 64 * 1024,
            Self::Whole => 2 * 1024 * 1024,
        }
    }

    /// What the way to it may cost: a text may stand behind the files of a container.
    fn effort(self) -> Effort {
        Effort::of(match self {
            Self::Beginning => 4 * 1024 * 1024,
            Self::Whole => 64 * 1024 * 1024,
        })
    }

    /// Characters that are shown.
    fn characters(self) -> usize {
        match self {
            Self::Beginning => 3_000,
            Self::Whole => 400_000,
        }
    }
}

/// A text as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) fresh: String,
    /// What it repeats of earlier mails.
    pub(crate) quoted: Option<String>,
    /// There is more of it.
    pub(crate) cut: bool,
}

/// Reads the text of an opened mail.
pub(crate) async fn of(
    headline: &Headline,
    content: &OpenContent,
    extent: Extent,
) -> Result<Text, StoreError> {
    let mut effort = extent.effort();
    let plain = bodies(headline, |kind| kind != "text/html");
    let plain = read(content, extent, &mut effort, &plain).await?;
    if !plain.0.trim().is_empty() {
        return Ok(shown(&plain.0, plain.1, extent));
    }
    let html = bodies(headline, |kind| kind == "text/html");
    let html = read(content, extent, &mut effort, &html).await?;
    Ok(shown(&html.0, plain.1 || html.1, extent))
}

/// The parts that are HTML text of the mail itself, with their numbers.
pub(crate) fn html_bodies(headline: &Headline) -> impl Iterator<Item = (usize, &Part)> {
    let parts = headline.parts.iter().enumerate();
    parts.filter(|(_, part)| part.role == PartRole::Body && part.media_type == "text/html")
}

fn bodies(headline: &Headline, kind: impl Fn(&str) -> bool) -> Vec<Part> {
    let text = |part: &&Part| part.role == PartRole::Body && is_text(&part.media_type);
    let parts = headline.parts.iter().filter(text).filter(|part| kind(&part.media_type) && part.length > 0);
    parts.take(MOST_PARTS + 1).cloned().collect()
}

/// Text that is shown on the page; other text, such as a calendar entry, is a file.
pub(crate) fn is_text(media_type: &str) -> bool {
    matches!(media_type, "text/plain" | "text/html" | "text/enriched" | "text/richtext" | "text" | "")
}

/// The decoded text of the parts, and whether some of it was left unread.
async fn read(
    content: &OpenContent,
    extent: Extent,
    effort: &mut Effort,
    parts: &[Part],
) -> Result<(String, bool), StoreError> {
    let mut room = extent.bytes();
    let (mut text, mut cut) = (String::new(), false);
    cut |= parts.len() > MOST_PARTS;
    for part in parts.iter().take(MOST_PARTS) {
        let beginning = parts::beginning(content, part, room, effort).await?;
        cut |= beginning.cut;
        room -= beginning.bytes.len();
        let decoded = beginning.text(part);
        if decoded.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        match part.media_type.as_str() {
            "text/html" => text.push_str(html_to_text(&decoded).trim()),
            _ => text.push_str(&decoded),
        }
    }
    Ok((text, cut))
}

fn shown(text: &str, mut cut: bool, extent: Extent) -> Text {
    let mut text = tidy(text);
    if let Some((end, _)) = text.char_indices().nth(extent.characters()) {
        text.truncate(end);
        cut = true;
    }
    let (fresh, quoted) = quotes::without_tail(&text);
    Text { fresh: fresh.to_owned(), quoted: quoted.map(str::to_owned), cut }
}

/// One kind of line end, no controls, no marks that turn the reading direction of what follows,
/// no more than two empty lines together.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut line_ends = 0;
    for c in text.chars() {
        match c {
            '\n' => {
                line_ends += 1;
                if line_ends <= 3 {
                    tidy.push('\n');
                }
            }
            '\r' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() && c != '\t' => {}
            c => {
                if !c.is_whitespace() {
                    line_ends = 0;
                }
                tidy.push(c);
            }
        }
    }
    tidy.truncate(tidy.trim_end().len());
    let start = tidy.len() - tidy.trim_start_matches(['\n', ' ', '\t']).len();
    tidy.drain(..start);
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_turn_the_page_around() {
        assert_eq!(tidy("\u{feff}\r\n a\u{202e}b\0c\r\n\n\n\n\nd\n\n"), "abc\n\n\nd");
        assert_eq!(tidy(""), "");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = shown(&"é".repeat(10_000), false, Extent::Beginning);
        assert!(text.cut);
        assert_eq!(text.fresh.chars().count(), 3_000);
    }
}
