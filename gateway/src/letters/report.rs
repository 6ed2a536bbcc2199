//! Delivery reports about relayed mail (RFC 3464): to the sender, from the null sender, so that nothing ever answers
//! them. They repeat nothing of the mail.

use jiff::Timestamp;
use mail::{Action, Address, DeliveryReport, Outcome, Rcpt, ReportWish, ReversePath, Status};
use store::{Fate, Job};
use templates::{DeliveryFate, Moment, Recipient};

use super::{LetterError, Letters, Outgoing, market_time};
use crate::{guard::Printed, notice};

/// What is reported about one recipient.
struct Told<'a> {
    message_id: String,
    date: Timestamp,
    to: &'a Address,
    recipient: &'a Rcpt,
    envelope_id: Option<&'a str>,
    arrived_at: Timestamp,
    action: Action,
    fate: DeliveryFate,
    status: Status,
    /// The other server's words, or ours.
    said: Option<&'a str>,
}

/// The texts of others that a report may repeat.
#[derive(Clone, Copy, Default)]
struct Strange<'a> {
    said: Option<&'a str>,
    envelope_id: Option<&'a str>,
    original: Option<&'a str>,
}

impl Letters {
    /// What became of a relayed mail so far.
    pub(super) fn report(&self, job: &Job, told: &store::DeliveryReport) -> Result<Outgoing, LetterError> {
        let (status, said) = split(&told.detail);
        let (action, fate, status, said) = match told.fate {
            Fate::Failed => {
                let status = status.unwrap_or(Status { class: 5, subject: 0, detail: 0 });
                let fate = if status.class == 4 { DeliveryFate::GivenUp } else { DeliveryFate::Refused };
                (Action::Failed, fate, status, Some(said))
            }
            Fate::Delayed => {
                let status = status.unwrap_or(Status { class: 4, subject: 0, detail: 0 });
                (Action::Delayed, DeliveryFate::Delayed, status, Some(said))
            }
            Fate::Relayed => {
                (Action::Relayed, DeliveryFate::Relayed, Status { class: 2, subject: 0, detail: 0 }, None)
            }
        };
        self.delivery(&Told {
            message_id: notice::message_id(job, &self.gateway.settings().notice_domain),
            date: job.created_at,
            to: &told.to,
            recipient: &told.recipient,
            envelope_id: told.envelope_id.as_deref(),
            arrived_at: told.arrived_at,
            action,
            fate,
            status,
            said,
        })
    }

    fn delivery(&self, told: &Told<'_>) -> Result<Outgoing, LetterError> {
        let (subject, text) = self.templates.render_delivery(&templates::DeliveryReport {
            recipient: Recipient::of_envelope(&told.recipient.address.to_string())?,
            received: Moment::at(market_time(told.arrived_at)),
            fate: told.fate,
        })?;
        let settings = self.gateway.settings();
        let report = |strange: Strange<'_>| {
            DeliveryReport {
                from: &settings.notice_sender,
                from_name: &settings.notice_name,
                to: told.to,
                subject: &subject,
                text: &text,
                message_id: &told.message_id,
                references: &[],
                date: told.date.as_second(),
                reporting_mta: &self.host,
                envelope_id: strange.envelope_id,
                arrival: Some(told.arrived_at.as_second()),
                recipients: &[Outcome {
                    original: strange.original,
                    recipient: &told.recipient.address,
                    action: told.action,
                    status: told.status,
                    diagnostic: strange.said,
                }],
            }
            .to_bytes()
        };
        // What is not our own text in a mail of ours. If the guard does not like it, the report leaves without it.
        let strange = Strange {
            said: told.said.filter(|said| !said.is_empty()),
            envelope_id: told.envelope_id,
            original: told.recipient.original.as_deref(),
        };
        let mut printed = Printed::default();
        printed.address(&settings.notice_sender).address(told.to).address(&told.recipient.address);
        printed.value(&told.message_id);
        let mail = match self.cleared(&printed, report(strange)?) {
            Ok(mail) => mail,
            Err(_) => self.cleared(&printed, report(Strange::default())?)?,
        };
        let to = Rcpt::from(told.to.clone());
        Ok(Outgoing { reverse_path: ReversePath::Null, to, report: ReportWish::default(), mail })
    }
}

/// The worker puts the status in front of the words (`Failure`'s text).
fn split(detail: &str) -> (Option<Status>, &str) {
    let (first, rest) = detail.split_once(' ').unwrap_or((detail, ""));
    let mut numbers = first.split('.').map(|number| number.parse::<u16>().ok());
    let parsed =
        (numbers.next().flatten(), numbers.next().flatten(), numbers.next().flatten(), numbers.next());
    match parsed {
        (Some(class @ 2..=5), Some(subject), Some(detail), None) => {
            (Some(Status { class: class as u8, subject, detail }), rest)
        }
        _ => (None, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stands_in_front_of_the_words() {
        let (status, said) = split("5.1.1 550 5.1.1 no such user [mx.beta.example]");
        assert_eq!(status.map(|status| status.to_string()).as_deref(), Some("5.1.1"));
        assert_eq!(said, "550 5.1.1 no such user [mx.beta.example]");
        for other in ["", "dropped", "5.1 x", "5.1.1.1 x", "9.1.1 x", "5.x.1 y"] {
            assert_eq!(split(other), (None, other));
        }
    }
}
