//! What a mail is by itself, whoever gets it: whether it acts, what it takes back, whether anybody can look into it.

use mail::{Defect, Message, PartRole, ReversePath};

use crate::{Effect, Facts, Recall, subject};

/// Nobody could look inside: it is closed, or it could not be opened.
pub(super) fn is_opaque(defect: Defect) -> bool {
    matches!(defect, Defect::Opaque | Defect::ContainerUnreadable)
}

/// Not all of it could be looked at: something was closed, broken or more than the budgets allow. Pictures and sound are
/// looked at by nobody, and are not missed.
pub(super) fn is_unread(facts: &Facts<'_>) -> bool {
    let Message { headline, text_complete, .. } = facts.message;
    !text_complete
        || headline.defects.iter().any(|defect| is_opaque(*defect))
        || facts.documents.iter().any(|document| !document.whole)
}

/// A file may be named in the text as well; the names of the text's own parts are nobody's business.
pub(super) fn attachment_names(message: &Message) -> Vec<&str> {
    let files = message.headline.parts.iter().filter(|part| part.role != PartRole::Body);
    files.filter_map(|part| part.name.as_deref()).collect()
}

/// Only a person's mail acts (promise 9); configuration cannot change that. Who wants no answer to a failure is a
/// machine, even if nothing else shows it (RFC 5321 §4.5.5).
pub(super) fn effect(class: mail::Class, reverse_path: &ReversePath) -> Effect {
    if *reverse_path == ReversePath::Null {
        return Effect::EventOnly;
    }
    match class {
        mail::Class::Human => Effect::Message,
        mail::Class::AutoReply
        | mail::Class::Bounce
        | mail::Class::Receipt
        | mail::Class::Calendar
        | mail::Class::Recall
        | mail::Class::List
        | mail::Class::Empty => Effect::EventOnly,
    }
}

/// A request to take something back acts too, so it must be a person's.
pub(super) fn recall(facts: &Facts<'_>) -> Option<Recall> {
    let Facts { message, reverse_path, .. } = facts;
    if message.class != mail::Class::Recall || **reverse_path == ReversePath::Null {
        return None;
    }
    let mut of: Vec<String> = Vec::new();
    for id in message.in_reply_to.iter().chain(message.references.iter().rev()) {
        if !of.contains(id) {
            of.push(id.clone());
        }
    }
    let subject = &message.headline.subject;
    Some(Recall { of, subject: subject::behind_prefix(subject).unwrap_or(subject).to_owned() })
}
