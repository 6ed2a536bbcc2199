//! How the visitor signs in: looked at by nobody else, and changed only by who has proved a moment ago to be the one who
//! signed in. Sessions are ended without that: it must be quick, and it opens nothing.

use certs::totp::TotpSecret;
use policies::access::Action;
use store::{FactorSummary, OwnSession, User};

use super::{Visitor, sign_in_rules};
use crate::error::Problem;
use crate::portal::Portal;

/// How one visitor signs in.
pub(crate) struct OwnSignIn(Visitor);

/// The same, of a visitor who may change it.
pub(crate) struct ProvedSignIn(OwnSignIn);

/// The visitor's own.
pub(crate) fn own(visitor: &Visitor) -> Result<OwnSignIn, Problem> {
    visitor.demand(Action::ManageSignIn)?;
    Ok(OwnSignIn(visitor.clone()))
}

impl OwnSignIn {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// The visitor's record as it is now.
    pub(crate) fn user(&self, portal: &Portal) -> Result<User, Problem> {
        portal.ledger.directory().user(&self.0.id()).cloned().ok_or(Problem::NotFound)
    }

    pub(crate) async fn factors(&self, portal: &Portal) -> Result<FactorSummary, Problem> {
        sign_in_rules::factors(portal, &self.user(portal)?).await
    }

    pub(crate) async fn sessions(&self, portal: &Portal) -> Result<Vec<OwnSession>, Problem> {
        Ok(portal.ledger.sessions_of(self.0.id()).await?)
    }

    pub(crate) async fn end(&self, portal: &Portal, name: &str) -> Result<(), Problem> {
        let ended = portal.ledger.end_own_session(self.0.id(), name).await?;
        if ended { Ok(()) } else { Err(Problem::NotFound) }
    }

    pub(crate) async fn end_others(&self, portal: &Portal) -> Result<(), Problem> {
        portal.ledger.end_other_sessions(self.0.id(), self.0.session()).await?;
        Ok(())
    }

    /// Asks for a passkey of who has one, and whose password was right.
    pub(crate) async fn ask_for_passkey(&self, portal: &Portal) -> Result<bool, Problem> {
        let user = self.0.id();
        let known = portal.ledger.passkeys(user).await?;
        let asks = portal.passkeys.as_ref().filter(|_| !known.is_empty());
        let Some(begun) = asks.and_then(|passkeys| passkeys.begin_showing(&known)) else { return Ok(false) };
        portal.ledger.begin_ceremony(&self.proof_place(), user, &begun.options, &begun.state).await?;
        Ok(true)
    }

    /// What the browser is asked for that, if anything.
    pub(crate) async fn passkey_asked(&self, portal: &Portal) -> Result<Option<String>, Problem> {
        Ok(portal.ledger.ceremony_question(&self.proof_place(), self.0.id()).await?)
    }

    /// Whether this answers it; one answer to each question.
    pub(crate) async fn answers_passkey(&self, portal: &Portal, answer: &str) -> Result<bool, Problem> {
        let user = self.0.id();
        let state = portal.ledger.take_ceremony(&self.proof_place(), user).await?;
        let (Some(passkeys), Some(state)) = (&portal.passkeys, state) else { return Ok(false) };
        let known = portal.ledger.passkeys(user).await?;
        let Some(shown) = passkeys.finish_showing(answer, &state, &known) else { return Ok(false) };
        portal.ledger.update_passkey(user, &shown.id, &shown.key).await?;
        Ok(true)
    }

    fn proof_place(&self) -> String {
        format!("proof {}", self.0.session().as_str())
    }

    /// The way to change it, if the visitor has proved to be the one who signed in.
    pub(crate) async fn proved(self, portal: &Portal) -> Result<Result<ProvedSignIn, Self>, Problem> {
        let session = portal.ledger.session(self.0.session()).await?.ok_or(Problem::NotFound)?;
        Ok(if session.is_proved(portal.ledger.now()) { Ok(ProvedSignIn(self)) } else { Err(self) })
    }
}

impl ProvedSignIn {
    pub(crate) fn own(&self) -> &OwnSignIn {
        &self.0
    }

    pub(crate) async fn change_password(&self, portal: &Portal, hash: &str) -> Result<(), Problem> {
        let visitor = self.0.visitor();
        Ok(portal.ledger.change_own_password(visitor.id(), hash, visitor.session()).await?)
    }

    /// A key for a new app; the app that counts now stays until the new one has shown a code.
    pub(crate) async fn begin_app(&self, portal: &Portal) -> Result<TotpSecret, Problem> {
        Ok(portal.ledger.begin_app(self.0.visitor().id()).await?)
    }

    /// The new recovery codes, if the code is right.
    pub(crate) async fn confirm_app(
        &self,
        portal: &Portal,
        code: &str,
    ) -> Result<Option<Vec<String>>, Problem> {
        Ok(portal.ledger.confirm_app(self.0.visitor().id(), code).await?)
    }

    /// Only where nobody asks for a second step; elsewhere an app is changed, not removed.
    pub(crate) async fn remove_app(&self, portal: &Portal) -> Result<(), Problem> {
        let factors = self.0.factors(portal).await?;
        if factors.required && factors.passkeys == 0 {
            return Err(Problem::NotFound);
        }
        Ok(portal.ledger.remove_app(self.0.visitor().id()).await?)
    }

    /// New recovery codes for who has something that they stand in for.
    pub(crate) async fn renew_recovery(&self, portal: &Portal) -> Result<Vec<String>, Problem> {
        if !self.0.factors(portal).await?.any() {
            return Err(Problem::NotFound);
        }
        Ok(portal.ledger.renew_recovery(self.0.visitor().id()).await?)
    }

    /// Begins to make a passkey; a portal that knows none has no such page.
    pub(crate) async fn begin_passkey(&self, portal: &Portal) -> Result<(), Problem> {
        let passkeys = portal.passkeys.as_ref().ok_or(Problem::NotFound)?;
        let user = self.0.user(portal)?;
        let known = portal.ledger.passkeys(user.id).await?;
        let begun = passkeys.begin_making(&user, &known).ok_or(Problem::Interrupted)?;
        Ok(portal.ledger.begin_ceremony(&self.place(), user.id, &begun.options, &begun.state).await?)
    }

    /// What the browser is asked, if making one has begun.
    pub(crate) async fn passkey_question(&self, portal: &Portal) -> Result<Option<String>, Problem> {
        Ok(portal.ledger.ceremony_question(&self.place(), self.0.visitor().id()).await?)
    }

    /// Keeps the key that answers the question, with new recovery codes if there were none; none if it does not answer it.
    pub(crate) async fn add_passkey(
        &self,
        portal: &Portal,
        name: &str,
        answer: &str,
    ) -> Result<Option<Vec<String>>, Problem> {
        let passkeys = portal.passkeys.as_ref().ok_or(Problem::NotFound)?;
        let user = self.0.visitor().id();
        let Some(state) = portal.ledger.take_ceremony(&self.place(), user).await? else { return Ok(None) };
        let Some(made) = passkeys.finish_making(answer, &state) else { return Ok(None) };
        Ok(portal.ledger.add_passkey(user, name, &made.credential, &made.key).await?)
    }

    /// Where a second step is needed the last factor is not removed.
    pub(crate) async fn remove_passkey(&self, portal: &Portal, id: &str) -> Result<(), Problem> {
        let factors = self.0.factors(portal).await?;
        if factors.required && factors.app_since.is_none() && factors.passkeys <= 1 {
            return Err(Problem::NotFound);
        }
        let removed = portal.ledger.remove_passkey(self.0.visitor().id(), id).await?;
        if removed { Ok(()) } else { Err(Problem::NotFound) }
    }

    fn place(&self) -> String {
        format!("account {}", self.0.visitor().session().as_str())
    }
}
