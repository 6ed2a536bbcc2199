//! Changing the directory: the rows and the events; the rules are in `rules`.
//!
//! A change is checked against the directory as it will be, and committed only if the directory has
//! not moved meanwhile; otherwise it is checked again.

mod moves;
mod people;
mod rights;
mod rules;

use std::collections::BTreeMap;

use mail::{Address, GroupId, Mpid};

use crate::{
    alerts::{Alerts, NoticeStyle},
    app_password_use::use_key,
    audit::{Act, Actor, Event},
    credentials::{AppPassword, Connector},
    directory::{
        ClientCertificate, Directory, Group, KeyedGroup, Mailbox, Move, Participant, Permission, Role, User,
        version_key,
    },
    engine::Changeset,
    error::StoreError,
    ids::{AppPasswordId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    people::UserState,
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
    /// The name stays for the audit trail; every way in goes, and so do the permissions.
    RemoveUser(UserId),
    State(UserId, UserState),
    RoleOf(UserId, Role),
    /// What the user is called.
    NameOf(UserId, String),
    /// When the user is told of what waits; none: as the group has it.
    AlertsOf(UserId, Option<Alerts>),
    /// The same, for the users of the group who chose nothing; none: never.
    GroupAlerts(GroupId, Option<Alerts>),
    /// How the letters to the group's people look.
    NoticeStyle(GroupId, NoticeStyle),
    /// Permissions given and taken, whatever else the user holds meanwhile.
    Grants {
        user: UserId,
        add: Vec<Permission>,
        remove: Vec<Permission>,
    },
    /// Another group's from a day on; none calls that off.
    MoveParticipant(Mpid, Option<Move>),
    /// The day has come.
    CarryOutMove(Mpid),
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
            match self.try_change(actor, &changes, &[]).await {
                Err(StoreError::Conflict) => {}
                outcome => return outcome,
            }
        }
    }

    /// One try, which also fails with `Conflict` when a row of `require` has moved.
    pub(crate) async fn try_change(
        &self,
        actor: &Actor,
        changes: &[DirectoryChange],
        require: &[(Vec<u8>, Option<u64>)],
    ) -> Result<(), StoreError> {
        let mut changeset = self.permitted_changes(actor, changes).await?;
        changeset.require.extend_from_slice(require);
        let outcome = self.commit(changeset).await;
        self.reload_directory().await?;
        outcome.map(drop)
    }

    /// Applies all of `changes`, or none, and mails everybody whom they add as invited the link to a first password.
    ///
    /// # Errors
    /// As [`Ledger::change_directory`].
    pub async fn admit(&self, actor: &Actor, changes: Vec<DirectoryChange>) -> Result<(), StoreError> {
        loop {
            let mut changeset = self.permitted_changes(actor, &changes).await?;
            let known = self.directory();
            for user in changes.iter().filter_map(DirectoryChange::invited) {
                if known.user(&user.id).is_none() {
                    self.add_invitation(actor, user, &mut changeset).await?;
                }
            }
            let outcome = self.commit(changeset).await;
            self.reload_directory().await?;
            match outcome {
                Err(StoreError::Conflict) => {}
                Ok(_) => {
                    self.announce_work();
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks whether `changes` would be let through, and changes nothing.
    ///
    /// # Errors
    /// The number of the change that would not be, from 0 on, and why. Nothing is recorded: nothing was tried.
    pub fn try_out(&self, actor: &Actor, changes: &[DirectoryChange]) -> Result<(), (usize, StoreError)> {
        self.drafted(actor, &self.directory(), changes)
            .map(drop)
            .map_err(|refused| (refused.step, refused.why))
    }

    /// What `changes` write; a refusal is recorded.
    async fn permitted_changes(
        &self,
        actor: &Actor,
        changes: &[DirectoryChange],
    ) -> Result<Changeset, StoreError> {
        let directory = self.directory();
        let mut changeset = match self.drafted(actor, &directory, changes) {
            Ok(changeset) => changeset,
            Err(refused) => return Err(self.refuse(actor, &directory, refused).await?),
        };
        self.tell_of_moves(actor, &directory, changes, &mut changeset).await?;
        Ok(changeset)
    }

    /// What `changes` write, checked against the directory as it is now. Whoever commits it reads the directory again
    /// afterwards, and puts it together anew after a conflict.
    pub(crate) fn directory_changes(
        &self,
        actor: &Actor,
        changes: &[DirectoryChange],
    ) -> Result<Changeset, StoreError> {
        self.drafted(actor, &self.directory(), changes).map_err(|refused| refused.why)
    }

    fn drafted(
        &self,
        actor: &Actor,
        directory: &Directory,
        changes: &[DirectoryChange],
    ) -> Result<Changeset, Refused> {
        let of = |step: usize, why| Refused { step, what: changes.get(step).map(DirectoryChange::noun), why };
        let version = records::encode(&()).map_err(|why| of(changes.len(), why))?;
        let mut changeset = Changeset {
            require: vec![(version_key(), directory.version)],
            put: vec![(version_key(), version)],
            ..Changeset::default()
        };
        let people = BTreeMap::new();
        let mut draft = Draft { ledger: self, directory, actor, earlier: Vec::new(), people };
        for (step, change) in changes.iter().enumerate() {
            draft.step(change, &mut changeset).map_err(|why| of(step, why))?;
        }
        draft.check_last_mau().map_err(|why| of(changes.len().saturating_sub(1), why))?;
        Ok(changeset)
    }

    /// What a person tried and may not is an event, whatever rule it was against.
    async fn refuse(
        &self,
        actor: &Actor,
        directory: &Directory,
        refused: Refused,
    ) -> Result<StoreError, StoreError> {
        let Refused { what, why, .. } = refused;
        let by_rule = matches!(why, StoreError::Forbidden | StoreError::LastMau(_) | StoreError::Denied(_));
        if let (Actor::User(id), true, Some(what)) = (actor, by_rule, what) {
            let event = Event::new(self.now(), actor.clone(), Act::ChangeRefused).name(what);
            self.record(of(event, directory.user(id).map(|user| &user.group))).await?;
        }
        Ok(why)
    }
}

/// A change that was not let through, and what it was about.
struct Refused {
    /// Which of the changes, from 0 on.
    step: usize,
    what: Option<&'static str>,
    why: StoreError,
}

/// The directory as it stands, and the changes before the one at hand.
struct Draft<'a> {
    ledger: &'a Ledger,
    directory: &'a Directory,
    actor: &'a Actor,
    earlier: Vec<&'a DirectoryChange>,
    /// Users as the steps so far leave them.
    people: BTreeMap<UserId, User>,
}

impl<'a> Draft<'a> {
    /// Checks one change and adds its rows and events.
    fn step(&mut self, change: &'a DirectoryChange, changeset: &mut Changeset) -> Result<(), StoreError> {
        self.permit(change)?;
        self.check(change)?;
        match self.user_after(change)? {
            Some(after) => {
                self.permit_user(self.latest_user(after.id), &after)?;
                self.check_state(&after)?;
                self.check_user(&after)?;
                self.write_user(change, &after, changeset)?;
                self.people.insert(after.id, after);
            }
            None => self.write(change, changeset)?,
        }
        self.earlier.push(change);
        Ok(())
    }

    fn write(&self, change: &DirectoryChange, changeset: &mut Changeset) -> Result<(), StoreError> {
        let event = self.event(Act::DirectoryChanged);
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
            DirectoryChange::MoveParticipant(mpid, arranged) => {
                self.write_arranged_move(mpid, arranged.as_ref(), changeset)?
            }
            DirectoryChange::CarryOutMove(mpid) => self.write_move(mpid, changeset)?,
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
            DirectoryChange::GroupAlerts(id, _) => {
                self.write_group_as_set(id, change, changeset)?;
                Event { act: Act::GroupAlertsSet, ..event }.group(id)
            }
            DirectoryChange::NoticeStyle(id, _) => {
                self.write_group_as_set(id, change, changeset)?;
                Event { act: Act::NoticeStyleSet, ..event }.group(id)
            }
            DirectoryChange::Stage(scope, stage) => self.write_stage(scope, *stage, event, changeset)?,
            DirectoryChange::Connector(_)
            | DirectoryChange::RemoveConnector(_)
            | DirectoryChange::AppPassword(_)
            | DirectoryChange::RemoveAppPassword(..) => self.write_credential(change, event, changeset)?,
            // Those about a user are written as the user.
            DirectoryChange::User(_)
            | DirectoryChange::RemoveUser(_)
            | DirectoryChange::State(..)
            | DirectoryChange::RoleOf(..)
            | DirectoryChange::NameOf(..)
            | DirectoryChange::AlertsOf(..)
            | DirectoryChange::Grants { .. }
            | DirectoryChange::Password(..)
            | DirectoryChange::ScramSalt(..) => return Ok(()),
        };
        changeset.append.push(event.to_bytes()?);
        Ok(())
    }

    /// What of a group is changed alone, whatever else of it changes meanwhile.
    fn write_group_as_set(
        &self,
        id: &GroupId,
        change: &DirectoryChange,
        changeset: &mut Changeset,
    ) -> Result<(), StoreError> {
        let known = self.latest_group(id).ok_or_else(|| no_group(id))?.clone();
        let group = match change {
            DirectoryChange::GroupAlerts(_, alerts) => Group { alerts: alerts.clone(), ..known },
            DirectoryChange::NoticeStyle(_, style) => {
                Group { phrase: style.phrase.clone(), link_free: style.link_free, ..known }
            }
            _ => known,
        };
        changeset.put.push((group_key(id.as_str()), records::encode(&self.keyed(&group)?)?));
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

impl DirectoryChange {
    /// The user whom it makes an invited one, or leaves one.
    fn invited(&self) -> Option<&User> {
        match self {
            Self::User(user) if user.state == UserState::Invited => Some(user),
            _ => None,
        }
    }

    /// What it is about, for the event of a refusal.
    fn noun(&self) -> &'static str {
        match self {
            Self::Group(_) => "group",
            Self::Participant(_)
            | Self::RemoveParticipant(_)
            | Self::MoveParticipant(..)
            | Self::CarryOutMove(_) => "participant",
            Self::User(_) | Self::RemoveUser(_) | Self::State(..) | Self::NameOf(..) => "user",
            Self::RoleOf(..) => "role",
            Self::Grants { .. } => "permission",
            Self::Mailbox(_) | Self::RemoveMailbox(_) => "mailbox",
            Self::Certificate(_) | Self::RemoveCertificate(_) => "certificate",
            Self::Password(..) => "password",
            Self::Connector(_) | Self::RemoveConnector(_) => "connector",
            Self::AppPassword(_) | Self::RemoveAppPassword(..) | Self::ScramSalt(..) => "app password",
            Self::Stage(..) => "stage",
            Self::AlertsOf(..) | Self::GroupAlerts(..) | Self::NoticeStyle(..) => "alerts",
        }
    }
}

fn denied(reason: String) -> StoreError {
    StoreError::Denied(reason)
}

fn no_group(id: &GroupId) -> StoreError {
    denied(format!("there is no group {id}; add the group first"))
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
