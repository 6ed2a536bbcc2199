//! Everything of Postern with a private key in it: root key, group keys, sealing, passwords, certificates, TLS.
//!
//! No primitive is made here: each one comes from aws-lc-rs, rustls or argon2. Nothing in this crate logs or opens a
//! socket, and no type that holds a secret has a `Debug` that shows it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod authority;
pub mod breached;
mod client;
mod client_chain;
pub mod dkim;
pub mod expiry;
mod identity;
mod keyring;
pub mod password;
mod peer;
mod pem_file;
mod provider;
mod public_client;
mod revocation;
mod root;
pub mod scram;
mod seal;
mod secret_file;
mod secrets;
pub mod smime;
#[cfg(test)]
mod stored_forms;
mod tls_error;
pub mod totp;
mod transit;
mod workbench;

pub use authority::{Authority, AuthorityError, Issued, register};
pub use client::client_config;
pub use client_chain::ClientProof;
pub use identity::{ServerFiles, ServerIdentity};
pub use keyring::{GroupKeys, GroupPublic, Indexer, KeyError, Opener};
pub use peer::PeerCertificate;
pub use provider::{equal, install_provider, random, sha256};
pub use public_client::PublicRoots;
pub use root::RootKey;
pub use seal::{CHUNK, MessageKey, SealError, SealedPart, TAG};
pub use secret_file::KeyFileError;
pub use tls_error::TlsError;
pub use transit::TransitKey;
