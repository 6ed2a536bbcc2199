//! Which lines the scanner takes for a mail's head and which for its body, where the empty line between them is missing
//! or something else stands among the fields. Every mail here is also read in pieces, which must make no difference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::{Budget, Defect, Message, Part, Scanner};

fn read(budget: Budget, bytes: &[u8], piece: usize) -> Message {
    let mut scanner = Scanner::new(budget);
    bytes.chunks(piece).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

/// Reads a mail with CRLF line ends, whole and in pieces.
fn scan(mail: &str) -> Message {
    let bytes = mail.replace('\n', "\r\n").into_bytes();
    let whole = read(Budget::default(), &bytes, usize::MAX);
    for piece in [1, 7] {
        assert_eq!(read(Budget::default(), &bytes, piece), whole);
    }
    whole
}

/// What stands in the place of a part.
fn body(part: &Part, mail: &str) -> String {
    let bytes = mail.replace('\n', "\r\n").into_bytes();
    let start = part.offset as usize;
    String::from_utf8(bytes[start..start + part.length as usize].to_vec()).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_body_that_begins_without_an_empty_line() {
    for text in [
        "Hello there\n\nsecond: line\n",
        "Hello\nthere, and\n on\n\nsecond: line\n",
        "Hello\nthere\nMeter: 5\n\nMPAN\n",
        "Hello\nthere",
    ] {
        let mail = format!("From: a@b\n{text}");
        let message = scan(&mail);
        assert_eq!(body(&message.headline.parts[0], &mail), text);
        assert_eq!(
            (message.text.as_str(), message.headline.defects),
            (text.replace('\n', "\r\n").trim(), vec![Defect::BadHeader])
        );
    }
}

#[test]
fn junk_between_fields_is_passed_over_and_heard() {
    for junk in [
        "junk without colon\n",
        "by mx.example\nwith ESMTP\n\tid 1\n",
        "two\nlines\nX-Unknown: field\n",
        "two\nlines\nNobodys: field\n",
        &"junk without colon\n".repeat(2000),
    ] {
        let message = scan(&format!("From: a@b\nTo: c@d\n{junk}Subject: seen\n\nbody\n"));
        assert_eq!(message.headline.subject, "seen", "{junk:?}");
        assert!(message.text.starts_with(junk.lines().next().unwrap()) && message.text.ends_with("body"));
        assert_eq!((message.headline.defects, message.headline.parts.len()), (vec![Defect::BadHeader], 1));
    }
}

#[test]
fn two_authors_are_told_whatever_stands_between_them() {
    let message = scan("From: a@b\nsome\njunk\nNobodys: field\nFrom: c@d\n\nbody\n");
    assert_eq!(message.headline.defects, [Defect::ManyFrom, Defect::ManyAuthors, Defect::BadHeader]);
}

#[test]
fn a_ruler_under_the_fields_is_none_of_the_body() {
    let mail = "From: a@b\n-----\n\nbody\n";
    assert_eq!(body(&scan(mail).headline.parts[0], mail), "body\n");
}

/// What opens an attached mail waits for the empty line.
#[test]
fn the_head_of_an_attached_mail_ends_with_an_empty_line() {
    for (inner, shown) in
        [("[the mail goes here]\n\nrest", "rest"), ("no mail at all", ""), ("a\nSubject: s\n\nb", "b")]
    {
        let mail = format!(
            "From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
        );
        let message = scan(&mail);
        assert_eq!(body(&message.headline.parts[1], &mail), shown);
        let first = inner.lines().next().unwrap();
        assert!(message.text.lines().any(|line| line == first), "{first} is heard");
        assert_eq!(message.headline.defects, [Defect::BadHeader]);
    }
}

#[test]
fn junk_is_bounded() {
    let budget = Budget { header_bytes: 100, ..Budget::default() };
    let mail = format!("From: a@b\n{}Subject: s\n\nbody\n", "junk\n".repeat(50));
    let message = read(budget, mail.as_bytes(), 3);
    assert_eq!((message.headline.subject.as_str(), message.headline.parts[0].offset), ("", 10));
    let attached = format!("From: a@b\nContent-Type: message/rfc822\n\n{}\nbody", "junk\n".repeat(50));
    let message = read(budget, attached.as_bytes(), 3);
    assert_eq!(message.headline.defects, [Defect::BadHeader, Defect::HeaderTooLarge]);
    assert!(message.text.ends_with("body"));
}

#[test]
fn an_envelope_line_and_a_mark_before_the_first_field_are_passed_over() {
    for start in ["From ann@alpha.example Mon Jun  1 10:00:00 2026\n", "\u{feff}"] {
        let message = scan(&format!("{start}From: a@b\nSubject: s\n\nbody\n"));
        assert_eq!((message.headline.subject.as_str(), message.text.as_str()), ("s", "body"));
        assert_eq!(message.headline.defects, []);
    }
}

#[test]
fn an_endless_field_hides_no_other() {
    let budget = Budget { header_bytes: 1000, ..Budget::default() };
    let mail = format!("From: a@b\nTo: {}\nSubject: seen\n\nbody\n", "x@y, ".repeat(1000));
    let message = read(budget, mail.as_bytes(), usize::MAX);
    assert_eq!((message.headline.subject.as_str(), message.text.as_str()), ("seen", "body"));
    assert_eq!(message.headline.defects, [Defect::HeaderTooLarge]);
}
