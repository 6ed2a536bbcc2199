//! The notice: the mail that says that something waits in a case.
//!
//! It says that something waits and where. It never holds text of a message, a search tag or a
//! person's name: its context has no field that could (threats T7, T8; promise 2).

use serde::Serialize;

use crate::fields::{CaseReference, CompanyName, DueDate, Link, ProcessName};
use crate::letter::{Due, LetterText, NOTICE};
use crate::registry::{TemplateError, Templates};

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The case that waits.
    pub case: CaseReference,
    /// The business process it belongs to.
    pub process: ProcessName,
    /// The company that sent the message, as its transport identity proved it.
    pub sender: CompanyName,
    /// By when the reader's company must answer; none when nothing is owed.
    pub due: Option<DueDate>,
    /// Where the case is read.
    pub link: Link,
}

/// The template's context: the typed values as they are printed.
#[derive(Serialize)]
struct Words {
    case: String,
    process: String,
    sender: String,
    due: Option<Due>,
    link: String,
    portal: String,
}

impl Templates {
    /// Puts a notice into words: `[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June`.
    pub fn render_notice(&self, notice: &Notice) -> Result<LetterText, TemplateError> {
        self.letter(&NOTICE, &Words::from(notice))
    }
}

impl From<&Notice> for Words {
    fn from(notice: &Notice) -> Self {
        Self {
            case: notice.case.to_string(),
            process: notice.process.to_string(),
            sender: notice.sender.to_string(),
            due: notice.due.map(Due::from),
            link: notice.link.to_string(),
            portal: notice.link.portal().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(due: Option<DueDate>) -> Notice {
        Notice {
            case: CaseReference::parse("K7Q-4M2X").unwrap(),
            process: ProcessName::from_catalogue("Erroneous Transfers").unwrap(),
            sender: CompanyName::from_directory("Alpha Energy & Co").unwrap(),
            due,
            link: Link::to_case("https://portal.example", "0123456789abcdefghijklmnopqrstuv").unwrap(),
        }
    }

    #[test]
    fn the_notice_says_all_it_may_say() {
        let due = DueDate::on(jiff::civil::date(2026, 6, 5));
        let words = Templates::load().unwrap().render_notice(&notice(Some(due))).unwrap();
        assert_eq!(words.subject, "[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June");
        for part in [
            "Alpha Energy & Co",
            "Erroneous Transfers",
            "K7Q-4M2X",
            "Friday 5 June 2026",
            "https://portal.example/case/0123456789abcdefghijklmnopqrstuv",
        ] {
            assert!(words.text.contains(part), "{part} in {}", words.text);
            let escaped = part.replace('&', "&amp;");
            assert!(words.html.contains(&escaped), "{part} in {}", words.html);
        }
        assert!(words.text.lines().all(|line| line.len() <= 78));
        assert!(words.text.is_ascii());
    }

    #[test]
    fn without_a_date_it_says_so() {
        let words = Templates::load().unwrap().render_notice(&notice(None)).unwrap();
        assert_eq!(words.subject, "[Erroneous Transfers] Case K7Q-4M2X: a message is waiting");
        assert!(!words.text.contains("due"), "{}", words.text);
        assert!(!words.html.contains("due"), "{}", words.html);
    }

    #[test]
    fn nothing_remote_is_in_the_html() {
        let html = Templates::load().unwrap().render_notice(&notice(None)).unwrap().html;
        for forbidden in ["<img", "src=", "<link", "<style", "@import", "url(", "<script", "<form"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        let links = html.matches("href=").count();
        assert_eq!(links, html.matches("href=\"https://portal.example/case/").count());
    }
}
