//! The path of one message, from its last byte to the durable commit. `docs/message-path.md` tells
//! the same steps in prose, in the same order. Each stage owns the one before, so none can be skipped.

use mail::{Message, Scan};
use policies::{Author, Effect, Facts, Judged, Passing, Recipient, author};
use store::{Acceptance, Accepted, Act, Actor, Event};

use crate::{
    gateway::{Gateway, refused},
    incoming::{Original, Received},
    placement,
    smtp::Refusal,
};

/// More `Received` fields than this, and the mail runs in circles (RFC 5321 §6.3).
const MOST_HOPS: usize = 50;

/// Takes one message. `Ok` only when it is durable: then, and not before, the peer may read `250`.
pub(crate) async fn take(gateway: &Gateway, received: Received) -> Result<Accepted, Refusal> {
    // 1 identify: the transport proved `original.sender` before the first recipient was named.
    // 2 receive: the original is sealed already, chunk by chunk, as it came.
    let parsed = Parsed::from(received); //               3 parse
    let authored = parsed.authored(gateway).await?;
    let secured = authored.judged(gateway).await?; //     4 classify, 5 decide
    let acceptance = secured.sealed(gateway)?; //         6 seal
    gateway.ledger().accept(acceptance).await.map_err(|error| refused(&error)) // 7 accept
}

/// What the parser made of the mail. Total: a damaged mail has defects, it is no error.
pub(crate) struct Parsed {
    pub(crate) original: Original,
    pub(crate) message: Message,
}

/// A mail whose author belongs to the group that the transport proved.
pub(crate) struct Authored {
    pub(crate) parsed: Parsed,
    pub(crate) author: Author,
}

/// A mail that every recipient may have, and the place of each.
pub(crate) struct Secured {
    pub(crate) authored: Authored,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) judged: Judged,
}

impl From<Received> for Parsed {
    fn from(Received { original, scanner }: Received) -> Self {
        Self { original, message: scanner.finish() }
    }
}

impl Parsed {
    /// The company shown is the transport's, so the author in `From` must be one of its people.
    async fn authored(self, gateway: &Gateway) -> Result<Authored, Refusal> {
        let directory = gateway.ledger().directory();
        let group = &self.original.sender.group;
        let author = author(
            &self.message.headline,
            group,
            |address| directory.group_of_address(address).cloned(),
            |domain| directory.group_of_domain(domain).cloned(),
        );
        match author {
            Ok(author) => Ok(Authored { parsed: self, author }),
            Err(refusal) => {
                let event = Event::new(gateway.ledger().now(), Actor::Gateway, Act::SenderRefused);
                gateway.ledger().record(event.group(group)).await.map_err(|error| refused(&error))?;
                Err(Refusal::NotProved(refusal.public().to_owned()))
            }
        }
    }
}

impl Authored {
    async fn judged(self, gateway: &Gateway) -> Result<Secured, Refusal> {
        let Parsed { original, message } = &self.parsed;
        let group = &original.sender.group;
        if message.hops >= MOST_HOPS {
            return Err(Refusal::Loop);
        }
        let mut recipients = Vec::with_capacity(original.envelope.recipients.len());
        for to in &original.envelope.recipients {
            recipients.push(placement::recipient(gateway, group, &to.address).await?);
        }
        let referenced = placement::referenced(gateway, group, message).await?;
        let judged = gateway.rules().judge(&Facts {
            sender: group,
            passing: Passing::Off,
            reverse_path: &original.envelope.reverse_path,
            message,
            recipients: &recipients,
            referenced: &referenced,
            scan: Scan::Off,
        });
        Ok(Secured { authored: self, recipients, judged })
    }
}

impl Secured {
    /// Puts the mail into its cases and takes what is to be sealed for their parties.
    fn sealed(self, gateway: &Gateway) -> Result<Acceptance, Refusal> {
        let entries = placement::entries(gateway, &self)?;
        let Self { authored: Authored { parsed, author }, judged, .. } = self;
        let Parsed { original, message } = parsed;
        let author = gateway.ledger().directory().user_by_email(&author.address).map(|user| user.id);
        Ok(Acceptance {
            from_group: original.sender.group,
            proof: original.sender.proof,
            author,
            content: original.content,
            message_id: message.headline.message_id.clone(),
            headline: message.headline,
            automatic: judged.effect == Effect::EventOnly,
            entries,
        })
    }
}
