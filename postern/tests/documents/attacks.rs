//! What attackers send. Every one gets an answer; the reader goes on reading; the server's memory is not theirs.

use std::{io::Write, time::Duration};

use gateway::documents::{DocumentSettings, Extent, Original, ReadError, Reader, Why};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{mail_with, mails::market_mails, read, reader, scanned, settings};

const WORD: &str = "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">";

/// An archive; each file is a piece of text and how often it stands there.
fn archive(files: &[(&str, &[(&str, usize)])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, pieces) in files {
        zip.start_file(*name, packed).unwrap();
        for (piece, times) in *pieces {
            let many = piece.repeat((1 << 20) / piece.len().max(1) + 1);
            let mut left = piece.len() * times;
            while left > 0 {
                left -=
                    zip.write(&many.as_bytes()[..left.min(many.len() / piece.len() * piece.len())]).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook that lies about how many words it has, which is room that a reader makes.
#[tokio::test]
async fn a_size_that_is_a_lie_costs_the_process_at_most() {
    let file = crate::mails::market_mails(31, 400)
        .flat_map(|mail| mail.files)
        .find(|file| file.name.ends_with(".xlsx"));
    let bytes = file.unwrap().bytes;
    let place = memchr::memmem::find(&bytes, b"<sst xmlns").unwrap();
    let mut zip = bytes;
    // The same length, so that nothing else moves: the name of the attribute is what counts.
    let lie = b"<sst uniqueCount=\"1844674407370955161\"";
    zip[place..place + lie.len()].copy_from_slice(lie);
    let reader = reader();
    let (found, _) = read(&reader, "list.xlsx", &zip).await;
    assert!(!found[0].is_whole());
    let (found, _) = read(&reader, "a.zip", &archive(&[("a.txt", &[("x", 1)])])).await;
    assert_eq!(found[0].extent, Extent::Whole);
}

/// A document of one page: its further objects from the fifth on, its content. The font is called `F`, the fifth object `X`.
pub(crate) fn pdf(further: &[&str], content: &[u8]) -> Vec<u8> {
    let head = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >> >>",
    ];
    let mut objects: Vec<Vec<u8>> = head.iter().map(|object| object.as_bytes().to_vec()).collect();
    let length = format!("<< /Length {} >>\nstream\n", content.len());
    objects.push([length.as_bytes(), content, b"\nendstream"].concat());
    objects.extend(further.iter().map(|object| object.as_bytes().to_vec()));
    let (mut bytes, mut places) = (b"%PDF-1.4\n".to_vec(), Vec::new());
    for (number, object) in (1..).zip(&objects) {
        places.push(bytes.len());
        bytes.extend([format!("{number} 0 obj\n").as_bytes(), object, b"\nendobj\n"].concat());
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    places.iter().for_each(|place| bytes.extend(format!("{place:010} 00000 n \n").bytes()));
    bytes.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", places.len() + 1).bytes(),
    );
    bytes
}

const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

#[tokio::test]
async fn an_archive_that_inflates_without_end_is_left() {
    let bomb = archive(&[(
        "word/document.xml",
        &[(WORD, 1), ("<w:p><w:r><w:t>", 1), ("0", 400_000_000), ("</w:t>", 1)],
    )]);
    let (read, _) = read(&reader(), "letter.docx", &bomb).await;
    assert!(bomb.len() < 1_000_000 && !read[0].is_whole());
    assert!(read[0].text.len() <= 2 * 1024 * 1024, "{}", read[0].text.len());
}

#[tokio::test]
async fn entities_do_not_expand_and_depth_does_not_matter() {
    let entities = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let bomb = archive(&[(
        "word/document.xml",
        &[(entities, 1), (WORD, 1), ("<w:p><w:r><w:t>x&b;&amp;&#65;</w:t></w:r></w:p>", 1)],
    )]);
    let reader = reader();
    let (found, _) = read(&reader, "letter.docx", &bomb).await;
    assert_eq!(found[0].text.trim(), "x&A");
    let deep = archive(&[("word/document.xml", &[(WORD, 1), ("<w:p>", 3_000_000), ("<w:t>end</w:t>", 1)])]);
    let (found, _) = read(&reader, "letter.docx", &deep).await;
    assert_eq!(found[0].text.trim(), "end");
}

#[tokio::test]
async fn ten_thousand_sheets_are_too_many() {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let sheets: String =
        (0..10_000).map(|n| format!("<sheet name=\"T{n}\" sheetId=\"{n}\" r:id=\"r\"/>")).collect();
    let book = format!("<workbook xmlns=\"{main}\" xmlns:r=\"{kinds}\"><sheets>{sheets}</sheets></workbook>");
    let relations = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r\" Type=\"{kinds}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let sheet = format!(
        "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\"><c r=\"A1\"><v>1200023305967</v></c></row></sheetData></worksheet>"
    );
    let root = relations
        .replace("worksheets/sheet1.xml", "xl/workbook.xml")
        .replace("/worksheet", "/officeDocument");
    let bomb = archive(&[
        ("[Content_Types].xml", &[("<Types/>", 1)]),
        ("_rels/.rels", &[(&root, 1)]),
        ("xl/workbook.xml", &[(&book, 1)]),
        ("xl/_rels/workbook.xml.rels", &[(&relations, 1)]),
        ("xl/worksheets/sheet1.xml", &[(&sheet, 1)]),
    ]);
    let (read, _) = read(&reader(), "list.xlsx", &bomb).await;
    assert_eq!(read[0].extent, Extent::NotRead(Why::TooLarge));
    assert!(read[0].text.contains("1200023305967"), "what could be read is read");
}

#[tokio::test]
async fn an_archive_in_an_archive_in_an_archive_is_not_opened() {
    let inner = archive(&[("a.txt", &[("MPAN 1200023305967", 1)])]);
    let pack = |name: &str, bytes: &[u8]| {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let reader = reader();
    let (found, _) = read(&reader, "a.zip", &inner).await;
    assert_eq!((found[0].text.trim(), found[0].extent), ("a.txt\nMPAN 1200023305967", Extent::Whole));
    let (found, message) = read(&reader, "b.zip", &pack("a.zip", &inner)).await;
    assert_eq!(found[0].extent, Extent::NotRead(Why::Unknown));
    assert!(!message.headline.defects.is_empty());
}

#[tokio::test]
async fn a_page_that_draws_itself_ends() {
    let form = "<< /Type /XObject /Subtype /Form /Length 60 /Resources << /XObject << /X 6 0 R >> /Font << /F 5 0 R >> >> >>\nstream\n/F 1 Tf (loop ) Tj /X Do /X Do /X Do /X Do /X Do /X Do       \nendstream";
    let (read, _) = read(&reader(), "a.pdf", &pdf(&[FONT, form], b"/X Do")).await;
    assert!(read[0].text.contains("loop") && !read[0].is_whole(), "{:?}", read[0].extent);
}

/// Eight million operations, each an object in memory.
#[tokio::test]
async fn a_document_that_takes_all_memory_takes_its_process_with_it() {
    let reader = reader();
    let content = [b"/F 1 Tf ".as_slice(), &b"(A) Tj ".repeat(4_000_000)].concat();
    let (found, message) = read(&reader, "a.pdf", &pdf(&[FONT], &content)).await;
    assert_eq!(found[0].extent, Extent::NotRead(Why::Died));
    assert!(!message.headline.defects.is_empty());
    let (found, _) = read(&reader, "b.pdf", &pdf(&[FONT], b"BT /F 12 Tf (MPAN 1200023305967) Tj ET")).await;
    assert_eq!((found[0].text.trim(), found[0].extent), ("MPAN 1200023305967", Extent::Whole));
}

#[tokio::test]
async fn a_document_beyond_the_limit_is_not_opened() {
    let reader = reader();
    let (found, _) = read(&reader, "a.zip", &[b"PK\x03\x04".as_slice(), &vec![0; 40 << 20]].concat()).await;
    assert_eq!(found[0].extent, Extent::NotRead(Why::TooLarge));
    let (found, _) = read(&reader, "a.zip", &archive(&[("a.txt", &[("x", 1)])])).await;
    assert_eq!(found[0].extent, Extent::Whole);
}

/// Cut and altered everywhere, from a seed: each gets an answer, and the files behind them are read.
#[tokio::test]
async fn broken_files_are_answered_all() {
    let reader = reader();
    let files: Vec<_> = market_mails(21, 400)
        .flat_map(|mail| mail.files)
        .filter(|file| file.media_type != "text/csv")
        .collect();
    let mut state = 1_u64;
    let mut chance = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..300 {
        let file = &files[chance(files.len())];
        let mut bytes = file.bytes.clone();
        for _ in 0..=chance(20) {
            let place = chance(bytes.len());
            match chance(3) {
                0 => bytes[place] ^= 1 << chance(8),
                1 => bytes[place] = [0, 0xff, b'9', b'<'][chance(4)],
                _ => {
                    let end = (place + chance(64)).min(bytes.len());
                    bytes.splice(place..end, std::iter::repeat_n(b'7', chance(32)));
                }
            }
            bytes.truncate(if chance(6) == 0 { chance(bytes.len()) + 1 } else { bytes.len() });
        }
        let (found, _) = read(&reader, &file.name, &bytes).await;
        assert_eq!(found.len(), 1, "round {round}: {}", file.name);
        let told = !matches!(found[0].extent, Extent::NotRead(Why::TooLong | Why::Died));
        assert!(told, "round {round}: {} {:?}", file.name, found[0].extent);
    }
    let (found, _) = read(&reader, &files[0].name, &files[0].bytes).await;
    assert_eq!(found[0].extent, Extent::Whole);
}

#[tokio::test]
async fn a_process_that_never_answers_is_not_waited_for() {
    let patience = Duration::from_millis(50);
    let stuck = DocumentSettings {
        program: "/bin/sleep".into(),
        arguments: vec!["1000".to_owned()],
        patience,
        ..settings()
    };
    let (found, message) = read(&Reader::new(stuck), "a.pdf", &pdf(&[FONT], b"")).await;
    assert_eq!(found[0].extent, Extent::NotRead(Why::TooLong));
    assert!(!message.headline.defects.is_empty());
}

#[tokio::test]
async fn a_program_that_ends_over_a_document_leaves_it_unread() {
    let settings = DocumentSettings { program: "/bin/false".into(), arguments: Vec::new(), ..settings() };
    let (found, _) = read(&Reader::new(settings), "a.pdf", &pdf(&[FONT], b"")).await;
    assert_eq!(found[0].extent, Extent::NotRead(Why::Died));
}

/// Nothing is known of the document then, and so nothing is said of it.
#[tokio::test]
async fn a_program_that_does_not_start_is_no_fault_of_the_document() {
    let settings = DocumentSettings { program: "/nowhere/to/be/found".into(), ..settings() };
    let mail = mail_with("a.pdf", &pdf(&[FONT], b""));
    let mut message = scanned(&mail);
    let error = Reader::new(settings).read(&mut message, Original::Plain(&mail)).await.unwrap_err();
    assert!(matches!(error, ReadError::NoProcess(_)), "{error}");
    assert!(message.headline.defects.is_empty());
}

/// A process ends over the first document that it gets, as one does that was killed meanwhile; the next does not.
#[tokio::test]
async fn a_process_that_is_gone_gets_a_fresh_one_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "if mkdir {}/first 2>&-; then exit 1; fi; exec {} read-documents",
        folder.path().display(),
        env!("CARGO_BIN_EXE_postern")
    );
    let dying = DocumentSettings {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script],
        ..settings()
    };
    let letter = pdf(&[FONT], b"BT /F 12 Tf (MPAN 1200023305967) Tj ET");
    let (found, message) = read(&Reader::new(dying), "a.pdf", &letter).await;
    assert_eq!((found[0].text.trim(), found[0].extent), ("MPAN 1200023305967", Extent::Whole));
    assert!(message.headline.defects.is_empty());
}

/// Whatever a mail calls a file: letters are read, and an archive that nothing here opens is said not to be.
#[tokio::test]
async fn what_a_file_is_shows_in_its_bytes() {
    let reader = reader();
    let text = "Customer list\r\nMPAN 1200023305967\r\n";
    let latin: Vec<u8> = format!("Caf\u{e9} {text}").chars().map(|c| c as u8).collect();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, file) in [
        ("list", text.as_bytes()),
        ("list.dat", format!("\u{e9}t\u{e9} {text}").repeat(200).as_bytes()),
        ("list.bin", &latin),
        ("list.001", &wide),
        ("list.jpg", text.as_bytes()),
    ] {
        let (found, message) = read(&reader, name, file).await;
        assert!(found[0].text.contains("MPAN 1200023305967"), "{name}: {found:?}");
        assert_eq!((found[0].extent, message.headline.defects.len()), (Extent::Whole, 0), "{name}");
    }
    let closed: [(&str, &[u8]); 6] = [
        ("list", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("list", b"Rar!\x1a\x07\x01\0"),
        ("list", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("list", b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n"),
        ("list.tar", b"list.csv\0\0\0\0\0\0\0\0"),
        ("list.gpg", b"\x85\x01\x0c\x03\0\0\0"),
    ];
    for (name, file) in closed {
        let (found, message) = read(&reader, name, file).await;
        assert!(matches!(found[0].extent, Extent::NotRead(_)), "{name}: {found:?}");
        assert!(!message.headline.defects.is_empty(), "{name}");
    }
    let (found, message) = read(&reader, "setup.bin", b"\x7fELF\x02\x01\x01\0\0\0").await;
    assert!(found.is_empty() && message.headline.defects.is_empty(), "what has no words is not missed");
}

#[tokio::test]
async fn many_at_once_take_turns() {
    let reader = reader();
    let letter = pdf(&[FONT], b"BT /F 12 Tf (MPAN 1200023305967) Tj ET");
    let all = (0..40).map(|_| read(&reader, "a.pdf", &letter));
    for (found, _) in futures_util::future::join_all(all).await {
        assert_eq!(found[0].text.trim(), "MPAN 1200023305967");
    }
}
