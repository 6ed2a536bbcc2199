//! What is decided about a held mail: release to where it was going, or return and destruction. Each once.

use std::time::Duration;

use certs::SealedPart;
use jiff::Timestamp;
use mail::{ContactType, GroupId, ProcessId};

use super::{CaseBound, HeldNews, HeldRecord, Released, held_key, held_source};
use crate::{
    accept::{Acceptance, Deadline, Place, earlier},
    audit::{Act, Actor, Event},
    content::{SealedContent, give_up},
    draft::Draft,
    engine::Changeset,
    error::StoreError,
    ids::{ContentId, HeldId, PassageId},
    keys::{Key, Table},
    ledger::Ledger,
    passage::PassageRecord,
    records,
    tasks::TaskKind,
};

/// Rows looked at together.
const STEP: usize = 500;

impl Ledger {
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
            let bound = record.bound.as_ref().map(|bound| self.open_bound(id, bound)).transpose()?;
            let recall = bound.as_ref().and_then(|bound| bound.recall.clone());
            let (released, given_up) = match bound {
                None => (self.send_on(&record, actor, &mut changes)?, None),
                Some(bound) => self.secure_held(&record, bound, actor, &due, &mut changes).await?,
            };
            if let (Some(recall), Released::Secured(accepted)) = (&recall, &released) {
                self.promise_recall(id, actor, group, recall, accepted, &mut changes)?;
            }
            match self.commit(changes).await {
                Ok(committed) => {
                    self.announce_work();
                    // It is released whatever becomes of what follows; a recall that fails is done by a later sweep.
                    let recalled = self.finish_recalls().await.map(drop);
                    let settled = self.settle_held(actor, group).await;
                    let removed = match given_up {
                        Some(content) => self.remove_arriving(content, committed.version).await.map(drop),
                        None => Ok(()),
                    };
                    return recalled.and(settled).and(removed).map(|()| Some(released));
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
            // A recipient that is not reached loses its mark, so that the mail can be sent again.
            sources: record.sources.clone(),
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
            stage: None,
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
            delegate: None,
            content: SealedContent::known(record.content, key, record.mail.size),
            headline: records::decode(&headline)?,
            message_id: bound.message_id,
            automatic: bound.automatic,
            class: record.mail.class,
            scan: record.mail.scan,
            authentication: record.authentication.clone(),
            receipt: bound.receipt,
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
        self.end_held(actor, group, id, HeldNews::Returned).await
    }

    /// Returns mail that waits for longer than `age`: at most `limit`. How many; as many as `limit`: there may be more.
    pub async fn expire_held(&self, age: Duration, limit: usize) -> Result<usize, StoreError> {
        let before = self.now().saturating_sub(age).unwrap_or(Timestamp::MIN).as_second();
        let mut range = Key::of(Table::Held).range();
        let mut expired = 0;
        loop {
            let rows = self.engine().scan(range.clone(), STEP).await?;
            for (key, _) in &rows {
                let Some((group, id)) = place_of(key).filter(|(_, id)| id.second() <= before) else {
                    continue;
                };
                if expired == limit {
                    return Ok(expired);
                }
                match self.end_held(&Actor::Worker, &group, id, HeldNews::Expired).await {
                    Ok(ended) => expired += usize::from(ended),
                    // One that cannot be read must not keep the others.
                    Err(StoreError::Corrupt(error)) => {
                        tracing::error!(held = %id, %error, "a held mail cannot be returned");
                    }
                    Err(error) => return Err(error),
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == STEP => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(expired),
            }
        }
    }

    async fn end_held(
        &self,
        actor: &Actor,
        group: &GroupId,
        id: HeldId,
        news: HeldNews,
    ) -> Result<bool, StoreError> {
        let Some((record, version)) = self.held_row(group, id).await? else { return Ok(false) };
        let act = if news == HeldNews::Expired { Act::HeldExpired } else { Act::HeldReturned };
        let event = Event { at: self.now(), ..record.event(actor.clone(), act) };
        let mut changes = Changeset {
            require: vec![(held_key(group, id), Some(version))],
            delete: vec![held_key(group, id)],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.tell_of_held(&record, news, &mut changes)?;
        // Sent again it is judged again, and not taken for what was destroyed.
        changes.delete.extend(record.sources.iter().flatten().map(held_source));
        give_up(record.content, &mut changes)?;
        let committed = match self.commit(changes).await {
            // Somebody else decided first.
            Err(StoreError::Conflict) => return Ok(false),
            done => done?,
        };
        self.announce_work();
        self.remove_arriving(record.content, committed.version).await?;
        self.settle_held(actor, group).await?;
        Ok(true)
    }

    /// Closes the group's task when nothing waits any more. What cannot be read waits too.
    async fn settle_held(&self, actor: &Actor, group: &GroupId) -> Result<(), StoreError> {
        let Some(open) = self.open_task(Some(group), &TaskKind::MailHeld).await? else { return Ok(()) };
        let waiting = Key::of(Table::Held).text(group.as_str()).range();
        match self.engine().scan(waiting, 1).await?.is_empty() {
            true => self.close_open(actor, open).await.map(drop),
            false => Ok(()),
        }
    }
}

/// Whose mail a key names, and which.
fn place_of(key: &[u8]) -> Option<(GroupId, HeldId)> {
    let (group, id) = key.get(1..)?.split_last_chunk::<20>()?;
    let group = std::str::from_utf8(group.strip_suffix(&[0])?).ok()?;
    Some((group.parse().ok()?, HeldId::from_bytes(*id)))
}
