//! Collects what the parts of a mail say about the delivery of another one, while the mail passes. It is collected from
//! every mail, because the class is known only at the end; it decides nothing about the class.

use super::{Action, Report, Reported, fields, prose, words};
use crate::{Address, Person, header::Fields};

/// Most recipients of one report that are kept.
pub(super) const RECIPIENTS_MAX: usize = 1000;

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// From the fields of RFC 3464 parts.
    reported: Vec<Reported>,
    /// From `X-Failed-Recipients`, which Exim and Gmail write.
    failed: Vec<Address>,
    /// The Message-ID of the first mail that is returned, whole or its head only.
    returned: Option<String>,
    /// Whom that mail was to, if to one.
    addressee: Option<Address>,
}

/// What the rest of the mail adds to the evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) subject: &'a str,
    /// The mail's own text, and what was returned with it.
    pub(crate) text: &'a str,
    /// To whom the report is: the author of the mail reported on, rarely its recipient.
    pub(crate) to: &'a [Person],
    pub(crate) in_reply_to: &'a [String],
}

impl Evidence {
    /// The head of the mail itself.
    pub(crate) fn head(&mut self, fields: &Fields<'_>) {
        let listed = fields.all("X-Failed-Recipients").flat_map(|field| field.people(RECIPIENTS_MAX));
        let addresses = listed.filter_map(|person| person.address).filter_map(|text| words::address(&text));
        self.failed.extend(addresses.take(RECIPIENTS_MAX));
    }

    /// The head of a mail inside the mail.
    pub(crate) fn enclosed(&mut self, fields: &Fields<'_>) {
        if self.returned.is_none() {
            self.returned = fields.first("Message-ID").and_then(|field| field.ids(1).pop());
            self.addressee = fields.first("To").and_then(|field| only(&field.people(2)));
        }
    }

    /// A mail behind a transfer encoding, read apart.
    pub(crate) fn encoded(&mut self, message_id: Option<&str>) {
        if self.returned.is_none() {
            self.returned = message_id.map(str::to_owned);
        }
    }

    /// Whether a mail came back, or its head.
    pub(crate) fn has_returned(&self) -> bool {
        self.returned.is_some()
    }

    /// Whether the text of such a part is evidence rather than text to be searched (RFC 3464, 6533, 6522 §4).
    pub(crate) fn wants(media_type: &str) -> bool {
        is_status(media_type) || is_head(media_type)
    }

    /// The text of a part that [`Evidence::wants`].
    pub(crate) fn part(&mut self, media_type: &str, text: &str) {
        if is_status(media_type) {
            let room = RECIPIENTS_MAX.saturating_sub(self.reported.len());
            self.reported.extend(fields::recipients(text).into_iter().take(room));
        } else if self.returned.is_none() {
            self.returned = prose::message_id(text);
        }
    }

    /// All of it, and what the text says where no part does.
    pub(crate) fn report(self, context: Context<'_>) -> Report {
        let told = prose::read(context.text, context.subject, context.to);
        let recipients = match (self.reported.is_empty(), self.failed.is_empty()) {
            (false, _) => completed(self.reported, &told),
            (true, false) => self.failed.into_iter().map(|address| told.about(address)).collect(),
            (true, true) => told.recipients(self.addressee),
        };
        let plain = |id: &String| !id.contains(char::is_control);
        let original_message_id = self
            .returned
            .or_else(|| prose::message_id(context.text))
            .or_else(|| context.in_reply_to.last().cloned())
            .filter(plain);
        Report { recipients, original_message_id }
    }
}

fn only(people: &[Person]) -> Option<Address> {
    match people {
        [person] => person.address.as_deref().and_then(words::address),
        _ => None,
    }
}

fn is_status(media_type: &str) -> bool {
    matches!(media_type, "message/delivery-status" | "message/global-delivery-status")
}

fn is_head(media_type: &str) -> bool {
    matches!(
        media_type,
        "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" | "text/rfc822"
    )
}

/// Fields without a status, or with one that says nothing but "failed", are completed by what the text says of it.
fn completed(reported: Vec<Reported>, told: &prose::Told) -> Vec<Reported> {
    let alone = reported.len() == 1;
    let complete = |mut one: Reported| {
        if alone && one.recipient.is_none() {
            one.recipient = told.only_recipient();
        }
        if !matches!(one.action, Action::Delivered | Action::Relayed | Action::Expanded) {
            let told = told.status_of(one.recipient.as_ref());
            one.status = told.map(|told| prose::better(one.status, told)).or(one.status);
        }
        one
    };
    reported.into_iter().map(complete).collect()
}
