//! The rules of the directory: an address, a domain, a network, a certificate and its name, a connector and its tenant
//! belong to one group. Changes nothing.

use mail::{Address, GroupId, Mpid};

use super::{DirectoryChange, Draft, denied, no_user};
use crate::{
    alerts::Alerts,
    credentials::{AppPassword, Connector},
    directory::{ClientCertificate, Group, Mailbox, Participant, User},
    error::StoreError,
    ids::UserId,
    network::Network,
    people::UserState,
};

/// Each one is tried at every login.
const MOST_APP_PASSWORDS: usize = 20;

impl Draft<'_> {
    pub(super) fn check(&self, change: &DirectoryChange) -> Result<(), StoreError> {
        match change {
            DirectoryChange::Group(group) => self.check_group(group),
            DirectoryChange::Participant(participant) => self.check_participant(participant),
            DirectoryChange::Mailbox(mailbox) => self.check_mailbox(mailbox),
            DirectoryChange::Certificate(certificate) => self.check_certificate(certificate),
            DirectoryChange::RemoveParticipant(mpid) => self.check_unused(mpid),
            // Those about a user are checked by what they make of the user.
            DirectoryChange::User(_)
            | DirectoryChange::RemoveUser(_)
            | DirectoryChange::State(..)
            | DirectoryChange::RoleOf(..)
            | DirectoryChange::NameOf(..)
            | DirectoryChange::Grants { .. }
            | DirectoryChange::Password(..)
            | DirectoryChange::RemoveMailbox(_)
            | DirectoryChange::RemoveCertificate(_)
            | DirectoryChange::RemoveConnector(_)
            | DirectoryChange::RemoveAppPassword(..) => Ok(()),
            DirectoryChange::AlertsOf(_, alerts) | DirectoryChange::GroupAlerts(_, alerts) => {
                alerts.as_ref().map_or(Ok(()), Alerts::check)
            }
            DirectoryChange::NoticeStyle(group, _) => self.require_group(group.as_str()),
            DirectoryChange::Stage(scope, _) => match &scope.group {
                Some(group) => self.require_group(group.as_str()),
                None => Ok(()),
            },
            DirectoryChange::MoveParticipant(mpid, arranged) => {
                self.check_arranged_move(mpid, arranged.as_ref())
            }
            DirectoryChange::CarryOutMove(mpid) => self.check_move(mpid),
            DirectoryChange::Connector(connector) => self.check_connector(connector),
            DirectoryChange::AppPassword(password) => self.check_app_password(password),
            // Other salts than the first would make every app password useless.
            DirectoryChange::ScramSalt(user, _) => match self.latest_user(*user) {
                Some(user) if user.scram_salt.is_none() => Ok(()),
                Some(_) => Err(denied(format!("the user {user} has a salt already; keep it"))),
                None => Err(no_user(*user)),
            },
        }
    }

    fn check_group(&self, group: &Group) -> Result<(), StoreError> {
        for other in self.groups().filter(|other| other.id != group.id) {
            if let Some(domain) = group.domains.iter().find(|domain| other.domains.contains(domain)) {
                return Err(denied(format!(
                    "the domain {domain} belongs to the group {}; remove it there before giving it to {}",
                    other.id, group.id
                )));
            }
            self.check_certificate_name(group, other)?;
            let shared = |network: &&Network| other.networks.iter().any(|known| known.overlaps(network));
            if let Some(network) = group.networks.iter().find(shared) {
                return Err(denied(format!(
                    "addresses of the network {network} speak for the group {}; remove them there before giving \
                     them to {}",
                    other.id, group.id
                )));
            }
        }
        self.check_networks(group)?;
        self.check_domains(group)
    }

    /// A name in a certificate speaks for one company alone.
    fn check_certificate_name(&self, group: &Group, other: &Group) -> Result<(), StoreError> {
        let lower = |group: &Group| group.certificate_name.as_ref().map(|name| name.to_lowercase());
        match lower(group).filter(|name| lower(other).as_ref() == Some(name)) {
            Some(name) => Err(denied(format!(
                "the certificate name {name} speaks for the group {}; remove it there before giving it to {}",
                other.id, group.id
            ))),
            None => Ok(()),
        }
    }

    /// A network speaks for a company without further proof, so it must be one that a company can have.
    fn check_networks(&self, group: &Group) -> Result<(), StoreError> {
        match group.networks.iter().find(|network| network.is_too_wide()) {
            Some(network) => Err(denied(format!(
                "the network {network} is too wide to be one company's; name the addresses of its mail systems, at \
                 most a /16 (IPv4) or a /32 (IPv6)"
            ))),
            None => Ok(()),
        }
    }

    /// Nobody of another group has an address in the group's domains.
    fn check_domains(&self, group: &Group) -> Result<(), StoreError> {
        let users = self.users().map(|user| (&user.email, &user.group));
        let came_from_here = |mailbox: &Mailbox| {
            self.directory
                .participant(&mailbox.participant)
                .is_some_and(|known| known.former.contains(&group.id))
        };
        let mailboxes = self.mailboxes().filter(|mailbox| !came_from_here(mailbox));
        let mailboxes = mailboxes.map(|mailbox| (&mailbox.address, &mailbox.group));
        let stranger = users.chain(mailboxes).find(|(address, owner)| {
            **owner != group.id && group.domains.iter().any(|domain| domain == address.domain())
        });
        match stranger {
            Some((address, owner)) => Err(denied(format!(
                "{address} belongs to the group {owner} and lies in a domain of {}; one of the two must go",
                group.id
            ))),
            None => Ok(()),
        }
    }

    fn check_participant(&self, participant: &Participant) -> Result<(), StoreError> {
        self.require_group(participant.group.as_str())?;
        let taken = |other: &&Participant| other.mpid == participant.mpid && other.group != participant.group;
        match self.participants().find(taken) {
            Some(other) => Err(denied(format!(
                "the participant {} belongs to the group {}; a participant is in one group",
                other.mpid, other.group
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn check_user(&self, user: &User) -> Result<(), StoreError> {
        self.require_group(user.group.as_str())?;
        if user.state == UserState::Removed {
            return Ok(());
        }
        if let Some(other) = self.user_of(&user.email).filter(|other| other.id != user.id) {
            return Err(denied(format!(
                "the address of this user belongs to a user of the group {} already; one address, one user",
                other.group
            )));
        }
        self.check_address(&user.email, user.group.as_str(), &[])?;
        let before =
            self.latest_user(user.id).map(|before| before.permissions.as_slice()).unwrap_or_default();
        for permission in user.permissions.iter().filter(|permission| !before.contains(permission)) {
            self.require_participant(&permission.participant, user.group.as_str())?;
        }
        Ok(())
    }

    fn check_mailbox(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        self.require_group(mailbox.group.as_str())?;
        let of_group =
            |known: &&Participant| known.mpid == mailbox.participant && known.group == mailbox.group;
        match self.participants().filter(of_group).last() {
            // A mailbox that came with a participant keeps its address in the domain of the group that it came from.
            Some(participant) => {
                self.check_address(&mailbox.address, mailbox.group.as_str(), &participant.former)
            }
            None => Err(no_participant(&mailbox.participant, mailbox.group.as_str())),
        }
    }

    /// No user and no mailbox of another group has the address, and no other group its domain.
    fn check_address(&self, address: &Address, group: &str, lent: &[GroupId]) -> Result<(), StoreError> {
        let owner = self.groups().filter(|other| other.id.as_str() != group && !lent.contains(&other.id));
        if let Some(owner) =
            owner.into_iter().find(|other| other.domains.iter().any(|d| d == address.domain()))
        {
            return Err(denied(format!(
                "the domain of {address} belongs to the group {}; an address goes with its domain",
                owner.id
            )));
        }
        let key = address.key();
        let mailboxes = self.mailboxes().filter(|mailbox| mailbox.address.key() == key);
        let owners = self
            .user_of(address)
            .map(|user| &user.group)
            .into_iter()
            .chain(mailboxes.map(|known| &known.group));
        match owners.into_iter().find(|owner| owner.as_str() != group && !lent.contains(owner)) {
            Some(owner) => Err(denied(format!(
                "the address {address} belongs to the group {owner}; take it away there first"
            ))),
            None => Ok(()),
        }
    }

    fn check_certificate(&self, certificate: &ClientCertificate) -> Result<(), StoreError> {
        self.require_group(certificate.group.as_str())?;
        let taken = self.directory.certificate(&certificate.fingerprint);
        match taken.filter(|known| known.group != certificate.group) {
            Some(known) => Err(denied(format!(
                "the certificate {} speaks for the group {}; remove it there first",
                known.name, known.group
            ))),
            None => Ok(()),
        }
    }

    /// A connector's name, and its tenant of a provider, belong to one group.
    fn check_connector(&self, connector: &Connector) -> Result<(), StoreError> {
        self.require_group(connector.group.as_str())?;
        for other in self.connectors() {
            if other.name == connector.name && other.group != connector.group {
                return Err(denied(format!(
                    "the connector {} belongs to the group {}; choose another name",
                    other.name, other.group
                )));
            }
            let same_tenant = other.provider == connector.provider
                && other.tenant.eq_ignore_ascii_case(&connector.tenant)
                && other.name != connector.name;
            if same_tenant {
                return Err(denied(format!(
                    "the tenant {} of {} belongs to the connector {} of the group {}; remove that one first",
                    connector.tenant, connector.provider, other.name, other.group
                )));
            }
        }
        Ok(())
    }

    fn check_app_password(&self, password: &AppPassword) -> Result<(), StoreError> {
        let Some(user) = self.latest_user(password.user) else { return Err(no_user(password.user)) };
        if user.scram_salt.is_none() {
            return Err(denied(format!(
                "the user {} has no salt yet; ask the ledger for one first",
                user.id
            )));
        }
        let others = self.directory.app_passwords.get(&user.id).into_iter().flatten();
        let others: Vec<_> = others.filter(|other| other.id != password.id).collect();
        if others.len() >= MOST_APP_PASSWORDS {
            return Err(denied(format!(
                "a user has at most {MOST_APP_PASSWORDS} app passwords; remove one that is not used any more"
            )));
        }
        match others.iter().any(|other| other.name == password.name) {
            true => Err(denied(format!(
                "there is an app password `{}` already; name the new one differently",
                password.name
            ))),
            false => Ok(()),
        }
    }

    /// A participant that a mailbox or a permission names cannot go.
    fn check_unused(&self, mpid: &Mpid) -> Result<(), StoreError> {
        let mailbox = self.mailboxes().find(|mailbox| mailbox.participant == *mpid);
        if let Some(mailbox) = mailbox {
            let address = &mailbox.address;
            return Err(denied(format!("the mailbox {address} is mapped to {mpid}; unmap it first")));
        }
        let named = |user: &&User| user.permissions.iter().any(|permission| permission.participant == *mpid);
        match self.users().find(named) {
            Some(user) => {
                Err(denied(format!("the user {} has permissions for {mpid}; take them away first", user.id)))
            }
            None => Ok(()),
        }
    }

    fn require_group(&self, group: &str) -> Result<(), StoreError> {
        match self.groups().any(|known| known.id.as_str() == group) {
            true => Ok(()),
            false => Err(denied(format!("there is no group {group}; add the group first"))),
        }
    }

    fn require_participant(&self, mpid: &Mpid, group: &str) -> Result<(), StoreError> {
        self.require_group(group)?;
        let its = |known: &Participant| {
            known.group.as_str() == group || known.former.iter().any(|former| former.as_str() == group)
        };
        match self.participants().any(|known| known.mpid == *mpid && its(known)) {
            true => Ok(()),
            false => Err(no_participant(mpid, group)),
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.directory.groups().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::Group(group) => Some(group),
            _ => None,
        }))
    }

    fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.directory.participants().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::Participant(participant) => Some(participant),
            _ => None,
        }))
    }

    /// As the steps so far leave them, without the removed.
    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        let untouched = self.directory.users().filter(|user| !self.people.contains_key(&user.id));
        untouched.chain(self.people.values()).filter(|user| user.state != UserState::Removed)
    }

    /// Whose address it is as the steps so far leave it.
    fn user_of(&self, address: &Address) -> Option<&User> {
        let key = address.key();
        let untouched =
            self.directory.user_by_email(address).filter(|user| !self.people.contains_key(&user.id));
        let there = |user: &&User| user.state != UserState::Removed && user.email.key() == key;
        untouched.or_else(|| self.people.values().find(there))
    }

    fn connectors(&self) -> impl Iterator<Item = &Connector> {
        self.directory.connectors().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::Connector(connector) => Some(connector),
            _ => None,
        }))
    }

    /// The user as the steps so far leave it.
    pub(super) fn latest_user(&self, id: UserId) -> Option<&User> {
        self.people.get(&id).or_else(|| self.directory.user(&id))
    }

    fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.directory.mailboxes().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        }))
    }
}

fn no_participant(mpid: &Mpid, group: &str) -> StoreError {
    denied(format!("the group {group} has no participant {mpid}; add the participant first"))
}
