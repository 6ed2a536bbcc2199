//! The verdict rules: which rule answers for which kind of recipient, and in which words. They are data of one file;
//! a file that leaves a kind of recipient without an answer is not taken, so that nothing is let through by omission.

use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use crate::{PolicyError, source::Source};

const SHIPPED_NAME: &str = "shipped/verdicts.toml";
const SHIPPED: &str = include_str!("../shipped/verdicts.toml");
/// An SMTP reply line holds 512 octets with code and enhanced code (RFC 5321 §4.5.3.1.5).
const PUBLIC_MAX: usize = 400;
const ID_MAX: usize = 60;

/// The name of a rule, as its file gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(String);

impl RuleId {
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

/// What a recipient is to the sender: what rules are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Situation {
    /// A mapped mailbox of another group.
    Mailbox,
    /// A mapped mailbox of the sender's own group.
    OwnMailbox,
    /// The reply address of a case that the sender's group is party to.
    ReplyAddress,
    /// The reply address of somebody else's case.
    ForeignReplyAddress,
    /// An address that is neither.
    Unmapped,
}

impl Situation {
    fn names_a_case_between_two(self) -> bool {
        match self {
            Self::Mailbox | Self::ReplyAddress => true,
            Self::OwnMailbox | Self::ForeignReplyAddress | Self::Unmapped => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Secure,
    Refuse { public: String },
}

/// One rule for each situation.
#[derive(Debug)]
pub struct VerdictRules {
    mailbox: Rule,
    own_mailbox: Rule,
    reply_address: Rule,
    foreign_reply_address: Rule,
    unmapped: Rule,
}

#[derive(Debug, Clone)]
struct Rule {
    id: RuleId,
    decision: Decision,
}

impl VerdictRules {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// Reads a rule file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source::new(file, text);
        let raw: RawRules = source.read()?;
        let mut rules: Vec<(&RawRule, Rule)> = Vec::with_capacity(raw.rules.len());
        for entry in &raw.rules {
            let rule = rule(source, entry)?;
            if rules.iter().any(|(_, known)| known.id == rule.id) {
                let problem = format!("the rule {} is there twice", rule.id);
                return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
            }
            rules.push((entry, rule));
        }
        let only = |situation| only_rule(source, &rules, situation);
        Ok(Self {
            mailbox: only(Situation::Mailbox)?,
            own_mailbox: only(Situation::OwnMailbox)?,
            reply_address: only(Situation::ReplyAddress)?,
            foreign_reply_address: only(Situation::ForeignReplyAddress)?,
            unmapped: only(Situation::Unmapped)?,
        })
    }

    pub(crate) fn decide(&self, situation: Situation) -> (&RuleId, &Decision) {
        let rule = match situation {
            Situation::Mailbox => &self.mailbox,
            Situation::OwnMailbox => &self.own_mailbox,
            Situation::ReplyAddress => &self.reply_address,
            Situation::ForeignReplyAddress => &self.foreign_reply_address,
            Situation::Unmapped => &self.unmapped,
        };
        (&rule.id, &rule.decision)
    }
}

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
    recipient: Vec<Spanned<Situation>>,
    verdict: Spanned<RawVerdict>,
    public: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawVerdict {
    Secure,
    Refuse,
}

fn rule(source: Source<'_>, raw: &RawRule) -> Result<Rule, PolicyError> {
    let id = RuleId(source.words("id", &raw.id, ID_MAX)?);
    let decision = match (raw.verdict.as_ref(), &raw.public) {
        (RawVerdict::Secure, None) => Decision::Secure,
        (RawVerdict::Secure, Some(public)) => {
            let problem = "a secured mail has no public text";
            let remedy = "remove the text, or make the verdict \"refuse\"";
            return Err(source.error(public.span(), "public", problem, remedy));
        }
        (RawVerdict::Refuse, Some(text)) => Decision::Refuse { public: public(source, text)? },
        (RawVerdict::Refuse, None) => {
            let problem = "a refusal without a public text";
            let remedy = "add public = \"...\", a sentence that says what is wrong and what to do";
            return Err(source.error(raw.verdict.span(), "verdict", problem, remedy));
        }
    };
    if decision == Decision::Secure
        && let Some(at) = raw.recipient.iter().find(|s| !s.as_ref().names_a_case_between_two())
    {
        let problem = "nothing says whose process it would belong to: a case is between two companies that take part in it";
        let remedy = "make the verdict \"refuse\"";
        return Err(source.error(at.span(), "recipient", problem, remedy));
    }
    Ok(Rule { id, decision })
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

/// The one rule that answers for `situation`; the order of a file never decides.
fn only_rule(
    source: Source<'_>,
    rules: &[(&RawRule, Rule)],
    situation: Situation,
) -> Result<Rule, PolicyError> {
    let mut answers = rules.iter().filter_map(|(raw, rule)| {
        Some((raw.recipient.iter().find(|s| *s.as_ref() == situation)?.span(), rule))
    });
    let Some((_, rule)) = answers.next() else {
        let problem = format!("no rule answers for {situation}");
        let remedy = format!("add a rule with recipient = [\"{situation}\"]");
        return Err(source.error(0..0, "rule", problem, remedy));
    };
    match answers.next() {
        None => Ok(rule.clone()),
        Some((span, second)) => {
            let problem = format!("both {} and {} answer for {situation}", rule.id, second.id);
            Err(source.error(span, "recipient", problem, "leave it to one of them"))
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mailbox => "mailbox",
            Self::OwnMailbox => "own-mailbox",
            Self::ReplyAddress => "reply-address",
            Self::ForeignReplyAddress => "foreign-reply-address",
            Self::Unmapped => "unmapped",
        })
    }
}
