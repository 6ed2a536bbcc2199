//! What importing a file would change: the steps for the ledger and a line for each that a person can read.
//! Comparing the same file with its own result finds nothing, so importing twice is importing once.

use anyhow::bail;
use jiff::Timestamp;
use policies::Catalogue;
use serde::{Deserialize, Serialize};
use store::{Directory, DirectoryChange, UserId};

use super::{DirectoryFile, MailboxEntry, PermissionEntry, UserEntry};
use crate::config::is_domain;

/// One line of the difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// `add` or `change`.
    pub(crate) step: String,
    /// `group`, `participant`, `user`, `mailbox`, `certificate`.
    pub(crate) kind: String,
    pub(crate) name: String,
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
        let (record, known) = (entry.record(), directory.group(&entry.id.0));
        note(&mut steps, "group", entry.id.to_string(), known, &record, DirectoryChange::Group);
    }
    for entry in &file.participants {
        let (record, known) = (entry.record(), directory.participant(&entry.mpid.0));
        note(&mut steps, "participant", entry.mpid.to_string(), known, &record, DirectoryChange::Participant);
    }
    for entry in &file.users {
        let known = directory.user_by_email(&entry.email.0);
        let id = known.map_or_else(|| UserId::new(now), |user| Ok(user.id))?;
        let record = entry.record(id, known);
        note(&mut steps, "user", entry.email.to_string(), known, &record, DirectoryChange::User);
    }
    for entry in &file.mailboxes {
        let (record, known) = (entry.record(), directory.mailbox(&entry.address.0));
        note(&mut steps, "mailbox", entry.address.to_string(), known, &record, DirectoryChange::Mailbox);
    }
    for entry in &file.certificates {
        let (record, known) = (entry.record(), directory.certificate(&entry.fingerprint.0));
        note(&mut steps, "certificate", entry.name.clone(), known, &record, DirectoryChange::Certificate);
    }
    Ok(steps)
}

fn note<T: Clone + PartialEq>(
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
    let difference = Difference { step: step.to_owned(), kind: kind.to_owned(), name };
    steps.push((difference, change(record.clone())));
}

impl DirectoryFile {
    /// What the ledger cannot know: names of processes, rungs and domains.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> anyhow::Result<()> {
        for group in &self.groups {
            if let Some(domain) = group.domains.iter().find(|domain| !is_domain(domain)) {
                bail!(
                    "group {}: \"{domain}\" is not a domain; write it as in a mail address, after the @",
                    group.id
                );
            }
        }
        for UserEntry { email, permissions, .. } in &self.users {
            for PermissionEntry { process, contact_type, .. } in permissions {
                check_rung(catalogue, &process.0, &contact_type.0)
                    .map_err(|error| error.context(format!("user {email}")))?;
            }
        }
        for MailboxEntry { address, process, contact_type, .. } in &self.mailboxes {
            check_rung(catalogue, &process.0, &contact_type.0)
                .map_err(|error| error.context(format!("mailbox {address}")))?;
        }
        Ok(())
    }
}

/// A permission or mailbox for a rung that no process has would never match anything.
pub(crate) fn check_rung(
    catalogue: &Catalogue,
    process: &mail::ProcessId,
    contact_type: &mail::ContactType,
) -> anyhow::Result<()> {
    let Some(known) = catalogue.process(process) else {
        let ids: Vec<_> = catalogue.processes().map(|process| process.id.as_str()).collect();
        bail!("there is no process `{process}`; known: {}", ids.join(", "));
    };
    let mut rungs = known.rungs.iter().map(|rung| rung.contact_type.as_str());
    if rungs.clone().any(|rung| rung == contact_type.as_str()) {
        return Ok(());
    }
    let rungs: Vec<_> = rungs.by_ref().collect();
    bail!("the process `{process}` has no contact type `{contact_type}`; it has: {}", rungs.join(", "));
}
