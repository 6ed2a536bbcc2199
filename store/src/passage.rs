//! Mail that passes through: sealed while it waits, under a key that the installation's transit key wraps.
//!
//! No group reads it here. Its content is gone as soon as the last recipient's job is over.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use jiff::Timestamp;
use mail::{Class, Envelope, GroupId, Headline, Rcpt, Scan};
use minicbor::{Decode, Encode};

use crate::{
    accept::SourceKey,
    audit::{Act, Actor, Event},
    content::SealedContent,
    engine::Changeset,
    error::StoreError,
    held::held_source,
    ids::{ContentId, JobId, PassageId, UserId},
    jobs::{Job, JobKind, RelayJob},
    keys::{Key, Table},
    ledger::Ledger,
    proof::{Authentication, Proof},
    reading::OpenContent,
    records, sealed,
    shadow::Observation,
    stages::Stage,
};

/// A judged and sealed mail that goes on, or waits.
pub struct Passage {
    /// The group that was proved to have sent it.
    pub from_group: GroupId,
    pub proof: Proof,
    /// The author in `From`, if a user.
    pub author: Option<UserId>,
    pub content: SealedContent,
    pub headline: Headline,
    /// The recipients that this passage is for.
    pub envelope: Envelope,
    /// The one line that is put in front of the original, CRLF included.
    pub received_line: String,
    /// The id of the rule that decided.
    pub decided_by: String,
    pub class: Class,
    pub scan: Scan,
    pub authentication: Option<Authentication>,
    /// For each recipient of the envelope, in their order: what makes two deliveries to it the same mail.
    pub sources: Vec<SourceKey>,
    /// In shadow: what would have happened, counted with the same commit. None: the mail goes on because it may.
    pub watched: Option<Observation>,
}

/// A passage as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PassageRecord {
    #[n(0)]
    pub(crate) id: PassageId,
    #[n(1)]
    pub(crate) from_group: GroupId,
    #[n(2)]
    pub(crate) proof: Proof,
    #[n(3)]
    pub(crate) author: Option<UserId>,
    #[n(4)]
    pub(crate) content: ContentId,
    #[n(5)]
    pub(crate) size: u64,
    #[n(6)]
    pub(crate) envelope: Envelope,
    #[n(7)]
    pub(crate) received_line: String,
    #[n(8)]
    pub(crate) decided_by: String,
    #[n(9)]
    pub(crate) class: Class,
    #[n(10)]
    pub(crate) scan: Scan,
    #[cbor(n(11), with = "records::time")]
    pub(crate) received_at: Timestamp,
    /// The message key under the transit key.
    #[cbor(n(12), with = "minicbor::bytes")]
    pub(crate) wrapped: Vec<u8>,
    /// Recipients whose jobs are not over.
    #[n(13)]
    pub(crate) open: u32,
    /// For each recipient, what made a second delivery the same mail. A recipient that is given up loses it, so that the
    /// mail can be sent again.
    #[n(14)]
    pub(crate) sources: Option<Vec<SourceKey>>,
    /// In shadow it goes on whatever the rules say; none: as live.
    #[n(17)]
    pub(crate) stage: Option<Stage>,
}

/// A passage for the worker: what the courier needs to send it.
pub struct OutgoingPassage {
    pub id: PassageId,
    pub from_group: GroupId,
    pub envelope: Envelope,
    /// Comes first on the wire, CRLF included.
    pub received_line: String,
    /// The original, which follows it byte for byte.
    pub content: OpenContent,
    /// The id of the rule that decided.
    pub decided_by: String,
    /// In shadow it leaves whatever the rules say.
    pub stage: Stage,
    pub received_at: Timestamp,
}

impl Passage {
    /// # Errors
    /// `Denied` if it names no recipient, or not one source for each.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let recipients = self.envelope.recipients.len();
        match recipients == self.sources.len() && recipients > 0 {
            true => Ok(()),
            false => Err(StoreError::Denied("a mail needs recipients, and a source key for each".to_owned())),
        }
    }

    /// The envelope with those recipients alone whose source is not `known`, each once.
    pub(crate) fn envelope_without(&self, known: impl Fn(&SourceKey) -> bool) -> (Envelope, Vec<SourceKey>) {
        let mut fresh = HashSet::new();
        let pairs = self.envelope.recipients.iter().zip(&self.sources);
        let (recipients, sources) = pairs
            .filter(|(_, source)| !known(source) && fresh.insert(**source))
            .map(|(recipient, source)| (recipient.clone(), *source))
            .unzip();
        (Envelope { recipients, ..self.envelope.clone() }, sources)
    }
}

impl Ledger {
    /// Takes over a mail that goes on: content, one job for each recipient and the event in one commit, durable when
    /// it returns. Idempotent for each recipient: a second delivery gets the answer of the first.
    pub async fn relay(&self, passage: Passage) -> Result<PassageId, StoreError> {
        passage.check()?;
        let mut known = HashMap::new();
        loop {
            let (envelope, sources) = passage.envelope_without(|source| known.contains_key(source));
            if envelope.recipients.is_empty() {
                let first = passage.sources.iter().find_map(|source| known.get(source).copied());
                return first.ok_or(StoreError::Conflict);
            }
            let mut changes = Changeset::default();
            let record = self.passage_record(&passage, envelope, &sources)?;
            passage.content.name_in(&mut changes);
            for source in sources {
                changes.require.push((relay_source(&source), None));
                changes.put.push((relay_source(&source), records::encode(&record.id)?));
            }
            let mut event = Event::new(record.received_at, Actor::Gateway, Act::MailRelayed)
                .group(&record.from_group)
                .passage(record.id)
                .name(&record.decided_by)
                .proved(&record.proof);
            event.author = record.author;
            changes.append.push(event.to_bytes()?);
            self.put_passage(&record, &mut changes)?;
            if let Some(observation) = &passage.watched {
                self.count_observation(observation, &mut changes);
            }
            match self.commit(changes).await {
                Ok(_) => {
                    self.announce_work();
                    return Ok(record.id);
                }
                // The same mail was faster.
                Err(StoreError::Conflict) => {
                    self.still_there(&passage.content).await?;
                    known = self.known_by(&passage.sources, relay_source).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn passage_record(
        &self,
        passage: &Passage,
        envelope: Envelope,
        sources: &[SourceKey],
    ) -> Result<PassageRecord, StoreError> {
        let content = &passage.content;
        Ok(PassageRecord {
            id: PassageId::new(self.now())?,
            from_group: passage.from_group.clone(),
            proof: passage.proof.clone(),
            author: passage.author,
            content: content.id,
            size: content.size,
            sources: Some(sources.to_vec()),
            open: u32::try_from(envelope.recipients.len()).unwrap_or(u32::MAX),
            envelope,
            received_line: passage.received_line.clone(),
            decided_by: passage.decided_by.clone(),
            class: passage.class,
            scan: passage.scan,
            received_at: self.now(),
            wrapped: self.root().transit().wrap(&content.key, content.id.as_bytes())?,
            stage: passage.watched.as_ref().map(|_| Stage::Shadow),
        })
    }

    /// The passage and a job for each of its recipients.
    pub(crate) fn put_passage(
        &self,
        record: &PassageRecord,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let now = self.now();
        for recipient in &record.envelope.recipients {
            let relay =
                RelayJob { passage: record.id, group: record.from_group.clone(), to: recipient.clone() };
            self.put_job(&Job::new(JobId::new(now)?, JobKind::Relay(relay), now, now), changes)?;
        }
        changes.put.push((passage_key(record.id), self.passage_value(record)?));
        Ok(())
    }

    /// Its row, sealed: it names the people of a mail.
    pub(crate) fn passage_value(&self, record: &PassageRecord) -> Result<Bytes, StoreError> {
        sealed::encode(self.root(), Table::Passage, &record.id, record)
    }

    pub(crate) async fn passage_row(
        &self,
        id: PassageId,
    ) -> Result<Option<(PassageRecord, u64)>, StoreError> {
        let Some(row) = self.row(passage_key(id)).await? else { return Ok(None) };
        Ok(Some((sealed::decode(self.root(), Table::Passage, &id, &row.value)?, row.version)))
    }

    /// What earlier deliveries made of these sources.
    pub(crate) async fn known_by<T: for<'b> Decode<'b, ()>>(
        &self,
        sources: &[SourceKey],
        key: fn(&SourceKey) -> Vec<u8>,
    ) -> Result<HashMap<SourceKey, T>, StoreError> {
        let keys: Vec<_> = sources.iter().map(key).collect();
        let rows = self.engine().get(&keys).await?;
        let known = sources.iter().zip(rows).filter_map(|(source, row)| Some((*source, row?)));
        known.map(|(source, row)| Ok((source, records::decode(&row.value)?))).collect()
    }

    /// The passage of a relay job; `None` if its jobs are all over.
    pub async fn passage(&self, id: PassageId) -> Result<Option<OutgoingPassage>, StoreError> {
        let Some((record, _)) = self.passage_row(id).await? else { return Ok(None) };
        let key = self.root().transit().unwrap(&record.wrapped, record.content.as_bytes())?;
        let content = OpenContent::stored(self, key, record.content, record.size);
        Ok(Some(OutgoingPassage {
            id,
            from_group: record.from_group,
            envelope: record.envelope,
            received_line: record.received_line,
            content,
            decided_by: record.decided_by,
            stage: record.stage.unwrap_or(Stage::Live),
            received_at: record.received_at,
        }))
    }
}

impl PassageRecord {
    /// The rows that answer a second delivery to this recipient; one that was held before it went on is known as held.
    pub(crate) fn marks_of(&self, recipient: &Rcpt) -> Vec<Vec<u8>> {
        let mut recipients = self.envelope.recipients.iter();
        let place = recipients.position(|known| known == recipient);
        let source = place.and_then(|place| self.sources.as_ref()?.get(place));
        source.map_or_else(Vec::new, |source| vec![relay_source(source), held_source(source)])
    }
}

pub(crate) fn relay_source(source: &SourceKey) -> Vec<u8> {
    Key::of(Table::RelaySource).digest(source).done()
}

pub(crate) fn passage_key(id: PassageId) -> Vec<u8> {
    Key::of(Table::Passage).id(&id).done()
}
