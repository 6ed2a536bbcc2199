//! The page of a draft, put together: what was typed, what is wrong, what else is to be known before it is sent.

use policies::Field;
use store::{Answering, DraftFile, TextTemplate};
use templates::pages::{Asked as AskedField, Choice, DraftPage, NewCaseFields, ProcessLink, WrittenFile};

use super::fields::room;
use super::letter::{self, Wrong};
use crate::access::drafts::OwnDraft;
use crate::access::{PermittedCase, Visitor};
use crate::error::Problem;
use crate::portal::{Place, Portal};
use crate::writing::reach::{self, Opening, Reach};
use crate::{dates, file_names};

/// What the page says beside the draft.
#[derive(Default)]
pub(super) struct View {
    pub(super) told: Option<String>,
    pub(super) wrong: Wrong,
    /// The rules did not let it.
    pub(super) refused: Option<String>,
    /// Messages have come since the author last looked.
    pub(super) newer: bool,
    pub(super) twins: Option<Twins>,
    /// The id of a text to put behind what is written.
    pub(super) template: Option<String>,
}

/// Open cases about the same.
pub(super) struct Twins {
    pub(super) any: bool,
    pub(super) cases: Vec<PermittedCase>,
}

pub(super) async fn page(portal: &Portal, own: &OwnDraft, view: View) -> Result<String, Problem> {
    let (visitor, words) = (own.visitor(), own.words());
    let texts = portal.ledger.text_templates(visitor.group()).await?;
    let title = letter::title(portal, own);
    let say_of =
        |family, key: Option<&'static str>| key.and_then(|key| portal.words.say_of(family, key, &[]));
    let problem = view.refused.or_else(|| say_of("send_problem", view.wrong.all));
    let (twins, anyway) = twins(portal, view.twins.as_ref());
    Ok(portal.words.page(&DraftPage {
        frame: portal.frame(&title, Some(visitor), Place::Writing),
        here: format!("/draft/{}", own.draft().id),
        token: visitor.form_token().to_owned(),
        title,
        case: own.case().map(case_link),
        company: own.case().map(PermittedCase::counterparty),
        told: view.told,
        invalid: !view.wrong.is_nothing(),
        problem,
        newer: view.newer,
        twins,
        anyway,
        others: others(portal, own).await?,
        opening: own.case().is_none().then(|| opening(portal, own, &view.wrong)),
        text: text(words.text.clone(), view.template.as_deref(), &texts),
        text_problem: say_of("text_problem", view.wrong.text),
        texts: texts.iter().map(choice_of_text).collect(),
        files: own
            .files(portal)
            .await?
            .iter()
            .enumerate()
            .map(|(at, file)| listed(portal, at, file))
            .collect(),
        files_problem: say_of("file_problem", view.wrong.files),
        room: file_names::size(room(portal, own).await?),
        saved: dates::when(own.draft().saved_at),
        seen: words.seen,
    })?)
}

fn case_link(case: &PermittedCase) -> ProcessLink {
    let case = case.case();
    ProcessLink { name: case.reference.to_string(), href: format!("/case/{}", case.id) }
}

fn twins(portal: &Portal, twins: Option<&Twins>) -> (Vec<ProcessLink>, bool) {
    let Some(twins) = twins else { return (Vec::new(), false) };
    let link = |case: &PermittedCase| {
        let opened = dates::when(case.case().opened_at).text;
        let company = case.counterparty();
        let reference = case.case().reference.to_string();
        let name = portal
            .words
            .say("writing.twin", &[("case", &reference), ("company", &company), ("when", &opened)]);
        ProcessLink { name, href: format!("/case/{}", case.case().id) }
    };
    (twins.cases.iter().take(20).map(link).collect(), true)
}

/// Colleagues who are answering the same case.
async fn others(portal: &Portal, own: &OwnDraft) -> Result<Vec<String>, Problem> {
    match own.case() {
        Some(case) => answering(portal, case).await,
        None => Ok(Vec::new()),
    }
}

/// Colleagues who are answering a case, in a sentence each.
pub(crate) async fn answering(portal: &Portal, case: &PermittedCase) -> Result<Vec<String>, Problem> {
    let visitor = case.visitor();
    let all = portal.ledger.answering(case.case().id, visitor.group()).await?;
    let others = all.iter().filter(|answering| answering.user != visitor.id());
    Ok(others.map(|answering| sentence(portal, visitor, answering)).collect())
}

fn sentence(portal: &Portal, visitor: &Visitor, answering: &Answering) -> String {
    let name = visitor.user_name(&answering.user);
    let since = dates::when(answering.since).text;
    portal.words.say("writing.is_answering", &[("name", &name), ("since", &since)])
}

fn opening(portal: &Portal, own: &OwnDraft, wrong: &Wrong) -> NewCaseFields {
    let (visitor, words, catalogue) = (own.visitor(), own.words(), portal.catalogue());
    let opening = reach::opening(visitor, &catalogue, &words.process, &words.participant);
    let say_of =
        |family, key: Option<&'static str>| key.and_then(|key| portal.words.say_of(family, key, &[]));
    let required = opening.as_ref().map(|opening| opening.rung.requires.as_slice()).unwrap_or_default();
    let fields = required.iter().filter_map(|id| catalogue.field(id));
    NewCaseFields {
        participant: words.participant.clone(),
        rung: opening.as_ref().map(|opening| opening.rung.name.clone()).unwrap_or_default(),
        counterparties: opening.as_ref().map(|opening| companies(portal, own, opening)).unwrap_or_default(),
        counterparty_problem: say_of("counterparty_problem", wrong.counterparty),
        asked: portal.asked_tags(),
        tag: words.tag.clone(),
        tag_problem: wrong.tag.and_then(|problem| portal.tag_problem(problem)),
        fields: fields.map(|field| asked(portal, own, field, wrong)).collect(),
        subject: words.subject.clone(),
    }
}

/// Who may be written to, and who would not be told by a mailbox.
fn companies(portal: &Portal, own: &OwnDraft, opening: &Opening<'_>) -> Vec<Choice> {
    let visitor = own.visitor();
    let (process, rung) = (&opening.process.id, &opening.rung.contact_type);
    let choices = reach::counterparties(visitor, opening).into_iter().map(|other| {
        let name = format!("{} \u{b7} {}", visitor.group_name(&other.group), other.mpid);
        let label = match reach::reach(visitor.directory(), other, process, rung) {
            Some(Reach::Mailbox(_)) => name,
            Some(Reach::Person(_)) => portal.words.say("writing.by_person", &[("company", &name)]),
            None => portal.words.say("writing.by_nobody", &[("company", &name)]),
        };
        let chosen = own.words().counterparty == other.mpid.as_str();
        Choice { value: other.mpid.to_string(), label, chosen }
    });
    choices.collect()
}

fn asked(portal: &Portal, own: &OwnDraft, field: &Field, wrong: &Wrong) -> AskedField {
    let id = field.id.as_str();
    let typed = own.words().fields.iter().find(|(known, _)| known == id).map(|(_, value)| value.as_str());
    let choices = field.choices.iter().map(|choice| Choice {
        value: choice.id.clone(),
        label: choice.name.clone(),
        chosen: typed == Some(choice.id.as_str()),
    });
    AskedField {
        id: id.to_owned(),
        name: field.name.clone(),
        choices: choices.collect(),
        problem: wrong
            .fields
            .iter()
            .any(|field| field == id)
            .then(|| portal.words.say("writing.choose_one", &[])),
    }
}

/// What was written, with the chosen text behind it.
fn text(written: String, template: Option<&str>, texts: &[TextTemplate]) -> String {
    let chosen = texts.iter().find(|text| Some(text.id.to_string().as_str()) == template);
    match chosen {
        Some(chosen) if written.trim().is_empty() => chosen.text.clone(),
        Some(chosen) => format!("{}\n\n{}", written.trim_end(), chosen.text),
        None => written,
    }
}

fn choice_of_text(text: &TextTemplate) -> Choice {
    Choice { value: text.id.to_string(), label: text.name.clone(), chosen: false }
}

fn listed(portal: &Portal, at: usize, file: &DraftFile) -> WrittenFile {
    let size = file_names::size(file.received);
    WrittenFile {
        id: file.id.to_string(),
        name: file_names::safe(Some(&file.name), &file.media_type, at + 1),
        size: match (file.whole, file.announced) {
            (true, _) | (false, None) => size,
            (false, Some(whole)) => {
                portal.words.say("writing.of_size", &[("size", &size), ("whole", &file_names::size(whole))])
            }
        },
        unfinished: !file.whole,
    }
}
