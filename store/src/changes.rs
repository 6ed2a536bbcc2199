//! Changing the directory: the rows and the events; the rules are in `rules`.
//!
//! A change is checked against the directory as it will be, and committed only if the directory has
//! not moved meanwhile; otherwise it is checked again.

mod rules;

use mail::{Address, GroupId, Mpid};

use crate::{
    app_password_use::use_key,
    audit::{Act, Actor, Event},
    credentials::{AppPassword, Connector},
    directory::{ClientCertificate, Directory, Group, KeyedGroup, Mailbox, Participant, User, version_key},
    engine::Changeset,
    error::StoreError,
    ids::{AppPasswordId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
    stages::{Scope, Stage, StageSetting},
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
    Connector(Connector),
    /// By its name.
    RemoveConnector(String),
    AppPassword(AppPassword),
    RemoveAppPassword(UserId, AppPasswordId),
    /// The salt of a user's app passwords; only for a user who has none.
    ScramSalt(UserId, [u8; 16]),
    /// How far Postern is let; none: back to what is set for the wider scope.
    Stage(Scope, Option<Stage>),
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
            let outcome = self.commit(self.directory_changes(actor, &changes)?).await;
            self.reload_directory().await?;
            match outcome {
                Err(StoreError::Conflict) => {}
                outcome => return outcome.map(drop),
            }
        }
    }

    /// What `changes` write, checked against the directory as it is now. Whoever commits it reads the directory again
    /// afterwards, and puts it together anew after a conflict.
    pub(crate) fn directory_changes(
        &self,
        actor: &Actor,
        changes: &[DirectoryChange],
    ) -> Result<Changeset, StoreError> {
        let directory = self.directory();
        let mut changeset = Changeset {
            require: vec![(version_key(), directory.version)],
            put: vec![(version_key(), records::encode(&())?)],
            ..Changeset::default()
        };
        let mut draft = Draft { ledger: self, directory: &directory, earlier: Vec::new() };
        for change in changes {
            draft.check(change)?;
            draft.write(change, actor, &mut changeset)?;
            draft.earlier.push(change);
        }
        Ok(changeset)
    }
}

/// The directory as it stands, and the changes before the one at hand.
struct Draft<'a> {
    ledger: &'a Ledger,
    directory: &'a Directory,
    earlier: Vec<&'a DirectoryChange>,
}

impl<'a> Draft<'a> {
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
                let passwords = self.directory.app_passwords.get(id).into_iter().flatten();
                changeset.delete.extend(passwords.flat_map(|known| app_password_keys(*id, known.id)));
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
            DirectoryChange::Stage(scope, stage) => self.write_stage(scope, *stage, event, changeset)?,
            DirectoryChange::Connector(_)
            | DirectoryChange::RemoveConnector(_)
            | DirectoryChange::AppPassword(_)
            | DirectoryChange::RemoveAppPassword(..)
            | DirectoryChange::ScramSalt(..) => self.write_credential(change, event, changeset)?,
        };
        changeset.append.push(event.to_bytes()?);
        Ok(())
    }

    fn write_credential(
        &self,
        change: &DirectoryChange,
        event: Event,
        changeset: &mut Changeset,
    ) -> Result<Event, StoreError> {
        let event = |act| Event { act, ..event };
        Ok(match change {
            DirectoryChange::Connector(connector) => {
                changeset.put.push((connector_key(&connector.name), records::encode(connector)?));
                event(Act::ConnectorSet).group(&connector.group).name(&connector.name)
            }
            DirectoryChange::RemoveConnector(name) => {
                changeset.delete.push(connector_key(name));
                let group = self.directory.connector(name).map(|connector| &connector.group);
                of(event(Act::ConnectorRemoved).name(name), group)
            }
            DirectoryChange::AppPassword(password) => {
                changeset
                    .put
                    .push((app_password_key(password.user, password.id), records::encode(password)?));
                let event = event(Act::AppPasswordAdded).user(password.user).app_password(password.id);
                of(event, self.group_of(password.user))
            }
            DirectoryChange::RemoveAppPassword(user, id) => {
                changeset.delete.extend(app_password_keys(*user, *id));
                let event = event(Act::AppPasswordRemoved).user(*user).app_password(*id);
                of(event, self.group_of(*user))
            }
            DirectoryChange::ScramSalt(user, salt) => {
                let Some(known) = self.latest_user(*user) else { return Err(no_user(*user)) };
                let salted = User { scram_salt: Some(*salt), ..known.clone() };
                changeset.put.push((user_key(*user), records::encode(&salted)?));
                event(Act::DirectoryChanged).group(&known.group).user(*user)
            }
            _ => event(Act::DirectoryChanged),
        })
    }

    fn write_stage(
        &self,
        scope: &Scope,
        stage: Option<Stage>,
        event: Event,
        changeset: &mut Changeset,
    ) -> Result<Event, StoreError> {
        match stage {
            Some(stage) => {
                let setting = StageSetting { scope: scope.clone(), stage, since: self.ledger.now() };
                changeset.put.push((scope.key(), records::encode(&setting)?));
            }
            None => changeset.delete.push(scope.key()),
        }
        let mut event = Event { act: Act::StageSet, process: scope.process.clone(), ..event }
            .name(stage.map_or("as the wider scope", Stage::as_str));
        event.group = scope.group.clone();
        Ok(event)
    }

    fn group_of(&self, user: UserId) -> Option<&GroupId> {
        self.latest_user(user).map(|user| &user.group)
    }

    fn write_password(
        &self,
        id: UserId,
        hash: &str,
        event: Event,
        changeset: &mut Changeset,
    ) -> Result<Event, StoreError> {
        let Some(user) = self.latest_user(id) else {
            return Err(no_user(id));
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

fn no_user(id: UserId) -> StoreError {
    denied(format!("there is no user {id}; add the user first"))
}

fn connector_key(name: &str) -> Vec<u8> {
    Key::of(Table::Connector).text(name).done()
}

/// What it is, and when it was used.
fn app_password_keys(user: UserId, id: AppPasswordId) -> [Vec<u8>; 2] {
    [app_password_key(user, id), use_key(user, id)]
}

fn app_password_key(user: UserId, id: AppPasswordId) -> Vec<u8> {
    Key::of(Table::AppPassword).id(&user).id(&id).done()
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
