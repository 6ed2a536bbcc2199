//! The letters about held mail: that one waits for a decision, and that it was not let through. They tell two companies
//! about a mail and nothing of what is in it.

use serde::Serialize;

use crate::fields::{CompanyName, Moment, PortalAddress};
use crate::letter::{HELD, LetterText, RETURNED};
use crate::registry::{TemplateError, Templates};

/// What is said about a held mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who reads it.
    pub reader: HeldReader,
    /// What became of the mail.
    pub state: HeldState,
    /// Why it was held.
    pub reason: HeldReason,
    /// The company that sent it.
    pub sender: CompanyName,
    /// When it arrived.
    pub received: Moment,
    /// The portal of this installation.
    pub portal: PortalAddress,
}

/// Who reads a letter about a held mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldReader {
    /// Who sent it.
    Sender,
    /// Whom it was for.
    Recipient,
}

/// What became of a held mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldState {
    /// The sender's compliance team decides.
    Waiting,
    /// It was not let through.
    Returned,
    /// The same, because nobody decided in time.
    Expired,
}

/// Why a mail is held; there are no other reasons than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldReason {
    /// It would carry personal data to where they may not go.
    PersonalData,
    /// The virus scanner found something.
    Virus,
    /// Nobody can look inside.
    Opaque,
    /// Another rule of the operator's.
    Rule,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    to_sender: bool,
    expired: bool,
    sender: String,
    reason: &'static str,
    remedy: &'static str,
    received: Received,
    portal: String,
}

#[derive(Serialize)]
struct Received {
    short: String,
    long: String,
}

impl Templates {
    /// Puts a letter about a held mail into words.
    pub fn render_held(&self, held: &Held) -> Result<LetterText, TemplateError> {
        let form = match held.state {
            HeldState::Waiting => &HELD,
            HeldState::Returned | HeldState::Expired => &RETURNED,
        };
        self.letter(
            form,
            &Words {
                to_sender: held.reader == HeldReader::Sender,
                expired: held.state == HeldState::Expired,
                sender: held.sender.to_string(),
                reason: held.reason.words(),
                remedy: held.reason.remedy(),
                received: Received { short: held.received.short(), long: held.received.long() },
                portal: held.portal.to_string(),
            },
        )
    }
}

impl HeldReason {
    /// Completes "it is held because ...".
    fn words(self) -> &'static str {
        match self {
            Self::PersonalData => "it seems to hold details of customers, and would leave by ordinary mail",
            Self::Virus => "the virus scanner found something in it",
            Self::Opaque => "it is encrypted or locked, and nobody can check it",
            Self::Rule => "a rule of this gateway asks for a decision first",
        }
    }

    /// What the sender of a returned mail can do.
    fn remedy(self) -> &'static str {
        match self {
            Self::PersonalData => "Write to the company's mailbox for the process, or in the portal.",
            Self::Virus => "Have your computer checked before you send the files again.",
            Self::Opaque => "Send it again without encryption or password; Postern seals it.",
            Self::Rule => "Your compliance team can tell you more.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    fn rendered(reader: HeldReader, state: HeldState, reason: HeldReason) -> LetterText {
        let held = Held {
            reader,
            state,
            reason,
            sender: CompanyName::from_directory("Alpha Energy & Co").unwrap(),
            received: Moment::at(jiff::civil::date(2026, 6, 5).at(14, 2, 0, 0)),
            portal: PortalAddress::parse("https://portal.example").unwrap(),
        };
        let letter = Templates::load().unwrap().render_held(&held).unwrap();
        assert_sound(&letter);
        letter
    }

    #[test]
    fn both_sides_learn_that_a_mail_is_held_and_why() {
        let letter = rendered(HeldReader::Sender, HeldState::Waiting, HeldReason::Virus);
        assert_eq!(letter.subject, "Your mail of 5 June, 14:02 waits for your compliance team");
        assert!(letter.text.contains("virus scanner found something"), "{}", letter.text);
        let letter = rendered(HeldReader::Recipient, HeldState::Waiting, HeldReason::Virus);
        assert_eq!(letter.subject, "A mail from Alpha Energy & Co to you is held");
        assert!(letter.text.contains("Friday 5 June 2026, 14:02"), "{}", letter.text);
        assert!(letter.html.contains("Alpha Energy &amp; Co"));
    }

    #[test]
    fn a_returned_mail_says_what_to_do() {
        let letter = rendered(HeldReader::Sender, HeldState::Returned, HeldReason::PersonalData);
        assert_eq!(letter.subject, "Your mail of 5 June, 14:02 was not let through");
        assert!(letter.text.contains("mailbox for the process"), "{}", letter.text);
        let letter = rendered(HeldReader::Recipient, HeldState::Returned, HeldReason::Opaque);
        assert_eq!(letter.subject, "A mail from Alpha Energy & Co to you was not let through");
        assert!(!letter.text.contains("Send it again"), "{}", letter.text);
    }

    #[test]
    fn who_gets_a_mail_back_undecided_is_told_so() {
        let letter = rendered(HeldReader::Sender, HeldState::Expired, HeldReason::Rule);
        assert!(letter.text.contains("and nobody decided about it in time."), "{}", letter.text);
        assert!(letter.html.contains("and nobody decided about it in time. It was not let through"));
        let letter = rendered(HeldReader::Sender, HeldState::Returned, HeldReason::Rule);
        assert!(!letter.text.contains("in time"), "{}", letter.text);
    }

    #[test]
    fn every_reason_makes_sound_letters() {
        for reason in [HeldReason::PersonalData, HeldReason::Virus, HeldReason::Opaque, HeldReason::Rule] {
            for reader in [HeldReader::Sender, HeldReader::Recipient] {
                for state in [HeldState::Waiting, HeldState::Returned, HeldState::Expired] {
                    rendered(reader, state, reason);
                }
            }
        }
    }
}
