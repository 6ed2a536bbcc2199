//! A small intake for the tests: a few mailboxes, each of which fails in its own way, and a list of what was stored.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use certs::{Authority, PeerCertificate, ServerIdentity};
use gateway::smtp::{Delivery, Hostname, Intake, Limits, Options, PlainAuth, Refusal, Security};
use mail::{Address, Envelope, ReversePath};

/// The name that the server under test gives itself.
pub(crate) const HOST: &str = "mx.postern.example";

/// The one address of loopback that vouches for its peers.
pub(crate) const REGISTERED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// The one address of loopback that failed too often.
pub(crate) const PAUSED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 66));

/// What it says of a stored message.
pub(crate) const STORED: &str = "secured as case K7Q-4M2X";

/// Everything that was acknowledged.
#[derive(Clone, Default)]
pub(crate) struct Sample {
    stored: Arc<Mutex<Vec<Stored>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) identity: Option<String>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Sample {
    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.stored.lock().unwrap().clone()
    }
}

impl Intake for Sample {
    type Identity = String;
    type Delivery = Sink;

    fn by_network(&self, peer: IpAddr) -> Option<String> {
        (peer == REGISTERED).then(|| format!("network {peer}"))
    }

    fn by_certificate(&self, peer: &PeerCertificate) -> Option<String> {
        Some(format!("certificate {}", peer.names.first()?))
    }

    async fn login(&self, user: &str, password: &str) -> Result<String, Refusal> {
        match (user, password) {
            ("ada@alpha.example", "secret") => Ok(format!("login {user}")),
            ("later@alpha.example", _) => Err(Refusal::Unavailable("logins do not work now".into())),
            _ => Err(Refusal::BadCredentials),
        }
    }

    async fn login_from(&self, peer: IpAddr, user: &str, password: &str) -> Result<String, Refusal> {
        match peer {
            PAUSED => Err(Refusal::LoginsPaused),
            _ => self.login(user, password).await,
        }
    }

    fn mail(&self, identity: Option<&String>, from: &ReversePath) -> Result<(), Refusal> {
        match from {
            ReversePath::Address(from) if from.local() == "proved" && identity.is_none() => {
                Err(Refusal::NotProved("log in, or show the certificate of your company".into()))
            }
            ReversePath::Address(from) if from.local() == "banned" => {
                Err(Refusal::BadSender("no mail from there\r\n250 2.1.0 forged".into()))
            }
            _ => Ok(()),
        }
    }

    fn recipient(&self, _: Option<&String>, _: &ReversePath, to: &Address) -> Result<(), Refusal> {
        let known = match to.domain() {
            "beta.example" => ["et", "full", "broken", "closing", "mau", "gr\u{fc}n"].contains(&to.local()),
            HOST => to.local() == "postmaster",
            _ => false,
        };
        if known { Ok(()) } else { Err(Refusal::UnknownRecipient("no such mailbox here".into())) }
    }

    async fn open(
        &self,
        identity: Option<&String>,
        envelope: Envelope,
        _: Option<u64>,
    ) -> Result<Sink, Refusal> {
        let to: Vec<String> = envelope.recipients.iter().map(|to| to.address.to_string()).collect();
        if to.iter().any(|to| to == "full@beta.example") {
            return Err(Refusal::StoreFull);
        }
        let from = envelope.reverse_path.to_string();
        let stored = Stored { identity: identity.cloned(), from, to, body: Vec::new() };
        Ok(Sink { sample: self.clone(), stored })
    }
}

/// The sink of one message.
pub(crate) struct Sink {
    sample: Sample,
    stored: Stored,
}

impl Sink {
    fn is_to(&self, local: &str) -> bool {
        self.stored.to.iter().any(|to| to == &format!("{local}@beta.example"))
    }
}

impl Delivery for Sink {
    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(!bytes.is_empty() && bytes.len() <= 64 * 1024, "a piece of {} octets", bytes.len());
        if self.is_to("broken") {
            return Err(Refusal::StoreBroken);
        }
        self.stored.body.extend_from_slice(bytes);
        Ok(())
    }

    async fn close(self) -> Result<String, Refusal> {
        if self.is_to("closing") {
            return Err(Refusal::StoreBroken);
        }
        self.sample.stored.lock().unwrap().push(self.stored);
        Ok(STORED.to_owned())
    }
}

/// Certificates in a folder of their own.
pub(crate) struct Papers {
    folder: tempfile::TempDir,
    pub(crate) identity: Arc<ServerIdentity>,
}

impl Papers {
    pub(crate) fn new() -> Self {
        certs::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let authority = Authority::create(folder.path()).unwrap();
        authority
            .issue_server(&[HOST.to_owned()])
            .unwrap()
            .save(&at("server.pem"), &at("server-key.pem"))
            .unwrap();
        authority
            .issue_client("mail.alpha.example")
            .unwrap()
            .save(&at("client.pem"), &at("client-key.pem"))
            .unwrap();
        Authority::create(&at("elsewhere"))
            .unwrap()
            .issue_client("mail.alpha.example")
            .unwrap()
            .save(&at("foreign.pem"), &at("foreign-key.pem"))
            .unwrap();
        let identity =
            ServerIdentity::load(&at("server.pem"), &at("server-key.pem"), Some(&at("ca.pem"))).unwrap();
        Self { folder, identity: Arc::new(identity) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Options of a listener under test.
pub(crate) fn options(security: Security, plain_auth: PlainAuth, limits: Limits) -> Options {
    Options { hostname: Hostname::parse(HOST).unwrap(), security, plain_auth, limits }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the corpus beside the repository, as JSON. Its absence fails the test: what it shows would go unshown.
pub(crate) fn corpus(path: &str) -> serde_json::Value {
    let file = root().join("../shared/corpus/protocol").join(path);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("the corpus is needed beside the repository: {file:?}: {error}"));
    serde_json::from_str(&text).unwrap()
}
