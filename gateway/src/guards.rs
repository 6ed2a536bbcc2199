//! The guards of the listeners: who may hand in mail, for whom, and what would become of it. They answer from memory,
//! in the middle of a dialogue; what only the mail itself can prove is asked at its end (`identify.rs`).

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use certs::PeerCertificate;
use mail::{Address, Envelope, GroupId, ReversePath};
use policies::{Class, Passing, Recipient};
use store::{Proof, Stage};

use crate::{
    arrival::Arrival,
    gateway::{Gateway, refused},
    incoming::Incoming,
    notice,
    placement::{self, Known},
    sender::{Basis, FOREIGN_REVERSE_PATH, NO_LONGER, Proved, Sender, Vouching},
    shadow,
    smtp::{Circumstance, Encryption, Intake, Refusal, ScramChallenge, Transaction},
};

const AMBIGUOUS: &str = "what happens to mail for this address depends on whose mail it is, which is not known yet here; \
     log in, or connect with a client certificate of your own";

const WATCHED: &str = "mail for this address is only watched here yet, and goes on by the way it always went; what comes by \
     this way cannot go on";

const HOW_TO_BE_PROVED: &str = "this gateway takes mail only from companies that it knows; log in with AUTH, or connect \
     with the client certificate that your administrator was given";

const JOURNALING: &str = "this address takes copies from a company's own mail system only, which is proved by a registered \
     network or client certificate";

/// An intake that shares the gateway.
#[derive(Clone)]
pub struct Guards(pub Arc<Gateway>);

/// What a transaction is about: its class, and for mail to another company's unmapped addresses the company, because a
/// subject can name a mailbox of one and not of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionClass {
    Live {
        class: Class,
        company: Option<GroupId>,
    },
    /// Mail that is only watched goes on, wherever to: it is all one class.
    Watched,
    /// Copies of mail that went another way.
    Journal,
}

impl TransactionClass {
    fn live(class: Class) -> Self {
        Self::Live { class, company: None }
    }

    fn goes_on(&self) -> bool {
        match self {
            Self::Live { class: Class::Own | Class::Counterparty | Class::Outside, .. } | Self::Watched => {
                true
            }
            Self::Live { class: Class::Case | Class::Return, .. } | Self::Journal => false,
        }
    }
}

impl Guards {
    /// The companies that the mail can turn out to come from. One that nobody vouches for claims one by its
    /// reverse-path; a signature will have to bear it out.
    fn candidates(&self, sender: Option<&Sender>, from: &ReversePath) -> Vec<GroupId> {
        let directory = self.0.ledger().directory();
        match (sender, from) {
            (Some(Sender::Proved(proved)), _) => vec![proved.group.clone()],
            (Some(Sender::Provider(provider)), _) => {
                let connectors = directory.connectors();
                let customers: Vec<GroupId> = connectors
                    .filter(|connector| connector.active && connector.provider == *provider)
                    .map(|connector| connector.group.clone())
                    .collect();
                // The header will have to bear the claim out; mail of a list claims nobody.
                match from {
                    ReversePath::Address(address) => match directory.group_of(address) {
                        Some(claimed) if customers.contains(claimed) => vec![claimed.clone()],
                        _ => customers,
                    },
                    ReversePath::Null => customers,
                }
            }
            (None, ReversePath::Address(address)) => {
                directory.group_of(address).into_iter().cloned().collect()
            }
            (None, ReversePath::Null) => Vec::new(),
        }
    }

    /// Whether a mail of ours went out under one of these addresses; nothing else can come back to them.
    async fn expects(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let domain = &self.0.settings().notice_domain;
        for to in &envelope.recipients {
            let Some(job) = notice::job_of(self.0.ledger(), &to.address, domain) else { continue };
            if self.0.ledger().has_sent(job).await.map_err(|error| refused(&error))? {
                return Ok(());
            }
        }
        Err(Refusal::UnknownRecipient("no mail of ours went out under this address".to_owned()))
    }

    /// A mail that goes on takes its reverse-path along, and the next server writes there: never to a stranger.
    fn own_reverse_path(
        &self,
        class: &TransactionClass,
        sender: Option<&Sender>,
        from: &ReversePath,
    ) -> Result<(), Refusal> {
        let (true, ReversePath::Address(address)) = (class.goes_on(), from) else { return Ok(()) };
        let directory = self.0.ledger().directory();
        let group = directory.group_of(address);
        match group.is_some_and(|group| self.candidates(sender, from).contains(group)) {
            true => Ok(()),
            false => Err(Refusal::NotPermitted(FOREIGN_REVERSE_PATH.to_owned())),
        }
    }

    /// Whether copies of mail are taken at this address. What somebody has mapped is a mailbox all the same.
    fn is_journal(&self, to: &Address) -> bool {
        let is = |address: &Address| address.key() == to.key();
        self.0.settings().journal.iter().any(is) && self.0.ledger().directory().mailbox(to).is_none()
    }

    fn class(&self, group: &GroupId, passing: Passing, to: &Address) -> Result<TransactionClass, Refusal> {
        let recipient = match placement::known_recipient(&self.0, group, to) {
            // The key is good for this group; the case itself is looked up when the mail is judged.
            Known::ReplyAddress(_) => return Ok(TransactionClass::live(Class::Case)),
            Known::As(recipient) => recipient,
        };
        let directory = self.0.ledger().directory();
        match (shadow::stage(&directory, self.0.settings().stage, group, &recipient), passing) {
            (Stage::Live, _) => {}
            (Stage::Shadow, Passing::On) => return Ok(TransactionClass::Watched),
            (Stage::Shadow, Passing::Off) => return Err(Refusal::UnknownRecipient(WATCHED.to_owned())),
        }
        let class = self.0.rules().class(group, &recipient, passing);
        let class = class.map_err(|refused| Refusal::UnknownRecipient(refused.public))?;
        let company = match recipient {
            Recipient::Counterparty { group, .. } => Some(group),
            _ => None,
        };
        Ok(TransactionClass::Live { class, company })
    }
}

/// Whoever may journal can put counts before a company, so it takes the company's own mail system.
fn journal(sender: Option<&Sender>) -> Result<TransactionClass, Refusal> {
    match sender {
        Some(Sender::Proved(proved)) if proved.is_own_server() => Ok(TransactionClass::Journal),
        Some(_) => Err(Refusal::NotPermitted(JOURNALING.to_owned())),
        None => Err(Refusal::NotProved(HOW_TO_BE_PROVED.to_owned())),
    }
}

impl Intake for Guards {
    type Identity = Sender;
    type Class = TransactionClass;
    type Delivery = Incoming;

    fn by_network(&self, peer: IpAddr) -> Option<Sender> {
        let directory = self.0.ledger().directory();
        let group = directory.group_of_network(peer)?;
        Some(Sender::Proved(Proved::by(group, Proof::Network, Basis::Network(peer))))
    }

    fn by_certificate(&self, peer: &PeerCertificate) -> Option<Sender> {
        let directory = self.0.ledger().directory();
        let basis = Basis::Certificate(peer.fingerprint, peer.name.clone());
        let group = basis.group(&directory)?.clone();
        if let (None, Some(name)) = (directory.certificate(&peer.fingerprint), &peer.name) {
            self.0.certificates().note(name, &group, peer.not_after);
        }
        Some(Sender::Proved(Proved::by(&group, Proof::Certificate(peer.fingerprint), basis)))
    }

    fn provider_names(&self) -> Vec<String> {
        self.0.providers().certificate_names().to_vec()
    }

    fn by_provider(&self, peer: IpAddr, name: Option<&str>) -> Option<Sender> {
        let providers = self.0.providers();
        let known = name.and_then(|name| providers.by_certificate_name(name));
        known.or_else(|| providers.by_network(peer)).map(|provider| Sender::Provider(provider.name.clone()))
    }

    /// Of a peer whose address nobody told: all of them count as one.
    async fn login(&self, user: &str, password: &str) -> Result<Sender, Refusal> {
        self.login_from(IpAddr::V4(Ipv4Addr::UNSPECIFIED), user, password).await
    }

    async fn login_from(&self, peer: IpAddr, user: &str, password: &str) -> Result<Sender, Refusal> {
        self.0.logins().check(self.0.ledger(), peer, user, password).await.map(Sender::Proved)
    }

    /// Only app passwords can be proved that way, and a client that is offered it tries nothing else.
    fn offers_scram(&self) -> bool {
        self.0.ledger().directory().has_app_passwords()
    }

    fn scram(&self, user: &str) -> ScramChallenge {
        self.0.logins().challenge(self.0.ledger(), user)
    }

    async fn scram_login_from(
        &self,
        peer: IpAddr,
        user: &str,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Result<(Sender, Vec<u8>), Refusal> {
        let checked = self.0.logins().check_scram(self.0.ledger(), peer, user, auth_message, proof).await;
        checked.map(|(proved, signature)| (Sender::Proved(proved), signature))
    }

    fn postmaster(&self) -> Option<Address> {
        self.0.settings().postmaster.clone()
    }

    fn is_own(&self, domain: &str) -> bool {
        self.0.settings().notice_domain == domain
    }

    /// A reverse-path is never written to and proves nothing; it only says which company has to be proved.
    fn mail(
        &self,
        sender: Option<&Sender>,
        circumstance: &Circumstance<'_>,
        from: &ReversePath,
    ) -> Result<(), Refusal> {
        match (sender, from) {
            // The secret of a connector is in the mail itself.
            (Some(Sender::Provider(_)), _) if circumstance.encryption == Encryption::None => {
                Err(Refusal::NotProved(
                    "use STARTTLS: a connector's secret does not travel in the clear".to_owned(),
                ))
            }
            (Some(Sender::Proved(proved)), _) if !proved.stands(&self.0.ledger().directory()) => {
                Err(Refusal::NotProved(NO_LONGER.to_owned()))
            }
            (Some(_), _) => Ok(()),
            // What comes back to us: the recipient has to name a mail of ours.
            (None, ReversePath::Null) => Ok(()),
            (None, ReversePath::Address(_)) => {
                let claimed = !self.candidates(None, from).is_empty();
                match claimed && circumstance.encryption == Encryption::Tls {
                    true => Ok(()),
                    false => Err(Refusal::NotProved(HOW_TO_BE_PROVED.to_owned())),
                }
            }
        }
    }

    fn recipient(
        &self,
        sender: Option<&Sender>,
        _: &Circumstance<'_>,
        from: &ReversePath,
        to: &Address,
    ) -> Result<TransactionClass, Refusal> {
        if notice::job_of(self.0.ledger(), to, &self.0.settings().notice_domain).is_some() {
            return Ok(TransactionClass::live(Class::Return));
        }
        if self.is_journal(to) {
            return journal(sender);
        }
        let passing = match sender {
            Some(_) => self.0.settings().passing,
            None => Passing::Off,
        };
        // Where it is not known yet whose mail it is, all that it may turn out to be must agree; whom this address refuses
        // will read it at the end. Mail of a list claims nobody (RFC 5321 §4.5.5), and nothing else could be done about it:
        // it goes for mail into a case, if it may be that.
        let mut refusal = Refusal::NotProved(HOW_TO_BE_PROVED.to_owned());
        let mut agreed: Option<TransactionClass> = None;
        for group in self.candidates(sender, from) {
            match self.class(&group, passing, to) {
                Ok(class) => match &agreed {
                    Some(other) if *other == class => {}
                    Some(_) if *from != ReversePath::Null => {
                        return Err(Refusal::UnknownRecipient(AMBIGUOUS.to_owned()));
                    }
                    Some(_) if !matches!(class, TransactionClass::Live { class: Class::Case, .. }) => {}
                    _ => agreed = Some(class),
                },
                Err(refused) => refusal = refused,
            }
        }
        let class = agreed.ok_or(refusal)?;
        self.own_reverse_path(&class, sender, from)?;
        Ok(class)
    }

    async fn open(
        &self,
        sender: Option<&Sender>,
        circumstance: &Circumstance<'_>,
        transaction: Transaction<TransactionClass>,
    ) -> Result<Incoming, Refusal> {
        let vouching = match (transaction.class, sender) {
            (TransactionClass::Live { class: Class::Return, .. }, _) => {
                self.expects(&transaction.envelope).await?;
                Vouching::Return
            }
            (TransactionClass::Journal, Some(Sender::Proved(proved))) => Vouching::Journal(proved.clone()),
            (_, Some(Sender::Proved(proved))) => Vouching::Proved(proved.clone()),
            (_, Some(Sender::Provider(provider))) => Vouching::Provider(provider.clone()),
            (_, None) => Vouching::Signature,
        };
        let arrival = Arrival::over_smtp(circumstance, self.0.ledger().now());
        Incoming::open(&self.0, vouching, arrival, transaction.envelope)
    }
}
