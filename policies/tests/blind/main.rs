//! Twice three hundred short mails: how many of them the shipped rules understand by their words. Those of `mails.txt` were
//! written from the list of processes alone, before their author had read a rule; rules are improved by the misses of one half of
//! them, those of the other are counted and never printed. Those of `second.txt` are another writer's, who has not seen a rule,
//! and nobody looks at a miss of theirs: the figure to go by. What the figures are worth, `docs/classification.md` says
//! (`POSTERN_GOLDEN=write` writes it anew). Nothing here reads a mail that a machine composed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod measured;

use std::collections::BTreeMap;

const MAILS: &str = include_str!("mails.txt");
const SECOND: &str = include_str!("second.txt");

/// One of the mails, and what a reader takes it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labelled {
    /// A process, or `none`.
    pub(crate) is: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) attachment: Option<&'static str>,
    pub(crate) text: String,
}

/// The mails of the half by which rules are improved, and of the half of which only the count is shown. Which is which, the
/// mail's own text decides, in equal parts of every process.
pub(crate) fn halves() -> [Vec<Labelled>; 2] {
    let mut of_process: BTreeMap<&str, Vec<Labelled>> = BTreeMap::new();
    for mail in read(MAILS) {
        of_process.entry(mail.is).or_default().push(mail);
    }
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (_, mut mails) in of_process {
        mails.sort_by_key(|mail| scattered(&format!("{}\n{}", mail.subject, mail.text)));
        unseen.extend(mails.split_off(mails.len() / 2));
        seen.extend(mails);
    }
    [seen, unseen]
}

/// The mails of the other writer.
pub(crate) fn second() -> Vec<Labelled> {
    read(SECOND).collect()
}

/// Mails also hold lines of dashes and equal signs of their own: an entry begins at a line.
fn read(file: &'static str) -> impl Iterator<Item = Labelled> {
    file.strip_prefix("=== ").unwrap().split("\n=== ").map(labelled)
}

fn labelled(entry: &'static str) -> Labelled {
    let (is, rest) = entry.split_once('\n').unwrap();
    let (head, body) = rest.split_once('\n').unwrap_or((rest, ""));
    let subject = head.strip_prefix("Subject:").unwrap().trim();
    let attachment = body.lines().find_map(|line| line.strip_prefix("Attachment: "));
    let text: Vec<&str> = body.lines().filter(|line| !line.starts_with("Attachment: ")).collect();
    Labelled { is, subject, attachment, text: text.join("\n").trim().to_owned() }
}

/// FNV-1a: the same on every machine, and nobody's choice.
fn scattered(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn there_are_as_many_of_each_process_in_both_halves() {
    for half in halves() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for mail in &half {
            *counts.entry(mail.is).or_default() += 1;
        }
        assert_eq!(counts.remove("none"), Some(30));
        assert_eq!(counts.len(), 12);
        assert!(counts.values().all(|count| *count == 10), "{counts:?}");
    }
}

#[test]
fn the_other_writer_has_written_of_every_process_and_of_none() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in second() {
        *counts.entry(mail.is).or_default() += 1;
    }
    assert_eq!(counts.remove("none"), Some(70));
    assert_eq!(counts.len(), 12);
    assert!(counts.values().all(|count| (19..=20).contains(count)), "{counts:?}");
}
