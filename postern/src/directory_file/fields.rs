//! The records of the directory, field by field, as people read a change: what was, what will be.

use std::fmt::Display;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ReceiptsName, RoleName, TimeOfDay};

/// One field that an import changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FieldChange {
    pub(crate) name: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// A record whose fields can be shown, always the same ones in the same order.
pub(super) trait Fields {
    fn fields(&self) -> Vec<(&'static str, String)>;
}

/// The fields in which two states of one record differ.
pub(super) fn changed<T: Fields>(before: &T, after: &T) -> Vec<FieldChange> {
    let pairs = before.fields().into_iter().zip(after.fields());
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| FieldChange { name: name.to_owned(), before, after })
        .collect()
}

impl Fields for store::Group {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("domains", listed(&self.domains)),
            ("networks", listed(&self.networks)),
            ("certificate_name", self.certificate_name.clone().unwrap_or_else(|| "none".to_owned())),
            ("receipts", ReceiptsName::of(self.receipts).as_str().to_owned()),
        ]
    }
}

impl Fields for store::Participant {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("group", self.group.to_string()), ("name", self.name.clone()), ("role", self.role.clone())]
    }
}

impl Fields for store::User {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let permission = |permission: &store::Permission| {
            format!("{}/{}/{}", permission.participant, permission.process, permission.contact_type)
        };
        let permissions: Vec<_> = self.permissions.iter().map(permission).collect();
        vec![
            ("email", self.email.to_string()),
            ("group", self.group.to_string()),
            ("name", self.name.clone()),
            ("role", RoleName::of(self.role).as_str().to_owned()),
            ("state", self.state.to_string()),
            ("permissions", listed(&permissions)),
        ]
    }
}

impl Fields for store::Mailbox {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("address", self.address.to_string()),
            ("group", self.group.to_string()),
            ("participant", self.participant.to_string()),
            ("process", self.process.to_string()),
            ("contact_type", self.contact_type.to_string()),
            ("digest", digest(&self.alerts)),
        ]
    }
}

fn digest(alerts: &store::MailboxAlerts) -> String {
    match alerts {
        store::MailboxAlerts::AtOnce => "none".to_owned(),
        store::MailboxAlerts::Digest(times) => {
            listed(&times.iter().copied().map(TimeOfDay).collect::<Vec<_>>())
        }
    }
}

impl Fields for store::ClientCertificate {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let not_after = Timestamp::from_second(self.not_after).unwrap_or(Timestamp::MAX);
        vec![
            ("group", self.group.to_string()),
            ("name", self.name.clone()),
            ("not_after", not_after.to_string()),
        ]
    }
}

fn listed<T: Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        items => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
