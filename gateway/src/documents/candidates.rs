//! Which parts of a mail may hold words that the scanner has not read: files, by what the mail says about them. What they
//! are is seen when they are opened.

use mail::{Message, Part, PartRole};

use super::{ReadDocument, inside::Found};

/// Endings and types of files that are text.
const TEXTS: [&str; 10] = ["txt", "csv", "tsv", "htm", "html", "xml", "json", "md", "log", "rtf"];
/// Endings of files that are opened in a process of their own.
const DOCUMENTS: [&str; 16] = [
    "xlsx", "xlsm", "xltx", "xlsb", "xls", "docx", "docm", "dotx", "pptx", "pptm", "ods", "odt", "odp",
    "pdf", "doc", "ppt",
];
/// Endings of files that hold others, or are locked.
const PACKED: [&str; 14] =
    ["zip", "zipx", "7z", "rar", "tar", "gz", "tgz", "bz2", "xz", "zst", "cab", "gpg", "pgp", "kdbx"];
/// What such files begin with, whatever they are called, and nothing here opens: 7-Zip, RAR, gzip, xz, Zstandard,
/// cabinets, OpenPGP in letters (RFC 9580 §6.2).
const CLOSED: [&[u8]; 7] = [
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x1f\x8b\x08",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"MSCF\0\0\0\0",
    b"-----BEGIN PGP MESSAGE-----",
];
/// Where a tape archive says that it is one (POSIX.1-2017, pax, ustar interchange format).
const TAPE: (usize, &[u8]) = (257, b"ustar");

/// A file that may have words.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    place: usize,
    pub(super) part: &'a Part,
    pub(super) kind: Kind,
}

/// What the mail says that a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Of a kind that is opened, or ought to be; if it cannot be, that is worth knowing.
    Document,
    /// The mail does not say; its first bytes will.
    Unknown,
}

pub(super) fn candidates(message: &Message) -> impl Iterator<Item = Candidate<'_>> {
    let parts = message.headline.parts.iter().enumerate();
    parts.filter_map(|(place, part)| {
        let file = match part.role {
            PartRole::Attachment => true,
            // Without a name it is the text of the mail inside, which the scanner has read.
            PartRole::Enclosed => part.name.is_some(),
            PartRole::Body | PartRole::Inline | PartRole::Container => false,
        };
        (file && part.length > 0).then_some(())?;
        Some(Candidate { place, part, kind: kind(part)? })
    })
}

/// Whether a file that begins so has others in it that nobody here can look at.
pub(super) fn is_closed(beginning: &[u8]) -> bool {
    let (place, mark) = TAPE;
    // The digit before is its block size.
    let bzip2 = beginning.starts_with(b"BZh") && beginning.get(4..10) == Some(b"1AY&SY");
    bzip2
        || CLOSED.iter().any(|start| beginning.starts_with(start))
        || beginning.get(place..).is_some_and(|rest| rest.starts_with(mark))
}

impl Candidate<'_> {
    pub(super) fn document(&self, found: Found) -> ReadDocument {
        ReadDocument {
            part: u32::try_from(self.place).unwrap_or(u32::MAX),
            name: self.part.name.clone().unwrap_or_default(),
            text: found.text,
            extent: found.extent,
        }
    }
}

/// None for what never has words: pictures, sound, films, signatures, mails (whose parts are listed by themselves).
fn kind(part: &Part) -> Option<Kind> {
    let ending = part.name.as_deref().and_then(|name| name.rsplit_once('.'));
    let ending = ending.map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if TEXTS.contains(&ending.as_str()) {
        return Some(Kind::Text);
    }
    if DOCUMENTS.contains(&ending.as_str()) || PACKED.contains(&ending.as_str()) {
        return Some(Kind::Document);
    }
    match part.media_type.split_once('/').unwrap_or_default() {
        ("text", "calendar" | "x-vcard" | "vcard") => None,
        ("text", _) => Some(Kind::Text),
        ("application", "csv" | "json" | "xml" | "rtf") => Some(Kind::Text),
        ("application", "pgp-signature" | "pkcs7-signature" | "x-pkcs7-signature") => None,
        ("image" | "audio" | "video" | "font" | "message" | "multipart", _) => None,
        _ => Some(Kind::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use mail::{Budget, Scanner};

    use super::*;

    fn of(header: &str) -> Vec<Kind> {
        let mail = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n{header}\r\n\r\nbytes\r\n--b--\r\n"
        );
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail.as_bytes());
        candidates(&scanner.finish()).map(|candidate| candidate.kind).collect()
    }

    #[test]
    fn files_with_words_are_looked_at_and_pictures_are_not() {
        let named = |name: &str| format!("Content-Type: application/octet-stream; name=\"{name}\"");
        assert_eq!(of(&named("List.XLSX")), [Kind::Document]);
        assert_eq!(of(&named("list.csv")), [Kind::Text]);
        assert_eq!(of(&named("list")), [Kind::Unknown]);
        assert_eq!(of(&named("list.7z")), [Kind::Document]);
        assert_eq!(of("Content-Type: list/x-meters; name=list"), [Kind::Unknown]);
        assert_eq!(of("Content-Type: image/png; name=a.png\r\nContent-Disposition: attachment"), []);
        assert_eq!(of("Content-Type: text/csv\r\nContent-Disposition: attachment"), [Kind::Text]);
        assert_eq!(of("Content-Type: text/plain"), [], "that is the mail's own text");
        assert_eq!(of("Content-Type: application/pgp-signature; name=signature.asc"), []);
    }
}
