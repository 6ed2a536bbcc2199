//! The visitor's own app passwords: made, listed and revoked by nobody else.

use policies::access::Action;
use store::{AppPassword, AppPasswordId, DirectoryChange, StoreError};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// So many a user may have: each one is tried at every login.
pub(crate) const MOST: usize = 20;

/// The app passwords of one visitor.
pub(crate) struct OwnPasswords(Visitor);

/// Why a password was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmade {
    Full,
    NameTaken,
}

/// The visitor's own.
pub(crate) fn own(visitor: &Visitor) -> Result<OwnPasswords, Problem> {
    visitor.demand(Action::ManageAppPasswords)?;
    Ok(OwnPasswords(visitor.clone()))
}

impl OwnPasswords {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// All of them as they are now, oldest first.
    pub(crate) fn all(&self, portal: &Portal) -> Vec<AppPassword> {
        let mut all: Vec<_> = portal.ledger.directory().app_passwords(&self.0.id()).cloned().collect();
        all.sort_by_key(|password| password.id);
        all
    }

    /// Makes one; the answer is the only copy of it.
    pub(crate) async fn make(&self, portal: &Portal, name: &str) -> Result<Result<String, Unmade>, Problem> {
        if let Some(unmade) = self.hindrance(portal, name) {
            return Ok(Err(unmade));
        }
        let (actor, user) = (self.0.actor(), self.0.id());
        let salt = portal.ledger.scram_salt(&actor, user).await?;
        let password = certs::password::generate().map_err(|_| Problem::Interrupted)?;
        let secret = password.clone();
        let derive = move || certs::scram::Verifier::derive(&secret, &salt, certs::scram::ITERATIONS);
        let verifier = tokio::task::spawn_blocking(derive).await.map_err(|_| Problem::Interrupted)?;
        let now = portal.ledger.now();
        let made = AppPassword {
            id: AppPasswordId::new(now)?,
            user,
            name: name.to_owned(),
            created_at: now,
            stored_key: verifier.stored_key,
            server_key: verifier.server_key,
        };
        match portal.ledger.change_directory(&actor, vec![DirectoryChange::AppPassword(made)]).await {
            Ok(()) => Ok(Ok(password)),
            // Another window was faster.
            Err(StoreError::Denied(reason)) => match self.hindrance(portal, name) {
                Some(unmade) => Ok(Err(unmade)),
                None => Err(StoreError::Denied(reason).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn hindrance(&self, portal: &Portal, name: &str) -> Option<Unmade> {
        let all = self.all(portal);
        if all.iter().any(|password| password.name == name) {
            return Some(Unmade::NameTaken);
        }
        (all.len() >= MOST).then_some(Unmade::Full)
    }

    /// Takes one back; what is not there, or not the visitor's own, does not exist.
    pub(crate) async fn revoke(&self, portal: &Portal, id: &str) -> Result<(), Problem> {
        let id: AppPasswordId = id.parse().map_err(|_| Problem::NotFound)?;
        if !self.all(portal).iter().any(|password| password.id == id) {
            return Err(Problem::NotFound);
        }
        let change = DirectoryChange::RemoveAppPassword(self.0.id(), id);
        Ok(portal.ledger.change_directory(&self.0.actor(), vec![change]).await?)
    }
}
