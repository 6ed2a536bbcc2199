//! `demo.json`: what a script needs to use the sample market. A contract; paths are relative to its folder.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::market::Market;
use crate::directory_file::{PermissionEntry, RoleName};
use crate::installation;
use crate::server::Ready;

const FILE: &str = "demo.json";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) smtp: String,
    pub(super) submission: String,
    /// As its ready line says it: `http://…`.
    pub(super) portal: String,
    pub(super) ca: String,
    pub(super) outbox: String,
    pub(super) users: Vec<SampleUser>,
    pub(super) mailboxes: Vec<SampleMailbox>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SampleUser {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) group: String,
    pub(super) role: RoleName,
    pub(super) permissions: Vec<PermissionEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SampleMailbox {
    pub(super) address: String,
    pub(super) group: String,
    pub(super) process: String,
    pub(super) contact_type: String,
}

impl Record {
    pub(super) fn new(market: &Market, ready: &Ready) -> Self {
        let place = |name| ready.place(name).unwrap_or_default().to_owned();
        let users = market.people().map(|user| SampleUser {
            email: user.email.to_string(),
            password: market.password(&user.email.to_string()).to_owned(),
            group: user.group.to_string(),
            role: user.role,
            permissions: user.permissions().to_vec(),
        });
        let mailboxes = market.directory.mailboxes.iter().map(|mailbox| SampleMailbox {
            address: mailbox.address.to_string(),
            group: mailbox.group.to_string(),
            process: mailbox.process.to_string(),
            contact_type: mailbox.contact_type.to_string(),
        });
        Self {
            smtp: place("smtp"),
            submission: place("submission"),
            portal: place("portal"),
            ca: "ca/ca.pem".to_owned(),
            outbox: "outbox".to_owned(),
            users: users.collect(),
            mailboxes: mailboxes.collect(),
        }
    }

    /// What an earlier start left in the folder.
    pub(super) fn load(folder: &Path) -> anyhow::Result<Option<Self>> {
        let file = folder.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let record = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; remove the folder and start again", file.display()))?;
        Ok(Some(record))
    }

    pub(super) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        installation::write(&folder.join(FILE), &serde_json::to_string_pretty(self)?)
    }

    pub(super) fn passwords(&self) -> BTreeMap<String, String> {
        self.users.iter().map(|user| (user.email.clone(), user.password.clone())).collect()
    }
}
