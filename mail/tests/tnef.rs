//! What becomes of a `winmail.dat`: files, text, attached messages, damage. The streams are written here byte by byte, or
//! read from the corpus where it lies; each is read in pieces too, which must make no difference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use mail::{Budget, Class, Coding, Defect, Message, Part, PartRole, Scanner};

const HEAD: &[u8] = b"From: a@alpha.example\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\n";
const TEXT_8: u16 = 0x001e;
const TEXT_16: u16 = 0x001f;
const BINARY: u16 = 0x0102;
const OBJECT: u16 = 0x000d;
/// `IID_IMessage`
const MESSAGE: [u8; 16] = [7, 3, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

fn scan_with(budget: Budget, bytes: &[u8], piece: usize) -> Message {
    let mut scanner = Scanner::new(budget);
    bytes.chunks(piece).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

/// Reads a mail that is a stream, whole and in pieces.
fn scan(stream: &[u8]) -> (Message, Vec<u8>) {
    let mail = [HEAD, stream].concat();
    let whole = scan_with(Budget::default(), &mail, usize::MAX);
    for piece in [1, 13] {
        assert_eq!(scan_with(Budget::default(), &mail, piece), whole, "in pieces of {piece}");
    }
    (whole, mail)
}

fn bytes(part: &Part, mail: &[u8]) -> Vec<u8> {
    let body = &mail[part.offset as usize..(part.offset + part.length) as usize];
    let (mut decoder, mut out) = (part.decoder(), Vec::new());
    body.chunks(1000).for_each(|piece| decoder.feed(piece, &mut out));
    decoder.finish(&mut out);
    out
}

fn text(part: &Part, mail: &[u8]) -> String {
    part.text(&mail[part.offset as usize..(part.offset + part.length) as usize])
}

/// Role, name and bytes of every part behind the container.
fn table(stream: &[u8]) -> Vec<(PartRole, String, Vec<u8>)> {
    let (message, mail) = scan(stream);
    let row = |part: &Part| (part.role, part.name.clone().unwrap_or_default(), bytes(part, &mail));
    message.headline.parts[1..].iter().map(row).collect()
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x78\x9f\x3e\x22\x01\x00"[..], &attributes.concat()].concat()
}

fn attribute(level: u8, id: u16, value: &[u8]) -> Vec<u8> {
    let sum = value.iter().fold(0_u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
    let length = (value.len() as u32).to_le_bytes();
    [&[level], &id.to_le_bytes()[..], &[0, 0], &length, value, &sum.to_le_bytes()].concat()
}

fn code_page(number: u32) -> Vec<u8> {
    attribute(1, 0x9007, &[number.to_le_bytes(), [0; 4]].concat())
}

fn file(title: &[u8], data: &[u8], properties: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    [
        attribute(2, 0x9002, &[0; 14]),
        attribute(2, 0x8010, title),
        attribute(2, 0x800f, data),
        attribute(2, 0x9005, &list(properties)),
    ]
    .concat()
}

fn letter(properties: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    attribute(1, 0x9003, &list(properties))
}

/// A list of properties of counted types: id, type, value.
fn list(properties: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = (properties.len() as u32).to_le_bytes().to_vec();
    for (id, kind, value) in properties {
        out.extend([kind.to_le_bytes(), id.to_le_bytes()].concat());
        out.extend([1_u32.to_le_bytes(), (value.len() as u32).to_le_bytes()].concat());
        out.extend(value);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// A message as the object that is attached.
fn attached(subject: &[u8], inner: &[Vec<u8>]) -> Vec<u8> {
    let subject = letter(&[(0x0037, TEXT_8, subject.to_vec())]);
    let stream = stream(&[&[code_page(1252), subject][..], inner].concat());
    let object = [&MESSAGE[..], &stream].concat();
    file(b"Untitled Attachment\0", b"for old readers", &[(0x3701, OBJECT, object)])
}

#[test]
fn files_with_their_names() {
    let stream = stream(&[
        code_page(1251),
        file(b"KWARTI~1.PDF\0", b"%PDF-1", &[(0x3707, TEXT_16, utf16("Kwartalszählung Übersicht.pdf"))]),
        file(b"\xcf\xf0.txt\0", b"two", &[(0x370e, TEXT_8, b"Text/Plain\0".to_vec())]),
        file(b"\0", b"", &[(0x3001, TEXT_8, b"shown\0".to_vec())]),
    ]);
    let attachment = PartRole::Attachment;
    assert_eq!(
        table(&stream),
        [
            (attachment, "Kwartalszählung Übersicht.pdf".to_owned(), b"%PDF-1".to_vec()),
            (attachment, "Пр.txt".to_owned(), b"two".to_vec()),
            (attachment, "shown".to_owned(), Vec::new()),
        ]
    );
    let (message, _) = scan(&stream);
    let types: Vec<_> = message.headline.parts.iter().map(|part| part.media_type.as_str()).collect();
    let unknown = "application/octet-stream";
    assert_eq!(types, ["application/ms-tnef", unknown, "text/plain", unknown]);
    assert_eq!(message.headline.parts[0].role, PartRole::Container);
    assert_eq!((message.headline.defects, message.text_complete), (vec![], true));
}

#[test]
fn the_class_that_the_message_has_at_home_counts() {
    let old = |name: &[u8]| scan(&stream(&[attribute(1, 0x8008, name)])).0.class;
    let new = |name: &str| scan(&stream(&[letter(&[(0x001a, TEXT_16, utf16(name))])])).0.class;
    for (name, class) in [
        ("IPM.Outlook.Recall", Class::Recall),
        ("IPM.Schedule.Meeting.Request", Class::Calendar),
        ("REPORT.IPM.Note.IPNRN", Class::Receipt),
        ("REPORT.IPM.Note.NDR", Class::Bounce),
        ("IPM.Note.Rules.OofTemplate.Microsoft", Class::AutoReply),
    ] {
        assert_eq!(new(name), class, "{name}");
    }
    assert_eq!(old(b"IPM.Microsoft Schedule.MtgReq\0"), Class::Calendar);
    assert_eq!(old(b"IPM.Microsoft Mail.Read Receipt\0"), Class::Receipt);
    assert_eq!((new("IPM.Note"), old(b"IPM.Microsoft Mail.Note\0")), (Class::Empty, Class::Empty));
    let inner = letter(&[(0x001a, TEXT_16, utf16("IPM.Schedule.Meeting.Request"))]);
    let outer =
        stream(&[letter(&[(0x1000, TEXT_8, b"see\0".to_vec())]), attached(b"invitation\0", &[inner])]);
    assert_eq!(scan(&outer).0.class, Class::Human);
}

#[test]
fn pictures_of_the_text_stand_in_it() {
    let image = [(0x370e, TEXT_8, b"image/png\0".to_vec()), (0x3712, TEXT_16, utf16("logo@x"))];
    let (message, _) = scan(&stream(&[code_page(1252), file(b"logo.png\0", b"PNG", &image)]));
    let part = &message.headline.parts[1];
    assert_eq!((part.role, part.content_id.as_deref()), (PartRole::Inline, Some("logo@x")));
}

#[test]
fn bodies_are_text_to_read() {
    let plain = (0x1000, TEXT_16, utf16("MPAN 1200023305967 für Zähler"));
    let html = (0x1013, BINARY, b"<p>MPAN</p><p>2000000000015</p>".to_vec());
    let (message, mail) = scan(&stream(&[code_page(1252), letter(&[plain, html])]));
    let [_, plain, html] = &message.headline.parts[..] else { panic!("a text and an HTML") };
    assert_eq!((plain.role, plain.media_type.as_str()), (PartRole::Body, "text/plain"));
    assert_eq!(text(plain, &mail), "MPAN 1200023305967 für Zähler");
    assert_eq!((html.role, html.media_type.as_str()), (PartRole::Body, "text/html"));
    assert_eq!(text(html, &mail), "<p>MPAN</p><p>2000000000015</p>");
    let words: Vec<_> = message.text.split_whitespace().collect();
    assert_eq!(words, ["MPAN", "1200023305967", "für", "Zähler", "MPAN", "2000000000015"]);
}

/// Rich text that is not packed at all (`MELA`).
fn rich(rtf: &[u8]) -> (u16, u16, Vec<u8>) {
    let length = (rtf.len() as u32).to_le_bytes();
    (0x1009, BINARY, [&((rtf.len() + 12) as u32).to_le_bytes()[..], &length, b"MELA", &[0; 4], rtf].concat())
}

#[test]
fn rich_text_is_read_where_there_is_no_better() {
    let said = |properties: &[(u16, u16, Vec<u8>)]| {
        let (message, mail) = scan(&stream(&[code_page(1252), letter(properties)]));
        let row = |part: &Part| (part.media_type.clone(), text(part, &mail));
        message.headline.parts[1..].iter().map(row).collect::<Vec<_>>()
    };
    let plain = rich(b"{\\rtf1\\ansi MPAN \\b 12\\'e4\\b0\\par}");
    let row = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    assert_eq!(said(std::slice::from_ref(&plain)), [row("text/plain", "MPAN 12ä\n")]);
    let body = (0x1000, TEXT_8, b"the body\0".to_vec());
    assert_eq!(said(&[body.clone(), plain]), [row("text/plain", "the body")]);
    let html = rich(b"{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag64 <p>}said{\\*\\htmltag72 </p>}}");
    assert_eq!(said(&[body, html]), [row("text/plain", "the body"), row("text/html", "<p>said</p>")]);
    assert_eq!(said(&[(0x1009, BINARY, b"no rich text at all".to_vec())]), []);
}

#[test]
fn a_text_that_stands_beside_it_is_read_once() {
    let stream = stream(&[code_page(1252), letter(&[(0x1000, TEXT_8, b"see the  file\r\n\0".to_vec())])]);
    let mail = |body: &str| {
        let head = "From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
        let middle = "\r\n--b\r\nContent-Type: application/ms-tnef\r\n\r\n";
        [head.as_bytes(), body.as_bytes(), middle.as_bytes(), &stream, b"\r\n--b--\r\n"].concat()
    };
    let same = scan_with(Budget::default(), &mail("see the file"), 100);
    assert_eq!((same.text.as_str(), same.headline.parts.len()), ("see the file", 2));
    let other = scan_with(Budget::default(), &mail("see no file"), 100);
    assert_eq!((other.text.as_str(), other.headline.parts.len()), ("see no file\nsee the  file", 3));
}

#[test]
fn attached_messages_are_entered() {
    let inner = attached(
        b"inner\0",
        &[letter(&[(0x1000, TEXT_8, b"said inside\0".to_vec())]), file(b"a.txt\0", b"deep", &[])],
    );
    let outer = attached(b"outer\0", &[inner]);
    let stream = stream(&[code_page(1252), letter(&[(0x1000, TEXT_8, b"said\0".to_vec())]), outer]);
    let (message, _) = scan(&stream);
    assert_eq!(message.text, "said\nouter\ninner\nsaid inside");
    let named = |role, name: &str| (role, name.to_owned());
    let roles: Vec<_> = table(&stream).into_iter().map(|(role, name, _)| (role, name)).collect();
    assert_eq!(
        roles,
        [
            named(PartRole::Body, ""),
            named(PartRole::Container, "outer"),
            named(PartRole::Container, "inner"),
            named(PartRole::Enclosed, "inner.txt"),
            named(PartRole::Enclosed, "a.txt"),
        ]
    );
    assert_eq!(table(&stream)[3].2, b"said inside");
    assert_eq!(table(&stream)[4].2, b"deep");
    let parents: Vec<_> =
        message.headline.parts[1..].iter().map(|part| part.inside.as_ref().unwrap().parent).collect();
    assert_eq!(parents, [0, 0, 2, 3, 3]);
}

#[test]
fn depth_is_shared_with_the_mail() {
    let mut message = attached(b"last\0", &[]);
    for _ in 0..20 {
        message = attached(b"x\0", &[message]);
    }
    let mail = [HEAD, &stream(&[code_page(1252), message])].concat();
    let tight = scan_with(Budget { depth: 10, ..Budget::default() }, &mail, 500);
    assert_eq!(tight.headline.defects, [Defect::TooDeep]);
    assert!(!tight.text_complete);
    assert!(scan_with(Budget::default(), &mail, 500).text.ends_with("last"));
}

#[test]
fn parts_and_text_are_bounded() {
    let files: Vec<Vec<u8>> = (0..50).map(|_| file(b"f\0", b"x", &[])).collect();
    let mail = [HEAD, &stream(&files)].concat();
    let few = scan_with(Budget { parts: 10, ..Budget::default() }, &mail, 500);
    assert_eq!((few.headline.parts.len(), few.headline.defects), (10, vec![Defect::TooManyParts]));
    let long = stream(&[code_page(1252), letter(&[(0x1000, TEXT_8, vec![b'x'; 5000])])]);
    let mail = [HEAD, &long].concat();
    let short = scan_with(Budget { text_bytes: 100, ..Budget::default() }, &mail, 500);
    assert_eq!((short.text.len(), short.headline.defects), (100, vec![Defect::TextTruncated]));
    assert_eq!(bytes(&short.headline.parts[1], &mail).len(), 5000, "the reader can have it all");
}

#[test]
fn endless_properties_end() {
    let mut many = 200_000_u32.to_le_bytes().to_vec();
    (0..200_000).for_each(|_| many.extend(b"\x03\x00\x01\x40\x00\x00\x00\x00"));
    let mail = [HEAD, &stream(&[attribute(1, 0x9003, &many)])].concat();
    let message = scan_with(Budget::default(), &mail, 10_000);
    assert_eq!(message.headline.defects, [Defect::ContainerUnreadable]);
}

#[test]
fn damage_is_told_and_what_came_before_it_is_listed() {
    let sound = stream(&[code_page(1252), file(b"a\0", b"first", &[]), file(b"b\0", b"second", &[])]);
    let (whole, _) = scan(&sound);
    assert_eq!((whole.headline.parts.len(), whole.headline.defects), (3, vec![]));
    for end in 0..sound.len() {
        let mail = [HEAD, &sound[..end]].concat();
        let message = scan_with(Budget::default(), &mail, 100);
        let container = &message.headline.parts[0];
        for part in &message.headline.parts[1..] {
            let found = bytes(part, &mail);
            assert!(b"first".starts_with(&found) || b"second".starts_with(&found), "{end}: {found:?}");
        }
        match message.headline.defects[..] {
            [Defect::ContainerUnreadable] => assert_eq!(container.role, PartRole::Attachment, "{end}"),
            [] => assert!(end == 0 || container.role == PartRole::Container, "{end}"),
            ref other => panic!("{end}: {other:?}"),
        }
    }
    let mut wrong_sum = sound.clone();
    wrong_sum[30] ^= 1;
    assert_eq!(scan(&wrong_sum).0.headline.defects, [Defect::ContainerUnreadable]);
    assert_eq!(scan(&[&sound[..], b"\r\n"].concat()).0.headline.defects, [], "a line end is no damage");
    assert_eq!(scan(&[&sound[..], &[9; 40]].concat()).0.headline.defects, [Defect::ContainerUnreadable]);
    assert_eq!(scan(b"no such thing").0.headline.parts.len(), 1);
}

#[test]
fn a_closed_archive_inside_is_told() {
    let archive = [&b"PK\x03\x04\x14\0\x01\0"[..], &[0; 40]].concat();
    let (message, _) = scan(&stream(&[file(b"a.zip\0", &archive, &[])]));
    assert_eq!(message.headline.defects, [Defect::Opaque]);
}

#[test]
fn the_bytes_say_it_where_the_type_does_not() {
    let stream = stream(&[file(b"a\0", b"x", &[])]);
    for (kind, opened) in
        [("application/octet-stream", true), ("application/pdf", true), ("image/png", false)]
    {
        let mail = [format!("From: a@b\r\nContent-Type: {kind}\r\n\r\n").as_bytes(), &stream].concat();
        assert_eq!(scan_with(Budget::default(), &mail, 2).headline.parts.len() == 2, opened, "{kind}");
    }
}

/// Name, length, first bytes.
type File = (&'static str, usize, &'static [u8]);

/// File names and lengths as other programs give them, and how the first bytes of each look.
const CORPUS: [(&str, &[File]); 12] = [
    ("mimekit-tnef/MAPI_OBJECT.tnef", &[("Untitled_Attachment", 628_224, b"\xd0\xcf\x11\xe0")]),
    (
        "mimekit-tnef/attachments.tnef",
        &[("zappa_av1.jpg", 2937, b"\xff\xd8"), ("bookmark.htm", 85_805, b"<!DOCTYPE")],
    ),
    (
        "mimekit-tnef/christmas.tnef",
        &[
            ("kitten-playing-with-a-christmas-tree.jpg", 375_081, b"\xff\xd8"),
            ("Build a train table.txt", 58, b"Build my nephew"),
            ("Christmas Celebration!.txt", 58, b"It's time"),
            ("kitten-playing-with-a-christmas-tree.jpg", 375_081, b"\xff\xd8"),
        ],
    ),
    (
        "mimekit-tnef/data-before-name.tnef",
        &[("AUTOEXEC.BAT", 0, b""), ("CONFIG.SYS", 0, b""), ("boot.ini", 289, b"[boot")],
    ),
    ("mimekit-tnef/garbage-at-end.tnef", &[]),
    (
        "mimekit-tnef/missing-filenames.tnef",
        &[
            ("generpts.src", 61_210, b"*PROC"),
            ("TechlibDEC99.doc", 33_792, b"\xd0\xcf\x11\xe0"),
            ("TechlibDEC99-JAN00.doc", 34_304, b"\xd0\xcf\x11\xe0"),
            ("TechlibNOV99.doc", 33_792, b"\xd0\xcf\x11\xe0"),
        ],
    ),
    ("mimekit-tnef/multi-name-property.tnef", &[]),
    ("mimekit-tnef/multi-value-attribute.tnef", &[("208225__5_seconds__Voice_Mail.mp3", 10_656, b"\xff")]),
    (
        "mimekit-tnef/panic.tnef",
        &[
            ("image001.jpg", 11_250, b"\xff\xd8"),
            ("image002.jpg", 9583, b"\xff\xd8"),
            ("image003.png", 7147, b"\x89PNG"),
        ],
    ),
    ("mimekit-tnef/two-files.tnef", &[("AUTHORS", 244, b"\n "), ("README", 893, b"\n ")]),
    (
        "mimekit-tnef/winmail.tnef",
        &[
            ("Picture (Device Independent Bitmap)", 29_184, b"\xd0\xcf\x11\xe0"),
            ("Picture (Device Independent Bitmap)", 68_608, b"\xd0\xcf\x11\xe0"),
        ],
    ),
    (
        "ytnef/test-data__multi-value-attribute.tnef",
        &[("208225 (5 seconds) Voice Mail.mp3", 10_656, b"\xff")],
    ),
];

#[test]
fn every_stream_of_the_corpus_is_opened() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/tnef");
    for (name, expected) in CORPUS {
        let (message, mail) =
            scan(&fs::read(folder.join(name)).expect("the open test corpus beside the repository"));
        let is_file = |part: &&Part| part.name.is_some() && part.role != PartRole::Container;
        let files: Vec<_> = message.headline.parts[1..].iter().filter(is_file).collect();
        let names: Vec<_> = files.iter().filter_map(|part| part.name.as_deref()).collect();
        assert_eq!(names, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), "{name}");
        for (part, (file, length, start)) in files.iter().zip(expected) {
            let content = bytes(part, &mail);
            assert_eq!(content.len(), *length, "{name}: {file}");
            assert!(content.starts_with(start), "{name}: {file}");
        }
        // One has 17 KB of something else behind its last attribute.
        let damaged = name.ends_with("panic.tnef");
        assert_eq!(message.headline.defects, [Defect::ContainerUnreadable][..usize::from(damaged)], "{name}");
    }
}

#[test]
fn rich_text_of_the_corpus_is_unpacked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/tnef/mimekit-tnef");
    for (name, kind, beginning, end) in [
        (
            "MAPI_OBJECT.tnef",
            "text/plain",
            "Attached is the updated October Discounted Price List",
            "9848 8110",
        ),
        (
            "christmas.tnef",
            "text/plain",
            "You've made this a Christmas to remember\nSpringtime feeling's",
            "",
        ),
        ("missing-filenames.tnef", "text/plain", "Hi Stephen,\n\nSue has encountered a Date problem", ""),
        (
            "multi-value-attribute.tnef",
            "text/html",
            "<html><head>\n<style type=\"text/css\"> a:link",
            "</html>",
        ),
    ] {
        let (message, mail) =
            scan(&fs::read(folder.join(name)).expect("the open test corpus beside the repository"));
        let part = &message.headline.parts[1];
        assert_eq!((part.role, part.media_type.as_str()), (PartRole::Body, kind), "{name}");
        assert_eq!(part.encoded().1, Coding::Rtf, "{name}");
        let text = text(part, &mail);
        assert!(text.trim().starts_with(beginning), "{name}: {text}");
        assert!(text.trim().contains(end), "{name}: {text}");
    }
}
