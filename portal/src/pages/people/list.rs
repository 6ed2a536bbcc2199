//! The list of a company's people, page by page, by name.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use jiff::Timestamp;
use store::{User, UserState};
use templates::pages::{self, Choice, PersonRow};

use super::{role_name, state_mark};
use crate::access::Visitor;
use crate::access::people;
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, in_address};
use crate::portal::{Place, Portal};
use crate::told::Told;

const ROWS: usize = 50;

const STATES: [UserState; 3] = [UserState::Confirmed, UserState::Invited, UserState::Suspended];

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let people = people::own(&visitor)?;
    let wish = Wish::read(&asked);
    let all = people.all();
    let found: Vec<&User> = all.iter().copied().filter(|user| wish.fits(user)).collect();
    let begins = wish.begins(&found);
    let shown = &found[begins..found.len().min(begins + ROWS)];
    let last = people.last_sign_ins(&portal, shown).await?;
    let older = shown.last().filter(|_| begins + shown.len() < found.len());
    Ok(Html(portal.words.page(&pages::People {
        frame: portal.frame(&portal.words.say("people.menu", &[]), Some(&visitor), Place::People),
        company: visitor.company(),
        told: Told::in_words(&portal, &visitor, &asked),
        words: wish.words.to_owned(),
        states: wish.states(&portal),
        filtered: wish.narrows(),
        found: found.len(),
        rows: shown.iter().zip(last).map(|(user, last)| row(&portal, user, last)).collect(),
        first: (begins > 0).then(|| wish.address(None)),
        next: older.map(|user| wish.address(Some(user))),
    })?))
}

/// What was asked for.
struct Wish<'a> {
    words: &'a str,
    state: Option<UserState>,
    after: Option<&'a str>,
}

impl<'a> Wish<'a> {
    fn read(asked: &'a Asked) -> Self {
        let state = asked.value("state").unwrap_or_default();
        Self {
            words: asked.value("words").unwrap_or_default(),
            state: STATES.into_iter().find(|known| known.as_str() == state),
            after: asked.value("after"),
        }
    }

    fn narrows(&self) -> bool {
        !self.words.is_empty() || self.state.is_some()
    }

    fn fits(&self, user: &User) -> bool {
        let words = self.words.trim().to_lowercase();
        self.state.is_none_or(|state| user.state == state)
            && (user.name.to_lowercase().contains(&words)
                || user.email.to_string().to_lowercase().contains(&words))
    }

    /// Behind the one after whom the list goes on; at the beginning where there is no such one any more.
    fn begins(&self, found: &[&User]) -> usize {
        let after = self.after.and_then(|after| after.parse().ok());
        after.and_then(|id| found.iter().position(|user| user.id == id)).map_or(0, |at| at + 1)
    }

    fn states(&self, portal: &Portal) -> Vec<Choice> {
        let any = Choice {
            value: String::new(),
            label: portal.words.say("people.any_state", &[]),
            chosen: self.state.is_none(),
        };
        let choice = |state: UserState| Choice {
            value: state.as_str().to_owned(),
            label: state_mark(portal, state).label,
            chosen: self.state == Some(state),
        };
        [any].into_iter().chain(STATES.into_iter().map(choice)).collect()
    }

    fn address(&self, after: Option<&User>) -> String {
        let state = self.state.map_or("", UserState::as_str);
        let after = after.map(|user| format!("&after={}", user.id)).unwrap_or_default();
        format!("/people?words={}&state={state}{after}", in_address(self.words))
    }
}

fn row(portal: &Portal, user: &User, last: Option<Timestamp>) -> PersonRow {
    PersonRow {
        href: format!("/people/{}", user.id),
        name: user.name.clone(),
        email: user.email.to_string(),
        state: state_mark(portal, user.state),
        role: role_name(portal, user.role),
        permissions: user.permissions.len(),
        last: last.map(dates::when),
    }
}
