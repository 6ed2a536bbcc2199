//! What rules make of mails: order and weight, each kind of condition, and the shipped rules on the words of the trade.

use mail::{Budget, Message, Scanner, Tag};

use super::*;
use crate::detect::Document;

fn scanned(mail: &str) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail.replace('\n', "\r\n").as_bytes());
    scanner.finish()
}

fn classify(rules: &ClassificationRules, mail: &str) -> Classification {
    with(rules, mail, &[], &[], &[])
}

fn with(
    rules: &ClassificationRules,
    mail: &str,
    documents: &[Document<'_>],
    fields: &[(&str, &str)],
    tags: &[Tag],
) -> Classification {
    let (message, sender) = (scanned(mail), "alpha".parse().unwrap());
    rules.classify(&Mail { sender: &sender, message: &message, documents, fields, tags })
}

fn rules(text: &str) -> ClassificationRules {
    ClassificationRules::parse("c.toml", &format!("enough = 20\n{text}")).unwrap()
}

/// One rule with this condition.
fn one(condition: &str) -> ClassificationRules {
    rules(&format!("[[rule]]\nid = \"one\"\nprocess = \"crossed-meters\"\nweight = 20\n{condition}\n"))
}

fn fits(condition: &str, mail: &str) -> bool {
    classify(&one(condition), mail).rule.is_some()
}

const MAIL: &str = "From: Ann <ann@Alpha.example>\nTo: Crossed.Meters+1@beta.example\nSubject: two Meters\n\
    MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nthe neighbour's bill\n--b\n\
    Content-Type: text/csv\nContent-Disposition: attachment; filename=\"ET_list.csv\"\n\na,b\n--b--\n";

#[test]
fn each_condition_asks_for_what_its_key_says() {
    for (condition, is) in [
        ("subject = [\"two meter\"]", true),
        ("subject = [\"neighbours bill\"]", false),
        ("text = [\"meters\", \"neighbours bill\"]", true),
        ("text = [\"neighbour\"]", true),
        ("text = [\"bil\"]", false),
        ("attachment_name = [\"ET list\"]", true),
        ("anywhere = [\"ET\"]", true),
        ("attachment_text = [\"ET\"]", false),
        ("anywhere = [\"meters\"]\nnot = [\"bill\"]", false),
        ("anywhere = [\"meters\"]\nnot = [\"invoice\"]", true),
        ("all = [[\"neighbour\", \"landlord\"], [\"meter\"]]", true),
        ("all = [[\"neighbour\"], [\"landlord\"]]", false),
        ("anywhere = [\"neigh*\"]", true),
        ("anywhere = [\"eighbour*\"]", false),
        ("recipient = [\"crossed meter\"]", true),
        ("recipient_domain = [\"BETA.example\"]", true),
        ("recipient_domain = [\"alpha.example\"]", false),
        ("sender_domain = [\"alpha.example\"]", true),
        ("sender_group = [\"alpha\"]", true),
        ("sender_group = [\"beta\"]", false),
        ("attachment_type = [\"text/c\"]", true),
        ("attachment_type = [\"image/\"]", false),
        ("subject_pattern = ['^two\\b']", true),
        ("text_pattern = ['^two\\b', 'bill\\s*$']", true),
        ("attachment_name_pattern = ['^et.*\\.csv$']", true),
        ("tag = [\"mpan\"]", false),
        ("header = [{ name = \"X-Process\", pattern = \"^cm$\" }]", false),
        ("", true),
    ] {
        assert_eq!(fits(condition, MAIL), is, "{condition}");
    }
    let tagged = one("tag = [\"mpan\", \"reference\"]");
    let tags = [Tag::mpan("1200023305967").unwrap()];
    assert!(with(&tagged, MAIL, &[], &[], &tags).process.is_some());
    let headed = one("header = [{ name = \"X-Process\", pattern = \"^cm$\" }]");
    assert!(with(&headed, MAIL, &[], &[("x-process", "CM")], &[]).process.is_some());
    let document = Document { part: 2, name: "a.txt", text: "Crossed meters", whole: true };
    assert!(
        with(&one("attachment_text = [\"crossed meter\"]"), MAIL, &[document], &[], &[]).process.is_some()
    );
}

const ORDER: &str = r#"
[[rule]]
id = "light"
process = "crossed-meters"
weight = 15
text = ["apple"]
[[rule]]
id = "heavy"
process = "disconnections"
weight = 30
text = ["pear"]
[[rule]]
id = "more"
process = "crossed-meters"
weight = 15
text = ["plum"]
[[rule]]
id = "sure"
process = "debt-assignment"
decides = true
weight = 1
text = ["quince"]
"#;

#[test]
fn weights_add_up_the_first_of_equals_wins_and_who_decides_goes_before_all() {
    let rules = rules(ORDER);
    let of = |text: &str| {
        let is = classify(&rules, &format!("From: a@b.example\n\n{text}\n"));
        let name = |process: &ProcessId| process.as_str().to_owned();
        (is.process.as_ref().map(name), is.rule.as_ref().map(RuleId::to_string), is.margin())
    };
    let some =
        |process: &str, rule: &str, margin| (Some(process.to_owned()), Some(rule.to_owned()), Some(margin));
    assert_eq!(of("apple"), (None, None, None), "not enough");
    assert_eq!(of("pear"), some("disconnections", "heavy", 30));
    assert_eq!(of("apple, pear"), some("disconnections", "heavy", 15));
    assert_eq!(of("apple, plum, pear"), some("crossed-meters", "light", 0));
    assert_eq!(of("quince and pear"), some("debt-assignment", "sure", -29));
    let is = classify(&rules, "From: a@b.example\n\napple, pear, plum\n");
    assert_eq!(is.second().map(|(process, score)| (process.as_str(), score)), Some(("disconnections", 30)));
    assert_eq!(is.fits.iter().map(RuleId::as_str).collect::<Vec<_>>(), ["light", "heavy", "more"]);
}

#[test]
fn only_the_beginning_is_looked_at_and_any_text_is_taken() {
    let rules = one("text = [\"apple\"]");
    let behind = format!("From: a@b.example\n\n{}apple\n", "é word ".repeat(4_000));
    assert_eq!(classify(&rules, &behind).process, None);
    for hostile in
        ["'".repeat(100_000), "\u{ad}".repeat(100_000), "apple ".repeat(100_000), "ﬀ\u{1f600}".repeat(9_000)]
    {
        classify(&rules, &format!("Subject: {hostile}\n\n{hostile}\n"));
    }
}

#[test]
fn the_shipped_rules_know_the_words_of_the_trade() {
    let rules = ClassificationRules::shipped().unwrap();
    rules.check(&Catalogue::shipped().unwrap()).unwrap();
    for (subject, text, process) in [
        ("ET 1200023305967", "please see attached", "erroneous-transfers"),
        ("Supply", "The property was switched in error, please return the supply.", "erroneous-transfers"),
        ("MAP10 request", "see attached", "erroneous-transfers"),
        ("CoS read", "Our customer disputes the opening read.", "disputed-readings"),
        ("SMETS2 PPM", "No vend since the gain, customer is off supply.", "smart-prepayment"),
        ("DAP", "Please accept the outstanding debt.", "debt-assignment"),
        ("Objection", "The customer asked us to object to the switch.", "customer-objections"),
        ("PPMIP", "Payments made on the old key reached you.", "misdirected-payments"),
        (
            "Contract manager query",
            "Who leads your team for erroneous transfers?",
            "contract-manager-queries",
        ),
        ("Disco", "The building was demolished, please remove the service.", "disconnections"),
        ("Plot to postal", "Please correct the address of this meter point.", "address-management"),
        ("Retrospective change of profile class", "effective from date 1 April", "retrospective-mpad"),
        ("Crossed meter", "Flats 1 and 2 pay each other's bills.", "crossed-meters"),
        ("DMP", "There are two MPRNs for one meter.", "duplicate-meter-points"),
    ] {
        let is = classify(&rules, &format!("From: a@b.example\nSubject: {subject}\n\n{text}\n"));
        assert_eq!(is.process.as_ref().map(ProcessId::as_str), Some(process), "{subject}: {:?}", is.scores);
        assert!(is.margin().unwrap() > 0, "{subject}: {:?}", is.scores);
    }
    for (subject, text) in [
        ("Lunch on Friday", "Shall we meet at one?"),
        ("Invoice 4711", "Please find our invoice attached. Payment is due in 30 days."),
        ("", ""),
    ] {
        let is = classify(&rules, &format!("From: a@b.example\nSubject: {subject}\n\n{text}\n"));
        assert_eq!(is.process, None, "{subject}: {:?}", is.fits);
    }
}
