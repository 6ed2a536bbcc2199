//! The rule file: its raw form, what each rule may say for which kind of recipient, and the words of the errors.

use mail::{ProcessId, Scan};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Decision, Rule, RuleId, VerdictRules,
    circumstances::{Conditions, Kind, PersonalData, Subject},
    proof::{Flaw, prove},
};
use crate::{Opaque, PolicyError, source::Source};

/// An SMTP reply line holds 512 octets with code and enhanced code (RFC 5321 §4.5.3.1.5).
const PUBLIC_MAX: usize = 400;
const ID_MAX: usize = 60;
/// The proof walks through all rules for everything that can be the case.
const MOST_RULES: usize = 100;
const MOST_PROCESSES: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    #[serde(rename = "rule")]
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    recipient: Spanned<Vec<Spanned<Kind>>>,
    process: Option<Spanned<Vec<Spanned<String>>>>,
    subject_code: Option<Spanned<Vec<Subject>>>,
    personal_data: Option<PersonalData>,
    opaque: Option<bool>,
    process_opaque: Option<Spanned<Vec<Opaque>>>,
    scan: Option<Spanned<Vec<RawScan>>>,
    verdict: Spanned<RawVerdict>,
    public: Option<Spanned<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawVerdict {
    Secure,
    Relay,
    Hold,
    Refuse,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawScan {
    Off,
    Clean,
    Found,
    NotChecked,
}

pub(super) fn parse(source: Source<'_>) -> Result<VerdictRules, PolicyError> {
    let raw: RawRules = source.read()?;
    if let Some(beyond) = raw.rules.get(MOST_RULES) {
        let problem = format!("more than {MOST_RULES} rules");
        return Err(source.error(beyond.id.span(), "rule", problem, "let one rule answer for more"));
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.rules.len());
    let mut named = Vec::new();
    for entry in &raw.rules {
        let rule = rule(source, entry, &mut named)?;
        if rules.iter().any(|known| known.id == rule.id) {
            let problem = format!("the rule {} is there twice", rule.id);
            return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
        }
        rules.push(rule);
    }
    prove(&rules, &told_apart(&named)).map_err(|flaw| error(source, &raw.rules, &rules, flaw))?;
    Ok(VerdictRules { rules, named })
}

/// The processes that the rules name, and one that they do not.
fn told_apart(named: &[(ProcessId, PolicyError)]) -> Vec<ProcessId> {
    let mut all: Vec<ProcessId> = named.iter().map(|(process, _)| process.clone()).collect();
    all.sort_unstable();
    all.dedup();
    let other =
        (0..=all.len()).find_map(|n| format!("other-{n}").parse().ok().filter(|id| !all.contains(id)));
    all.extend(other);
    all
}

fn rule(
    source: Source<'_>,
    raw: &RawRule,
    named: &mut Vec<(ProcessId, PolicyError)>,
) -> Result<Rule, PolicyError> {
    let id = RuleId(source.words("id", &raw.id, ID_MAX)?);
    let conditions = conditions(source, raw, named)?;
    for kind in raw.recipient.as_ref() {
        may_answer(source, raw, kind, &conditions)?;
    }
    Ok(Rule { id, decision: decision(source, raw)?, conditions })
}

fn conditions(
    source: Source<'_>,
    raw: &RawRule,
    named: &mut Vec<(ProcessId, PolicyError)>,
) -> Result<Conditions, PolicyError> {
    if let Some(policy) = &raw.process_opaque
        && raw.opaque != Some(true)
    {
        let problem =
            "what the process wants done with opaque content is asked, but not whether there is any";
        let remedy = "add opaque = true, or remove process_opaque";
        return Err(source.error(policy.span(), "process_opaque", problem, remedy));
    }
    let scan = some(source, "scan", raw.scan.as_ref())?;
    Ok(Conditions {
        kinds: filled(source, "recipient", &raw.recipient)?.iter().map(|kind| *kind.as_ref()).collect(),
        processes: processes(source, raw, named)?,
        subject: some(source, "subject_code", raw.subject_code.as_ref())?.map(<[_]>::to_vec),
        personal_data: raw.personal_data,
        opaque: raw.opaque,
        process_opaque: some(source, "process_opaque", raw.process_opaque.as_ref())?.map(<[_]>::to_vec),
        scan: scan.map(|words| words.iter().map(|word| Scan::from(*word)).collect()),
    })
}

fn processes(
    source: Source<'_>,
    raw: &RawRule,
    named: &mut Vec<(ProcessId, PolicyError)>,
) -> Result<Option<Vec<ProcessId>>, PolicyError> {
    let Some(list) = some(source, "process", raw.process.as_ref())? else { return Ok(None) };
    let mut processes = Vec::with_capacity(list.len());
    for entry in list {
        let process: ProcessId = source.name("process", entry)?;
        let absent = format!("the catalogue has no process {process}");
        let remedy = "use an id of the process catalogue";
        named.push((process.clone(), source.error(entry.span(), "process", absent, remedy)));
        if named.len() > MOST_PROCESSES {
            let problem = format!("the rules name processes more than {MOST_PROCESSES} times");
            return Err(source.error(entry.span(), "process", problem, "let one rule answer for more"));
        }
        processes.push(process);
    }
    Ok(Some(processes))
}

fn some<'a, T>(
    source: Source<'_>,
    key: &str,
    list: Option<&'a Spanned<Vec<T>>>,
) -> Result<Option<&'a [T]>, PolicyError> {
    list.map(|list| filled(source, key, list)).transpose()
}

fn filled<'a, T>(source: Source<'_>, key: &str, list: &'a Spanned<Vec<T>>) -> Result<&'a [T], PolicyError> {
    if list.as_ref().is_empty() {
        let remedy = "name at least one value, or remove the rule";
        return Err(source.error(list.span(), key, "an empty list fits nothing", remedy));
    }
    Ok(list.as_ref())
}

/// Whether a rule with this verdict and these conditions can be one for this kind of recipient.
fn may_answer(
    source: Source<'_>,
    raw: &RawRule,
    at: &Spanned<Kind>,
    conditions: &Conditions,
) -> Result<(), PolicyError> {
    let kind = *at.as_ref();
    let verdict = *raw.verdict.as_ref();
    let has_mailbox = conditions.subject.as_deref() == Some(&[Subject::Mailbox]);
    let (problem, remedy) = if kind.is_nowhere() && verdict != RawVerdict::Refuse {
        ("nothing is there that could take the mail", "make the verdict \"refuse\"")
    } else if kind.is_nowhere() && conditions.need_content() {
        (
            "the answer is given before the content is there",
            "give this kind of recipient a rule without conditions on content",
        )
    } else if verdict == RawVerdict::Relay && kind.has_process() {
        ("mail of a process would travel in the clear", "make the verdict \"secure\", \"hold\" or \"refuse\"")
    } else if verdict == RawVerdict::Secure
        && !kind.has_process()
        && !(kind == Kind::Counterparty && has_mailbox)
    {
        (
            "nothing says whose process it would belong to: a case is between two companies that take part in it",
            "make the verdict \"relay\", \"hold\" or \"refuse\", or for a counterparty add subject_code = [\"mailbox\"]",
        )
    } else if conditions.subject.is_some() && kind != Kind::Counterparty {
        (
            "a code in the subject places mail to a counterparty only",
            "remove subject_code, or give this kind of recipient a rule of its own",
        )
    } else if asks_for_process(conditions) && !kind.has_process() && kind != Kind::Counterparty {
        (
            "mail to there belongs to no process",
            "remove process and process_opaque, or give this kind of recipient a rule of its own",
        )
    } else {
        return Ok(());
    };
    Err(source.error(at.span(), "recipient", format!("{kind}: {problem}"), remedy))
}

fn asks_for_process(conditions: &Conditions) -> bool {
    conditions.processes.is_some() || conditions.process_opaque.is_some()
}

fn decision(source: Source<'_>, raw: &RawRule) -> Result<Decision, PolicyError> {
    match (raw.verdict.as_ref(), &raw.public) {
        (RawVerdict::Secure, None) => Ok(Decision::Secure),
        (RawVerdict::Relay, None) => Ok(Decision::Relay),
        (RawVerdict::Hold, Some(text)) => Ok(Decision::Hold { public: public(source, text)? }),
        (RawVerdict::Refuse, Some(text)) => Ok(Decision::Refuse { public: public(source, text)? }),
        (RawVerdict::Secure | RawVerdict::Relay, Some(public)) => {
            let problem = "nobody is told anything of a mail that is secured or relayed";
            let remedy = "remove the text, or make the verdict \"hold\" or \"refuse\"";
            Err(source.error(public.span(), "public", problem, remedy))
        }
        (RawVerdict::Hold | RawVerdict::Refuse, None) => {
            let problem = "the sender would not be told";
            let remedy = "add public = \"...\", a sentence that says what is wrong and what to do";
            Err(source.error(raw.verdict.span(), "verdict", problem, remedy))
        }
    }
}

/// A text for an SMTP reply: ASCII only, since the peer need not speak SMTPUTF8 (RFC 6531 §3.7.4.1).
fn public(source: Source<'_>, raw: &Spanned<String>) -> Result<String, PolicyError> {
    let text = source.words("public", raw, PUBLIC_MAX)?;
    if text.is_ascii() {
        return Ok(text);
    }
    let remedy = "write it in ASCII characters";
    Err(source.error(raw.span(), "public", "a mail server may not be able to read the text", remedy))
}

fn error(source: Source<'_>, raw: &[RawRule], rules: &[Rule], flaw: Flaw) -> PolicyError {
    match flaw {
        Flaw::NoAnswer(kind, circumstances) => {
            let end = raw.last().map_or(0..0, |last| last.id.span());
            let problem = format!("no rule answers for {circumstances}");
            let remedy = format!("add a last rule with recipient = [\"{kind}\"] and no conditions");
            source.error(end, "rule", problem, remedy)
        }
        Flaw::NeverDecides(place, kind) => {
            let listed = raw[place].recipient.as_ref();
            let at = listed.iter().find(|entry| *entry.as_ref() == kind).map_or(0..0, Spanned::span);
            let problem = format!(
                "{} never decides for {kind}: rules before it answer for all of them",
                rules[place].id
            );
            source.error(at, "recipient", problem, format!("move the rule up, or take {kind} out of it"))
        }
        Flaw::Mixed(place) => {
            let problem = "a mail to two companies would be secured for the one and travel in the clear to the other, \
                           which has no mailbox for the process that the subject names";
            let remedy = "before this rule, hold or refuse with recipient = [\"counterparty\"] and subject_code = \
                          [\"no-mailbox\"]";
            source.error(raw[place].verdict.span(), "verdict", problem, remedy)
        }
    }
}

impl From<RawScan> for Scan {
    fn from(word: RawScan) -> Self {
        match word {
            RawScan::Off => Self::Off,
            RawScan::Clean => Self::Clean,
            RawScan::Found => Self::Found,
            RawScan::NotChecked => Self::NotChecked,
        }
    }
}
