//! What the detectors promise whatever a text is: they do not panic, places are places of the text, spaces around change
//! nothing, and two texts have what each of them has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mail::Headline;
use policies::detect::{Business, Category, Detectors, Document, Finding, Inspected, Source};
use proptest::prelude::*;

/// What the readers of the detectors turn on.
const PIECES: [&str; 44] = [
    "MPAN ",
    "1200023305967",
    "12 0002 3305 967",
    "MPRN",
    "3938424403",
    "1",
    "0",
    " ",
    "\n",
    "\r\n",
    "\t",
    ",",
    "\"",
    ";",
    "-",
    ".",
    "@",
    "'",
    "é",
    "\u{a0}",
    "\u{200b}",
    "１２",
    "Mr ",
    "Dear ",
    "Smith",
    "O'",
    "12 High Street",
    "Leeds",
    "LS1 1UR",
    "PO1",
    "3AX",
    "07700 900123",
    "+44",
    "(0)",
    "GB82 WEST",
    "AB123456C",
    "00-1D-",
    "Kind regards",
    "registered office",
    "postcode ",
    "born 1/2/",
    "customer",
    "dialysis",
    "jane@gmail.com",
];

fn find(text: &str) -> Vec<Finding> {
    let detectors = Detectors::shipped().unwrap();
    let business = Business::new(&|domain| domain == "supplier.example", &Headline::default());
    let document = Document { part: 1, name: text, text, whole: true };
    let attachments = [document];
    detectors.find(&Inspected { subject: text, text, attachments: &attachments, business: &business })
}

fn in_text(text: &str) -> Vec<(Category, std::ops::Range<usize>)> {
    let found = find(text).into_iter().filter(|finding| finding.source == Source::Text);
    found.map(|finding| (finding.category, finding.span)).collect()
}

fn pieces() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_octets_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&octets);
        for finding in find(&text) {
            prop_assert!(text.get(finding.span).is_some());
        }
    }

    #[test]
    fn places_are_places_of_the_text(text in pieces()) {
        for finding in find(&text) {
            let value = text.get(finding.span);
            prop_assert!(value.is_some_and(|value| !value.trim().is_empty()), "{:?} {:?}", finding.category, value);
        }
    }

    #[test]
    fn spaces_around_change_nothing(text in pieces(), before in 0_usize..400, behind in 0_usize..400) {
        let moved = in_text(&format!("{}{text}{}", " ".repeat(before), " ".repeat(behind)));
        let back: Vec<_> = moved.into_iter().map(|(what, span)| (what, span.start - before..span.end - before)).collect();
        prop_assert_eq!(in_text(&text), back);
    }

    #[test]
    fn texts_far_apart_do_not_meet(text in pieces()) {
        let far = format!("\n\n{}\n\n", ".\n".repeat(2_000));
        let once = in_text(&format!("{text}{far}")).len();
        prop_assert_eq!(in_text(&format!("{text}{far}{text}{far}")).len(), once * 2);
    }
}
