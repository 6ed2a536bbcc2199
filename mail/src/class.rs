//! Which kind of mail it is, by what its headers say (RFC 3834, 3464, 8098, 2919, 2369) and by the habits of servers
//! that say nothing. A wrong "human" makes a notice too many; a wrong "automatic" hides a person's mail: so signs that
//! people's mail can bear too count only together.

use crate::{Class, Person, header::Fields};

/// How the subjects of automatic answers begin, lower case; `: ` or a quote follows.
const AUTO_SUBJECTS: [&str; 14] = [
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "automatic response",
    "autoresponse",
    "auto response",
    "out of office",
    "out of the office",
    "out-of-office",
    "automatische antwort",
    "abwesenheitsnotiz",
    "réponse automatique",
    "respuesta automática",
];

/// How the subjects of bounces without form begin, lower case.
const BOUNCE_SUBJECTS: [&str; 17] = [
    "undeliverable",
    "undelivered mail",
    "undeliverable mail",
    "delivery status notification",
    "delivery failure",
    "delivery notification",
    "delivery report",
    "mail delivery failed",
    "mail delivery failure",
    "mail delivery problem",
    "mail delivery system",
    "mail system error",
    "returned mail",
    "returned to sender",
    "failure notice",
    "could not send message",
    "warning: could not send message",
];

/// Fields that only automatic answers bear.
const AUTO_FIELDS: [&str; 7] = [
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Autoreply-From",
    "X-Mail-Autoreply",
    "X-Auto-Reply-From",
    "X-Vacation",
];

/// Local parts under which mail systems write.
const SYSTEM_NAMES: [&str; 4] = ["mailer-daemon", "mailerdaemon", "mdaemon", "mail-daemon"];

/// What the head says about the class, before the parts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    /// The head decides.
    Sure(Class),
    /// Decided by the text: the subject says "Recall:".
    RecallSubject,
    /// Nothing speaks against a person.
    None,
}

impl Signals {
    pub(crate) fn read(fields: &Fields<'_>, from: &[Person]) -> Self {
        let subject = fields.text("Subject").to_lowercase();
        let report = report_class(fields);
        let class = report
            .or_else(|| recall_class(fields))
            .or_else(|| bounce_class(fields, from, &subject))
            .or_else(|| auto_class(fields, &subject))
            .or_else(|| list_class(fields));
        match class {
            Some(class) => Self::Sure(class),
            None if subject.starts_with("recall: ") => Self::RecallSubject,
            None => Self::None,
        }
    }

    /// The class once the mail has been seen whole.
    pub(crate) fn class(self, seen: Seen<'_>) -> Class {
        match self {
            Self::Sure(class) => class,
            Self::RecallSubject if seen.text.contains("would like to recall the message") => Class::Recall,
            _ if seen.invitation => Class::Calendar,
            _ if seen.subject.is_empty() && seen.files == 0 && seen.text.trim().is_empty() => Class::Empty,
            _ => Class::Human,
        }
    }
}

/// What the class depends on beside the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
    /// Parts with content that are no body text.
    pub(crate) files: usize,
    /// A `text/calendar` part for the client to act on.
    pub(crate) invitation: bool,
}

/// RFC 6522: the report type says it.
fn report_class(fields: &Fields<'_>) -> Option<Class> {
    let declared = fields.first("Content-Type")?.parameters();
    if declared.main != "multipart" || declared.sub.as_deref() != Some("report") {
        return None;
    }
    match declared.attribute("report-type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "disposition-notification" => Some(Class::Receipt),
        "feedback-report" => Some(Class::AutoReply),
        _ => Some(Class::Bounce),
    }
}

fn recall_class(fields: &Fields<'_>) -> Option<Class> {
    ["X-Message-Class", "Message-Class", "X-MS-Exchange-Message-Class", "Content-Class"]
        .iter()
        .any(|name| fields.token(name).starts_with("ipm.outlook.recall"))
        .then_some(Class::Recall)
}

fn bounce_class(fields: &Fields<'_>, from: &[Person], subject: &str) -> Option<Class> {
    let local = from.first().and_then(|person| person.address.as_deref()).unwrap_or_default();
    let local = local.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let by_system = SYSTEM_NAMES.contains(&local.as_str());
    let says_bounce = BOUNCE_SUBJECTS.iter().any(|start| subject.starts_with(start));
    let nobody = local.is_empty() || local == "postmaster" || null_return_path(fields);
    let bounce = fields.has("X-Failed-Recipients") || by_system || (says_bounce && nobody);
    bounce.then_some(Class::Bounce)
}

/// RFC 3834 §5 first, then what came before it.
fn auto_class(fields: &Fields<'_>, subject: &str) -> Option<Class> {
    let submitted = fields.token("Auto-Submitted");
    let declared = !submitted.is_empty() && submitted != "no";
    let precedence = fields.token("Precedence");
    let suppress = fields.text("X-Auto-Response-Suppress").to_ascii_lowercase();
    let auto = declared
        || null_return_path(fields)
        || precedence == "auto_reply"
        || suppress.split([',', ' ']).any(|word| word == "all")
        || AUTO_FIELDS.iter().any(|name| fields.has(name))
        || AUTO_SUBJECTS.iter().any(|start| begins(subject, start));
    auto.then_some(Class::AutoReply)
}

fn list_class(fields: &Fields<'_>) -> Option<Class> {
    let precedence = fields.token("Precedence");
    let list = matches!(precedence.as_str(), "list" | "bulk" | "junk")
        || ["List-Id", "List-Post", "List-Unsubscribe"].iter().any(|name| fields.has(name));
    list.then_some(Class::List)
}

/// A delivered mail's trace of the null sender (RFC 5321 §4.4).
fn null_return_path(fields: &Fields<'_>) -> bool {
    fields.token("Return-Path") == "<>"
}

/// `start`, then the end of a word that no sentence of a person has there.
fn begins(subject: &str, start: &str) -> bool {
    subject.strip_prefix(start).is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.is_empty() || rest.starts_with([':', '-', '"']) || rest.starts_with("autoreply")
    })
}
