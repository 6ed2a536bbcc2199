//! The search tags of a case, each side's own: a blind row by which a case is found, and a sealed one by which the side reads
//! what the tag is. Both are written and removed together. What a side removed stays removed when a later mail repeats it.

use jiff::Timestamp;
use mail::{GroupId, Tag};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    case_events::user,
    cases::{Case, Side, own, tag_key},
    directory::Directory,
    engine::Changeset,
    error::StoreError,
    group_sealed,
    ids::{CaseId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// A side has no more tags on one case than this; further ones of mails are not noted.
pub const MOST_TAGS: usize = 50;

/// Removed tags that a side remembers; then the oldest is forgotten.
const MOST_REMOVED: usize = 50;

/// Bytes of digest that name a tag in a key.
const DIGEST: usize = 16;

/// A tag that stands on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseTag {
    pub tag: Tag,
    pub at: Timestamp,
    /// Who added it; none: it was found in a message.
    pub by: Option<UserId>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Record {
    #[n(0)]
    tag: Tag,
    #[cbor(n(1), with = "records::time")]
    at: Timestamp,
    #[n(2)]
    by: Option<UserId>,
}

impl Ledger {
    /// The tags of `group` on a case, in order of kind and value. One that cannot be read is left out, and said in the
    /// log. Cases that an earlier release took show those of their later messages only.
    pub async fn tags(&self, case: CaseId, group: &GroupId) -> Result<Vec<CaseTag>, StoreError> {
        let directory = self.directory();
        let ring = directory.ring(group)?;
        let rows = self.engine().scan(tags_of(case, group).range(), MOST_TAGS).await?;
        let mut tags = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            match group_sealed::decode::<Record>(ring, &key, &row.value) {
                Ok(Record { tag, at, by }) => tags.push(CaseTag { tag, at, by }),
                Err(error) => tracing::error!(%case, %error, "a tag cannot be read and is left out"),
            }
        }
        tags.sort_by(|one, other| one.tag.cmp(&other.tag));
        Ok(tags)
    }

    /// Puts a tag on the side of `group`. Whether it was not there yet.
    ///
    /// # Errors
    /// `Denied` for one too many, and in an archived case.
    pub async fn add_tag(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        tag: &Tag,
    ) -> Result<bool, StoreError> {
        let directory = self.directory();
        let digest = digest_of(&directory, group, tag)?;
        let there = self.engine().scan(tags_of(case, group).range(), MOST_TAGS).await?;
        if there.iter().any(|(key, _)| key.ends_with(&digest)) {
            return Ok(false);
        }
        if there.len() >= MOST_TAGS {
            return Err(StoreError::Denied(format!("this case has {MOST_TAGS} tags, which is all it holds")));
        }
        let at = self.now();
        let record = Record { tag: tag.clone(), at, by: user(actor) };
        let mut rows = Changeset::default();
        put(&directory, case, group, &record, &mut rows)?;
        self.change_case_with(case, |case, changes| {
            let archived = case.is_archived();
            let side = own(case, group)?;
            if archived {
                return Err(StoreError::Denied("the content of this case is destroyed".to_owned()));
            }
            side.removed_tags.retain(|removed| removed.as_slice() != digest.as_slice());
            changes.put.extend(rows.put.clone());
            Ok(Event::new(at, actor.clone(), Act::TagAdded).group(group).case(case.id))
        })
        .await
        .map(|()| true)
    }

    /// Takes a tag off the side of `group`; the other side's stays. Whether it was there.
    pub async fn remove_tag(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        tag: &Tag,
    ) -> Result<bool, StoreError> {
        let directory = self.directory();
        let digest = digest_of(&directory, group, tag)?;
        let blind = tag_key(directory.ring(group)?, tag).id(&case).done();
        let sealed = tags_of(case, group).raw(&digest).done();
        let known = self.engine().get(&[blind.clone(), sealed.clone()]).await?;
        if known.iter().all(Option::is_none) {
            return Ok(false);
        }
        self.change_case_with(case, |case, changes| {
            let side = own(case, group)?;
            side.remember_removed(&digest);
            changes.delete.extend([blind.clone(), sealed.clone()]);
            Ok(Event::new(self.now(), actor.clone(), Act::TagRemoved).group(group).case(case.id))
        })
        .await
        .map(|()| true)
    }
}

impl Side {
    fn remember_removed(&mut self, digest: &[u8]) {
        self.removed_tags.retain(|removed| removed.as_slice() != digest);
        if self.removed_tags.len() >= MOST_REMOVED {
            self.removed_tags.remove(0);
        }
        self.removed_tags.push(digest.to_vec().into());
    }
}

/// The tags of a message that comes, for every side that has not removed them.
pub(crate) fn index(
    directory: &Directory,
    case: &Case,
    tags: &[Tag],
    at: Timestamp,
    changes: &mut Changeset,
) -> Result<(), StoreError> {
    for side in &case.sides {
        for tag in tags.iter().take(MOST_TAGS) {
            let digest = digest_of(directory, &side.group, tag)?;
            if side.removed_tags.iter().any(|removed| removed.as_slice() == digest) {
                continue;
            }
            put(directory, case.id, &side.group, &Record { tag: tag.clone(), at, by: None }, changes)?;
        }
    }
    Ok(())
}

/// Both rows of every tag of a case, for its end.
pub(crate) fn rows_of(case: CaseId, sealed: &[u8]) -> Option<[Vec<u8>; 2]> {
    let digest = sealed.last_chunk::<DIGEST>()?;
    Some([Key::of(Table::Tag).raw(digest).id(&case).done(), sealed.to_vec()])
}

fn put(
    directory: &Directory,
    case: CaseId,
    group: &GroupId,
    record: &Record,
    changes: &mut Changeset,
) -> Result<(), StoreError> {
    let ring = directory.ring(group)?;
    changes.put.push((tag_key(ring, &record.tag).id(&case).done(), records::encode(&())?));
    let key = tags_of(case, group).raw(&digest_of(directory, group, &record.tag)?).done();
    let row = group_sealed::encode(ring, &key, record)?;
    changes.put.push((key, row));
    Ok(())
}

/// The same digest as in the blind row, so that the sealed one leads to it.
fn digest_of(directory: &Directory, group: &GroupId, tag: &Tag) -> Result<[u8; DIGEST], StoreError> {
    let key = tag_key(directory.ring(group)?, tag).done();
    let digest = key.last_chunk::<DIGEST>().copied();
    digest.ok_or_else(|| StoreError::Corrupt("a tag without a digest".to_owned()))
}

pub(crate) fn tags_of(case: CaseId, group: &GroupId) -> Key {
    Key::of(Table::CaseTag).id(&case).text(group.as_str())
}
