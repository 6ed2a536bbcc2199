//! The second market that is shipped: councils and health bodies that exchange casework. The same program judges its mail
//! and runs its clocks; only files are others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use mail::{Address, Budget, ContactType, GroupId, ReversePath, Scan, Scanner};
use policies::access::{Relation, Role};
use policies::escalation::{Gate, Part, Reason, Situation, Step, Who, unstated};
use policies::{
    Facts, FieldId, Judged, Passing, Place, Protection, Recipient, RuleFiles, Ruleset, Signal, Verdict,
    detect::Business,
};

static RULES: LazyLock<Ruleset> = LazyLock::new(|| Ruleset::read(RuleFiles::casework()).unwrap());

const PLAIN: &str = "Content-Type: text/plain\r\n\r\nPlease visit this week.\r\n";
const LOCKED: &str =
    "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nAAAA\r\n";

fn place(local: &str, process: &str) -> Place {
    Place {
        address: Address::parse(&format!("{local}@trust.example")).unwrap(),
        group: "trust".parse().unwrap(),
        participant: "TRUS".parse().unwrap(),
        process: process.parse().unwrap(),
        contact_type: "referral".parse().unwrap(),
    }
}

/// What becomes of a mail of a council to the hospital trust.
fn judged(subject: &str, rest: &str, recipient: Recipient) -> Verdict {
    judgement(subject, rest, recipient).verdicts.into_iter().next().unwrap()
}

fn judgement(subject: &str, rest: &str, recipient: Recipient) -> Judged {
    let sender: GroupId = "council".parse().unwrap();
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(format!("From: ann@council.example\r\nSubject: {subject}\r\n{rest}").as_bytes());
    let message = scanner.finish();
    let reverse_path = ReversePath::Address(Address::parse("ann@council.example").unwrap());
    RULES.judge(&Facts {
        sender: &sender,
        passing: Passing::On,
        reverse_path: &reverse_path,
        message: &message,
        recipients: &[recipient],
        referenced: &[],
        scan: Scan::Off,
        protection: Protection::Tls,
        documents: &[],
        business: &Business::new(&|domain: &str| domain == "council.example", &message.headline),
        fields: &[],
    })
}

fn counterparty() -> Recipient {
    Recipient::Counterparty {
        group: "trust".parse().unwrap(),
        mailboxes: vec![place("discharge", "hospital-discharge")],
    }
}

#[test]
fn a_mapped_mailbox_takes_mail_into_its_process() {
    let verdict = judged("a person", PLAIN, Recipient::Mailbox(place("adults", "safeguarding-adults")));
    let Verdict::Secure { signal, process, contact_type, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!((signal, process.as_str()), (Signal::Mailbox, "safeguarding-adults"));
    assert_eq!(contact_type.as_str(), "referral");
}

#[test]
fn a_subject_code_of_its_own_names_a_process_and_one_of_the_other_market_names_none() {
    let verdict = judged("[HD] ready on Friday", PLAIN, counterparty());
    let Verdict::Secure { process, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(process.as_str(), "hospital-discharge");
    let verdict = judged("[ET] ready on Friday", PLAIN, counterparty());
    assert!(matches!(verdict, Verdict::Relay { .. }), "{verdict:?}");
}

#[test]
fn a_mail_about_a_person_goes_into_a_case_with_the_number_of_the_person_as_its_tag() {
    let text = "\r\nNHS number: 943 476 5919, our ref ASC-123456. National Insurance number AB123456C.\r\n\
                MPAN 1200023305967, MPRN 3938424403, meter S06DS123456.\r\n";
    let judged =
        judgement("Fit for discharge", text, Recipient::Mailbox(place("discharge", "hospital-discharge")));
    let tags: Vec<&str> = judged.tags.iter().map(|tag| tag.value()).collect();
    assert_eq!(tags, ["943 476 5919", "ASC-123456", "AB123456C"]);
    let found: Vec<&str> = judged.findings.counts().map(|(category, _)| category.as_str()).collect();
    assert_eq!(found, ["national-insurance", "nhs"], "and no numbers of meters");
    let Verdict::Secure { process, .. } = &judged.verdicts[0] else { panic!("{:?}", judged.verdicts) };
    assert_eq!(process.as_str(), "hospital-discharge");
    let behind_code = judgement("[HD] 943 476 5919", "\r\nReady.\r\n", counterparty());
    assert_eq!(behind_code.tags.iter().map(|tag| tag.value()).collect::<Vec<_>>(), ["943 476 5919"]);
}

#[test]
fn words_name_its_processes_and_none_of_the_first_market() {
    let said = |subject, text: &str| {
        judgement(subject, &format!("\r\n{text}\r\n"), counterparty()).classification.process
    };
    for (subject, text, is) in [
        ("A concern", "We raise a safeguarding concern about Mr Cole.", "safeguarding-adults"),
        (
            "Ward 4",
            "The patient is medically fit; the discharge is delayed for want of a care package.",
            "hospital-discharge",
        ),
        ("CHC checklist", "Please attend the eligibility assessment.", "continuing-care"),
        (
            "Placement over the border",
            "Which council is responsible for the care home fees?",
            "cross-border-care",
        ),
    ] {
        assert_eq!(said(subject, text).map(|process| process.to_string()).as_deref(), Some(is), "{subject}");
    }
    assert_eq!(said("Erroneous transfer", "Please return the supply."), None);
    assert_eq!(said("Minutes", "Shall we meet at ten?"), None);
}

#[test]
fn locked_content_waits_where_its_process_says_so() {
    let to = |local, process| judged("a person", LOCKED, Recipient::Mailbox(place(local, process)));
    let adults = to("adults", "safeguarding-adults");
    assert!(matches!(adults, Verdict::Hold { .. }), "{adults:?}");
    let discharge = to("discharge", "hospital-discharge");
    assert!(matches!(discharge, Verdict::Secure { .. }), "{discharge:?}");
}

#[test]
fn its_clocks_run_by_the_calendar_of_each_process() {
    let due = |process: &str, rung: &str, received: &str| {
        let (process, rung): (_, ContactType) = (process.parse().unwrap(), rung.parse().unwrap());
        let due = RULES.due(&process, &rung, received.parse().unwrap());
        due.map(|due| (due.at.to_string(), due.calendar))
    };
    let england = "england-and-wales 2026-11-23".to_owned();
    let scotland = "scotland 2026-11-23 with 2026-11-23".to_owned();
    let friday = "2026-06-12T09:00:00Z";
    let monday = "2026-06-15T16:00:00Z".to_owned();
    assert_eq!(due("safeguarding-adults", "referral", friday), Some((monday, england)));
    let ten_days_and_a_holiday = "2026-06-29T16:00:00Z".to_owned();
    assert_eq!(due("cross-border-care", "referral", friday), Some((ten_days_and_a_holiday, scotland)));
    assert_eq!(due("cross-border-care", "reminder", friday), None, "no such rung");
    assert_eq!(due("erroneous-transfers", "initial-request", friday), None, "no such process");
}

#[test]
fn its_escalations_ask_for_what_its_rungs_require() {
    let process = RULES.catalogue().process(&"safeguarding-adults".parse().unwrap()).unwrap();
    let due = "2026-06-15T16:00:00Z".parse().unwrap();
    let at = |rung: usize, now: &str| {
        let contact_type = &process.rungs[rung].contact_type;
        let situation = Situation { process, contact_type, answer_due: Some(due), end: None };
        let who = Who { part: Part::Initiator, role: Role::User, relation: Relation::Permitted };
        situation.gate(Step::Escalate, who, now.parse().unwrap())
    };
    assert_eq!(at(0, "2026-06-15T15:59:59.999Z"), Gate::OpensAt(due));
    assert_eq!(at(0, "2026-06-15T16:00:00Z"), Gate::Open);
    assert_eq!(at(2, "2026-06-15T16:00:00Z"), Gate::Never(Reason::HighestRung));
    let highest = &process.rungs[2];
    let asked = |stated: &[(FieldId, String)]| {
        unstated(RULES.catalogue(), highest, stated).iter().map(|field| field.id.clone()).collect::<Vec<_>>()
    };
    let [urgency] = asked(&[]).try_into().unwrap();
    assert_eq!(urgency.as_str(), "urgency");
    assert!(asked(&[(urgency, "immediate".to_owned())]).is_empty());
}

/// What the program calls things would show here if it knew a market.
#[test]
fn nothing_in_it_is_of_the_first_market() {
    let words = ["fuel", "gas", "electric", "meter", "mpan", "mprn", "supplier", "tariff"];
    for (name, text) in RuleFiles::casework().sources() {
        // The detectors file has to name the categories that it turns off.
        if ["processes.toml", "classification.toml"].contains(&name) {
            let lower = text.to_lowercase();
            let found = words
                .iter()
                .find(|word| lower.split(|c: char| !c.is_alphanumeric()).any(|own| own == **word));
            assert_eq!(found, None, "{name}");
        }
    }
}

/// As `postern policy test` does: whatever a file says by example is so.
#[test]
fn every_example_of_its_files_comes_out_as_written() {
    let tried = RULES.try_examples();
    assert!(tried.len() >= 20, "{} examples", tried.len());
    let failed: Vec<_> = tried.iter().filter(|tried| !tried.differences.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The market's own files leave nothing of the first market's words to those who are refused.
#[test]
fn what_people_are_told_is_of_this_market() {
    let own = RuleFiles::casework();
    for word in ["meter point", "[ET]", "MPAN number", "supplier"] {
        let (_, verdicts) = own.sources().find(|(name, _)| *name == "verdicts.toml").unwrap();
        assert!(!verdicts.contains(word), "{word}");
    }
}
