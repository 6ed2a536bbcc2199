//! Who may change what of the directory: a master administration user the own group and nobody else's, never the own
//! standing and nothing above it; the market's operator groups and participants, never people's rights; everybody the own
//! ways in. Machines and the command line are bound by the other rules alone. Changes nothing.

use mail::{Address, GroupId};

use super::{DirectoryChange, Draft};
use crate::{
    audit::Actor,
    credentials::Connector,
    directory::{Group, Mailbox, Participant, Role, User},
    error::StoreError,
    ids::UserId,
    people::UserState,
};

impl Draft<'_> {
    /// # Errors
    /// `Forbidden`, in the same words whether what it is about exists or not.
    pub(super) fn permit(&self, change: &DirectoryChange) -> Result<(), StoreError> {
        let Actor::User(id) = self.actor else { return Ok(()) };
        let Some(who) = self.latest_user(*id) else { return Err(StoreError::Forbidden) };
        let granted = who.state != UserState::Suspended
            && who.state != UserState::Removed
            && (is_of_oneself(who, change) || (who.is_active() && self.is_of_the_role(who, change)));
        if granted { Ok(()) } else { Err(StoreError::Forbidden) }
    }

    /// The same for a change that makes `after` of a user.
    pub(super) fn permit_user(&self, before: Option<&User>, after: &User) -> Result<(), StoreError> {
        let Actor::User(id) = self.actor else { return Ok(()) };
        let Some(who) = self.latest_user(*id) else { return Err(StoreError::Forbidden) };
        let granted = match before {
            Some(before) if before.id == who.id => keeps_own_standing(before, after),
            _ if !who.is_active() => false,
            Some(before) => match who.role {
                Role::Mau => is_colleagues(who, before) && is_within_reach(who, before, after),
                Role::Operator => self.takes_back_first_mau(before, after),
                Role::User | Role::Compliance => false,
            },
            None => match who.role {
                Role::Mau => {
                    after.group == who.group && after.role != Role::Operator && is_plain_invitation(after)
                }
                Role::Operator => self.is_first_mau(after),
                Role::User | Role::Compliance => false,
            },
        };
        if granted { Ok(()) } else { Err(StoreError::Forbidden) }
    }

    fn is_of_the_role(&self, who: &User, change: &DirectoryChange) -> bool {
        match who.role {
            Role::Mau => self.is_of_own_group(who, change),
            Role::Operator => self.is_of_the_market(change),
            Role::Compliance => is_own_stage(who, change),
            Role::User => false,
        }
    }

    /// What of a group its master administration user changes. People are looked at one by one.
    fn is_of_own_group(&self, who: &User, change: &DirectoryChange) -> bool {
        let own = |group: Option<&GroupId>| group.is_some_and(|group| *group == who.group);
        match change {
            DirectoryChange::Group(group) => {
                own(Some(&group.id))
                    && self.latest_group(&group.id).is_some_and(|known| keeps_name(known, group))
            }
            DirectoryChange::Mailbox(mailbox) => {
                own(Some(&mailbox.group)) && self.mailbox_is_own_or_new(who, &mailbox.address)
            }
            DirectoryChange::RemoveMailbox(address) => {
                own(self.latest_mailbox(address).map(|known| &known.group))
            }
            DirectoryChange::RemoveCertificate(fingerprint) => {
                own(self.directory.certificate(fingerprint).map(|known| &known.group))
            }
            DirectoryChange::Connector(connector) => {
                own(Some(&connector.group)) && self.connector_is_own_or_new(who, connector)
            }
            DirectoryChange::RemoveConnector(name) => {
                own(self.directory.connector(name).map(|known| &known.group))
            }
            DirectoryChange::Stage(scope, _) => own(scope.group.as_ref()),
            DirectoryChange::GroupAlerts(group, _) | DirectoryChange::NoticeStyle(group, _) => {
                own(Some(group))
            }
            change => change.is_about_people(),
        }
    }

    fn mailbox_is_own_or_new(&self, who: &User, address: &Address) -> bool {
        self.latest_mailbox(address).is_none_or(|known| known.group == who.group)
    }

    fn connector_is_own_or_new(&self, who: &User, connector: &Connector) -> bool {
        self.directory.connector(&connector.name).is_none_or(|known| known.group == who.group)
    }

    /// What the operator changes: who takes part in the market. Never what a company set for itself.
    fn is_of_the_market(&self, change: &DirectoryChange) -> bool {
        match change {
            DirectoryChange::Group(group) => {
                let known = self.latest_group(&group.id).cloned();
                let known = known.unwrap_or_else(|| Group::new(group.id.clone(), group.name.clone()));
                let Group { name, domains, networks, certificate_name, parent, .. } = group.clone();
                *group == Group { name, domains, networks, certificate_name, parent, ..known }
            }
            DirectoryChange::Participant(participant) => self.keeps_its_place(participant),
            DirectoryChange::MoveParticipant(..) | DirectoryChange::RemoveParticipant(_) => true,
            DirectoryChange::Stage(scope, _) => scope.group.is_none(),
            DirectoryChange::User(_) | DirectoryChange::RemoveUser(_) => true,
            _ => false,
        }
    }

    /// A participant goes to another group by a move with a date, which both groups hear of, and in no other way.
    fn keeps_its_place(&self, participant: &Participant) -> bool {
        match self.directory.participant(&participant.mpid) {
            Some(known) => {
                (&known.group, &known.moving, &known.former)
                    == (&participant.group, &participant.moving, &participant.former)
            }
            None => participant.moving.is_none() && participant.former.is_empty(),
        }
    }

    /// The operator invites one person into a group: its first master administration user, at an address in a domain that is
    /// the group's.
    fn is_first_mau(&self, after: &User) -> bool {
        let of_its_domains =
            |group: &Group| group.domains.iter().any(|domain| domain == after.email.domain());
        after.role == Role::Mau
            && after.permissions.is_empty()
            && is_plain_invitation(after)
            && !self.has_acting_mau(&after.group)
            && self.latest_group(&after.group).is_some_and(of_its_domains)
    }

    /// And takes that invitation back while nobody has accepted it.
    fn takes_back_first_mau(&self, before: &User, after: &User) -> bool {
        before.role == Role::Mau
            && before.state == UserState::Invited
            && after.state == UserState::Removed
            && !self.has_acting_mau(&before.group)
    }

    pub(super) fn has_acting_mau(&self, group: &GroupId) -> bool {
        self.users().any(|user| user.group == *group && user.is_acting_mau())
    }
}

impl DirectoryChange {
    /// Whether `permit_user` decides on it.
    fn is_about_people(&self) -> bool {
        matches!(
            self,
            Self::User(_)
                | Self::RemoveUser(_)
                | Self::State(..)
                | Self::RoleOf(..)
                | Self::NameOf(..)
                | Self::Grants { .. }
        )
    }
}

/// The own ways in are everybody's own.
fn is_of_oneself(who: &User, change: &DirectoryChange) -> bool {
    let own = |id: &UserId| *id == who.id;
    match change {
        DirectoryChange::AppPassword(password) => own(&password.user),
        DirectoryChange::RemoveAppPassword(user, _)
        | DirectoryChange::ScramSalt(user, _)
        | DirectoryChange::Password(user, _)
        | DirectoryChange::AlertsOf(user, _)
        | DirectoryChange::State(user, _)
        | DirectoryChange::Grants { user, .. } => own(user),
        DirectoryChange::User(user) => own(&user.id),
        _ => false,
    }
}

/// Nobody makes more of oneself, and nobody who is invited is more than confirmed by it.
fn keeps_own_standing(before: &User, after: &User) -> bool {
    let states = before.state == after.state
        || (before.state, after.state) == (UserState::Invited, UserState::Confirmed);
    states
        && (&before.group, &before.email, before.role) == (&after.group, &after.email, after.role)
        && after.permissions.iter().all(|permission| before.permissions.contains(permission))
}

fn is_colleagues(who: &User, before: &User) -> bool {
    before.group == who.group && before.role != Role::Operator
}

/// Name, role, state and permissions of a colleague; the ways in stay as they are, or all go.
fn is_within_reach(who: &User, before: &User, after: &User) -> bool {
    let User { name, role, state, permissions, since, .. } = after.clone();
    let kept = User { name, role, state, permissions, since, ..before.clone() };
    let wiped = User {
        role: kept.role,
        state: kept.state,
        permissions: kept.permissions.clone(),
        since: kept.since,
        ..User::new(before.id, before.group.clone(), before.email.clone(), kept.name.clone())
    };
    let accepted_for_them = before.state == UserState::Invited && after.state != UserState::Invited;
    after.group == who.group
        && after.role != Role::Operator
        && (!accepted_for_them || after.state == UserState::Removed)
        && (*after == kept || *after == wiped)
}

/// No way in comes with an invitation.
fn is_plain_invitation(after: &User) -> bool {
    let User { role, permissions, since, .. } = after.clone();
    let plain = User::new(after.id, after.group.clone(), after.email.clone(), after.name.clone());
    *after == User { role, permissions, since, ..plain }
}

/// A company sets what is its own affair; by what it is known, the operator sets.
fn keeps_name(known: &Group, group: &Group) -> bool {
    let Group { name, domains, networks, certificate_name, parent, .. } = known.clone();
    *group == Group { name, domains, networks, certificate_name, parent, ..group.clone() }
}

fn is_own_stage(who: &User, change: &DirectoryChange) -> bool {
    matches!(change, DirectoryChange::Stage(scope, _) if scope.group.as_ref() == Some(&who.group))
}

impl Draft<'_> {
    pub(super) fn latest_group(&self, id: &GroupId) -> Option<&Group> {
        let earlier = self.earlier.iter().rev().find_map(|change| match change {
            DirectoryChange::Group(group) if group.id == *id => Some(group),
            _ => None,
        });
        earlier.or_else(|| self.directory.group(id))
    }

    fn latest_mailbox(&self, address: &Address) -> Option<&Mailbox> {
        self.directory.mailbox(address)
    }
}
