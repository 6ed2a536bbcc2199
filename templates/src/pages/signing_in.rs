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
