//! Taking a message in: ONE durable commit with the message, its cases, indexes, events and due jobs.
//!
//! Idempotent for each recipient: a second delivery of the same mail gets the answer of the first,
//! and no second case, however a relay groups the recipients. What is written is in `draft.rs`.

use std::collections::HashMap;

use jiff::Timestamp;
use mail::{Address, Away, Class, ContactType, GroupId, Headline, Mpid, ProcessId, Scan, Tag};
use minicbor::{Decode, Encode};

use crate::{
    content::SealedContent,
    deadlines::Reckoning,
    draft::Draft,
    engine::Row,
    error::StoreError,
    held::held_source,
    ids::{CaseId, CaseReference, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    passage::relay_source,
    proof::{Addressed, Authentication, Proof},
    records,
    rules::Decision,
};

/// A judged and sealed mail, with everything that its acceptance writes.
pub struct Acceptance {
    /// The group that was proved to have sent it.
    pub from_group: GroupId,
    pub proof: Proof,
    /// The author in `From`, if a user.
    pub author: Option<UserId>,
    /// Who wrote it in the author's name, by `Sender`, if a user of the same group.
    pub delegate: Option<UserId>,
    pub content: SealedContent,
    pub headline: Headline,
    /// The mail's own Message-ID, for replies that name it.
    pub message_id: Option<String>,
    /// It tells nobody and stops no clock: automatic mail (RFC 3834), and whatever else the rules take for an event.
    pub automatic: bool,
    pub class: Class,
    pub scan: Scan,
    /// What domain checks said, if any were made.
    pub authentication: Option<Authentication>,
    /// Where a receipt goes, if the sender's group wants one ([`Group::receipts`](crate::Group::receipts)).
    pub receipt: Option<Address>,
    /// It says that its author is out of office.
    pub away: Option<Away>,
    /// One for each case that the mail belongs to.
    pub entries: Vec<Entry>,
}

/// A mail's place in one case.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    #[n(0)]
    pub place: Place,
    /// For each recipient that led here: what makes two deliveries to it the same mail.
    #[n(1)]
    pub sources: Vec<SourceKey>,
    #[n(2)]
    pub tags: Vec<Tag>,
    /// The id of the rule that decided.
    #[n(3)]
    pub decided_by: String,
    /// Whether the mail names any of these recipients in To or Cc.
    #[n(4)]
    pub addressed: Option<Addressed>,
    /// By what it goes there; `None`: an earlier release held it, or it was written here.
    #[n(5)]
    pub decision: Option<Decision>,
}

pub type SourceKey = [u8; 32];

#[derive(Debug, Clone, Encode, Decode)]
pub enum Place {
    #[n(0)]
    Open(#[n(0)] Opening),
    #[n(1)]
    Join(#[n(0)] Joining),
}

/// A new case.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    #[n(0)]
    pub process: ProcessId,
    #[n(1)]
    pub contact_type: ContactType,
    #[n(2)]
    pub initiator: Party,
    #[n(3)]
    pub responder: Party,
    #[n(4)]
    pub deadline: Deadline,
}

/// A further message of a case.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub struct Joining {
    #[n(0)]
    pub case: CaseId,
    /// The clock that starts if none runs and the initiator wrote.
    #[n(1)]
    pub deadline: Deadline,
}

/// By when the responder must answer, and one plain sentence that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Deadline {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    #[n(1)]
    pub reason: String,
    /// What it was reckoned from; `None`: an earlier release wrote it.
    #[n(2)]
    pub reckoning: Option<Reckoning>,
    /// When the responder is to be warned that it comes.
    #[cbor(n(3), with = "records::optional_time", has_nil)]
    pub warn_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub struct Party {
    #[n(0)]
    pub group: GroupId,
    #[n(1)]
    pub participant: Mpid,
    /// Where this side's notices go.
    #[n(2)]
    pub contact: Address,
}

/// What was accepted, now or the first time: a case for each entry, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
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

/// What an earlier delivery of the same mail became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    Secured(Accepted),
    Relayed,
    Held,
}

impl Ledger {
    /// What an earlier delivery to all of these recipients became, whatever the rules or the scanner say by now: a mail
    /// is in one place. `None` if one of them is new.
    pub async fn earlier(&self, sources: &[SourceKey]) -> Result<Option<Earlier>, StoreError> {
        let tables = [source_key, relay_source, held_source];
        let keys: Vec<_> = tables.iter().flat_map(|key| sources.iter().map(key)).collect();
        let rows = self.engine().get(&keys).await?;
        let mut tables = rows.chunks(sources.len().max(1));
        let whole = |rows: Option<&[Option<Row>]>| rows.is_some_and(|rows| rows.iter().all(Option::is_some));
        let secured = tables.next();
        if whole(secured) {
            let mut cases: Vec<AcceptedCase> = Vec::new();
            for row in secured.into_iter().flatten().flatten() {
                let case = records::decode(&row.value)?;
                if !cases.contains(&case) {
                    cases.push(case);
                }
            }
            return Ok(Some(Earlier::Secured(Accepted { cases })));
        }
        if whole(tables.next()) {
            return Ok(Some(Earlier::Relayed));
        }
        Ok(whole(tables.next()).then_some(Earlier::Held))
    }

    /// Accepts the mail; durable when it returns.
    ///
    /// # Errors
    /// `Denied` if the mail joins a case in which its group takes no part.
    pub async fn accept(&self, acceptance: Acceptance) -> Result<Accepted, StoreError> {
        let mut known = HashMap::new();
        loop {
            let mut draft = Draft::new(self, &acceptance)?;
            for entry in &acceptance.entries {
                match earlier(&known, entry) {
                    Some(case) => draft.repeat(case),
                    None => draft.add(entry).await?,
                }
            }
            let (changes, accepted) = draft.finish();
            // Nothing new: every entry was accepted earlier.
            let Some(changes) = changes else { return Ok(accepted) };
            match self.commit(changes).await {
                Ok(_) => {
                    self.announce_work();
                    return Ok(accepted);
                }
                // The same mail was faster, or a case moved on, or a reference was taken.
                Err(StoreError::Conflict) => {
                    self.still_there(&acceptance.content).await?;
                    known = self.known_sources(&acceptance).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fails if the rows that arrived earlier were swept: trying again would not bring them back.
    pub(crate) async fn still_there(&self, content: &SealedContent) -> Result<(), StoreError> {
        let Some((mark, version)) = content.mark() else { return Ok(()) };
        match self.row(mark).await? {
            Some(row) if row.version == version => Ok(()),
            _ => Err(StoreError::Conflict),
        }
    }

    pub(crate) async fn known_sources(
        &self,
        acceptance: &Acceptance,
    ) -> Result<HashMap<SourceKey, AcceptedCase>, StoreError> {
        let sources: Vec<SourceKey> =
            acceptance.entries.iter().flat_map(|entry| entry.sources.iter().copied()).collect();
        let keys: Vec<_> = sources.iter().map(source_key).collect();
        let rows = self.engine().get(&keys).await?;
        let known = sources.into_iter().zip(rows);
        known
            .filter_map(|(source, row)| Some((source, row?)))
            .map(|(source, row)| Ok((source, records::decode(&row.value)?)))
            .collect()
    }
}

/// All recipients of an entry share a case, so one that is known says it for all.
pub(crate) fn earlier(known: &HashMap<SourceKey, AcceptedCase>, entry: &Entry) -> Option<AcceptedCase> {
    entry.sources.iter().find_map(|source| known.get(source).cloned())
}

pub(crate) fn source_key(source: &SourceKey) -> Vec<u8> {
    Key::of(Table::Source).digest(source).done()
}
