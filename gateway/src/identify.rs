//! Step 1 for mail whose company the transport alone did not prove: its signature, its mail service's header or the
//! server of its mailbox has to. It says who it is or refuses; `From` alone is never a proof.

use std::net::{IpAddr, Ipv4Addr};

use store::Proof;

use crate::{
    gateway::Gateway,
    imap::Polled,
    incoming::{Proven, Received},
    pipeline::Identified,
    proof::{Peer, Proving, Scanned, server_word},
    sender::{Basis, Proved, Vouching},
    smtp::Refusal,
};

const NOBODY: &str =
    "nobody vouches for the sender of this mail; log in, or sign it with DKIM for a registered domain";

/// The mail with its company.
pub(crate) async fn identified(gateway: &Gateway, received: Received) -> Result<Identified, Refusal> {
    let sender = match (&received.vouching, &received.proven) {
        (Vouching::Proved(proved), _) => proved.clone(),
        (Vouching::Signature, Proven::Signature(scanned)) => {
            by_signature(gateway, &received, scanned).await?
        }
        (Vouching::Mailbox(polled), Proven::Signature(scanned)) => {
            by_mailbox(gateway, &received, polled, scanned).await?
        }
        (Vouching::Provider(_), Proven::Connector(bound)) => {
            let name = bound.connector.clone();
            Proved::by(&bound.group, Proof::Connector(name.clone()), Basis::Connector(name))
        }
        // What comes back has a way of its own.
        _ => return Err(Refusal::NotProved(NOBODY.to_owned())),
    };
    Ok(Identified { sender, received })
}

/// An aligned DKIM signature of a registered domain.
async fn by_signature(gateway: &Gateway, received: &Received, scanned: &Scanned) -> Result<Proved, Refusal> {
    let arrival = &received.original.arrival;
    let peer = Peer {
        // A mail out of a mailbox was handed in by nobody we could ask about.
        address: arrival.peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        helo: arrival.hello.as_deref().unwrap_or_default(),
        reverse_path: &received.original.envelope.reverse_path,
        at: match received.vouching {
            Vouching::Mailbox(_) => scanned.taken_in(),
            _ => Some(arrival.at.as_second()),
        },
    };
    let directory = gateway.ledger().directory();
    let owner = |domain: &str| directory.group_of_domain(domain).cloned();
    match gateway.prover().prove(scanned, &peer, owner).await {
        Proving::Proved(proof) => Ok(Proved {
            proof: Proof::Domain(proof.domain),
            authentication: Some(proof.authentication),
            author: Some(proof.author),
            group: proof.group,
            basis: Basis::Mail,
        }),
        // Logged with every refusal; in the audit trail strangers could write without end.
        Proving::Unproved { why, .. } => Err(Refusal::NotProved(why.public().to_owned())),
        Proving::Later(why) => {
            tracing::warn!(why, "a domain cannot be proved now");
            Err(Refusal::Unavailable("the sender's domain cannot be checked now; try again later".to_owned()))
        }
    }
}

/// The same, or the word of the server that took the mail in. A fault of the DNS does not hide that word.
async fn by_mailbox(
    gateway: &Gateway,
    received: &Received,
    polled: &Polled,
    scanned: &Scanned,
) -> Result<Proved, Refusal> {
    match by_word(gateway, polled, scanned) {
        Some(proved) => Ok(proved),
        None => by_signature(gateway, received, scanned).await,
    }
}

fn by_word(gateway: &Gateway, polled: &Polled, scanned: &Scanned) -> Option<Proved> {
    let word = server_word::proved_by_server(scanned.header()?, polled.authserv_id.as_deref()?)?;
    let group = gateway.ledger().directory().group_of_domain(word.author.domain()).cloned()?;
    word.vouches.then(|| Proved {
        group,
        proof: Proof::Polled(polled.mailbox.clone()),
        authentication: Some(word.authentication),
        author: Some(word.author),
        basis: Basis::Mail,
    })
}
