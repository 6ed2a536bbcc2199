//! The machine's part of a delivery report (RFC 3464 §2): fields about the mail, then blocks of fields about recipients,
//! with the liberties that mail systems take. It never looks at text for people.

use super::{Action, Reported, Status, evidence::RECIPIENTS_MAX, words};
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
pub(super) fn recipients(text: &str) -> Vec<Reported> {
    let text = unfolded(text);
    let (mut found, mut open) = (Vec::new(), Fields::default());
    for line in text.lines() {
        if found.len() == RECIPIENTS_MAX {
            return found;
        }
        let field = line.split_once(':');
        let ended = match field {
            Some((name, _)) => open.repeats(name),
            None => line.is_empty() && open.is_recipient(),
        };
        if ended {
            found.push(std::mem::take(&mut open).read());
        }
        if let Some((name, value)) = field {
            open.set(name, value.trim());
        }
    }
    if open.is_recipient() {
        found.push(open.read());
    }
    found
}

/// Folded lines joined (RFC 5322 §2.2.3). A line of nothing but spaces is an empty one, though it looks folded.
fn unfolded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let folded = line.starts_with([' ', '\t']) && !line.trim().is_empty();
        if folded && out.ends_with('\n') {
            out.pop();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
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

/// `rfc822; jo@alpha.example`, `utf-8; j\x{F6}@alpha.example`; the type is left out by some.
fn typed_address(value: &str) -> Option<Address> {
    match value.split_once(';') {
        Some((kind, address)) if kind.trim().eq_ignore_ascii_case("utf-8") && address.contains("\\x{") => {
            words::address(&words::unescape(address)?)
        }
        Some((_, address)) => words::address(address),
        None => words::address(value),
    }
}
