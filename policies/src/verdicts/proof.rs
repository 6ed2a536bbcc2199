//! The proof of a rule file: walks through everything that can be the case for a recipient and sees that a rule answers,
//! that every rule has something to say, and that one mail never gets two answers that cannot stand together. Small,
//! because only what some rule asks for is told apart.

use std::collections::BTreeSet;

use mail::{Class, GroupId, ProcessId, Scan};

use super::{AtLeast, Circumstances, Content, Decision, Has, Kind, Naming, Rule, circumstances::Conditions};
use crate::{Opaque, Protection};

/// More circumstances than this for one kind of recipient are not walked through.
const MOST: usize = 200_000;

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
    /// The rules tell apart so much for this kind that it cannot all be walked through.
    TooMany(Kind),
}

/// What rules can name; of each one more that none names.
pub(super) struct Named {
    pub(super) processes: Vec<ProcessId>,
    pub(super) senders: Vec<GroupId>,
    pub(super) counts: Vec<AtLeast>,
}

pub(super) fn prove(rules: &[Rule], named: &Named) -> Result<(), Flaw> {
    let mut decided = BTreeSet::new();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let asked = Asked::of(rules, kind);
        let (places, contents) = (asked.places(kind, named), asked.contents(&named.counts));
        if places.len().saturating_mul(contents.len()) > MOST {
            return Err(Flaw::TooMany(kind));
        }
        for (naming, process, sender) in places {
            for content in &contents {
                let circumstances = Circumstances { kind, process, naming, content: *content, sender };
                let Some(rule) = first(rules, &circumstances) else {
                    return Err(Flaw::NoAnswer(kind, circumstances.to_string()));
                };
                decided.insert((rule, number));
                one_answer(rules, &circumstances, rule)?;
            }
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

/// Two companies can be recipients of one mail about a process, and only one of them has the mailbox: what is secured for
/// the one must not travel in the clear to the other.
fn one_answer(rules: &[Rule], circumstances: &Circumstances<'_>, rule: usize) -> Result<(), Flaw> {
    let naming = match circumstances.naming {
        Naming::Code(Has::NoMailbox) => Naming::Code(Has::Mailbox),
        Naming::Rules(Has::NoMailbox) => Naming::Rules(Has::Mailbox),
        _ => return Ok(()),
    };
    if rules[rule].decision != Decision::Relay {
        return Ok(());
    }
    let other = Circumstances { naming, ..*circumstances };
    match first(rules, &other).map(|other| &rules[other].decision) {
        Some(Decision::Secure) => Err(Flaw::Mixed(rule)),
        _ => Ok(()),
    }
}

/// Everything that a mail can be like as far as these rules tell it apart, for a kind of recipient; the plainest first.
pub(super) fn contents(rules: &[Rule], kind: Kind, counts: &[AtLeast]) -> Vec<Content> {
    Asked::of(rules, kind).contents(counts)
}

type Somewhere<'a> = (Naming, Option<(&'a ProcessId, Opaque)>, Option<&'a GroupId>);

/// Which conditions any rule for one kind of recipient has: what no rule asks for need not be told apart.
#[derive(Default)]
struct Asked {
    senders: bool,
    processes: bool,
    naming: bool,
    personal_data: bool,
    special: bool,
    counts: u32,
    opaque: bool,
    unread: bool,
    process_opaque: bool,
    scan: bool,
    class: bool,
    protection: bool,
}

impl Asked {
    fn of(rules: &[Rule], kind: Kind) -> Self {
        let mut asked = Self::default();
        for rule in rules.iter().filter(|rule| rule.conditions.kinds.contains(&kind)) {
            asked.add(&rule.conditions);
        }
        asked
    }

    fn add(&mut self, conditions: &Conditions) {
        self.senders |= conditions.senders.is_some();
        self.processes |= conditions.processes.is_some();
        self.naming |= conditions.subject_code.is_some() || conditions.classified.is_some();
        self.personal_data |= conditions.personal_data.is_some();
        self.special |= conditions.special.is_some();
        self.counts |= conditions.counts.unwrap_or_default();
        self.opaque |= conditions.opaque.is_some();
        self.unread |= conditions.unread.is_some();
        self.process_opaque |= conditions.process_opaque.is_some();
        self.scan |= conditions.scan.is_some();
        self.class |= conditions.class.is_some();
        self.protection |= conditions.protection.is_some();
    }

    fn places<'a>(&self, kind: Kind, named: &'a Named) -> Vec<Somewhere<'a>> {
        let senders: Vec<Option<&GroupId>> = match self.senders {
            true => named.senders.iter().map(Some).collect(),
            false => vec![None],
        };
        let processes = if self.processes { &named.processes[..] } else { last(&named.processes) };
        let opaque = [Opaque::Store, Opaque::Hold, Opaque::Refuse];
        let opaque = if self.process_opaque { &opaque[..] } else { &opaque[..1] };
        let somewhere =
            || processes.iter().flat_map(move |id| opaque.iter().map(move |policy| Some((id, *policy))));
        let mut places: Vec<(Naming, Option<(&ProcessId, Opaque)>)> = Vec::new();
        for naming in Naming::ALL {
            match (kind, naming) {
                (Kind::Mailbox | Kind::ReplyAddress, Naming::Nothing) => {
                    places.extend(somewhere().map(|process| (naming, process)));
                }
                (_, Naming::Nothing) => places.push((naming, None)),
                (Kind::Counterparty, _) if self.naming || self.processes || self.process_opaque => {
                    places.extend(somewhere().map(|process| (naming, process)));
                }
                _ => {}
            }
        }
        let with = |sender: Option<&'a GroupId>| {
            places.iter().map(move |(naming, process)| (*naming, *process, sender)).collect::<Vec<_>>()
        };
        senders.into_iter().flat_map(with).collect()
    }

    fn contents(&self, counts: &[AtLeast]) -> Vec<Content> {
        let mut all = vec![Content::PLAIN];
        let found = self.personal_data || self.special || self.counts != 0;
        if found {
            all.extend(self.findings(counts));
        }
        let looks = self.looks();
        all = each(&all, looks, |content, (opaque, unread)| Content { opaque, unread, ..content });
        if self.scan {
            let scans = [Scan::Off, Scan::Clean, Scan::NotChecked, Scan::Found];
            all = each(&all, scans, |content, scan| Content { scan, ..content });
        }
        if self.class {
            all = each(&all, CLASSES, |content, class| Content { class, ..content });
        }
        if self.protection {
            let ways = [Protection::Tls, Protection::None, Protection::Verified];
            all = each(&all, ways, |content, protection| Content { protection, ..content });
        }
        all
    }

    /// How much of a mail could be looked at, as (opaque, unread): what is opaque is always unread.
    fn looks(&self) -> Vec<(bool, bool)> {
        let all = [(false, false), (false, true), (true, true)];
        match (self.opaque, self.unread) {
            (true, true) => all.to_vec(),
            (true, false) => vec![all[0], all[2]],
            (false, true) => vec![all[0], all[1]],
            (false, false) => vec![all[0]],
        }
    }

    /// Every way in which personal data can be there: a larger count is never without the smaller one.
    fn findings(&self, counts: &[AtLeast]) -> Vec<Content> {
        let asked: Vec<usize> = (0..counts.len()).filter(|bit| self.counts & (1 << bit) != 0).collect();
        let mut sets = vec![0_u32];
        for bit in asked {
            let AtLeast { category, count } = counts[bit];
            let with: Vec<u32> = sets
                .iter()
                .filter(|set| {
                    (0..counts.len()).all(|other| {
                        let smaller = counts[other].category == category && counts[other].count < count;
                        !smaller || self.counts & (1 << other) == 0 || **set & (1 << other) != 0
                    })
                })
                .map(|set| set | 1 << bit)
                .collect();
            sets.extend(with);
        }
        let found = |counts| Content { personal_data: true, counts, ..Content::PLAIN };
        let all: Vec<Content> = sets.into_iter().map(found).collect();
        match self.special {
            true => each(&all, [false, true], |content, special| Content { special, ..content }),
            false => all,
        }
    }
}

const CLASSES: [Class; 8] = [
    Class::Human,
    Class::AutoReply,
    Class::Bounce,
    Class::Receipt,
    Class::Calendar,
    Class::Recall,
    Class::List,
    Class::Empty,
];

/// The one that no rule names.
fn last<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(1)..]
}

/// The first value of all contents before the next.
fn each<T: Copy>(
    all: &[Content],
    values: impl IntoIterator<Item = T>,
    set: impl Fn(Content, T) -> Content,
) -> Vec<Content> {
    let set = &set;
    values.into_iter().flat_map(|value| all.iter().map(move |content| set(*content, value))).collect()
}
