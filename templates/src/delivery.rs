//! The words of a delivery report for people; what machines read beside them is RFC 3464's and composed elsewhere.

use serde::Serialize;

use crate::fields::{Moment, Recipient};
use crate::registry::{TemplateError, Templates};

/// What a delivery report says to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Whom the mail was for.
    pub recipient: Recipient,
    /// When it arrived here.
    pub received: Moment,
    /// What became of it.
    pub fate: DeliveryFate,
}

/// What became of a mail that was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryFate {
    /// The other server refused it.
    Refused,
    /// No server took it in all the time that it was tried.
    GivenUp,
    /// It waits; it is tried again.
    Delayed,
    /// It went on to a server that reports nothing.
    Relayed,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    recipient: String,
    received: String,
    refused: bool,
    given_up: bool,
    delayed: bool,
    relayed: bool,
}

impl Templates {
    /// The subject and the text of a delivery report; it has no HTML.
    pub fn render_delivery(&self, report: &DeliveryReport) -> Result<(String, String), TemplateError> {
        let words = Words {
            recipient: report.recipient.to_string(),
            received: report.received.long(),
            refused: report.fate == DeliveryFate::Refused,
            given_up: report.fate == DeliveryFate::GivenUp,
            delayed: report.fate == DeliveryFate::Delayed,
            relayed: report.fate == DeliveryFate::Relayed,
        };
        let subject = self.plain("delivery.subject", &words)?.trim_end().to_owned();
        Ok((subject, self.plain("delivery.text", &words)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(fate: DeliveryFate) -> (String, String) {
        let report = DeliveryReport {
            recipient: Recipient::of_envelope("jo@beta.example").unwrap(),
            received: Moment::at(jiff::civil::date(2026, 6, 5).at(14, 2, 0, 0)),
            fate,
        };
        let (subject, text) = Templates::load().unwrap().render_delivery(&report).unwrap();
        assert!(text.contains("jo@beta.example") && text.contains("Friday 5 June 2026, 14:02"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 78) && !text.contains("{{"), "{text}");
        assert!(!subject.contains('\n'), "{subject}");
        (subject, text)
    }

    #[test]
    fn each_fate_has_its_words() {
        assert_eq!(rendered(DeliveryFate::Refused).0, "Your mail was not delivered");
        assert_eq!(rendered(DeliveryFate::GivenUp).0, "Your mail was not delivered");
        assert_eq!(rendered(DeliveryFate::Delayed).0, "Your mail is delayed");
        assert_eq!(rendered(DeliveryFate::Relayed).0, "Your mail was passed on");
        assert!(rendered(DeliveryFate::Delayed).1.contains("You need not send it again."));
        assert_ne!(rendered(DeliveryFate::Refused).1, rendered(DeliveryFate::GivenUp).1);
    }
}
