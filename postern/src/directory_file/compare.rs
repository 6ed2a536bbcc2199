//! What importing a file would change: the steps for the ledger and a line for each that a person can read.
//! Comparing the same file with its own result finds nothing, so importing twice is importing once.

use jiff::Timestamp;
use policies::Catalogue;
use serde::{Deserialize, Serialize};
use store::{Directory, DirectoryChange, UserId};

use super::DirectoryFile;
use super::fields::{FieldChange, Fields, changed};

/// One line of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// `add` or `change`.
    pub(crate) step: String,
    /// `group`, `participant`, `user`, `mailbox`, `certificate`.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// What a change changes; empty for what is new.
    pub(crate) fields: Vec<FieldChange>,
}

type Steps = Vec<(Difference, DirectoryChange)>;

/// The steps from `directory` to `file`, groups first, so that each finds what it names.
pub(crate) fn compare(
    file: &DirectoryFile,
    directory: &Directory,
    catalogue: &Catalogue,
    now: Timestamp,
) -> anyhow::Result<Steps> {
    file.check(catalogue)?;
    let mut steps = Steps::new();
    for entry in &file.groups {
        let known = directory.group(&entry.id.0);
        let record = entry.record(known);
        note(&mut steps, "group", entry.id.to_string(), known, &record, DirectoryChange::Group);
    }
    for entry in &file.participants {
        let known = directory.participant(&entry.mpid.0);
        let record = entry.record(known);
        note(&mut steps, "participant", entry.mpid.to_string(), known, &record, DirectoryChange::Participant);
    }
    for entry in &file.users {
        let known = directory.user_by_email(&entry.email.0);
        let id = known.map_or_else(|| UserId::new(now), |user| Ok(user.id))?;
        let record = entry.record(id, known);
        note(&mut steps, "user", entry.email.to_string(), known, &record, DirectoryChange::User);
    }
    for entry in &file.mailboxes {
        let known = directory.mailbox(&entry.address.0);
        let record = entry.record(known);
        note(&mut steps, "mailbox", entry.address.to_string(), known, &record, DirectoryChange::Mailbox);
    }
    for entry in &file.certificates {
        let (record, known) = (entry.record(), directory.certificate(&entry.fingerprint.0));
        note(&mut steps, "certificate", entry.name.clone(), known, &record, DirectoryChange::Certificate);
    }
    Ok(steps)
}

fn note<T: Clone + PartialEq + Fields>(
    steps: &mut Steps,
    kind: &str,
    name: String,
    known: Option<&T>,
    record: &T,
    change: fn(T) -> DirectoryChange,
) {
    let step = match known {
        Some(known) if known == record => return,
        Some(_) => "change",
        None => "add",
    };
    let difference = Difference {
        step: step.to_owned(),
        kind: kind.to_owned(),
        name,
        fields: known.map(|known| changed(known, record)).unwrap_or_default(),
    };
    steps.push((difference, change(record.clone())));
}
