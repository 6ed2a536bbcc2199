//! What all letters have in common: a subject, a plain text and the same words as a small page without images and
//! without anything remote.

use serde::Serialize;

use crate::fields::DueDate;
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
        Ok(LetterText {
            subject: self.plain(form.subject, words)?.trim_end().to_owned(),
            text: self.plain(form.text, words)?,
            html: self.markup(form.html, words)?,
        })
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
