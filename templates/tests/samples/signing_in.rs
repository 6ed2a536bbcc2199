//! Sample pages on the way in.

use templates::pages::*;

use super::frame;

pub(crate) fn new_password() -> NewPassword {
    NewPassword {
        frame: frame("Welcome to Postern", false),
        token: "token".into(),
        action: "/invitation/0123456789abcdefghjkmnpqrstvwxyz".into(),
        invitation: true,
        company: "Beta Power".into(),
        email: "sam@beta.example".into(),
        problem: Some("Use at least 12 characters.".into()),
    }
}

pub(crate) fn forgotten(sent: bool) -> Forgotten {
    Forgotten {
        frame: frame("Forgotten your password?", false),
        token: "token".into(),
        sent,
        problem: (!sent).then(|| "That is not an e-mail address. Check it and try again.".into()),
    }
}
