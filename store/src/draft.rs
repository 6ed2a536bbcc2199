//! The changeset of one acceptance while it is put together: rows, indexes, wraps, notices, events.
//!
//! Reads the cases that are joined, writes nothing itself.

use std::sync::Arc;

use bytes::Bytes;
use certs::SealedPart;
use jiff::Timestamp;
use mail::{Address, Class, Headline};

use crate::{
    accept::{Acceptance, Accepted, AcceptedCase, Entry, Joining, Opening, Party, Place, source_key},
    audit::{Act, Actor, Event},
    case_row::write_case,
    case_tags,
    cases::{Case, MOST_MESSAGES, MessageRecord, Side, message_key, thread_key},
    content::SealedContent,
    directory::{Directory, Receipts},
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, CaseReference, JobId, MessageId},
    jobs::{Job, JobKind, Receipt},
    keys::{Key, Table},
    ledger::Ledger,
    proof::{Authentication, Proof},
    reading::{Wrap, Wraps, wrap_context, wrap_key},
    recall::recall_key,
    records,
    reports::Word,
    returns::{AwayNote, away_key},
    timers::Told,
};

pub(crate) struct Draft<'a> {
    ledger: &'a Ledger,
    directory: Arc<Directory>,
    mail: &'a Acceptance,
    now: Timestamp,
    sealed_headline: Vec<u8>,
    changes: Changeset,
    cases: Vec<AcceptedCase>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(ledger: &'a Ledger, mail: &'a Acceptance) -> Result<Self, StoreError> {
        Ok(Self::sealed(ledger, mail, seal_headline(&mail.content, &mail.headline)?))
    }

    /// For a mail whose headline was sealed when it came: the same part is never sealed twice.
    pub(crate) fn sealed(ledger: &'a Ledger, mail: &'a Acceptance, sealed_headline: Vec<u8>) -> Self {
        Self {
            ledger,
            directory: ledger.directory(),
            mail,
            now: ledger.now(),
            sealed_headline,
            changes: Changeset::default(),
            cases: Vec::new(),
        }
    }

    /// An entry that an earlier delivery made.
    pub(crate) fn repeat(&mut self, case: AcceptedCase) {
        self.cases.push(case);
    }

    pub(crate) async fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let (before, case, act) = match &entry.place {
            Place::Open(opening) => (None, self.open(opening)?, Act::CaseOpened),
            Place::Join(joining) => {
                let (before, version) = self.joined(joining).await?;
                let case = self.join(before.clone(), joining);
                (Some((before, version)), case, Act::MessageAdded)
            }
        };
        let case = self.add_message(case, entry, act).await?;
        let before = before.as_ref().map(|(case, version)| (case, *version));
        let word = Word { from: &self.mail.from_group, author: self.mail.author };
        let word = (!self.mail.automatic).then_some(word);
        self.ledger.count_change(before.map(|(case, _)| case), &case, word, &mut self.changes);
        write_case(before, &case, &mut self.changes)
    }

    /// The changes, unless there are none.
    pub(crate) fn finish(mut self) -> (Option<Changeset>, Accepted) {
        let accepted = Accepted { cases: self.cases };
        if self.changes.put.is_empty() {
            return (None, accepted);
        }
        self.mail.content.name_in(&mut self.changes);
        (Some(self.changes), accepted)
    }

    fn open(&mut self, opening: &Opening) -> Result<Case, StoreError> {
        if opening.initiator.group == opening.responder.group {
            return Err(StoreError::Denied("a case needs two groups".to_owned()));
        }
        let case = Case {
            id: CaseId::new(self.now)?,
            reference: CaseReference::draw()?,
            process: opening.process.clone(),
            contact_type: opening.contact_type.clone(),
            sides: vec![side(&opening.initiator, true), side(&opening.responder, false)],
            opened_at: self.now,
            last_message_at: self.now,
            due: (!self.mail.automatic).then(|| opening.deadline.for_side(&opening.responder.group)),
            messages: 0,
            ended: None,
            climbs: Vec::new(),
            lists: 0,
            told: Told::default(),
        };
        let reference = Key::of(Table::Reference).raw(case.reference.as_bytes()).done();
        self.changes.require.push((reference.clone(), None));
        self.changes.put.push((reference, records::encode(&case.id)?));
        Ok(case)
    }

    /// The case that is joined, as it is.
    async fn joined(&self, joining: &Joining) -> Result<(Case, u64), StoreError> {
        let Some((case, version)) = self.ledger.versioned_case(joining.case).await? else {
            return Err(StoreError::Corrupt(format!("case {} is not there", joining.case)));
        };
        if case.side(&self.mail.from_group).is_none() {
            return Err(StoreError::Denied("the group takes no part in this case".to_owned()));
        }
        if case.messages >= MOST_MESSAGES {
            return Err(StoreError::Denied(format!("case {} is full; open a new one", case.reference)));
        }
        if case.is_archived() {
            return Err(StoreError::Denied(format!("case {} is archived; open a new one", case.reference)));
        }
        Ok((case, version))
    }

    fn join(&self, mut case: Case, joining: &Joining) -> Case {
        case.last_message_at = self.now.max(case.last_message_at);
        if !self.mail.automatic {
            case.move_clock(&self.mail.from_group, &joining.deadline);
        }
        case
    }

    async fn add_message(&mut self, mut case: Case, entry: &Entry, act: Act) -> Result<Case, StoreError> {
        let id = MessageId::new(self.now)?;
        case.messages += 1;
        if !self.mail.automatic {
            for side in case.sides.iter_mut().filter(|side| side.group != self.mail.from_group) {
                side.waiting = case.messages;
            }
            self.ledger.make_notices(&mut case, self.now, &mut self.changes).await?;
        }
        self.put_message(&case, entry, id)?;
        self.wrap(&case, id)?;
        self.index(&case, entry)?;
        self.index_recall(&case)?;
        self.put_receipt(&case, &entry.place)?;
        self.put_away(&case, id)?;
        self.record(&case, id, act)?;
        let accepted = AcceptedCase { id: case.id, reference: case.reference };
        let row = records::encode(&accepted)?;
        for source in &entry.sources {
            self.changes.require.push((source_key(source), None));
            self.changes.put.push((source_key(source), row.clone()));
        }
        self.cases.push(accepted);
        Ok(case)
    }

    fn put_message(&mut self, case: &Case, entry: &Entry, id: MessageId) -> Result<(), StoreError> {
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
            decision: entry.decision.clone(),
            number: case.messages,
            class: Some(self.mail.class),
            scan: self.mail.scan,
            authentication: self.checks(entry),
            withdrawn: None,
        };
        self.changes.put.push((message_key(case.id, id), records::encode(&record)?));
        Ok(())
    }

    /// What the domain checks said, and whom the mail names: a blind copy for one is none for the others.
    fn checks(&self, entry: &Entry) -> Option<Authentication> {
        let checks = self.mail.authentication.clone();
        checks.map(|checks| Authentication { addressed: entry.addressed, ..checks })
    }

    /// Seals the message key for every side.
    fn wrap(&mut self, case: &Case, message: MessageId) -> Result<(), StoreError> {
        let content = &self.mail.content;
        let wrap = |side: &Side| {
            let ring = self.directory.ring(&side.group)?;
            let wrapped = content.key.wrap_to(&ring.public, &wrap_context(content.id, &side.group))?;
            Ok(Wrap { group: side.group.clone(), wrapped })
        };
        let wraps = case.sides.iter().map(wrap).collect::<Result<_, StoreError>>()?;
        self.changes.put.push((wrap_key(case.id, message), records::encode(&Wraps { wraps })?));
        Ok(())
    }

    /// Tags and the Message-ID, blind, for each side under its own key.
    fn index(&mut self, case: &Case, entry: &Entry) -> Result<(), StoreError> {
        let nothing: Bytes = records::encode(&())?;
        for side in &case.sides {
            let ring = self.directory.ring(&side.group)?;
            if let Some(id) = &self.mail.message_id {
                self.changes.put.push((thread_key(ring, id).id(&case.id).done(), nothing.clone()));
            }
        }
        case_tags::index(&self.directory, case, &entry.tags, self.now, &mut self.changes)
    }

    /// What a recall would mean, blind, for the sender's group alone.
    fn index_recall(&mut self, case: &Case) -> Result<(), StoreError> {
        if self.mail.automatic || self.mail.class != Class::Human {
            return Ok(());
        }
        let author = self.mail.headline.from.first().and_then(|person| person.address.as_deref());
        let Some(author) = author.and_then(|address| Address::parse(address).ok()) else { return Ok(()) };
        let ring = self.directory.ring(&self.mail.from_group)?;
        let key = recall_key(ring, &author, &self.mail.headline.subject).id(&case.id).number(case.messages);
        self.changes.put.push((key.done(), records::encode(&())?));
        Ok(())
    }

    /// As the sender's group wants it.
    fn put_receipt(&mut self, case: &Case, place: &Place) -> Result<(), StoreError> {
        let wish = self.directory.group(&self.mail.from_group).map(|group| group.receipts);
        let wanted = match (wish.unwrap_or_default(), place) {
            (Receipts::All, _) | (Receipts::NewCases, Place::Open(_)) => true,
            (Receipts::Off, _) | (Receipts::NewCases, Place::Join(_)) => false,
        };
        let Some(to) = self.mail.receipt.clone().filter(|_| wanted && !self.mail.automatic) else {
            return Ok(());
        };
        let group = self.mail.from_group.clone();
        let receipt = Receipt { case: case.id, number: case.messages, group, to };
        let job = Job::new(JobId::new(self.now)?, JobKind::Receipt(receipt), self.now, self.now);
        self.ledger.put_job(&job, &mut self.changes)
    }

    fn put_away(&mut self, case: &Case, message: MessageId) -> Result<(), StoreError> {
        let Some(away) = self.mail.away else { return Ok(()) };
        let note = AwayNote {
            group: self.mail.from_group.clone(),
            at: self.now,
            until: away.until,
            user: self.mail.author,
        };
        self.changes.put.push((away_key(case.id, message.as_bytes()), records::encode(&note)?));
        let event = Event::new(self.now, Actor::Gateway, Act::AwayNoted).group(&self.mail.from_group);
        self.changes.append.push(event.case(case.id).message(message).to_bytes()?);
        Ok(())
    }

    fn record(&mut self, case: &Case, message: MessageId, act: Act) -> Result<(), StoreError> {
        let act = if self.mail.automatic { Act::AutomaticMailKept } else { act };
        let actor = match self.mail.proof {
            Proof::Session(user) => Actor::User(user),
            _ => Actor::Gateway,
        };
        let mut event = Event::new(self.now, actor, act)
            .group(&self.mail.from_group)
            .case(case.id)
            .message(message)
            .process(&case.process)
            .proved(&self.mail.proof);
        event.author = self.mail.author;
        // A login says it better than a header.
        event.user = event.user.or(self.mail.delegate);
        self.changes.append.push(event.to_bytes()?);
        Ok(())
    }
}

/// The headline as it is stored. Once for each content: the nonce is made of the part.
pub(crate) fn seal_headline(content: &SealedContent, headline: &Headline) -> Result<Vec<u8>, StoreError> {
    let headline = records::encode(headline)?;
    Ok(content.key.seal(content.id.as_bytes(), SealedPart::Headline, &headline)?)
}

fn side(party: &Party, initiator: bool) -> Side {
    Side {
        group: party.group.clone(),
        participant: party.participant.clone(),
        owner: None,
        initiator,
        contact: party.contact.clone(),
        seen_at: None,
        seen: 0,
        waiting: 0,
        noticed: 0,
        undelivered: None,
        removed_tags: Vec::new(),
    }
}
