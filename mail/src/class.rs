//! Which kind of mail it is, by what its headers say (RFC 3834, 3464, 8098, 2919, 2369) and by the habits of programs that
//! say nothing there. A wrong "human" makes a notice too many; a wrong "automatic" hides a person's mail: so signs that
//! people's mail can bear too count only together, and what is quoted or forwarded never counts.

mod author;
mod opening;
mod phrases;
mod subject;

use author::Author;
pub(crate) use opening::Opening;
use opening::Said;
use phrases::List;
use subject::Subject;

use crate::{
    Class, Person,
    entity::{Entity, Kind},
    header::Fields,
    parameters::Parameters,
    report::tells_status,
};

/// Fields that only automatic mail bears.
const AUTO_FIELDS: [&str; 16] = [
    "X-Autoreply",
    "X-Auto-Reply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Autoresponse",
    "X-Auto-Response",
    "X-Auto-Generated",
    "X-Autoreply-From",
    "X-Mail-Autoreply",
    "X-Auto-Reply-From",
    "X-Vacation",
    "X-Amazon-Auto-Reply",
    "X-FC-MachineGenerated",
    "X-RT-Loop-Prevention",
    "X-OTRS-Loop",
    "X-Cron-Env",
];

/// How responders call themselves in `X-Mailer`, lower case.
const RESPONDERS: [&str; 5] = ["autorespon", "auto-respon", "autoreply", "auto-reply", "vacation"];

/// Fields that only lists write (RFC 2369, RFC 2919 and before).
const LIST_FIELDS: [&str; 9] = [
    "List-Id",
    "List-Post",
    "List-Unsubscribe",
    "List-Subscribe",
    "Mailing-List",
    "X-Mailing-List",
    "X-BeenThere",
    "X-Mailman-Version",
    "X-ML-Name",
];

/// Fields in which Exchange and its kin write the class that a message has in their stores.
const STORE_CLASS_FIELDS: [&str; 4] =
    ["X-Message-Class", "Message-Class", "X-MS-Exchange-Message-Class", "Content-Class"];

/// How programs for people call themselves in `User-Agent` and `X-Mailer`, lower case.
const CLIENTS: [&str; 24] = [
    "outlook",
    "thunderbird",
    "mozilla",
    "apple mail",
    "iphone mail",
    "ipad mail",
    "mutt",
    "alpine",
    "pine",
    "kmail",
    "evolution",
    "roundcube",
    "squirrelmail",
    "horde",
    "claws",
    "sylpheed",
    "the bat",
    "eudora",
    "gnus",
    "em client",
    "mailmate",
    "k-9",
    "foxmail",
    "becky",
];

/// What the head says about the class, before the parts are known.
#[derive(Debug)]
pub(crate) struct Signals {
    /// What the head leaves no doubt about.
    declared: Option<Class>,
    /// A program wrote it; which kind of mail it is, the text may still tell.
    automatic: bool,
    author: Author,
    /// A delivered mail's trace of the null sender (RFC 5321 §4.4).
    null_sender: bool,
    subject: Subject,
    /// It refers to another mail.
    refers: bool,
    /// A program for people wrote it, as far as it says.
    client: bool,
    /// Mail of a list, or bulk mail.
    list: bool,
}

/// What the class depends on beside the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The mail's own text, not that of mails inside.
    pub(crate) text: &'a str,
    /// The beginning of that text.
    pub(crate) opening: &'a Opening,
    /// Parts with content that are no body text.
    pub(crate) files: usize,
    /// Whether a mail is inside, or the head of one.
    pub(crate) returned: bool,
    /// The class that a part is a sign of: [`part_class`].
    pub(crate) sign: Option<Class>,
}

impl Signals {
    pub(crate) fn read(fields: &Fields<'_>, from: &[Person], subject: &str) -> Self {
        let author = Author::of(from);
        let null_sender = null_sender(fields);
        let subject = Subject::of(subject);
        let programs = ["User-Agent", "X-Mailer"].map(|name| fields.text(name).to_lowercase());
        let client = programs.iter().any(|program| CLIENTS.iter().any(|client| program.contains(client)));
        let report = report(fields);
        let declared = report
            .as_ref()
            .and_then(report_class)
            .or_else(|| STORE_CLASS_FIELDS.iter().find_map(|name| store_class(&fields.token(name))))
            .or_else(|| bounce_class(fields, author));
        let automatic = report.is_some()
            || author == Author::Responder
            || subject.is_automatic()
            || RESPONDERS.iter().any(|name| programs[1].contains(name))
            || is_automatic(fields)
            || (null_sender && !client);
        Self {
            declared,
            automatic,
            author,
            null_sender,
            subject,
            refers: fields.has("In-Reply-To") || fields.has("References"),
            client,
            list: is_list(fields),
        }
    }

    /// The class once the mail has been seen whole.
    pub(crate) fn class(self, seen: Seen<'_>) -> Class {
        if let Some(class) = self.declared.or_else(|| self.sign(seen)) {
            return class;
        }
        let said = seen.opening.said();
        if self.is_bounce(seen, said) {
            return Class::Bounce;
        }
        self.unsaid(seen, said)
            .or_else(|| {
                (self.automatic || self.is_notice() || self.is_away(said)).then_some(Class::AutoReply)
            })
            .or_else(|| self.list.then_some(Class::List))
            .unwrap_or(match self.subject.is_empty() && seen.files == 0 && seen.text.trim().is_empty() {
                true => Class::Empty,
                false => Class::Human,
            })
    }

    /// A part is no sign in the mail of a person who passes a machine's mail on in parts.
    fn sign(&self, seen: Seen<'_>) -> Option<Class> {
        let passed_on = self.author == Author::Person && !self.null_sender && self.subject.answers();
        seen.sign.filter(|sign| *sign == Class::Calendar || !passed_on)
    }

    /// Adds up what mail systems do and people seldom do; one sign of a person outweighs two of them.
    fn is_bounce(&self, seen: Seen<'_>, said: Said) -> bool {
        let subject = 2 * i32::from(self.subject.begins(List::BounceSubjects));
        let text = match said.begins(List::BounceOpenings) {
            true => 2,
            false => i32::from(said.has(List::BounceWords)),
        };
        if subject + text == 0 {
            return false;
        }
        let office = self.null_sender || matches!(self.author, Author::Office | Author::Nobody);
        let author = if office { 2 } else { i32::from(self.author == Author::Responder) };
        let copy = i32::from(seen.returned) + i32::from(seen.opening.lines().any(tells_status));
        let answers = if self.subject.answers() { 2 + i32::from(!office) * 2 } else { 0 };
        let person = 2 * i32::from(self.client) + answers;
        let enough = if author > 0 { 4 } else { 5 };
        author + subject + text + copy - person >= enough
    }

    /// What programs send for people without saying so in the head: receipts, recalls, answers to invitations,
    /// complaints.
    fn unsaid(&self, seen: Seen<'_>, said: Said) -> Option<Class> {
        let (silent, begins) = (seen.opening.is_empty(), |list| self.subject.begins(list));
        let nothing = silent && seen.files == 0;
        if begins(List::ReadSubjects) && (nothing || said.has_early(List::ReadWords)) {
            Some(Class::Receipt)
        } else if begins(List::RecallSubjects) && said.has_early(List::RecallWords) {
            Some(Class::Recall)
        } else if silent && seen.returned && begins(List::ComplaintSubjects) {
            Some(Class::AutoReply)
        } else {
            (nothing && begins(List::MeetingSubjects)).then_some(Class::Calendar)
        }
    }

    /// What filters report. A person in that office writes with a person's program, or answers.
    fn is_notice(&self) -> bool {
        self.author == Author::Office
            && !self.client
            && !self.refers
            && self.subject.begins(List::NoticeSubjects)
    }

    /// A text that says that a machine wrote it, or a subject of which a machine's text makes sense.
    fn is_away(&self, said: Said) -> bool {
        if said.begins(List::AutoOpenings) {
            return !self.client;
        }
        let subject = self.subject.absence();
        let now = said.has(List::AwayNow) || said.has(List::AwayPolite);
        let text = match (now, said.has(List::AwayThen)) {
            (true, _) if subject == 2 => 2,
            (now, then) => i32::from(now || then),
        };
        let person = 2 * (i32::from(self.client) + i32::from(self.subject.asks()));
        subject > 0 && subject + text + i32::from(self.refers) - person >= 3
    }
}

/// Whether an automatic answer says that somebody is away. Some only say that a mail has arrived.
pub(crate) fn says_away(subject: &str, opening: &Opening) -> bool {
    let said = opening.said();
    Subject::of(subject).absence() > 0 || said.has(List::AwayNow) || said.has(List::AwayThen)
}

/// What a part is a sign of, in a mail whose head says nothing. A calendar that is attached is a file unless it is meant
/// for the reader's calendar (RFC 6047 §2.4).
pub(crate) fn part_class(fields: &Fields<'_>, entity: &Entity) -> Option<Class> {
    let method = || {
        let declared = fields.first("Content-Type").map(|field| field.parameters());
        declared.is_some_and(|declared| declared.attribute("method").is_some())
    };
    match entity.part.media_type.as_str() {
        "text/calendar" if entity.kind == Kind::Calendar || method() => Some(Class::Calendar),
        "message/delivery-status" | "message/global-delivery-status" => Some(Class::Bounce),
        "message/disposition-notification" | "message/global-disposition-notification" => {
            Some(Class::Receipt)
        }
        "message/feedback-report" => Some(Class::AutoReply),
        _ => None,
    }
}

/// The class of a message in the stores of Exchange and Outlook (MS-OXCMAIL §2.2), which TNEF carries as well, there also
/// under the names of Microsoft Mail (MS-OXTNEF §2.1.3.3).
pub(crate) fn store_class(name: &str) -> Option<Class> {
    let name = name.to_ascii_lowercase();
    if name.starts_with("report.") {
        let read = name.ends_with("ipnrn") || name.ends_with("ipnnrn");
        return Some(if read { Class::Receipt } else { Class::Bounce });
    }
    [
        ("ipm.outlook.recall", Class::Recall),
        ("ipm.recall", Class::Recall),
        ("urn:content-classes:recallmessage", Class::Recall),
        ("ipm.schedule", Class::Calendar),
        ("ipm.microsoft schedule.mtg", Class::Calendar),
        ("urn:content-classes:calendarmessage", Class::Calendar),
        ("ipm.note.rules.", Class::AutoReply),
        ("ipm.microsoft mail.non-delivery", Class::Bounce),
        ("urn:content-classes:dsn", Class::Bounce),
        ("ipm.microsoft mail.read receipt", Class::Receipt),
        ("urn:content-classes:mdn", Class::Receipt),
    ]
    .into_iter()
    .find_map(|(start, class)| name.starts_with(start).then_some(class))
}

/// RFC 6522: the report type says it; without one, or with one that nobody knows, the parts do.
fn report_class(declared: &Parameters) -> Option<Class> {
    match declared.attribute("report-type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "delivery-status" => Some(Class::Bounce),
        "disposition-notification" => Some(Class::Receipt),
        "feedback-report" | "tlsrpt" => Some(Class::AutoReply),
        _ => None,
    }
}

fn report(fields: &Fields<'_>) -> Option<Parameters> {
    let declared = fields.first("Content-Type")?.parameters();
    (declared.main == "multipart" && declared.sub.as_deref() == Some("report")).then_some(declared)
}

fn bounce_class(fields: &Fields<'_>, author: Author) -> Option<Class> {
    let bounce = author == Author::System
        || ["X-Failed-Recipients", "X-MS-Exchange-Message-Is-Ndr"].iter().any(|name| fields.has(name));
    bounce.then_some(Class::Bounce)
}

/// RFC 3834 §5 first, then what came before it.
fn is_automatic(fields: &Fields<'_>) -> bool {
    let submitted = fields.token("Auto-Submitted");
    let precedence = fields.token("Precedence");
    let suppress = fields.text("X-Auto-Response-Suppress").to_ascii_lowercase();
    (!submitted.is_empty() && submitted != "no")
        || matches!(precedence.as_str(), "auto_reply" | "auto-reply")
        || suppress.split([',', ' ']).any(|word| word == "all")
        || AUTO_FIELDS.iter().any(|name| fields.has(name))
        || fields.token("X-Autogenerated") == "reply"
        || fields.all("Delivered-To").any(|field| field.token() == "autoresponder")
}

fn is_list(fields: &Fields<'_>) -> bool {
    matches!(fields.token("Precedence").as_str(), "list" | "bulk" | "junk")
        || LIST_FIELDS.iter().any(|name| fields.has(name))
}

/// `<>`, and what servers write for it.
fn null_sender(fields: &Fields<'_>) -> bool {
    let path = fields.token("Return-Path");
    path == "<>" || path == "<#@[]>" || path.trim_start_matches('<').starts_with("mailer-daemon")
}
