//! The server's side of TLS: certificate and key from files, exchangeable while sessions run, and client certificates
//! of the private CA.
//!
//! A client may come without a certificate, or with one of any other authority, which counts as none: only
//! [`ServerIdentity::prove`] says who a client is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::client_chain::{self, AnyChain};
use crate::provider::tls_provider;
use crate::{PeerCertificate, TlsError, pem_file};

/// Where the files are, and the configuration last read from them.
pub struct ServerIdentity {
    files: Files,
    current: ArcSwap<Loaded>,
}

/// What the files held, all of the same reading.
struct Loaded {
    config: Arc<ServerConfig>,
    /// Of the private CA; none without one.
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

impl ServerIdentity {
    /// Reads a certificate chain (the server's own first) and its key, both PEM. With `client_ca`, clients may show a
    /// certificate, and [`prove`](Self::prove) knows those of its authorities; without, none is asked for. TLS 1.2 and
    /// 1.3.
    pub fn load(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: client_ca.map(PathBuf::from),
        };
        let current = ArcSwap::from_pointee(files.read()?);
        Ok(Self { files, current })
    }

    /// Reads the files again. From then on new handshakes use what they hold; running sessions are not touched. On an
    /// error everything stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(self.files.read()?));
        Ok(())
    }

    /// The configuration as of the last load: a reference count, so ask again for every connection.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.current.load().config.clone()
    }

    /// Who a client is by the chain that it showed in a handshake of this server (its own certificate first). None if
    /// the chain does not lead to the private CA, is not meant for clients or is not valid now: that client is to be
    /// treated like one without a certificate.
    pub fn prove(&self, chain: &[CertificateDer<'_>]) -> Option<PeerCertificate> {
        self.prove_at(chain, UnixTime::now())
    }

    fn prove_at(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Option<PeerCertificate> {
        let loaded = self.current.load();
        let own = client_chain::proved(loaded.clients.as_deref()?, chain, now)?;
        PeerCertificate::parse(own).ok()
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").field("certificate", &self.files.certificate).finish_non_exhaustive()
    }
}

impl Files {
    fn read(&self) -> Result<Loaded, TlsError> {
        let clients = self.client_verifier()?;
        let shown: Arc<dyn ClientCertVerifier> = match &clients {
            Some(strict) => Arc::new(AnyChain { strict: strict.clone() }),
            None => Arc::new(NoClientAuth),
        };
        let config = Arc::new(self.config(shown)?);
        Ok(Loaded { config, clients })
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

    fn client_verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let Some(path) = &self.client_ca else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        pem_file::add_roots(path, &mut roots)?;
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), tls_provider())
            .allow_unauthenticated()
            .build()
            .map(|verifier| Some(verifier as Arc<dyn ClientCertVerifier>))
            .map_err(|error| TlsError::Root { path: path.clone(), reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rustls::client::ResolvesClientCert;
    use rustls::sign::CertifiedKey;
    use rustls::version::{TLS12, TLS13};
    use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, SignatureScheme, SupportedProtocolVersion};
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{PrivateKeyDer, ServerName};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

    use super::*;
    use crate::{Authority, Issued};

    /// A server's folder: a private CA and a certificate for `mail.example`.
    struct Site {
        folder: tempfile::TempDir,
        authority: Authority,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let authority = Authority::create(&folder.path().join("ca")).unwrap();
            let site = Self { folder, authority };
            site.renew();
            site
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn renew(&self) -> Issued {
            let issued = self.authority.issue_server(&["mail.example".into()]).unwrap();
            issued.save(&self.path("server.pem"), &self.path("server-key.pem")).unwrap();
            issued
        }

        fn load(&self) -> Result<ServerIdentity, TlsError> {
            let ca = self.path("ca/ca.pem");
            ServerIdentity::load(&self.path("server.pem"), &self.path("server-key.pem"), Some(&ca))
        }

        fn thief(&self, loot: &Issued, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
            let key = PrivateKeyDer::from_pem_slice(loot.key_pem.as_bytes()).unwrap();
            let chain = vec![CertificateDer::from_pem_slice(loot.certificate_pem.as_bytes()).unwrap()];
            let signer = tls_provider().key_provider.load_private_key(key).unwrap();
            let stolen = Stolen(Arc::new(CertifiedKey::new(chain, signer)));
            let mut config = ClientConfig::clone(&self.client(None, version));
            config.client_auth_cert_resolver = Arc::new(stolen);
            Arc::new(config)
        }

        /// A client that trusts this site's CA and shows `certificate`.
        fn client(
            &self,
            certificate: Option<&Issued>,
            version: &'static SupportedProtocolVersion,
        ) -> Arc<ClientConfig> {
            let mut roots = RootCertStore::empty();
            pem_file::add_roots(&self.path("ca/ca.pem"), &mut roots).unwrap();
            let builder = ClientConfig::builder_with_provider(tls_provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots);
            Arc::new(match certificate {
                None => builder.with_no_client_auth(),
                Some(issued) => {
                    let chain =
                        vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()];
                    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
                    builder.with_client_auth_cert(chain, key).unwrap()
                }
            })
        }
    }

    /// Shows a certificate to which its key does not belong.
    #[derive(Debug)]
    struct Stolen(Arc<CertifiedKey>);

    impl ResolvesClientCert for Stolen {
        fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            Some(self.0.clone())
        }

        fn has_certs(&self) -> bool {
            true
        }
    }

    type Pair = (server::TlsStream<DuplexStream>, client::TlsStream<DuplexStream>);

    async fn connect(identity: &ServerIdentity, client: Arc<ClientConfig>) -> std::io::Result<Pair> {
        let (ours, theirs) = duplex(64 * 1024);
        let name = ServerName::try_from("mail.example").unwrap();
        let accept = TlsAcceptor::from(identity.server_config()).accept(ours);
        let connector = TlsConnector::from(client);
        let (server, client) = tokio::join!(accept, connector.connect(name, theirs));
        Ok((server?, client?))
    }

    fn served(client: &client::TlsStream<DuplexStream>) -> [u8; 32] {
        PeerCertificate::parse(&client.get_ref().1.peer_certificates().unwrap()[0]).unwrap().fingerprint
    }

    /// Who the client is to the server.
    fn proved(identity: &ServerIdentity, pair: &Pair) -> Option<PeerCertificate> {
        identity.prove(shown(pair).unwrap_or_default())
    }

    fn shown((server, _): &Pair) -> Option<&[CertificateDer<'static>]> {
        server.get_ref().1.peer_certificates()
    }

    async fn talk((server, client): &mut Pair) {
        client.write_all(b"ping").await.unwrap();
        client.flush().await.unwrap();
        let mut heard = [0; 4];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ping");
        server.write_all(b"pong").await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"pong");
    }

    #[tokio::test]
    async fn client_certificate_of_our_authority_is_accepted_and_read() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let issued = site.authority.issue_client("mail.alpha.example").unwrap();
        for version in [&TLS12, &TLS13] {
            let mut pair = connect(&identity, site.client(Some(&issued), version)).await.unwrap();
            talk(&mut pair).await;
            let peer = proved(&identity, &pair).unwrap();
            assert_eq!(peer.fingerprint, issued.fingerprint);
            assert_eq!(peer.subject, "CN=mail.alpha.example");
        }
    }

    #[tokio::test]
    async fn resumed_session_still_says_who_the_client_is() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let issued = site.authority.issue_client("mail.alpha.example").unwrap();
        for version in [&TLS12, &TLS13] {
            let client = site.client(Some(&issued), version);
            talk(&mut connect(&identity, client.clone()).await.unwrap()).await;
            let resumed = connect(&identity, client).await.unwrap();
            assert_eq!(resumed.0.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
            assert_eq!(proved(&identity, &resumed).unwrap().fingerprint, issued.fingerprint);
        }
    }

    #[tokio::test]
    async fn client_certificate_of_another_authority_counts_as_none() {
        let (site, stranger) = (Site::new(), Site::new());
        let identity = site.load().unwrap();
        // The same name as one of ours has, and an authority of the same name: only the keys differ.
        let issued = stranger.authority.issue_client("mail.alpha.example").unwrap();
        for version in [&TLS12, &TLS13] {
            let client = site.client(Some(&issued), version);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let mut pair = connect(&identity, client.clone()).await.unwrap();
                talk(&mut pair).await;
                assert_eq!(pair.0.get_ref().1.handshake_kind(), Some(kind));
                assert!(shown(&pair).is_some(), "it was shown");
                assert_eq!(proved(&identity, &pair), None);
            }
        }
    }

    #[tokio::test]
    async fn server_certificate_is_no_client_certificate() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let issued = site.authority.issue_server(&["mail.example".into()]).unwrap();
        let mut pair = connect(&identity, site.client(Some(&issued), &TLS13)).await.unwrap();
        talk(&mut pair).await;
        assert_eq!(proved(&identity, &pair), None);
    }

    #[tokio::test]
    async fn certificate_proves_nothing_outside_of_its_time() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let issued = site.authority.issue_client("mail.alpha.example").unwrap();
        let pair = connect(&identity, site.client(Some(&issued), &TLS13)).await.unwrap();
        let chain = shown(&pair).unwrap();
        let last = proved(&identity, &pair).unwrap().not_after.unsigned_abs();
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        assert!(identity.prove_at(chain, at(last)).is_some());
        assert_eq!(identity.prove_at(chain, at(last + 1)), None);
        assert_eq!(identity.prove_at(chain, at(0)), None, "not yet valid");
    }

    #[tokio::test]
    async fn stolen_certificate_without_its_key_ends_the_handshake() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let mut issued = site.authority.issue_client("mail.alpha.example").unwrap();
        let own = site.authority.issue_client("mail.beta.example").unwrap();
        issued.key_pem = own.key_pem;
        for version in [&TLS12, &TLS13] {
            let outcome = connect(&identity, site.thief(&issued, version)).await;
            assert!(outcome.is_err(), "{version:?}");
        }
    }

    #[test]
    fn no_chain_proves_nothing() {
        let (site, stranger) = (Site::new(), Site::new());
        let ours = site.authority.issue_client("mail.alpha.example").unwrap();
        let theirs = stranger.authority.issue_client("mail.alpha.example").unwrap();
        let der =
            |issued: &Issued| CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
        let identity = site.load().unwrap();
        assert_eq!(identity.prove(&[]), None);
        assert_eq!(identity.prove(&[CertificateDer::from(b"no certificate".to_vec())]), None);
        assert_eq!(identity.prove(&[der(&theirs), der(&ours)]), None, "ours is not the peer's own");
        assert!(identity.prove(&[der(&ours)]).is_some());
        let blind =
            ServerIdentity::load(&site.path("server.pem"), &site.path("server-key.pem"), None).unwrap();
        assert_eq!(blind.prove(&[der(&ours)]), None, "no authority, nobody to vouch");
    }

    #[tokio::test]
    async fn client_without_certificate_is_let_in_unnamed() {
        let site = Site::new();
        let identity = site.load().unwrap();
        for (version, agreed) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
            let mut pair = connect(&identity, site.client(None, version)).await.unwrap();
            talk(&mut pair).await;
            assert_eq!(shown(&pair), None);
            assert_eq!(proved(&identity, &pair), None);
            assert_eq!(pair.0.get_ref().1.protocol_version(), Some(agreed));
        }
    }

    #[tokio::test]
    async fn no_certificate_is_asked_for_without_a_client_authority() {
        let site = Site::new();
        let identity =
            ServerIdentity::load(&site.path("server.pem"), &site.path("server-key.pem"), None).unwrap();
        let issued = site.authority.issue_client("mail.alpha.example").unwrap();
        let pair = connect(&identity, site.client(Some(&issued), &TLS13)).await.unwrap();
        assert_eq!(shown(&pair), None);
        assert_eq!(proved(&identity, &pair), None);
    }

    #[tokio::test]
    async fn reload_serves_the_new_certificate_and_leaves_open_sessions_alone() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let mut before = connect(&identity, site.client(None, &TLS13)).await.unwrap();
        let renewed = site.renew();
        assert_ne!(served(&before.1), renewed.fingerprint);
        identity.reload().unwrap();
        let after = connect(&identity, site.client(None, &TLS13)).await.unwrap();
        assert_eq!(served(&after.1), renewed.fingerprint);
        talk(&mut before).await;
    }

    #[tokio::test]
    async fn bad_new_files_keep_the_old_certificate_and_are_reported() {
        let site = Site::new();
        let identity = site.load().unwrap();
        let good = fs::read(site.path("server.pem")).unwrap();
        let first = served(&connect(&identity, site.client(None, &TLS13)).await.unwrap().1);
        let other = site.authority.issue_server(&["mail.example".into()]).unwrap().certificate_pem;
        for bad in [b"".to_vec(), good[..good.len() / 2].to_vec(), other.into_bytes()] {
            fs::write(site.path("server.pem"), bad).unwrap();
            let error = identity.reload().unwrap_err().to_string();
            assert!(error.contains(site.path("server.pem").to_str().unwrap()), "{error}");
            assert_eq!(served(&connect(&identity, site.client(None, &TLS13)).await.unwrap().1), first);
        }
        fs::write(site.path("server.pem"), good).unwrap();
        identity.reload().unwrap();
    }

    #[test]
    fn each_wrong_file_has_its_own_error() {
        let site = Site::new();
        fs::set_permissions(site.path("server-key.pem"), fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(site.load(), Err(TlsError::Exposed { mode: 0o604, .. })));
        fs::set_permissions(site.path("server-key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(site.load().is_ok());

        fs::write(site.path("server-key.pem"), "no key").unwrap();
        assert!(matches!(site.load(), Err(TlsError::NoKey { .. })));
        fs::remove_file(site.path("server-key.pem")).unwrap();
        assert!(matches!(site.load(), Err(TlsError::Read { .. })));

        site.renew();
        fs::write(site.path("ca/ca.pem"), "no certificate").unwrap();
        assert!(matches!(site.load(), Err(TlsError::NoCertificate { .. })));
    }

    #[test]
    fn asking_for_the_configuration_shares_it() {
        let site = Site::new();
        let identity = site.load().unwrap();
        assert!(Arc::ptr_eq(&identity.server_config(), &identity.server_config()));
    }
}
