//! What can be done with a colleague: invite again, send a link to a new password, take second factors away, suspend,
//! let in again, remove. What is offered depends on how far the colleague has come; nothing of it to oneself.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use store::{DirectoryChange, StoreError, User, UserState};
use templates::pages::PersonStep;

use super::one::{done, seen};
use crate::access::people::{self, People};
use crate::error::Problem;
use crate::forms::Form;
use crate::portal::Portal;
use crate::told::Told;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Invite,
    ResetLink,
    ResetFactors,
    Suspend,
    Resume,
    Remove,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::Invite, Self::ResetLink, Self::ResetFactors, Self::Suspend, Self::Resume, Self::Remove];

    fn word(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::ResetLink => "reset-link",
            Self::ResetFactors => "reset-factors",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Remove => "remove",
        }
    }

    fn is_for(self, state: UserState) -> bool {
        match self {
            Self::Invite => state == UserState::Invited,
            Self::ResetLink | Self::ResetFactors | Self::Suspend => state == UserState::Confirmed,
            Self::Resume => state == UserState::Suspended,
            Self::Remove => state != UserState::Removed,
        }
    }

    /// What the next page says: a key of the family of texts `people_told`.
    fn told(self) -> &'static str {
        match self {
            Self::Invite => "invited",
            Self::ResetLink => "link-sent",
            Self::ResetFactors => "factors-reset",
            Self::Suspend => "suspended",
            Self::Resume => "resumed",
            Self::Remove => "removed",
        }
    }
}

pub(super) fn offered(portal: &Portal, people: &People, user: &User) -> Vec<PersonStep> {
    if people.is_oneself(user) {
        return Vec::new();
    }
    let offered = Step::ALL.into_iter().filter(|step| step.is_for(user.state));
    offered
        .map(|step| PersonStep {
            action: format!("/people/{}/{}", user.id, step.word()),
            label: portal.words.say_of("people_step", step.word(), &[]).unwrap_or_default(),
            says: portal.words.say_of("people_step_says", step.word(), &[]).unwrap_or_default(),
        })
        .collect()
}

pub(crate) async fn step(
    State(portal): State<Arc<Portal>>,
    Path((id, word)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let step = Step::ALL.into_iter().find(|step| step.word() == word).ok_or(Problem::NotFound)?;
    let user = people.one_to_change(&portal, &id).await?;
    if people.is_oneself(user) {
        people.refuse(&portal, "user").await?;
        return Err(Problem::NotFound);
    }
    let here = format!("/people/{id}");
    if form.fields.value("seen") != seen(user) || !step.is_for(user.state) {
        return Ok(Told::People("stale").at(&portal, &form.visitor, &here));
    }
    let path = if step == Step::Remove { "/people" } else { here.as_str() };
    let outcome = take(&portal, &people, user, step).await;
    let path = if outcome.is_ok() { path } else { here.as_str() };
    done(&portal, &people, path, outcome, step.told())
}

async fn take(portal: &Portal, people: &People, user: &User, step: Step) -> Result<(), StoreError> {
    let changes = match step {
        Step::Invite => return people.invite_again(portal, user).await,
        Step::ResetLink => return people.send_reset_link(portal, user).await,
        Step::ResetFactors => return people.reset_factors(portal, user).await,
        Step::Suspend => DirectoryChange::State(user.id, UserState::Suspended),
        Step::Resume => DirectoryChange::State(user.id, UserState::Confirmed),
        Step::Remove => DirectoryChange::RemoveUser(user.id),
    };
    people.change(portal, vec![changes]).await?;
    if step != Step::Resume {
        // They are worth nothing any more; a suspended colleague who is let in again signs in anew.
        portal.ledger.end_sessions_of(user.id).await?;
    }
    Ok(())
}
