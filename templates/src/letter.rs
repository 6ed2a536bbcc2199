//! What all letters have in common: a subject, a plain text and the same words as a small page without images and
//! without anything remote.

use serde::Serialize;
use serde_json::Value;

use crate::fields::{DueDate, Phrase};
use crate::registry::{TemplateError, Templates};

/// A letter in words. `subject` has no line break; `text` and `html` end their lines with LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterText {
    /// One line.
    pub subject: String,
    /// The plain text form.
    pub text: String,
    /// The same words as a small HTML page.
    pub html: String,
}

/// How a company wants its letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LetterStyle {
    /// Stands in every letter, so that people miss it in a forged one.
    pub phrase: Option<Phrase>,
    /// No letter holds a link, but the one that brings the link to a password.
    pub link_free: bool,
}

/// The three templates of a letter.
pub(crate) struct Form {
    pub(crate) subject: &'static str,
    pub(crate) text: &'static str,
    pub(crate) html: &'static str,
}

pub(crate) const NOTICE: Form = Form { subject: "notice.subject", text: "notice.text", html: "notice.html" };
pub(crate) const RECEIPT: Form =
    Form { subject: "receipt.subject", text: "receipt.text", html: "receipt.html" };
pub(crate) const DIGEST: Form = Form { subject: "digest.subject", text: "digest.text", html: "digest.html" };
pub(crate) const ALERT_DIGEST: Form =
    Form { subject: "alert-digest.subject", text: "alert-digest.text", html: "alert-digest.html" };
pub(crate) const IDLE: Form = Form { subject: "idle.subject", text: "idle.text", html: "idle.html" };
pub(crate) const CASE_NEWS: Form =
    Form { subject: "case-news.subject", text: "case-news.text", html: "case-news.html" };
pub(crate) const HELD: Form = Form { subject: "held.subject", text: "held.text", html: "held.html" };
pub(crate) const RETURNED: Form =
    Form { subject: "returned.subject", text: "returned.text", html: "returned.html" };
pub(crate) const PASSWORD: Form =
    Form { subject: "password.subject", text: "password.text", html: "password.html" };

/// A date in the two forms that letters print.
#[derive(Serialize)]
pub(crate) struct Due {
    short: String,
    long: String,
}

impl From<DueDate> for Due {
    fn from(due: DueDate) -> Self {
        Self { short: due.short(), long: due.long() }
    }
}

impl Templates {
    pub(crate) fn letter(&self, form: &Form, words: &impl Serialize) -> Result<LetterText, TemplateError> {
        let unfilled =
            |error: serde_json::Error| TemplateError::Unfilled { name: form.text, reason: error.to_string() };
        let mut words = serde_json::to_value(words).map_err(unfilled)?;
        if self.style.link_free && form.text != PASSWORD.text {
            unlink(&mut words);
        }
        let letter = LetterText {
            subject: self.plain(form.subject, &words)?.trim_end().to_owned(),
            text: self.plain(form.text, &words)?,
            html: self.markup(form.html, &words)?,
        };
        Ok(match &self.style.phrase {
            Some(phrase) => self.with_phrase(letter, phrase),
            None => letter,
        })
    }

    /// Not the templates' business: one that is replaced cannot leave it out.
    fn with_phrase(&self, letter: LetterText, phrase: &Phrase) -> LetterText {
        /// Where the page ends.
        const END: &str = "</body>";
        let says = self.say("letter.phrase", &[]);
        let text = format!("{}\n\n{says}\n  {phrase}\n", letter.text.trim_end());
        let line =
            format!("<p style=\"margin:12px 0 0;font-size:13px\">{says} <strong>{phrase}</strong></p>\n");
        let html = match letter.html.rsplit_once(END) {
            Some((page, rest)) => format!("{page}{line}{END}{rest}"),
            None => format!("{}{line}", letter.html),
        };
        LetterText { text, html, ..letter }
    }
}

/// Takes every address of the portal out of what a letter is filled with.
fn unlink(words: &mut Value) {
    match words {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "link" | "portal" => *value = Value::Null,
                    _ => unlink(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(unlink),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What holds for every letter, whatever it says.
#[cfg(test)]
pub(crate) fn assert_sound(letter: &LetterText) {
    assert!(!letter.subject.is_empty() && !letter.subject.contains(['\n', '\r']), "{}", letter.subject);
    assert!(letter.text.lines().all(|line| line.len() <= 78), "{}", letter.text);
    assert!(letter.text.is_ascii() && !letter.text.contains("{{"));
    for forbidden in ["<img", "src=", "<link", "<style", "@import", "url(", "<script", "<form", "{{"] {
        assert!(!letter.html.contains(forbidden), "{forbidden}");
    }
    let links = letter.html.matches("href=").count();
    assert_eq!(links, letter.html.matches("href=\"https://portal.example").count());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AlertDigest, CaseReference, CompanyName, Digest, DigestLine, Held, HeldReader, HeldReason, HeldState,
        Link, Moment, Notice, PortalAddress, ProcessName, Receipt,
    };

    /// One letter of each kind that may do without a link.
    fn letters(templates: &Templates) -> Vec<LetterText> {
        let case = || CaseReference::parse("K7Q-4M2X").unwrap();
        let process = || ProcessName::from_catalogue("Erroneous Transfers").unwrap();
        let company = || CompanyName::from_directory("Alpha Energy & Co").unwrap();
        let link = || Link::to_case("https://portal.example", "0123456789abcdefghijklmnopqrstuv").unwrap();
        let portal = || PortalAddress::parse("https://portal.example").unwrap();
        let day = DueDate::on(jiff::civil::date(2026, 6, 5));
        let held = |state| Held {
            reader: HeldReader::Sender,
            state,
            reason: HeldReason::PersonalData,
            sender: company(),
            received: Moment::at(jiff::civil::datetime(2026, 6, 5, 12, 0, 0, 0)),
            portal: portal(),
        };
        let line =
            DigestLine { case: case(), process: process(), company: company(), due: None, link: link() };
        vec![
            templates
                .render_notice(&Notice {
                    case: case(),
                    process: process(),
                    sender: company(),
                    due: Some(day),
                    link: link(),
                })
                .unwrap(),
            templates
                .render_receipt(&Receipt {
                    case: case(),
                    process: process(),
                    company: company(),
                    due: Some(day),
                    link: link(),
                })
                .unwrap(),
            templates.render_digest(&Digest { cases: vec![line], portal: portal() }).unwrap(),
            templates
                .render_alert_digest(&AlertDigest { waiting: vec![(process(), 2)], portal: portal() })
                .unwrap(),
            templates
                .render_case_news(&crate::CaseNews {
                    what: crate::NewsOfCase::Escalated,
                    case: case(),
                    process: process(),
                    company: company(),
                    day,
                    link: link(),
                })
                .unwrap(),
            templates.render_held(&held(HeldState::Waiting)).unwrap(),
            templates.render_held(&held(HeldState::Returned)).unwrap(),
        ]
    }

    #[test]
    fn a_letter_without_links_holds_no_address_of_the_web() {
        let templates = Templates::load().unwrap();
        for letter in letters(&templates) {
            assert!(letter.text.contains("https://portal.example"), "{}", letter.text);
        }
        for letter in letters(&templates.styled(LetterStyle { phrase: None, link_free: true })) {
            assert_sound(&letter);
            for form in [&letter.text, &letter.html] {
                assert!(
                    !form.contains("://") && !form.contains("href") && !form.contains("example"),
                    "{form}"
                );
            }
        }
    }

    #[test]
    fn the_phrase_stands_in_every_letter() {
        let phrase = Some(Phrase::parse("Green kettle, on the roof").unwrap());
        let templates = Templates::load().unwrap().styled(LetterStyle { phrase, link_free: false });
        for letter in letters(&templates) {
            assert_sound(&letter);
            for form in [&letter.text, &letter.html] {
                assert!(form.contains("Green kettle, on the roof"), "{form}");
            }
            assert!(letter.html.trim_end().ends_with("</html>"), "{}", letter.html);
        }
        for refused in [
            "kettle",
            "ab cd",
            "a <b> kettle",
            "kettle 1200023305967",
            "https://x.example y",
            "tea & milk jug",
        ] {
            assert!(Phrase::parse(refused).is_err(), "{refused}");
        }
    }
}
