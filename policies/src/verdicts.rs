//! The verdict rules: an ordered list, of which the first that fits a recipient decides. They are data of one file; a file
//! that leaves any recipient in any circumstances without an answer is not taken, so that nothing is let through by
//! omission. Nothing here sees a mail, only what was found out about it.

mod circumstances;
mod file;
mod proof;

use std::fmt;

use mail::{HoldReason, ProcessId, Scan};
use toml::Spanned;

use crate::{
    Catalogue, PolicyError,
    detect::{Detectors, Findings},
    source::Source,
};

pub(crate) use circumstances::{Circumstances, Content, Has, Kind, Naming};

use circumstances::{AtLeast, Conditions, PersonalData};

pub(crate) const FILE: (&str, &str) = ("shipped/verdicts.toml", include_str!("../shipped/verdicts.toml"));

/// The name of a rule, as its file gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(String);

/// The rules, in the order of the file. Whatever a recipient is and whatever a mail is like, one of them decides.
#[derive(Debug)]
pub struct VerdictRules {
    rules: Vec<Rule>,
    /// What rules ask of the findings, in the order of the bits of [`Content::counts`].
    counts: Vec<AtLeast>,
    /// Every process that a rule names, with what is wrong if there is no such process.
    named: Vec<(ProcessId, PolicyError)>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) decision: Decision,
    conditions: Conditions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Secure,
    Relay,
    Hold { public: String },
    Refuse { public: String },
}

impl VerdictRules {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(FILE.0, FILE.1)
    }

    /// Reads a rule file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        file::parse(Source::new(file, text))
    }

    /// The rules' names, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = &RuleId> {
        self.rules.iter().map(|rule| &rule.id)
    }

    /// Whether the rule of this name holds mail back.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.id.as_str() == name && matches!(rule.decision, Decision::Hold { .. }))
    }

    /// A rule for a process that the catalogue does not have would never decide: a slip that nobody would see.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> Result<(), PolicyError> {
        match self.named.iter().find(|(process, _)| catalogue.process(process).is_none()) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// The rules with the first condition of each that is not so, up to the one that decides.
    pub(crate) fn outcomes<'a>(
        &'a self,
        circumstances: &Circumstances<'_>,
    ) -> impl Iterator<Item = (&'a RuleId, Option<&'static str>)> {
        let mut decided = false;
        let tried = self.rules.iter().map(|rule| (&rule.id, rule.conditions.misfit(circumstances)));
        tried.take_while(move |(_, misfit)| !std::mem::replace(&mut decided, misfit.is_none()))
    }

    /// What was found as far as rules ask for it.
    pub(crate) fn found(&self, findings: &Findings, detectors: &Detectors) -> Content {
        let holds = |(bit, wanted): (usize, &AtLeast)| {
            if findings.of(wanted.category) >= wanted.count { 1 << bit } else { 0 }
        };
        Content {
            personal_data: !findings.is_empty(),
            special: findings.counts().any(|(category, _)| detectors.is_special(category)),
            counts: self.counts.iter().enumerate().map(holds).sum(),
            ..Content::PLAIN
        }
    }

    /// Everything that a mail to this kind of recipient can be like, as far as the rules tell it apart; the plainest first.
    pub(crate) fn contents(&self, kind: Kind) -> Vec<Content> {
        proof::contents(&self.rules, kind, &self.counts)
    }

    /// The first rule that fits. There is one for all circumstances that can be: the file is not taken otherwise.
    pub(crate) fn decide(&self, circumstances: &Circumstances<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.conditions.fit(circumstances))
    }
}

impl Rule {
    /// Whether the rule is for mail that the classification rules name a process for, or name none for.
    pub(crate) fn asks_for_class(&self) -> bool {
        self.conditions.classified.is_some()
    }

    /// Why a mail waits that this rule holds: what the rule asked for and the mail has.
    pub(crate) fn reason(&self, circumstances: &Circumstances<'_>) -> HoldReason {
        let Conditions { scan, opaque, unread, personal_data, special, counts, .. } = &self.conditions;
        if scan.is_some() && circumstances.content.scan == Scan::Found {
            HoldReason::Virus
        } else if *opaque == Some(true) || *unread == Some(true) {
            HoldReason::Opaque
        } else if *personal_data == Some(PersonalData::Found) || *special == Some(true) || counts.is_some() {
            HoldReason::PersonalData
        } else {
            HoldReason::Rule
        }
    }
}

impl RuleId {
    /// A name as a file gives it: one line of at most `longest` characters.
    pub(crate) fn parse(
        source: Source<'_>,
        raw: &Spanned<String>,
        longest: usize,
    ) -> Result<Self, PolicyError> {
        source.words("id", raw, longest).map(Self)
    }

    /// The name where no rule answers.
    pub(crate) fn none() -> Self {
        Self("no-rule".to_owned())
    }

    /// As the file gives it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
