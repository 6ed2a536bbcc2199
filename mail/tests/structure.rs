//! What the scanner makes of structures that clients, servers and attackers write: which parts, where they stand, what
//! text, which defects. Every mail here is also read in pieces, which must make no difference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::{Budget, Class, Decoder, Defect, Encoding, Message, Part, PartRole, Scanner};
use proptest::prelude::*;

fn scan_with(budget: Budget, bytes: &[u8], piece: usize) -> Message {
    let mut scanner = Scanner::new(budget);
    bytes.chunks(piece).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

/// Reads a mail whole, in single bytes and in pieces of seven; with CRLF line ends.
fn scan(mail: &str) -> (Message, Vec<u8>) {
    let bytes = mail.replace('\n', "\r\n").into_bytes();
    let whole = scan_with(Budget::default(), &bytes, usize::MAX);
    for piece in [1, 7] {
        assert_eq!(scan_with(Budget::default(), &bytes, piece), whole);
    }
    (whole, bytes)
}

fn within(budget: Budget, mail: &str) -> Message {
    scan_with(budget, mail.replace('\n', "\r\n").as_bytes(), usize::MAX)
}

fn body<'a>(part: &Part, bytes: &'a [u8]) -> &'a str {
    let start = part.offset as usize;
    std::str::from_utf8(&bytes[start..start + part.length as usize]).unwrap()
}

/// `type body` of every part.
fn table(mail: &str) -> Vec<(String, String)> {
    let (message, bytes) = scan(mail);
    let row = |part: &Part| (part.media_type.clone(), body(part, &bytes).to_owned());
    message.headline.parts.iter().map(row).collect()
}

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(kind, body)| ((*kind).to_owned(), body.replace('\n', "\r\n"))).collect()
}

const MIXED: &str = "From: a@alpha.example\nContent-Type: multipart/mixed; boundary=b\n\n";

#[test]
fn a_plain_mail_is_one_part() {
    let (message, bytes) = scan(
        "From: \"Ann\" <ann@alpha.example>\nTo: x@beta.example, Team: y@beta.example, z@beta.example;\nCc: w@beta.example\n\
         Subject: =?utf-8?Q?H=C3=A4user?=\n folded\nDate: Mon, 1 Jun 2026 10:00:00 +0100\nMessage-ID: <m1@alpha.example>\n\
         In-Reply-To: <r2@x>\nReferences: <r1@x>\n <r2@x>\nReceived: by a\nReceived: by b\n\nHello\n",
    );
    let headline = &message.headline;
    assert_eq!(headline.subject, "Häuser folded");
    assert_eq!(headline.from[0].name.as_deref(), Some("Ann"));
    assert_eq!(headline.from[0].address.as_deref(), Some("ann@alpha.example"));
    let to: Vec<_> = headline.to.iter().filter_map(|person| person.address.as_deref()).collect();
    assert_eq!(to, ["x@beta.example", "y@beta.example", "z@beta.example"]);
    assert_eq!(headline.cc.len(), 1);
    assert_eq!(headline.date, Some(1_780_304_400));
    assert_eq!(headline.message_id.as_deref(), Some("m1@alpha.example"));
    assert_eq!(
        (message.in_reply_to, message.references),
        (vec!["r2@x".into()], vec!["r1@x".into(), "r2@x".into()])
    );
    assert_eq!((message.hops, message.class, message.text_complete), (2, Class::Human, true));
    assert_eq!(message.text, "Hello");
    assert_eq!(headline.defects, []);
    assert_eq!(headline.parts.len(), 1);
    assert_eq!(headline.parts[0].role, PartRole::Body);
    assert_eq!(body(&headline.parts[0], &bytes), "Hello\r\n");
}

#[test]
fn the_line_end_before_a_boundary_is_not_the_parts() {
    assert_eq!(
        table(&format!(
            "{MIXED}preamble\n--b\n\none\n--b  \t\nContent-Type: text/html\n\n\ntwo\n\n--b--\nepilogue\n--b\n\nno\n"
        )),
        rows(&[("text/plain", "one"), ("text/html", "\ntwo\n")])
    );
}

#[test]
fn lone_line_feeds_are_tolerated() {
    let mail = format!("{MIXED}--b\n\none\n--b\n\ntwo\n--b--\n");
    let message = scan_with(Budget::default(), mail.as_bytes(), 3);
    let bodies: Vec<_> = message.headline.parts.iter().map(|part| body(part, mail.as_bytes())).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[test]
fn a_boundary_is_matched_whole() {
    assert_eq!(
        table(&format!("{MIXED}--b\n\n--bc\n--b-\n-b\n --b\n--b x\n--b\n\n--b---\n--b--")),
        rows(&[("text/plain", "--bc\n--b-\n-b\n --b\n--b x"), ("text/plain", "--b---")])
    );
}

#[test]
fn boundaries_that_begin_alike_do_not_mix() {
    let inner = "Content-Type: multipart/alternative; boundary=\"b--\"\n\n--b--\n\nplain\n--b--\nContent-Type: text/html\n\nhtml\n--b----\n";
    assert_eq!(
        table(&format!("{MIXED}--b\n{inner}--b\n\nafter\n--b--\n")),
        rows(&[("text/plain", "plain"), ("text/html", "html"), ("text/plain", "after")])
    );
}

#[test]
fn an_outer_boundary_ends_an_unterminated_inner_multipart() {
    let mail = format!(
        "{MIXED}--b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\ninner\n--b\n\nouter\n--b--\n"
    );
    assert_eq!(table(&mail), rows(&[("text/plain", "inner"), ("text/plain", "outer")]));
    assert_eq!(scan(&mail).0.headline.defects, [Defect::Unterminated]);
}

#[test]
fn an_unterminated_multipart_ends_with_the_mail() {
    let mail = format!("{MIXED}--b\nContent-Type: text/plain\n\nthe end is missi");
    assert_eq!(table(&mail), rows(&[("text/plain", "the end is missi")]));
    assert_eq!(scan(&mail).0.headline.defects, [Defect::Unterminated]);
}

#[test]
fn a_multipart_without_parts_is_text() {
    let (message, bytes) = scan(&format!("{MIXED}no boundary here, MPAN 1200023305967\n"));
    assert_eq!(message.text, "no boundary here, MPAN 1200023305967");
    assert_eq!(message.headline.parts[0].media_type, "text/plain");
    assert_eq!(body(&message.headline.parts[0], &bytes), "no boundary here, MPAN 1200023305967\r\n");
    let (message, _) = scan("From: a@b\nContent-Type: multipart/mixed\n\nno parameter\n");
    assert_eq!((message.text.as_str(), message.headline.defects), ("no parameter", vec![Defect::NoBoundary]));
}

/// Beside a text of the mail it is a preamble, and a page that shows it would show it in place of the HTML.
#[test]
fn a_multipart_without_parts_beside_a_text_is_heard_and_not_listed() {
    let inner = "--b\nContent-Type: multipart/alternative; boundary=i\n\nMPAN 1200023305967\n";
    let mail = format!("{MIXED}--b\nContent-Type: text/html\n\nread\n{inner}--b--\n");
    assert_eq!(table(&mail), rows(&[("text/html", "read")]));
    assert_eq!(scan(&mail).0.text.lines().last(), Some("MPAN 1200023305967"));
    assert_eq!(table(&format!("{MIXED}{inner}--b--\n")), rows(&[("text/plain", "MPAN 1200023305967")]));
    let attached =
        "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\ncut off\n";
    let (message, _) = scan(&format!("{MIXED}--b\n\nread\n{attached}--b--\n"));
    assert_eq!((message.headline.parts.len(), message.text.as_str()), (2, "read\ncut off"));
}

#[test]
fn an_empty_boundary_is_followed_and_told() {
    let mail = "From: a@b\nContent-Type: multipart/mixed; boundary=\"\"\n\n--\n\none\n--\nContent-Type: text/html\n\ntwo\n----\n";
    assert_eq!(table(mail), rows(&[("text/plain", "one"), ("text/html", "two")]));
    assert_eq!(scan(mail).0.headline.defects, [Defect::NoBoundary]);
}

#[test]
fn nothing_between_delimiters() {
    let closed = format!("{MIXED}--b\n\none\n--b\n--b--\n");
    assert_eq!(table(&closed), rows(&[("text/plain", "one"), ("text/plain", "")]));
    let doubled = format!("{MIXED}--b\n--b\n\none\n--b--\n");
    assert_eq!(table(&doubled), rows(&[("text/plain", "one")]));
}

#[test]
fn a_type_without_a_subtype() {
    let part = |kind: &str| {
        let (message, _) = scan(&format!("{MIXED}--b\nContent-Type: {kind}\n\nx\n--b--\n"));
        (message.headline.parts[0].media_type.clone(), message.text)
    };
    for kind in ["text", "text; charset=utf-8", "", ";", "text plain"] {
        assert_eq!(part(kind), ("text/plain".to_owned(), "x".to_owned()), "{kind}");
    }
    for kind in ["X-BE2; 12", "BINARY; name=a"] {
        assert_eq!(part(kind), ("application/octet-stream".to_owned(), "x".to_owned()), "{kind} is heard");
    }
    assert_eq!(scan("From: a@b\nContent-Type: X-sun-attachment\n\nx").0.text, "x");
}

#[test]
fn mails_of_almost_nothing() {
    for (mail, offset) in [("", 0), ("\n", 2), ("From: a@b\n", 11), ("From: a@b", 9), ("From: a@b\n\n", 13)] {
        let (message, _) = scan(mail);
        let part = &message.headline.parts[0];
        assert_eq!((message.headline.parts.len(), part.offset, part.length), (1, offset, 0), "{mail:?}");
        assert_eq!(message.class, Class::Empty);
    }
    assert_eq!(scan("From: a@b\nSubject: please call about 12\n\n").0.class, Class::Human);
}

#[test]
fn doubled_fields_are_told() {
    let (message, _) = scan(
        "From: a@b\nFrom: c@d\nSubject: one\nSubject: two\nContent-Type: text/plain\nContent-Type: text/html\n\nx\n",
    );
    let addresses: Vec<_> =
        message.headline.from.iter().filter_map(|person| person.address.as_deref()).collect();
    assert_eq!(addresses, ["a@b", "c@d"]);
    assert_eq!(
        (message.headline.subject.as_str(), message.headline.parts[0].media_type.as_str()),
        ("one", "text/plain")
    );
    for defect in [Defect::ManyFrom, Defect::ManyAuthors, Defect::ManyContentType, Defect::ManySingletons] {
        assert!(message.headline.defects.contains(&defect), "{defect:?}");
    }
    assert_eq!(scan("From: a@b, c@d\n\nx").0.headline.defects, [Defect::ManyAuthors]);
    assert_eq!(scan("Subject: x\n\nx").0.headline.defects, [Defect::NoFrom]);
}

#[test]
fn names_roles_and_encodings() {
    let (message, bytes) = scan(&format!(
        "{MIXED}--b\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html; charset=UTF-8\n\n<img src=cid:i>\n\
         --r\nContent-Type: IMAGE/PNG; name=logo.png\nContent-ID: <i>\nContent-Transfer-Encoding: base64\n\niVBO\n--r--\n\
         --b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''Z%C3%A4hler.pdf\n\
         Content-Transfer-Encoding: BASE64\n\nJVBE\nRi0=\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nnot read\n--b--\n"
    ));
    let parts = &message.headline.parts;
    let roles: Vec<_> = parts.iter().map(|part| part.role).collect();
    assert_eq!(roles, [PartRole::Body, PartRole::Inline, PartRole::Attachment, PartRole::Attachment]);
    assert_eq!((parts[1].media_type.as_str(), parts[1].content_id.as_deref()), ("image/png", Some("i")));
    assert_eq!((parts[2].name.as_deref(), parts[2].encoding), (Some("Zähler.pdf"), Encoding::Base64));
    let mut decoder = Decoder::new(parts[2].encoding);
    let mut pdf = Vec::new();
    decoder.feed(body(&parts[2], &bytes).as_bytes(), &mut pdf);
    decoder.finish(&mut pdf);
    assert_eq!(pdf, b"%PDF-");
    assert_eq!(message.text, "");
    assert_eq!(message.headline.part_names().collect::<Vec<_>>(), ["logo.png", "Zähler.pdf"]);
}

#[test]
fn a_mail_inside_is_listed_whole_and_entered() {
    let inner = "Subject: inner subject\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\ninner text\n--i\nContent-Type: image/gif\n\nGIF\n--i--\n";
    let (message, bytes) = scan(&format!(
        "{MIXED}--b\n\nouter\n--b\nContent-Type: message/rfc822; name=m.eml\n\n{inner}--b--\n"
    ));
    let parts = &message.headline.parts;
    let seen: Vec<_> = parts.iter().map(|part| (part.media_type.as_str(), part.role)).collect();
    let enclosed = PartRole::Enclosed;
    assert_eq!(
        seen,
        [
            ("text/plain", PartRole::Body),
            ("message/rfc822", PartRole::Attachment),
            ("text/plain", enclosed),
            ("image/gif", enclosed)
        ]
    );
    assert_eq!(body(&parts[1], &bytes), inner.trim_end().replace('\n', "\r\n"));
    assert_eq!(message.text, "outer\ninner subject\ninner text");
}

#[test]
fn an_encoded_mail_inside_is_searched() {
    // "Subject: hidden\r\n\r\nMPAN\r\n"
    let (message, _) = scan(&format!(
        "{MIXED}--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaGlkZGVuDQoNCk1QQU4NCg==\n--b--\n"
    ));
    assert_eq!(message.text, "hidden\nMPAN");
    let [mail, text] = &message.headline.parts[..] else { panic!("the mail and its text") };
    assert_eq!((mail.role, text.role), (PartRole::Attachment, PartRole::Enclosed));
    assert_eq!(text.text(b"U3ViamVjdDogaGlkZGVuDQoNCk1QQU4NCg=="), "MPAN\r\n");
}

#[test]
fn the_parts_of_a_digest_are_mails() {
    let (message, _) = scan(
        "From: a@b\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: first\n\none\n--d--\n",
    );
    assert_eq!(message.text, "first\none");
    assert_eq!(message.headline.parts[0].media_type, "message/rfc822");
}

#[test]
fn html_is_read_as_its_text() {
    let (message, _) = scan(
        "From: a@b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<td>MPAN</td><td>12=\n00023305967=E4</td>\n",
    );
    assert_eq!(message.text.split_whitespace().collect::<Vec<_>>(), ["MPAN", "1200023305967ä"]);
}

#[test]
fn closed_content_is_told() {
    for mail in [
        "From: a@b\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nMIAG\n",
        "From: a@b\nContent-Type: multipart/encrypted; boundary=e\n\n--e\nContent-Type: application/octet-stream\n\nx\n--e--\n",
        "From: a@b\n\n-----BEGIN PGP MESSAGE-----\nx\n",
    ] {
        let (message, _) = scan(mail);
        assert_eq!((message.headline.defects, message.text_complete), (vec![Defect::Opaque], false));
    }
}

#[test]
fn depth_is_bounded() {
    let mut mail = "From: a@b\n".to_owned();
    for level in 0..10_000 {
        mail += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    let (message, _) = scan(&mail);
    assert!(message.headline.defects.contains(&Defect::TooDeep));
    assert!(!message.text_complete);
    let mails = "Content-Type: message/rfc822\n\n".repeat(10_000);
    let (message, _) = scan(&mails);
    assert_eq!(message.headline.parts.len(), 101);
    assert!(message.headline.defects.contains(&Defect::TooDeep));
}

#[test]
fn parts_are_bounded() {
    let budget = Budget { parts: 10, ..Budget::default() };
    let message = within(budget, &format!("{MIXED}{}--b--\n", "--b\n\nx\n".repeat(50)));
    assert_eq!(message.headline.parts.len(), 9);
    assert_eq!((message.headline.defects, message.text_complete), (vec![Defect::TooManyParts], false));
}

#[test]
fn the_budgets_of_every_mail() {
    let parts = |count: usize| {
        let mail = format!("{MIXED}{}--b--\n", "--b\n\nx\n".repeat(count));
        let message = scan_with(Budget::default(), mail.as_bytes(), usize::MAX);
        (message.headline.parts.len(), message.headline.defects.contains(&Defect::TooManyParts))
    };
    assert_eq!((parts(9_999), parts(10_500)), ((9_999, false), (9_999, true)));
    let header = |length: usize| {
        let mail = format!("From: a@b\nX-A: {0}\nX-B: {0}\n\nbody\n", "x".repeat(length / 2));
        scan_with(Budget::default(), mail.as_bytes(), usize::MAX).headline.defects
    };
    assert_eq!((header(100_000), header(104_000)), (vec![], vec![Defect::HeaderTooLarge]));
}

#[test]
fn addresses_are_bounded() {
    let message = within(Budget::default(), &format!("From: a@b\nTo: {}\n\nbody\n", "x@y,\n ".repeat(2000)));
    assert_eq!(message.headline.to.len(), 1000);
    assert_eq!(message.headline.defects, [Defect::TooManyAddresses]);
}

#[test]
fn text_is_bounded_and_the_rest_is_passed() {
    let budget = Budget { text_bytes: 20, ..Budget::default() };
    let message =
        within(budget, &format!("{MIXED}--b\n\n0123456789\n--b\n\nääääääääää\n--b\n\nnever\n--b--\n"));
    assert_eq!(message.text, "0123456789\nääää");
    assert_eq!((message.headline.parts.len(), message.text_complete), (3, false));
    assert_eq!(message.headline.defects, [Defect::TextTruncated]);
}

#[test]
fn one_endless_line_is_a_mail_too() {
    let line = vec![b'x'; 3_000_000];
    let message = scan_with(Budget::default(), &line, 65_536);
    assert_eq!((message.headline.parts[0].offset, message.headline.parts[0].length), (0, 3_000_000));
    assert_eq!(message.text.len(), 1024 * 1024);
    let mut dashes = MIXED.as_bytes().to_vec();
    dashes.extend(vec![b'-'; 3_000_000]);
    assert_eq!(scan_with(Budget::default(), &dashes, 65_536), scan_with(Budget::default(), &dashes, 1000));
}

#[test]
fn classes() {
    for (head, class) in [
        ("Subject: about a meter", Class::Human),
        ("Auto-Submitted: no", Class::Human),
        ("X-Auto-Response-Suppress: OOF", Class::Human),
        ("Subject: Recall: the meter", Class::Human),
        ("Subject: Out of office keys for the meter room", Class::Human),
        ("Auto-Submitted: auto-replied (vacation)", Class::AutoReply),
        ("X-Auto-Response-Suppress: All", Class::AutoReply),
        ("Precedence: auto_reply", Class::AutoReply),
        ("Return-Path: <>", Class::AutoReply),
        ("Subject: Automatic reply: about a meter", Class::AutoReply),
        ("Subject: =?utf-8?Q?R=C3=A9ponse_automatique?= : x", Class::AutoReply),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", Class::Bounce),
        (
            "Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
            Class::Bounce,
        ),
        ("X-Failed-Recipients: x@y", Class::Bounce),
        ("Return-Path: <>\nSubject: Undeliverable: x", Class::Bounce),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", Class::Receipt),
        ("Content-Type: text/calendar; method=REQUEST", Class::Calendar),
        ("X-Message-Class: IPM.Outlook.Recall", Class::Recall),
        ("List-Id: <x.example>", Class::List),
        ("Precedence: bulk", Class::List),
    ] {
        assert_eq!(scan(&format!("From: ann@alpha.example\n{head}\n\nbody\n")).0.class, class, "{head}");
    }
    for (kind, class) in [
        ("message/delivery-status", Class::Bounce),
        ("message/disposition-notification", Class::Receipt),
        ("text/calendar", Class::Calendar),
        ("text/calendar\nContent-Disposition: attachment; filename=a.ics", Class::Human),
    ] {
        assert_eq!(
            scan(&format!("{MIXED}--b\n\ntext\n--b\nContent-Type: {kind}\n\nx\n--b--\n")).0.class,
            class,
            "{kind}"
        );
    }
    let by = |from: &str, text: &str| scan(&format!("From: {from}\nSubject: Recall: x\n\n{text}\n")).0.class;
    assert_eq!(by("MAILER-DAEMON@beta.example", "x"), Class::Bounce);
    assert_eq!(by("no-reply@beta.example", "x"), Class::AutoReply);
    assert_eq!(by("ann@alpha.example", "Ann would like to recall the message, \"x\"."), Class::Recall);
}

/// Lines of which mails are made, and of which trouble is.
fn line() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "From: a@b",
        "From: \"x",
        "Subject: =?utf-8?q?=C3=A4?=",
        " folded",
        "\tx",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Type: multipart/mixed; boundary=\"b b\"",
        "Content-Type: message/rfc822",
        "Content-Type: text/html",
        "Content-Type: multipart/digest; boundary=d",
        "Content-Transfer-Encoding: base64",
        "Content-Type: text/plain; charset=utf-7",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "",
        "",
        "--b",
        "--b--",
        "--b b",
        "--d",
        "--d--",
        "-",
        "--",
        "TWFu",
        "=C3=",
        "=",
        "From x",
        "junk",
        "\u{feff}",
        "ä",
        "\r",
        "-- ",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => ".{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pieces_make_no_difference(
        lines in prop::collection::vec((line(), prop::bool::weighted(0.8)), 0..60),
        cuts in prop::collection::vec(1_usize..40, 1..40),
    ) {
        let mail: String = lines.iter().map(|(line, crlf)| format!("{line}{}", if *crlf { "\r\n" } else { "\n" })).collect();
        let bytes = mail.as_bytes();
        let whole = scan_with(Budget::default(), bytes, usize::MAX);
        let mut scanner = Scanner::new(Budget::default());
        let mut rest = bytes;
        for size in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            scanner.feed(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(scanner.finish(), whole);
    }

    #[test]
    fn parts_lie_inside_the_mail_and_do_not_overlap(lines in prop::collection::vec(line(), 0..80)) {
        let mail = lines.join("\r\n");
        let message = scan_with(Budget::default(), mail.as_bytes(), 16);
        let mut end = 0;
        let own = |part: &&Part| part.inside.is_none() && part.media_type != "message/rfc822";
        for part in message.headline.parts.iter().filter(own) {
            prop_assert!(part.offset >= end, "a part begins inside the one before");
            end = part.offset + part.length;
        }
        prop_assert!(end <= mail.len() as u64);
    }

    #[test]
    fn any_bytes_are_a_mail(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let message = scan_with(Budget::default(), &bytes, 100);
        prop_assert!(!message.headline.parts.is_empty());
    }
}
