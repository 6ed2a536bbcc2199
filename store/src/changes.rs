//! Changing the directory: the rules, the rows, the events.
//!
//! A change is checked against the directory as it will be, and committed only if the directory has
//! not moved meanwhile; otherwise it is checked again. An address, a domain, a network and a
//! certificate belong to one group.

use mail::{Address, GroupId, Mpid};

use crate::{
    audit::{Act, Actor, Event},
    directory::{ClientCertificate, Directory, Group, KeyedGroup, Mailbox, Participant, User, version_key},
    engine::Changeset,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
    network::Network,
    records,
};

/// One step of a change. Putting what is there already replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryChange {
    Group(Group),
    Participant(Participant),
    User(User),
    Mailbox(Mailbox),
    Certificate(ClientCertificate),
    RemoveUser(UserId),
    RemoveMailbox(Address),
    RemoveParticipant(Mpid),
    RemoveCertificate([u8; 32]),
    /// A new password for a user: its Argon2id hash.
    Password(UserId, String),
}

impl Ledger {
    /// Applies all of `changes`, or none.
    ///
    /// # Errors
    /// `Denied` names the rule that a change breaks and what to do.
    pub async fn change_directory(
        &self,
        actor: &Actor,
        changes: Vec<DirectoryChange>,
    ) -> Result<(), StoreError> {
        loop {
            let directory = self.directory();
            let mut changeset = Changeset {
                require: vec![(version_key(), directory.version)],
                put: vec![(version_key(), records::encode(&())?)],
                ..Changeset::default()
            };
            let mut draft = Draft { ledger: self, directory: &directory, earlier: Vec::new() };
            for change in &changes {
                draft.check(change)?;
                draft.write(change, actor, &mut changeset)?;
                draft.earlier.push(change);
            }
            let outcome = self.commit(changeset).await;
            self.reload_directory().await?;
            match outcome {
                Err(StoreError::Conflict) => {}
                outcome => return outcome.map(drop),
            }
        }
    }
}

/// The directory as it stands, and the changes before the one at hand.
struct Draft<'a> {
    ledger: &'a Ledger,
    directory: &'a Directory,
    earlier: Vec<&'a DirectoryChange>,
}

impl<'a> Draft<'a> {
    fn check(&self, change: &DirectoryChange) -> Result<(), StoreError> {
        match change {
            DirectoryChange::Group(group) => self.check_group(group),
            DirectoryChange::Participant(participant) => self.check_participant(participant),
            DirectoryChange::User(user) => self.check_user(user),
            DirectoryChange::Mailbox(mailbox) => self.check_mailbox(mailbox),
            DirectoryChange::Certificate(certificate) => self.check_certificate(certificate),
            DirectoryChange::Password(user, _) => match self.latest_user(*user) {
                Some(_) => Ok(()),
                None => Err(denied(format!("there is no user {user}; add the user first"))),
            },
            DirectoryChange::RemoveParticipant(mpid) => self.check_unused(mpid),
            DirectoryChange::RemoveUser(_)
            | DirectoryChange::RemoveMailbox(_)
            | DirectoryChange::RemoveCertificate(_) => Ok(()),
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
        let mailboxes = self.mailboxes().map(|mailbox| (&mailbox.address, &mailbox.group));
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

    fn check_user(&self, user: &User) -> Result<(), StoreError> {
        self.require_group(user.group.as_str())?;
        let key = user.email.key();
        if let Some(other) = self.users().find(|other| other.id != user.id && other.email.key() == key) {
            return Err(denied(format!(
                "the address of this user belongs to a user of the group {} already; one address, one user",
                other.group
            )));
        }
        self.check_address(&user.email, user.group.as_str())?;
        for permission in &user.permissions {
            self.require_participant(&permission.participant, user.group.as_str())?;
        }
        Ok(())
    }

    fn check_mailbox(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        self.require_participant(&mailbox.participant, mailbox.group.as_str())?;
        self.check_address(&mailbox.address, mailbox.group.as_str())
    }

    /// No user and no mailbox of another group has the address, and no other group its domain.
    fn check_address(&self, address: &Address, group: &str) -> Result<(), StoreError> {
        let owner = self.groups().filter(|other| other.id.as_str() != group);
        if let Some(owner) =
            owner.into_iter().find(|other| other.domains.iter().any(|d| d == address.domain()))
        {
            return Err(denied(format!(
                "the domain of {address} belongs to the group {}; an address goes with its domain",
                owner.id
            )));
        }
        let key = address.key();
        let users = self.users().map(|user| (&user.email, &user.group));
        let mailboxes = self.mailboxes().map(|mailbox| (&mailbox.address, &mailbox.group));
        match users.chain(mailboxes).find(|(known, owner)| owner.as_str() != group && known.key() == key) {
            Some((_, owner)) => Err(denied(format!(
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
        match self.participants().any(|known| known.mpid == *mpid && known.group.as_str() == group) {
            true => Ok(()),
            false => {
                Err(denied(format!("the group {group} has no participant {mpid}; add the participant first")))
            }
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

    fn users(&self) -> impl Iterator<Item = &User> {
        self.directory.users().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::User(user) => Some(user),
            _ => None,
        }))
    }

    /// The user as the steps so far leave it.
    fn latest_user(&self, id: UserId) -> Option<&User> {
        self.users().filter(|user| user.id == id).last()
    }

    fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.directory.mailboxes().chain(self.earlier.iter().filter_map(|change| match change {
            DirectoryChange::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        }))
    }

    fn write(
        &self,
        change: &DirectoryChange,
        actor: &Actor,
        changeset: &mut Changeset,
    ) -> Result<(), StoreError> {
        let event = Event::new(self.ledger.now(), actor.clone(), Act::DirectoryChanged);
        let event = match change {
            DirectoryChange::Group(group) => {
                let keyed = self.keyed(group)?;
                changeset.put.push((group_key(group.id.as_str()), records::encode(&keyed)?));
                event.group(&group.id)
            }
            DirectoryChange::Participant(participant) => {
                changeset.put.push((participant_key(&participant.mpid), records::encode(participant)?));
                event.group(&participant.group)
            }
            DirectoryChange::User(user) => {
                changeset.put.push((user_key(user.id), records::encode(user)?));
                event.group(&user.group).user(user.id)
            }
            DirectoryChange::Mailbox(mailbox) => {
                changeset.put.push((mailbox_key(&mailbox.address), records::encode(mailbox)?));
                event.group(&mailbox.group)
            }
            DirectoryChange::Certificate(certificate) => {
                changeset
                    .put
                    .push((certificate_key(&certificate.fingerprint), records::encode(certificate)?));
                event.group(&certificate.group)
            }
            DirectoryChange::RemoveUser(id) => {
                changeset.delete.push(user_key(*id));
                of(event.user(*id), self.directory.user(id).map(|user| &user.group))
            }
            DirectoryChange::RemoveMailbox(address) => {
                changeset.delete.push(mailbox_key(address));
                of(event, self.directory.mailbox(address).map(|mailbox| &mailbox.group))
            }
            DirectoryChange::RemoveParticipant(mpid) => {
                changeset.delete.push(participant_key(mpid));
                of(event, self.directory.participant(mpid).map(|participant| &participant.group))
            }
            DirectoryChange::RemoveCertificate(fingerprint) => {
                changeset.delete.push(certificate_key(fingerprint));
                of(event, self.directory.certificate(fingerprint).map(|certificate| &certificate.group))
            }
            DirectoryChange::Password(id, hash) => self.write_password(*id, hash, event, changeset)?,
        };
        changeset.append.push(event.to_bytes()?);
        Ok(())
    }

    fn write_password(
        &self,
        id: UserId,
        hash: &str,
        event: Event,
        changeset: &mut Changeset,
    ) -> Result<Event, StoreError> {
        let Some(user) = self.latest_user(id) else {
            return Err(denied(format!("there is no user {id}; add the user first")));
        };
        let changed = User { password: Some(hash.to_owned()), ..user.clone() };
        changeset.put.push((user_key(id), records::encode(&changed)?));
        Ok(Event { act: Act::PasswordReset, ..event }.group(&user.group).user(id))
    }

    /// A known group keeps its keys; a new one gets its own.
    fn keyed(&self, group: &Group) -> Result<KeyedGroup, StoreError> {
        match self.directory.groups.get(&group.id) {
            Some(known) => Ok(KeyedGroup { group: group.clone(), ..known.clone() }),
            None => {
                let keys = self.ledger.root().new_group(group.id.as_str().as_bytes())?;
                Ok(KeyedGroup::new(group.clone(), keys))
            }
        }
    }
}

fn of(event: Event, group: Option<&GroupId>) -> Event {
    match group {
        Some(group) => event.group(group),
        None => event,
    }
}

fn denied(reason: String) -> StoreError {
    StoreError::Denied(reason)
}

fn group_key(id: &str) -> Vec<u8> {
    Key::of(Table::Group).text(id).done()
}

fn participant_key(mpid: &Mpid) -> Vec<u8> {
    Key::of(Table::Participant).text(mpid.as_str()).done()
}

fn user_key(id: UserId) -> Vec<u8> {
    Key::of(Table::User).id(&id).done()
}

fn mailbox_key(address: &Address) -> Vec<u8> {
    Key::of(Table::Mailbox).text(&address.key()).done()
}

fn certificate_key(fingerprint: &[u8; 32]) -> Vec<u8> {
    Key::of(Table::Certificate).raw(fingerprint).done()
}
