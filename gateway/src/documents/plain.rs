//! Files that are text as they stand: charset undone, HTML made text. The one parser of mail does both, so that a file reads
//! as it would have read in the mail itself.

use mail::{Budget, Part, Scanner};
use store::StoreError;

use super::{
    crew::Source,
    inside::{Extent, Format, Found},
    rows,
    source::PartSource,
};

/// Bytes of one file that are read.
const BYTES: usize = 2 * 1024 * 1024;
/// So many wide letters in a row are no accident.
const WIDE: usize = 8;

pub(super) async fn read(part: &Part, source: &mut PartSource<'_>) -> Result<Found, StoreError> {
    let mut scanner = Scanner::new(Budget { text_bytes: BYTES, ..Budget::default() });
    scanner.feed(header(part, source.beginning().await?).as_bytes());
    let (mut fed, mut whole) = (0, true);
    while let Some(bytes) = source.next().await? {
        fed += bytes.len();
        scanner.feed(&bytes);
        if fed > BYTES {
            whole = false;
            break;
        }
    }
    let message = scanner.finish();
    whole &= message.text_complete;
    let text = if rows::is_list(part) { rows::tabbed(&message.text) } else { message.text };
    Ok(Found { text, extent: if whole { Extent::Whole } else { Extent::Cut } })
}

/// Whether the mail's own text holds the file's.
pub(super) fn contains(text: &str, file: &str) -> bool {
    let file = file.trim();
    !file.is_empty() && memchr::memmem::find(text.as_bytes(), file.as_bytes()).is_some()
}

/// Whether the first bytes are letters: files of the industry's own formats are, and so are tables that say they are Excel's.
pub(super) fn is_text(beginning: &[u8]) -> bool {
    wide(beginning).is_some() || !beginning.is_empty() && mostly_letters(beginning)
}

fn mostly_letters(bytes: &[u8]) -> bool {
    let odd =
        bytes.iter().filter(|byte| byte.is_ascii_control() && !b"\t\r\n\x0c\x1b".contains(byte)).count();
    let foreign = match std::str::from_utf8(bytes) {
        Ok(_) => 0,
        // Where there is more, the last letter may be cut.
        Err(error) if bytes.len() >= Format::BEGINNING && bytes.len() - error.valid_up_to() < 4 => 0,
        Err(_) => bytes.iter().filter(|byte| !byte.is_ascii()).count(),
    };
    odd * 50 <= bytes.len() && foreign * 5 <= bytes.len()
}

/// The charset that a byte order mark declares; where there is none, that in which every other byte is the high one of a
/// Latin letter.
fn wide(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0xff, 0xfe, ..] => return Some("utf-16le"),
        [0xfe, 0xff, ..] => return Some("utf-16be"),
        _ => {}
    }
    let pairs = || beginning[..beginning.len().min(Format::BEGINNING)].chunks_exact(2);
    let letters = |byte: u8| !byte.is_ascii_control() || b"\t\r\n".contains(&byte);
    let all =
        |high: usize| pairs().len() >= WIDE && pairs().all(|pair| pair[high] == 0 && letters(pair[1 - high]));
    match () {
        () if all(1) => Some("utf-16le"),
        () if all(0) => Some("utf-16be"),
        () => None,
    }
}

/// The file as if it were a mail. Nothing that the sender wrote gets out of its line.
fn header(part: &Part, beginning: &[u8]) -> String {
    let declared = part.charset.as_deref().unwrap_or_default();
    let declared: String =
        declared.chars().filter(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    let charset = wide(beginning).unwrap_or(&declared);
    let kind = if is_html(part, beginning) { "html" } else { "plain" };
    match charset {
        "" => format!("Content-Type: text/{kind}\r\n\r\n"),
        charset => format!("Content-Type: text/{kind}; charset=\"{charset}\"\r\n\r\n"),
    }
}

fn is_html(part: &Part, beginning: &[u8]) -> bool {
    let name = part.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let begins = beginning.trim_ascii_start().first() == Some(&b'<');
    let tagged = ["<html", "<table", "<HTML", "<TABLE", "<!DOCTYPE html", "<!doctype html"];
    part.media_type == "text/html"
        || name.ends_with(".html")
        || name.ends_with(".htm")
        || begins && tagged.iter().any(|tag| memchr::memmem::find(beginning, tag.as_bytes()).is_some())
}
