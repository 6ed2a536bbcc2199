//! Taking a message in: ONE durable commit with the message, its cases, indexes, events and due jobs.
//!
//! Idempotent by source key: a second delivery of the same mail gets the answer of the first, and
//! no second case. Nothing here is visible to anyone before the commit.

use certs::SealedPart;
use jiff::Timestamp;
use mail::{Address, ContactType, GroupId, Headline, Mpid, ProcessId, Tag};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    cases::{Case, Due, MessageRecord, Proof, Side, case_key, message_key, tag_key, thread_key},
    content::{SealedContent, arriving_key},
    directory::Directory,
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, CaseReference, JobId, MessageId},
    jobs::{Job, JobKind, Notice, Standing, job_key},
    keys::{Key, Table},
    ledger::Ledger,
    reading::{Wrap, Wraps, wrap_context, wrap_key},
    records,
};

/// A judged and sealed mail, with everything that its acceptance writes.
pub struct Acceptance {
    /// What makes two deliveries the same mail.
    pub source: [u8; 32],
    /// The group that was proved to have sent it.
    pub from_group: GroupId,
    pub proof: Proof,
    pub content: SealedContent,
    pub headline: Headline,
    /// The mail's own Message-ID, for replies that name it.
    pub message_id: Option<String>,
    /// RFC 3834 automatic mail: kept, but it tells nobody and stops no clock.
    pub automatic: bool,
    /// One for each case that the mail belongs to.
    pub entries: Vec<Entry>,
}

/// A mail's place in one case.
pub struct Entry {
    pub place: Place,
    pub tags: Vec<Tag>,
    /// The id of the rule that decided.
    pub decided_by: String,
}

pub enum Place {
    Open(Opening),
    Join(Joining),
}

/// A new case.
#[derive(Debug, Clone)]
pub struct Opening {
    pub process: ProcessId,
    pub contact_type: ContactType,
    pub initiator: Party,
    pub responder: Party,
    pub due: Due,
}

/// A further message of a case.
#[derive(Debug, Clone)]
pub struct Joining {
    pub case: CaseId,
    /// The clock that starts if none runs and the initiator wrote.
    pub due: Due,
    /// Mailboxes that the mail was written to, when not the side's contact.
    pub contact: Option<Address>,
}

#[derive(Debug, Clone)]
pub struct Party {
    pub group: GroupId,
    pub participant: Mpid,
    /// Where this side's notices go.
    pub contact: Address,
}

/// What was accepted, now or the first time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Accepted {
    #[n(0)]
    pub cases: Vec<AcceptedCase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AcceptedCase {
    #[n(0)]
    pub id: CaseId,
    #[n(1)]
    pub reference: CaseReference,
}

impl Ledger {
    /// Accepts the mail; durable when it returns.
    pub async fn accept(&self, acceptance: Acceptance) -> Result<Accepted, StoreError> {
        let source = Key::of(Table::Source).raw(&acceptance.source).done();
        loop {
            let mut draft = Draft::new(self, &acceptance, source.clone())?;
            for entry in &acceptance.entries {
                match &entry.place {
                    Place::Open(opening) => draft.open(entry, opening)?,
                    Place::Join(joining) => draft.join(entry, joining).await?,
                }
            }
            let (changes, accepted) = draft.finish()?;
            match self.commit(changes).await {
                Ok(_) => {
                    self.announce_work();
                    return Ok(accepted);
                }
                Err(StoreError::Conflict) => {
                    // The same mail was faster, or a case moved on, or a reference was taken.
                    if let Some(row) = self.row(source.clone()).await? {
                        return records::decode(&row.value);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What a mail with this source key became, if it was accepted already.
    pub async fn accepted(&self, source: &[u8; 32]) -> Result<Option<Accepted>, StoreError> {
        match self.row(Key::of(Table::Source).raw(source).done()).await? {
            Some(row) => records::decode(&row.value).map(Some),
            None => Ok(None),
        }
    }
}

/// The changeset of one acceptance while it is put together.
struct Draft<'a> {
    ledger: &'a Ledger,
    directory: std::sync::Arc<Directory>,
    mail: &'a Acceptance,
    now: Timestamp,
    source: Vec<u8>,
    sealed_headline: Vec<u8>,
    changes: Changeset,
    cases: Vec<AcceptedCase>,
}

impl<'a> Draft<'a> {
    fn new(ledger: &'a Ledger, mail: &'a Acceptance, source: Vec<u8>) -> Result<Self, StoreError> {
        let content = &mail.content;
        let headline = records::encode(&mail.headline)?;
        let sealed_headline = content.key.seal(content.id.as_bytes(), SealedPart::Headline, &headline)?;
        let mut changes = Changeset {
            require: vec![(source.clone(), None)],
            put: content.rows.clone(),
            ..Changeset::default()
        };
        if content.marked {
            changes.delete.push(arriving_key(content.id));
        }
        Ok(Self {
            ledger,
            directory: ledger.directory(),
            mail,
            now: ledger.now(),
            source,
            sealed_headline,
            changes,
            cases: Vec::new(),
        })
    }

    fn open(&mut self, entry: &Entry, opening: &Opening) -> Result<(), StoreError> {
        let side = |party: &Party, initiator| Side {
            group: party.group.clone(),
            participant: party.participant.clone(),
            owner: None,
            initiator,
            contact: party.contact.clone(),
            seen_at: None,
            noticed_at: None,
        };
        let case = Case {
            id: CaseId::new(self.now)?,
            reference: CaseReference::draw()?,
            process: opening.process.clone(),
            contact_type: opening.contact_type.clone(),
            sides: vec![side(&opening.initiator, true), side(&opening.responder, false)],
            opened_at: self.now,
            last_message_at: self.now,
            due: (!self.mail.automatic).then(|| opening.due.clone()),
            messages: 0,
        };
        let reference = Key::of(Table::Reference).raw(case.reference.as_bytes()).done();
        self.changes.require.push((reference.clone(), None));
        self.changes.put.push((reference, records::encode(&case.id)?));
        self.add_message(case, entry, Act::CaseOpened)
    }

    async fn join(&mut self, entry: &Entry, joining: &Joining) -> Result<(), StoreError> {
        let Some((mut case, version)) = self.ledger.versioned_case(joining.case).await? else {
            return Err(StoreError::Corrupt(format!("case {} is not there", joining.case)));
        };
        self.changes.require.push((case_key(case.id), Some(version)));
        self.changes.delete.extend(case.list_keys());
        case.last_message_at = self.now.max(case.last_message_at);
        if let Some(contact) = &joining.contact {
            for side in case.sides.iter_mut().filter(|side| side.group != self.mail.from_group) {
                side.contact = contact.clone();
            }
        }
        if !self.mail.automatic {
            self.move_clock(&mut case, &joining.due);
        }
        self.add_message(case, entry, Act::MessageAdded)
    }

    /// Only a human answer of the side that must answer stops the clock; a further word of the
    /// initiator starts it again when none runs.
    fn move_clock(&self, case: &mut Case, due: &Due) {
        let from_initiator = case.side(&self.mail.from_group).is_some_and(|side| side.initiator);
        match &case.due {
            Some(running) if running.side == self.mail.from_group => case.due = None,
            None if from_initiator => case.due = Some(due.clone()),
            _ => {}
        }
    }

    fn add_message(&mut self, mut case: Case, entry: &Entry, act: Act) -> Result<(), StoreError> {
        let id = MessageId::new(self.now)?;
        case.messages += 1;
        let record = MessageRecord {
            id,
            case: case.id,
            content: self.mail.content.id,
            from_group: self.mail.from_group.clone(),
            received_at: self.now,
            size: self.mail.content.size,
            proof: self.mail.proof.clone(),
            automatic: self.mail.automatic,
            headline: self.sealed_headline.clone(),
            decided_by: entry.decided_by.clone(),
        };
        self.changes.put.push((message_key(case.id, id), records::encode(&record)?));
        self.wrap(&case, id)?;
        self.index(&case, entry)?;
        if !self.mail.automatic {
            self.make_notices(&mut case, id)?;
        }
        let act = if self.mail.automatic { Act::AutomaticMailKept } else { act };
        let event = Event::new(self.now, Actor::Gateway, act)
            .group(&self.mail.from_group)
            .case(case.id)
            .message(id)
            .process(&case.process);
        self.changes.append.push(event.to_bytes()?);
        self.count(&case);
        for key in case.list_keys() {
            self.changes.delete.retain(|stale| *stale != key);
            self.changes.put.push((key, records::encode(&())?));
        }
        self.changes.put.push((case_key(case.id), records::encode(&case)?));
        self.cases.push(AcceptedCase { id: case.id, reference: case.reference });
        Ok(())
    }

    /// Seals the message key for every side.
    fn wrap(&mut self, case: &Case, message: MessageId) -> Result<(), StoreError> {
        let content = &self.mail.content;
        let wraps = case
            .sides
            .iter()
            .map(|side| {
                let ring = self.directory.ring(&side.group)?;
                let wrapped = content.key.wrap_to(&ring.public, &wrap_context(content.id, &side.group))?;
                Ok(Wrap { group: side.group.clone(), wrapped })
            })
            .collect::<Result<_, StoreError>>()?;
        self.changes.put.push((wrap_key(case.id, message), records::encode(&Wraps { wraps })?));
        Ok(())
    }

    /// Tags and the Message-ID, blind, for each side under its own key.
    fn index(&mut self, case: &Case, entry: &Entry) -> Result<(), StoreError> {
        let nothing = records::encode(&())?;
        for side in &case.sides {
            let ring = self.directory.ring(&side.group)?;
            let tags = entry.tags.iter().map(|tag| tag_key(ring, tag));
            let thread = self.mail.message_id.iter().map(|id| thread_key(ring, id));
            for key in tags.chain(thread) {
                self.changes.put.push((key.id(&case.id).done(), nothing.clone()));
            }
        }
        Ok(())
    }

    /// One notice for each other side, unless an earlier one still waits to be looked at.
    fn make_notices(&mut self, case: &mut Case, message: MessageId) -> Result<(), StoreError> {
        let case_id = case.id;
        for side in case.sides.iter_mut().filter(|side| side.group != self.mail.from_group) {
            if side.noticed_at.is_some_and(|noticed| side.seen_at.is_none_or(|seen| seen < noticed)) {
                continue;
            }
            side.noticed_at = Some(self.now);
            let notice =
                Notice { case: case_id, message, group: side.group.clone(), to: side.contact.clone() };
            let job = Job {
                id: JobId::new(self.now)?,
                kind: JobKind::Notice(notice),
                created_at: self.now,
                due: self.now,
                attempts: 0,
                standing: Standing::Waiting,
                last_error: None,
            };
            self.changes.put.push((job_key(&job), records::encode(&job)?));
        }
        Ok(())
    }

    /// Reports read counters, never messages.
    fn count(&mut self, case: &Case) {
        let month = self.now.strftime("%Y-%m").to_string();
        for side in &case.sides {
            let what = if side.group == self.mail.from_group { "sent" } else { "received" };
            let key = Key::of(Table::Counter)
                .text(side.group.as_str())
                .text(&month)
                .text(case.process.as_str())
                .text(what);
            self.changes.add.push((key.done(), 1));
        }
    }

    fn finish(mut self) -> Result<(Changeset, Accepted), StoreError> {
        let accepted = Accepted { cases: self.cases };
        self.changes.put.push((self.source, records::encode(&accepted)?));
        Ok((self.changes, accepted))
    }
}
