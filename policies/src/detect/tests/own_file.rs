//! A file of one's own: what it changes, and what is wrong with it.

use super::*;

#[test]
fn a_file_may_change_what_counts() {
    let parse = |from: &str, to: &str| {
        assert!(SHIPPED.contains(from), "{from}");
        Detectors::parse("own.toml", &SHIPPED.replace(from, to)).unwrap()
    };
    let count = |detectors: &Detectors, text: &str| {
        let business = business();
        let inspected = Inspected { subject: "", text, attachments: &[], business: &business };
        detectors.findings(&detectors.find(&inspected)).to_string()
    };
    let off = parse("[mpan]\ncounts_from = \"likely\"", "[mpan]\non = false\ncounts_from = \"likely\"");
    assert_eq!(count(&off, "MPAN 1200023305967"), "none");
    let strict = parse("[mpan]\ncounts_from = \"likely\"", "[mpan]\ncounts_from = \"certain\"");
    assert_eq!(count(&strict, "see 1200023305967"), "none");
    assert_eq!(count(&strict, "MPAN 1200023305967"), "mpan 1");
    let lax = parse("[mpan]\ncounts_from = \"likely\"", "[mpan]\ncounts_from = \"weak\"");
    assert_eq!(count(&lax, "order 9512345678908"), "mpan 1");
    let words = parse("words = [\"nhs\",", "words = [\"health number\", \"nhs\",");
    assert_eq!(count(&words, "Health number 943 476 5919"), "nhs 1");
    let allowed = parse("allowed = []", "allowed = [\"01632 960123\", \"ls1 1ur\", \"jane@gmail.com\"]");
    assert_eq!(
        count(&allowed, "customer: jane@gmail.com, tel (01632) 960-123, LS1 1UR, M1 1AE"),
        "postcode 1"
    );
}

#[test]
fn wrong_file_names_place_and_remedy() {
    let error = |from: &str, to: &str| {
        let error = Detectors::parse("own.toml", &SHIPPED.replacen(from, to, 1)).unwrap_err();
        assert!(error.line > 1 && !error.remedy.is_empty(), "{error}");
        (error.key, error.problem)
    };
    let problem = |from: &str, to: &str| error(from, to).1;
    assert_eq!(
        error("counts_from = \"likely\"", "counts_from = \"sure\""),
        ("counts_from".to_owned(), "unknown confidence \"sure\"".to_owned())
    );
    assert_eq!(error("window = 80", "window = 0"), ("window".to_owned(), "0 is out of range".to_owned()));
    assert_eq!(error("lines = 14", "lines = 500"), ("lines".to_owned(), "500 is out of range".to_owned()));
    assert_eq!(problem("\"supply number\"", "\"\""), "the text is empty");
    assert_eq!(problem("\"supply number\"", "\"21 digits\""), "\"21 digits\" does not begin with a letter");
    assert_eq!(problem("\"gmail.com\"", "\"a\\nb\""), "the text has a line break or control character");
    assert!(problem("[mpan]", "[mpam]").starts_with("unknown field `mpam`"));
    assert!(problem("on the psr", &"x".repeat(90)).contains("longer than"));
}
