//! The server's side of TLS: certificate and key from files, exchangeable while sessions run, and client certificates
//! of the private CA, with the list of those that it took back.
//!
//! A client may come without a certificate, or with one of any other authority, which counts as none: only
//! [`ServerIdentity::identify`] says who a client is.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::client_chain::{AnyChain, ClientProof, Judge};
use crate::expiry::{self, Expiry};
use crate::provider::tls_provider;
use crate::public_client::{PublicClients, PublicRoots};
use crate::{PeerCertificate, TlsError, pem_file, revocation};

/// Where the server's side of TLS comes from; all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The authorities whose client certificates prove a company; none: no company is proved by one.
    pub client_ca: Option<PathBuf>,
    /// The revocation lists of these authorities, one of each.
    pub revoked: Option<PathBuf>,
    /// Which public authorities may vouch for the names of mail providers; none: none may.
    pub public: Option<PublicRoots>,
}

/// Where the files are, and the configuration last read from them.
pub struct ServerIdentity {
    files: ServerFiles,
    current: ArcSwap<Loaded>,
}

/// What the files held, all of the same reading.
struct Loaded {
    config: Arc<ServerConfig>,
    clients: Option<Judge>,
    public: Option<PublicClients>,
    expiries: Vec<Expiry>,
    /// By [`PeerCertificate::issued`].
    taken_back: HashSet<[u8; 32]>,
}

impl ServerIdentity {
    /// [`open`](Self::open) without revocation list and public authorities.
    pub fn load(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        Self::open(ServerFiles {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: client_ca.map(PathBuf::from),
            revoked: None,
            public: None,
        })
    }

    /// Reads all files. Clients are asked for a certificate only if one could prove something. TLS 1.2 and 1.3.
    pub fn open(files: ServerFiles) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(files.read()?);
        Ok(Self { files, current })
    }

    /// Reads the files again. From then on new handshakes use what they hold, and certificates are judged by it, those
    /// of running sessions too; the sessions themselves are not touched. On an error everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(self.files.read()?));
        Ok(())
    }

    /// The configuration as of the last load: a reference count, so ask again for every connection.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.current.load().config.clone()
    }

    /// When what was last loaded ends: server certificate, client authorities, revocation lists.
    pub fn expiries(&self) -> Vec<Expiry> {
        self.current.load().expiries.clone()
    }

    /// Who a client is by the chain that it showed in a handshake of this server (its own certificate first).
    pub fn identify(&self, chain: &[CertificateDer<'_>]) -> ClientProof {
        self.identify_at(chain, UnixTime::now())
    }

    /// The certificate that [`identify`](Self::identify) finds proved; a client with any other is to be treated like
    /// one without.
    pub fn prove(&self, chain: &[CertificateDer<'_>]) -> Option<PeerCertificate> {
        match self.identify(chain) {
            ClientProof::Proved(certificate) => Some(certificate),
            ClientProof::None | ClientProof::Revoked(_) | ClientProof::Undecided { .. } => None,
        }
    }

    /// Whether a certificate that was proved in a handshake was taken back since: the handshake of a running session is
    /// not repeated.
    pub fn took_back(&self, certificate: &PeerCertificate) -> bool {
        self.current.load().taken_back.contains(&certificate.issued)
    }

    /// The first of `names` that a public authority certifies for the holder of this chain. Providers share such a
    /// name among all their customers: it says which provider, never which company.
    pub fn public_name<'a>(&self, chain: &[CertificateDer<'_>], names: &'a [String]) -> Option<&'a str> {
        let loaded = self.current.load();
        loaded.public.as_ref()?.name(chain, names, UnixTime::now())
    }

    fn identify_at(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> ClientProof {
        let loaded = self.current.load();
        loaded.clients.as_ref().map_or(ClientProof::None, |judge| judge.judge(chain, now))
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").field("certificate", &self.files.certificate).finish_non_exhaustive()
    }
}

impl ServerFiles {
    fn read(&self) -> Result<Loaded, TlsError> {
        let clients = self.judge()?;
        let public = self.public.as_ref().map(PublicClients::load).transpose()?;
        let config = Arc::new(self.config(shown(clients.as_ref(), public.as_ref()))?);
        let taken_back = self.revoked.as_deref().map(revocation::taken_back).transpose()?.unwrap_or_default();
        Ok(Loaded { config, clients, public, expiries: self.expiries()?, taken_back })
    }

    fn config(&self, clients: Arc<dyn ClientCertVerifier>) -> Result<ServerConfig, TlsError> {
        let chain = pem_file::certificates(&self.certificate)?;
        let key = pem_file::private_key(&self.key)?;
        ServerConfig::builder_with_provider(tls_provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Library)?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .map_err(|source| TlsError::Pair {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
                source,
            })
    }

    fn judge(&self) -> Result<Option<Judge>, TlsError> {
        let Some(path) = &self.client_ca else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        pem_file::add_roots(path, &mut roots)?;
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), tls_provider())
            .allow_unauthenticated()
            .enforce_revocation_expiration();
        if let Some(revoked) = &self.revoked {
            builder = builder.with_crls(revocation::lists(revoked, &pem_file::certificates(path)?)?);
        }
        let verifier = builder
            .build()
            .map_err(|error| TlsError::Root { path: path.clone(), reason: error.to_string() })?;
        Ok(Some(Judge(verifier)))
    }

    fn expiries(&self) -> Result<Vec<Expiry>, TlsError> {
        let mut all = vec![expiry::of_chain(&self.certificate)?];
        if let Some(path) = &self.client_ca {
            all.extend(expiry::of_authorities(path)?);
        }
        if let Some(path) = &self.revoked {
            all.extend(expiry::of_revocation_lists(path)?);
        }
        Ok(all)
    }
}

/// What the handshake asks of clients. Named authorities help a client to choose; where public ones count too, a list
/// that names only ours would keep a provider from showing its certificate.
fn shown(clients: Option<&Judge>, public: Option<&PublicClients>) -> Arc<dyn ClientCertVerifier> {
    match (clients, public) {
        (_, Some(public)) => Arc::new(AnyChain { strict: public.signatures(), hints: Vec::new() }),
        (Some(Judge(strict)), None) => {
            Arc::new(AnyChain { strict: strict.clone(), hints: strict.root_hint_subjects().to_vec() })
        }
        (None, None) => Arc::new(NoClientAuth),
    }
}

#[cfg(test)]
mod tests;
