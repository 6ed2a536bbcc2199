//! How long a start takes for what it goes by: a directory of ten thousand mailboxes and a thousand rules, read together.
//! `cargo run --release -p gateway --example load`. Never part of the product.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{sync::Arc, time::Instant};

use certs::RootKey;
use policies::{FileKind, RuleFiles, Ruleset};
use store::{Actor, DirectoryChange, Group, Ledger, Mailbox, MailboxAlerts, Participant, memory::Memory};

const MAILBOXES: usize = 10_000;
const RULES: usize = 1_000;
const ROUNDS: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (engine, root) = (Arc::new(Memory::new()), Arc::new(RootKey::generate().unwrap()));
    let ledger = Ledger::open(engine, root).await.unwrap();
    let group: mail::GroupId = "beta".parse().unwrap();
    let mut changes = vec![
        DirectoryChange::Group(Group {
            domains: vec!["beta.example".to_owned()],
            ..Group::new(group.clone(), "Beta".to_owned())
        }),
        DirectoryChange::Participant(Participant::new(
            "BETA".parse().unwrap(),
            group.clone(),
            "Beta".to_owned(),
            "electricity-supplier".to_owned(),
        )),
    ];
    changes.extend((0..MAILBOXES).map(|number| {
        DirectoryChange::Mailbox(Mailbox {
            address: format!("box{number}@beta.example").parse().unwrap(),
            group: group.clone(),
            participant: "BETA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            alerts: MailboxAlerts::AtOnce,
        })
    }));
    for part in changes.chunks(500) {
        ledger.change_directory(&Actor::Tool, part.to_vec()).await.unwrap();
    }
    let files = rules();
    let mut best = [f64::MAX; 2];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        ledger.reload_directory().await.unwrap();
        let directory = begun.elapsed().as_secs_f64();
        Ruleset::read(files.clone()).unwrap();
        best = [best[0].min(directory), best[1].min(begun.elapsed().as_secs_f64() - directory)];
    }
    assert_eq!(ledger.directory().mailboxes().count(), MAILBOXES);
    println!("{MAILBOXES} mailboxes {:.1} ms, {RULES} rules {:.1} ms", best[0] * 1e3, best[1] * 1e3);
}

fn rules() -> RuleFiles {
    let mut text = "enough = 20\n".to_owned();
    for number in 0..RULES {
        text.push_str(&format!(
            "[[rule]]\nid = \"rule-{number}\"\nprocess = \"erroneous-transfers\"\nweight = 1\n\
             text = [\"word {number}\", \"customer of {number}\", \"supply {number}\"]\n"
        ));
    }
    let mut files = RuleFiles::shipped();
    files.replace(FileKind::Classification, "many.toml", text);
    files
}
