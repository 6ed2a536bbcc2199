//! What the SMTP server asks of the rest of Postern: who vouches for a peer, whether a sender and a recipient are
//! welcome, and a sink for one message whose successful close is the durable acknowledgement.
//! It decides nothing itself and never sees the ledger.

use std::future::{self, Future};
use std::net::IpAddr;

use certs::PeerCertificate;
use mail::{Address, Envelope, ReversePath};

use super::circumstance::Circumstance;
use super::reply::Refusal;

/// The guards and the sink of the SMTP server. The synchronous guards must answer from memory: they are called in the
/// middle of a pipelined group and may not wait.
pub trait Intake: Send + Sync + 'static {
    /// Who vouches for the peer. Absent means that nobody does yet.
    type Identity: Clone + Send + Sync + 'static;
    /// What is going to happen to mail for a recipient. All recipients of one transaction are of one class, since DATA
    /// has one answer.
    type Class: Clone + PartialEq + Send + Sync + 'static;
    /// One message on its way in.
    type Delivery: Delivery;

    /// Asked when a peer connects, if the listener takes networks: a registered one vouches by itself.
    fn by_network(&self, peer: IpAddr) -> Option<Self::Identity>;

    /// Asked after a TLS handshake in which the peer proved a certificate of the private CA (the chain is checked), if
    /// the listener takes certificates.
    fn by_certificate(&self, peer: &PeerCertificate) -> Option<Self::Identity>;

    /// The names of mail providers that a public authority may vouch for in a client certificate. Asked after a TLS
    /// handshake, if the listener takes connectors.
    fn provider_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Asked if nobody else vouches for a peer and the listener takes connectors: the mail service that it belongs to,
    /// by its address or by the one of [`Intake::provider_names`] that it proved. Which company's mail it brings is
    /// still to be shown, by each mail.
    fn by_provider(&self, peer: IpAddr, name: Option<&str>) -> Option<Self::Identity> {
        let _unknown = (peer, name);
        None
    }

    /// Checks a user and password. Called under TLS only, except on a loopback listener that says otherwise.
    fn login(
        &self,
        user: &str,
        password: &str,
    ) -> impl Future<Output = Result<Self::Identity, Refusal>> + Send;

    /// The same for a peer at this address: an intake that counts failures by address does so here. The server asks
    /// this one only.
    fn login_from(
        &self,
        peer: IpAddr,
        user: &str,
        password: &str,
    ) -> impl Future<Output = Result<Self::Identity, Refusal>> + Send {
        let _any = peer;
        self.login(user, password)
    }

    /// Whether AUTH SCRAM-SHA-256 is offered where AUTH is.
    fn offers_scram(&self) -> bool {
        false
    }

    /// What SCRAM-SHA-256 needs to know of a user; asked only where it is offered. For users that do not exist it is
    /// made up, and always the same for a name, so that nobody learns who exists.
    fn scram(&self, user: &str) -> ScramChallenge {
        let _nobody = user;
        ScramChallenge { salt: Vec::new(), iterations: 4096 }
    }

    /// Checks a proof over what both sides said (RFC 5802 §3), counted by address as [`Intake::login_from`] does.
    /// Returns who it is, and the server signature.
    fn scram_login_from(
        &self,
        peer: IpAddr,
        user: &str,
        auth_message: &[u8],
        proof: &[u8],
    ) -> impl Future<Output = Result<(Self::Identity, Vec<u8>), Refusal>> + Send {
        let _unused = (peer, user, auth_message, proof);
        future::ready(Err(Refusal::BadCredentials))
    }

    /// Who reads mail for `<postmaster>` and `<postmaster@this-server>` (RFC 5321 §4.5.1). It is judged as a
    /// recipient like any other.
    fn postmaster(&self) -> Option<Address> {
        None
    }

    /// Whether this domain is the server's own too, beside its name, so that its postmaster is the same reader.
    fn is_own(&self, domain: &str) -> bool {
        let _none = domain;
        false
    }

    /// May this peer send mail with this reverse-path? Without an identity it is asked only on a listener that takes
    /// domains, whose proof is in the message, or returns, and then for the null reverse-path only.
    fn mail(
        &self,
        identity: Option<&Self::Identity>,
        circumstance: &Circumstance<'_>,
        from: &ReversePath,
    ) -> Result<(), Refusal>;

    /// May this peer send mail to this recipient, and what would become of it? Unknown recipients are refused here, in
    /// the dialogue (no bounce is ever made of them).
    fn recipient(
        &self,
        identity: Option<&Self::Identity>,
        circumstance: &Circumstance<'_>,
        from: &ReversePath,
        to: &Address,
    ) -> Result<Self::Class, Refusal>;

    /// Opens the sink for one message; called at DATA or the first BDAT, with at least one recipient.
    fn open(
        &self,
        identity: Option<&Self::Identity>,
        circumstance: &Circumstance<'_>,
        transaction: Transaction<Self::Class>,
    ) -> impl Future<Output = Result<Self::Delivery, Refusal>> + Send;
}

/// What was agreed on before a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction<C> {
    /// The class of every recipient.
    pub class: C,
    pub envelope: Envelope,
    /// The octet count of the SIZE parameter (RFC 1870), a hint only.
    pub announced: Option<u64>,
}

/// What a verifier of SCRAM-SHA-256 tells anybody who asks (RFC 5802 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramChallenge {
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2, at least 4096 (RFC 7677 §4).
    pub iterations: u32,
}

/// One message on its way in. Dropping it without `close` abandons the message: nothing of it may become visible.
pub trait Delivery: Send {
    /// Takes the next octets of the message, dot-unstuffed, at most 64 KiB, all line ends CRLF.
    /// After a refusal it is dropped, and the peer reads the refusal after the end of the data.
    fn chunk(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// The message is complete. Returns only once it is durable, with the text that follows `250 2.0.0`. It
    /// is logged, so it names no person.
    fn close(self) -> impl Future<Output = Result<String, Refusal>> + Send;
}
