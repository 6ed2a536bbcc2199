//! Shadow mode: whether what is decided about a mail is done, and if not, what would have happened, as counts. No word of
//! the mail and no address of a person gets into them.

use mail::{Address, Class, GroupId, ProcessId};
use policies::{Effect, Judged, Recipient, Verdict};
use store::{Directory, Margin, Observation, Stage, Tally};

/// A mail about which everything is decided, for whoever only counts.
pub struct Watched<'a> {
    /// Whose mail it is.
    pub group: &'a GroupId,
    pub class: Class,
    /// The recipients' addresses, and what each one is.
    pub recipients: Vec<(&'a Address, &'a Recipient)>,
    pub judged: &'a Judged,
    /// What rules that are tried beside these say.
    pub tried: Option<&'a Judged>,
}

/// How far Postern is let with mail of `sender` to there, where nothing is set `default`. Two companies are concerned, and
/// the more careful one decides. What answers a case is live: the case is.
pub(crate) fn stage(directory: &Directory, default: Stage, sender: &GroupId, recipient: &Recipient) -> Stage {
    let of =
        |group: &GroupId, process: Option<&ProcessId>| directory.stage(group, process).unwrap_or(default);
    match recipient {
        Recipient::Mailbox(place) | Recipient::PlusAddress { mailbox: place, .. } => {
            of(sender, Some(&place.process)).min(of(&place.group, Some(&place.process)))
        }
        Recipient::Counterparty { group, .. } => of(sender, None).min(of(group, None)),
        Recipient::OwnDomain | Recipient::Outside => of(sender, None),
        Recipient::ReplyAddress(_) | Recipient::Return | Recipient::Unknown => Stage::Live,
    }
}

impl Watched<'_> {
    /// What the mail adds to the counts; `id` is the keyed id of an address that is no mailbox.
    pub fn observation(&self, id: impl Fn(&Address) -> String) -> Observation {
        let mut tallies = vec![Tally::Mail { class: self.class.as_str().to_owned() }];
        for (at, verdict) in self.judged.verdicts.iter().enumerate() {
            let Some((address, recipient)) = self.recipients.get(at) else { continue };
            tallies.extend(self.about(&id, address, recipient, verdict));
        }
        tallies.extend(self.compared());
        let strictest = self.judged.strictest().map_or("none", Verdict::as_str);
        tallies.extend(self.judged.findings.counts().map(|(category, _)| Tally::Finding {
            category: category.as_str().to_owned(),
            verdict: strictest.to_owned(),
        }));
        Observation { group: self.group.clone(), tallies }
    }

    /// What the tried rules alone add to the counts; none where none are tried.
    pub(crate) fn comparison(&self) -> Option<Observation> {
        self.tried.map(|_| Observation { group: self.group.clone(), tallies: self.compared().collect() })
    }

    fn compared(&self) -> impl Iterator<Item = Tally> {
        let tried = self.tried.iter().flat_map(|tried| &tried.verdicts);
        self.judged.verdicts.iter().zip(tried).map(|(verdict, tried)| compared(verdict, tried))
    }

    fn about(
        &self,
        id: impl Fn(&Address) -> String,
        address: &Address,
        recipient: &Recipient,
        verdict: &Verdict,
    ) -> Vec<Tally> {
        let rule = verdict.rule().map(ToString::to_string).unwrap_or_default();
        let process = process(verdict).cloned();
        let mut tallies = vec![Tally::Verdict { verdict: verdict.as_str().to_owned(), rule }];
        tallies.extend(process.as_ref().and_then(|process| self.runner_up(process)));
        match recipient {
            Recipient::Mailbox(place) | Recipient::PlusAddress { mailbox: place, .. } => {
                let noticed =
                    matches!(verdict, Verdict::Secure { .. }) && self.judged.effect == Effect::Message;
                tallies.extend(noticed.then(|| Tally::Notice { address: place.address.clone() }));
                tallies.push(Tally::Mailbox {
                    address: place.address.clone(),
                    verdict: verdict.as_str().to_owned(),
                    process,
                });
            }
            Recipient::Counterparty { group, .. } => tallies.push(Tally::Unmapped {
                group: group.clone(),
                id: id(address),
                personal: !self.judged.findings.is_empty(),
            }),
            Recipient::ReplyAddress(_)
            | Recipient::Return
            | Recipient::OwnDomain
            | Recipient::Outside
            | Recipient::Unknown => {}
        }
        tallies
    }

    /// What else the words of the mail speak for, beside the process that it would have gone to.
    fn runner_up(&self, process: &ProcessId) -> Option<Tally> {
        let scores = &self.judged.classification.scores;
        let own = scores.iter().find(|(known, _)| known == process).map_or(0, |(_, score)| *score);
        let (second, score) = scores.iter().find(|(known, _)| known != process)?;
        Some(Tally::RunnerUp {
            process: process.clone(),
            second: second.clone(),
            margin: margin(own, *score),
        })
    }
}

/// Narrow: the second has two thirds of what the first has, or more; wide: less than one third.
fn margin(first: u32, second: u32) -> Margin {
    let (first, second) = (u64::from(first), u64::from(second));
    match second * 3 {
        threefold if threefold >= first * 2 => Margin::Narrow,
        threefold if threefold >= first => Margin::Fair,
        _ => Margin::Wide,
    }
}

fn compared(verdict: &Verdict, tried: &Verdict) -> Tally {
    match (verdict.as_str(), tried.as_str(), process(verdict) == process(tried)) {
        (one, other, true) if one == other => Tally::Alike { verdict: one.to_owned() },
        (one, other, _) => Tally::Otherwise {
            verdict: one.to_owned(),
            tried: other.to_owned(),
            process: process(tried).or(process(verdict)).cloned(),
        },
    }
}

fn process(verdict: &Verdict) -> Option<&ProcessId> {
    match verdict {
        Verdict::Secure { process, .. } => Some(process),
        Verdict::Hold { place, .. } => place.as_ref().map(|placed| &placed.process),
        Verdict::Relay { .. } | Verdict::Refuse { .. } | Verdict::Return => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_what_lies_between() {
        for (first, second, expected) in [
            (9, 9, Margin::Narrow),
            (9, 6, Margin::Narrow),
            (9, 5, Margin::Fair),
            (9, 3, Margin::Fair),
            (9, 2, Margin::Wide),
            (0, 1, Margin::Narrow),
            (u32::MAX, 0, Margin::Wide),
        ] {
            assert_eq!(margin(first, second), expected, "{first} {second}");
        }
    }
}
