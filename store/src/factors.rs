//! What a user has beside the password: one-time codes of an app, recovery codes, and whether they are needed.
//!
//! One row for each user, read when somebody signs in and never held in memory. A user without a row signs in with the
//! password alone. The secret of the app is sealed; recovery codes are kept as digests. A code works once.

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use certs::totp::TotpSecret;

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::{UserId, base32},
    keys::{Key, Table},
    ledger::Ledger,
    passkeys::StoredPasskey,
    records,
};

/// Recovery codes that are made at once.
pub const RECOVERY_CODES: usize = 10;

/// The factors of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Factors {
    /// The user signs in with a second factor, and has to set one up first.
    #[n(0)]
    pub(crate) required: bool,
    #[n(1)]
    totp: Option<Totp>,
    /// The secret of an app that has not shown a code yet, sealed.
    #[cbor(n(2), with = "minicbor::bytes", default)]
    pending: Option<Vec<u8>>,
    /// Digests of the codes that are left.
    #[cbor(n(3), default)]
    pub(crate) recovery: Vec<Digest>,
    #[cbor(n(4), default)]
    pub(crate) passkeys: Vec<StoredPasskey>,
}

impl Factors {
    /// Recovery codes stand in for something; without it they would be a factor of their own.
    pub(crate) fn drop_useless_codes(&mut self) {
        if self.totp.is_none() && self.passkeys.is_empty() {
            self.recovery.clear();
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Totp {
    #[cbor(n(0), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    /// The step whose code was used last: that one and earlier ones count no more (RFC 6238 §5.2).
    #[n(1)]
    last_step: Option<u64>,
    #[cbor(n(2), with = "records::time")]
    since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Digest(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

/// What a user has, as the user may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorSummary {
    /// Nobody signs in as this user without a second factor.
    pub required: bool,
    /// Since when an app gives codes.
    pub app_since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_left: usize,
    /// Passkeys that were made.
    pub passkeys: usize,
}

/// By what a second step was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondStep {
    App,
    Recovery,
}

impl FactorSummary {
    /// Whether the password alone signs nobody in, and there is something to ask for.
    pub fn any(&self) -> bool {
        self.app_since.is_some() || self.passkeys > 0
    }
}

impl Ledger {
    pub async fn factors(&self, user: UserId) -> Result<FactorSummary, StoreError> {
        let (factors, _) = self.factors_row(user).await?;
        Ok(FactorSummary {
            required: factors.required,
            app_since: factors.totp.as_ref().map(|totp| totp.since),
            recovery_left: factors.recovery.len(),
            passkeys: factors.passkeys.len(),
        })
    }

    /// Makes the secret for a new app; it counts once the app has shown a code. The one that counts now stays.
    pub async fn begin_app(&self, user: UserId) -> Result<TotpSecret, StoreError> {
        let secret = TotpSecret::generate()?;
        let sealed = self.root().seal_secret(&context(user), secret.bytes())?;
        self.change_factors(user, None, |factors| factors.pending = Some(sealed.clone())).await?;
        Ok(secret)
    }

    /// The secret of an app that has not shown a code yet.
    pub async fn pending_app(&self, user: UserId) -> Result<Option<TotpSecret>, StoreError> {
        let (factors, _) = self.factors_row(user).await?;
        factors.pending.as_deref().map(|sealed| self.app_secret(user, sealed)).transpose()
    }

    /// The new app shows a code: from this commit on it counts, and new recovery codes with it. The answer is the only
    /// copy of these. `None`: the code is wrong.
    pub async fn confirm_app(&self, user: UserId, code: &str) -> Result<Option<Vec<String>>, StoreError> {
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            let Some(sealed) = factors.pending.take() else { return Ok(None) };
            let step = self.app_secret(user, &sealed)?.step_of(&plain(code), self.second(), None);
            let Some(step) = step else { return Ok(None) };
            factors.totp = Some(Totp { sealed, last_step: Some(step), since: self.now() });
            let codes = renew(&mut factors)?;
            match self.write_factors(user, &factors, version, Some(Act::FactorAdded)).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| Some(codes)),
            }
        }
    }

    /// The app counts no more. A user who needs a second factor has to set one up at the next sign-in.
    pub async fn remove_app(&self, user: UserId) -> Result<(), StoreError> {
        self.change_factors(user, Some(Act::FactorRemoved), |factors| {
            (factors.totp, factors.pending) = (None, None);
            factors.drop_useless_codes();
        })
        .await
    }

    /// New recovery codes; the old ones count no more. The answer is the only copy.
    pub async fn renew_recovery(&self, user: UserId) -> Result<Vec<String>, StoreError> {
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            let codes = renew(&mut factors)?;
            match self.write_factors(user, &factors, version, Some(Act::RecoveryCodesMade)).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| codes),
            }
        }
    }

    /// Takes all factors from somebody who lost them, and ends every session: the next sign-in sets up new ones, if any are
    /// needed.
    ///
    /// # Errors
    /// `Denied` if there is no such user.
    pub async fn reset_factors(&self, actor: &Actor, user: UserId) -> Result<(), StoreError> {
        let group = self.directory().user(&user).map(|user| user.group.clone());
        let group = group.ok_or_else(|| StoreError::Denied(format!("there is no user {user}")))?;
        loop {
            let (factors, version) = self.factors_row(user).await?;
            let left = Factors { required: factors.required, ..Factors::default() };
            let event = Event::new(self.now(), actor.clone(), Act::FactorsReset).group(&group).user(user);
            let changes = Changeset { append: vec![event.to_bytes()?], ..Changeset::default() };
            match self.commit_factors(user, &left, version, changes).await {
                Err(StoreError::Conflict) => {}
                Ok(()) => return self.end_sessions_of(user).await.map(drop),
                Err(error) => return Err(error),
            }
        }
    }

    /// From now on a user needs a second factor, or none.
    pub async fn set_second_factor(&self, user: UserId, required: bool) -> Result<(), StoreError> {
        self.change_factors(user, None, |factors| factors.required = required).await
    }

    /// Whether this is a code of the user's app, or one of the recovery codes. If it is, it counts no more.
    pub async fn use_code(&self, user: UserId, code: &str) -> Result<Option<SecondStep>, StoreError> {
        let code = plain(code);
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            let step = match &factors.totp {
                Some(totp) => {
                    let secret = self.app_secret(user, &totp.sealed)?;
                    secret.step_of(&code, self.second(), totp.last_step)
                }
                None => None,
            };
            let digest = Digest(certs::sha256(code.as_bytes()));
            let (by, act) = if let (Some(step), Some(totp)) = (step, &mut factors.totp) {
                totp.last_step = Some(step);
                (SecondStep::App, None)
            } else if let Some(place) = factors.recovery.iter().position(|known| *known == digest) {
                factors.recovery.remove(place);
                (SecondStep::Recovery, Some(Act::RecoveryCodeUsed))
            } else {
                return Ok(None);
            };
            match self.write_factors(user, &factors, version, act).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| Some(by)),
            }
        }
    }

    pub(crate) async fn factors_row(&self, user: UserId) -> Result<(Factors, Option<u64>), StoreError> {
        match self.row(factors_key(user)).await? {
            Some(row) => Ok((records::decode(&row.value)?, Some(row.version))),
            None => Ok((Factors::default(), None)),
        }
    }

    /// From this commit on the user needs a second factor.
    pub(crate) async fn require_second_factor(
        &self,
        user: UserId,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let (mut factors, version) = self.factors_row(user).await?;
        factors.required = true;
        changes.require.push((factors_key(user), version));
        changes.put.push((factors_key(user), records::encode(&factors)?));
        Ok(())
    }

    async fn change_factors(
        &self,
        user: UserId,
        act: Option<Act>,
        change: impl Fn(&mut Factors),
    ) -> Result<(), StoreError> {
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            change(&mut factors);
            match self.write_factors(user, &factors, version, act).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }

    /// What the users do to their own factors.
    pub(crate) async fn write_factors(
        &self,
        user: UserId,
        factors: &Factors,
        version: Option<u64>,
        act: Option<Act>,
    ) -> Result<(), StoreError> {
        let mut changes = Changeset::default();
        if let Some(act) = act {
            let mut event = Event::new(self.now(), Actor::User(user), act).user(user);
            event.group = self.directory().user(&user).map(|user| user.group.clone());
            changes.append.push(event.to_bytes()?);
        }
        self.commit_factors(user, factors, version, changes).await
    }

    async fn commit_factors(
        &self,
        user: UserId,
        factors: &Factors,
        version: Option<u64>,
        mut changes: Changeset,
    ) -> Result<(), StoreError> {
        changes.require.push((factors_key(user), version));
        changes.put.push((factors_key(user), records::encode(factors)?));
        self.commit(changes).await.map(drop)
    }

    fn app_secret(&self, user: UserId, sealed: &[u8]) -> Result<TotpSecret, StoreError> {
        Ok(TotpSecret::from_bytes(self.root().open_secret(&context(user), sealed)?))
    }

    fn second(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or(0)
    }
}

/// Ten new recovery codes of 80 bits, for eyes and paper: `k3fe-9xqa-mmwt-2bcd`.
pub(crate) fn renew(factors: &mut Factors) -> Result<Vec<String>, StoreError> {
    factors.recovery.clear();
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = base32(&certs::random::<10>()?);
        factors.recovery.push(Digest(certs::sha256(code.as_bytes())));
        let blocks: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        codes.push(blocks.join("-"));
    }
    Ok(codes)
}

/// A code as people type it: with blanks and dashes, in any case.
fn plain(code: &str) -> String {
    const LONGEST: usize = 64;
    let kept = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LONGEST);
    kept.flat_map(char::to_lowercase).collect()
}

fn context(user: UserId) -> Vec<u8> {
    [b"second factor of ".as_slice(), user.as_bytes()].concat()
}

pub(crate) fn factors_key(user: UserId) -> Vec<u8> {
    Key::of(Table::Factors).id(&user).done()
}
