//! The machine's part of a delivery report (RFC 3464 §2): fields about the mail, then blocks of fields about recipients,
//! with the liberties that mail systems take. It never looks at text for people.

use super::{Action, Reported, Status, words};
use crate::Address;

/// One recipient's fields as they come.
#[derive(Debug, Default)]
struct Fields<'a> {
    original: Option<&'a str>,
    last: Option<&'a str>,
    actual: Option<&'a str>,
    action: Option<&'a str>,
    status: Option<&'a str>,
    diagnostic: Option<&'a str>,
}

/// The recipients of a report, in order. A block begins behind an empty line, or where a recipient is named again.
pub(super) fn recipients(text: &str) -> impl Iterator<Item = Reported> {
    let mut lines = text.lines().peekable();
    let mut open = Fields::default();
    std::iter::from_fn(move || {
        while let Some(line) = lines.next() {
            let Some((name, value)) = line.split_once(':') else {
                if line.trim().is_empty() && open.is_recipient() {
                    return Some(std::mem::take(&mut open).read());
                }
                continue;
            };
            let value = match value.trim() {
                "" => lines.next_if(|next| next.starts_with([' ', '\t'])).unwrap_or_default().trim(),
                value => value,
            };
            let ended = open.repeats(name).then(|| std::mem::take(&mut open).read());
            open.set(name, value);
            if ended.is_some() {
                return ended;
            }
        }
        open.is_recipient().then(|| std::mem::take(&mut open).read())
    })
}

impl<'a> Fields<'a> {
    fn is_recipient(&self) -> bool {
        self.original.or(self.last).or(self.actual).or(self.action).or(self.status).is_some()
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        match name.trim().to_ascii_lowercase().as_str() {
            "original-recipient" => Some(&mut self.original),
            "final-recipient" => Some(&mut self.last),
            "x-actual-recipient" => Some(&mut self.actual),
            "action" => Some(&mut self.action),
            "status" => Some(&mut self.status),
            "diagnostic-code" => Some(&mut self.diagnostic),
            _ => None,
        }
    }

    fn repeats(&mut self, name: &str) -> bool {
        matches!(self.slot(name), Some(Some(_)))
    }

    fn set(&mut self, name: &str, value: &'a str) {
        if let Some(slot) = self.slot(name) {
            *slot = Some(value);
        }
    }

    /// RFC 3464 §2.3.1: the original recipient is the one that our mail named.
    fn read(self) -> Reported {
        let status = self.told_status();
        let recipient = [self.original, self.last, self.actual].into_iter().flatten().find_map(typed_address);
        let action = self.action.and_then(words::action).unwrap_or(match status {
            Some(Status { class: 2, .. }) => Action::Delivered,
            _ => Action::Failed,
        });
        Reported { action, status, recipient }
    }

    /// "5.0.0" says only that it failed for good: the diagnostic may say more about the same.
    fn told_status(&self) -> Option<Status> {
        let status = self.status.and_then(words::enhanced);
        let said = self.diagnostic.and_then(words::enhanced);
        match (status, said) {
            (Some(Status { class, subject: 0, detail: 0 }), Some(more)) if more.class == class => Some(more),
            (Some(status), _) => Some(status),
            (None, said) => said.or_else(|| self.diagnostic.and_then(words::status)),
        }
    }
}

/// `rfc822; jo@alpha.example`; the type is left out by some.
fn typed_address(value: &str) -> Option<Address> {
    words::address(value.split_once(';').map_or(value, |(_, address)| address))
}
