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

pub(crate) fn second_step() -> SecondStep {
    SecondStep {
        frame: frame("Second step", false),
        token: "token".into(),
        problem: Some("That code does not count (any more). Type the one that the app shows now.".into()),
    }
}

pub(crate) fn set_up() -> SetUp {
    SetUp {
        frame: frame("Set up your second step", false),
        token: "token".into(),
        key: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
        uri: "otpauth://totp/Postern:sam@beta.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into(),
        email: "sam@beta.example".into(),
        problem: None,
    }
}

pub(crate) fn recovery_codes() -> RecoveryCodes {
    RecoveryCodes {
        frame: frame("Your recovery codes", false),
        codes: (0..10).map(|number| format!("k3fe-9xqa-mmwt-2bc{number}")).collect(),
        next: "/".into(),
    }
}
