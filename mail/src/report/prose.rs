//! What the text of a bounce says to people, read as far as it can be read with caution: whom it is about, which code, and
//! which mail. It stops where the returned mail begins, so that the returned mail's own words are not taken for reasons.

use std::collections::HashSet;

use super::{Action, Reported, Status, words};
use crate::{Address, Person, report::evidence::RECIPIENTS_MAX};

/// Lines looked at: a reason that comes later is a copy of a conversation.
const LINES_MAX: usize = 2000;
/// Bytes of a line looked at; servers write no longer ones (RFC 5322 §2.1.1).
const LINE_MAX: usize = 2000;

/// Words of a text that mean that the server still tries, lower case.
const STILL_TRYING: [&str; 12] = [
    "will be retried",
    "will continue to",
    "will keep trying",
    "still trying",
    "not yet been delivered",
    "has been delayed",
    "is delayed",
    "delivery delayed",
    "delayed mail",
    "delivery status notification (delay)",
    "could not send message for past",
    "you do not need to resend",
];

/// Words before the copy of the returned mail, lower case.
const RETURNED: [&str; 12] = [
    "original message",
    "returned message",
    "returned mail",
    "copy of the message",
    "copy of your message",
    "unsent message",
    "undelivered message",
    "message header",
    "headers of the message",
    "message follows",
    "message text follows",
    "original mail",
];

/// Fields with which a returned head begins, lower case.
const HEAD: [&str; 5] = ["received:", "return-path:", "message-id:", "dkim-signature:", "mime-version:"];

/// What the text says.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Recipients named where reports name them, else the only stranger's address in the text.
    named: Vec<Reported>,
    guessed: Option<Address>,
    /// A code that stands with no recipient.
    loose: Option<Status>,
    delayed: bool,
}

/// The report in a text without form.
pub(super) fn read(text: &str, subject: &str, to: &[Person]) -> Told {
    let mut told = Told { delayed: is_delay(subject), ..Told::default() };
    let bystanders = Bystanders::of(to);
    let lines = text.lines().take(LINES_MAX).map(|line| &line[..line.floor_char_boundary(LINE_MAX)]);
    for line in lines.take_while(|line| !begins_returned(line)) {
        told.delayed |= is_delay(line);
        told.line(line, &bystanders);
    }
    told
}

/// The Message-ID that a text quotes: the first line that looks like the field.
pub(super) fn message_id(text: &str) -> Option<String> {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(value) = id_field(line) else { continue };
        let id = bracketed(value).or_else(|| bracketed(lines.next()?));
        if id.is_some() {
            return id.map(str::to_owned);
        }
    }
    None
}

impl Told {
    fn line(&mut self, line: &str, bystanders: &Bystanders) {
        if self.named.len() < RECIPIENTS_MAX {
            match named(line) {
                Some(address) if !bystanders.include(&address) => self.name(address),
                Some(address) => self.guessed = self.guessed.take().or(Some(address)),
                None if self.guessed.is_some() => {}
                None => self.guessed = words::addresses(line).find(|address| !bystanders.include(address)),
            }
        }
        let slot = match self.named.last_mut() {
            Some(last) => &mut last.status,
            None => &mut self.loose,
        };
        // Class 2 in a transcript is of a command that succeeded before the one that failed.
        if let Some(status) = words::status(line).filter(|status| status.class != 2) {
            *slot = Some(better(*slot, status));
        }
    }

    fn name(&mut self, address: Address) {
        let known = self.named.last().is_some_and(|last| last.recipient.as_ref() == Some(&address));
        if !known && !self.named.iter().rev().take(50).any(|one| one.recipient.as_ref() == Some(&address)) {
            self.named.push(Reported { action: Action::Failed, status: None, recipient: Some(address) });
        }
    }

    fn action(&self) -> Action {
        if self.delayed { Action::Delayed } else { Action::Failed }
    }

    /// Recipients with what the text says of each; the code that stands alone is for all that have none. If none is
    /// named, it can only be the one to whom the returned mail was.
    pub(super) fn recipients(self, addressee: Option<Address>) -> Vec<Reported> {
        let action = self.action();
        if self.named.is_empty() {
            let recipient = self.guessed.or(addressee);
            let known = recipient.is_some() || self.loose.is_some();
            return known.then_some(Reported { action, status: self.loose, recipient }).into_iter().collect();
        }
        let loose = self.loose;
        self.named.into_iter().map(|one| Reported { action, status: one.status.or(loose), ..one }).collect()
    }

    /// What is said of a recipient that is known from elsewhere.
    pub(super) fn about(&self, address: Address) -> Reported {
        let status = self.status_of(Some(&address));
        Reported { action: self.action(), status, recipient: Some(address) }
    }

    pub(super) fn status_of(&self, address: Option<&Address>) -> Option<Status> {
        let same = |one: &&Reported| one.recipient.as_ref() == address;
        let found = self.named.iter().find(same).and_then(|one| one.status);
        let only = || self.named.first().filter(|_| self.named.len() == 1).and_then(|one| one.status);
        found.or_else(only).or(self.loose)
    }

    pub(super) fn only_recipient(&self) -> Option<Address> {
        match &self.named[..] {
            [one] => one.recipient.clone(),
            [] => self.guessed.clone(),
            _ => None,
        }
    }
}

/// A code with a reason is better than one without.
pub(super) fn better(before: Option<Status>, now: Status) -> Status {
    match before {
        Some(Status { class, subject: 0, detail: 0 }) if now.class == class => now,
        Some(before) => before,
        None => now,
    }
}

/// The address where reports name the recipient: at the start of a line, behind a name of such a field, in the command
/// that was refused.
fn named(line: &str) -> Option<Address> {
    let start = line.trim_start_matches(|c: char| c.is_whitespace() || "><*-:|([\"'#・".contains(c));
    if let Some(address) = words::addresses(start).next()
        && start.to_lowercase().starts_with(&address.key())
    {
        return Some(address);
    }
    let lower = line.to_ascii_lowercase();
    let behind = ["rcpt to:", "rfc822;", "[smtp:", "delivered to:", "delivered to "];
    let field = lower.find(':').filter(|&colon| lower[..colon].contains("recipient"));
    let at = behind.iter().find_map(|word| lower.find(word)).or(field)?;
    words::addresses(&line[at..]).next()
}

/// Whom reports mention without being about them: who gets the report, and who answers for servers.
struct Bystanders(HashSet<String>);

impl Bystanders {
    fn of(to: &[Person]) -> Self {
        Self(to.iter().filter_map(|person| Some(person.address.as_deref()?.to_ascii_lowercase())).collect())
    }

    fn include(&self, address: &Address) -> bool {
        let local = address.local().to_ascii_lowercase();
        matches!(local.as_str(), "postmaster" | "mailer-daemon" | "abuse" | "hostmaster" | "helpdesk")
            || self.0.contains(&address.key().to_ascii_lowercase())
    }
}

fn is_delay(line: &str) -> bool {
    let line = line.to_lowercase();
    STILL_TRYING.iter().any(|words| line.contains(words))
}

fn begins_returned(line: &str) -> bool {
    let trimmed = line.trim_start_matches(['>', ' ', '\t']);
    let start = trimmed.get(..20).unwrap_or(trimmed).to_ascii_lowercase();
    let ruled = trimmed.starts_with("--")
        || trimmed.starts_with("==")
        || trimmed.starts_with("**")
        || trimmed.starts_with("__");
    HEAD.iter().any(|field| start.starts_with(field))
        || ((ruled || trimmed.ends_with(':')) && says_returned(trimmed))
}

fn says_returned(line: &str) -> bool {
    let line = line.to_lowercase();
    RETURNED.iter().any(|words| line.contains(words))
}

/// What stands behind `Message-ID:`, in a copy or in a quote.
fn id_field(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['>', '|', ' ', '\t']);
    let (name, value) = line.split_once(':')?;
    let name = name.trim().to_ascii_lowercase();
    matches!(name.as_str(), "message-id" | "message id" | "original-message-id" | "x-original-message-id")
        .then_some(value)
}

fn bracketed(text: &str) -> Option<&str> {
    let (_, behind) = text.split_once('<')?;
    let (id, _) = behind.split_once('>')?;
    (id.contains('@') && id.len() <= 998 && !id.contains(char::is_whitespace)).then_some(id)
}
