//! Drafts: what one user is writing, sealed for the own group, until it is sent, discarded or too old. Whose draft it is
//! stands in its key, so that nobody finds another's.

use std::time::Duration;

use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use super::{answering::answering_key, sealed::Sealed};
use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Row},
    error::StoreError,
    ids::{CaseId, DraftId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Drafts that one user has at the same time.
pub const MOST_DRAFTS: usize = 50;

/// What somebody is writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: DraftId,
    pub user: UserId,
    pub group: GroupId,
    /// The case that it answers; none: it opens one.
    pub case: Option<CaseId>,
    pub begun_at: Timestamp,
    pub saved_at: Timestamp,
    pub words: DraftWords,
    version: u64,
}

/// All that was typed and chosen, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct DraftWords {
    #[n(0)]
    pub process: String,
    #[n(1)]
    pub contact_type: String,
    /// The own participant.
    #[n(2)]
    pub participant: String,
    /// The participant on the other side.
    #[n(3)]
    pub counterparty: String,
    #[n(4)]
    pub tag: String,
    /// What the catalogue asks for: field and chosen answer.
    #[n(5)]
    pub fields: Vec<(String, String)>,
    #[n(6)]
    pub subject: String,
    #[n(7)]
    pub text: String,
    /// How many messages the case had when the author last saw it.
    #[n(8)]
    pub seen: u32,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct DraftRow {
    #[n(0)]
    group: GroupId,
    #[n(1)]
    case: Option<CaseId>,
    #[cbor(n(2), with = "records::time")]
    begun_at: Timestamp,
    #[cbor(n(3), with = "records::time")]
    saved_at: Timestamp,
    #[n(4)]
    words: Sealed,
}

impl Draft {
    /// The row that it is, as it was read: for what must not outlive it.
    pub(super) fn row(&self) -> (Vec<u8>, Option<u64>) {
        (draft_key(self.user, self.id), Some(self.version))
    }

    pub(super) fn event(&self, at: Timestamp, actor: &Actor, act: Act) -> Event {
        let mut event = Event::new(at, actor.clone(), act).group(&self.group).user(self.user);
        event.case = self.case;
        event.draft = Some(self.id);
        event
    }
}

impl Ledger {
    /// Begins a draft. One that answers a case shows the user's colleagues that the case is being answered.
    ///
    /// # Errors
    /// `Denied` if the user has as many as there may be.
    pub async fn begin_draft(
        &self,
        user: UserId,
        group: &GroupId,
        case: Option<CaseId>,
        words: DraftWords,
    ) -> Result<DraftId, StoreError> {
        let others = self.engine().scan(drafts_of(user).range(), MOST_DRAFTS).await?;
        if others.len() == MOST_DRAFTS {
            return Err(StoreError::Denied(format!("{MOST_DRAFTS} drafts are as many as there may be")));
        }
        let (now, id) = (self.now(), DraftId::new(self.now())?);
        let draft =
            Draft { id, user, group: group.clone(), case, begun_at: now, saved_at: now, words, version: 0 };
        let mut changes = self.written(&draft, now).await?;
        changes.require.push((draft_key(user, id), None));
        changes.append.push(draft.event(now, &Actor::User(user), Act::DraftBegun).to_bytes()?);
        self.commit(changes).await?;
        Ok(id)
    }

    /// The user's draft of this id; a colleague's is not there.
    pub async fn draft(&self, user: UserId, id: DraftId) -> Result<Option<Draft>, StoreError> {
        match self.row(draft_key(user, id)).await? {
            Some(row) => self.read_draft(user, id, &row).map(Some),
            None => Ok(None),
        }
    }

    /// All drafts of the user, the latest first. One that cannot be read is left out, and said in the log.
    pub async fn drafts(&self, user: UserId) -> Result<Vec<Draft>, StoreError> {
        let mut drafts = Vec::new();
        for (key, row) in self.engine().scan(drafts_of(user).range(), MOST_DRAFTS).await? {
            let Some(id) = key.last_chunk::<20>().map(|id| DraftId::from_bytes(*id)) else { continue };
            match self.read_draft(user, id, &row) {
                Ok(draft) => drafts.push(draft),
                Err(error) => tracing::error!(draft = %id, %error, "a draft cannot be read"),
            }
        }
        drafts.sort_by_key(|draft| std::cmp::Reverse(draft.saved_at));
        Ok(drafts)
    }

    /// Keeps what is written now.
    ///
    /// # Errors
    /// `Conflict` if it was saved, sent or discarded since it was read.
    pub async fn save_draft(&self, draft: &Draft, words: DraftWords) -> Result<Draft, StoreError> {
        let now = self.now();
        let saved = Draft { words, saved_at: now, ..draft.clone() };
        let mut changes = self.written(&saved, now).await?;
        changes.require.push(draft.row());
        changes.append.push(draft.event(now, &Actor::User(draft.user), Act::DraftSaved).to_bytes()?);
        let version = self.commit(changes).await?.version;
        Ok(Draft { version, ..saved })
    }

    /// Throws a draft away, its files with it.
    pub async fn discard_draft(&self, draft: &Draft) -> Result<(), StoreError> {
        self.remove_draft(draft, &Actor::User(draft.user), Act::DraftDiscarded, draft.case).await
    }

    /// Removes a draft that has become a message of `case`; none: a message that waits for the compliance role.
    pub async fn draft_sent(&self, draft: &Draft, case: Option<CaseId>) -> Result<(), StoreError> {
        self.remove_draft(draft, &Actor::User(draft.user), Act::DraftSent, case).await
    }

    /// Removes the drafts that nobody has saved for `age`, and marks of answering that have ended; how many drafts went.
    pub async fn sweep_drafts(&self, age: Duration) -> Result<usize, StoreError> {
        const BATCH: usize = 200;
        self.sweep_answering().await?;
        let before = self.now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        let (mut range, mut swept) = (Key::of(Table::Draft).range(), 0);
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            for (key, row) in &rows {
                match self.sweep_draft(key, row, before).await {
                    Ok(gone) => swept += usize::from(gone),
                    // It was saved, or sent, at this moment.
                    Err(StoreError::Conflict) => {}
                    // One that cannot be read must not keep the others.
                    Err(StoreError::Corrupt(error)) => tracing::error!(%error, "a draft cannot be swept"),
                    Err(error) => return Err(error),
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == BATCH => range.from = [last.as_slice(), &[0]].concat(),
                _ => return Ok(swept),
            }
        }
    }

    async fn sweep_draft(&self, key: &[u8], row: &Row, before: Timestamp) -> Result<bool, StoreError> {
        let record: DraftRow = records::decode(&row.value)?;
        if record.saved_at >= before {
            return Ok(false);
        }
        let ids = key.get(1..21).and_then(|user| user.first_chunk::<20>()).zip(key.last_chunk::<20>());
        let Some((user, id)) = ids else { return Ok(false) };
        // What was written is of no interest, and may not even open any more.
        let draft = Draft {
            id: DraftId::from_bytes(*id),
            user: UserId::from_bytes(*user),
            group: record.group,
            case: record.case,
            begun_at: record.begun_at,
            saved_at: record.saved_at,
            words: DraftWords::default(),
            version: row.version,
        };
        self.remove_draft(&draft, &Actor::Portal, Act::DraftExpired, draft.case).await?;
        Ok(true)
    }

    async fn remove_draft(
        &self,
        draft: &Draft,
        actor: &Actor,
        act: Act,
        case: Option<CaseId>,
    ) -> Result<(), StoreError> {
        let (row, version) = draft.row();
        let mut changes = Changeset { require: vec![(row.clone(), version)], ..Changeset::default() };
        changes.delete.push(row);
        if let Some(answered) = draft.case {
            changes.delete.push(answering_key(answered, &draft.group, draft.user));
        }
        let contents = self.give_up_files(draft, &mut changes).await?;
        let mut event = draft.event(self.now(), actor, act);
        event.case = case;
        changes.append.push(event.to_bytes()?);
        let version = self.commit(changes).await?.version;
        for content in contents {
            // If this is cut short, the sweep of what arrived and has no name goes on.
            self.remove_arriving(content, version).await?;
        }
        Ok(())
    }

    async fn written(&self, draft: &Draft, now: Timestamp) -> Result<Changeset, StoreError> {
        let (directory, key) = (self.directory(), draft_key(draft.user, draft.id));
        let row = DraftRow {
            group: draft.group.clone(),
            case: draft.case,
            begun_at: draft.begun_at,
            saved_at: now,
            words: Sealed::new(directory.ring(&draft.group)?, &key, &draft.words)?,
        };
        let mut changes = Changeset { put: vec![(key, records::encode(&row)?)], ..Changeset::default() };
        if let Some(case) = draft.case {
            self.put_answering(case, &draft.group, draft.user, &mut changes).await?;
        }
        Ok(changes)
    }

    fn read_draft(&self, user: UserId, id: DraftId, row: &Row) -> Result<Draft, StoreError> {
        let DraftRow { group, case, begun_at, saved_at, words } = records::decode(&row.value)?;
        let words = words.open(self.directory().ring(&group)?, &draft_key(user, id))?;
        Ok(Draft { id, user, group, case, begun_at, saved_at, words, version: row.version })
    }
}

fn drafts_of(user: UserId) -> Key {
    Key::of(Table::Draft).id(&user)
}

fn draft_key(user: UserId, id: DraftId) -> Vec<u8> {
    drafts_of(user).id(&id).done()
}
