//! The vectors of the two meter point numbers and of the reference, and what real mail puts around them.

use std::time::{Duration, Instant};

use mail::TagKind;

use super::*;

const MPANS: [&str; 4] = ["1234567890126", "2000000000015", "1200023305967", "1010000000000"];
const MPRNS: [&str; 4] = ["3938424403", "12345601", "1234567810", "123409"];

fn find(subject: &str, text: &str, names: &[&str]) -> Vec<(TagKind, String)> {
    let tags = TagRules::shipped().unwrap().find(subject, text, names);
    tags.iter().map(|tag| (tag.kind(), tag.value().to_owned())).collect()
}

fn in_text(text: &str) -> Vec<(TagKind, String)> {
    find("", text, &[])
}

fn mpan(value: &str) -> (TagKind, String) {
    (TagKind::Mpan, value.to_owned())
}

fn mprn(value: &str) -> (TagKind, String) {
    (TagKind::Mprn, value.to_owned())
}

#[test]
fn valid_mpans_are_found_with_and_without_a_word() {
    for number in MPANS {
        assert_eq!(in_text(&format!("MPAN: {number}")), [mpan(number)]);
        assert_eq!(in_text(&format!("Please look at {number}.")), [mpan(number)]);
        assert_eq!(find(&format!("ET {number}"), "", &[]), [mpan(number)]);
        assert_eq!(find("", "", &[&format!("ET_{number}_July.pdf")]), [mpan(number)]);
    }
}

#[test]
fn mpan_with_a_wrong_check_digit_is_none() {
    for number in ["1234567890123", "1012345678809", "2000000000010"] {
        assert_eq!(in_text(&format!("MPAN: {number}")), []);
    }
}

#[test]
fn mpan_as_people_write_it() {
    for written in [
        "12 0002 3305 967",
        "12-0002-3305-967",
        "12 00023305 967",
        "12 0002330596 7",
        "12\u{a0}0002\u{a0}3305\u{a0}967",
        "011118021200023305967",
        "01 111 802 12 0002 3305 967",
        "S 01 111 802\n12 0002 3305 967",
        "01111802 1200023305967",
        "1200023305967, 12 June",
        "(1200023305967)",
        "MPAN1200023305967",
        "MPAN=1200023305967",
        "MPAN 12 0002 3305\r\n> 967",
        "supply number 1200 0233 05967",
        "1200023305967 is the MPAN",
    ] {
        assert_eq!(in_text(written), [mpan("1200023305967")], "{written:?}");
    }
}

#[test]
fn mpan_inside_something_longer_is_none() {
    for text in [
        "91200023305967",
        "12000233059671",
        "MPAN 12000233059675",
        "MPAN 99999999999999991200023305967",
        "991118021200023305967",
        "x1200023305967",
        "1200023305967x",
        "0.1200023305967",
        "https://shop.example/1200023305967",
        "https://shop.example/?id=1200023305967&x=1",
        "<1200023305967.12@mail.example>",
        "12 June 0002 3305 967",
    ] {
        assert_eq!(in_text(text), [], "{text}");
    }
}

#[test]
fn unknown_distributor_needs_a_word() {
    // Both pass the checksum; no distributor has their first two digits.
    for number in ["9512345678908", "5012345678904"] {
        let Some(tag) = Tag::mpan(number) else { panic!("{number} is no MPAN") };
        assert_eq!(in_text(&format!("order {number}")), []);
        assert_eq!(in_text(&format!("meter point {number}")), [mpan(tag.value())]);
        for none in ["company", "our customer's number", "I'm number", "MPAN unknown, ref AB"] {
            assert_eq!(in_text(&format!("{none} {number}").replace("AB ", "AB")), [], "{none}");
        }
        assert_eq!(
            in_text(&format!("{}this number {number}", "x".repeat(70))),
            [],
            "cut in the middle of a word"
        );
    }
}

#[test]
fn valid_mprns_are_found_near_their_word() {
    for number in MPRNS {
        for text in
            [format!("MPRN: {number}"), format!("mprn {number}, read today"), format!("M number\t{number}")]
        {
            assert_eq!(in_text(&text), [mprn(number)], "{text}");
        }
    }
    assert_eq!(in_text("MPRN 39384 24403"), [mprn("3938424403")]);
    assert_eq!(in_text("MPRNs: 3938424403, 1234567810"), [mprn("3938424403"), mprn("1234567810")]);
    assert_eq!(find("MPRN of the customer", "see 3938424403", &[]), [mprn("3938424403")]);
    assert_eq!(in_text("see M3938424403"), [mprn("3938424403")]);
}

#[test]
fn mprn_without_its_word_or_check_is_none() {
    for text in [
        "MPRN 3938424600",
        "MPRN 12345678",
        "call 3938424403",
        "order 123409",
        "MPRN unknown\n123409",
        "MPRN 39384244031",
        "MPRN 3938424403x",
        "see XM3938424403",
        "https://gas.example/M3938424403",
    ] {
        assert_eq!(in_text(text), [], "{text}");
    }
}

#[test]
fn meter_reading_beside_an_mprn_is_none() {
    assert_eq!(in_text("MPRN 3938424403 reading 123409"), [mprn("3938424403")]);
}

#[test]
fn mpan_is_tested_before_mprn() {
    // Its last ten digits written apart could pass for a gas number.
    assert_eq!(in_text("meter point 12 0002330596 7"), [mpan("1200023305967")]);
}

#[test]
fn reference_needs_its_label() {
    for text in [
        "Our ref: ABC-123456",
        "your reference ABC-123456.",
        "OUR REF. NO. ABC-123456",
        "internal ref = abc-123456",
        "My Ref #ABC-123456",
    ] {
        let found = in_text(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, TagKind::Reference);
        assert_eq!(found[0].1.to_uppercase(), "ABC-123456");
    }
    for text in ["ABC-123456", "four ref: ABC-123456", "our ref: ABC-12", "our referee AB-1234"] {
        assert_eq!(in_text(text), [], "{text}");
    }
}

#[test]
fn every_tag_once_and_at_most_fifty() {
    let twice = "MPAN 1200023305967 and again 12 0002 3305 967";
    assert_eq!(find("1200023305967", twice, &["1200023305967.pdf"]), [mpan("1200023305967")]);
    let many: String = (0..2_000).map(|i| format!("our ref AB-{i:05}\n")).collect();
    assert_eq!(in_text(&many).len(), TagRules::MOST);
}

#[test]
fn hostile_text_takes_linear_time() {
    let rules = TagRules::shipped().unwrap();
    for pattern in
        ["1", "1 ", "12 0002 3305 968 ", "9200023305960 ", "M", "our ref ", "\u{a0}1", "3938424403@"]
    {
        let text = pattern.repeat((1 << 18) / pattern.len());
        let start = Instant::now();
        rules.find("", &text, &[]);
        // Linear is well under a second even unoptimised; quadratic would be minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{pattern:?}: {:?}", start.elapsed());
    }
}
