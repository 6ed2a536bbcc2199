//! The people of a company, for its master administration user: who they are, how far they have come, what they may.
//! Shows nothing of what they read or write.

mod file;
mod fresh;
mod grid;
mod list;
mod one;
mod several;
mod steps;

use mail::Address;
use store::{Role, UserState};
use templates::pages::{Choice, Mark};

pub(crate) use self::file::{apply, ask as ask_file, look, permissions, users};
pub(crate) use self::fresh::{add, ask};
pub(crate) use self::grid::{save as save_grid, show as grid};
pub(crate) use self::list::page;
pub(crate) use self::one::{change, show};
pub(crate) use self::several::{ask as ask_several, give as give_several};
pub(crate) use self::steps::step;
use crate::portal::Portal;

/// Longest name, in characters.
const LONGEST_NAME: usize = 80;

/// The roles that a company gives, as they are called in forms and files.
pub(super) const ROLES: [Role; 3] = [Role::User, Role::Mau, Role::Compliance];

/// The role of that name; never the operator's, which no company gives.
pub(super) fn role(word: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role.as_str() == word)
}

pub(super) fn role_name(portal: &Portal, role: Role) -> String {
    portal.words.say_of("people_role", role.as_str(), &[]).unwrap_or_default()
}

fn roles(portal: &Portal, chosen: Role) -> Vec<Choice> {
    let choice = |role: Role| Choice {
        value: role.as_str().to_owned(),
        label: role_name(portal, role),
        chosen: role == chosen,
    };
    ROLES.into_iter().map(choice).collect()
}

pub(super) fn state_mark(portal: &Portal, state: UserState) -> Mark {
    let style = match state {
        UserState::Confirmed => "good",
        UserState::Invited => "soon",
        UserState::Suspended | UserState::Removed => "bad",
    };
    Mark { label: portal.words.say_of("people_state", state.as_str(), &[]).unwrap_or_default(), state: style }
}

/// A name as it is kept: single spaces, one line. `None` where it cannot be one.
pub(in crate::pages) fn name(typed: &str) -> Option<String> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then_some(name)
}

pub(super) fn address(typed: &str) -> Option<Address> {
    typed.trim().parse().ok()
}
