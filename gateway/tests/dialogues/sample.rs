//! A small intake for the tests: a few mailboxes, each of which fails in its own way, and a list of what was stored.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use certs::register::Reason;
use certs::{Authority, Issued, PeerCertificate, PublicRoots, ServerFiles, ServerIdentity};
use gateway::smtp::{
    Circumstance, Delivery, Hostname, Identities, Intake, Limits, Options, PlainAuth, Refusal,
    ScramChallenge, Security, Transaction,
};
use mail::{Address, Notify, Rcpt, ReportWish, ReversePath};

use crate::scram::Verifier;

/// The name that the server under test gives itself.
pub(crate) const HOST: &str = "mx.postern.example";

/// The one address of loopback that vouches for its peers.
pub(crate) const REGISTERED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// The one address of loopback that failed too often.
pub(crate) const PAUSED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 66));

/// The mail provider that it knows.
const PROVIDER: &str = "mail.provider.example";

/// What it says of a stored message.
pub(crate) const STORED: &str = "secured as case K7Q-4M2X";

/// Everything that was acknowledged.
#[derive(Clone)]
pub(crate) struct Sample {
    stored: Arc<Mutex<Vec<Stored>>>,
    pub(crate) postmaster: Option<Address>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { stored: Arc::default(), postmaster: Address::parse("mau@beta.example").ok() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) identity: Option<String>,
    /// Listener, protocol and the name that the peer gave itself.
    pub(crate) circumstance: String,
    pub(crate) class: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// What the sender wants to hear of each recipient, and of the whole.
    pub(crate) wishes: String,
    pub(crate) body: Vec<u8>,
}

impl Sample {
    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.stored.lock().unwrap().clone()
    }
}

impl Intake for Sample {
    type Identity = String;
    type Class = String;
    type Delivery = Sink;

    fn by_network(&self, peer: IpAddr) -> Option<String> {
        (peer == REGISTERED).then(|| format!("network {peer}"))
    }

    fn by_certificate(&self, peer: &PeerCertificate) -> Option<String> {
        Some(format!("certificate {}", peer.names.first()?))
    }

    fn provider_names(&self) -> Vec<String> {
        vec!["mail.other.example".to_owned(), PROVIDER.to_owned()]
    }

    fn by_provider(&self, _: IpAddr, name: Option<&str>) -> Option<String> {
        name.map(|name| format!("provider {name}"))
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

    fn offers_scram(&self) -> bool {
        true
    }

    fn scram(&self, _: &str) -> ScramChallenge {
        Verifier::of("secret").challenge()
    }

    async fn scram_login_from(
        &self,
        peer: IpAddr,
        user: &str,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Result<(String, Vec<u8>), Refusal> {
        let signature = Verifier::of("secret").check(auth_message, proof);
        match (peer, user, signature) {
            (PAUSED, ..) => Err(Refusal::LoginsPaused),
            (_, "ada@alpha.example" | "a,b=c", Some(signature)) => Ok((format!("login {user}"), signature)),
            _ => Err(Refusal::BadCredentials),
        }
    }

    fn postmaster(&self) -> Option<Address> {
        self.postmaster.clone()
    }

    fn mail(
        &self,
        identity: Option<&String>,
        _: &Circumstance<'_>,
        from: &ReversePath,
    ) -> Result<(), Refusal> {
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

    fn recipient(
        &self,
        _: Option<&String>,
        _: &Circumstance<'_>,
        _: &ReversePath,
        to: &Address,
    ) -> Result<String, Refusal> {
        match to.domain() {
            "beta.example" if BOXES.contains(&to.local()) => Ok("case".to_owned()),
            "outside.example" => Ok("relay".to_owned()),
            _ => Err(Refusal::UnknownRecipient("no such mailbox here".into())),
        }
    }

    async fn open(
        &self,
        identity: Option<&String>,
        at: &Circumstance<'_>,
        transaction: Transaction<String>,
    ) -> Result<Sink, Refusal> {
        let Transaction { class, envelope, .. } = transaction;
        let to: Vec<String> = envelope.recipients.iter().map(|to| to.address.to_string()).collect();
        if to.iter().any(|to| to == "full@beta.example") {
            return Err(Refusal::StoreFull);
        }
        let stored = Stored {
            identity: identity.cloned(),
            circumstance: format!("{} {} {}", at.listener, at.protocol, at.hello.unwrap_or("nameless")),
            class,
            from: envelope.reverse_path.to_string(),
            to,
            wishes: wishes(&envelope.recipients, &envelope.report),
            body: Vec::new(),
        };
        Ok(Sink { sample: self.clone(), stored })
    }
}

const BOXES: [&str; 6] = ["et", "full", "broken", "closing", "mau", "gr\u{fc}n"];

/// `RET ENVID` and, for each recipient, `| NOTIFY ORCPT`; `-` for what was not said.
fn wishes(recipients: &[Rcpt], report: &ReportWish) -> String {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let what = report.what.map_or("-".to_owned(), |what| format!("{what:?}"));
    let mut wishes = format!("{what} {}", said(&report.id));
    for recipient in recipients {
        let notify = match recipient.notify {
            Notify::Default => "-".to_owned(),
            Notify::Never => "never".to_owned(),
            Notify::On { success, failure, delay } => [(success, "s"), (failure, "f"), (delay, "d")]
                .into_iter()
                .filter_map(|(on, letter)| on.then_some(letter))
                .collect(),
        };
        wishes.push_str(&format!(" | {notify} {}", said(&recipient.original)));
    }
    wishes
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
        let keep = |issued: Issued, name: &str| {
            issued.save(&at(&format!("{name}.pem")), &at(&format!("{name}-key.pem"))).unwrap();
        };
        let authority = Authority::create(folder.path()).unwrap();
        keep(authority.issue_server(&[HOST.to_owned()]).unwrap(), "server");
        keep(authority.issue_client("mail.alpha.example").unwrap(), "client");
        let revoked = authority.issue_client("mail.gamma.example").unwrap();
        authority.revoke(&revoked.serial, Reason::KeyCompromise).unwrap();
        keep(revoked, "revoked");
        let elsewhere = Authority::create(&at("elsewhere")).unwrap();
        keep(elsewhere.issue_client("mail.alpha.example").unwrap(), "foreign");
        keep(elsewhere.issue_server(&[PROVIDER.to_owned()]).unwrap(), "provider");
        let files = ServerFiles {
            certificate: at("server.pem"),
            key: at("server-key.pem"),
            client_ca: Some(at("ca.pem")),
            revoked: Some(authority.revocation_list()),
            public: Some(PublicRoots::File(at("elsewhere/ca.pem"))),
        };
        Self { identity: Arc::new(ServerIdentity::open(files).unwrap()), folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Options of a listener under test: whoever wants may say MAIL.
pub(crate) fn options(security: Security, plain_auth: PlainAuth, limits: Limits) -> Options {
    let hostname = Hostname::parse(HOST).unwrap();
    Options { plain_auth, limits, identities: Identities::all(), ..Options::new("test", hostname, security) }
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
