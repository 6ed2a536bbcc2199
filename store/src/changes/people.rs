//! The steps of a change that are about one user: what becomes of the record, which rows and which events.

use super::{DirectoryChange, Draft, app_password_keys, denied, no_user, user_key};
use crate::{
    audit::{Act, Event},
    directory::{Permission, User},
    engine::Changeset,
    error::StoreError,
    factors::factors_key,
    ids::UserId,
    imports::import_key,
    inactivity::presence_key,
    lists::wishes_key,
    people::UserState,
    records,
};

impl Draft<'_> {
    /// The user as the change leaves it; `None` for a change that is about no user.
    pub(super) fn user_after(&self, change: &DirectoryChange) -> Result<Option<User>, StoreError> {
        let known = |id: &UserId| self.known(*id);
        let after = match change {
            DirectoryChange::User(user) => {
                if self.latest_user(user.id).is_some_and(|known| known.state == UserState::Removed) {
                    return Err(no_user(user.id));
                }
                user.clone()
            }
            DirectoryChange::RemoveUser(id) => {
                let User { id, group, email, name, role, .. } = known(id)?.clone();
                User { role, state: UserState::Removed, ..User::new(id, group, email, name) }
            }
            DirectoryChange::Password(id, hash) => {
                User { password: Some(hash.clone()), ..known(id)?.clone() }
            }
            DirectoryChange::State(id, state) => User { state: *state, ..known(id)?.clone() },
            DirectoryChange::AlertsOf(id, alerts) => User { alerts: alerts.clone(), ..known(id)?.clone() },
            DirectoryChange::NameOf(id, name) => User { name: name.clone(), ..known(id)?.clone() },
            DirectoryChange::RoleOf(id, role) => User { role: *role, ..known(id)?.clone() },
            DirectoryChange::Grants { user, add, remove } => {
                let before = known(user)?;
                let mut permissions: Vec<Permission> =
                    before.permissions.iter().filter(|held| !remove.contains(held)).cloned().collect();
                permissions.extend(add.iter().cloned());
                permissions.sort();
                permissions.dedup();
                User { permissions, ..before.clone() }
            }
            DirectoryChange::ScramSalt(id, salt) => User { scram_salt: Some(*salt), ..known(id)?.clone() },
            _ => return Ok(None),
        };
        let moved = self.latest_user(after.id).is_none_or(|before| before.state != after.state);
        let since = if moved { Some(self.ledger.now()) } else { after.since };
        Ok(Some(User { since, ..after }))
    }

    fn known(&self, id: UserId) -> Result<&User, StoreError> {
        self.latest_user(id).filter(|user| user.state != UserState::Removed).ok_or_else(|| no_user(id))
    }

    /// Writes the user and one event for each thing that changed.
    pub(super) fn write_user(
        &self,
        change: &DirectoryChange,
        after: &User,
        changeset: &mut Changeset,
    ) -> Result<(), StoreError> {
        let before = self.latest_user(after.id);
        changeset.put.push((user_key(after.id), records::encode(after)?));
        if after.state == UserState::Removed {
            let passwords = self.directory.app_passwords.get(&after.id).into_iter().flatten();
            changeset.delete.extend(passwords.flat_map(|known| app_password_keys(after.id, known.id)));
            let kept = [wishes_key, presence_key, import_key, factors_key];
            changeset.delete.extend(kept.map(|key| key(after.id)));
        }
        let about = |act| self.event(act).group(&after.group).user(after.id);
        let mut events = Vec::new();
        match (before.map(|before| before.state), after.state) {
            (None, UserState::Invited) => events.push(about(Act::UserInvited)),
            (Some(before), state) if before != state => events.push(about(act_of(before, state))),
            _ => {}
        }
        if let Some(before) = before {
            if before.role != after.role {
                events.push(about(Act::RoleSet).name(after.role.as_str()));
            }
            let (held, holds) = (&before.permissions, &after.permissions);
            let of = |act, permission: &Permission| {
                let what = format!("{} {}", permission.participant, permission.contact_type);
                about(act).process(&permission.process).name(&what)
            };
            let granted = holds.iter().filter(|permission| !held.contains(permission));
            events.extend(granted.map(|permission| of(Act::PermissionGranted, permission)));
            let taken = held.iter().filter(|permission| !holds.contains(permission));
            events.extend(taken.map(|permission| of(Act::PermissionTaken, permission)));
        }
        if matches!(change, DirectoryChange::Password(..)) {
            events.push(about(Act::PasswordReset));
        }
        if matches!(change, DirectoryChange::AlertsOf(..)) {
            events.push(about(Act::AlertsSet));
        }
        if events.is_empty() {
            events.push(about(Act::DirectoryChanged));
        }
        for event in events {
            changeset.append.push(event.to_bytes()?);
        }
        Ok(())
    }

    pub(super) fn event(&self, act: Act) -> Event {
        Event::new(self.ledger.now(), self.actor.clone(), act)
    }

    /// A group that had somebody to administer it has somebody after the change.
    pub(super) fn check_last_mau(&self) -> Result<(), StoreError> {
        for after in self.people.values() {
            let Some(before) = self.directory.user(&after.id) else { continue };
            let leaves = before.is_acting_mau() && !(after.is_acting_mau() && after.group == before.group);
            if leaves && !self.has_acting_mau(&before.group) {
                return Err(StoreError::LastMau(before.group.clone()));
            }
        }
        Ok(())
    }

    /// Only somebody who is invited or confirmed can be told apart from who is not.
    pub(super) fn check_state(&self, after: &User) -> Result<(), StoreError> {
        let before = self.latest_user(after.id).map(|before| before.state);
        match (before, after.state) {
            (Some(UserState::Confirmed | UserState::Suspended), UserState::Invited) => Err(denied(format!(
                "the user {} has joined already; suspend or remove the user instead",
                after.id
            ))),
            (None, UserState::Removed) => Err(no_user(after.id)),
            _ => Ok(()),
        }
    }
}

fn act_of(before: UserState, after: UserState) -> Act {
    match (before, after) {
        (_, UserState::Removed) => Act::UserRemoved,
        (_, UserState::Suspended) => Act::UserSuspended,
        (UserState::Suspended, UserState::Confirmed) => Act::UserReinstated,
        (_, UserState::Confirmed) => Act::UserConfirmed,
        (_, UserState::Invited) => Act::UserInvited,
    }
}
