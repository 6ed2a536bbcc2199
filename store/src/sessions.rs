//! Signed-in people: server-side records, found by the hash of an opaque token.
//!
//! The token itself is never stored, so a copy of the ledger signs nobody in.

mod own;

use std::time::Duration;

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::{UserId, base32},
    inactivity::Presence,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// A session ends this long after it began, whatever happens.
const LONGEST: Duration = Duration::from_hours(12);
/// A session ends this long after it was last used.
const IDLE: Duration = Duration::from_mins(60);
/// A proof of being the one who signed in counts this long.
const PROOF: Duration = Duration::from_mins(10);
/// Most sessions of one user that are listed.
const LISTED: usize = 100;
/// How exactly `last_seen` is kept; every request would be a write otherwise.
const GRAIN: Duration = Duration::from_mins(5);

/// 256 random bits, for the cookie. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// Takes what a cookie holds; whether it is a session shows when it is looked up.
    pub fn from_cookie(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Vec<u8> {
        Key::of(Table::Session).raw(&self.digest()).done()
    }

    fn digest(&self) -> [u8; 32] {
        certs::sha256(self.0.as_bytes())
    }

    /// What its user calls the session by; it opens nothing.
    pub fn name(&self) -> String {
        name_of(&self.digest())
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Session {
    #[n(0)]
    pub user: UserId,
    /// Goes into every form of the session and comes back with it.
    #[n(1)]
    pub csrf: String,
    #[cbor(n(2), with = "records::time")]
    pub started: Timestamp,
    #[cbor(n(3), with = "records::time")]
    pub last_seen: Timestamp,
    /// When the user last proved to be the one who signed in.
    #[cbor(n(4), with = "records::optional_time", has_nil)]
    proved: Option<Timestamp>,
    #[cbor(n(5), default)]
    pub origin: Origin,
}

/// From what and from where a session was begun, as coarse as its user needs to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Origin {
    /// `Firefox on Windows`.
    #[n(0)]
    pub device: Option<String>,
    /// `192.0.2.0/24`.
    #[n(1)]
    pub network: Option<String>,
}

/// A session in the list of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// See [`SessionToken::name`].
    pub name: String,
    pub session: Session,
}

impl Session {
    /// A clock that went backwards lengthens nothing: a session from the future is over.
    fn is_over(&self, now: Timestamp) -> bool {
        let since = |then: Timestamp| Duration::try_from(now.duration_since(then)).ok();
        since(self.started).is_none_or(|age| age >= LONGEST)
            || since(self.last_seen).is_none_or(|age| age >= IDLE)
    }

    /// Whether the user proved a moment ago to be the one who signed in. Signing in itself is no such proof: who finds
    /// a browser left open changes nothing that lasts.
    pub fn is_proved(&self, now: Timestamp) -> bool {
        let age = self.proved.and_then(|then| Duration::try_from(now.duration_since(then)).ok());
        age.is_some_and(|age| age < PROOF)
    }
}

impl Ledger {
    /// Begins a session for a user whose proof was checked.
    pub async fn start_session(&self, user: UserId) -> Result<SessionToken, StoreError> {
        self.start_session_from(user, Origin::default()).await
    }

    /// The same, with where it comes from.
    pub async fn start_session_from(&self, user: UserId, origin: Origin) -> Result<SessionToken, StoreError> {
        let token = SessionToken(secret()?);
        let now = self.now();
        let session = Session { user, csrf: secret()?, started: now, last_seen: now, proved: None, origin };
        let mut event = Event::new(now, Actor::User(user), Act::SignedIn);
        event.group = self.directory().user(&user).map(|user| user.group.clone());
        let changes = Changeset {
            put: vec![
                (token.key(), records::encode(&session)?),
                (own_key(user, &token.digest()), Vec::new().into()),
                Presence::now(user, now)?,
            ],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await?;
        Ok(token)
    }

    /// The session of a token, if there is one and it is not over.
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, StoreError> {
        let Some(row) = self.row(token.key()).await? else { return Ok(None) };
        let session: Session = records::decode(&row.value)?;
        let now = self.now();
        if session.is_over(now) {
            let delete = vec![token.key(), own_key(session.user, &token.digest())];
            self.commit(Changeset { delete, ..Changeset::default() }).await?;
            return Ok(None);
        }
        if Duration::try_from(now.duration_since(session.last_seen)).is_ok_and(|age| age > GRAIN) {
            let touched = Session { last_seen: now, ..session.clone() };
            let touch = Changeset {
                require: vec![(token.key(), Some(row.version))],
                put: vec![(token.key(), records::encode(&touched)?)],
                ..Changeset::default()
            };
            match self.commit(touch).await {
                // Another request of the same session was faster, or it has just been ended.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(session))
    }

    /// Removes sessions that are over; says how many.
    pub async fn sweep_sessions(&self) -> Result<usize, StoreError> {
        let now = self.now();
        self.remove_sessions(|_, session| session.is_over(now)).await
    }

    /// Ends every session of a user: after a new password nobody goes on with the old one.
    pub async fn end_sessions_of(&self, user: UserId) -> Result<usize, StoreError> {
        self.remove_sessions(|_, session| session.user == user).await
    }

    async fn remove_sessions(&self, ended: impl Fn(&[u8], &Session) -> bool) -> Result<usize, StoreError> {
        self.sweep(Table::Session, |key, row| {
            let session: Session = records::decode(&row.value)?;
            let rows = || vec![key.to_vec(), own_key(session.user, &key[1..])];
            Ok(if ended(key, &session) { rows() } else { Vec::new() })
        })
        .await
    }

    pub async fn end_session(&self, token: &SessionToken) -> Result<(), StoreError> {
        let Some(row) = self.row(token.key()).await? else { return Ok(()) };
        let session: Session = records::decode(&row.value)?;
        let mut event = Event::new(self.now(), Actor::User(session.user), Act::SignedOut);
        event.group = self.directory().user(&session.user).map(|user| user.group.clone());
        let delete = vec![token.key(), own_key(session.user, &token.digest())];
        let changes = Changeset { delete, append: vec![event.to_bytes()?], ..Changeset::default() };
        self.commit(changes).await.map(drop)
    }
}

fn own_key(user: UserId, digest: &[u8]) -> Vec<u8> {
    Key::of(Table::SessionOf).id(&user).raw(digest).done()
}

fn name_of(digest: &[u8]) -> String {
    base32(&digest[..10])
}

fn secret() -> Result<String, StoreError> {
    Ok(base32(&certs::random::<32>()?))
}
