//! What a directory file may say: names that notices can print, and roles, processes and rungs of the catalogue.
//! Looks at the file alone, never at the ledger.

use std::collections::BTreeSet;

use anyhow::bail;
use policies::Catalogue;

use super::{DirectoryFile, MailboxEntry, PermissionEntry};
use crate::config::is_domain;

impl DirectoryFile {
    /// What the ledger cannot know: how names may be written, and which roles, processes and rungs there are.
    pub(crate) fn check(&self, catalogue: &Catalogue) -> anyhow::Result<()> {
        for group in &self.groups {
            check_name(&group.name).map_err(|error| error.context(format!("group {}", group.id)))?;
            if let Some(domain) = group.domains.iter().find(|domain| !is_domain(domain)) {
                bail!(
                    "group {}: \"{domain}\" is not a domain; write it as in a mail address, after the @",
                    group.id
                );
            }
        }
        for participant in &self.participants {
            check_role(catalogue, &participant.role)
                .map_err(|error| error.context(format!("participant {}", participant.mpid)))?;
        }
        for user in &self.users {
            let email = &user.email;
            check_name(&user.name).map_err(|error| error.context(format!("user {email}")))?;
            for PermissionEntry { process, contact_type, .. } in user.permissions() {
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

/// Names are printed in notices, and one that cannot be would stop every notice of its group.
pub(crate) fn is_plain_name(name: &str) -> bool {
    templates::CompanyName::from_directory(name).is_ok()
}

fn check_name(name: &str) -> anyhow::Result<()> {
    if is_plain_name(name) {
        return Ok(());
    }
    bail!(
        "no notice could print the name {name:?}; write 1 to 80 letters, digits, spaces or any of & ' ( ) , - . / \
         and no run of six digits"
    );
}

/// A participant in a role that no process has could take part in nothing.
fn check_role(catalogue: &Catalogue, role: &str) -> anyhow::Result<()> {
    let known: BTreeSet<&str> =
        catalogue.processes().flat_map(|process| process.roles.iter().map(String::as_str)).collect();
    if known.contains(role) {
        return Ok(());
    }
    let known: Vec<_> = known.into_iter().collect();
    bail!("no process has the role {role:?}; write one of: {}", known.join(", "));
}

/// A permission or mailbox for a rung that no process has would never match anything.
fn check_rung(
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
