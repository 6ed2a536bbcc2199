//! What the SMTP server asks of the rest of Postern: who vouches for a peer, whether a sender and a recipient are
//! welcome, and a sink for one message whose successful close is the durable acknowledgement.
//! It decides nothing itself and never sees the ledger.

use std::future::Future;
use std::net::IpAddr;

use certs::PeerCertificate;
use mail::{Address, Envelope, ReversePath};

use super::reply::Refusal;

/// The guards and the sink of the SMTP server. The synchronous guards must answer from memory: they are called in the
/// middle of a pipelined group and may not wait.
pub trait Intake: Send + Sync + 'static {
    /// Who vouches for the peer. Absent means that nobody does yet.
    type Identity: Clone + Send + Sync + 'static;
    /// One message on its way in.
    type Delivery: Delivery;

    /// Asked once, when a peer connects: a registered network vouches by itself.
    fn by_network(&self, peer: IpAddr) -> Option<Self::Identity>;

    /// Asked after a TLS handshake in which the peer proved a certificate of the private CA (the chain is checked).
    fn by_certificate(&self, peer: &PeerCertificate) -> Option<Self::Identity>;

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

    /// May this peer send mail with this reverse-path?
    fn mail(&self, identity: Option<&Self::Identity>, from: &ReversePath) -> Result<(), Refusal>;

    /// May this peer send mail to this recipient? Unknown recipients are refused here, in the dialogue
    /// (no bounce is ever made of them).
    fn recipient(
        &self,
        identity: Option<&Self::Identity>,
        from: &ReversePath,
        to: &Address,
    ) -> Result<(), Refusal>;

    /// Opens the sink for one message; called at DATA, with at least one recipient.
    /// `announced` is the octet count of the SIZE parameter (RFC 1870), a hint only.
    fn open(
        &self,
        identity: Option<&Self::Identity>,
        envelope: Envelope,
        announced: Option<u64>,
    ) -> impl Future<Output = Result<Self::Delivery, Refusal>> + Send;
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
