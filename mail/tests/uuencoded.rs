//! Files that old clients write into the text, and mails behind a transfer encoding.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use mail::{Budget, Coding, Defect, Message, Part, PartRole, Scanner};

const CAT: &str = "begin 644 cat.txt\n#0V%T\n`\nend";

fn scan_with(budget: Budget, mail: &str, piece: usize) -> Message {
    let mut scanner = Scanner::new(budget);
    mail.as_bytes().chunks(piece).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

fn scan(mail: &str) -> (Message, String) {
    let mail = mail.replace('\n', "\r\n");
    let whole = scan_with(Budget::default(), &mail, usize::MAX);
    for piece in [1, 5] {
        assert_eq!(scan_with(Budget::default(), &mail, piece), whole, "in pieces of {piece}");
    }
    (whole, mail)
}

fn body<'a>(part: &Part, mail: &'a [u8]) -> &'a [u8] {
    &mail[part.offset as usize..(part.offset + part.length) as usize]
}

fn bytes(part: &Part, mail: &[u8]) -> Vec<u8> {
    let (mut decoder, mut out) = (part.decoder(), Vec::new());
    body(part, mail).chunks(3).for_each(|piece| decoder.feed(piece, &mut out));
    decoder.finish(&mut out);
    out
}

#[test]
fn a_file_in_the_text_is_a_part() {
    let (message, mail) = scan(&format!("From: a@b\n\nsee this:\n{CAT}\nbye\n"));
    assert_eq!(message.text, "see this:\r\nbye");
    let [text, cat] = &message.headline.parts[..] else { panic!("a text and a file") };
    assert_eq!(
        (text.role, text.text(body(text, mail.as_bytes())).as_str()),
        (PartRole::Body, "see this:\r\nbye\r\n")
    );
    assert_eq!((cat.role, cat.name.as_deref()), (PartRole::Attachment, Some("cat.txt")));
    assert_eq!(cat.encoded().1, Coding::Uuencode);
    let inside = cat.inside.as_ref().unwrap();
    let start = (cat.offset + inside.offset) as usize;
    assert!(mail[start..start + inside.length as usize].starts_with("begin 644 cat.txt"));
    assert_eq!(bytes(cat, mail.as_bytes()), b"Cat");
}

#[test]
fn a_file_in_an_encoded_text_is_a_part() {
    // "see\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n"
    let base64 = "c2VlDQpiZWdpbiA2NDQgYQ0KIzBWJVQNCmANCmVuZA0K";
    let (message, mail) = scan(&format!("From: a@b\nContent-Transfer-Encoding: base64\n\n{base64}\n"));
    assert_eq!((message.text.as_str(), message.headline.parts.len()), ("see", 2));
    assert_eq!(bytes(&message.headline.parts[1], mail.as_bytes()), b"Cat");
}

#[test]
fn a_file_in_a_mail_inside_the_mail_is_a_part() {
    let (message, mail) = scan(&format!("From: a@b\nContent-Type: message/rfc822\n\nSubject: s\n\n{CAT}\n"));
    let file = message.headline.parts.last().unwrap();
    assert_eq!((file.role, bytes(file, mail.as_bytes())), (PartRole::Enclosed, b"Cat".to_vec()));
}

#[test]
fn text_about_a_beginning_stays_text() {
    let (message, _) = scan("From: a@b\n\nbegin 100 metres from the gate\nand go on\n");
    assert_eq!(message.headline.parts.len(), 1);
    assert_eq!(message.text, "begin 100 metres from the gate\r\nand go on");
    let (html, _) = scan(&format!("From: a@b\nContent-Type: text/html\n\n{CAT}\n"));
    assert_eq!(html.headline.parts.len(), 1, "no client looks into HTML for files");
}

#[test]
fn many_files_are_bounded() {
    let mail = format!("From: a@b\n\n{}", format!("{CAT}\n").repeat(50));
    let message = scan_with(Budget { parts: 10, ..Budget::default() }, &mail, 100);
    assert_eq!(message.headline.parts.len(), 10);
    assert_eq!(message.headline.defects, [Defect::TooManyParts]);
}

#[test]
fn the_parts_of_an_encoded_mail_are_listed() {
    // A mail with a text and a base64 file "%PDF-1", and the same once more inside it.
    let inner = "U3ViamVjdDogaW5uZXIKQ29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5kYXJ5PWkKCi0taQoKTVBBTgotLWkKQ29udGVudC1UeXBlOiBhcHBsaWNhdGlvbi9wZGY7IG5hbWU9YS5wZGYKQ29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpKVkJFUmkweAotLWktLQo=";
    let (message, mail) = scan(&format!(
        "From: a@b\nContent-Type: message/rfc822; name=inner.eml\nContent-Transfer-Encoding: base64\n\n{inner}\n"
    ));
    assert_eq!(message.text, "inner\nMPAN");
    let roles: Vec<_> = message.headline.parts.iter().map(|part| part.role).collect();
    assert_eq!(roles, [PartRole::Attachment, PartRole::Enclosed, PartRole::Enclosed]);
    let file = &message.headline.parts[2];
    assert_eq!((file.name.as_deref(), bytes(file, mail.as_bytes())), (Some("a.pdf"), b"%PDF-1".to_vec()));
}

/// Name, length, first bytes.
type File = (&'static str, usize, &'static [u8]);

/// Files of the corpus as another decoder gives them.
const CORPUS: [(&str, &[File]); 4] = [
    (
        "mail-mime-parser/m0018.txt.eml",
        &[
            ("blueball.png", 1325, b"\x89PNG"),
            ("greenball.png", 1298, b"\x89PNG"),
            ("redball.png", 1453, b"\x89PNG"),
        ],
    ),
    (
        "mime4j/mimetools-testmsgs__uu-zeegee.msg.eml",
        &[("up.gif", 110, b"GIF87a"), ("zeegee.gif", 4834, b"GIF87a[")],
    ),
    (
        "mime4j/mimetools-testmsgs__uu-junk.msg.eml",
        &[("up.gif", 110, b"GIF87a"), ("zeegee.gif", 4834, b"GIF87a[")],
    ),
    ("mime4j/mimetools-testmsgs__sig-uu.msg.eml", &[(".signature", 276, b"  ___  _"), ("", 236, b"GIF89a")]),
];

#[test]
fn files_in_texts_of_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    for (mail, expected) in CORPUS {
        let raw = fs::read(folder.join(mail)).expect("the open test corpus beside the repository");
        let mut scanner = Scanner::new(Budget::default());
        raw.chunks(1000).for_each(|piece| scanner.feed(piece));
        let message = scanner.finish();
        let files = message.headline.parts.iter().filter(|part| part.encoded().1 == Coding::Uuencode);
        let found: Vec<_> =
            files.map(|part| (part.name.as_deref().unwrap_or_default(), bytes(part, &raw))).collect();
        assert_eq!(found.len(), expected.len(), "{mail}");
        for ((name, content), (wanted, length, start)) in found.iter().zip(expected) {
            assert_eq!((*name, content.len()), (*wanted, *length), "{mail}");
            assert!(content.starts_with(start), "{mail}: {name}");
        }
        assert!(!message.text.contains("begin 644"), "{mail}: no code is left in the text");
    }
}
