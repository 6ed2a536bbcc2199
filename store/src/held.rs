//! Mail that waits for the compliance role of the sender's group: listed without content, opened with an event,
//! released to where it was going, or returned and destroyed.
//!
//! Whether somebody has the role is decided before (`policies::access`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use certs::{MessageKey, SealedPart};
use jiff::Timestamp;
use mail::{
    Address, Class, ContactType, Envelope, GroupId, Headline, HoldReason, ProcessId, ReversePath, Scan,
};
use minicbor::{Decode, Encode};

use crate::{
    accept::{Acceptance, Accepted, Deadline, Entry, Place, SourceKey, earlier},
    audit::{Act, Actor, Event},
    content::{SealedContent, give_up},
    draft::{Draft, seal_headline},
    engine::Changeset,
    error::StoreError,
    ids::{ContentId, HeldId, JobId, PassageId, UserId},
    jobs::{HeldNews, HeldNotice, HeldSide, Job, JobKind, put_job},
    keys::{Key, Table},
    ledger::Ledger,
    passage::{Passage, PassageRecord},
    proof::{Authentication, Proof},
    reading::{OpenContent, Wrap, wrap_context},
    records,
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
            let record = self.held_record(&passage, reason, &onward, envelope, &headline)?;
            passage.content.name_in(&mut changes);
            for source in sources {
                changes.require.push((held_source(&source), None));
                changes.put.push((held_source(&source), records::encode(&record.mail.id)?));
            }
            changes.put.push((held_key(&record.mail.from_group, record.mail.id), records::encode(&record)?));
            changes.append.push(record.event(Actor::Gateway, Act::MailHeld).to_bytes()?);
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
        if mail.class != Class::Human {
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
            put_job(&Job::new(JobId::new(now)?, JobKind::Held(notice), now, now), changes)?;
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
        let mails = rows.iter().map(|(_, row)| Ok(records::decode::<HeldRecord>(&row.value)?.mail));
        Ok(HeldPage { mails: mails.collect::<Result<_, StoreError>>()?, next })
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
        let content = OpenContent {
            ledger: self.clone(),
            key: Arc::new(key),
            id: record.content,
            size: record.mail.size,
        };
        let headline = records::decode(&headline)?;
        Ok(Some(OpenHeld { mail: record.mail, headline, envelope: record.envelope, content }))
    }

    async fn held_row(&self, group: &GroupId, id: HeldId) -> Result<Option<(HeldRecord, u64)>, StoreError> {
        let Some(row) = self.row(held_key(group, id)).await? else { return Ok(None) };
        Ok(Some((records::decode(&row.value)?, row.version)))
    }

    /// Lets a held mail go where it was going; nothing is sealed anew. `due` gives the clock of a case from now on, by
    /// process and contact type; where it gives none, the one of the day on which the mail came stands. `None`: there is
    /// no such mail of this group (any more).
    pub async fn release_held(
        &self,
        actor: &Actor,
        group: &GroupId,
        id: HeldId,
        due: impl Fn(&ProcessId, &ContactType) -> Option<Deadline>,
    ) -> Result<Option<Released>, StoreError> {
        loop {
            let Some((record, version)) = self.held_row(group, id).await? else { return Ok(None) };
            let mut changes = Changeset {
                require: vec![(held_key(group, id), Some(version))],
                delete: vec![held_key(group, id)],
                ..Changeset::default()
            };
            let (released, given_up) = match &record.bound {
                None => (self.send_on(&record, actor, &mut changes)?, None),
                Some(bound) => {
                    let bound = self.open_bound(id, bound)?;
                    self.secure_held(&record, bound, actor, &due, &mut changes).await?
                }
            };
            match self.commit(changes).await {
                Ok(committed) => {
                    if let Some(content) = given_up {
                        self.remove_arriving(content, committed.version).await?;
                    }
                    self.announce_work();
                    return Ok(Some(released));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn send_on(
        &self,
        record: &HeldRecord,
        actor: &Actor,
        changes: &mut Changeset,
    ) -> Result<Released, StoreError> {
        let passage = PassageRecord {
            id: PassageId::new(self.now())?,
            from_group: record.mail.from_group.clone(),
            proof: record.mail.proof.clone(),
            author: record.mail.author,
            content: record.content,
            size: record.mail.size,
            envelope: record.envelope.clone(),
            received_line: record.received_line.clone(),
            decided_by: record.mail.decided_by.clone(),
            class: record.mail.class,
            scan: record.mail.scan,
            received_at: record.mail.received_at,
            wrapped: record.transit.clone(),
            open: record.mail.recipients,
        };
        self.put_passage(&passage, changes)?;
        let event = Event { at: self.now(), ..record.event(actor.clone(), Act::HeldRelayed) };
        changes.append.push(event.passage(passage.id).to_bytes()?);
        Ok(Released::Relayed(passage.id))
    }

    /// Accepts a held mail into its cases. If it was accepted by another way meanwhile, this copy is given up.
    async fn secure_held(
        &self,
        record: &HeldRecord,
        bound: CaseBound,
        actor: &Actor,
        due: impl Fn(&ProcessId, &ContactType) -> Option<Deadline>,
        changes: &mut Changeset,
    ) -> Result<(Released, Option<ContentId>), StoreError> {
        let key = self.root().transit().unwrap(&record.transit, record.content.as_bytes())?;
        let headline = key.open(record.content.as_bytes(), SealedPart::Headline, &record.headline)?;
        let mut entries = bound.entries;
        for entry in &mut entries {
            self.wind_up(&mut entry.place, &due).await?;
        }
        let mail = Acceptance {
            from_group: record.mail.from_group.clone(),
            proof: record.mail.proof.clone(),
            author: record.mail.author,
            content: SealedContent::known(record.content, key, record.mail.size),
            headline: records::decode(&headline)?,
            message_id: bound.message_id,
            automatic: bound.automatic,
            class: record.mail.class,
            scan: record.mail.scan,
            authentication: record.authentication.clone(),
            receipt: None,
            away: None,
            entries,
        };
        let known = self.known_sources(&mail).await?;
        let mut draft = Draft::sealed(self, &mail, record.headline.clone());
        for entry in &mail.entries {
            match earlier(&known, entry) {
                Some(case) => draft.repeat(case),
                None => draft.add(entry).await?,
            }
        }
        let (accepting, accepted) = draft.finish();
        let event = Event { at: self.now(), ..record.event(actor.clone(), Act::HeldSecured) };
        changes.append.push(event.to_bytes()?);
        let given_up = match accepting {
            Some(accepting) => {
                changes.extend(accepting);
                None
            }
            None => {
                give_up(record.content, changes)?;
                Some(record.content)
            }
        };
        Ok((Released::Secured(accepted), given_up))
    }

    /// The clock counts from the release, not from the day on which the mail was stopped.
    async fn wind_up(
        &self,
        place: &mut Place,
        due: impl Fn(&ProcessId, &ContactType) -> Option<Deadline>,
    ) -> Result<(), StoreError> {
        match place {
            Place::Open(opening) => {
                if let Some(deadline) = due(&opening.process, &opening.contact_type) {
                    opening.deadline = deadline;
                }
            }
            Place::Join(joining) => {
                let case = self.case(joining.case).await?;
                if let Some(deadline) = case.and_then(|case| due(&case.process, &case.contact_type)) {
                    joining.deadline = deadline;
                }
            }
        }
        Ok(())
    }

    /// Destroys a held mail and tells its sender by a job without content. Whether there was such a mail.
    pub async fn return_held(&self, actor: &Actor, group: &GroupId, id: HeldId) -> Result<bool, StoreError> {
        let Some((record, version)) = self.held_row(group, id).await? else { return Ok(false) };
        let event = Event { at: self.now(), ..record.event(actor.clone(), Act::HeldReturned) };
        let mut changes = Changeset {
            require: vec![(held_key(group, id), Some(version))],
            delete: vec![held_key(group, id)],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.tell_of_held(&record, HeldNews::Returned, &mut changes)?;
        give_up(record.content, &mut changes)?;
        let committed = match self.commit(changes).await {
            // Somebody else decided first.
            Err(StoreError::Conflict) => return Ok(false),
            done => done?,
        };
        self.announce_work();
        self.remove_arriving(record.content, committed.version).await?;
        Ok(true)
    }
}

impl HeldRecord {
    fn event(&self, actor: Actor, act: Act) -> Event {
        let mail = &self.mail;
        let event = Event::new(mail.received_at, actor, act).group(&mail.from_group).held(mail.id);
        Event { author: mail.author, user: mail.proof.user(), ..event.name(&mail.decided_by) }
    }
}

fn held_key(group: &GroupId, id: HeldId) -> Vec<u8> {
    Key::of(Table::Held).text(group.as_str()).id(&id).done()
}

fn held_source(source: &SourceKey) -> Vec<u8> {
    Key::of(Table::HeldSource).digest(source).done()
}
