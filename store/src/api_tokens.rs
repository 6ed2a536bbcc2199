//! Tokens with which a program acts for a user: scoped, shown once, kept as digests, over on a day that is fixed when they
//! are made. A token opens what its user may do and what it was made for, whichever is less.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::{UserId, base32},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// So many a user may have.
pub const MOST_API_TOKENS: usize = 20;
/// Longest life of a token.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// How exactly the last use is kept; every request would be a write otherwise.
const GRAIN: Duration = Duration::from_hours(1);
/// So that people and scanners of source code know one when they see it.
const MARK: &str = "postern_";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ApiScope {
    /// Cases and their messages.
    #[n(0)]
    CasesRead,
    /// To take, give, answer, open, escalate and close them.
    #[n(1)]
    CasesWrite,
    /// Figures.
    #[n(2)]
    ReportsRead,
}

/// A token as its user sees it again: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApiToken {
    #[n(0)]
    pub user: UserId,
    #[n(1)]
    pub name: String,
    #[n(2)]
    pub scopes: Vec<ApiScope>,
    #[cbor(n(3), with = "records::time")]
    pub made: Timestamp,
    #[cbor(n(4), with = "records::time")]
    pub until: Timestamp,
    /// To the hour.
    #[cbor(n(5), with = "records::optional_time", has_nil)]
    pub used: Option<Timestamp>,
}

/// Why a token was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenNotMade {
    Full,
    NameTaken,
    NoScope,
    TooLong,
}

impl ApiScope {
    pub const ALL: [Self; 3] = [Self::CasesRead, Self::CasesWrite, Self::ReportsRead];

    /// `cases:read`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CasesRead => "cases:read",
            Self::CasesWrite => "cases:write",
            Self::ReportsRead => "reports:read",
        }
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No such scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope; write cases:read, cases:write or reports:read")]
pub struct NotAScope;

impl FromStr for ApiScope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(NotAScope)
    }
}

impl Ledger {
    /// Makes a token that is over after `life`. The answer is the only copy of it.
    pub async fn make_api_token(
        &self,
        user: UserId,
        name: &str,
        scopes: &[ApiScope],
        life: Duration,
    ) -> Result<Result<String, TokenNotMade>, StoreError> {
        let known = self.api_tokens_of(user).await?;
        if let Some(unmade) = hindrance(&known, name, scopes, life) {
            return Ok(Err(unmade));
        }
        let token = format!("{MARK}{}", base32(&certs::random::<32>()?));
        let digest = certs::sha256(token.as_bytes());
        let now = self.now();
        let until = now.saturating_add(life).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let listed: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let mut event = self.token_event(user, Act::ApiTokenMade);
        event.name = Some(listed.join(" "));
        let record = ApiToken { user, name: name.to_owned(), scopes, made: now, until, used: None };
        let changes = Changeset {
            put: vec![
                (token_key(&digest), records::encode(&record)?),
                (own_key(user, &digest), Vec::new().into()),
            ],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await?;
        Ok(Ok(token))
    }

    /// A user's tokens with the names by which they are revoked, oldest first; what is over is in it until it is swept.
    pub async fn api_tokens_of(&self, user: UserId) -> Result<Vec<(String, ApiToken)>, StoreError> {
        let range = Key::of(Table::ApiTokenOf).id(&user).range();
        let mut found = Vec::new();
        for (key, _) in self.engine().scan(range, 10 * MOST_API_TOKENS).await? {
            let digest = &key[own_key(user, &[]).len()..];
            if let Some(row) = self.row(token_key(digest)).await? {
                found.push((base32(&digest[..10]), records::decode::<ApiToken>(&row.value)?));
            }
        }
        found.sort_by(|(_, one), (_, other)| one.made.cmp(&other.made).then(one.name.cmp(&other.name)));
        Ok(found)
    }

    /// The token counts no more; `false` if the user has none of that name.
    pub async fn revoke_api_token(&self, user: UserId, name: &str) -> Result<bool, StoreError> {
        let range = Key::of(Table::ApiTokenOf).id(&user).range();
        for (key, _) in self.engine().scan(range, 10 * MOST_API_TOKENS).await? {
            let digest = &key[own_key(user, &[]).len()..];
            if base32(&digest[..10]) == name {
                let event = self.token_event(user, Act::ApiTokenRevoked).to_bytes()?;
                let delete = vec![token_key(digest), key.clone()];
                self.commit(Changeset { delete, append: vec![event], ..Changeset::default() }).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whose token this is and what for, if it is one, is not over, and its user may still sign in.
    pub async fn api_token(&self, token: &str) -> Result<Option<ApiToken>, StoreError> {
        if !token.starts_with(MARK) {
            return Ok(None);
        }
        let key = token_key(&certs::sha256(token.as_bytes()));
        let Some(row) = self.row(key.clone()).await? else { return Ok(None) };
        let record: ApiToken = records::decode(&row.value)?;
        let now = self.now();
        let active = self.directory().user(&record.user).is_some_and(|user| user.is_active());
        if record.is_over(now) || !active {
            return Ok(None);
        }
        let age = record.used.and_then(|used| Duration::try_from(now.duration_since(used)).ok());
        if age.is_none_or(|age| age >= GRAIN) {
            let used = ApiToken { used: Some(now), ..record.clone() };
            let touch = Changeset {
                require: vec![(key.clone(), Some(row.version))],
                put: vec![(key, records::encode(&used)?)],
                ..Changeset::default()
            };
            match self.commit(touch).await {
                // Another request was faster, or the token has just been revoked.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(record))
    }

    /// Removes tokens that are over; says how many.
    pub async fn sweep_api_tokens(&self) -> Result<usize, StoreError> {
        let now = self.now();
        self.sweep(Table::ApiToken, |key, row| {
            let token: ApiToken = records::decode(&row.value)?;
            let rows = || vec![key.to_vec(), own_key(token.user, &key[1..])];
            Ok(if token.is_over(now) { rows() } else { Vec::new() })
        })
        .await
    }

    fn token_event(&self, user: UserId, act: Act) -> Event {
        let mut event = Event::new(self.now(), Actor::User(user), act).user(user);
        event.group = self.directory().user(&user).map(|user| user.group.clone());
        event
    }
}

impl ApiToken {
    /// A clock that went backwards lengthens nothing.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until || now < self.made
    }
}

fn hindrance(
    known: &[(String, ApiToken)],
    name: &str,
    scopes: &[ApiScope],
    life: Duration,
) -> Option<TokenNotMade> {
    if scopes.is_empty() {
        return Some(TokenNotMade::NoScope);
    }
    if life > LONGEST {
        return Some(TokenNotMade::TooLong);
    }
    if known.iter().any(|(_, token)| token.name == name) {
        return Some(TokenNotMade::NameTaken);
    }
    (known.len() >= MOST_API_TOKENS).then_some(TokenNotMade::Full)
}

fn token_key(digest: &[u8]) -> Vec<u8> {
    Key::of(Table::ApiToken).raw(digest).done()
}

fn own_key(user: UserId, digest: &[u8]) -> Vec<u8> {
    Key::of(Table::ApiTokenOf).id(&user).raw(digest).done()
}
