//! The path of one message, from its last byte to the durable commit. `docs/message-path.md` tells
//! the same steps in prose, in the same order. Each stage owns the one before, so none can be skipped.

use std::sync::Arc;

use mail::{Message, ReversePath, Scan};
use policies::{Author, AuthorRefusal, Facts, Judged, Passing, Recipient, Ruleset, author, detect::Business};
use store::{Accepted, Act, Actor, Event, Proof};

use crate::{
    documents::{self, ReadDocument, ReadError},
    fields::{LARGEST_HEAD, header_fields},
    gateway::{Gateway, refused},
    identify,
    incoming::{Original, Received},
    placement,
    sender::Proved,
    signature,
    smtp::Refusal,
};

/// More `Received` fields than this, and the mail runs in circles (RFC 5321 §6.3).
const MOST_HOPS: usize = 50;

/// What became of a mail that was taken. Every one of these is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is in its cases.
    Secured(Accepted),
    /// It goes on to its recipients.
    Relayed,
    /// It waits for the compliance role; the sentence for the sender.
    Held(String),
}

/// Takes one message. `Ok` only when it is durable: then, and not before, the peer may read `250`.
pub(crate) async fn take(gateway: &Gateway, received: Received) -> Result<Taken, Refusal> {
    let identified = identify::identified(gateway, received).await?; // 1 identify
    // 2 receive: the original is sealed already, chunk by chunk, as it came.
    let parsed = Parsed::from(identified); //                           3 parse
    let authored = parsed.authored(gateway).await?;
    let checked = authored.checked(gateway).await?;
    let decided = checked.judged(gateway).await?; //                    4 classify, 5 decide
    decided.kept(gateway).await //                                      6 seal, 7 accept
}

/// A mail whose company is proved.
pub(crate) struct Identified {
    pub(crate) sender: Proved,
    pub(crate) received: Received,
}

/// What the parser made of the mail. Total: a damaged mail has defects, it is no error.
pub(crate) struct Parsed {
    pub(crate) sender: Proved,
    pub(crate) original: Original,
    /// Nobody is asked about a mail before its author is known.
    pub(crate) scan: Scan,
    pub(crate) message: Message,
}

/// A mail whose author belongs to the group that was proved.
pub(crate) struct Authored {
    pub(crate) parsed: Parsed,
    pub(crate) author: Author,
}

/// A mail about which everything is decided.
pub(crate) struct Decided {
    pub(crate) authored: Authored,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) judged: Judged,
    /// What rules say that are tried beside those that stand, if there are any. It decides nothing.
    pub(crate) tried: Option<Judged>,
}

impl From<Identified> for Parsed {
    fn from(Identified { sender, received }: Identified) -> Self {
        let Received { original, scanner, .. } = received;
        Self { sender, original, scan: Scan::Off, message: scanner.finish() }
    }
}

impl Parsed {
    /// The company shown is the one that was proved, so the author in `From` must be one of its people.
    async fn authored(self, gateway: &Gateway) -> Result<Authored, Refusal> {
        let proved = |author: &Author| match &self.sender.author {
            Some(proved) => proved.key() == author.address.key(),
            None => true,
        };
        match self.author(gateway) {
            Ok(author) if proved(&author) => Ok(self.written_by(author)),
            // Two readers of one header see two authors.
            Ok(_) => Err(Refusal::NotProved(AuthorRefusal::TwoAuthors.public().to_owned())),
            Err(refusal) => {
                let event = Event::new(gateway.ledger().now(), Actor::Gateway, Act::SenderRefused);
                gateway
                    .ledger()
                    .record(event.group(&self.sender.group))
                    .await
                    .map_err(|error| refused(&error))?;
                Err(Refusal::NotProved(refusal.public().to_owned()))
            }
        }
    }

    /// The one person of the group in `From`.
    pub(crate) fn author(&self, gateway: &Gateway) -> Result<Author, AuthorRefusal> {
        let directory = gateway.ledger().directory();
        author(
            &self.message.headline,
            &self.sender.group,
            |address| directory.group_of_address(address).cloned(),
            |domain| directory.group_of_domain(domain).cloned(),
        )
    }

    pub(crate) fn written_by(self, author: Author) -> Authored {
        Authored { parsed: self, author }
    }

    /// Whether mail of this sender may pass on. What a domain or a mailbox proves is who wrote it, not who sends it.
    pub(crate) fn passing(&self, gateway: &Gateway) -> Passing {
        if self.sender.proof.is_direct() { gateway.settings().passing } else { Passing::Off }
    }
}

impl Authored {
    /// That it does not run in circles; what the virus scanner says, if there is one; and what the mail's own signature is worth, if it has one.
    async fn checked(mut self, gateway: &Gateway) -> Result<Self, Refusal> {
        if self.parsed.message.hops >= MOST_HOPS {
            return Err(Refusal::Loop);
        }
        let Parsed { original, message, scan, .. } = &mut self.parsed;
        let (mail, headline) = (original.content.open(gateway.ledger()), &mut message.headline);
        let (authorities, now) = (&gateway.settings().authorities, gateway.ledger().now());
        if let Some(scanner) = gateway.scanner() {
            *scan = scanner.check(&mail, &headline.parts).await;
        }
        let result = signature::checked(&mail, headline, &self.author.address, authorities, now).await;
        headline.signature = result.map_err(|error| refused(&error))?;
        Ok(self)
    }

    /// Who hears of failures. A list in front of a company's mail service takes the reverse-path away; the service is proved
    /// to be that company's, so the author stands for it. What a machine wrote is known by its class all the same.
    fn failures_to(&self) -> ReversePath {
        let Parsed { sender, original, .. } = &self.parsed;
        match (&sender.proof, &original.envelope.reverse_path) {
            (Proof::Connector(_), ReversePath::Null) => ReversePath::Address(self.author.address.clone()),
            (_, path) => path.clone(),
        }
    }

    /// What the files say, as far as they can be read.
    async fn read(&mut self, gateway: &Gateway) -> Result<Vec<ReadDocument>, Refusal> {
        let Some(reader) = gateway.documents() else { return Ok(Vec::new()) };
        let Parsed { original, message, .. } = &mut self.parsed;
        let mail = original.content.open(gateway.ledger());
        reader.read(message, documents::Original::Sealed(&mail)).await.map_err(not_read)
    }

    /// The header's fields, where a rule asks for them.
    async fn header<'a>(
        &self,
        gateway: &Gateway,
        mut rules: impl Iterator<Item = &'a Arc<Ruleset>>,
    ) -> Result<Vec<(String, String)>, Refusal> {
        if !rules.any(|rules| rules.asks_for_header()) {
            return Ok(Vec::new());
        }
        let mail = self.parsed.original.content.open(gateway.ledger());
        let head = mail.range(0, LARGEST_HEAD as u64).await.map_err(|error| refused(&error))?;
        Ok(header_fields(&head))
    }

    pub(crate) async fn judged(mut self, gateway: &Gateway) -> Result<Decided, Refusal> {
        let read = self.read(gateway).await?;
        let Parsed { sender, original, scan, message } = &self.parsed;
        let mut recipients = Vec::with_capacity(original.envelope.recipients.len());
        for to in &original.envelope.recipients {
            recipients.push(placement::recipient(gateway, &sender.group, &to.address).await?);
        }
        let referenced = placement::referenced(gateway, &sender.group, message).await?;
        let directory = gateway.ledger().directory();
        let is_staff = |domain: &str| directory.group_of_domain(domain).is_some();
        let (rules, tried) = (gateway.rules(), gateway.tried());
        let header = self.header(gateway, tried.iter().chain([&rules])).await?;
        let facts = Facts {
            sender: &sender.group,
            passing: self.parsed.passing(gateway),
            reverse_path: &self.failures_to(),
            message,
            recipients: &recipients,
            referenced: &referenced,
            scan: *scan,
            protection: original.arrival.protection(),
            documents: &documents::listed(&message.headline, &read),
            business: &Business::new(&is_staff, &message.headline),
            fields: &header.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(),
        };
        let (judged, tried) = (rules.judge(&facts), tried.map(|tried| tried.judge(&facts)));
        Ok(Decided { authored: self, recipients, judged, tried })
    }
}

/// What nobody could look into now may be looked into when it is sent again.
fn not_read(error: ReadError) -> Refusal {
    match &error {
        ReadError::Store(error) => refused(error),
        ReadError::NoProcess(_) => {
            tracing::error!(%error, "a mail with files was put off");
            Refusal::Unavailable(
                "the files of this mail cannot be looked into at the moment; try again later".into(),
            )
        }
    }
}
