//! The rule file: its raw form, what each rule may say for which kind of recipient, and the words of the errors.

use std::collections::BTreeMap;

use mail::{GroupId, ProcessId, Scan};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Decision, Rule, RuleId, VerdictRules,
    circumstances::{AtLeast, Conditions, Kind, Named, PersonalData},
    proof::{self, Flaw, prove},
};
use crate::{Opaque, PolicyError, Protection, detect::Category, source::Source};

/// An SMTP reply line holds 512 octets with code and enhanced code (RFC 5321 §4.5.3.1.5).
const PUBLIC_MAX: usize = 400;
const ID_MAX: usize = 60;
/// The proof walks through all rules for everything that can be the case.
const MOST_RULES: usize = 100;
const MOST_PROCESSES: usize = 50;
/// One bit each, and every set of them is walked through.
const MOST_COUNTS: usize = 8;

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
    sender_group: Option<Spanned<Vec<Spanned<String>>>>,
    process: Option<Spanned<Vec<Spanned<String>>>>,
    subject_code: Option<Spanned<Vec<Named>>>,
    classified: Option<Spanned<Vec<Named>>>,
    personal_data: Option<PersonalData>,
    special: Option<bool>,
    findings: Option<Spanned<BTreeMap<Spanned<String>, Spanned<u32>>>>,
    opaque: Option<bool>,
    unread: Option<bool>,
    process_opaque: Option<Spanned<Vec<Opaque>>>,
    scan: Option<Spanned<Vec<RawScan>>>,
    class: Option<Spanned<Vec<RawClass>>>,
    tls: Option<Spanned<Vec<Protection>>>,
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

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawClass {
    Human,
    AutoReply,
    Bounce,
    Receipt,
    Calendar,
    Recall,
    List,
    Empty,
}

/// What all rules name between them.
#[derive(Default)]
struct Names {
    processes: Vec<(ProcessId, PolicyError)>,
    senders: Vec<GroupId>,
    counts: Vec<AtLeast>,
}

pub(super) fn parse(source: Source<'_>) -> Result<VerdictRules, PolicyError> {
    let raw: RawRules = source.read()?;
    if let Some(beyond) = raw.rules.get(MOST_RULES) {
        let problem = format!("more than {MOST_RULES} rules");
        return Err(source.error(beyond.id.span(), "rule", problem, "let one rule answer for more"));
    }
    let mut names = Names { counts: counts(source, &raw.rules)?, ..Names::default() };
    let mut rules: Vec<Rule> = Vec::with_capacity(raw.rules.len());
    for entry in &raw.rules {
        let rule = rule(source, entry, &mut names)?;
        if rules.iter().any(|known| known.id == rule.id) {
            let problem = format!("the rule {} is there twice", rule.id);
            return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
        }
        rules.push(rule);
    }
    prove(&rules, &told_apart(&names)).map_err(|flaw| error(source, &raw.rules, &rules, flaw))?;
    Ok(VerdictRules { rules, counts: names.counts, named: names.processes })
}

/// Every least count that some rule asks for; of a category the smaller ones first.
fn counts(source: Source<'_>, rules: &[RawRule]) -> Result<Vec<AtLeast>, PolicyError> {
    let mut all: Vec<AtLeast> = Vec::new();
    for (name, count) in rules.iter().filter_map(|rule| rule.findings.as_ref()).flat_map(Spanned::as_ref) {
        let wanted = at_least(source, name, count)?;
        if !all.contains(&wanted) {
            all.push(wanted);
        }
        if all.len() > MOST_COUNTS {
            let problem = format!("the rules ask for more than {MOST_COUNTS} different counts");
            return Err(source.error(count.span(), "findings", problem, "let rules ask for the same counts"));
        }
    }
    all.sort_by_key(|wanted| (wanted.category, wanted.count));
    Ok(all)
}

fn at_least(
    source: Source<'_>,
    name: &Spanned<String>,
    count: &Spanned<u32>,
) -> Result<AtLeast, PolicyError> {
    let category: Category = name.as_ref().parse().map_err(|unknown| {
        let all: Vec<&str> = Category::all().map(Category::as_str).collect();
        source.error(name.span(), "findings", unknown, format!("use one of {}", all.join(", ")))
    })?;
    match *count.as_ref() {
        0 => {
            let remedy = "write 1 or more, or use personal_data = \"none\"";
            Err(source.error(count.span(), "findings", "so many there always are", remedy))
        }
        count => Ok(AtLeast { category, count }),
    }
}

/// What the rules name, and one of each that they do not.
fn told_apart(names: &Names) -> proof::Named {
    fn and_another<T: Ord + std::str::FromStr>(mut all: Vec<T>) -> Vec<T> {
        all.sort_unstable();
        all.dedup();
        let other =
            (0..=all.len()).find_map(|n| format!("other-{n}").parse().ok().filter(|id| !all.contains(id)));
        all.extend(other);
        all
    }
    proof::Named {
        processes: and_another(names.processes.iter().map(|(process, _)| process.clone()).collect()),
        senders: and_another(names.senders.clone()),
        counts: names.counts.clone(),
    }
}

fn rule(source: Source<'_>, raw: &RawRule, names: &mut Names) -> Result<Rule, PolicyError> {
    let id = RuleId::parse(source, &raw.id, ID_MAX)?;
    let conditions = conditions(source, raw, names)?;
    for kind in raw.recipient.as_ref() {
        may_answer(source, raw, kind, &conditions)?;
    }
    Ok(Rule { id, decision: decision(source, raw)?, conditions })
}

fn conditions(source: Source<'_>, raw: &RawRule, names: &mut Names) -> Result<Conditions, PolicyError> {
    if let Some(policy) = &raw.process_opaque
        && raw.opaque != Some(true)
    {
        let problem =
            "what the process wants done with opaque content is asked, but not whether there is any";
        let remedy = "add opaque = true, or remove process_opaque";
        return Err(source.error(policy.span(), "process_opaque", problem, remedy));
    }
    Ok(Conditions {
        kinds: filled(source, "recipient", &raw.recipient)?.iter().map(|kind| *kind.as_ref()).collect(),
        senders: senders(source, raw, names)?,
        processes: processes(source, raw, names)?,
        subject_code: copied(source, "subject_code", raw.subject_code.as_ref())?,
        classified: copied(source, "classified", raw.classified.as_ref())?,
        personal_data: raw.personal_data,
        special: raw.special,
        counts: wanted_counts(source, raw, &names.counts)?,
        opaque: raw.opaque,
        unread: raw.unread,
        process_opaque: copied(source, "process_opaque", raw.process_opaque.as_ref())?,
        scan: copied(source, "scan", raw.scan.as_ref())?,
        class: copied(source, "class", raw.class.as_ref())?,
        protection: copied(source, "tls", raw.tls.as_ref())?,
    })
}

fn senders(
    source: Source<'_>,
    raw: &RawRule,
    names: &mut Names,
) -> Result<Option<Vec<GroupId>>, PolicyError> {
    let Some(list) = some(source, "sender_group", raw.sender_group.as_ref())? else { return Ok(None) };
    let senders: Vec<GroupId> =
        list.iter().map(|entry| source.name("sender_group", entry)).collect::<Result<_, _>>()?;
    names.senders.extend(senders.iter().cloned());
    if let Some(beyond) = list.last().filter(|_| names.senders.len() > MOST_PROCESSES) {
        let problem = format!("the rules name companies more than {MOST_PROCESSES} times");
        return Err(source.error(beyond.span(), "sender_group", problem, "let one rule answer for more"));
    }
    Ok(Some(senders))
}

/// The bits of those counts of which one is enough.
fn wanted_counts(source: Source<'_>, raw: &RawRule, all: &[AtLeast]) -> Result<Option<u32>, PolicyError> {
    let Some(list) = &raw.findings else { return Ok(None) };
    if list.as_ref().is_empty() {
        let remedy = "name a category with a least count, or write personal_data = \"found\"";
        return Err(source.error(list.span(), "findings", "nothing is asked for", remedy));
    }
    let mut bits = 0;
    for (name, count) in list.as_ref() {
        let wanted = at_least(source, name, count)?;
        bits |= all.iter().position(|known| *known == wanted).map_or(0, |bit| 1 << bit);
    }
    Ok(Some(bits))
}

fn copied<T: Copy + Into<U>, U>(
    source: Source<'_>,
    key: &str,
    list: Option<&Spanned<Vec<T>>>,
) -> Result<Option<Vec<U>>, PolicyError> {
    Ok(some(source, key, list)?.map(|list| list.iter().map(|value| (*value).into()).collect()))
}

fn processes(
    source: Source<'_>,
    raw: &RawRule,
    names: &mut Names,
) -> Result<Option<Vec<ProcessId>>, PolicyError> {
    let named = &mut names.processes;
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
        && !(kind == Kind::Counterparty && conditions.has_mailbox())
    {
        (
            "nothing says whose process it would belong to: a case is between two companies that take part in it",
            "make the verdict \"relay\", \"hold\" or \"refuse\", or for a counterparty add subject_code = [\"mailbox\"] or classified = [\"mailbox\"]",
        )
    } else if (conditions.subject_code.is_some() || conditions.classified.is_some())
        && kind != Kind::Counterparty
    {
        (
            "a code in the subject and the classification place mail to a counterparty only",
            "remove subject_code and classified, or give this kind of recipient a rule of its own",
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
        Flaw::TooMany(kind) => {
            let problem = format!("the rules for {kind} tell apart more than can be walked through");
            source.error(0..0, "rule", problem, "let them name fewer processes, companies and counts")
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
                           which has no mailbox for the process that it names";
            let remedy = "before this rule, hold or refuse with recipient = [\"counterparty\"] and subject_code = \
                          [\"no-mailbox\"], or classified = [\"no-mailbox\"] if the classification secures";
            source.error(raw[place].verdict.span(), "verdict", problem, remedy)
        }
    }
}

impl From<RawClass> for mail::Class {
    fn from(word: RawClass) -> Self {
        match word {
            RawClass::Human => Self::Human,
            RawClass::AutoReply => Self::AutoReply,
            RawClass::Bounce => Self::Bounce,
            RawClass::Receipt => Self::Receipt,
            RawClass::Calendar => Self::Calendar,
            RawClass::Recall => Self::Recall,
            RawClass::List => Self::List,
            RawClass::Empty => Self::Empty,
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
