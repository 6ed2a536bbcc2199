//! The server's side of TLS, over real handshakes in memory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, date_time_ymd};
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::*;
use crate::expiry::{Held, Warning};
use crate::register::Reason;
use crate::{Authority, Issued};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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

    /// With the revocation list of the private CA.
    fn files(&self) -> ServerFiles {
        ServerFiles {
            certificate: self.path("server.pem"),
            key: self.path("server-key.pem"),
            client_ca: Some(self.path("ca/ca.pem")),
            revoked: Some(self.authority.revocation_list()),
            public: None,
        }
    }

    /// Writes an empty revocation list that ends tomorrow.
    fn short_list(&self, path: &Path) {
        let key = KeyPair::from_pem(&fs::read_to_string(self.path("ca/ca-key.pem")).unwrap()).unwrap();
        let ca = CertificateDer::from_pem_slice(self.authority.ca_pem().as_bytes()).unwrap();
        let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(UnixTime::now().as_secs());
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: now + DAY,
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&Issuer::from_ca_cert_der(&ca, key).unwrap()).unwrap();
        fs::write(path, signed.pem().unwrap()).unwrap();
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
                let chain = vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()];
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

fn identified(identity: &ServerIdentity, pair: &Pair) -> ClientProof {
    identity.identify(shown(pair).unwrap_or_default())
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
    assert!(matches!(identity.identify_at(chain, at(last)), ClientProof::Proved(_)));
    assert_eq!(identity.identify_at(chain, at(last + 1)), ClientProof::None);
    assert_eq!(identity.identify_at(chain, at(0)), ClientProof::None, "not yet valid");
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
    let der = |issued: &Issued| CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    let identity = site.load().unwrap();
    assert_eq!(identity.prove(&[]), None);
    assert_eq!(identity.prove(&[CertificateDer::from(b"no certificate".to_vec())]), None);
    assert_eq!(identity.prove(&[der(&theirs), der(&ours)]), None, "ours is not the peer's own");
    assert!(identity.prove(&[der(&ours)]).is_some());
    let blind = ServerIdentity::load(&site.path("server.pem"), &site.path("server-key.pem"), None).unwrap();
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

#[tokio::test]
async fn revoked_certificate_proves_nothing_once_the_list_is_read() {
    let site = Site::new();
    let identity = ServerIdentity::open(site.files()).unwrap();
    let [good, bad] =
        ["alpha.example", "beta.example"].map(|name| site.authority.issue_client(name).unwrap());
    let client = site.client(Some(&bad), &TLS13);
    let mut before = connect(&identity, client.clone()).await.unwrap();
    talk(&mut before).await;
    let ClientProof::Proved(shown) = identified(&identity, &before) else { panic!("proved") };
    assert!(!identity.took_back(&shown));

    site.authority.revoke(&bad.serial, Reason::KeyCompromise).unwrap();
    identity.reload().unwrap();
    talk(&mut before).await;
    assert!(
        matches!(identified(&identity, &before), ClientProof::Revoked(_)),
        "also where it was shown before"
    );
    let again = connect(&identity, client).await.unwrap();
    let ClientProof::Revoked(certificate) = identified(&identity, &again) else { panic!("revoked") };
    assert_eq!(certificate.name.as_deref(), Some("beta.example"));
    assert_eq!(proved(&identity, &again), None);
    let other = connect(&identity, site.client(Some(&good), &TLS12)).await.unwrap();
    let other = proved(&identity, &other).unwrap();
    assert!(identity.took_back(&shown) && !identity.took_back(&other), "also without its chain");
}

#[tokio::test]
async fn expired_list_leaves_every_certificate_undecided_and_is_told_before() {
    let site = Site::new();
    let list = site.path("list.pem");
    site.short_list(&list);
    let issued = site.authority.issue_client("alpha.example").unwrap();
    let files = ServerFiles { revoked: Some(list.clone()), ..site.files() };
    let identity = ServerIdentity::open(files).unwrap();
    let pair = connect(&identity, site.client(Some(&issued), &TLS13)).await.unwrap();
    assert!(matches!(identified(&identity, &pair), ClientProof::Proved(_)));

    let later = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + 2 * DAY);
    let ClientProof::Undecided { certificate, why } = identity.identify_at(shown(&pair).unwrap(), later)
    else {
        panic!("undecided")
    };
    assert_eq!(certificate.fingerprint, issued.fingerprint);
    assert!(why.contains("expired") || why.contains("Expired"), "{why}");

    let ends = identity.expiries();
    let list = ends.iter().find(|end| end.held == Held::RevocationList).unwrap();
    assert_eq!(list.warning(UnixTime::now().as_secs() as i64), Some(Warning::Days(1)));
    let held: Vec<Held> = ends.iter().map(|end| end.held).collect();
    assert_eq!(held, [Held::ServerCertificate, Held::ClientAuthority, Held::RevocationList]);
}

#[tokio::test]
async fn wrong_new_lists_and_authorities_leave_the_old_ones_standing() {
    let (site, stranger) = (Site::new(), Site::new());
    let identity = ServerIdentity::open(site.files()).unwrap();
    let [good, bad] =
        ["alpha.example", "beta.example"].map(|name| site.authority.issue_client(name).unwrap());
    site.authority.revoke(&bad.serial, Reason::Superseded).unwrap();
    identity.reload().unwrap();
    let mut open = connect(&identity, site.client(Some(&good), &TLS13)).await.unwrap();
    let revoked = connect(&identity, site.client(Some(&bad), &TLS13)).await.unwrap();

    let foreign = fs::read(stranger.authority.revocation_list()).unwrap();
    let own = fs::read(site.authority.revocation_list()).unwrap();
    let mut damaged = own.clone();
    let middle = damaged.len() / 2;
    damaged[middle] = if damaged[middle] == b'A' { b'B' } else { b'A' };
    let cut = own[..middle].to_vec();
    for wrong in [foreign, damaged, cut, b"no list".to_vec(), fs::read(site.path("ca/ca.pem")).unwrap()] {
        fs::write(site.authority.revocation_list(), wrong).unwrap();
        let error = identity.reload().unwrap_err().to_string();
        assert!(error.contains("crl.pem"), "{error}");
        talk(&mut open).await;
        assert!(matches!(identified(&identity, &open), ClientProof::Proved(_)));
        assert!(matches!(identified(&identity, &revoked), ClientProof::Revoked(_)));
    }
    fs::write(site.authority.revocation_list(), own).unwrap();

    fs::copy(stranger.path("ca/ca.pem"), site.path("ca/ca.pem")).unwrap();
    assert!(matches!(identity.reload(), Err(TlsError::Uncovered { .. })), "its list is not there");
    assert!(matches!(identified(&identity, &open), ClientProof::Proved(_)));
    fs::copy(stranger.authority.revocation_list(), site.authority.revocation_list()).unwrap();
    identity.reload().unwrap();
    talk(&mut open).await;
    assert_eq!(identified(&identity, &open), ClientProof::None, "another authority counts now");
}

#[tokio::test]
async fn public_authority_proves_a_providers_name_and_no_company() {
    let (site, public) = (Site::new(), Site::new());
    let files = ServerFiles { public: Some(PublicRoots::File(public.path("ca/ca.pem"))), ..site.files() };
    let identity = ServerIdentity::open(files).unwrap();
    let name = "mail.protection.example".to_owned();
    let names = ["other.example".to_owned(), name.clone()];
    let as_server = public.authority.issue_server(&[name.clone(), "mx.example".into()]).unwrap();
    let as_client = public.authority.issue_client(&name).unwrap();
    let private = site.authority.issue_client(&name).unwrap();
    let own = Some(name.as_str());
    for (issued, found, also_mx) in [(as_server, own, true), (as_client, own, false), (private, None, false)]
    {
        let pair = connect(&identity, site.client(Some(&issued), &TLS13)).await.unwrap();
        let chain = shown(&pair).unwrap();
        assert_eq!(identity.public_name(chain, &names), found);
        assert_eq!(identity.public_name(chain, &names[..1]), None);
        let starred = |name: &str| identity.public_name(chain, &[name.to_owned()]).is_some();
        assert_eq!(starred("*.protection.example"), found.is_some());
        assert_eq!(starred("*.example"), also_mx, "mx.example stands in one of them");
        assert_eq!(identity.identify(chain) == ClientProof::None, found.is_some());
    }
    assert_eq!(identity.public_name(&[], &names), None);
}
