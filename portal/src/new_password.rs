//! What a password may be: long enough, not known to the world, and written one way whatever the keyboard.
//!
//! A password is an opaque string (RFC 8265 §4.2): spaces become one kind, the rest is normalised to NFC, nothing is
//! cut off and no case is folded.

use std::sync::Arc;

use certs::breached::Breached;
use unicode_normalization::UnicodeNormalization;

use crate::error::Problem;
use crate::portal::Portal;

/// Shortest password, in characters: length is worth more than odd signs.
const SHORTEST: usize = 12;

/// Longest password in bytes that is looked at; hashing is work.
pub(crate) const LONGEST: usize = 1024;

/// Why a password will not do: the name of the text that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit(pub(crate) &'static str);

/// A password as it is hashed, whether it is chosen or tried.
pub(crate) fn prepared(typed: &str) -> String {
    let space = |c: char| if c.is_whitespace() && !c.is_control() { ' ' } else { c };
    typed.chars().map(space).nfc().collect()
}

/// Takes what somebody chose, typed twice, and gives its hash.
pub(crate) async fn hashed(
    portal: &Portal,
    typed: &str,
    again: &str,
    email: &str,
) -> Result<Result<String, Unfit>, Problem> {
    let password = prepared(typed);
    if let Err(unfit) = check(&password, &prepared(again), email) {
        return Ok(Err(unfit));
    }
    let turn = portal.password_turn().await?;
    let breached = Arc::clone(&portal.breached);
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let known = is_known(&breached, &password);
        if known { None } else { Some(certs::password::hash(&password)) }
    });
    match work.await.map_err(|_| Problem::Interrupted)? {
        None => Ok(Err(Unfit("known"))),
        Some(Ok(hash)) => Ok(Ok(hash)),
        Some(Err(_)) => Err(Problem::Interrupted),
    }
}

/// A list that cannot be read keeps nobody from choosing a password: that is for the operator to mend.
fn is_known(breached: &Breached, password: &str) -> bool {
    breached.holds(password).unwrap_or_else(|error| {
        tracing::error!(%error, "a new password was not looked up");
        false
    })
}

fn check(password: &str, again: &str, email: &str) -> Result<(), Unfit> {
    if password.len() > LONGEST {
        return Err(Unfit("long"));
    }
    if password.chars().any(char::is_control) {
        return Err(Unfit("control"));
    }
    if password.chars().count() < SHORTEST {
        return Err(Unfit("short"));
    }
    let plain = password.to_lowercase();
    if plain.contains(&email.to_lowercase()) {
        return Err(Unfit("address"));
    }
    if password != again {
        return Err(Unfit("differ"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), Unfit> {
        check(password, password, "sam@beta.example")
    }

    #[test]
    fn twelve_characters_of_any_script_are_enough() {
        assert_eq!(checked("copper lantern"), Ok(()));
        assert_eq!(checked("éééééééééééé"), Ok(()));
        assert_eq!(checked("ééééééééééé"), Err(Unfit("short")), "characters, not bytes");
        assert_eq!(checked(&"x".repeat(1024)), Ok(()));
        assert_eq!(checked(&"x".repeat(1025)), Err(Unfit("long")));
        assert_eq!(checked("copper\u{7}lantern"), Err(Unfit("control")));
        assert_eq!(checked("My-SAM@beta.example"), Err(Unfit("address")));
        assert_eq!(check("copper lantern", "copper lanten", "x@y.example"), Err(Unfit("differ")));
    }

    #[test]
    fn one_password_whatever_the_keyboard() {
        assert_eq!(prepared("cafe\u{301} au lait"), prepared("caf\u{e9}\u{a0}au\u{3000}lait"));
        assert_eq!(prepared("Copper"), "Copper", "no case is folded");
    }
}
