//! The people of the visitor's group, for its master administration user. Nobody of another group is here, and neither
//! is the market's operator; whoever tries to change somebody who is not here is refused, and an event says so.

use std::cmp::Ordering;

use jiff::Timestamp;
use policies::access::Action;
use store::{Act, DirectoryChange, Event, Participant, Role, StoreError, User, UserId};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The permission to administer them.
#[derive(Clone)]
pub(crate) struct People(Visitor);

/// Those of the visitor's group.
pub(crate) fn own(visitor: &Visitor) -> Result<People, Problem> {
    visitor.demand(Action::ManagePeople)?;
    Ok(People(visitor.clone()))
}

impl People {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// Everybody, by name.
    pub(crate) fn all(&self) -> Vec<&User> {
        let mut all: Vec<_> = self.0.directory().users().filter(|user| self.is_own(user)).collect();
        all.sort_by(|one, other| by_name(one, other));
        all
    }

    /// The participants of the group, by their MPID.
    pub(crate) fn participants(&self) -> Vec<&Participant> {
        let group = self.0.group();
        self.0.directory().participants().filter(|known| known.is_or_was_of(group)).collect()
    }

    /// One of them, to look at.
    pub(crate) fn one(&self, id: &str) -> Result<&User, Problem> {
        let id: UserId = id.parse().map_err(|_| Problem::NotFound)?;
        let known = self.0.directory().users().find(|user| user.id == id && self.is_own(user));
        known.ok_or(Problem::NotFound)
    }

    /// One of them, to change.
    pub(crate) async fn one_to_change(&self, portal: &Portal, id: &str) -> Result<&User, Problem> {
        match self.one(id) {
            Ok(user) => Ok(user),
            Err(problem) => {
                self.refuse(portal, "user").await?;
                Err(problem)
            }
        }
    }

    pub(crate) fn is_oneself(&self, user: &User) -> bool {
        user.id == self.0.id()
    }

    fn is_own(&self, user: &User) -> bool {
        user.group == *self.0.group() && user.role != Role::Operator
    }

    /// When they signed in last, in the same order.
    pub(crate) async fn last_sign_ins(
        &self,
        portal: &Portal,
        users: &[&User],
    ) -> Result<Vec<Option<Timestamp>>, Problem> {
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        Ok(portal.ledger.last_sign_ins(&ids).await?)
    }

    /// Changes them, and invites whom the changes add; the ledger decides whether that may be, and records what may not.
    pub(crate) async fn change(
        &self,
        portal: &Portal,
        changes: Vec<DirectoryChange>,
    ) -> Result<(), StoreError> {
        portal.ledger.admit(&self.0.actor(), changes).await
    }

    /// Mails somebody who is invited another link to a first password.
    pub(crate) async fn invite_again(&self, portal: &Portal, user: &User) -> Result<(), StoreError> {
        portal.ledger.invite(&self.0.actor(), user.id).await
    }

    /// Mails a colleague the link to a new password.
    pub(crate) async fn send_reset_link(&self, portal: &Portal, user: &User) -> Result<(), StoreError> {
        portal.ledger.reset_link(&self.0.actor(), user.id).await
    }

    /// Takes a colleague's second factors away, so that new ones can be set up.
    pub(crate) async fn reset_factors(&self, portal: &Portal, user: &User) -> Result<(), StoreError> {
        portal.ledger.reset_factors(&self.0.actor(), user.id).await
    }

    /// Says that the visitor looked at all of them in some way.
    pub(crate) async fn note(&self, portal: &Portal, act: Act) -> Result<(), Problem> {
        let event = Event::new(portal.ledger.now(), self.0.actor(), act);
        Ok(portal.ledger.record(event.group(self.0.group())).await?)
    }

    /// Lays a file ready that the visitor has seen the difference of.
    pub(crate) async fn lay_import(&self, portal: &Portal, text: &str) -> Result<(), Problem> {
        let own = self.0.directory().user(&self.0.id()).ok_or(Problem::NotFound)?;
        Ok(portal.ledger.lay_import(own, text).await?)
    }

    pub(crate) async fn laid_import(&self, portal: &Portal) -> Result<Option<String>, Problem> {
        Ok(portal.ledger.laid_import(self.0.id()).await?)
    }

    pub(crate) async fn forget_import(&self, portal: &Portal) -> Result<(), Problem> {
        Ok(portal.ledger.forget_import(self.0.id()).await?)
    }

    /// Says in the audit trail that the visitor tried what is not the visitor's to do.
    pub(crate) async fn refuse(&self, portal: &Portal, what: &'static str) -> Result<(), Problem> {
        Ok(self.0.refused(portal, what).await?)
    }
}

impl Visitor {
    /// Says in the audit trail that the visitor tried what is not the visitor's to do.
    pub(crate) async fn refused(&self, portal: &Portal, what: &str) -> Result<(), StoreError> {
        let event = Event::new(portal.ledger.now(), self.actor(), Act::ChangeRefused);
        portal.ledger.record(event.group(self.group()).name(what)).await
    }
}

fn by_name(one: &User, other: &User) -> Ordering {
    one.name.to_lowercase().cmp(&other.name.to_lowercase()).then_with(|| one.id.cmp(&other.id))
}
