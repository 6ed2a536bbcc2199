//! The receipt: tells a sender that a mail was secured, and where it is now. It repeats nothing of the mail.

use serde::Serialize;

use crate::fields::{CaseReference, CompanyName, DueDate, Link, ProcessName};
use crate::letter::{Due, LetterText, RECEIPT};
use crate::registry::{TemplateError, Templates};

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The case that the mail became part of.
    pub case: CaseReference,
    /// The business process it belongs to.
    pub process: ProcessName,
    /// The company that it went to.
    pub company: CompanyName,
    /// By when that company must answer; none when nothing is owed.
    pub due: Option<DueDate>,
    /// Where the case is read.
    pub link: Link,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    case: String,
    process: String,
    company: String,
    due: Option<Due>,
    link: String,
    portal: String,
}

impl Templates {
    /// Puts a receipt into words: `[Erroneous Transfers] Case K7Q-4M2X: secured, answer due 5 June`.
    pub fn render_receipt(&self, receipt: &Receipt) -> Result<LetterText, TemplateError> {
        self.letter(
            &RECEIPT,
            &Words {
                case: receipt.case.to_string(),
                process: receipt.process.to_string(),
                company: receipt.company.to_string(),
                due: receipt.due.map(Due::from),
                link: receipt.link.to_string(),
                portal: receipt.link.portal().to_string(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    fn rendered(due: Option<DueDate>) -> LetterText {
        let receipt = Receipt {
            case: CaseReference::parse("K7Q-4M2X").unwrap(),
            process: ProcessName::from_catalogue("Erroneous Transfers").unwrap(),
            company: CompanyName::from_directory("Beta Power & Co").unwrap(),
            due,
            link: Link::to_case("https://portal.example", "0123456789abcdefghijklmnopqrstuv").unwrap(),
        };
        let letter = Templates::load().unwrap().render_receipt(&receipt).unwrap();
        assert_sound(&letter);
        letter
    }

    #[test]
    fn a_receipt_says_where_the_mail_is_and_when_to_expect_an_answer() {
        let letter = rendered(Some(DueDate::on(jiff::civil::date(2026, 6, 5))));
        assert_eq!(letter.subject, "[Erroneous Transfers] Case K7Q-4M2X: secured, answer due 5 June");
        for part in ["Beta Power & Co", "K7Q-4M2X", "Friday 5 June 2026", "https://portal.example/case/0123"]
        {
            assert!(letter.text.contains(part), "{part} in {}", letter.text);
            assert!(letter.html.contains(&part.replace('&', "&amp;")), "{part} in {}", letter.html);
        }
    }

    #[test]
    fn where_nothing_is_owed_no_date_is_told() {
        let letter = rendered(None);
        assert_eq!(letter.subject, "[Erroneous Transfers] Case K7Q-4M2X: secured");
        assert!(!letter.text.contains("due") && !letter.html.contains("due"));
    }
}
