//! What comes back to the envelope sender of a mail of ours: bounces, delays, "out of office". The address holds the
//! job's id, which nobody else knows, so nobody has to be proved. Nothing of such a mail is kept but what became of ours.

use mail::{Action, Class, Message, ReversePath};
use store::Returned;

use crate::{
    gateway::{Gateway, refused},
    incoming::Received,
    notice,
    smtp::Refusal,
};

/// Writes down what became of each mail that this one is about; durable when it returns.
pub(crate) async fn take(gateway: &Gateway, received: Received) -> Result<(), Refusal> {
    let Received { original, scanner, .. } = received;
    let returned = returned(&original.envelope.reverse_path, &scanner.finish())?;
    let domain = &gateway.settings().notice_domain;
    let mut known = false;
    for to in &original.envelope.recipients {
        let Some(job) = notice::job_of(gateway.ledger(), &to.address, domain) else { continue };
        let noted = gateway.ledger().note_return(job, returned.clone()).await;
        known |= noted.map_err(|error| refused(&error))?.is_some();
    }
    match known {
        true => Ok(()),
        false => Err(Refusal::UnknownRecipient("no mail of ours went out under this address".to_owned())),
    }
}

/// What the mail says about ours. A person who writes here would never be read, so that is refused; but who wants no
/// answer to a failure is no person (RFC 5321 §4.5.5), whatever the words.
fn returned(from: &ReversePath, message: &Message) -> Result<Returned, Refusal> {
    match message.class {
        Class::Bounce => Ok(bounced(message)),
        Class::Human if *from == ReversePath::Null => Ok(bounced(message)),
        Class::AutoReply => Ok(match message.away {
            Some(away) => Returned::Away(away.until),
            None => Returned::Other,
        }),
        Class::Receipt | Class::List | Class::Calendar | Class::Recall | Class::Empty => Ok(Returned::Other),
        Class::Human => Err(Refusal::NotPermitted(
            "nobody reads mail at this address; answer to the Reply-To address of the notice, or in the portal".to_owned(),
        )),
    }
}

/// A report without form says at least that something went wrong.
fn bounced(message: &Message) -> Returned {
    /// RFC 3463: other or undefined status.
    const UNKNOWN: &str = "5.0.0";
    let reported = message.report.iter().flat_map(|report| &report.recipients);
    let mut seen = None;
    for recipient in reported {
        match recipient.action {
            Action::Failed => {
                let status = recipient.status.map_or_else(|| UNKNOWN.to_owned(), |status| status.to_string());
                return Returned::Failed(status);
            }
            Action::Delayed => seen = Some(Returned::Delayed),
            Action::Delivered | Action::Relayed | Action::Expanded => seen = seen.or(Some(Returned::Other)),
        }
    }
    seen.unwrap_or_else(|| Returned::Failed(UNKNOWN.to_owned()))
}
