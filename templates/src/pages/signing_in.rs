//! The pages on the way in, beside the sign-in page itself.

use serde::Serialize;

use super::{Frame, Page, When};

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
    /// What the browser is asked for a passkey; none: the user has none.
    pub passkey: Option<String>,
    pub problem: Option<String>,
}

/// Where an authenticator app is set up.
#[derive(Debug, Clone, Serialize)]
pub struct SetUp {
    pub frame: Frame,
    /// Local path that the form goes to.
    pub action: String,
    pub token: String,
    /// The address below, to be taken by a camera.
    pub picture: Option<Picture>,
    /// The secret, in blocks, to be typed into the app.
    pub key: String,
    /// The `otpauth:` address, for an app on this device.
    pub uri: String,
    pub email: String,
    pub problem: Option<String>,
}

/// A picture of dark squares as one SVG path, `side` squares wide and high.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    pub side: usize,
    pub path: String,
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

/// How the visitor signs in.
#[derive(Debug, Clone, Serialize)]
pub struct SignInSettings {
    pub frame: Frame,
    /// What came of the last change.
    pub told: Option<String>,
    pub token: String,
    pub email: String,
    /// The visitor has just proved to be the one who signed in, and may change what lasts.
    pub proved: bool,
    /// There is one.
    pub password: bool,
    /// Why the new password did not do.
    pub problem: Option<String>,
    pub app_since: Option<When>,
    /// Recovery codes that are left.
    pub recovery: String,
    /// The second step is asked for: it can be changed and not removed.
    pub needed: bool,
    pub passkeys: Vec<PasskeyRow>,
    /// Passkeys can be made here.
    pub passkeys_open: bool,
    pub sessions: Vec<SessionRow>,
    /// There are more than this one.
    pub others: bool,
}

/// A passkey of the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct PasskeyRow {
    pub name: String,
    pub made: When,
    /// Local path that removes it.
    pub remove: String,
}

/// Where a passkey is made.
#[derive(Debug, Clone, Serialize)]
pub struct NewPasskey {
    pub frame: Frame,
    pub token: String,
    /// What the browser is asked (WebAuthn §5.1.3, as JSON).
    pub options: String,
    pub problem: Option<String>,
}

impl Page for NewPasskey {
    const TEMPLATE: &'static str = "new-passkey";
}

/// A session of the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// The one that asks.
    pub here: bool,
    pub device: String,
    pub network: String,
    pub started: When,
    pub seen: When,
    /// Local path that ends it.
    pub end: String,
}

/// Where the visitor proves to be the one who signed in.
#[derive(Debug, Clone, Serialize)]
pub struct OwnProof {
    pub frame: Frame,
    pub token: String,
    pub email: String,
    /// Local path to go on to.
    pub next: String,
    /// A code is asked for beside the password.
    pub code: bool,
    /// Or a passkey.
    pub passkeys: bool,
    /// The password was right, and this is what the browser is asked for the passkey.
    pub question: Option<String>,
    pub problem: Option<String>,
}

/// How the people of a company sign in.
#[derive(Debug, Clone, Serialize)]
pub struct SignInRules {
    pub frame: Frame,
    pub told: Option<String>,
    pub token: String,
    pub company: String,
    /// Local path to where the visitor proves to be the one who signed in.
    pub proof: String,
    pub proved: bool,
    /// Who needs a second step.
    pub choices: Vec<RuleChoice>,
}

/// One of the rules to choose from.
#[derive(Debug, Clone, Serialize)]
pub struct RuleChoice {
    pub value: &'static str,
    pub label: String,
    pub chosen: bool,
}

/// Tokens with which programs act for the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct ApiTokens {
    pub frame: Frame,
    pub told: Option<String>,
    pub problem: Option<String>,
    /// The one that was made just now; shown this once.
    pub fresh: Option<String>,
    pub token: String,
    /// Local path to where the visitor proves to be the one who signed in.
    pub proof: String,
    pub proved: bool,
    pub tokens: Vec<TokenRow>,
    pub scopes: Vec<RuleChoice>,
    /// Lives to choose from, in days.
    pub lives: Vec<String>,
}

/// A token of the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct TokenRow {
    pub name: String,
    pub scopes: String,
    pub made: When,
    pub until: When,
    pub over: bool,
    pub used: Option<When>,
    /// Local path that revokes it.
    pub revoke: String,
}

impl Page for ApiTokens {
    const TEMPLATE: &'static str = "api-tokens";
}

impl Page for SignInRules {
    const TEMPLATE: &'static str = "sign-in-rules";
}

impl Page for SignInSettings {
    const TEMPLATE: &'static str = "sign-in-settings";
}

impl Page for OwnProof {
    const TEMPLATE: &'static str = "own-proof";
}
