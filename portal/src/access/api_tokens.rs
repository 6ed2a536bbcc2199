//! The visitor's own API tokens: made, listed and revoked by nobody else, and made only after a proof of being the one
//! who signed in: a token outlives the session.

use std::time::Duration;

use policies::access::Action;
use store::{ApiScope, ApiToken, TokenNotMade};

use super::Visitor;
use super::signing_in::{self, ProvedSignIn};
use crate::error::Problem;
use crate::portal::Portal;

/// The tokens of one visitor.
pub(crate) struct OwnTokens(Visitor);

/// The visitor's own.
pub(crate) fn own(visitor: &Visitor) -> Result<OwnTokens, Problem> {
    visitor.demand(Action::ManageApiTokens)?;
    Ok(OwnTokens(visitor.clone()))
}

impl OwnTokens {
    /// With the names by which they are revoked, oldest first.
    pub(crate) async fn all(&self, portal: &Portal) -> Result<Vec<(String, ApiToken)>, Problem> {
        Ok(portal.ledger.api_tokens_of(self.0.id()).await?)
    }

    pub(crate) async fn proof(&self, portal: &Portal) -> Result<Option<ProvedSignIn>, Problem> {
        Ok(signing_in::own(&self.0)?.proved(portal).await?.ok())
    }

    /// Makes one; the answer is the only copy of it.
    pub(crate) async fn make(
        &self,
        portal: &Portal,
        _proof: &ProvedSignIn,
        name: &str,
        scopes: &[ApiScope],
        life: Duration,
    ) -> Result<Result<String, TokenNotMade>, Problem> {
        Ok(portal.ledger.make_api_token(self.0.id(), name, scopes, life).await?)
    }

    pub(crate) async fn revoke(&self, portal: &Portal, name: &str) -> Result<(), Problem> {
        let revoked = portal.ledger.revoke_api_token(self.0.id(), name).await?;
        if revoked { Ok(()) } else { Err(Problem::NotFound) }
    }
}
