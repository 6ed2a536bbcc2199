//! Forged authors: heads of mails that mallory, a company that has proved who it is, sends to look like alpha. Each goes
//! through the real parser and then to the question whose mail it is. None may count as alpha's or beta's; a few are
//! mallory's own, because all that is forged is a name, and the company shown is the transport's.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::{Address, Budget, GroupId, Headline, Scanner};
use policies::{Author, AuthorRefusal, author};

use Fate::{Own, Refused};

/// What must become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused,
    /// Mallory's own author, and nobody else's.
    Own,
}

const SEVERAL: &[(&str, &[u8], Fate)] = &[
    ("two From fields", b"From: mal@mallory.example\r\nFrom: jo@alpha.example\r\n", Refused),
    (
        "two From fields, forged one first",
        b"From: jo@alpha.example\r\nFrom: mal@mallory.example\r\n",
        Refused,
    ),
    ("a second From in small letters", b"From: mal@mallory.example\r\nfrom: jo@alpha.example\r\n", Refused),
    (
        "a second From with a tab before the colon",
        b"From: mal@mallory.example\r\nFrom\t: jo@alpha.example\r\n",
        Refused,
    ),
    (
        "a second From with a space before the colon",
        b"From: mal@mallory.example\r\nFrom : jo@alpha.example\r\n",
        Refused,
    ),
    ("an empty From before", b"From:\r\nFrom: jo@alpha.example\r\n", Refused),
    ("an empty From behind", b"From: mal@mallory.example\r\nFrom:\r\n", Refused),
    ("the same author twice", b"From: mal@mallory.example\r\nFrom: mal@mallory.example\r\n", Refused),
    ("two authors", b"From: mal@mallory.example, jo@alpha.example\r\n", Refused),
    ("two authors, forged one first", b"From: jo@alpha.example, mal@mallory.example\r\n", Refused),
    ("two authors in angle brackets", b"From: <mal@mallory.example>, <jo@alpha.example>\r\n", Refused),
    ("two authors on two lines", b"From: mal@mallory.example,\r\n jo@alpha.example\r\n", Refused),
    ("two authors without a comma", b"From: mal@mallory.example jo@alpha.example\r\n", Refused),
    ("two authors, folded, without a comma", b"From: mal@mallory.example\r\n\tjo@alpha.example\r\n", Refused),
    ("two authors with a semicolon", b"From: mal@mallory.example; jo@alpha.example\r\n", Refused),
    ("two angle brackets", b"From: <mal@mallory.example> <jo@alpha.example>\r\n", Refused),
    (
        "two angle brackets, forged one first",
        b"From: Jo <jo@alpha.example><mal@mallory.example>\r\n",
        Refused,
    ),
    ("a group of two", b"From: Us: mal@mallory.example, jo@alpha.example;\r\n", Refused),
    ("a group and one beside it", b"From: Us: mal@mallory.example;, jo@alpha.example\r\n", Refused),
    ("two groups", b"From: A: jo@alpha.example; B: mal@mallory.example;\r\n", Refused),
    ("a group of the forged one", b"From: Mallory: jo@alpha.example;\r\n", Refused),
    (
        "a group that is named like an address",
        b"From: \"mal@mallory.example\": jo@alpha.example;\r\n",
        Refused,
    ),
    ("an empty group", b"From: Undisclosed:;\r\n", Refused),
];

const ADDRESSES: &[(&str, &[u8], Fate)] = &[
    ("plainly another company", b"From: jo@alpha.example\r\n", Refused),
    ("in capitals", b"From: JO@ALPHA.EXAMPLE\r\n", Refused),
    ("a third company", b"From: jo@gamma.example\r\n", Refused),
    ("a colleague that another company registered", b"From: lent@mallory.example\r\n", Refused),
    ("a trailing dot", b"From: jo@alpha.example.\r\n", Refused),
    ("an own domain with a trailing dot", b"From: mal@mallory.example.\r\n", Refused),
    ("a subdomain", b"From: jo@mail.alpha.example\r\n", Refused),
    ("a longer domain", b"From: jo@alpha.example.evil.example\r\n", Refused),
    ("a hyphen for the dot", b"From: jo@alpha-example\r\n", Refused),
    ("no domain", b"From: jo\r\n", Refused),
    ("no name", b"From: @alpha.example\r\n", Refused),
    ("two at signs, forged one last", b"From: mal@mallory.example@alpha.example\r\n", Refused),
    ("two at signs, forged one first", b"From: jo@alpha.example@mallory.example\r\n", Refused),
    ("a quoted at sign", b"From: \"jo@alpha.example\"@mallory.example\r\n", Refused),
    ("a quoted at sign in angle brackets", b"From: Jo <\"jo@alpha.example\"@mallory.example>\r\n", Refused),
    ("a quoted bracket", b"From: \"jo@alpha.example> \"@mallory.example\r\n", Refused),
    ("an escaped at sign", b"From: jo\\@alpha.example@mallory.example\r\n", Refused),
    ("a route to the forged one", b"From: <@mallory.example:jo@alpha.example>\r\n", Refused),
    (
        "a route of two to the forged one",
        b"From: <@mallory.example,@x.example:jo@alpha.example>\r\n",
        Refused,
    ),
    ("a percent hack", b"From: jo%alpha.example@mallory.example\r\n", Own),
    ("a bang path", b"From: alpha.example!jo@mallory.example\r\n", Own),
    ("a percent hack the other way", b"From: mal%mallory.example@alpha.example\r\n", Refused),
    ("an address literal", b"From: jo@[192.0.2.1]\r\n", Refused),
    ("a domain in brackets", b"From: jo@[alpha.example]\r\n", Refused),
    ("blanks around the at sign", b"From: jo @ alpha.example\r\n", Refused),
    ("a blank in the domain", b"From: jo@mallory.example .alpha.example\r\n", Refused),
    ("folded in the middle", b"From: jo@alpha.\r\n example\r\n", Refused),
    ("folded at once", b"From:\r\n jo@alpha.example\r\n", Refused),
    ("a NUL in the domain", b"From: jo@mallory.example\0.alpha.example\r\n", Refused),
    ("a NUL before the at sign", b"From: jo\0@alpha.example\r\n", Refused),
    ("a control character", b"From: jo@alpha\x08.example\r\n", Refused),
    ("an escape sequence", b"From: mal\x1b[2K@mallory.example\r\n", Refused),
    ("a bare CR", b"From: mal@mallory.example\rFrom: jo@alpha.example\r\n", Refused),
    ("eight-bit Latin-1", b"From: j\xf6@alpha.example\r\n", Refused),
    ("broken UTF-8", b"From: jo@alph\xc3.example\r\n", Refused),
    ("nothing", b"From:\r\n", Refused),
    ("a blank", b"From: \r\n", Refused),
    ("empty brackets", b"From: <>\r\n", Refused),
    ("empty brackets behind a name", b"From: jo@alpha.example <>\r\n", Refused),
    ("no From at all", b"Subject: hello\r\n", Refused),
];

const LETTERS: &[(&str, &str, Fate)] = &[
    ("a Cyrillic a", "From: jo@\u{430}lpha.example\r\n", Refused),
    ("the same in Punycode", "From: jo@xn--lpha-43d.example\r\n", Refused),
    ("a full-width at sign", "From: jo\u{ff20}alpha.example\r\n", Refused),
    ("a full-width at sign before a real one", "From: jo\u{ff20}alpha.example@mallory.example\r\n", Refused),
    ("a small at sign before a real one", "From: jo\u{fe6b}alpha.example@mallory.example\r\n", Refused),
    ("an ideographic dot", "From: jo@alpha\u{3002}example\r\n", Refused),
    ("a full-width dot", "From: jo@alpha\u{ff0e}example\r\n", Refused),
    ("full-width letters", "From: jo@\u{ff41}lpha.example\r\n", Refused),
    ("a zero-width space", "From: jo@al\u{200b}pha.example\r\n", Refused),
    ("a soft hyphen", "From: jo@al\u{ad}pha.example\r\n", Refused),
    ("a zero-width joiner", "From: jo@al\u{200d}pha.example\r\n", Refused),
    ("text that turns round", "From: \u{202e}elpmaxe.ahpla@oj@mallory.example\r\n", Refused),
    ("a combining mark", "From: jo@alpha\u{301}.example\r\n", Refused),
    ("a no-break space", "From: mal@mallory.example\u{a0}jo@alpha.example\r\n", Refused),
    ("a line separator", "From: mal@mallory.example\u{2028}From: jo@alpha.example\r\n", Refused),
    ("a zero-width space in a name of ours", "From: ma\u{200b}l@mallory.example\r\n", Refused),
];

const NAMES: &[(&str, &[u8], Fate)] = &[
    ("an address as the name", b"From: \"jo@alpha.example\" <mal@mallory.example>\r\n", Own),
    ("an address as the name, unquoted", b"From: jo@alpha.example <mal@mallory.example>\r\n", Own),
    (
        "our address as the name of the forged one",
        b"From: \"mal@mallory.example\" <jo@alpha.example>\r\n",
        Refused,
    ),
    ("a bracket in the name", b"From: \"Jo <jo@alpha.example>\" <mal@mallory.example>\r\n", Own),
    (
        "a bracket in an encoded name",
        b"From: =?utf-8?q?Jo_=3Cjo=40alpha.example=3E?= <mal@mallory.example>\r\n",
        Own,
    ),
    ("an encoded address", b"From: =?utf-8?q?jo=40alpha.example?=\r\n", Refused),
    ("an encoded own address", b"From: =?utf-8?b?bWFsQG1hbGxvcnkuZXhhbXBsZQ==?=\r\n", Refused),
    ("an encoded address in brackets", b"From: <=?utf-8?q?jo=40alpha.example?=>\r\n", Refused),
    (
        "an encoded address before an own domain",
        b"From: =?utf-8?q?jo=40alpha.example?=@mallory.example\r\n",
        Refused,
    ),
    (
        "an encoded address and bracket before an own domain",
        b"From: =?utf-8?q?jo=40alpha.example=3E_=3Cmal?=@mallory.example\r\n",
        Refused,
    ),
    (
        "an encoded NUL before an own domain",
        b"From: =?utf-8?q?jo=40alpha.example=00?=@mallory.example\r\n",
        Refused,
    ),
    (
        "an encoded name with a line break",
        b"From: =?utf-8?q?x=0D=0AFrom=3A_jo=40alpha.example?= <mal@mallory.example>\r\n",
        Own,
    ),
    ("a NUL in the name", b"From: \"jo@alpha.example\0\" <mal@mallory.example>\r\n", Own),
    ("an unclosed quotation", b"From: \"jo@alpha.example <mal@mallory.example>\r\n", Refused),
    ("an unclosed bracket", b"From: Jo <jo@alpha.example\r\n", Refused),
    ("an address behind the brackets", b"From: <mal@mallory.example> jo@alpha.example\r\n", Refused),
    ("brackets in brackets", b"From: <<jo@alpha.example>mal@mallory.example>\r\n", Refused),
    ("a comment with our address", b"From: jo@alpha.example (mal@mallory.example)\r\n", Refused),
    ("a comment with the forged one", b"From: mal@mallory.example (jo@alpha.example)\r\n", Own),
    ("a comment before", b"From: (jo@alpha.example) mal@mallory.example\r\n", Own),
    ("a comment in the address", b"From: jo(mal@mallory.example)@alpha.example\r\n", Refused),
    ("a comment in the domain", b"From: jo@alpha(mallory).example\r\n", Refused),
    ("a comment for the dot", b"From: jo@alpha(.)example\r\n", Refused),
    ("nested comments", b"From: (a (b <jo@alpha.example>) c) <mal@mallory.example>\r\n", Own),
    ("an unclosed comment", b"From: (mal@mallory.example <jo@alpha.example>\r\n", Refused),
    (
        "a comment that is closed in the quotation",
        b"From: (\"mal@mallory.example)\" <jo@alpha.example>\r\n",
        Refused,
    ),
];

const OTHER_FIELDS: &[(&str, &[u8], Fate)] = &[
    ("Sender of another company", b"From: mal@mallory.example\r\nSender: jo@alpha.example\r\n", Refused),
    ("From of another company", b"From: jo@alpha.example\r\nSender: mal@mallory.example\r\n", Refused),
    (
        "two Sender fields, forged one last",
        b"From: mal@mallory.example\r\nSender: mal@mallory.example\r\nSender: jo@alpha.example\r\n",
        Own,
    ),
    (
        "two Sender fields, forged one first",
        b"From: mal@mallory.example\r\nSender: jo@alpha.example\r\nSender: mal@mallory.example\r\n",
        Refused,
    ),
    (
        "two people in Sender",
        b"From: mal@mallory.example\r\nSender: mal@mallory.example, jo@alpha.example\r\n",
        Own,
    ),
    ("Sender alone", b"Sender: mal@mallory.example\r\n", Refused),
    (
        "Resent-From of another company",
        b"Resent-From: jo@alpha.example\r\nFrom: mal@mallory.example\r\n",
        Own,
    ),
    ("Resent-From of ours", b"Resent-From: mal@mallory.example\r\nFrom: jo@alpha.example\r\n", Refused),
    ("Resent-Sender of ours", b"Resent-Sender: mal@mallory.example\r\nFrom: jo@alpha.example\r\n", Refused),
    ("Reply-To of another company", b"From: mal@mallory.example\r\nReply-To: jo@alpha.example\r\n", Own),
    ("Return-Path of ours", b"Return-Path: <mal@mallory.example>\r\nFrom: jo@alpha.example\r\n", Refused),
    (
        "an envelope line of ours",
        b"From mal@mallory.example Mon Nov 23 09:00:00 2026\r\nFrom: jo@alpha.example\r\n",
        Refused,
    ),
    ("a folded line before everything", b" From: mal@mallory.example\r\nFrom: jo@alpha.example\r\n", Refused),
    (
        "a From folded under another field",
        b"Subject: x\r\n From: mal@mallory.example\r\nFrom: jo@alpha.example\r\n",
        Refused,
    ),
    (
        "a line that is no field before the second",
        b"From: mal@mallory.example\r\nno field\r\nFrom: jo@alpha.example\r\n",
        Refused,
    ),
    ("a From in the body", b"Subject: x\r\n\r\nFrom: mal@mallory.example\r\n", Refused),
];

#[test]
fn no_forged_author_counts_as_another_company() {
    let letters = LETTERS.iter().map(|(what, head, fate)| (*what, head.as_bytes(), *fate));
    let tables = [SEVERAL, ADDRESSES, NAMES, OTHER_FIELDS];
    let all: Vec<(&str, &[u8], Fate)> = tables.into_iter().flatten().copied().chain(letters).collect();
    assert!(all.len() >= 60, "{}", all.len());
    let wrong: Vec<String> = all.iter().filter_map(|forged| wrong(*forged)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn length_makes_no_author_anybody_elses() {
    let crowd = (0..2_000).map(|n| format!("m{n}@mallory.example")).collect::<Vec<_>>().join(",\r\n ");
    let (own, forged) = ("From: mal@mallory.example\r\n", "From: jo@alpha.example\r\n");
    let long = format!("X: {}\r\n", "x".repeat(45_000));
    for (what, head, fate) in [
        ("a long local part", format!("From: {}@alpha.example\r\n", "x".repeat(65)), Refused),
        ("a long domain", format!("From: jo@{}alpha.example\r\n", "x.".repeat(130)), Refused),
        ("a long name before", format!("From: \"{}\" <jo@alpha.example>\r\n", "x".repeat(5_000)), Refused),
        (
            "a name longer than is read",
            format!("From: \"{}\" <jo@alpha.example>\r\n", "x".repeat(90_000)),
            Refused,
        ),
        ("a crowd before", format!("From: {crowd}, jo@alpha.example\r\n"), Refused),
        ("a long field between", format!("{own}{long}{forged}"), Refused),
        // Nobody reads so far, here or later.
        ("a crowd of fields between", format!("{own}{}{forged}", "X: y\r\n".repeat(2_500)), Own),
        ("more head than is read between", format!("{own}{}{forged}", long.repeat(3)), Own),
    ] {
        assert_eq!(wrong((what, head.as_bytes(), fate)), None);
    }
}

/// What went wrong with it, if anything did.
fn wrong((what, head, fate): (&str, &[u8], Fate)) -> Option<String> {
    let headline = read(head);
    // Beta sends none of this: no trick with mallory's name may make it beta's.
    if let Ok(author) = judge(&headline, "beta") {
        return Some(format!("{what}: taken as beta's {author:?}"));
    }
    match judge(&headline, "mallory") {
        Err(_) if fate == Refused => None,
        Err(refusal) => Some(format!("{what}: {refusal:?}, but it is mallory's own {:?}", headline.from)),
        Ok(Author { address, .. }) if fate == Refused => Some(format!("{what}: taken as {address}")),
        Ok(Author { address, on_behalf }) => {
            let [shown] = headline.from.as_slice() else {
                return Some(format!("{what}: shows {:?}", headline.from));
            };
            let own = address.domain() == "mallory.example" && on_behalf.is_none();
            let same = shown.address.as_deref().map(Address::parse) == Some(Ok(address.clone()));
            (!own || !same).then(|| format!("{what}: {address} is taken, {shown:?} is shown"))
        }
    }
}

fn read(head: &[u8]) -> Headline {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(head);
    scanner.feed(b"To: et@beta.example\r\n\r\nhello\r\n");
    scanner.finish().headline
}

fn judge(headline: &Headline, company: &str) -> Result<Author, AuthorRefusal> {
    let group = |name: &str| name.parse::<GroupId>().unwrap();
    author(
        headline,
        &group(company),
        |address| (address.key() == "lent@mallory.example").then(|| group("alpha")),
        |domain| match domain {
            "alpha.example" => Some(group("alpha")),
            "beta.example" => Some(group("beta")),
            "gamma.example" => Some(group("gamma")),
            "mallory.example" => Some(group("mallory")),
            _ => None,
        },
    )
}
