//! The letter to somebody who has not signed in for long: until when there is time to. It names the company and a day.

use serde::Serialize;

use crate::fields::{CompanyName, DueDate, PortalAddress};
use crate::letter::{Due, IDLE, LetterText};
use crate::registry::{TemplateError, Templates};

/// What the letter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleLetter {
    /// The company that the account belongs to.
    pub company: CompanyName,
    /// When the account is suspended.
    pub day: DueDate,
    /// Where to sign in.
    pub portal: PortalAddress,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    company: String,
    day: Due,
    portal: String,
}

impl Templates {
    /// Puts it into words: `Your access to Postern ends on 5 June unless you sign in`.
    pub fn render_idle_letter(&self, letter: &IdleLetter) -> Result<LetterText, TemplateError> {
        let (company, portal) = (letter.company.to_string(), letter.portal.to_string());
        self.letter(&IDLE, &Words { company, day: Due::from(letter.day), portal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    #[test]
    fn it_says_until_when() {
        let letter = IdleLetter {
            company: CompanyName::from_directory("Beta Power & Sons").unwrap(),
            day: DueDate::on(jiff::civil::date(2026, 6, 5)),
            portal: PortalAddress::parse("https://portal.example").unwrap(),
        };
        let letter = Templates::load().unwrap().render_idle_letter(&letter).unwrap();
        assert_sound(&letter);
        assert_eq!(letter.subject, "Your access to Postern ends on 5 June unless you sign in");
        assert!(letter.text.contains("Friday 5 June 2026") && letter.text.contains("Beta Power & Sons"));
    }
}
