//! How long a judgement takes, by the size of the text, and how long large rule files take to load. Prints the best of
//! some rounds, because the machine has other things to do: `cargo bench -p policies`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mail::{Address, Budget, GroupId, Message, ReversePath, Scan, Scanner};
use policies::{
    Facts, FileKind, Passing, Place, Protection, Recipient, RuleFiles, Ruleset,
    detect::{Business, Document},
};

const ROUNDS: usize = 20;
const PROCESSES: [&str; 4] = ["erroneous-transfers", "disputed-readings", "crossed-meters", "disconnections"];
const RUNGS: [&str; 3] = ["initial-request", "escalation-1", "escalation-2"];

fn main() {
    let rules = Ruleset::shipped().unwrap();
    let (few, many_mailboxes) = (to(10), to(10_000));
    for kilobytes in [5, 50, 500, 5_000, 10_000] {
        let message = mail(kilobytes * 1_000);
        let time = best(|| judge(&rules, &message, &[], &few));
        report(&format!("judge, {kilobytes} KB of text"), time);
    }
    let (message, sheet) = (mail(1_000), text(10_000_000));
    let sheet = [Document { part: 1, name: "list.csv", text: &sheet, whole: true }];
    report("judge, 10 MB in a file", best(|| judge(&rules, &message, &sheet, &few)));
    let message = mail(50_000);
    report("judge, 50 KB, 10,000 mailboxes", best(|| judge(&rules, &message, &[], &many_mailboxes)));
    let many = many_rules();
    report("load 1,000 rules", best(|| Ruleset::read(many.clone()).unwrap()));
    let rules = Ruleset::read(many).unwrap();
    report("judge, 50 KB, 1,000 rules", best(|| judge(&rules, &message, &[], &few)));
}

fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        black_box(work());
        begun.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap()
}

fn report(what: &str, time: Duration) {
    println!("{what:<34} {:>10.1} µs", time.as_secs_f64() * 1e6);
}

fn judge(rules: &Ruleset, message: &Message, documents: &[Document<'_>], to: &[Recipient]) -> usize {
    let sender: GroupId = "alpha".parse().unwrap();
    let is_staff = |domain: &str| matches!(domain, "alpha.example" | "beta.example");
    let judged = rules.judge(&Facts {
        sender: &sender,
        passing: Passing::On,
        reverse_path: &ReversePath::Null,
        message,
        recipients: to,
        referenced: &[],
        scan: Scan::Clean,
        protection: Protection::Tls,
        documents,
        business: &Business::new(&is_staff, &message.headline),
        fields: &[],
    });
    judged.verdicts.len()
}

fn mail(octets: usize) -> Message {
    let mut scanner = Scanner::new(Budget { text_bytes: 16 * 1024 * 1024, ..Budget::default() });
    scanner.feed(b"From: ann@alpha.example\r\nTo: jo@beta.example\r\nSubject: two customers\r\n\r\n");
    scanner.feed(text(octets).replace('\n', "\r\n").as_bytes());
    scanner.finish()
}

/// Letters as people of the market write them, with some personal data in each.
fn text(octets: usize) -> String {
    const LETTER: &str = "Dear colleague,\n\nwe write about the supply at the address below, which our customer says \
        was switched without their consent. We have looked at the reads that we hold for the last two years and at what \
        was agreed when the contract began, and find nothing that speaks for a change. Please look at it and let us know \
        by the end of next week what you find; the customer has asked us twice already, and we said that we would come \
        back to them. The meter was read by our agent in March, again in June, and by the customer since then.\n\n";
    const DATA: &str =
        "MPAN 1200023305967, Mrs Jane Smith, 12 High Street, Leeds LS1 4AP, 020 7946 0000.\n\n";
    let mut text = String::with_capacity(octets + LETTER.len());
    let mut letters = 0;
    while text.len() < octets {
        text.push_str(LETTER);
        letters += 1;
        if letters % 10 == 0 {
            text.push_str(DATA);
        }
    }
    text
}

fn to(mailboxes: usize) -> Vec<Recipient> {
    let place = |number: usize| Place {
        address: Address::parse(&format!("box{number}@beta.example")).unwrap(),
        group: "beta".parse().unwrap(),
        participant: "BETA".parse().unwrap(),
        process: PROCESSES[number % PROCESSES.len()].parse().unwrap(),
        contact_type: RUNGS[number / PROCESSES.len() % RUNGS.len()].parse().unwrap(),
    };
    vec![Recipient::Counterparty {
        group: "beta".parse().unwrap(),
        mailboxes: (0..mailboxes).map(place).collect(),
    }]
}

fn many_rules() -> RuleFiles {
    let mut text = "enough = 20\n".to_owned();
    for number in 0..1_000 {
        text.push_str(&format!(
            "[[rule]]\nid = \"rule-{number}\"\nprocess = \"erroneous-transfers\"\nweight = 1\n\
             text = [\"word {number}\", \"customer of {number}\", \"supply {number}\"]\n"
        ));
    }
    let mut files = RuleFiles::shipped();
    files.replace(FileKind::Classification, "many.toml", text);
    files
}
