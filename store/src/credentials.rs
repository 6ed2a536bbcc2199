//! Ways in beside the password of a person: app passwords of mail clients, and connectors of mail providers.
//!
//! Neither is stored so that a copy of the ledger could use it.

use std::fmt;

use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::Actor,
    changes::DirectoryChange,
    directory::{Directory, User},
    error::StoreError,
    ids::{AppPasswordId, UserId},
    ledger::Ledger,
    records,
};

/// A password of one mail client of a user (RFC 5802 §3: what a server keeps).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AppPassword {
    #[n(0)]
    pub id: AppPasswordId,
    #[n(1)]
    pub user: UserId,
    /// What the user calls it: the device or the program.
    #[n(2)]
    pub name: String,
    #[cbor(n(3), with = "records::time")]
    pub created_at: Timestamp,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub stored_key: [u8; 32],
    #[cbor(n(5), with = "minicbor::bytes")]
    pub server_key: [u8; 32],
}

/// Binds one tenant of a mail provider to a group. Providers share addresses and certificates among all customers:
/// only the tenant header together with the secret header says whose mail it is.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Connector {
    /// Unique in the market.
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub group: GroupId,
    /// The provider as the configuration names it.
    #[n(2)]
    pub provider: String,
    #[n(3)]
    pub tenant_header: String,
    #[n(4)]
    pub tenant: String,
    #[n(5)]
    pub secret_header: String,
    /// SHA-256 of the secret.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub secret: [u8; 32],
    #[n(7)]
    pub active: bool,
}

impl fmt::Debug for AppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppPassword").field("id", &self.id).field("user", &self.user).finish_non_exhaustive()
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("name", &self.name)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl Directory {
    /// The app passwords of a user; none if the user is disabled.
    pub fn app_passwords(&self, user: &UserId) -> impl Iterator<Item = &AppPassword> {
        let alive = self.user(user).is_some_and(User::is_active);
        self.app_passwords.get(user).filter(|_| alive).into_iter().flatten()
    }

    /// Whether anybody has one.
    pub fn has_app_passwords(&self) -> bool {
        self.app_passwords.values().any(|known| !known.is_empty())
    }

    pub fn connectors(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.values()
    }

    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.get(name)
    }

    /// The connector of a provider's tenant, if it is active.
    pub fn connector_of_tenant(&self, provider: &str, tenant: &str) -> Option<&Connector> {
        let mut connectors = self.connectors.values().filter(|connector| connector.active);
        connectors
            .find(|connector| connector.provider == provider && connector.tenant.eq_ignore_ascii_case(tenant))
    }

    /// The group that this name in a client certificate speaks for.
    pub fn group_of_certificate_name(&self, name: &str) -> Option<&GroupId> {
        self.certificate_names.get(&name.to_lowercase())
    }
}

impl Ledger {
    /// The salt of a user's app passwords, made when it is first asked for.
    ///
    /// # Errors
    /// `Denied` if there is no such user.
    pub async fn scram_salt(&self, actor: &Actor, user: UserId) -> Result<[u8; 16], StoreError> {
        loop {
            let directory = self.directory();
            let known = directory.user(&user).map(|user| user.scram_salt);
            if let Some(Some(salt)) = known {
                return Ok(salt);
            }
            let salt = certs::random::<16>()?;
            match self.change_directory(actor, vec![DirectoryChange::ScramSalt(user, salt)]).await {
                // Somebody else was faster, and the directory knows by now.
                Err(StoreError::Denied(reason)) => match self.directory().user(&user) {
                    Some(user) if user.scram_salt.is_some() => {}
                    _ => return Err(StoreError::Denied(reason)),
                },
                done => done?,
            }
        }
    }
}
