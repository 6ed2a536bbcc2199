//! What can be wrong with certificates, keys and roots for TLS; each text names the file and the remedy.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(
        "cannot read {path}: {source}; check the path in the configuration and the rights of the service's user"
    )]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not usable PEM: {reason}; write the file again from its source")]
    Pem { path: PathBuf, reason: String },
    #[error(
        "{path} holds no certificate; it must hold `-----BEGIN CERTIFICATE-----` blocks, the server's own first"
    )]
    NoCertificate { path: PathBuf },
    #[error(
        "{path} holds no private key; it must hold one `-----BEGIN PRIVATE KEY-----` block without a passphrase"
    )]
    NoKey { path: PathBuf },
    #[error(
        "every user of this machine can read the private key {path} (mode {mode:04o}); run `chmod 600 {path}`"
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "the certificate {certificate} and the key {key} cannot be used together: {source}; \
         check that both come from the same request"
    )]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error(
        "{path} holds a certificate that cannot be trusted as an authority: {reason}; remove it from the file"
    )]
    Root { path: PathBuf, reason: String },
    #[error(
        "{path} holds no revocation list; it must hold an `-----BEGIN X509 CRL-----` block of each client authority"
    )]
    NoRevocationList { path: PathBuf },
    #[error(
        "{path} holds no revocation list that {authority} signed; \
         without one its client certificates would prove nothing: add it to the file"
    )]
    Uncovered { path: PathBuf, authority: String },
    #[error(
        "no trusted roots: the system has none and none are configured; install ca-certificates or name a PEM file"
    )]
    NoRoots,
    #[error("the peer's certificate cannot be read: {0}; ask the peer for a new X.509 version 3 certificate")]
    Peer(String),
    #[error("the TLS library refuses its own defaults: {0}; the installation is damaged")]
    Library(rustls::Error),
}
