//! `postern policy explain`: a mail in a file, and step by step what the rules make of it. Who sends it is taken for granted,
//! and nothing of it is kept or sent.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use mail::{Address, GroupId, Message, ReversePath, Scan};
use policies::detect::{Business, Source};
use policies::{Facts, Protection, Recipient, RuleFiles, RulesHash, Ruleset, Story, Verdict};
use serde::Serialize;

use super::mails::{Market, parsed, scanned};
use super::{Files, wait};
use crate::cli::{Outcome, Output};
use crate::config::Config;
use crate::print;
use crate::tools::kept_rules;

#[derive(Args)]
pub(crate) struct Explain {
    /// The mail, as it would be sent
    #[arg(value_name = "FILE.eml")]
    file: PathBuf,
    /// A recipient of the envelope; may be given more than once
    #[arg(long = "rcpt", value_name = "ADDR", required = true)]
    recipients: Vec<String>,
    /// Who sends it [default: the author in From]
    #[arg(long, value_name = "ADDR")]
    sender: Option<String>,
    /// By the rules of this hash, which the ledger kept
    #[arg(long, value_name = "HASH", requires = "config")]
    rules: Option<RulesHash>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    files: Files,
}

/// The story as programs read it.
#[derive(Serialize)]
struct Told {
    rules: String,
    sender: String,
    group: String,
    identity: &'static str,
    class: &'static str,
    effect: &'static str,
    tags: usize,
    findings: Vec<Finding>,
    classification: Classified,
    recipients: Vec<Decided>,
    verdict: Option<&'static str>,
}

#[derive(Serialize)]
struct Finding {
    category: &'static str,
    confidence: &'static str,
    counts: bool,
    place: String,
    masked: String,
}

#[derive(Serialize)]
struct Classified {
    process: Option<String>,
    second: Option<String>,
    margin: Option<i64>,
    scores: Vec<(String, u32)>,
    rules: Vec<Tried>,
}

#[derive(Serialize)]
struct Tried {
    rule: String,
    fits: bool,
    /// The first key that did not fit.
    failed: Option<&'static str>,
}

#[derive(Serialize)]
struct Decided {
    address: String,
    circumstances: Option<String>,
    tried: Vec<Tried>,
    verdict: &'static str,
    rule: Option<String>,
    signal: Option<&'static str>,
    process: Option<String>,
    contact_type: Option<String>,
    public: Option<String>,
    due: Option<String>,
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let told = self.told()?;
        match self.output.json {
            true => print::json(&told)?,
            false => print::lines(&in_words(&told))?,
        }
        Ok(Outcome::Done)
    }

    fn told(&self) -> anyhow::Result<Told> {
        let config = self.files.config()?;
        let rules = self.ruleset(config.as_ref())?;
        let market = Market::of(config.as_ref(), &rules)?;
        let scanned = scanned(&self.file)?;
        let message = &scanned.message;
        let sender = self.sender(message)?;
        let group = market.company(&sender).with_context(|| {
            format!("{sender} belongs to no company here; name somebody of one with --sender ADDR")
        })?;
        let to = self.recipients.iter().map(|to| parsed(to)).collect::<anyhow::Result<Vec<_>>>()?;
        let recipients: Vec<Recipient> = to.iter().map(|to| market.recipient(&group, to)).collect();
        let is_staff = |domain: &str| market.is_staff(domain);
        let story = rules.story(&Facts {
            sender: &group,
            passing: market.passing(),
            reverse_path: &ReversePath::Address(sender.clone()),
            message,
            recipients: &recipients,
            referenced: &[],
            scan: Scan::Off,
            protection: Protection::Tls,
            documents: &scanned.documents(),
            business: &Business::new(&is_staff, &message.headline),
            fields: &scanned.fields(),
        });
        Ok(told(&rules, &story, message, &sender, &group, &to))
    }

    fn ruleset(&self, config: Option<&Config>) -> anyhow::Result<Ruleset> {
        let (Some(hash), Some(config)) = (self.rules, config) else { return self.files.rules() };
        crate::log::start_quietly(config.log);
        let kept = wait(kept_rules(config, hash))?;
        Ruleset::read(RuleFiles::kept(kept))
            .with_context(|| format!("the kept rules {hash} are not read any more"))
    }

    fn sender(&self, message: &Message) -> anyhow::Result<Address> {
        match (&self.sender, &message.headline.from[..]) {
            (Some(sender), _) => parsed(sender),
            (None, [author]) => parsed(author.address.as_deref().unwrap_or_default()),
            (None, _) => bail!("the mail has no single author; name the sender with --sender ADDR"),
        }
    }
}

fn told(
    rules: &Ruleset,
    story: &Story<'_>,
    message: &Message,
    sender: &Address,
    group: &GroupId,
    to: &[Address],
) -> Told {
    let judged = &story.judged;
    let asked = to.iter().zip(&story.recipients).zip(&judged.verdicts);
    Told {
        rules: judged.rules.to_string(),
        sender: sender.key(),
        group: group.to_string(),
        identity: "assumed: nothing proves it here",
        class: message.class.as_str(),
        effect: match judged.effect {
            policies::Effect::Message => "opens cases, makes notices, stops clocks",
            policies::Effect::EventOnly => "is kept and seen, and nothing else",
        },
        tags: judged.tags.len(),
        findings: story.findings.iter().map(finding).collect(),
        classification: classified(story),
        recipients: asked.map(|((to, asked), verdict)| decided(rules, to, asked, verdict)).collect(),
        verdict: judged.strictest().map(Verdict::as_str),
    }
}

fn finding(seen: &policies::Seen) -> Finding {
    let place = match seen.source {
        Source::Subject => "the subject".to_owned(),
        Source::Text => format!("line {} of the text", seen.line),
        Source::AttachmentName(part) => format!("the name of part {part}"),
        Source::Attachment(part) => format!("line {} of part {part}", seen.line),
    };
    Finding {
        category: seen.category.as_str(),
        confidence: seen.confidence.as_str(),
        counts: seen.counts,
        place,
        masked: seen.masked.clone(),
    }
}

fn classified(story: &Story<'_>) -> Classified {
    let classification = &story.judged.classification;
    Classified {
        process: classification.process.as_ref().map(ToString::to_string),
        second: classification.second().map(|(process, _)| process.to_string()),
        margin: classification.margin(),
        scores: classification.scores.iter().map(|(process, score)| (process.to_string(), *score)).collect(),
        rules: story.classification.iter().map(|outcome| tried(outcome.rule, outcome.failed)).collect(),
    }
}

fn tried(rule: &policies::RuleId, failed: Option<&'static str>) -> Tried {
    Tried { rule: rule.to_string(), fits: failed.is_none(), failed }
}

fn decided(rules: &Ruleset, to: &Address, asked: &policies::Asked<'_>, verdict: &Verdict) -> Decided {
    let place = match verdict {
        Verdict::Secure { signal, process, contact_type, .. } => Some((signal, process, contact_type)),
        Verdict::Hold { place: Some(place), .. } => {
            Some((&place.signal, &place.process, &place.contact_type))
        }
        _ => None,
    };
    let due = place.and_then(|(_, process, rung)| rules.due(process, rung, Timestamp::now()));
    Decided {
        address: to.key(),
        circumstances: asked.circumstances.clone(),
        tried: asked.tried.iter().map(|(rule, failed)| tried(rule, *failed)).collect(),
        verdict: verdict.as_str(),
        rule: verdict.rule().map(ToString::to_string),
        signal: place.map(|(signal, ..)| signal.as_str()),
        process: place.map(|(_, process, _)| process.to_string()),
        contact_type: place.map(|(.., rung)| rung.to_string()),
        public: match verdict {
            Verdict::Hold { public, .. } | Verdict::Refuse { public, .. } => Some(public.clone()),
            Verdict::Secure { .. } | Verdict::Relay { .. } | Verdict::Return => None,
        },
        due: due.map(|due| due.reason),
    }
}

/// The same for people, in the order of the judge's own steps.
fn in_words(told: &Told) -> String {
    let mut lines = vec![
        format!("rules    {}", told.rules),
        format!("sender   {} of {} ({})", told.sender, told.group, told.identity),
        format!("mail     {}: {}", told.class, told.effect),
        format!("tags     {}", told.tags),
        format!("findings {}", told.findings.iter().filter(|finding| finding.counts).count()),
    ];
    lines.extend(told.findings.iter().map(|finding| {
        let counts = if finding.counts { "counts" } else { "does not count" };
        format!(
            "  {} ({}, {counts}) in {}: {}",
            finding.category, finding.confidence, finding.place, finding.masked
        )
    }));
    let Classified { process, second, margin, scores, rules } = &told.classification;
    lines.push(format!("about    {}", process.as_deref().unwrap_or("no process that the rules know")));
    lines.extend(scores.iter().map(|(process, score)| format!("  {score:>4} {process}")));
    if let (Some(second), Some(margin)) = (second, margin) {
        lines.push(format!("  {margin} more than {second}"));
    }
    lines.extend(rules.iter().filter(|rule| rule.fits).map(|rule| format!("  rule {} fits", rule.rule)));
    for decided in &told.recipients {
        lines.extend(decided_in_words(decided));
    }
    lines.push(format!("verdict  {}", told.verdict.unwrap_or("none")));
    lines.join("\n")
}

fn decided_in_words(decided: &Decided) -> Vec<String> {
    let mut lines = vec![format!("to       {}", decided.address)];
    lines.extend(decided.circumstances.iter().map(|is| format!("  {is}")));
    lines.extend(decided.tried.iter().map(|rule| match rule.failed {
        Some(key) => format!("  rule {} does not fit: {key}", rule.rule),
        None => format!("  rule {} fits", rule.rule),
    }));
    let into = match (&decided.process, &decided.contact_type, decided.signal) {
        (Some(process), Some(rung), Some(signal)) => format!(" into {process}, {rung} (by {signal})"),
        _ => String::new(),
    };
    lines.push(format!("  {}{into}", decided.verdict));
    lines.extend(decided.public.iter().map(|public| format!("  the sender reads: {public}")));
    lines.extend(decided.due.iter().map(|due| format!("  answer due: {due}")));
    lines
}
