//! A request to take a message back. It is kept as what it is, an event of the case that it is about; then the message
//! is withdrawn from every side that has not seen it. It never takes anything from a reader who has.

use policies::Place;
use store::{Case, Recalled};

use crate::{
    gateway::{Gateway, refused},
    pipeline::Decided,
    smtp::Refusal,
};

/// Messages with the recalled subject that are looked at, the latest first.
const MOST_LOOKED_AT: usize = 20;

/// What the mail takes back, if it is a request to do so. The request itself is durable first.
pub(crate) fn recalled(decided: &Decided) -> Option<Recalled> {
    let recall = decided.judged.recall.as_ref()?;
    Some(Recalled { author: decided.authored.author.address.clone(), subject: recall.subject.clone() })
}

/// The case that a request to this mailbox is about: the one with the author's latest message of that subject.
pub(crate) async fn case_of(
    gateway: &Gateway,
    decided: &Decided,
    mailbox: &Place,
) -> Result<Option<Case>, Refusal> {
    let Some(recall) = &decided.judged.recall else { return Ok(None) };
    let (group, author) = (&decided.authored.parsed.sender.group, &decided.authored.author.address);
    let ledger = gateway.ledger();
    let messages = ledger.recallable(group, author, &recall.subject, None).await;
    let messages = messages.map_err(|error| refused(&error))?;
    for message in messages.iter().take(MOST_LOOKED_AT) {
        let case = ledger.case(message.case).await.map_err(|error| refused(&error))?;
        let here = |case: &Case| {
            let side = case.side(&mailbox.group);
            case.process == mailbox.process
                && side.is_some_and(|side| side.participant == mailbox.participant)
        };
        if let Some(case) = case.filter(here) {
            return Ok(Some(case));
        }
    }
    Ok(None)
}
