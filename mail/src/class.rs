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
const BOUNCE_SUBJECTS: [&str; 19] = [
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
    "mail could not be delivered",
    "delivery status",
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
const SYSTEM_NAMES: [&str; 5] = ["mailer-daemon", "mailerdaemon", "mdaemon", "mail-daemon", "post_master"];

/// Local parts that take no answer, so no person writes under them.
const NOBODY_NAMES: [&str; 6] =
    ["no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "do_not_reply"];

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
        let author = author(from);
        let class = report_class(fields)
            .or_else(|| recall_class(fields))
            .or_else(|| bounce_class(fields, &author, &subject))
            .or_else(|| auto_class(fields, &author, &subject))
            .or_else(|| list_class(fields));
        match class {
            Some(class) => Self::Sure(class),
            None if subject.starts_with("recall: ") => Self::RecallSubject,
            None => Self::None,
        }
    }

    /// The class once the mail has been seen whole.
    pub(crate) fn class(self, seen: Seen<'_>) -> Class {
        let recalled = seen.text.contains("would like to recall the message");
        let nothing = seen.subject.is_empty() && seen.files == 0 && seen.text.trim().is_empty();
        match (self, seen.sign) {
            (Self::Sure(class), _) | (Self::None, Some(class)) => class,
            (Self::RecallSubject, _) if recalled => Class::Recall,
            (Self::RecallSubject, Some(class)) => class,
            (Self::None, None) if nothing => Class::Empty,
            (Self::RecallSubject | Self::None, None) => Class::Human,
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
    /// The class that a part is a sign of: [`part_class`].
    pub(crate) sign: Option<Class>,
}

/// What a part of this type is a sign of, in a mail whose head says nothing.
pub(crate) fn part_class(media_type: &str) -> Option<Class> {
    match media_type {
        "text/calendar" => Some(Class::Calendar),
        "message/delivery-status" | "message/global-delivery-status" => Some(Class::Bounce),
        "message/disposition-notification" => Some(Class::Receipt),
        "message/feedback-report" => Some(Class::AutoReply),
        _ => None,
    }
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

fn bounce_class(fields: &Fields<'_>, author: &str, subject: &str) -> Option<Class> {
    let by_system = SYSTEM_NAMES.contains(&author);
    let says_bounce = BOUNCE_SUBJECTS.iter().any(|start| subject.starts_with(start));
    let by_nobody = author.is_empty() || author == "postmaster" || null_return_path(fields);
    let bounce = fields.has("X-Failed-Recipients") || by_system || (says_bounce && by_nobody);
    bounce.then_some(Class::Bounce)
}

/// Local part of the first author, lower case; empty when there is none.
fn author(from: &[Person]) -> String {
    let address = from.first().and_then(|person| person.address.as_deref()).unwrap_or_default();
    address.split('@').next().unwrap_or_default().to_ascii_lowercase()
}

/// RFC 3834 §5 first, then what came before it.
fn auto_class(fields: &Fields<'_>, author: &str, subject: &str) -> Option<Class> {
    let submitted = fields.token("Auto-Submitted");
    let declared = !submitted.is_empty() && submitted != "no";
    let precedence = fields.token("Precedence");
    let suppress = fields.text("X-Auto-Response-Suppress").to_ascii_lowercase();
    let auto = declared
        || null_return_path(fields)
        || NOBODY_NAMES.contains(&author)
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
