//! The choke point: every finished mail is looked at once more, as its reader will see it and as its
//! bytes are, before the courier gets it. A hit stops the mail for good.

use mail::{Budget, Scanner};
use policies::Ruleset;

/// The finished mail holds something that no mail of ours may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the finished notice holds what looks like a meter point number or reference; it was stopped: look at the notice template"
)]
pub(crate) struct Leak;

/// A mail that was looked at; only such a mail can be handed to the courier.
pub(crate) struct Cleared(Vec<u8>);

impl Cleared {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn clear(rules: &Ruleset, mail: Vec<u8>) -> Result<Cleared, Leak> {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(&mail);
    let message = scanner.finish();
    let decoded = rules.tags().find(&message.headline.subject, &message.text, &[]);
    let raw = rules.tags().find("", &String::from_utf8_lossy(&mail), &[]);
    if decoded.is_empty() && raw.is_empty() { Ok(Cleared(mail)) } else { Err(Leak) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(body: &str) -> Vec<u8> {
        format!("From: a@b.example\r\nSubject: [X] Case K7Q-4M2X\r\n\r\n{body}\r\n").into_bytes()
    }

    #[test]
    fn a_meter_point_stops_the_mail_wherever_it_hides() {
        let rules = Ruleset::shipped().unwrap();
        assert!(clear(&rules, letter("https://postern.example/case/0123")).is_ok());
        assert!(clear(&rules, letter("MPAN 1200023305967")).is_err());
        assert!(clear(&rules, letter("https://postern.example/?mpan=1200023305967")).is_err());
        let subject = b"Subject: MPAN 1200023305967\r\n\r\nhello\r\n".to_vec();
        assert!(clear(&rules, subject).is_err());
        let encoded = b"Content-Transfer-Encoding: base64\r\n\r\nTVBBTiAxMjAwMDIzMzA1OTY3\r\n".to_vec();
        assert!(clear(&rules, encoded).is_err());
    }
}
