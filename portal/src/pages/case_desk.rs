//! How a case stands and what can be done with it, in words: state, clocks, escalation, ends, and what the visitor's side keeps
//! about it. Decides nothing: what is possible says the escalation table.

use jiff::Timestamp;
use mail::{GroupId, TagKind};
use policies::access::Action;
use policies::escalation::{Gate, Reason, Step};
use policies::{Setting, TagName, TagNames};
use store::{CaseEnd, CaseReason, CaseState, Detail, Due};
use templates::pages::{
    AskedField, Choice, ClockFace, Desk, EscalationForm, Kept, Mark, NoteRow, TagRow, Typed, TypedTag,
};

use super::{case_history, mail_words};
use crate::access::PermittedCase;
use crate::dates;
use crate::error::Problem;
use crate::portal::Portal;

/// Notes on one page; the newest are shown first.
const NOTES: usize = 4;

/// Lines of the history on the page of the case.
const LINES: usize = 6;

/// What was typed and did not take effect, to be shown again with its error, and which notes are looked at.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub(super) tag: Option<(String, String, String)>,
    pub(super) note: Option<(String, String)>,
    /// Fields of an escalation: id, choice, error.
    pub(super) fields: Vec<(String, String, Option<String>)>,
    /// How many of the newest notes are passed over.
    pub(super) notes_before: usize,
}

pub(super) async fn desk(
    portal: &Portal,
    permitted: &PermittedCase,
    entered: &Entered,
) -> Result<Desk, Problem> {
    let (case, visitor) = (permitted.case(), permitted.visitor());
    let here = format!("/case/{}", case.id);
    let state = permitted.state();
    let notes = permitted.notes(portal).await?;
    let end = notes.len().saturating_sub(entered.notes_before);
    let start = end.saturating_sub(NOTES);
    let shown = notes.get(start..end).unwrap_or_default();
    let lines = permitted.history(portal, Detail::Changes, None, LINES).await?;
    let possible = |step, action| permitted.may(action) && permitted.gate(portal, step) == Gate::Open;
    let reasons = |reasons: &[CaseReason], possible: bool| -> Vec<Choice> {
        let all = reasons.iter().map(|reason| choice(reason.as_str(), reason_words(portal, *reason), false));
        if possible { all.collect() } else { Vec::new() }
    };
    let takers = permitted.takers().into_iter().filter(|_| possible(Step::Assign, Action::Assign));
    Ok(Desk {
        state: mark(portal, state),
        standing: standing(portal, permitted),
        clocks: clocks(portal, permitted),
        kept: kept(portal, permitted),
        archived: state == CaseState::Archived,
        takers: takers.map(|(user, name)| choice(&user.to_string(), name, false)).collect(),
        escalation: escalation(portal, permitted, entered),
        closing: reasons(&CaseReason::CLOSING, possible(Step::Close, Action::Close)),
        unclosable: unclosable(portal, permitted),
        reopening: reasons(&CaseReason::REOPENING, possible(Step::Reopen, Action::Reopen)),
        tags: tags(portal, permitted).await?,
        tag: typed_tag(portal, entered),
        notes: shown
            .iter()
            .map(|note| NoteRow {
                by: note.by.map_or_else(String::new, |user| visitor.user_name(&user)),
                at: dates::when(note.at),
                text: note.text.clone(),
            })
            .collect(),
        older_notes: start,
        all_notes: format!("{here}?notes={}#notes", entered.notes_before + NOTES),
        note: match &entered.note {
            Some((value, error)) => Typed { value: value.clone(), error: Some(error.clone()) },
            None => Typed::default(),
        },
        history: lines.events.iter().map(|event| case_history::line(portal, permitted, event)).collect(),
        token: visitor.form_token().to_owned(),
        here,
    })
}

fn choice(value: &str, label: String, chosen: bool) -> Choice {
    Choice { value: value.to_owned(), label, chosen }
}

pub(super) fn reason_words(portal: &Portal, reason: CaseReason) -> String {
    portal.words.say_of("case_reason", reason.as_str(), &[]).unwrap_or_else(|| reason.as_str().to_owned())
}

fn mark(portal: &Portal, state: CaseState) -> Mark {
    let (name, look) = match state {
        CaseState::Open => ("open", "plain"),
        CaseState::AwaitingUs => ("awaiting_us", "soon"),
        CaseState::AwaitingThem => ("awaiting_them", "plain"),
        CaseState::Escalated => ("escalated", "bad"),
        CaseState::Closed => ("closed", "good"),
        CaseState::Archived => ("archived", "plain"),
    };
    Mark { label: portal.words.say_of("case_state", name, &[]).unwrap_or_default(), state: look }
}

/// Who owes an answer by when, or why nobody does.
pub(super) fn standing(portal: &Portal, permitted: &PermittedCase) -> String {
    let (case, visitor) = (permitted.case(), permitted.visitor());
    let say = |name: &str, values: &[(&str, &str)]| {
        portal.words.say_of("case_standing", name, values).unwrap_or_default()
    };
    if let Some(ended) = &case.ended {
        let date = dates::when(ended.at).text;
        if ended.how == CaseEnd::Archived {
            return say("archived", &[("date", &date)]);
        }
        let who = ended.side.as_ref().map(|side| company(permitted, side)).unwrap_or_default();
        let reason = ended.reason.map(|reason| reason_words(portal, reason)).unwrap_or_default();
        return say("closed", &[("who", &who), ("date", &date), ("reason", &reason)]);
    }
    let Some(due) = &case.due else { return say("open", &[]) };
    let ours = due.side == *visitor.group();
    let name = match (ours, portal.ledger.now() > due.at) {
        (true, false) => "ours",
        (true, true) => "ours_late",
        (false, false) => "theirs",
        (false, true) => "theirs_late",
    };
    let date = dates::when(due.at).text;
    say(name, &[("company", &visitor.group_name(&due.side)), ("date", &date)])
}

fn company(permitted: &PermittedCase, group: &GroupId) -> String {
    permitted.visitor().group_name(group)
}

/// What each side owes, the visitor's first.
fn clocks(portal: &Portal, permitted: &PermittedCase) -> Vec<ClockFace> {
    let (case, now) = (permitted.case(), portal.ledger.now());
    let own = permitted.own_side().into_iter();
    let sides = own.chain(permitted.other_sides());
    sides
        .map(|side| ClockFace {
            who: company(permitted, &side.group),
            says: match case.due.as_ref().filter(|due| due.side == side.group) {
                Some(due) => owed(portal, due, now),
                None => portal.words.say("case.clock_none", &[]),
            },
        })
        .collect()
}

fn owed(portal: &Portal, due: &Due, now: Timestamp) -> String {
    let date = dates::when(due.at).text;
    match now > due.at {
        true => portal.words.say("case.clock_late", &[("date", &date)]),
        false => portal.words.say("case.clock_runs", &[("date", &date)]),
    }
}

fn kept(portal: &Portal, permitted: &PermittedCase) -> Option<Kept> {
    let catalogue = portal.catalogue();
    let process = catalogue.process(&permitted.case().process)?;
    let until = dates::day(dates::today(permitted.goes_at(process)));
    (!permitted.case().is_archived()).then(|| Kept { until, assumed: process.is_default(Setting::Retention) })
}

/// Always there for those who may escalate, and says when it opens.
fn escalation(portal: &Portal, permitted: &PermittedCase, entered: &Entered) -> Option<EscalationForm> {
    if !permitted.may(Action::Escalate) {
        return None;
    }
    let gate = permitted.gate(portal, Step::Escalate);
    let next = permitted.next_rung(portal);
    let label = match &next {
        Some((rung, _)) => portal.words.say("case.escalate_to", &[("rung", &rung.name)]),
        None => portal.words.say("case.escalate", &[]),
    };
    let leaves = next.as_ref().filter(|(rung, _)| !permitted.follows_to(rung));
    let leaves = leaves.map(|(rung, _)| portal.words.say("case.escalate_leaves", &[("rung", &rung.name)]));
    let fields = next.map(|(_, fields)| fields).unwrap_or_default();
    Some(EscalationForm {
        open: gate == Gate::Open,
        seen: permitted.case().contact_type.to_string(),
        label,
        says: gate_words(portal, permitted, gate),
        leaves,
        fields: fields
            .iter()
            .map(|field| {
                let typed = entered.fields.iter().find(|(id, ..)| id == field.id.as_str());
                let chosen = typed.map_or("", |(_, choice, _)| choice);
                let choices = field.choices.iter();
                AskedField {
                    name: field.id.as_str().to_owned(),
                    label: field.name.clone(),
                    choices: choices.map(|c| choice(&c.id, c.name.clone(), c.id == chosen)).collect(),
                    error: typed.and_then(|(.., error)| error.clone()),
                }
            })
            .collect(),
    })
}

/// Since when, from when on, or why not.
pub(super) fn gate_words(portal: &Portal, permitted: &PermittedCase, gate: Gate) -> String {
    let due = permitted.case().due.as_ref().map(|due| dates::when(due.at).text).unwrap_or_default();
    let other = permitted.counterparty();
    let (name, date) = match gate {
        Gate::Open => ("open", due),
        Gate::OpensAt(at) => ("opens", dates::when(at).text),
        Gate::Never(reason) => (reason_name(reason), due),
    };
    let values = [("date", date.as_str()), ("company", other.as_str())];
    portal.words.say_of("case_gate", name, &values).unwrap_or_default()
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Denied | Reason::InitiatorOnly => "initiator_only",
        Reason::NothingOwed | Reason::AnswerOwed => "nothing_owed",
        Reason::HighestRung => "highest_rung",
        Reason::Closed | Reason::NotClosed => "closed",
        Reason::Archived => "archived",
    }
}

fn unclosable(portal: &Portal, permitted: &PermittedCase) -> Option<String> {
    let owed = permitted.gate(portal, Step::Close) == Gate::Never(Reason::AnswerOwed);
    owed.then(|| portal.words.say("case.close_owed", &[]))
}

async fn tags(portal: &Portal, permitted: &PermittedCase) -> Result<Vec<TagRow>, Problem> {
    let (tags, names) = (permitted.tags(portal).await?, portal.tag_names());
    let row = |tag: store::CaseTag| TagRow {
        kind: tag.tag.kind().as_str().to_owned(),
        label: kind_words(&names, tag.tag.kind()),
        value: mail_words::line(tag.tag.value()),
        by: tag.by.map(|user| permitted.visitor().user_name(&user)),
    };
    Ok(tags.into_iter().map(row).collect())
}

/// A tag of an earlier market's may have a kind that this one does not name.
fn kind_words(names: &TagNames, kind: TagKind) -> String {
    names.of(kind).map_or_else(|| kind.as_str().to_owned(), |name| name.label.clone())
}

fn typed_tag(portal: &Portal, entered: &Entered) -> TypedTag {
    let typed = entered.tag.as_ref();
    let names = portal.tag_names();
    let first = names.iter().next().map_or("", |name| name.kind.as_str());
    let chosen = typed.map_or(first, |(kind, ..)| kind);
    let kind = |name: &TagName| choice(name.kind.as_str(), name.label.clone(), name.kind.as_str() == chosen);
    TypedTag {
        kinds: names.iter().map(kind).collect(),
        value: typed.map(|(_, value, _)| value.clone()).unwrap_or_default(),
        error: typed.map(|(.., error)| error.clone()),
    }
}
