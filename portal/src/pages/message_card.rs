//! One message as the case page and the message page show it: readable, taken back, or out of order.

use store::{Closed, MessageRecord, OpenMessage, Unreadable, Withdrawal};
use templates::pages::MessageCard;

use super::mail_card::{self, Facts};
use crate::access::{PermittedCase, Visitor};
use crate::dates;
use crate::text::Extent;

/// The card of a message, and whether its text had to be cut.
pub(super) async fn card(
    permitted: &PermittedCase,
    message: &OpenMessage,
    extent: Extent,
) -> (MessageCard, bool) {
    let (record, visitor) = (&message.record, permitted.visitor());
    let facts = Facts {
        visitor,
        anchor: record.number.to_string(),
        label: format!("message {}", record.number),
        company: visitor.group_name(&record.from_group),
        received: record.received_at,
        proof: &record.proof,
        authentication: record.authentication.as_ref(),
        class: record.class,
        automatic: record.automatic,
        scan: record.scan,
        place: Some(format!("/case/{}/message/{}", record.case, record.id)),
        file_name: file_name(permitted, message),
        has_page: true,
    };
    let (mail, cut) = mail_card::mail(facts, &message.headline, &message.content, extent).await;
    let withdrawn = record.withdrawn.as_ref().map(|withdrawal| taken_back(visitor, record, withdrawal));
    (MessageCard { mail: Some(mail), withdrawn, ..envelope(visitor, record) }, cut)
}

/// The card of a message that does not open; the others of its case do.
pub(super) fn closed(permitted: &PermittedCase, closed: &Unreadable) -> MessageCard {
    let (record, visitor) = (&closed.record, permitted.visitor());
    let card = envelope(visitor, record);
    match &closed.why {
        Closed::Withdrawn => {
            let company = &card.company;
            let says = format!("{company} took this message back before your company had read it.");
            MessageCard { withdrawn: Some(says), ..card }
        }
        Closed::Damaged(_) => {
            tracing::error!(message = %record.id, error = %closed, "a message cannot be opened");
            let says = "The other messages of this case are not affected. Tell your Postern operator.";
            MessageCard { unreadable: Some(says.to_owned()), ..card }
        }
    }
}

/// What is known of a message without opening it.
fn envelope(visitor: &Visitor, record: &MessageRecord) -> MessageCard {
    MessageCard {
        number: record.number,
        company: visitor.group_name(&record.from_group),
        ours: record.from_group == *visitor.group(),
        received: dates::when(record.received_at),
        withdrawn: None,
        unreadable: None,
        mail: None,
    }
}

/// For the sender, and for those who had read it.
fn taken_back(visitor: &Visitor, record: &MessageRecord, withdrawal: &Withdrawal) -> String {
    let named = |group: &mail::GroupId| match group == visitor.group() {
        true => "your company".to_owned(),
        false => visitor.group_name(group),
    };
    let names = |groups: &[mail::GroupId]| groups.iter().map(named).collect::<Vec<_>>().join(", ");
    let sender = match record.from_group == *visitor.group() {
        true => "Your company".to_owned(),
        false => visitor.group_name(&record.from_group),
    };
    let mut says = format!("{sender} took this message back on {}.", dates::when(withdrawal.at).text);
    if !withdrawal.seen.is_empty() {
        says += &format!(" It had been read by {} before.", names(&withdrawal.seen));
    }
    if !withdrawal.unseen.is_empty() {
        says += &format!(" It had not been read by {}, who cannot read it now.", names(&withdrawal.unseen));
    }
    says
}

/// What the original of a message is called when it is downloaded: `K7Q-4M2X-1.eml`.
pub(super) fn file_name(permitted: &PermittedCase, message: &OpenMessage) -> String {
    format!("{}-{}.eml", permitted.case().reference, message.record.number)
}
