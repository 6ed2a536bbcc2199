//! Documents that are ZIP archives: the newer formats of Office, OpenDocument, and archives of documents. Names and sizes
//! in an archive are claims; what is inflated is counted as it comes.

use std::io::{BufReader, Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::{
    Format, Page, Why, pdf, sheets,
    words::{self, Words},
};

/// Files of one archive that are opened.
const FILES: usize = 2_000;
/// Bytes that one archive may inflate to, all its files together.
const INFLATED: u64 = 256 * 1024 * 1024;
/// Bytes of a document within an archive of documents.
const ENCLOSED: u64 = 32 * 1024 * 1024;
/// Endings of files in an archive that are text themselves.
const TEXTS: [&str; 8] = [".txt", ".csv", ".tsv", ".htm", ".html", ".xml", ".json", ".eml"];

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// What an archive turns out to be.
enum Sort {
    Workbook,
    Slides,
    Text,
    OpenDocument,
    OpenSheets,
    /// Files that somebody packed.
    Packed,
}

pub(super) fn read(document: &[u8], page: &mut Page) -> Result<(), Why> {
    let mut archive = ZipArchive::new(Cursor::new(document)).map_err(|error| why(&error))?;
    let mut left = INFLATED;
    match sort(&archive) {
        Sort::Workbook => {
            let cells = sheets::workbook(document, page);
            // Notes and boxes lie beside the cells.
            page.line();
            parts(
                &mut archive,
                &["xl/comments", "xl/threadedComments", "xl/drawings/drawing"],
                Words::InRuns,
                &mut left,
                page,
            )?;
            cells
        }
        Sort::OpenSheets => sheets::open_document(document, page),
        Sort::Slides => parts(
            &mut archive,
            &["ppt/slides/slide", "ppt/notesSlides/notesSlide", "ppt/comments"],
            Words::InRuns,
            &mut left,
            page,
        ),
        Sort::Text => {
            let of = [
                "word/document",
                "word/header",
                "word/footer",
                "word/footnotes",
                "word/endnotes",
                "word/comments",
            ];
            parts(&mut archive, &of, Words::InRuns, &mut left, page)
        }
        Sort::OpenDocument => {
            parts(&mut archive, &["content.xml", "styles.xml"], Words::InParagraphs, &mut left, page)
        }
        Sort::Packed => packed(&mut archive, &mut left, page),
    }
}

fn sort(archive: &Archive<'_>) -> Sort {
    let names = names(archive);
    let has = |start: &str| names.iter().any(|name| name.starts_with(start));
    match () {
        () if has("xl/") => Sort::Workbook,
        () if has("word/") => Sort::Text,
        () if has("ppt/") => Sort::Slides,
        () if has("content.xml") && has("mimetype") => match is_sheets(archive) {
            true => Sort::OpenSheets,
            false => Sort::OpenDocument,
        },
        () => Sort::Packed,
    }
}

/// Those that are no names are nobody's.
fn names(archive: &Archive<'_>) -> Vec<String> {
    archive.file_names().take(FILES).filter_map(|name| Some(name.ok()?.into_owned())).collect()
}

/// OpenDocument 1.3, part 2, §3.3: a file `mimetype` comes first and says what the archive is.
fn is_sheets(archive: &Archive<'_>) -> bool {
    let mut kind = Vec::new();
    let mut archive = archive.clone();
    let read = archive.by_name("mimetype").map(|file| file.take(100).read_to_end(&mut kind));
    matches!(read, Ok(Ok(_))) && kind.ends_with(b"spreadsheet")
}

/// The words of all XML files whose names begin so, in the order of the beginnings and then of the archive.
fn parts(
    archive: &mut Archive<'_>,
    begin: &[&str],
    words: Words,
    left: &mut u64,
    page: &mut Page,
) -> Result<(), Why> {
    let names = names(archive);
    for start in begin {
        for name in names.iter().filter(|name| name.starts_with(start) && name.ends_with(".xml")) {
            let file = archive.by_name(name).map_err(|error| why(&error))?;
            let mut file = file.take(*left);
            let read = words::read(BufReader::new(&mut file), words, page);
            *left = file.limit();
            page.line();
            read?;
            if *left == 0 {
                return Err(Why::TooLarge);
            }
        }
    }
    Ok(())
}

/// Each file by its own kind; an archive in the archive is not opened, since nobody knows how many more are in it.
fn packed(archive: &mut Archive<'_>, left: &mut u64, page: &mut Page) -> Result<(), Why> {
    let mut all = Ok(());
    for index in 0..archive.len().min(FILES) {
        let (name, bytes) = {
            let file = archive.by_index(index).map_err(|error| why(&error))?;
            let name = file.name().map_or_else(|_| String::new(), |name| name.into_owned());
            let mut bytes = Vec::new();
            let most = ENCLOSED.min(*left);
            let read = file.take(most).read_to_end(&mut bytes).map_err(|_| Why::Damaged)? as u64;
            *left -= read;
            if read == most {
                return Err(Why::TooLarge);
            }
            (name, bytes)
        };
        page.line();
        page.write(&name);
        page.line();
        let read = enclosed(&name, &bytes, page);
        all = all.and(read);
        if page.is_full() {
            break;
        }
    }
    if archive.len() > FILES { Err(Why::TooLarge) } else { all }
}

fn enclosed(name: &str, bytes: &[u8], page: &mut Page) -> Result<(), Why> {
    match Format::of(bytes) {
        Some(Format::Pdf) => pdf::read(bytes, page),
        Some(Format::Compound) => sheets::old(bytes, page),
        Some(Format::Archive) => {
            let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| why(&error))?;
            match sort(&archive) {
                Sort::Packed => Err(Why::Unknown),
                _ => read(bytes, page),
            }
        }
        None => {
            let name = name.to_ascii_lowercase();
            if TEXTS.iter().any(|ending| name.ends_with(ending)) {
                page.write(&String::from_utf8_lossy(bytes));
            }
            Ok(())
        }
    }
}

fn why(error: &ZipError) -> Why {
    match error {
        ZipError::InvalidPassword => Why::Closed,
        ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED => Why::Closed,
        ZipError::UnsupportedArchive(_) => Why::Unknown,
        _ => Why::Damaged,
    }
}
