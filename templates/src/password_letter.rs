//! The letter that brings one person the link to a password. It names the company and nothing else: the one letter that
//! holds a key, so it goes to the one address that the key is for.

use serde::Serialize;

use crate::fields::{CompanyName, Moment, PasswordLink, PortalAddress};
use crate::letter::{LetterText, PASSWORD};
use crate::registry::{TemplateError, Templates};

/// An invitation, or the way to a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLetter {
    /// The company that the account belongs to.
    pub company: CompanyName,
    /// What the reader follows.
    pub link: PasswordLink,
    /// When the link stops working.
    pub until: Moment,
    /// The portal of this installation.
    pub portal: PortalAddress,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    invitation: bool,
    company: String,
    link: String,
    until: String,
    portal: String,
}

impl Templates {
    /// Puts it into words.
    pub fn render_password_letter(&self, letter: &PasswordLetter) -> Result<LetterText, TemplateError> {
        self.letter(
            &PASSWORD,
            &Words {
                invitation: letter.link.is_invitation(),
                company: letter.company.to_string(),
                link: letter.link.to_string(),
                until: letter.until.long(),
                portal: letter.portal.to_string(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    const TOKEN: &str = "0123456789abcdefghjkmnpqrstvwxyz";

    fn rendered(link: PasswordLink) -> LetterText {
        let letter = PasswordLetter {
            company: CompanyName::from_directory("Beta Power & Sons").unwrap(),
            link,
            until: Moment::at(jiff::civil::date(2026, 6, 12).at(14, 2, 0, 0)),
            portal: PortalAddress::parse("https://portal.example").unwrap(),
        };
        let letter = Templates::load().unwrap().render_password_letter(&letter).unwrap();
        assert_sound(&letter);
        letter
    }

    #[test]
    fn an_invitation_names_the_company_and_the_link() {
        let letter = rendered(PasswordLink::invitation("https://portal.example", TOKEN).unwrap());
        assert_eq!(letter.subject, "Beta Power & Sons has invited you to Postern");
        let line = format!("\nhttps://portal.example/invitation/{TOKEN}\n");
        assert!(letter.text.contains(&line), "{}", letter.text);
        assert!(letter.text.contains("Friday 12 June 2026, 14:02 UK time"));
        assert!(letter.html.contains("Beta Power &amp; Sons"));
    }

    #[test]
    fn a_reset_says_that_nothing_need_be_done() {
        let letter = rendered(PasswordLink::reset("https://portal.example", TOKEN).unwrap());
        assert_eq!(letter.subject, "Choose a new password for Postern");
        assert!(letter.text.contains(&format!("https://portal.example/reset/{TOKEN}")));
        assert!(letter.text.contains("stays as it is"));
    }

    #[test]
    fn a_token_has_one_form() {
        for bad in
            ["", "short", &TOKEN.to_uppercase(), &format!("{TOKEN}/"), "0123456789abcdefghjkmnpqrstvwxy?"]
        {
            assert!(PasswordLink::reset("https://portal.example", bad).is_err(), "{bad}");
        }
    }
}
