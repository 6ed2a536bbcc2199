//! Signed, encrypted and otherwise closed mail: what is read of it, where its parts stand, what is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use mail::{Budget, Coding, Defect, Message, Part, PartRole, Scanner, Signed};

const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENVELOPED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const ENTITY: &[u8] = b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nMPAN 1200023305967\r\n--i\r\n\
    Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n--i--\r\n";

fn scan_with(budget: Budget, bytes: &[u8], piece: usize) -> Message {
    let mut scanner = Scanner::new(budget);
    bytes.chunks(piece).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

fn scan(mail: &[u8]) -> Message {
    let whole = scan_with(Budget::default(), mail, usize::MAX);
    for piece in [1, 11] {
        assert_eq!(scan_with(Budget::default(), mail, piece), whole, "in pieces of {piece}");
    }
    whole
}

fn bytes(part: &Part, mail: &[u8]) -> Vec<u8> {
    let body = &mail[part.offset as usize..(part.offset + part.length) as usize];
    let (mut decoder, mut out) = (part.decoder(), Vec::new());
    body.chunks(10).for_each(|piece| decoder.feed(piece, &mut out));
    decoder.finish(&mut out);
    out
}

/// An element with the shortest definite length.
fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = (content.len() as u32).to_be_bytes();
    let head: &[u8] = match content.len() {
        0..128 => &length[3..],
        128..256 => &[0x81, length[3]],
        _ => &[0x82, length[2], length[3]],
    };
    [&[tag], head, &content].concat()
}

/// An element that ends with a mark.
fn endless(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    [&[tag, 0x80], &content.concat()[..], &[0, 0]].concat()
}

/// Signed data around an octet string, or around none.
fn signed(form: fn(u8, &[&[u8]]) -> Vec<u8>, octets: &[u8]) -> Vec<u8> {
    let digests = form(0x31, &[&form(0x30, &[b"\x06\x01\x2a\x05\x00"])]);
    let content = match octets {
        [] => form(0x30, &[DATA]),
        octets => form(0x30, &[DATA, &form(0xa0, &[octets])]),
    };
    let signer = form(0x31, &[&form(0x30, &[b"\x02\x01\x01"])]);
    form(0x30, &[SIGNED_DATA, &form(0xa0, &[&form(0x30, &[b"\x02\x01\x01", &digests, &content, &signer])])])
}

fn in_segments(content: &[u8]) -> Vec<u8> {
    let segments: Vec<Vec<u8>> = content.chunks(7).map(|segment| der(0x04, &[segment])).collect();
    endless(0x24, &segments.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn part_of(kind: &str, body: &[u8]) -> Vec<u8> {
    [b"From: a@alpha.example\r\nContent-Type: ", kind.as_bytes(), b"\r\n\r\n", body].concat()
}

fn opaque(body: &[u8]) -> Vec<u8> {
    part_of("application/pkcs7-mime; name=smime.p7m", body)
}

#[test]
fn signed_data_is_opened() {
    let whole = signed(der, &der(0x04, &[ENTITY]));
    let segments = signed(endless, &in_segments(ENTITY));
    for (data, coding) in [(whole, Coding::Identity), (segments, Coding::Segments)] {
        let mail = opaque(&data);
        let message = scan(&mail);
        assert_eq!(message.text, "MPAN 1200023305967");
        assert_eq!(message.headline.signed, Some(Signed::Smime));
        assert_eq!((message.headline.defects, message.text_complete), (vec![], true));
        let [container, body, file] = &message.headline.parts[..] else { panic!("three parts") };
        assert_eq!(container.role, PartRole::Container);
        assert_eq!((body.role, file.role), (PartRole::Body, PartRole::Attachment));
        assert_eq!(bytes(body, &mail), b"MPAN 1200023305967");
        assert_eq!((file.name.as_deref(), file.encoded()), (Some("a.pdf"), (8, Coding::Base64)));
        assert_eq!(bytes(file, &mail), b"%PDF-1");
        let through = &file.inside.as_ref().unwrap().through;
        assert_eq!(through.first().map_or(Coding::Identity, |slice| slice.coding), coding);
    }
}

#[test]
fn signed_data_within_signed_data_is_opened() {
    let inner = signed(endless, &in_segments(ENTITY));
    let entity =
        [&b"Content-Type: application/x-pkcs7-mime; smime-type=signed-data\r\n\r\n"[..], &inner].concat();
    let mail = opaque(&signed(der, &der(0x04, &[&entity])));
    let message = scan(&mail);
    assert_eq!(message.text, "MPAN 1200023305967");
    let roles: Vec<_> = message.headline.parts.iter().map(|part| part.role).collect();
    assert_eq!(roles, [PartRole::Container, PartRole::Container, PartRole::Body, PartRole::Attachment]);
    assert_eq!(bytes(&message.headline.parts[3], &mail), b"%PDF-1");
    let parents: Vec<_> =
        message.headline.parts[1..].iter().map(|part| part.inside.as_ref().unwrap().parent).collect();
    assert_eq!(parents, [0, 1, 1]);
}

#[test]
fn a_file_signed_for_itself_is_a_file() {
    let data = signed(endless, &in_segments(b"%PDF-1.7 not an entity"));
    for kind in
        ["application/pkcs7-mime; name=contract.pdf.p7m", "application/octet-stream; name=contract.pdf.P7M"]
    {
        let mail = part_of(kind, &data);
        let message = scan(&mail);
        assert_eq!(message.text, "");
        let file = &message.headline.parts[1];
        assert_eq!((file.name.as_deref(), file.role), (Some("contract.pdf"), PartRole::Attachment));
        assert_eq!(bytes(file, &mail), b"%PDF-1.7 not an entity");
    }
}

#[test]
fn certificates_alone_are_a_file() {
    let message = scan(&opaque(&signed(der, &[])));
    assert_eq!((message.headline.defects, message.headline.signed), (vec![], None));
    assert_eq!(message.headline.parts[0].role, PartRole::Attachment);
}

#[test]
fn encrypted_data_is_told() {
    let enveloped = der(0x30, &[ENVELOPED_DATA, &der(0xa0, &[&der(0x30, &[b"\x02\x01\x00"])])]);
    for mail in [opaque(&enveloped), part_of("application/octet-stream; name=smime.p7m", &enveloped)] {
        let message = scan(&mail);
        assert_eq!((message.headline.defects, message.text_complete), (vec![Defect::Opaque], false));
        assert_eq!(message.headline.parts[0].role, PartRole::Attachment);
    }
}

#[test]
fn damage_is_told_and_what_came_before_it_is_read() {
    let data = signed(der, &der(0x04, &[ENTITY]));
    let content = data.windows(ENTITY.len()).position(|window| window == ENTITY).unwrap();
    for end in 1..data.len() {
        let message = scan_with(Budget::default(), &opaque(&data[..end]), 50);
        let parts = &message.headline.parts;
        let broken = message.headline.defects.contains(&Defect::ContainerUnreadable);
        assert_eq!(broken, end < content + ENTITY.len(), "{end}");
        assert_eq!(parts[0].role, if broken { PartRole::Attachment } else { PartRole::Container }, "{end}");
        assert_eq!(!broken, message.text_complete, "{end}");
    }
    for body in [&b"test"[..], b"\x30\x80\x06\x01", &data[4..]] {
        let message = scan(&opaque(body));
        assert_eq!(message.headline.defects, [Defect::ContainerUnreadable], "{}", body.escape_ascii());
    }
}

#[test]
fn signatures_are_said() {
    let signed = |protocol: &str, text: &str| {
        scan(
            format!(
                "From: a@b\r\nContent-Type: multipart/signed; boundary=s; protocol=\"{protocol}\"\r\n\r\n--s\r\n\r\n{text}\r\n--s\r\n\
                 Content-Type: {protocol}; name=signature\r\n\r\nx\r\n--s--\r\n"
            )
            .as_bytes(),
        )
    };
    for (protocol, kind) in [
        ("application/pkcs7-signature", Some(Signed::Smime)),
        ("Application/X-pkcs7-signature", Some(Signed::Smime)),
        ("application/pgp-signature", Some(Signed::Pgp)),
        ("application/x-unknown", None),
    ] {
        let message = signed(protocol, "text");
        assert_eq!((message.headline.signed, message.text.as_str()), (kind, "text"), "{protocol}");
        assert_eq!(message.headline.parts[1].role, PartRole::Attachment);
    }
    let inline = "From: a@b\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\ntext\r\n-----BEGIN PGP SIGNATURE-----\r\n";
    assert_eq!(scan(inline.as_bytes()).headline.signed, Some(Signed::Pgp));
    let attached = format!("From: a@b\r\nContent-Type: message/rfc822\r\n\r\n{inline}");
    assert_eq!(scan(attached.as_bytes()).headline.signed, None, "the mail inside is signed, not the mail");
}

#[test]
fn closed_files_are_told() {
    let archive = |flags: u8| [&b"PK\x03\x04\x14\0"[..], &[flags, 0], &[0; 40]].concat();
    for (kind, file, closed) in [
        ("application/zip", archive(1), true),
        ("application/zip", archive(0), false),
        ("application/octet-stream; name=a.xlsx", archive(1), true),
        ("application/pdf", b"%PDF-1.7\ntrailer <</Encrypt 9 0 R>>".to_vec(), true),
        ("application/pdf", b"%PDF-1.7\ntrailer <</Root 9 0 R>>".to_vec(), false),
        ("application/x-microsoft-rpmsg-message; name=message.rpmsg", b"any".to_vec(), true),
        ("application/octet-stream", b"\x76\xe8\x04\x60\xc4\x11\xe3\x86...".to_vec(), true),
    ] {
        let message = scan(&part_of(kind, &file));
        assert_eq!(message.headline.defects == [Defect::Opaque], closed, "{kind}");
        assert_eq!(message.text_complete, !closed, "{kind}");
    }
}

/// Names of the corpus say what each mail is, outermost wrapping last: `env` encrypted, `sig` signed as one blob, `dsig`
/// signed beside the text.
#[test]
fn wrapped_mail_of_the_corpus_is_what_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail/comm-central");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the open test corpus beside the repository") {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some((_, wrapping)) = name.split_once("smime__alice.") else { continue };
        let wrappings: Vec<&str> = wrapping.split('.').collect();
        // Their text was exchanged.
        if wrappings.iter().any(|word| word.starts_with("mismatch") || *word == "bad") {
            continue;
        }
        let mail = fs::read(&path).unwrap();
        let message = scan(&mail);
        let encrypted = wrappings.contains(&"env");
        let outer = wrappings.iter().rev().find(|word| ["env", "sig", "dsig"].contains(word));
        assert_eq!(message.headline.defects.contains(&Defect::Opaque), encrypted, "{name}");
        assert_eq!(message.text.contains("This is a test message from Alice to Bob."), !encrypted, "{name}");
        let signed = outer.filter(|outer| **outer != "env").map(|_| Signed::Smime);
        assert_eq!(message.headline.signed, signed, "{name}");
        count += 1;
    }
    assert!(count > 40, "only {count} mails");
}
