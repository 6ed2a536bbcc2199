//! What a signed mail says is signed, and by what: which bytes, under which form, and when not all that is shown is signed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::{Budget, Scanner, Signature, SignatureScanner};

const PLAIN: &[u8] = b"Content-Type: text/plain\r\n\r\nMPAN 1200023305967\r\n";
const MIXED: &[u8] = b"Content-Type: multipart/mixed; boundary=in\r\n\r\nbefore\r\n--in\r\n\r\nhello\r\n-- \r\nbye\r\n--in\r\n\
    Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n--in--\r\n";
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

type Form = fn(u8, &[&[u8]]) -> Vec<u8>;

fn definite(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    match u8::try_from(content.len()) {
        Ok(length @ 0..0x80) => [&[tag, length], &content[..]].concat(),
        _ => [&[tag, 0x82], &(content.len() as u16).to_be_bytes()[..], &content].concat(),
    }
}

fn endless(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    [&[tag, 0x80], &content.concat()[..], &[0, 0]].concat()
}

/// Signed data around `octets`, which are empty for a signature of something elsewhere.
fn cms(form: Form, octets: &[u8]) -> Vec<u8> {
    let content = match octets {
        [] => form(0x30, &[DATA]),
        octets => form(0x30, &[DATA, &form(0xa0, &[octets])]),
    };
    let signers = form(0x31, &[&form(0x30, &[b"\x02\x01\x01"])]);
    let version = b"\x02\x01\x01";
    let data = form(0x30, &[version, &form(0x31, &[]), &content, &signers]);
    form(0x30, &[SIGNED_DATA, &form(0xa0, &[&data])])
}

fn segments(content: &[u8]) -> Vec<u8> {
    let segments: Vec<Vec<u8>> = content.chunks(7).map(|segment| definite(0x04, &[segment])).collect();
    endless(0x24, &segments.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn signed_mail(entity: &[u8], signature: &[u8], behind: &str) -> Vec<u8> {
    let head = "From: a@alpha.example\r\nContent-Type: multipart/signed; micalg=sha-256; boundary=\"=out\";\r\n \
                protocol=\"application/pkcs7-signature\"\r\n\r\nThis is signed.\r\n--=out\r\n";
    let second = "\r\n--=out\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\n";
    [head.as_bytes(), entity, second.as_bytes(), signature, behind.as_bytes()].concat()
}

fn opaque(data: &[u8]) -> Vec<u8> {
    [b"From: a@alpha.example\r\nContent-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n", data].concat()
}

/// The signature, and the bytes it is over, however the mail is cut into pieces.
fn read(mail: &[u8]) -> (Option<Signature>, Vec<u8>) {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    let headline = scanner.finish().headline;
    let whole = [usize::MAX, 1, 13].map(|size| {
        let (mut scanner, mut signed) = (SignatureScanner::default(), Vec::new());
        mail.chunks(size).for_each(|piece| scanner.feed(piece, |bytes| signed.extend_from_slice(bytes)));
        (scanner.finish(&headline), signed)
    });
    let [whole, single, pieces] = whole;
    assert_eq!((&whole, &whole), (&single, &pieces));
    whole
}

#[test]
fn the_first_half_is_signed_byte_for_byte() {
    let short = cms(definite, &[]);
    for entity in [PLAIN, MIXED, b"\r\nno head"] {
        for signature in [short.clone(), cms(endless, &[])] {
            for behind in ["\r\n--=out--\r\n", "\r\n--=out--", "", "\r\n--=out-- \r\nan end nobody shows\r\n"]
            {
                let (found, signed) = read(&signed_mail(entity, &signature, behind));
                assert_eq!(found, Some(Signature::Smime(short.clone())), "{behind:?}");
                assert_eq!(signed, entity, "{behind:?}");
            }
        }
    }
}

#[test]
fn opaque_data_is_signed_without_its_wrapping() {
    let short = cms(definite, &definite(0xa0, &[]));
    for data in [cms(definite, &definite(0x04, &[MIXED])), cms(endless, &segments(MIXED))] {
        let (found, signed) = read(&opaque(&data));
        let Some(Signature::Smime(signature)) = found else { panic!("{found:?}") };
        // The place of the content is left, empty.
        assert!(signature.len() <= short.len() && signature.starts_with(b"\x30"), "{signature:x?}");
        assert_eq!(signed, MIXED);
    }
}

#[test]
fn what_a_detached_signature_holds_for_itself_is_not_what_is_signed() {
    let signature = cms(definite, &definite(0x04, &[b"something else"]));
    let (found, signed) = read(&signed_mail(PLAIN, &signature, "\r\n--=out--\r\n"));
    assert!(matches!(found, Some(Signature::Smime(_))));
    assert_eq!(signed, PLAIN);
}

#[test]
fn a_signature_of_some_of_the_mail_is_told_from_one_of_all() {
    let inner = signed_mail(PLAIN, &cms(definite, &[]), "\r\n--=out--\r\n");
    let entity = &inner["From: a@alpha.example\r\n".len()..];
    let list = [b"Content-Type: multipart/mixed; boundary=list\r\n\r\n--list\r\n", entity].concat();
    let footer = b"\r\n--list\r\n\r\nPay to this account instead.\r\n--list--\r\n";
    let third = "\r\n--=out\r\n\r\nPay to this account instead.\r\n--=out--\r\n";
    // A line in the head that is no field: others may take the body to begin there.
    let junk = String::from_utf8_lossy(&inner).replacen("From:", "no field\r\nFrom:", 1);
    for mail in [
        [&list[..], footer].concat(),
        signed_mail(PLAIN, &cms(definite, &[]), third),
        signed_mail(PLAIN, b"", third),
        junk.into_bytes(),
    ] {
        assert_eq!(read(&mail).0, Some(Signature::NotAll), "{}", mail.escape_ascii());
    }
}

#[test]
fn a_text_in_the_place_of_the_signature_is_none() {
    let mail = signed_mail(PLAIN, &cms(definite, &[]), "\r\n--=out--\r\n");
    let text = String::from_utf8_lossy(&mail)
        .replace("Content-Type: application/pkcs7-signature", "Content-Type: text/html");
    assert_eq!(read(text.as_bytes()).0, Some(Signature::NotAll));
}

#[test]
fn damaged_and_endless_signatures_are_unreadable() {
    let whole = cms(definite, &[]);
    let large = definite(0x30, &[SIGNED_DATA, &definite(0x04, &[&[0; 60_000]])]).repeat(10);
    let deep = [0x30, 0x80].repeat(100);
    let many = [&[0x30, 0x80][..], &[0x30, 0x00].repeat(200_000)].concat();
    for signature in [&whole[..whole.len() - 1], b"", b"\x04\x01x", b"\x1f\x01\x00", &deep, &many, &large] {
        let found = read(&signed_mail(PLAIN, signature, "\r\n--=out--\r\n")).0;
        assert_eq!(found, Some(Signature::Unreadable), "{} bytes", signature.len());
    }
    let mail = signed_mail(PLAIN, &whole, "");
    assert_eq!(read(&mail[..mail.len() - 150]).0, Some(Signature::Unreadable), "nothing but the first half");
    let twice = [definite(0x04, &[PLAIN]), definite(0x04, &[MIXED])].concat();
    assert_eq!(read(&opaque(&cms(definite, &twice))).0, Some(Signature::Unreadable));
}

#[test]
fn other_mail_has_none() {
    let pgp = b"Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    assert_eq!(read(pgp), (Some(Signature::Pgp), Vec::new()));
    for mail in [&b"From: a@alpha.example\r\n\r\nhello"[..], b"", b"Subject: no end", MIXED] {
        assert_eq!(read(mail), (None, Vec::new()));
    }
    assert_eq!(read(&opaque(&cms(definite, &[]))).0, None, "certificates only");
}
