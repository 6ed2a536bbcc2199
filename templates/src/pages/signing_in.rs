//! The pages on the way in, beside the sign-in page itself.

use serde::Serialize;

use super::{Frame, Page};

/// Where the holder of a link chooses a password.
#[derive(Debug, Clone, Serialize)]
pub struct NewPassword {
    pub frame: Frame,
    pub token: String,
    /// Local path that the form goes to.
    pub action: String,
    /// A first password; otherwise a new one.
    pub invitation: bool,
    pub company: String,
    pub email: String,
    /// Why the last try did not do.
    pub problem: Option<String>,
}

/// Where a link to a new password is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Forgotten {
    pub frame: Frame,
    pub token: String,
    /// It was asked for, whoever it is.
    pub sent: bool,
    pub problem: Option<String>,
}

impl Page for NewPassword {
    const TEMPLATE: &'static str = "new-password";
}

impl Page for Forgotten {
    const TEMPLATE: &'static str = "forgotten";
}

/// Where the second step of signing in is taken.
#[derive(Debug, Clone, Serialize)]
pub struct SecondStep {
    pub frame: Frame,
    pub token: String,
    pub problem: Option<String>,
}

/// Where an authenticator app is set up.
#[derive(Debug, Clone, Serialize)]
pub struct SetUp {
    pub frame: Frame,
    pub token: String,
    /// The secret, in blocks, to be typed into the app.
    pub key: String,
    /// The `otpauth:` address, for an app on this device.
    pub uri: String,
    pub email: String,
    pub problem: Option<String>,
}

/// The recovery codes, shown once.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryCodes {
    pub frame: Frame,
    pub codes: Vec<String>,
    /// Local path to go on to.
    pub next: String,
}

impl Page for SecondStep {
    const TEMPLATE: &'static str = "second-step";
}

impl Page for SetUp {
    const TEMPLATE: &'static str = "set-up";
}

impl Page for RecoveryCodes {
    const TEMPLATE: &'static str = "recovery-codes";
}
