//! News of a case beside that a message waits: it was escalated, it may be escalated, an answer is due soon, its content goes
//! soon. Like a notice it says where and by when, and nothing of what is in the case.

use serde::Serialize;

use crate::fields::{CaseReference, CompanyName, DueDate, Link, ProcessName};
use crate::letter::{CASE_NEWS, Due, LetterText};
use crate::registry::{TemplateError, Templates};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsOfCase {
    /// The other company took it to the next rung; the answer is due on that day.
    Escalated,
    /// The other company's answer was due on that day; the reader's may escalate.
    EscalationOpen,
    /// The reader's company owes an answer by that day.
    DueSoon,
    /// The content is destroyed on that day.
    ArchiveSoon,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNews {
    pub what: NewsOfCase,
    pub case: CaseReference,
    pub process: ProcessName,
    /// The company on the other side.
    pub company: CompanyName,
    pub day: DueDate,
    pub link: Link,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    case: String,
    process: String,
    company: String,
    day: Due,
    link: String,
    portal: String,
    /// What happened, in a few words for the subject.
    subject: String,
    /// The same as a sentence.
    says: String,
    /// What the day is.
    label: String,
    /// What to do.
    advice: String,
}

impl NewsOfCase {
    fn name(self) -> &'static str {
        match self {
            Self::Escalated => "escalated",
            Self::EscalationOpen => "open",
            Self::DueSoon => "due",
            Self::ArchiveSoon => "archive",
        }
    }
}

impl Templates {
    /// Puts news into words: `[Erroneous Transfers] Case K7Q-4M2X: escalated, answer due 5 June`.
    pub fn render_case_news(&self, news: &CaseNews) -> Result<LetterText, TemplateError> {
        let day = Due::from(news.day);
        let short = news.day.short();
        let name = news.what.name();
        let words = Words {
            case: news.case.to_string(),
            process: news.process.to_string(),
            company: news.company.to_string(),
            subject: self.say_of("case_news_subject", name, &[("day", &short)]).unwrap_or_default(),
            says: self.say_of("case_news_says", name, &[]).unwrap_or_default(),
            label: self.say_of("case_news_label", name, &[]).unwrap_or_default(),
            advice: self.say_of("case_news_advice", name, &[]).unwrap_or_default(),
            link: news.link.to_string(),
            portal: news.link.portal().to_string(),
            day,
        };
        self.letter(&CASE_NEWS, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    #[test]
    fn each_piece_of_news_says_where_and_when() {
        for (what, subject) in [
            (NewsOfCase::Escalated, "escalated, answer due 5 June"),
            (NewsOfCase::EscalationOpen, "unanswered, escalation is possible"),
            (NewsOfCase::DueSoon, "your answer is due 5 June"),
            (NewsOfCase::ArchiveSoon, "content is destroyed on 5 June"),
        ] {
            let news = CaseNews {
                what,
                case: CaseReference::parse("K7Q-4M2X").unwrap(),
                process: ProcessName::from_catalogue("Erroneous Transfers").unwrap(),
                company: CompanyName::from_directory("Beta Power & Co").unwrap(),
                day: DueDate::on(jiff::civil::date(2026, 6, 5)),
                link: Link::to_case("https://portal.example", "0123456789abcdefghijklmnopqrstuv").unwrap(),
            };
            let letter = Templates::load().unwrap().render_case_news(&news).unwrap();
            assert_sound(&letter);
            assert_eq!(letter.subject, format!("[Erroneous Transfers] Case K7Q-4M2X: {subject}"));
            for part in
                ["Beta Power & Co", "K7Q-4M2X", "Friday 5 June 2026", "https://portal.example/case/0123"]
            {
                assert!(letter.text.contains(part), "{part} in {}", letter.text);
                assert!(letter.html.contains(&part.replace('&', "&amp;")), "{part} in {}", letter.html);
            }
        }
    }
}
