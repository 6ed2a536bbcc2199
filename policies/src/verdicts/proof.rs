//! The proof of a rule file: walks through everything that can be the case for a recipient and sees that a rule answers,
//! that every rule has something to say, and that one mail never gets two answers that cannot stand together. Small,
//! because rules can tell apart only so much.

use std::collections::BTreeSet;

use mail::{ProcessId, Scan};

use super::{Circumstances, Decision, Kind, Rule, Subject};
use crate::Opaque;

/// What is wrong with a list of rules.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing decides in these circumstances.
    NoAnswer(Kind, String),
    /// The rule of this place never decides for this kind: those before it always do.
    NeverDecides(usize, Kind),
    /// The rule of this place relays a mail that another recipient's company would have secured in the same
    /// transaction.
    Mixed(usize),
}

/// `processes` are all that the rules name, and one that none names.
pub(super) fn prove(rules: &[Rule], processes: &[ProcessId]) -> Result<(), Flaw> {
    let mut decided = BTreeSet::new();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        for circumstances in possible(kind, processes) {
            let Some(rule) = first(rules, &circumstances) else {
                return Err(Flaw::NoAnswer(kind, circumstances.to_string()));
            };
            decided.insert((rule, number));
            one_answer(rules, &circumstances, rule)?;
        }
    }
    for (place, rule) in rules.iter().enumerate() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            if rule.conditions.kinds.contains(&kind) && !decided.contains(&(place, number)) {
                return Err(Flaw::NeverDecides(place, kind));
            }
        }
    }
    Ok(())
}

fn first(rules: &[Rule], circumstances: &Circumstances<'_>) -> Option<usize> {
    rules.iter().position(|rule| rule.conditions.fit(circumstances))
}

/// Two companies can be recipients of one mail whose subject has a code, and only one of them has the mailbox: what is
/// secured for the one must not travel in the clear to the other.
fn one_answer(rules: &[Rule], circumstances: &Circumstances<'_>, rule: usize) -> Result<(), Flaw> {
    if circumstances.subject != Subject::NoMailbox || rules[rule].decision != Decision::Relay {
        return Ok(());
    }
    let other = Circumstances { subject: Subject::Mailbox, ..*circumstances };
    match first(rules, &other).map(|other| &rules[other].decision) {
        Some(Decision::Secure) => Err(Flaw::Mixed(rule)),
        _ => Ok(()),
    }
}

/// Everything that can be the case for a recipient of this kind; the plainest mail first.
fn possible(kind: Kind, processes: &[ProcessId]) -> impl Iterator<Item = Circumstances<'_>> {
    places(kind, processes)
        .into_iter()
        .flat_map(move |(subject, process)| contents(Circumstances::plain(kind, subject, process)))
}

fn places(kind: Kind, processes: &[ProcessId]) -> Vec<(Subject, Option<(&ProcessId, Opaque)>)> {
    let policies = [Opaque::Store, Opaque::Hold, Opaque::Refuse];
    let all = || processes.iter().flat_map(move |process| policies.map(|policy| Some((process, policy))));
    if kind.has_process() {
        return all().map(|process| (Subject::None, process)).collect();
    }
    let mut places = vec![(Subject::None, None)];
    if kind == Kind::Counterparty {
        for subject in [Subject::Mailbox, Subject::NoMailbox] {
            places.extend(all().map(|process| (subject, process)));
        }
    }
    places
}

/// The same recipient with every content that rules can tell apart; the plainest first.
pub(crate) fn contents(plain: Circumstances<'_>) -> impl Iterator<Item = Circumstances<'_>> {
    let scans = [Scan::Off, Scan::Clean, Scan::NotChecked, Scan::Found];
    scans.into_iter().flat_map(move |scan| {
        [(false, false), (false, true), (true, false), (true, true)]
            .map(|(personal_data, opaque)| Circumstances { scan, personal_data, opaque, ..plain })
    })
}

impl<'a> Circumstances<'a> {
    /// Nothing found, nothing closed, nobody asked.
    pub(crate) fn plain(kind: Kind, subject: Subject, process: Option<(&'a ProcessId, Opaque)>) -> Self {
        Self { kind, process, subject, personal_data: false, opaque: false, scan: Scan::Off }
    }
}
