//! A message on its way in: each piece is sealed, scanned and digested as it comes, and let go of.
//! Closing it walks the message path; the answer is given only when that has committed.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use mail::{Address, Budget, Envelope, GroupId, Message, Scanner};
use memchr::memmem;
use store::{Accepted, ContentWriter, Ledger, SealedContent, SourceKey};

use crate::{
    arrival::Arrival,
    connector::{Blotter, Bound, HeaderGate, Trail, Unbound},
    gateway::{Gateway, refused},
    journal,
    pipeline::{self, Taken},
    proof::{self, ProofScanner, Scanned, Unproved},
    returned,
    sender::Vouching,
    smtp::{Delivery, Refusal},
};

/// An open sink for one message.
pub struct Incoming {
    gateway: Arc<Gateway>,
    vouching: Vouching,
    envelope: Envelope,
    arrival: Arrival,
    content: ContentWriter,
    scanner: Scanner,
    /// What the mail itself has to prove.
    evidence: Evidence,
    blotter: Blotter,
    trail: Trail,
    digest: SplitDigest,
}

/// What is watched for while a mail arrives whose company the transport did not prove.
pub(crate) enum Evidence {
    Nothing,
    Signature(ProofScanner),
    /// Holds the header back until it is known whose customer's mail it is.
    Connector(HeaderGate),
}

/// A whole message with its envelope, sealed, and the scanners that have seen it all.
pub(crate) struct Received {
    pub(crate) vouching: Vouching,
    pub(crate) original: Original,
    pub(crate) scanner: Scanner,
    pub(crate) proven: Proven,
}

/// What came of the evidence.
pub(crate) enum Proven {
    Nothing,
    Signature(Scanned),
    Connector(Bound),
}

/// What stays of a message when its bytes have passed.
pub(crate) struct Original {
    pub(crate) envelope: Envelope,
    pub(crate) arrival: Arrival,
    pub(crate) content: SealedContent,
    /// How often this installation has sent the mail on already.
    pub(crate) rounds: usize,
    digest: Digests,
}

impl Incoming {
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        vouching: Vouching,
        arrival: Arrival,
        envelope: Envelope,
    ) -> Result<Self, Refusal> {
        if gateway.ledger().broken().borrow().is_some() {
            return Err(Refusal::StoreBroken);
        }
        Ok(Self {
            content: ContentWriter::new(gateway.ledger()).map_err(|error| refused(&error))?,
            gateway: Arc::clone(gateway),
            evidence: Evidence::wanted(gateway, &vouching),
            blotter: secrets(gateway),
            vouching,
            envelope,
            arrival,
            scanner: Scanner::new(Budget::default()),
            trail: Trail::default(),
            digest: SplitDigest::new(),
        })
    }
}

/// A secret that strays into a mail by another way must not lie in front of its readers either.
fn secrets(gateway: &Gateway) -> Blotter {
    let directory = gateway.ledger().directory();
    Blotter::new(directory.connectors().map(|connector| connector.secret_header.clone()).collect())
}

impl Evidence {
    fn wanted(gateway: &Gateway, vouching: &Vouching) -> Self {
        match vouching {
            Vouching::Signature | Vouching::Mailbox(_) => Self::Signature(ProofScanner::default()),
            Vouching::Provider(provider) => {
                let directory = gateway.ledger().directory();
                let own = directory.connectors().filter(|known| known.active && known.provider == *provider);
                Self::Connector(HeaderGate::new(own.cloned().collect()))
            }
            Vouching::Proved(_) | Vouching::Journal(_) | Vouching::Return => Self::Nothing,
        }
    }
}

impl Incoming {
    /// Takes what may be kept, but for the secrets of connectors.
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let bytes = self.blotter.pass(bytes);
        if self.content.size() + bytes.len() as u64 > self.vouching.most() {
            return Err(Refusal::TooLarge);
        }
        self.scanner.feed(&bytes);
        self.trail.feed(&bytes);
        self.digest.feed(&bytes);
        self.content.write(&bytes).await.map_err(|error| refused(&error))
    }

    async fn proven(&mut self) -> Result<Proven, Refusal> {
        Ok(match std::mem::replace(&mut self.evidence, Evidence::Nothing) {
            Evidence::Nothing => Proven::Nothing,
            Evidence::Signature(scanner) => Proven::Signature(scanner.finish()),
            Evidence::Connector(gate) => {
                let (bound, rest) = gate.finish().map_err(unbound)?;
                self.take(&rest).await?;
                Proven::Connector(bound)
            }
        })
    }

    pub(crate) async fn received(mut self) -> Result<(Arc<Gateway>, Received), Refusal> {
        let proven = self.proven().await?;
        let original = Original {
            envelope: self.envelope,
            arrival: self.arrival,
            content: self.content.finish().await.map_err(|error| refused(&error))?,
            rounds: self.trail.rounds(self.gateway.ledger()),
            digest: self.digest.finish(),
        };
        let received = Received { vouching: self.vouching, original, scanner: self.scanner, proven };
        Ok((self.gateway, received))
    }
}

impl Delivery for Incoming {
    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        match &mut self.evidence {
            Evidence::Nothing => self.take(bytes).await,
            Evidence::Signature(scanner) => {
                scanner.feed(bytes);
                let unsigned = scanner.header().is_some_and(|head| !proof::is_signed(head));
                if unsigned && matches!(self.vouching, Vouching::Signature) {
                    // Nothing that follows can prove it, so nothing more of it is taken.
                    return Err(Refusal::NotProved(Unproved::Unsigned.public().to_owned()));
                }
                self.take(bytes).await
            }
            Evidence::Connector(gate) => {
                let passed = gate.pass(bytes).map_err(unbound)?;
                self.take(&passed).await
            }
        }
    }

    async fn close(self) -> Result<String, Refusal> {
        let (gateway, received) = self.received().await?;
        match received.vouching {
            Vouching::Return => {
                returned::take(&gateway, received).await?;
                return Ok("noted".to_owned());
            }
            Vouching::Journal(sender) => {
                journal::take(&gateway, sender, received.original, received.scanner.finish()).await?;
                return Ok("counted".to_owned());
            }
            _ => {}
        }
        Ok(match pipeline::take(&gateway, received).await? {
            Taken::Secured(accepted) => secured(&accepted),
            Taken::Relayed => "taken, and on its way".to_owned(),
            Taken::Held(public) => public,
        })
    }
}

fn unbound(why: Unbound) -> Refusal {
    Refusal::NotProved(why.public().to_owned())
}

fn secured(accepted: &Accepted) -> String {
    let references: Vec<_> = accepted.cases.iter().map(|case| case.reference.to_string()).collect();
    let noun = if references.len() == 1 { "case" } else { "cases" };
    format!("secured as {noun} {}", references.join(", "))
}

impl Original {
    /// The mail as a loop repeats it: the same Message-ID, or at least subject, over the same body.
    pub(crate) fn recurring(&self, message: &Message) -> [u8; 32] {
        let headline = &message.headline;
        let name = headline.message_id.as_ref().unwrap_or(&headline.subject);
        certs::sha256(&[self.digest.body.as_slice(), name.as_bytes()].concat())
    }

    /// What makes a second delivery to a recipient the same mail: sender, Message-ID, body, recipient. A
    /// header that a relay adds on the second way does not make it another; without a Message-ID the
    /// header has to say it. Keyed, so that nobody who holds the disk can confirm a guess at a mail.
    pub(crate) fn source(
        &self,
        ledger: &Ledger,
        group: &GroupId,
        message: &Message,
        recipient: &Address,
    ) -> SourceKey {
        let mut source = Context::new(&SHA256);
        let mut part = |bytes: &[u8]| {
            source.update(&(bytes.len() as u64).to_be_bytes());
            source.update(bytes);
        };
        part(group.as_str().as_bytes());
        match &message.headline.message_id {
            Some(id) => part(id.as_bytes()),
            None => part(&self.digest.header),
        }
        part(&self.digest.body);
        part(recipient.key().as_bytes());
        ledger.mac("source", source.finish().as_ref())
    }
}

/// SHA-256 of the header and of the body, while they pass.
struct SplitDigest {
    header: Context,
    body: Context,
    seen: Seen,
}

enum Seen {
    /// The last bytes of the header so far, at most three: the empty line may lie across pieces.
    Header(Vec<u8>),
    Body,
}

struct Digests {
    header: [u8; 32],
    body: [u8; 32],
}

impl SplitDigest {
    fn new() -> Self {
        // A message that begins with an empty line has no header: RFC 5322 §2.1.
        Self {
            header: Context::new(&SHA256),
            body: Context::new(&SHA256),
            seen: Seen::Header(b"\r\n".to_vec()),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let Seen::Header(tail) = &mut self.seen else {
            self.body.update(bytes);
            return;
        };
        let across = tail.len();
        let mut window = std::mem::take(tail);
        window.extend_from_slice(&bytes[..bytes.len().min(4)]);
        let end = match memmem::find(&window, b"\r\n\r\n") {
            Some(place) => Some(place + 4 - across),
            None => memmem::find(bytes, b"\r\n\r\n").map(|place| place + 4),
        };
        match end {
            Some(end) => {
                self.header.update(&bytes[..end]);
                self.body.update(&bytes[end..]);
                self.seen = Seen::Body;
            }
            None => {
                self.header.update(bytes);
                window.truncate(across);
                window.extend_from_slice(&bytes[bytes.len().saturating_sub(3)..]);
                let keep = window.len().saturating_sub(3);
                self.seen = Seen::Header(window.split_off(keep));
            }
        }
    }

    /// A mail without an empty line is all header; two of them are the same only if that is.
    fn finish(self) -> Digests {
        let header = fixed(&self.header.finish());
        match self.seen {
            Seen::Body => Digests { header, body: fixed(&self.body.finish()) },
            Seen::Header(_) => Digests { header, body: header },
        }
    }
}

fn fixed(digest: &aws_lc_rs::digest::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(pieces: &[&[u8]]) -> ([u8; 32], [u8; 32]) {
        let mut digest = SplitDigest::new();
        pieces.iter().for_each(|piece| digest.feed(piece));
        let Digests { header, body } = digest.finish();
        (header, body)
    }

    #[test]
    fn the_body_begins_behind_the_first_empty_line_however_it_is_cut() {
        let mail = b"Subject: a\r\nTo: b\r\n\r\nbody\r\n\r\nmore\r\n";
        let whole = digests(&[mail]);
        assert_eq!(whole.1, certs::sha256(b"body\r\n\r\nmore\r\n"));
        for first in 0..mail.len() {
            for second in first..mail.len() {
                let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
                assert_eq!(digests(&pieces), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn another_header_is_the_same_body() {
        let one = digests(&[b"Received: x\r\n\r\nbody"]);
        let other = digests(&[b"Received: y\r\n\r\nbody"]);
        assert_eq!(one.1, other.1);
        assert_ne!(one.0, other.0);
        assert_eq!(digests(&[b"\r\nbody"]).1, certs::sha256(b"body"));
        assert_ne!(digests(&[b"no empty line"]).1, digests(&[b"none here either"]).1);
    }
}
