//! The compiled templates: all of them at start, or none.
//!
//! Two registries, because plain text must not be escaped and markup always must be. Strict mode:
//! a field that a context does not have is an error, never an empty string.

use std::sync::Arc;

use handlebars::{Handlebars, no_escape};
use serde::Serialize;

use crate::letter::LetterStyle;
use crate::pages::Page;
use crate::words::{Words, WordsError};

const MARKUP: &[(&str, &str)] = &[
    ("layout", include_str!("../pages/layout.hbs")),
    ("case-table", include_str!("../pages/case-table.hbs")),
    ("sign-in", include_str!("../pages/sign-in.hbs")),
    ("new-password", include_str!("../pages/new-password.hbs")),
    ("forgotten", include_str!("../pages/forgotten.hbs")),
    ("second-step", include_str!("../pages/second-step.hbs")),
    ("sign-in-settings", include_str!("../pages/sign-in-settings.hbs")),
    ("sign-in-rules", include_str!("../pages/sign-in-rules.hbs")),
    ("alerts", include_str!("../pages/alerts.hbs")),
    ("own-notices", include_str!("../pages/own-notices.hbs")),
    ("api-tokens", include_str!("../pages/api-tokens.hbs")),
    ("new-passkey", include_str!("../pages/new-passkey.hbs")),
    ("own-proof", include_str!("../pages/own-proof.hbs")),
    ("set-up", include_str!("../pages/set-up.hbs")),
    ("recovery-codes", include_str!("../pages/recovery-codes.hbs")),
    ("home", include_str!("../pages/home.hbs")),
    ("given", include_str!("../pages/given.hbs")),
    ("process", include_str!("../pages/process.hbs")),
    ("case", include_str!("../pages/case.hbs")),
    ("case-actions", include_str!("../pages/case-actions.hbs")),
    ("case-keeping", include_str!("../pages/case-keeping.hbs")),
    ("case-lines", include_str!("../pages/case-lines.hbs")),
    ("case-history", include_str!("../pages/case-history.hbs")),
    ("case-print", include_str!("../pages/case-print.hbs")),
    ("paper-head", include_str!("../pages/paper-head.hbs")),
    ("transcript-head", include_str!("../pages/transcript-head.hbs")),
    ("transcript-message", include_str!("../pages/transcript-message.hbs")),
    ("message", include_str!("../pages/message.hbs")),
    ("message-card", include_str!("../pages/message-card.hbs")),
    ("mail", include_str!("../pages/mail.hbs")),
    ("files", include_str!("../pages/files.hbs")),
    ("search", include_str!("../pages/search.hbs")),
    ("held-list", include_str!("../pages/held-list.hbs")),
    ("held", include_str!("../pages/held.hbs")),
    ("account", include_str!("../pages/account.hbs")),
    ("mail-ways", include_str!("../pages/mail-ways.hbs")),
    ("chart", include_str!("../pages/chart.hbs")),
    ("report", include_str!("../pages/report.hbs")),
    ("audit", include_str!("../pages/audit.hbs")),
    ("table", include_str!("../pages/table.hbs")),
    ("shadow", include_str!("../pages/shadow.hbs")),
    ("stage-question", include_str!("../pages/stage-question.hbs")),
    ("answer-bar", include_str!("../pages/answer-bar.hbs")),
    ("drafts", include_str!("../pages/drafts.hbs")),
    ("draft", include_str!("../pages/draft.hbs")),
    ("new-case", include_str!("../pages/new-case.hbs")),
    ("texts", include_str!("../pages/texts.hbs")),
    ("people", include_str!("../pages/people.hbs")),
    ("person", include_str!("../pages/person.hbs")),
    ("grid", include_str!("../pages/grid.hbs")),
    ("several", include_str!("../pages/several.hbs")),
    ("mailboxes", include_str!("../pages/mailboxes.hbs")),
    ("people-file", include_str!("../pages/people-file.hbs")),
    ("companies", include_str!("../pages/companies.hbs")),
    ("company", include_str!("../pages/company.hbs")),
    ("new-company", include_str!("../pages/new-company.hbs")),
    ("calendars", include_str!("../pages/calendars.hbs")),
    ("new-person", include_str!("../pages/new-person.hbs")),
    ("problem", include_str!("../pages/problem.hbs")),
    ("outbox", include_str!("../pages/outbox.hbs")),
    ("notice.html", include_str!("../mail/notice.html.hbs")),
    ("receipt.html", include_str!("../mail/receipt.html.hbs")),
    ("digest.html", include_str!("../mail/digest.html.hbs")),
    ("alert-digest.html", include_str!("../mail/alert-digest.html.hbs")),
    ("idle.html", include_str!("../mail/idle.html.hbs")),
    ("case-news.html", include_str!("../mail/case-news.html.hbs")),
    ("held.html", include_str!("../mail/held.html.hbs")),
    ("password.html", include_str!("../mail/password.html.hbs")),
    ("returned.html", include_str!("../mail/returned.html.hbs")),
];

const PLAIN: &[(&str, &str)] = &[
    ("notice.subject", include_str!("../mail/notice.subject.hbs")),
    ("notice.text", include_str!("../mail/notice.text.hbs")),
    ("receipt.subject", include_str!("../mail/receipt.subject.hbs")),
    ("receipt.text", include_str!("../mail/receipt.text.hbs")),
    ("digest.subject", include_str!("../mail/digest.subject.hbs")),
    ("digest.text", include_str!("../mail/digest.text.hbs")),
    ("alert-digest.subject", include_str!("../mail/alert-digest.subject.hbs")),
    ("alert-digest.text", include_str!("../mail/alert-digest.text.hbs")),
    ("idle.subject", include_str!("../mail/idle.subject.hbs")),
    ("idle.text", include_str!("../mail/idle.text.hbs")),
    ("case-news.subject", include_str!("../mail/case-news.subject.hbs")),
    ("case-news.text", include_str!("../mail/case-news.text.hbs")),
    ("held.subject", include_str!("../mail/held.subject.hbs")),
    ("held.text", include_str!("../mail/held.text.hbs")),
    ("returned.subject", include_str!("../mail/returned.subject.hbs")),
    ("returned.text", include_str!("../mail/returned.text.hbs")),
    ("password.subject", include_str!("../mail/password.subject.hbs")),
    ("password.text", include_str!("../mail/password.text.hbs")),
    ("delivery.subject", include_str!("../mail/delivery.subject.hbs")),
    ("delivery.text", include_str!("../mail/delivery.text.hbs")),
];

/// A template that does not compile, or that asks for what its context does not have.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Found at start.
    #[error("template {name} does not compile: {reason}")]
    Broken { name: &'static str, reason: String },
    /// Found at start.
    #[error("the file of texts: {0}")]
    Words(#[from] WordsError),
    /// Found while a page or notice was put into words.
    #[error("template {name} cannot be filled: {reason}")]
    Unfilled { name: &'static str, reason: String },
}

/// All templates, compiled; and how letters are to look.
#[derive(Clone)]
pub struct Templates {
    markup: Arc<Handlebars<'static>>,
    plain: Arc<Handlebars<'static>>,
    words: Words,
    pub(crate) style: LetterStyle,
}

impl Templates {
    /// Compiles every template; the process must not start when one is broken.
    pub fn load() -> Result<Self, TemplateError> {
        let words = Words::english()?;
        let markup = compile(Handlebars::new(), MARKUP, &words)?;
        let mut unescaped = Handlebars::new();
        unescaped.register_escape_fn(no_escape);
        let plain = compile(unescaped, PLAIN, &words)?;
        let (markup, plain, style) = (Arc::new(markup), Arc::new(plain), LetterStyle::default());
        Ok(Self { markup, plain, words, style })
    }

    /// The same templates for letters that look as a company wants them.
    #[must_use]
    pub fn styled(&self, style: LetterStyle) -> Self {
        Self { style, ..self.clone() }
    }

    /// The text of a key of the file of texts, its values filled in; a test keeps unknown keys out of the code.
    pub fn say(&self, key: &'static str, values: &[(&str, &str)]) -> String {
        self.words.say(key, values).unwrap_or_else(|| key.to_owned())
    }

    /// The text of one of a family of keys, `family.name`; `None` where the family has no such name.
    pub fn say_of(&self, family: &'static str, name: &str, values: &[(&str, &str)]) -> Option<String> {
        self.words.say(&format!("{family}.{name}"), values)
    }

    /// One page of the portal as HTML.
    pub fn page<P: Page>(&self, page: &P) -> Result<String, TemplateError> {
        self.markup(P::TEMPLATE, page)
    }

    pub(crate) fn markup(
        &self,
        name: &'static str,
        context: &impl Serialize,
    ) -> Result<String, TemplateError> {
        fill(&self.markup, name, context)
    }

    pub(crate) fn plain(
        &self,
        name: &'static str,
        context: &impl Serialize,
    ) -> Result<String, TemplateError> {
        fill(&self.plain, name, context)
    }
}

fn compile(
    mut registry: Handlebars<'static>,
    templates: &[(&'static str, &'static str)],
    words: &Words,
) -> Result<Handlebars<'static>, TemplateError> {
    registry.set_strict_mode(true);
    registry.register_helper("say", Box::new(words.clone()));
    // A partial must not indent what it prints: the text of a message stands in one.
    registry.set_prevent_indent(true);
    for (name, text) in templates {
        registry
            .register_template_string(name, text)
            .map_err(|error| TemplateError::Broken { name, reason: error.to_string() })?;
    }
    Ok(registry)
}

fn fill(
    registry: &Handlebars<'static>,
    name: &'static str,
    context: &impl Serialize,
) -> Result<String, TemplateError> {
    registry
        .render(name, context)
        .map_err(|error| TemplateError::Unfilled { name, reason: error.to_string() })
}
