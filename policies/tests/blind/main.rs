//! Three hundred short mails (`mails.txt`) that were written from the list of processes alone, before their author had read a
//! rule or a phrase of the generated market: how many of them the shipped rules understand by their words. Rules are
//! improved by the misses of one half; those of the other are counted and never printed. What the figures are worth,
//! `docs/classification.md` says (`POSTERN_GOLDEN=write` writes it anew). Nothing here reads a mail that a machine composed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod measured;

use std::collections::BTreeMap;

const MAILS: &str = include_str!("mails.txt");

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
    for mail in MAILS.split("=== ").skip(1).map(labelled) {
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

fn labelled(entry: &'static str) -> Labelled {
    let (is, rest) = entry.split_once('\n').unwrap();
    let (head, body) = rest.split_once('\n').unwrap();
    let subject = head.strip_prefix("Subject: ").unwrap();
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
