//! Classification: what process a mail is about, as far as its words show. Ordered rules of one file, each with a weight:
//! a rule that decides ends the matter, else the process with the most weight behind it is the one. It says what a
//! mail seems to be about and never what follows from it; a mailbox or a case goes before it.

mod evidence;
mod file;
mod ignored;
mod words;

use mail::ProcessId;

use crate::{Catalogue, PolicyError, RuleId, source::Source};

pub(crate) use evidence::Mail;
pub use evidence::Outcome;

use evidence::{Conditions, Evidence, Patterns};
use file::Named;
use ignored::Ignored;
use words::Vocabulary;

pub(crate) const FILE: (&str, &str) =
    ("shipped/classification.toml", include_str!("../shipped/classification.toml"));

/// The rules, in the order of the file.
#[derive(Debug)]
pub struct ClassificationRules {
    rules: Vec<Rule>,
    vocabulary: Vocabulary,
    patterns: Patterns,
    ignored: Ignored,
    /// The least weight that names a process.
    enough: u32,
    /// Every process that a rule names, with what is wrong if there is no such process.
    named: Vec<Named>,
}

#[derive(Debug)]
struct Rule {
    id: RuleId,
    process: ProcessId,
    weight: u32,
    decides: bool,
    conditions: Conditions,
}

/// What the rules make of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classification {
    /// The process, if the rules name one.
    pub process: Option<ProcessId>,
    /// The rule that decided, or the first of those that spoke for the process.
    pub rule: Option<RuleId>,
    /// What spoke for each process: the one with the most first, of equal ones the one whose rule came first. None of
    /// them zero.
    pub scores: Vec<(ProcessId, u32)>,
    /// The rules that fit, in the order of the file.
    pub fits: Vec<RuleId>,
}

impl ClassificationRules {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(FILE.0, FILE.1)
    }

    /// Reads a rule file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        file::parse(Source::new(file, text))
    }

    /// A rule for a process that the catalogue does not have would lead nowhere: a slip that nobody would see.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> Result<(), PolicyError> {
        match self.named.iter().find(|named| catalogue.process(&named.process).is_none()) {
            Some(named) => Err(named.absent.clone()),
            None => Ok(()),
        }
    }

    /// Without the rules for processes that the catalogue does not have.
    pub(crate) fn retain(&mut self, catalogue: &Catalogue) {
        self.rules.retain(|rule| catalogue.process(&rule.process).is_some());
    }

    /// What the mail is about. Linear in what is looked at, which has a limit itself.
    pub(crate) fn classify(&self, mail: &Mail<'_>) -> Classification {
        let evidence = Evidence::of(mail, self);
        let fitting: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.conditions.fit(&evidence).is_ok()).collect();
        let scores = scores(&fitting);
        let decider = fitting.iter().find(|rule| rule.decides).copied();
        let first = scores.first().filter(|(_, weight)| *weight >= self.enough).map(|(process, _)| process);
        let process = decider.map(|rule| &rule.process).or(first);
        let spoke = || fitting.iter().copied().find(|rule| Some(&rule.process) == process);
        let rule = decider.or_else(spoke).map(|rule| rule.id.clone());
        Classification {
            process: process.cloned(),
            rule,
            fits: fitting.iter().map(|rule| rule.id.clone()).collect(),
            scores,
        }
    }

    /// Each rule with what came of it, in the order of the file.
    pub(crate) fn outcomes<'a>(&'a self, mail: &Mail<'_>) -> Vec<Outcome<'a>> {
        let evidence = Evidence::of(mail, self);
        let outcome = |rule: &'a Rule| Outcome {
            rule: &rule.id,
            process: &rule.process,
            weight: rule.weight,
            decides: rule.decides,
            failed: rule.conditions.fit(&evidence).err(),
        };
        self.rules.iter().map(outcome).collect()
    }

    /// Whether any rule asks for a field of the header.
    pub(crate) fn asks_for_header(&self) -> bool {
        self.rules.iter().any(|rule| rule.conditions.asks_for_header())
    }

    /// The least weight that names a process without a rule that decides.
    pub fn enough(&self) -> u32 {
        self.enough
    }
}

fn scores(fitting: &[&Rule]) -> Vec<(ProcessId, u32)> {
    let mut scores: Vec<(ProcessId, u32)> = Vec::new();
    for rule in fitting {
        match scores.iter_mut().find(|(process, _)| *process == rule.process) {
            Some((_, score)) => *score = score.saturating_add(rule.weight),
            None => scores.push((rule.process.clone(), rule.weight)),
        }
    }
    // Stable: of equal ones the first stays the first.
    scores.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    scores
}

impl Classification {
    /// The best process beside the one that was named, with its weight.
    pub fn second(&self) -> Option<(&ProcessId, u32)> {
        let named = self.process.as_ref().or(self.scores.first().map(|(process, _)| process));
        self.scores
            .iter()
            .find(|(process, _)| Some(process) != named)
            .map(|(process, score)| (process, *score))
    }

    /// How much more weight the named process has than the second best; none where none is named. Below zero where a
    /// rule decided against the weights.
    pub fn margin(&self) -> Option<i64> {
        let named = self.process.as_ref()?;
        let of = |wanted: &ProcessId| {
            self.scores.iter().find(|(process, _)| process == wanted).map_or(0, |(_, score)| *score)
        };
        Some(i64::from(of(named)) - self.second().map_or(0, |(_, score)| i64::from(score)))
    }
}

#[cfg(test)]
mod tests;
