//! What happened in a case, newest first: an index of the audit trail by case, written with every commit that has an event of
//! one. The trail itself stays the proof; this is how a page finds its part of it. What the people of a side may know of
//! the other side's doings is decided here, in one table.

use mail::GroupId;

use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
};

/// A part of a case's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Where the next part begins; opaque.
    pub next: Option<String>,
}

/// Which events of a side's own are wanted beside those that both sides may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Without readings, of which there are many.
    Changes,
    Everything,
}

/// Rows read at once, and how often for one part.
const STEP: usize = 200;
const MOST_STEPS: usize = 20;
/// Bytes of an event's place: time, number in its commit, digest.
const PLACE: usize = 28;

impl Ledger {
    /// What `group` may know of what happened in a case, newest first. What the other side keeps for itself changes
    /// nothing of the answer.
    pub async fn case_events(
        &self,
        case: CaseId,
        group: &GroupId,
        detail: Detail,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let of_case = Key::of(Table::CaseEvent).id(&case);
        let prefix = of_case.clone().done().len();
        let mut range = of_case.clone().range();
        if let Some(place) = after.and_then(place) {
            range.from = of_case.raw(&place).raw(&[0]).done();
        }
        let limit = limit.clamp(1, STEP);
        let mut found: Vec<(String, Event)> = Vec::new();
        for _ in 0..MOST_STEPS {
            let rows = self.engine().scan(range.clone(), STEP).await?;
            let last = rows.last().filter(|_| rows.len() == STEP).map(|(key, _)| key.clone());
            for (key, row) in rows {
                let event = match Event::from_bytes(&row.value) {
                    Ok(event) => event,
                    Err(error) => {
                        tracing::error!(%case, %error, "an event of a case cannot be read and is left out");
                        continue;
                    }
                };
                if event.is_known_to(group, detail) {
                    found.push((hex(&key[prefix..]), event));
                }
            }
            match last {
                Some(last) if found.len() <= limit => {
                    range = Range { from: [last, vec![0]].concat(), ..range }
                }
                _ => break,
            }
        }
        let next = (found.len() > limit).then(|| found[limit - 1].0.clone());
        found.truncate(limit);
        Ok(EventPage { events: found.into_iter().map(|(_, event)| event).collect(), next })
    }
}

impl Event {
    /// Whether people of `group` read it in the history of a case. What a side does within itself, whom it assigns, what
    /// it notes, reads and is told, is its own.
    fn is_known_to(&self, group: &GroupId, detail: Detail) -> bool {
        let reading = matches!(self.act, Act::CaseRead | Act::AttachmentRead | Act::OriginalRead);
        if self.group.as_ref() == Some(group) {
            return detail == Detail::Everything || !reading;
        }
        matches!(
            self.act,
            Act::CaseOpened
                | Act::MessageAdded
                | Act::AutomaticMailKept
                | Act::MessageWithdrawn
                | Act::DeadlineMoved
                | Act::CaseEscalated
                | Act::CaseClosed
                | Act::CaseReopened
        )
    }
}

/// Adds the rows of the index for the events of a commit.
pub(crate) fn index(changes: &mut Changeset) -> Result<(), StoreError> {
    for (number, bytes) in (0_u32..).zip(&changes.append) {
        let event = Event::from_bytes(bytes)?;
        let Some(case) = event.case else { continue };
        // Within one commit the later is the newer.
        let key = Key::of(Table::CaseEvent).id(&case).time_descending(event.at).number(!number);
        changes.put.push((key.digest(&certs::sha256(bytes)).done(), bytes.clone()));
    }
    Ok(())
}

/// Who did it, if a person did.
pub(crate) fn user(actor: &Actor) -> Option<UserId> {
    match actor {
        Actor::User(user) => Some(*user),
        Actor::Gateway | Actor::Worker | Actor::Tool | Actor::Portal => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is no cursor means the first part.
fn place(cursor: &str) -> Option<[u8; PLACE]> {
    let mut place = [0; PLACE];
    if cursor.len() != 2 * PLACE || !cursor.is_ascii() {
        return None;
    }
    for (index, byte) in place.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&cursor[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(place)
}
