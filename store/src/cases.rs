//! Cases and their messages: the records, and how they are found again.
//!
//! Nothing here opens content (`reading.rs`) or decides who may look (`policies::access`).

use jiff::Timestamp;
use mail::{Address, Class, ContactType, GroupId, Mpid, ProcessId, Scan, Tag, TagKind};
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    audit::{Act, Actor, Event},
    case_row::write_case,
    casework::{Climb, Ended},
    deadlines::Reckoning,
    directory::KeyRing,
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, CaseReference, ContentId, MessageId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    proof::{Authentication, Proof},
    recall::Withdrawal,
    records,
    rules::Decision,
    timers::Told,
};

/// One conversation between two groups about one matter in one process.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Case {
    #[n(0)]
    pub id: CaseId,
    #[n(1)]
    pub reference: CaseReference,
    #[n(2)]
    pub process: ProcessId,
    /// The rung of the process's ladder on which the case stands.
    #[n(3)]
    pub contact_type: ContactType,
    /// The groups that take part; two today.
    #[n(4)]
    pub sides: Vec<Side>,
    #[cbor(n(5), with = "records::time")]
    pub opened_at: Timestamp,
    #[cbor(n(6), with = "records::time")]
    pub last_message_at: Timestamp,
    #[n(7)]
    pub due: Option<Due>,
    #[n(8)]
    pub messages: u32,
    /// That it is closed or archived.
    #[n(9)]
    pub ended: Option<Ended>,
    /// Its escalations, the first first.
    #[cbor(n(10), default)]
    pub climbs: Vec<Climb>,
    /// The lists in which it stands; 0: those of an earlier release.
    #[cbor(n(15), default)]
    pub(crate) lists: u8,
    /// What its timers have said.
    #[cbor(n(11), default)]
    pub told: Told,
}

/// A case takes no more messages than this; what follows opens a new one. Keeps every page of it bounded.
pub const MOST_MESSAGES: u32 = 1_000;

/// One group's part in a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Side {
    #[n(0)]
    pub group: GroupId,
    #[n(1)]
    pub participant: Mpid,
    #[n(2)]
    pub owner: Option<UserId>,
    #[n(3)]
    pub initiator: bool,
    /// Where the group's notices about this case go: the mailbox written to, or the author who wrote first.
    #[n(5)]
    pub contact: Address,
    /// When somebody of the group last looked.
    #[cbor(n(4), with = "records::optional_time", has_nil)]
    pub seen_at: Option<Timestamp>,
    /// The latest message that people of this group have had before their eyes, by its number; 0: none.
    #[n(6)]
    pub seen: u32,
    /// The latest message that a person of another group wrote; 0: none.
    #[n(7)]
    pub waiting: u32,
    /// The message for which the last notice was made; 0: none, or none that got away.
    #[n(8)]
    pub noticed: u32,
    /// The last notice could not be delivered, and nobody has looked since.
    #[n(9)]
    pub undelivered: Option<Undelivered>,
    /// Digests of tags that its people took off, so that a later mail does not bring them back.
    #[cbor(n(10), default)]
    pub(crate) removed_tags: Vec<ByteVec>,
}

/// That a notice never reached its mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Undelivered {
    #[n(0)]
    pub to: Address,
    #[cbor(n(1), with = "records::time")]
    pub since: Timestamp,
}

impl Side {
    /// Something waits that nobody was told of, and nobody is being told of something earlier.
    pub(crate) fn wants_notice(&self) -> bool {
        self.waiting > self.noticed && self.waiting > self.seen && self.seen >= self.noticed
    }
}

/// By when, and by whom, the case must be answered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Due {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    #[n(1)]
    pub side: GroupId,
    /// One plain sentence that explains the date.
    #[n(2)]
    pub reason: String,
    /// What it was reckoned from; `None`: an earlier release wrote it.
    #[n(3)]
    pub reckoning: Option<Reckoning>,
    /// When the side is to be warned that it comes; `None`: never, or an earlier release wrote it.
    #[cbor(n(4), with = "records::optional_time", has_nil)]
    pub warn_at: Option<Timestamp>,
}

/// One sealed item of a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageRecord {
    #[n(0)]
    pub id: MessageId,
    #[n(1)]
    pub case: CaseId,
    #[n(2)]
    pub content: ContentId,
    #[n(3)]
    pub from_group: GroupId,
    #[cbor(n(4), with = "records::time")]
    pub received_at: Timestamp,
    /// Bytes of the original.
    #[n(5)]
    pub size: u64,
    #[n(6)]
    pub proof: Proof,
    #[n(7)]
    pub automatic: bool,
    /// `mail::headline::Headline`, sealed.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub(crate) headline: Vec<u8>,
    /// Which signal put it here: the id of the deciding rule.
    #[n(9)]
    pub decided_by: String,
    /// Its place in the case, from 1.
    #[n(10)]
    pub number: u32,
    /// What kind of mail it is; `None`: an earlier release took it and did not say.
    #[n(11)]
    pub class: Option<Class>,
    #[cbor(n(12), default)]
    pub scan: Scan,
    /// What domain checks said, if any were made.
    #[n(13)]
    pub authentication: Option<Authentication>,
    /// That its sender took it back.
    #[n(14)]
    pub withdrawn: Option<Withdrawal>,
    /// By what it is here; `None`: an earlier release took it, or it was written here.
    #[n(15)]
    pub decision: Option<Decision>,
}

impl MessageRecord {
    /// Whether it was taken back before anybody of `group` saw it: there is nothing of it to show.
    pub fn is_withdrawn_for(&self, group: &GroupId) -> bool {
        self.withdrawn.as_ref().is_some_and(|withdrawal| withdrawal.unseen.contains(group))
    }
}

/// One page of a list of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasePage {
    pub cases: Vec<Case>,
    /// Where the next page begins; opaque.
    pub next: Option<String>,
}

/// The most cases or messages that one answer holds.
const LIST_LIMIT: usize = 1_000;

impl Case {
    pub fn side(&self, group: &GroupId) -> Option<&Side> {
        self.sides.iter().find(|side| side.group == *group)
    }

    /// The groups on the other side of `group`.
    pub fn counterparties<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a Side> {
        self.sides.iter().filter(move |side| side.group != *group)
    }

    /// The numbers of its messages that are not among these, which are all that could be read.
    pub fn lost(&self, readable: &[MessageRecord]) -> Vec<u32> {
        let there = |number: &u32| readable.iter().any(|message| message.number == *number);
        (1..=self.messages.min(MOST_MESSAGES)).filter(|number| !there(number)).collect()
    }

    /// The rows that an earlier release listed it by.
    pub(crate) fn old_list_keys(&self) -> impl Iterator<Item = Vec<u8>> {
        self.sides.iter().map(|side| {
            let list = Key::of(Table::CaseList).text(side.group.as_str()).text(self.process.as_str());
            list.time_descending(self.last_message_at).id(&self.id).done()
        })
    }
}

pub(crate) fn case_key(id: CaseId) -> Vec<u8> {
    Key::of(Table::Case).id(&id).done()
}

pub(crate) fn message_key(case: CaseId, message: MessageId) -> Vec<u8> {
    Key::of(Table::Message).id(&case).id(&message).done()
}

pub(crate) fn thread_key(ring: &KeyRing, message_id: &str) -> Key {
    Key::of(Table::Thread).digest(&ring.indexer.digest("message-id", message_id.as_bytes()))
}

pub(crate) fn tag_key(ring: &KeyRing, tag: &Tag) -> Key {
    let purpose = match tag.kind() {
        TagKind::Mpan => "tag mpan",
        TagKind::Mprn => "tag mprn",
        TagKind::Reference => "tag reference",
    };
    Key::of(Table::Tag).digest(&ring.indexer.digest(purpose, tag.value().as_bytes()))
}

impl Ledger {
    pub async fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        Ok(self.versioned_case(id).await?.map(|(case, _)| case))
    }

    pub(crate) async fn versioned_case(&self, id: CaseId) -> Result<Option<(Case, u64)>, StoreError> {
        let Some(row) = self.row(case_key(id)).await? else { return Ok(None) };
        Ok(Some((records::decode(&row.value)?, row.version)))
    }

    pub async fn case_by_reference(&self, reference: &CaseReference) -> Result<Option<Case>, StoreError> {
        let key = Key::of(Table::Reference).raw(reference.as_bytes()).done();
        let Some(row) = self.row(key).await? else { return Ok(None) };
        self.case(records::decode(&row.value)?).await
    }

    /// The cases of `group` that carry `tag`.
    pub async fn find_by_tag(
        &self,
        actor: &Actor,
        group: &GroupId,
        tag: &Tag,
    ) -> Result<Vec<Case>, StoreError> {
        let key = tag_key(self.directory().ring(group)?, tag);
        self.record(Event::new(self.now(), actor.clone(), Act::TagSearched).group(group)).await?;
        self.cases_under(key).await
    }

    /// The cases of `group` in which a mail with this Message-ID has appeared.
    pub async fn find_by_message_id(
        &self,
        group: &GroupId,
        message_id: &str,
    ) -> Result<Vec<Case>, StoreError> {
        let key = thread_key(self.directory().ring(group)?, message_id);
        self.cases_under(key).await
    }

    /// The messages of a case, oldest first. One whose record is damaged is left out, and said in the log; whoever shows
    /// the others says so too ([`Case::lost`]).
    pub async fn messages(&self, case: CaseId) -> Result<Vec<MessageRecord>, StoreError> {
        let range = Key::of(Table::Message).id(&case).range();
        let rows = self.engine().scan(range, LIST_LIMIT).await?;
        let mut messages: Vec<MessageRecord> = Vec::with_capacity(rows.len());
        for (key, row) in &rows {
            match records::decode(&row.value) {
                Ok(message) => messages.push(message),
                Err(error) => {
                    let id = key.last_chunk::<20>().map(|id| MessageId::from_bytes(*id));
                    tracing::error!(%case, message = ?id, %error, "the record of a message cannot be read");
                }
            }
        }
        messages.sort_by_key(|message| message.number);
        Ok(messages)
    }

    pub async fn message(&self, case: CaseId, id: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        match self.row(message_key(case, id)).await? {
            Some(row) => records::decode(&row.value).map(Some),
            None => Ok(None),
        }
    }

    /// Notes that people of `group` have had the messages up to `number` before their eyes; `event` says
    /// who and at what. What came meanwhile, and was not told because this waited, is told now.
    pub(crate) async fn mark_seen(
        &self,
        case: CaseId,
        group: &GroupId,
        number: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.change_case(case, |case| {
            let side = own(case, group)?;
            side.seen_at = Some(event.at);
            side.seen = side.seen.max(number);
            side.undelivered = None;
            Ok(event.clone())
        })
        .await?;
        self.announce_work();
        Ok(())
    }

    /// Applies `change` to the case as it is now, again if somebody else was faster. Notices that it
    /// makes due are written with it.
    pub(crate) async fn change_case(
        &self,
        id: CaseId,
        change: impl Fn(&mut Case) -> Result<Event, StoreError>,
    ) -> Result<(), StoreError> {
        self.change_case_with(id, |case, _| change(case)).await
    }

    /// The same with rows that follow from the change.
    pub(crate) async fn change_case_with(
        &self,
        id: CaseId,
        change: impl Fn(&mut Case, &mut Changeset) -> Result<Event, StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let Some((before, version)) = self.versioned_case(id).await? else {
                return Err(StoreError::Corrupt(format!("case {id} is not there")));
            };
            let (mut case, mut changes) = (before.clone(), Changeset::default());
            let event = change(&mut case, &mut changes)?;
            changes.append.push(event.to_bytes()?);
            self.make_notices(&mut case, self.now(), &mut changes).await?;
            self.count_change(Some(&before), &case, None, &mut changes);
            write_case(Some((&before, version)), &case, &mut changes)?;
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    async fn cases_under(&self, key: Key) -> Result<Vec<Case>, StoreError> {
        let rows = self.engine().scan(key.range(), LIST_LIMIT).await?;
        self.cases_by_id(rows.iter().filter_map(|(key, _)| id_at_end(key))).await
    }

    pub(crate) async fn cases_by_id(
        &self,
        ids: impl Iterator<Item = CaseId>,
    ) -> Result<Vec<Case>, StoreError> {
        let keys: Vec<_> = ids.map(case_key).collect();
        let rows = self.engine().get(&keys).await?;
        rows.into_iter().flatten().map(|row| records::decode(&row.value)).collect()
    }
}

pub(crate) fn own<'a>(case: &'a mut Case, group: &GroupId) -> Result<&'a mut Side, StoreError> {
    let side = case.sides.iter_mut().find(|side| side.group == *group);
    side.ok_or_else(|| StoreError::Denied("the group takes no part in this case".to_owned()))
}

/// Index keys end with the case that they lead to.
fn id_at_end(key: &[u8]) -> Option<CaseId> {
    key.last_chunk::<20>().map(|bytes| CaseId::from_bytes(*bytes))
}
