//! Who takes part in the market, for its operator: companies, their participants, and who administers each first. Nobody
//! else of a company is here, and nothing that it writes.

use mail::GroupId;
use policies::access::Action;
use store::{DirectoryChange, Group, Participant, Role, StoreError, User, UserState};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The permission to say so.
pub(crate) struct Market(Visitor);

/// Who administers a company.
pub(crate) enum Administered {
    /// Somebody does.
    Acting,
    /// Somebody is asked to.
    Invited(Box<User>),
    Nobody,
}

pub(crate) fn whole(visitor: &Visitor) -> Result<Market, Problem> {
    visitor.demand(Action::ManageMarket)?;
    Ok(Market(visitor.clone()))
}

impl Market {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// By their ids.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.0.directory().groups()
    }

    pub(crate) fn group(&self, id: &str) -> Result<&Group, Problem> {
        let id: GroupId = id.parse().map_err(|_| Problem::NotFound)?;
        self.0.directory().group(&id).ok_or(Problem::NotFound)
    }

    pub(crate) fn participants(&self, group: &GroupId) -> impl Iterator<Item = &Participant> {
        self.0.directory().participants().filter(move |known| known.group == *group)
    }

    pub(crate) fn participant(&self, mpid: &str) -> Option<&Participant> {
        self.0.directory().participants().find(|known| known.mpid.as_str() == mpid)
    }

    pub(crate) fn administered(&self, group: &GroupId) -> Administered {
        let maus =
            || self.0.directory().users().filter(|user| user.group == *group && user.role == Role::Mau);
        if maus().any(|user| user.state == UserState::Confirmed) {
            return Administered::Acting;
        }
        match maus().find(|user| user.state == UserState::Invited) {
            Some(user) => Administered::Invited(Box::new(user.clone())),
            None => Administered::Nobody,
        }
    }

    /// Changes it, and invites whom the changes add; the ledger decides whether that may be, and records what may not.
    pub(crate) async fn change(
        &self,
        portal: &Portal,
        changes: Vec<DirectoryChange>,
    ) -> Result<(), StoreError> {
        portal.ledger.admit(&self.0.actor(), changes).await
    }

    /// Mails the one who is asked to administer a company another link.
    pub(crate) async fn invite_again(&self, portal: &Portal, user: &User) -> Result<(), StoreError> {
        portal.ledger.invite(&self.0.actor(), user.id).await
    }
}
