//! The ceremonies of WebAuthn, as `webauthn-rs` checks them: origin, challenge, user verification, signature and counter.
//! The browser's side is one form field each way, so that the pages stay forms.

use store::{StoredPasskey, User};
use webauthn_rs::prelude::{
    CredentialID, Passkey, PasskeyAuthentication, PasskeyRegistration, Url, Uuid, Webauthn, WebauthnBuilder,
};

use crate::portal::PublicUrl;

/// Checks keys for one portal.
pub(crate) struct Passkeys(Webauthn);

/// A ceremony that has begun: what the browser is asked, and what is kept to check its answer.
pub(crate) struct Begun {
    pub(crate) options: String,
    pub(crate) state: Vec<u8>,
}

/// A key that a user has made.
pub(crate) struct Made {
    pub(crate) credential: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Passkeys {
    /// None for a portal that is reached by a bare IP address: keys are bound to names (WebAuthn §5.1.2).
    pub(crate) fn of(url: &PublicUrl) -> Option<Self> {
        let origin = Url::parse(url.origin()).ok()?;
        let host = origin.domain()?.to_owned();
        let webauthn = WebauthnBuilder::new(&host, &origin).ok()?.rp_name("Postern").build().ok()?;
        Some(Self(webauthn))
    }

    pub(crate) fn begin_making(&self, user: &User, known: &[StoredPasskey]) -> Option<Begun> {
        let taken: Vec<CredentialID> = keys(known).map(|(_, key)| key.cred_id().clone()).collect();
        let id = Uuid::from_slice(&certs::sha256(user.id.as_bytes())[..16]).ok()?;
        let email = user.email.to_string();
        let (options, state) = self.0.start_passkey_registration(id, &email, &user.name, Some(taken)).ok()?;
        begun(&options.public_key, &state)
    }

    /// None if the answer is not one to that beginning.
    pub(crate) fn finish_making(&self, answer: &str, state: &[u8]) -> Option<Made> {
        let state: PasskeyRegistration = serde_json::from_slice(state).ok()?;
        let key = self.0.finish_passkey_registration(&serde_json::from_str(answer).ok()?, &state).ok()?;
        Some(Made { credential: key.cred_id().to_vec(), key: serde_json::to_vec(&key).ok()? })
    }

    pub(crate) fn begin_showing(&self, known: &[StoredPasskey]) -> Option<Begun> {
        let keys: Vec<Passkey> = keys(known).map(|(_, key)| key).collect();
        let (options, state) = self.0.start_passkey_authentication(&keys).ok()?;
        begun(&options.public_key, &state)
    }

    /// The key that was shown, as it is after that. None if the answer is not one to that beginning.
    pub(crate) fn finish_showing(
        &self,
        answer: &str,
        state: &[u8],
        known: &[StoredPasskey],
    ) -> Option<StoredPasskey> {
        let state: PasskeyAuthentication = serde_json::from_slice(state).ok()?;
        let shown = self.0.finish_passkey_authentication(&serde_json::from_str(answer).ok()?, &state).ok()?;
        if !shown.user_verified() {
            return None;
        }
        let (stored, mut key) = keys(known).find(|(_, key)| key.cred_id() == shown.cred_id())?;
        key.update_credential(&shown)?;
        Some(StoredPasskey { key: serde_json::to_vec(&key).ok()?, ..stored.clone() })
    }
}

fn begun(options: &impl serde::Serialize, state: &impl serde::Serialize) -> Option<Begun> {
    Some(Begun { options: serde_json::to_string(options).ok()?, state: serde_json::to_vec(state).ok()? })
}

fn keys(known: &[StoredPasskey]) -> impl Iterator<Item = (&StoredPasskey, Passkey)> {
    known.iter().filter_map(|stored| Some((stored, serde_json::from_slice(&stored.key).ok()?)))
}
