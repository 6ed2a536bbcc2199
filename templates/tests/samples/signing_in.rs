//! Sample pages on the way in.

use templates::pages::*;

use super::{frame, when};

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
        passkey: Some("{\"challenge\":\"AAAA\"}".into()),
        problem: Some("That code does not count (any more). Type the one that the app shows now.".into()),
    }
}

pub(crate) fn set_up() -> SetUp {
    SetUp {
        frame: frame("Set up your second step", false),
        action: "/sign-in/set-up".into(),
        token: "token".into(),
        picture: Some(Picture { side: 29, path: "M4 4h7v1h-7zM18 4h7v1h-7zM4 18h7v1h-7z".into() }),
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

pub(crate) fn settings(proved: bool) -> SignInSettings {
    let session = |here: bool, device: &str| SessionRow {
        here,
        device: device.into(),
        network: "192.0.2.0/24".into(),
        started: when(),
        seen: when(),
        end: "/account/sessions/0123456789abcdef/end".into(),
    };
    SignInSettings {
        frame: frame("How you sign in", true),
        told: proved.then(|| "Ended.".into()),
        token: "token".into(),
        email: "sam@beta.example".into(),
        proved,
        password: true,
        problem: proved.then(|| "Use at least 12 characters.".into()),
        app_since: proved.then(when),
        recovery: "9".into(),
        needed: !proved,
        passkeys: vec![PasskeyRow {
            name: "Blue key".into(),
            made: when(),
            remove: "/account/passkeys/0123456789abcdef/remove".into(),
        }],
        passkeys_open: true,
        others: true,
        sessions: vec![session(true, "Firefox on Windows"), session(false, "Safari on iPhone")],
    }
}

pub(crate) fn own_proof() -> OwnProof {
    OwnProof {
        frame: frame("Is it you?", true),
        token: "token".into(),
        email: "sam@beta.example".into(),
        next: "/account/sign-in".into(),
        code: true,
        passkeys: true,
        question: Some("{\"challenge\":\"AAAA\"}".into()),
        problem: Some("That did not do.".into()),
    }
}

pub(crate) fn rules(proved: bool) -> SignInRules {
    let choice = |value, label: &str| RuleChoice { value, label: label.into(), chosen: value == "default" };
    SignInRules {
        frame: frame("How your people sign in", true),
        told: proved.then(|| "Saved.".into()),
        token: "token".into(),
        company: "Beta Power".into(),
        proof: "/account/confirm".into(),
        proved,
        choices: vec![choice("default", "Who was invited"), choice("everybody", "Everybody")],
    }
}

pub(crate) fn api_tokens(proved: bool) -> ApiTokens {
    let token = |used: bool| TokenRow {
        name: "Nightly report".into(),
        scopes: "cases:read, reports:read".into(),
        made: when(),
        until: when(),
        over: used,
        used: used.then(when),
        revoke: "/account/tokens/0123456789abcdef/revoke".into(),
    };
    ApiTokens {
        frame: frame("API tokens", true),
        told: proved.then(|| "Revoked.".into()),
        problem: proved.then(|| "Give it a name.".into()),
        fresh: proved.then(|| "postern_0123456789abcdefghjkmnpqrstvwxyz".into()),
        token: "token".into(),
        proof: "/account/confirm".into(),
        proved,
        tokens: if proved { vec![token(true), token(false)] } else { Vec::new() },
        scopes: vec![RuleChoice { value: "cases:read", label: "Read cases".into(), chosen: true }],
        lives: vec!["30".into(), "90".into()],
    }
}

pub(crate) fn new_passkey() -> NewPasskey {
    NewPasskey {
        frame: frame("Make a passkey", true),
        token: "token".into(),
        options: "{\"challenge\":\"AAAA\"}".into(),
        problem: Some("That did not do.".into()),
    }
}
