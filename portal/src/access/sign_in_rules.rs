//! How the people of the visitor's group sign in: set by its master administration user, after a proof of being the one
//! who signed in. And what that means for one user, which sign-in asks before there is a visitor.

use policies::access::Action;
use store::{FactorSummary, SecondStepRule, SignInRules, User};

use super::Visitor;
use super::signing_in::{self, ProvedSignIn};
use crate::error::Problem;
use crate::portal::Portal;

/// The rules of one group.
pub(crate) struct OwnRules(Visitor);

/// Those of the visitor's group.
pub(crate) fn own(visitor: &Visitor) -> Result<OwnRules, Problem> {
    visitor.demand(Action::SetSignInRules)?;
    Ok(OwnRules(visitor.clone()))
}

/// What a user has beside the password, and whether it is needed as the rules are now.
pub(crate) async fn factors(portal: &Portal, user: &User) -> Result<FactorSummary, Problem> {
    let factors = portal.ledger.factors(user.id).await?;
    let rules = portal.ledger.sign_in_rules(&user.group).await?;
    Ok(FactorSummary { required: rules.need_second_step(portal.second_step, factors.required), ..factors })
}

impl OwnRules {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    pub(crate) async fn rules(&self, portal: &Portal) -> Result<SignInRules, Problem> {
        Ok(portal.ledger.sign_in_rules(self.0.group()).await?)
    }

    pub(crate) async fn proof(&self, portal: &Portal) -> Result<Option<ProvedSignIn>, Problem> {
        Ok(signing_in::own(&self.0)?.proved(portal).await?.ok())
    }

    pub(crate) async fn set_second_step(
        &self,
        portal: &Portal,
        _proof: &ProvedSignIn,
        rule: Option<SecondStepRule>,
    ) -> Result<(), Problem> {
        Ok(portal.ledger.set_second_step_rule(&self.0.actor(), self.0.group(), rule).await?)
    }
}
