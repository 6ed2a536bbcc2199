//! Mail that waits for the compliance role of the sender's group: listed without content, opened with an event,
//! released to where it was going, or returned and destroyed, by a person or because its time is over.
//!
//! Whether somebody has the role is decided before (`policies::access`).

mod deciding;

use std::collections::{HashMap, HashSet};

use certs::{MessageKey, SealedPart};
use jiff::Timestamp;
use mail::{Address, Class, Envelope, GroupId, Headline, HoldReason, ReversePath, Scan};
use minicbor::{Decode, Encode};

use crate::{
    accept::{Accepted, Entry, SourceKey},
    audit::{Act, Actor, Event},
    draft::seal_headline,
    engine::{Changeset, Row},
    error::StoreError,
    ids::{ContentId, HeldId, JobId, PassageId, UserId},
    jobs::{HeldNews, HeldNotice, HeldSide, Job, JobKind},
    keys::{Key, Table},
    ledger::Ledger,
    passage::Passage,
    proof::{Authentication, Proof},
    reading::{OpenContent, Wrap, wrap_context},
    recall::Recalled,
    records, sealed,
    tasks::TaskKind,
};

/// Where a held mail goes when it is released.
pub enum Onward {
    /// To the recipients of its envelope: none of them is secured.
    Relay,
    /// Into its cases.
    Case(Box<CaseBound>),
}

/// What the acceptance of a mail needs beyond its passage.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub struct CaseBound {
    #[n(0)]
    pub message_id: Option<String>,
    #[n(1)]
    pub automatic: bool,
    /// One for each case that the mail belongs to.
    #[n(2)]
    pub entries: Vec<Entry>,
    /// Where the receipt goes that its release makes.
    #[n(3)]
    pub receipt: Option<Address>,
    /// What its release takes back.
    #[n(4)]
    pub recall: Option<Recalled>,
}

/// The same as a fact of a held mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Release {
    #[n(0)]
    Relay,
    #[n(1)]
    Case,
}

/// What a list of held mail shows. Nothing of the content.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeldMail {
    #[n(0)]
    pub id: HeldId,
    #[n(1)]
    pub from_group: GroupId,
    #[n(2)]
    pub proof: Proof,
    /// The author in `From`, if a user.
    #[n(3)]
    pub author: Option<UserId>,
    #[cbor(n(4), with = "records::time")]
    pub received_at: Timestamp,
    /// Bytes of the original.
    #[n(5)]
    pub size: u64,
    #[n(6)]
    pub reason: HoldReason,
    /// The id of the rule that decided.
    #[n(7)]
    pub decided_by: String,
    #[n(8)]
    pub class: Class,
    #[n(9)]
    pub scan: Scan,
    /// What its release would do.
    #[n(10)]
    pub release: Release,
    /// How many recipients it has.
    #[n(11)]
    pub recipients: u32,
}

/// One page of held mail, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPage {
    pub mails: Vec<HeldMail>,
    /// Where the next page begins.
    pub next: Option<HeldId>,
}

/// A held mail that was opened for a reader, after the reading was written down.
pub struct OpenHeld {
    pub mail: HeldMail,
    pub headline: Headline,
    pub envelope: Envelope,
    /// What domain checks said, if any were made.
    pub authentication: Option<Authentication>,
    pub content: OpenContent,
}

/// What a release made of a held mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    Relayed(PassageId),
    Secured(Accepted),
}

/// A held mail as the ledger keeps it.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct HeldRecord {
    #[n(0)]
    mail: HeldMail,
    #[n(1)]
    content: ContentId,
    #[cbor(n(2), with = "minicbor::bytes")]
    headline: Vec<u8>,
    #[n(3)]
    envelope: Envelope,
    #[n(4)]
    received_line: String,
    #[n(5)]
    authentication: Option<Authentication>,
    /// The message key under the transit key: for the release.
    #[cbor(n(6), with = "minicbor::bytes")]
    transit: Vec<u8>,
    /// The message key for the sender's group: for the reader.
    #[n(7)]
    wrap: Wrap,
    /// [`CaseBound`], sealed: it holds search tags.
    #[n(8)]
    bound: Option<SealedBound>,
    /// What makes a second delivery the same mail, while it waits.
    #[n(9)]
    sources: Option<Vec<SourceKey>>,
}

/// Sealed under a key of its own, because the parts of the mail's key are each sealed once.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct SealedBound {
    #[cbor(n(0), with = "minicbor::bytes")]
    transit: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// The most mails of one page.
const MOST: usize = 500;

impl Ledger {
    /// Keeps a mail for the decision of the sender's compliance role; both sides are told by jobs. One commit,
    /// durable when it returns. Idempotent for each recipient: a second delivery gets the answer of the first.
    pub async fn hold(
        &self,
        passage: Passage,
        reason: HoldReason,
        onward: Onward,
    ) -> Result<HeldId, StoreError> {
        passage.check()?;
        let headline = seal_headline(&passage.content, &passage.headline)?;
        let mut known = HashMap::new();
        loop {
            let (envelope, sources) = passage.envelope_without(|source| known.contains_key(source));
            if envelope.recipients.is_empty() {
                let first = passage.sources.iter().find_map(|source| known.get(source).copied());
                return first.ok_or(StoreError::Conflict);
            }
            let mut changes = Changeset::default();
            let mut record = self.held_record(&passage, reason, &onward, envelope, &headline)?;
            record.sources = Some(sources.to_vec());
            passage.content.name_in(&mut changes);
            for source in sources {
                changes.require.push((held_source(&source), None));
                changes.put.push((held_source(&source), records::encode(&record.mail.id)?));
            }
            let row = sealed::encode(self.root(), Table::Held, &record.mail.id, &record)?;
            changes.put.push((held_key(&record.mail.from_group, record.mail.id), row));
            changes.append.push(record.event(Actor::Gateway, Act::MailHeld).to_bytes()?);
            let group = &record.mail.from_group;
            self.add_task(&Actor::Gateway, Some(group), TaskKind::MailHeld, None, &mut changes).await?;
            self.tell_of_held(&record, HeldNews::Held, &mut changes)?;
            match self.commit(changes).await {
                Ok(_) => {
                    self.announce_work();
                    return Ok(record.mail.id);
                }
                // The same mail was faster.
                Err(StoreError::Conflict) => {
                    self.still_there(&passage.content).await?;
                    known = self.known_by(&passage.sources, held_source).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn held_record(
        &self,
        passage: &Passage,
        reason: HoldReason,
        onward: &Onward,
        envelope: Envelope,
        headline: &[u8],
    ) -> Result<HeldRecord, StoreError> {
        let (content, group) = (&passage.content, &passage.from_group);
        let id = HeldId::new(self.now())?;
        let directory = self.directory();
        let ring = directory.ring(group)?;
        let wrapped = content.key.wrap_to(&ring.public, &wrap_context(content.id, group))?;
        let (release, bound) = match onward {
            Onward::Relay => (Release::Relay, None),
            Onward::Case(bound) => (Release::Case, Some(self.seal_bound(id, bound)?)),
        };
        Ok(HeldRecord {
            mail: HeldMail {
                id,
                from_group: group.clone(),
                proof: passage.proof.clone(),
                author: passage.author,
                received_at: self.now(),
                size: content.size,
                reason,
                decided_by: passage.decided_by.clone(),
                class: passage.class,
                scan: passage.scan,
                release,
                recipients: u32::try_from(envelope.recipients.len()).unwrap_or(u32::MAX),
            },
            content: content.id,
            headline: headline.to_vec(),
            envelope,
            received_line: passage.received_line.clone(),
            authentication: passage.authentication.clone(),
            sources: None,
            transit: self.root().transit().wrap(&content.key, content.id.as_bytes())?,
            wrap: Wrap { group: group.clone(), wrapped },
            bound,
        })
    }

    fn seal_bound(&self, id: HeldId, bound: &CaseBound) -> Result<SealedBound, StoreError> {
        let key = MessageKey::generate()?;
        let sealed = key.seal(id.as_bytes(), SealedPart::Headline, &records::encode(bound)?)?;
        Ok(SealedBound { transit: self.root().transit().wrap(&key, id.as_bytes())?, sealed })
    }

    fn open_bound(&self, id: HeldId, bound: &SealedBound) -> Result<CaseBound, StoreError> {
        let key = self.root().transit().unwrap(&bound.transit, id.as_bytes())?;
        records::decode(&key.open(id.as_bytes(), SealedPart::Headline, &bound.sealed)?)
    }

    /// A job for each address that is told: the sender's own, and recipients who are users or mailboxes of the market.
    /// Of a machine's mail nobody is told.
    fn tell_of_held(
        &self,
        record: &HeldRecord,
        what: HeldNews,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let mail = &record.mail;
        // Who wants no answer to a failure is a machine too (RFC 5321 §4.5.5).
        if mail.class != Class::Human || record.envelope.reverse_path == ReversePath::Null {
            return Ok(());
        }
        let directory = self.directory();
        let own = |address: &&Address| directory.group_of(address) == Some(&mail.from_group);
        let sender = match &record.envelope.reverse_path {
            ReversePath::Address(address) => Some(address).filter(own),
            ReversePath::Null => None,
        };
        let author = mail.author.and_then(|author| directory.user(&author)).map(|user| &user.email);
        let recipients = record.envelope.recipients.iter().map(|recipient| &recipient.address);
        let known = recipients.filter(|address| directory.group_of_address(address).is_some());
        let mut told = HashSet::new();
        let now = self.now();
        let sender = sender.or(author).map(|to| (to, HeldSide::Sender));
        let all = sender.into_iter().chain(known.map(|to| (to, HeldSide::Recipient)));
        // What was returned never was the recipient's business.
        let all = all.filter(|(_, side)| what == HeldNews::Held || *side == HeldSide::Sender);
        for (to, side) in all.filter(|(to, _)| told.insert(to.key())) {
            let notice = HeldNotice {
                held: mail.id,
                from_group: mail.from_group.clone(),
                to: to.clone(),
                side,
                what,
                reason: mail.reason,
                received_at: mail.received_at,
            };
            self.put_job(&Job::new(JobId::new(now)?, JobKind::Held(notice), now, now), changes)?;
        }
        Ok(())
    }

    /// The mail of `group` that waits, oldest first.
    pub async fn held(
        &self,
        group: &GroupId,
        after: Option<HeldId>,
        limit: usize,
    ) -> Result<HeldPage, StoreError> {
        let limit = limit.clamp(1, MOST);
        let mut range = Key::of(Table::Held).text(group.as_str()).range();
        if let Some(after) = after {
            range.from = [held_key(group, after).as_slice(), &[0]].concat();
        }
        let rows = self.engine().scan(range, limit).await?;
        let next = rows.last().filter(|_| rows.len() == limit).and_then(|(key, _)| key.last_chunk::<20>());
        let next = next.map(|id| HeldId::from_bytes(*id));
        // One that cannot be read must not hide the others.
        let mails = rows.iter().filter_map(|(key, row)| match self.held_record_in(key, row) {
            Ok(record) => Some(record.mail),
            Err(error) => {
                tracing::error!(%group, %error, "a held mail cannot be read and is left out of the list");
                None
            }
        });
        Ok(HeldPage { mails: mails.collect(), next })
    }

    /// Opens a held mail for a reader of `group`; the event is durable before the key is unwrapped. `None`: there
    /// is no such mail of this group.
    pub async fn open_held(
        &self,
        actor: &Actor,
        group: &GroupId,
        id: HeldId,
    ) -> Result<Option<OpenHeld>, StoreError> {
        let Some((record, _)) = self.held_row(group, id).await? else { return Ok(None) };
        let event = record.event(actor.clone(), Act::HeldRead);
        self.record(Event { at: self.now(), ..event }).await?;
        let directory = self.directory();
        let opener = &directory.ring(group)?.opener;
        let key = opener.unwrap(&record.wrap.wrapped, &wrap_context(record.content, group))?;
        let headline = key.open(record.content.as_bytes(), SealedPart::Headline, &record.headline)?;
        let content = OpenContent::stored(self, key, record.content, record.mail.size);
        let headline = records::decode(&headline)?;
        let HeldRecord { mail, envelope, authentication, .. } = record;
        Ok(Some(OpenHeld { mail, headline, envelope, authentication, content }))
    }

    fn held_record_in(&self, key: &[u8], row: &Row) -> Result<HeldRecord, StoreError> {
        let id =
            key.last_chunk::<20>().ok_or_else(|| StoreError::Corrupt("a key without an id".to_owned()))?;
        sealed::decode(self.root(), Table::Held, &HeldId::from_bytes(*id), &row.value)
    }

    async fn held_row(&self, group: &GroupId, id: HeldId) -> Result<Option<(HeldRecord, u64)>, StoreError> {
        let key = held_key(group, id);
        let Some(row) = self.row(key.clone()).await? else { return Ok(None) };
        Ok(Some((self.held_record_in(&key, &row)?, row.version)))
    }
}

impl HeldRecord {
    fn event(&self, actor: Actor, act: Act) -> Event {
        let mail = &self.mail;
        let event = Event::new(mail.received_at, actor, act).group(&mail.from_group).held(mail.id);
        Event { author: mail.author, ..event.name(&mail.decided_by).proved(&mail.proof) }
    }
}

pub(crate) fn held_key(group: &GroupId, id: HeldId) -> Vec<u8> {
    Key::of(Table::Held).text(group.as_str()).id(&id).done()
}

pub(crate) fn held_source(source: &SourceKey) -> Vec<u8> {
    Key::of(Table::HeldSource).digest(source).done()
}
