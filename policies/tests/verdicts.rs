//! What holds for every mail and every rule file: each recipient gets an answer of its class, a refusal at `RCPT` is one
//! of the whole mail, one transaction has one answer, and the order of recipients decides nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use mail::{Address, Budget, GroupId, Message, ReversePath, Scan, Scanner};
use policies::{
    Class, Facts, FileKind, Judged, NamedCase, Passing, Place, Protection, Recipient, RuleFiles, Ruleset,
    Verdict, VerdictRules, detect::Business,
};
use proptest::{collection::vec, prelude::*, sample::select};

static SHIPPED: LazyLock<Ruleset> = LazyLock::new(|| Ruleset::shipped().unwrap());
static IDS: LazyLock<Vec<String>> =
    LazyLock::new(|| VerdictRules::shipped().unwrap().ids().map(ToString::to_string).collect());
static ALPHA: LazyLock<GroupId> = LazyLock::new(|| "alpha".parse().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn refused_early_is_refused_always_and_let_in_is_answered_by_a_known_rule(
        mail in mail(), scan in scan(), recipient in recipient(), passing in passing(),
    ) {
        let verdict = judge(&SHIPPED, &mail, scan, passing, std::slice::from_ref(&recipient)).verdicts.remove(0);
        match SHIPPED.class(&ALPHA, &recipient, passing) {
            Err(early) => {
                prop_assert!(IDS.contains(&early.rule.to_string()));
                prop_assert!(matches!(verdict, Verdict::Refuse { .. }), "{verdict:?}");
            }
            Ok(class) => {
                prop_assert!(belongs(class, &verdict), "{class:?}: {verdict:?}");
                prop_assert!(verdict.rule().is_none_or(|rule| IDS.contains(&rule.to_string())), "{verdict:?}");
            }
        }
        if let Verdict::Refuse { public, .. } | Verdict::Hold { public, .. } = &verdict {
            prop_assert!(public.len() <= 400 && public.bytes().all(|b| (0x20..0x7f).contains(&b)));
        }
    }

    #[test]
    fn strictest_is_the_same_in_every_order(
        mail in mail(), scan in scan(), recipients in vec(recipient(), 1..6), passing in passing(), turn in 0..6_usize,
    ) {
        let judged = judge(&SHIPPED, &mail, scan, passing, &recipients);
        let mut turned = recipients.clone();
        turned.rotate_left(turn % recipients.len());
        turned.reverse();
        let other = judge(&SHIPPED, &mail, scan, passing, &turned);
        prop_assert_eq!(answer(&judged), answer(&other));
        let strictest = strictness(judged.strictest().unwrap());
        prop_assert!(judged.verdicts.iter().all(|verdict| strictness(verdict) <= strictest));
    }

    #[test]
    fn one_transaction_never_secures_and_relays(
        mail in mail(), scan in scan(), recipients in vec(recipient(), 1..8),
    ) {
        let of_class = |wanted: &Recipient| {
            let class = SHIPPED.class(&ALPHA, wanted, Passing::On);
            let alike = recipients.iter().filter(|r| SHIPPED.class(&ALPHA, r, Passing::On) == class);
            class.is_ok().then(|| alike.cloned().collect::<Vec<_>>())
        };
        if let Some(transaction) = recipients.first().and_then(of_class) {
            let judged = judge(&SHIPPED, &mail, scan, Passing::On, &transaction);
            let one = answer(&judged).unwrap().0;
            if one == "secure" || one == "relay" {
                prop_assert!(judged.verdicts.iter().all(|verdict| word(verdict) == one), "{:?}", judged.verdicts);
            }
        }
    }

    fn rule_files_that_are_taken_answer_for_everything(
        rules in vec(rule(), 0..5), mail in mail(), scan in scan(),
    ) {
        let recipients = everybody();
        let text = format!("{}{LAST}", rules.concat());
        // Some contradict each other; that is what reading them finds out.
        let mut files = RuleFiles::shipped();
        files.replace(FileKind::Verdicts, "v.toml", text.clone());
        // What these mails are about has nothing to do with it.
        files.replace(FileKind::Classification, "c.toml", "enough = 20");
        if let Ok(ruleset) = Ruleset::read(files) {
            TAKEN.fetch_add(usize::from(rules.len() > 1), Ordering::Relaxed);
            let rules = ruleset;
            for passing in [Passing::Off, Passing::On] {
                answers_all(&rules, &judge(&rules, &mail, scan, passing, &recipients), passing, &recipients, &text)?;
            }
        }
    }
}

/// Rule files of several rules that were taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn rule_file_that_is_taken_answers_for_everything() {
    rule_files_that_are_taken_answer_for_everything();
    assert!(TAKEN.load(Ordering::Relaxed) > 100, "too few to prove anything");
}

fn answers_all(
    rules: &Ruleset,
    judged: &Judged,
    passing: Passing,
    recipients: &[Recipient],
    text: &str,
) -> Result<(), TestCaseError> {
    let mut secured_and_relayed = [false; 2];
    for (verdict, recipient) in judged.verdicts.iter().zip(recipients) {
        prop_assert!(verdict.rule().is_none_or(|rule| rule.as_str() != "no-rule"), "{text}");
        match rules.class(&ALPHA, recipient, passing) {
            Ok(class) => prop_assert!(belongs(class, verdict), "{text}"),
            Err(_) => prop_assert!(matches!(verdict, Verdict::Refuse { .. }), "{text}"),
        }
        if matches!(recipient, Recipient::Counterparty { group, .. } if *group != *ALPHA) {
            secured_and_relayed[0] |= word(verdict) == "secure";
            secured_and_relayed[1] |= word(verdict) == "relay";
        }
    }
    prop_assert!(secured_and_relayed != [true, true], "{text}");
    Ok(())
}

const LAST: &str = r#"
[[rule]]
id = "nowhere"
recipient = ["own-mailbox", "foreign-reply-address", "unmapped"]
verdict = "refuse"
public = "no"
[[rule]]
id = "case"
recipient = ["mailbox", "reply-address"]
verdict = "secure"
[[rule]]
id = "by-code"
recipient = ["counterparty"]
subject_code = ["mailbox"]
verdict = "secure"
[[rule]]
id = "on"
recipient = ["own-domain", "outside"]
verdict = "relay"
[[rule]]
id = "ask"
recipient = ["counterparty"]
verdict = "hold"
public = "wait"
"#;

fn judge(rules: &Ruleset, mail: &str, scan: Scan, passing: Passing, recipients: &[Recipient]) -> Judged {
    let message = scanned(mail);
    let reverse_path = ReversePath::Address(Address::parse("ann@alpha.example").unwrap());
    rules.judge(&Facts {
        sender: &ALPHA,
        passing,
        reverse_path: &reverse_path,
        message: &message,
        recipients,
        referenced: &[],
        scan,
        protection: Protection::Tls,
        documents: &[],
        business: &Business::new(&|domain: &str| domain.ends_with("a.example"), &message.headline),
        fields: &[],
    })
}

fn scanned(mail: &str) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail.as_bytes());
    scanner.finish()
}

fn belongs(class: Class, verdict: &Verdict) -> bool {
    match (class, verdict) {
        (_, Verdict::Hold { .. } | Verdict::Refuse { .. }) => class != Class::Return,
        (Class::Case, Verdict::Secure { .. }) => true,
        (Class::Counterparty, Verdict::Secure { .. } | Verdict::Relay { .. }) => true,
        (Class::Own | Class::Outside, Verdict::Relay { .. }) => true,
        (Class::Return, Verdict::Return) => true,
        _ => false,
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Secure { .. } => "secure",
        Verdict::Relay { .. } => "relay",
        Verdict::Hold { .. } => "hold",
        Verdict::Return => "return",
        Verdict::Refuse { .. } => "refuse",
    }
}

fn strictness(verdict: &Verdict) -> u8 {
    match word(verdict) {
        "refuse" => 2,
        "hold" => 1,
        _ => 0,
    }
}

/// What the peer sees of a judgement; of what is let through, that it is.
fn answer(judged: &Judged) -> Option<(&'static str, String)> {
    judged.strictest().map(|verdict| match verdict {
        Verdict::Refuse { public, .. } | Verdict::Hold { public, .. } => (word(verdict), public.clone()),
        _ => (word(verdict), String::new()),
    })
}

fn passing() -> impl Strategy<Value = Passing> {
    select(vec![Passing::Off, Passing::On])
}

fn scan() -> impl Strategy<Value = Scan> {
    select(vec![Scan::Off, Scan::Clean, Scan::Found, Scan::NotChecked])
}

fn mail() -> impl Strategy<Value = String> {
    let subjects = ["hello", "[ET] 1200023305967 x", "Re: [cm] x", "[XY] x", "MPAN 1200023305967", ""];
    let kinds = ["text/plain", "application/pkcs7-mime; smime-type=enveloped-data"];
    let bodies = ["hello", "MPAN 1200023305967", "our ref: ABC-123456", ""];
    (select(subjects.to_vec()), select(kinds.to_vec()), select(bodies.to_vec())).prop_map(
        |(subject, kind, body)| {
            format!(
                "From: ann@alpha.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n\
                 {body}\r\n"
            )
        },
    )
}

fn place(owner: &str, process: &str) -> Place {
    Place {
        address: Address::parse(&format!("{process}@{owner}.example")).unwrap(),
        group: owner.parse().unwrap(),
        participant: owner.to_uppercase()[..4].parse().unwrap(),
        process: process.parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
    }
}

fn recipient() -> impl Strategy<Value = Recipient> {
    let owner = || select(vec!["alpha", "beta", "gamma"]);
    let process = || select(vec!["erroneous-transfers", "crossed-meters", "not-in-the-catalogue"]);
    let mailbox = (owner(), process()).prop_map(|(owner, process)| Recipient::Mailbox(place(owner, process)));
    let case = (owner(), owner(), process()).prop_map(|(one, other, process)| {
        Recipient::ReplyAddress(NamedCase {
            id: "case".to_owned(),
            process: process.parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            sides: [one, other]
                .map(|side| (side.parse().unwrap(), place(side, process).participant))
                .to_vec(),
        })
    });
    let counterparty =
        (owner(), vec(process(), 0..3)).prop_map(|(owner, processes)| Recipient::Counterparty {
            group: owner.parse().unwrap(),
            mailboxes: processes.into_iter().map(|process| place(owner, process)).collect(),
        });
    let rest = vec![Recipient::Return, Recipient::OwnDomain, Recipient::Outside, Recipient::Unknown];
    prop_oneof![mailbox, case, counterparty, select(rest)]
}

/// One of every sort.
fn everybody() -> Vec<Recipient> {
    let counterparty = |owner: &str, processes: &[&str]| Recipient::Counterparty {
        group: owner.parse().unwrap(),
        mailboxes: processes.iter().map(|process| place(owner, process)).collect(),
    };
    let case = |sides: [&str; 2]| {
        let process = "erroneous-transfers";
        Recipient::ReplyAddress(NamedCase {
            id: "case".to_owned(),
            process: process.parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            sides: sides.map(|side| (side.parse().unwrap(), place(side, process).participant)).to_vec(),
        })
    };
    vec![
        Recipient::Mailbox(place("alpha", "erroneous-transfers")),
        Recipient::Mailbox(place("beta", "erroneous-transfers")),
        Recipient::Mailbox(place("beta", "crossed-meters")),
        Recipient::Mailbox(place("beta", "not-in-the-catalogue")),
        case(["alpha", "beta"]),
        case(["beta", "gamma"]),
        counterparty("alpha", &["erroneous-transfers"]),
        counterparty("beta", &["erroneous-transfers", "crossed-meters"]),
        counterparty("gamma", &[]),
        Recipient::Return,
        Recipient::OwnDomain,
        Recipient::Outside,
        Recipient::Unknown,
    ]
}

/// Rules that make sense for one or two kinds of recipient; whether they do together shows when they are read.
fn rule() -> impl Strategy<Value = String> {
    let of_cases = || select(vec!["\"mailbox\"", "\"reply-address\"", "\"mailbox\", \"reply-address\""]);
    let passing =
        || select(vec!["\"own-domain\"", "\"counterparty\"", "\"outside\"", "\"own-domain\", \"outside\""]);
    let counterparty = || select(vec!["\"counterparty\""]);
    let content = || {
        select(vec![
            "personal_data = \"found\"",
            "personal_data = \"none\"",
            "opaque = true",
            "opaque = false",
            "unread = true",
            "unread = false",
            "scan = [\"found\", \"not-checked\"]",
        ])
    };
    let of_process = || {
        let process = "process = [\"erroneous-transfers\"]";
        select(vec![process, "opaque = true\nprocess_opaque = [\"hold\", \"refuse\"]"])
    };
    let subject = || select(vec!["subject_code = [\"mailbox\"]", "subject_code = [\"no-mailbox\"]"]);
    let refusing = || select(vec!["hold", "refuse"]);
    prop_oneof![
        (of_cases(), prop_oneof![content(), of_process()], prop_oneof![Just("secure"), refusing()]),
        (passing(), content(), prop_oneof![Just("relay"), refusing()]),
        (counterparty(), subject(), select(vec!["secure", "relay", "hold", "refuse"])),
        (counterparty(), of_process(), refusing()),
    ]
    .prop_flat_map(|parts| (any::<u32>(), Just(parts)))
    .prop_map(|(id, (kinds, condition, verdict))| {
        let public = if matches!(verdict, "hold" | "refuse") { "public = \"text\"\n" } else { "" };
        format!(
            "[[rule]]\nid = \"r{id}\"\nrecipient = [{kinds}]\n{condition}\nverdict = \"{verdict}\"\n{public}"
        )
    })
}

/// What the documentation shows is what the rules do.
#[test]
fn the_examples_of_the_documentation_are_taken_and_do_what_it_says() {
    let docs = include_str!("../../docs/policy.md");
    let shown = |id: &str| {
        let block =
            docs.split("\n\n").find(|block| block.contains("[[rule]]") && block.contains(id)).unwrap();
        block.lines().map(|line| format!("{}\n", line.trim_start())).collect::<String>()
    };
    let verdicts =
        RuleFiles::shipped().sources().find(|(name, _)| *name == "verdicts.toml").unwrap().1.to_owned();
    let classes =
        RuleFiles::shipped().sources().find(|(name, _)| *name == "classification.toml").unwrap().1.to_owned();
    let with = |rule: &str, before: &str| {
        let (at, rule) = (verdicts.find(&format!("[[rule]]\nid = \"{before}\"")).unwrap(), shown(rule));
        let mut files = RuleFiles::shipped();
        files.replace(FileKind::Verdicts, "v.toml", [&verdicts[..at], &rule, "\n", &verdicts[at..]].concat());
        files
    };
    let rule_of = |files: RuleFiles, mail: &str, recipient: Recipient| {
        let judged = judge(&Ruleset::read(files).unwrap(), mail, Scan::Off, Passing::On, &[recipient]);
        judged.verdicts[0].rule().unwrap().to_string()
    };
    let beta = || Recipient::Counterparty {
        group: "beta".parse().unwrap(),
        mailboxes: vec![place("beta", "crossed-meters")],
    };
    let crossed = "From: ann@alpha.example\r\nSubject: crossed meters\r\n\r\nMPAN 1200023305967\r\n";
    let other = "From: ann@alpha.example\r\nSubject: hello\r\n\r\nMPAN 1200023305967\r\n";
    let by_words = || with("secure-by-words", "hold-personal-data");
    assert_eq!(rule_of(by_words(), crossed, beta()), "secure-by-words");
    assert_eq!(rule_of(by_words(), other, beta()), "hold-personal-data");
    let mut anything = by_words();
    let fallback = shown("anything-else").replace("contract-manager-queries", "crossed-meters");
    anything.replace(
        FileKind::Classification,
        "c.toml",
        classes.replacen("[[example]]", &format!("{fallback}\n[[example]]"), 1),
    );
    assert_eq!(rule_of(anything, other, beta()), "secure-by-words");
    let lists = with("hold-lists", "secure-mapped-mailbox");
    let mailbox = || Recipient::Mailbox(place("beta", "crossed-meters"));
    assert_eq!(rule_of(lists.clone(), crossed, mailbox()), "secure-mapped-mailbox");
    let many: String =
        (0..100).map(|n| format!("Customer Mr John Smith{n}, MPAN 1200023305967\r\n")).collect();
    assert_eq!(rule_of(lists, &format!("From: ann@alpha.example\r\n\r\n{many}"), mailbox()), "hold-lists");
    assert!(Ruleset::read(with("refuse-locked-outside", "hold-unread")).is_ok());
}
