//! Logins: passwords of users, app passwords, SCRAM-SHA-256. What they cost is bounded, and the answer is the same
//! whether a user is unknown, inactive or the password wrong. It opens no session of the portal.

use std::{net::IpAddr, sync::Arc};

use certs::scram::{self, Verifier};
use mail::Address;
use store::{Act, Actor, AppPassword, AppPasswordId, Event, Ledger, Proof, User};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    gateway::refused,
    sender::{Basis, Proved},
    smtp::{Admitted, Own, Refusal, ScramChallenge, Standing, Throttle, Try},
};

/// Checks logins: Argon2id costs memory and time, so only a few run at once and none on an async thread.
/// Users who logged in from their address before do not queue behind strangers.
#[derive(Debug, Clone)]
pub(crate) struct Logins {
    strangers: Arc<Semaphore>,
    familiar: Arc<Semaphore>,
    throttle: Arc<Throttle>,
}

impl Logins {
    /// Of so many runs at once one is kept for users who logged in before.
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            strangers: Arc::new(Semaphore::new(at_once.saturating_sub(1).max(1))),
            familiar: Arc::new(Semaphore::new(1)),
            throttle: Arc::default(),
        }
    }

    /// An app password, else the user's own. An address with too many failures gets no work done, and leaves nothing in
    /// the audit trail. Where an account is being guessed at, strangers wait before their guess is looked at, or come
    /// again later; an app password is drawn at random and no guess, so it works at once.
    pub(crate) async fn check(
        &self,
        ledger: &Ledger,
        peer: IpAddr,
        user: &str,
        password: &str,
    ) -> Result<Proved, Refusal> {
        let Admitted { attempt, own } =
            self.throttle.begin(peer, user, Instant::now()).ok_or(Refusal::LoginsPaused)?;
        let account = Account::of(ledger, user);
        let mut opened = None;
        if own != Own::Now {
            opened = self.opened(&account, Tried::AppPasswords, attempt.standing(), password).await?;
        }
        match (own, &opened) {
            (Own::Never, None) => return Err(Refusal::LoginsPaused),
            (Own::After(pause), None) => tokio::time::sleep(pause).await,
            _ => {}
        }
        if opened.is_none() {
            opened = self.opened(&account, Tried::All, attempt.standing(), password).await?;
        }
        self.settled(ledger, attempt, account, opened).await
    }

    /// Which of the account's passwords this is. One of two permits is needed for the work.
    async fn opened(
        &self,
        account: &Account,
        tried: Tried,
        standing: Standing,
        password: &str,
    ) -> Result<Option<Opened>, Refusal> {
        let permits = match standing {
            Standing::Familiar => &self.familiar,
            Standing::Stranger => &self.strangers,
        };
        let (verifiers, salt) = (account.verifiers.clone(), account.salt);
        let (stored, password) = (account.password.clone(), password.to_owned());
        let permit = permits.clone().acquire_owned().await;
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let app = scram::check_password(&verifiers, &salt, scram::ITERATIONS, &password);
            // The user's own password is looked at either way, so that the time says nothing.
            let own = tried == Tried::All && certs::password::verify(&password, stored.as_deref());
            app.map(Opened::App).or(own.then_some(Opened::Own))
        });
        verified.await.map_err(|_| Refusal::Unavailable("logins cannot be checked now; try again".to_owned()))
    }

    async fn settled(
        &self,
        ledger: &Ledger,
        attempt: Try,
        account: Account,
        opened: Option<Opened>,
    ) -> Result<Proved, Refusal> {
        let proved = opened.and_then(|opened| account.proved(&opened));
        let Some(proved) = proved else {
            record_refusal(ledger, account.user).await?;
            return Err(Refusal::BadCredentials);
        };
        self.throttle.succeeded(attempt, Instant::now());
        if let Proof::Login(user, Some(which)) = proved.proof
            && let Err(error) = ledger.app_password_used(user, which).await
        {
            tracing::warn!(%error, "the use of an app password could not be noted");
        }
        Ok(proved)
    }

    /// What SCRAM-SHA-256 tells whoever asks; made up, and always the same, for users without an app password.
    pub(crate) fn challenge(&self, ledger: &Ledger, user: &str) -> ScramChallenge {
        ScramChallenge { salt: Account::of(ledger, user).salt.to_vec(), iterations: scram::ITERATIONS.get() }
    }

    /// Checks a proof that one of the user's app passwords is known, counted like a login by password.
    pub(crate) async fn check_scram(
        &self,
        ledger: &Ledger,
        peer: IpAddr,
        user: &str,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Result<(Proved, Vec<u8>), Refusal> {
        let Admitted { attempt, .. } =
            self.throttle.begin(peer, user, Instant::now()).ok_or(Refusal::LoginsPaused)?;
        let account = Account::of(ledger, user);
        let proved = scram::check(&account.verifiers, auth_message, proof);
        let signature = proved.as_ref().map_or_else(Vec::new, |proved| proved.server_signature.to_vec());
        let opened = proved.map(|proved| Opened::App(proved.index));
        let sender = self.settled(ledger, attempt, account, opened).await?;
        Ok((sender, signature))
    }
}

/// Which passwords of an account are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tried {
    All,
    AppPasswords,
}

/// What a login was right with.
enum Opened {
    Own,
    /// The app password of this number.
    App(usize),
}

/// What there is to check a login against.
struct Account {
    /// The active user of that name.
    user: Option<User>,
    password: Option<String>,
    verifiers: Vec<Verifier>,
    /// The app passwords that the verifiers are of.
    apps: Vec<AppPasswordId>,
    salt: [u8; 16],
}

impl Account {
    fn of(ledger: &Ledger, name: &str) -> Self {
        let directory = ledger.directory();
        let known = Address::parse(name).ok().and_then(|address| directory.user_by_email(&address).cloned());
        let user = known.filter(|user| user.is_active());
        let salt = user.as_ref().and_then(|user| user.scram_salt);
        let apps: Vec<&AppPassword> =
            user.iter().flat_map(|user| directory.app_passwords(&user.id)).collect();
        let verifier =
            |known: &&AppPassword| Verifier { stored_key: known.stored_key, server_key: known.server_key };
        Self {
            password: user.as_ref().and_then(|user| user.password.clone()),
            verifiers: apps.iter().map(verifier).collect(),
            apps: apps.iter().map(|known| known.id).collect(),
            salt: salt.unwrap_or_else(|| {
                scram::salt_from(&ledger.mac(scram::FAKE_SALT, name.to_lowercase().as_bytes()))
            }),
            user,
        }
    }

    /// Who it is that opened it.
    fn proved(&self, opened: &Opened) -> Option<Proved> {
        let user = self.user.as_ref()?;
        let (app, basis) = match opened {
            Opened::Own => {
                let stored = self.password.as_deref().unwrap_or_default();
                (None, Basis::Password(user.id, certs::sha256(stored.as_bytes())))
            }
            Opened::App(index) => {
                let id = *self.apps.get(*index)?;
                (Some(id), Basis::AppPassword(user.id, id))
            }
        };
        Some(Proved::by(&user.group, Proof::Login(user.id, app), basis))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use certs::RootKey;
    use mail::GroupId;
    use store::engine::Engine;
    use store::memory::Memory;
    use store::{DirectoryChange, Group, UserId, chain};

    use super::*;

    const ANN: &str = "ann@alpha.example";
    const PASSWORD: &str = "correct horse battery";

    /// One company with one user.
    struct Door {
        engine: Arc<dyn Engine>,
        ledger: Ledger,
        logins: Logins,
    }

    impl Door {
        async fn open() -> Self {
            certs::install_provider();
            let engine: Arc<dyn Engine> = Arc::new(Memory::new());
            let root = Arc::new(RootKey::generate().unwrap());
            let ledger = Ledger::open(engine.clone(), root).await.unwrap();
            let group: GroupId = "alpha".parse().unwrap();
            let company = DirectoryChange::Group(Group {
                domains: vec!["alpha.example".to_owned()],
                receipts: store::Receipts::Off,
                ..Group::new(group.clone(), "Alpha Energy".to_owned())
            });
            let ann = DirectoryChange::User(User {
                password: Some(certs::password::hash(PASSWORD).unwrap()),
                state: store::UserState::Confirmed,
                ..User::new(
                    UserId::new(ledger.now()).unwrap(),
                    group,
                    Address::parse(ANN).unwrap(),
                    "Ann".to_owned(),
                )
            });
            ledger.change_directory(&Actor::Tool, vec![company, ann]).await.unwrap();
            Self { engine, ledger, logins: Logins::new(4) }
        }

        async fn knock(&self, last: u8, user: &str, password: &str) -> Result<Proved, Refusal> {
            self.logins.check(&self.ledger, IpAddr::from([192, 0, 2, last]), user, password).await
        }

        async fn events(&self) -> u64 {
            chain::head(self.engine.as_ref()).await.unwrap().sequence
        }
    }

    #[tokio::test]
    async fn tries_beyond_the_limit_are_not_hashed_and_leave_no_event() {
        let door = Door::open().await;
        let before = door.events().await;
        for _ in 0..10 {
            assert_eq!(door.knock(1, ANN, "wrong").await, Err(Refusal::BadCredentials));
        }
        assert_eq!(door.events().await, before + 10);
        // With every permit taken, an answer cannot have been worked for.
        let _none_left = door.logins.strangers.acquire_many(3).await.unwrap();
        for _ in 0..100 {
            assert_eq!(door.knock(1, ANN, PASSWORD).await, Err(Refusal::LoginsPaused));
        }
        assert_eq!(door.events().await, before + 10);
    }

    #[tokio::test]
    async fn a_crowd_at_one_address_gets_no_more_than_the_limit_at_once() {
        let door = Arc::new(Door::open().await);
        let tries: Vec<_> = (0..80)
            .map(|_| {
                let door = door.clone();
                tokio::spawn(async move { door.knock(1, "nobody@alpha.example", "wrong").await })
            })
            .collect();
        let mut refused = 0;
        for attempt in tries {
            refused += usize::from(attempt.await.unwrap() == Err(Refusal::BadCredentials));
        }
        assert_eq!(refused, 10);
        assert!(door.knock(2, ANN, PASSWORD).await.is_ok(), "another address is not concerned");
    }

    #[tokio::test]
    async fn who_logged_in_before_waits_for_no_stranger() {
        let door = Door::open().await;
        assert!(door.knock(1, ANN, PASSWORD).await.is_ok());
        let _strangers_at_work = door.logins.strangers.acquire_many(3).await.unwrap();
        assert!(door.knock(1, ANN, PASSWORD).await.is_ok());
        let elsewhere = tokio::time::timeout(Duration::from_millis(200), door.knock(2, ANN, PASSWORD));
        assert!(elsewhere.await.is_err(), "a stranger there waits for its turn");
    }
}
