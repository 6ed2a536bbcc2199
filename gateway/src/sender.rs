//! Who vouches for a peer: a login, a client certificate or a registered network. Never `From`.

use std::sync::Arc;

use mail::{Address, GroupId};
use store::{Act, Actor, Event, Ledger, Proof, User};
use tokio::sync::Semaphore;

use crate::{gateway::refused, smtp::Refusal};

/// A peer whose company is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub(crate) group: GroupId,
    pub(crate) proof: Proof,
}

/// Checks logins: Argon2id costs memory and time, so only a few run at once and none on an async thread.
#[derive(Debug, Clone)]
pub(crate) struct Logins {
    permits: Arc<Semaphore>,
}

impl Logins {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(at_once)) }
    }

    /// The same work and the same answer, whether the user is unknown, inactive or the password wrong.
    pub(crate) async fn check(&self, ledger: &Ledger, user: &str, password: &str) -> Result<Sender, Refusal> {
        let directory = ledger.directory();
        let known = Address::parse(user)
            .ok()
            .and_then(|address| directory.user_by_email(&address).cloned())
            .filter(|user| user.active);
        let stored = known.as_ref().and_then(|user| user.password.clone());
        let password = password.to_owned();
        let permit = self.permits.clone().acquire_owned().await;
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            certs::password::verify(&password, stored.as_deref())
        });
        match (verified.await, known) {
            (Ok(true), Some(user)) => Ok(Sender { group: user.group, proof: Proof::Login(user.id) }),
            (Ok(_), known) => {
                record_refusal(ledger, known).await?;
                Err(Refusal::BadCredentials)
            }
            (Err(_), _) => Err(Refusal::Unavailable("logins cannot be checked now; try again".to_owned())),
        }
    }
}

async fn record_refusal(ledger: &Ledger, user: Option<User>) -> Result<(), Refusal> {
    let event = Event::new(ledger.now(), Actor::Gateway, Act::SignInRefused);
    let event = match user {
        Some(user) => event.group(&user.group).user(user.id),
        None => event,
    };
    ledger.record(event).await.map_err(|error| refused(&error))
}
