//! The directory as a file: companies, people, permissions, mailboxes and client certificates in TOML or JSON.
//! What `postern directory export` writes and `import` reads. Holds no password and no key.

mod compare;
mod fields;
mod names;
mod written;

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use mail::{Address, ContactType, GroupId, Mpid, ProcessId};
use serde::{Deserialize, Serialize};
use store::{Directory, MailboxAlerts, Network, Role};

pub(crate) use self::compare::{Difference, compare};
pub(crate) use self::names::is_plain_name;
pub(crate) use self::written::{Hex, ReceiptsName, RoleName, StateName, TimeOfDay, Written};

/// The file. Every list may be absent; what the file does not name stays as it is, and so does what an entry of it
/// does not name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DirectoryFile {
    #[serde(rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<GroupEntry>,
    #[serde(rename = "participant", skip_serializing_if = "Vec::is_empty")]
    pub(crate) participants: Vec<ParticipantEntry>,
    #[serde(rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<UserEntry>,
    #[serde(rename = "mailbox", skip_serializing_if = "Vec::is_empty")]
    pub(crate) mailboxes: Vec<MailboxEntry>,
    #[serde(rename = "certificate", skip_serializing_if = "Vec::is_empty")]
    pub(crate) certificates: Vec<CertificateEntry>,
}

/// A company group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupEntry {
    pub(crate) id: Written<GroupId>,
    pub(crate) name: String,
    /// Mail domains of the group's staff.
    pub(crate) domains: Vec<String>,
    /// Networks that speak for the group without further proof. Absent: as before; a new group has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) networks: Option<Vec<Written<Network>>>,
    /// The one name in client certificates that speaks for the group, whatever certificate bears it. Absent: as before;
    /// an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_name: Option<String>,
    /// Which of its mails the group gets receipts for. Absent: as before; a new group for new cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipts: Option<ReceiptsName>,
}

/// A licensed market role inside a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParticipantEntry {
    pub(crate) mpid: Written<Mpid>,
    pub(crate) group: Written<GroupId>,
    pub(crate) name: String,
    pub(crate) role: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserEntry {
    pub(crate) email: Written<Address>,
    pub(crate) group: Written<GroupId>,
    pub(crate) name: String,
    pub(crate) role: RoleName,
    /// `false`: suspended. Absent: as before, or as `state` says; a new user is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<bool>,
    /// Where `active` says too little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<StateName>,
    /// Absent: as before; a new user has none. An empty list takes all away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<PermissionEntry>>,
}

/// What a user may read and act on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionEntry {
    pub(crate) participant: Written<Mpid>,
    pub(crate) process: Written<ProcessId>,
    pub(crate) contact_type: Written<ContactType>,
}

/// A legacy address and the rung that reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailboxEntry {
    pub(crate) address: Written<Address>,
    pub(crate) group: Written<GroupId>,
    pub(crate) participant: Written<Mpid>,
    pub(crate) process: Written<ProcessId>,
    pub(crate) contact_type: Written<ContactType>,
    /// Times of day (`"09:00"`, market time) at which one mail tells all that waits. Absent: as before; an empty list, and a
    /// new mailbox: each case at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Vec<TimeOfDay>>,
}

/// A client certificate that speaks for a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateEntry {
    /// SHA-256 of the certificate's DER form, in hexadecimal.
    pub(crate) fingerprint: Hex,
    pub(crate) group: Written<GroupId>,
    pub(crate) name: String,
    pub(crate) not_after: Written<Timestamp>,
}

impl DirectoryFile {
    /// Reads a `.json` file as JSON and every other one as TOML.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{}: cannot read the directory file", file.display()))?;
        let read = if file.extension().is_some_and(|extension| extension == "json") {
            serde_json::from_str(&text).map_err(anyhow::Error::from)
        } else {
            toml::from_str(&text).map_err(anyhow::Error::from)
        };
        read.with_context(|| format!("{}: not a directory file", file.display()))
    }

    pub(crate) fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// The whole directory, in a fixed order, without passwords and keys.
    pub(crate) fn of(directory: &Directory) -> Self {
        let mut users: Vec<_> = directory.users().map(UserEntry::of).collect();
        users.sort_by(|a, b| (&a.group.0, a.email.0.key()).cmp(&(&b.group.0, b.email.0.key())));
        Self {
            groups: directory.groups().map(GroupEntry::of).collect(),
            participants: directory.participants().map(ParticipantEntry::of).collect(),
            users,
            mailboxes: directory.mailboxes().map(MailboxEntry::of).collect(),
            certificates: directory.certificates().map(CertificateEntry::of).collect(),
        }
    }
}

impl GroupEntry {
    fn of(group: &store::Group) -> Self {
        Self {
            id: Written(group.id.clone()),
            name: group.name.clone(),
            domains: group.domains.clone(),
            networks: Some(group.networks.iter().copied().map(Written).collect()),
            certificate_name: group.certificate_name.clone(),
            receipts: Some(ReceiptsName::of(group.receipts)),
        }
    }

    fn record(&self, earlier: Option<&store::Group>) -> store::Group {
        let written = self.networks.as_ref().map(|list| list.iter().map(|network| network.0).collect());
        let earlier_or_new = match earlier {
            Some(earlier) => earlier.clone(),
            None => store::Group::new(self.id.0.clone(), self.name.clone()),
        };
        store::Group {
            name: self.name.clone(),
            domains: self.domains.iter().map(|domain| domain.to_lowercase()).collect(),
            networks: written.or_else(|| earlier.map(|group| group.networks.clone())).unwrap_or_default(),
            certificate_name: match &self.certificate_name {
                Some(name) => (!name.is_empty()).then(|| name.to_lowercase()),
                None => earlier.and_then(|group| group.certificate_name.clone()),
            },
            receipts: match self.receipts {
                Some(receipts) => receipts.into(),
                None => earlier.map(|group| group.receipts).unwrap_or_default(),
            },
            ..earlier_or_new
        }
    }
}

impl ParticipantEntry {
    fn of(participant: &store::Participant) -> Self {
        Self {
            mpid: Written(participant.mpid.clone()),
            group: Written(participant.group.clone()),
            name: participant.name.clone(),
            role: participant.role.clone(),
        }
    }

    /// What files do not say of a participant stays as it is.
    fn record(&self, earlier: Option<&store::Participant>) -> store::Participant {
        let (mpid, group) = (self.mpid.0.clone(), self.group.0.clone());
        let new = store::Participant::new(mpid, group, self.name.clone(), self.role.clone());
        match earlier {
            Some(earlier) => store::Participant {
                fuel: earlier.fuel,
                moving: earlier.moving.clone(),
                former: earlier.former.clone(),
                ..new
            },
            None => new,
        }
    }
}

impl UserEntry {
    fn of(user: &store::User) -> Self {
        Self {
            email: Written(user.email.clone()),
            group: Written(user.group.clone()),
            name: user.name.clone(),
            role: RoleName::of(user.role),
            active: Some(user.is_active()),
            state: Some(StateName::of(user.state)).filter(|state| !state.is_told_by_active()),
            permissions: Some(user.permissions.iter().map(PermissionEntry::of).collect()),
        }
    }

    /// What the file names, which is nothing where it is silent.
    pub(crate) fn permissions(&self) -> &[PermissionEntry] {
        self.permissions.as_deref().unwrap_or_default()
    }

    /// `earlier` is the same person as the directory knows them; identity and password stay theirs, and so does what
    /// the entry does not name.
    pub(crate) fn record(&self, id: store::UserId, earlier: Option<&store::User>) -> store::User {
        let mut permissions: Vec<_> = match (&self.permissions, earlier) {
            (None, Some(user)) => user.permissions.clone(),
            _ => self.permissions().iter().map(PermissionEntry::record).collect(),
        };
        permissions.sort();
        permissions.dedup();
        let named = match earlier {
            Some(earlier) => earlier.clone(),
            None => store::User::new(id, self.group.0.clone(), self.email.0.clone(), self.name.clone()),
        };
        store::User {
            group: self.group.0.clone(),
            email: self.email.0.clone(),
            name: self.name.clone(),
            role: Role::from(self.role),
            permissions,
            state: self.state(earlier),
            ..named
        }
    }

    /// `state` says more than `active`; silence leaves it as it was.
    fn state(&self, earlier: Option<&store::User>) -> store::UserState {
        match (self.state, self.active) {
            (Some(state), _) => state.into(),
            (None, Some(true)) => store::UserState::Confirmed,
            (None, Some(false)) => store::UserState::Suspended,
            (None, None) => earlier.map_or(store::UserState::Confirmed, |user| user.state),
        }
    }
}

impl PermissionEntry {
    fn of(permission: &store::Permission) -> Self {
        Self {
            participant: Written(permission.participant.clone()),
            process: Written(permission.process.clone()),
            contact_type: Written(permission.contact_type.clone()),
        }
    }

    pub(crate) fn record(&self) -> store::Permission {
        store::Permission {
            participant: self.participant.0.clone(),
            process: self.process.0.clone(),
            contact_type: self.contact_type.0.clone(),
        }
    }
}

impl MailboxEntry {
    fn of(mailbox: &store::Mailbox) -> Self {
        Self {
            address: Written(mailbox.address.clone()),
            group: Written(mailbox.group.clone()),
            participant: Written(mailbox.participant.clone()),
            process: Written(mailbox.process.clone()),
            contact_type: Written(mailbox.contact_type.clone()),
            digest: match &mailbox.alerts {
                MailboxAlerts::AtOnce => None,
                MailboxAlerts::Digest(times) => Some(times.iter().copied().map(TimeOfDay).collect()),
            },
        }
    }

    fn record(&self, earlier: Option<&store::Mailbox>) -> store::Mailbox {
        store::Mailbox {
            address: self.address.0.clone(),
            group: self.group.0.clone(),
            participant: self.participant.0.clone(),
            process: self.process.0.clone(),
            contact_type: self.contact_type.0.clone(),
            alerts: match &self.digest {
                Some(times) if times.is_empty() => MailboxAlerts::AtOnce,
                Some(times) => MailboxAlerts::Digest(times.iter().map(|time| time.0).collect()),
                None => earlier.map(|mailbox| mailbox.alerts.clone()).unwrap_or_default(),
            },
        }
    }
}

impl CertificateEntry {
    fn of(certificate: &store::ClientCertificate) -> Self {
        Self {
            fingerprint: Hex(certificate.fingerprint),
            group: Written(certificate.group.clone()),
            name: certificate.name.clone(),
            not_after: Written(Timestamp::from_second(certificate.not_after).unwrap_or(Timestamp::MAX)),
        }
    }

    pub(crate) fn record(&self) -> store::ClientCertificate {
        store::ClientCertificate {
            fingerprint: self.fingerprint.0,
            group: self.group.0.clone(),
            name: self.name.clone(),
            not_after: self.not_after.0.as_second(),
        }
    }
}
