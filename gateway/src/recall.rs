//! A request to take a message back. It is kept as what it is, an event of the case that it is about; then the message
//! is withdrawn from every side that has not seen it. It never takes anything from a reader who has.

use mail::{Address, Class, GroupId};
use policies::{Place, Recall};
use store::{Accepted, Actor, Case, CaseId, MessageRecord};

use crate::{
    gateway::{Gateway, refused},
    pipeline::Decided,
    smtp::Refusal,
};

/// Messages with the recalled subject that are looked at, the latest first.
const MOST_LOOKED_AT: usize = 20;

/// What is to be withdrawn once the request itself is durable.
pub(crate) struct Withdrawal(Option<Wanted>);

struct Wanted {
    group: GroupId,
    author: Address,
    recall: Recall,
}

impl Withdrawal {
    pub(crate) fn wanted(decided: &Decided) -> Self {
        let wanted = decided.judged.recall.clone().map(|recall| Wanted {
            group: decided.authored.parsed.sender.group.clone(),
            author: decided.authored.author.address.clone(),
            recall,
        });
        Self(wanted)
    }

    /// Withdraws before the request is acknowledged: a crash in between brings the request again.
    pub(crate) async fn carry_out(self, gateway: &Gateway, accepted: &Accepted) -> Result<(), Refusal> {
        let Some(Wanted { group, author, recall }) = self.0 else { return Ok(()) };
        let ledger = gateway.ledger();
        for case in &accepted.cases {
            let Some(request) = request_in(gateway, case.id, &group).await? else { continue };
            let messages = ledger.recallable(&group, &author, &recall.subject, Some(case.id)).await;
            let messages = messages.map_err(|error| refused(&error))?;
            // What came behind the request is the better version of what it is about.
            if let Some(latest) = messages.iter().find(|message| message.number < request) {
                let withdrawn = ledger.withdraw(&Actor::Gateway, &group, latest.case, latest.number).await;
                withdrawn.map_err(|error| refused(&error))?;
            }
        }
        Ok(())
    }
}

/// The number of the group's latest request in the case.
async fn request_in(gateway: &Gateway, case: CaseId, group: &GroupId) -> Result<Option<u32>, Refusal> {
    let messages = gateway.ledger().messages(case).await.map_err(|error| refused(&error))?;
    let own = |message: &&MessageRecord| message.class == Some(Class::Recall) && message.from_group == *group;
    Ok(messages.iter().filter(own).map(|message| message.number).max())
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
