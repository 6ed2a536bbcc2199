//! From what was typed to what can be sent: every field checked, each with what is wrong beside it.

use mail::{Mpid, Tag, TagKind};
use policies::{FieldId, Process, TagNames};
use store::{CaseState, Opening};

use crate::access::drafts::OwnDraft;
use crate::portal::Portal;
use crate::writing::reach::{self, Reach};
use crate::writing::send::{self, Destination, Letter};

/// Longest tag, in bytes.
const LONGEST_TAG: usize = 80;

/// What is wrong, by field: each a key of the family of texts that is named.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    /// `counterparty_problem`
    pub(super) counterparty: Option<&'static str>,
    /// `tag_problem`
    pub(super) tag: Option<&'static str>,
    /// `text_problem`
    pub(super) text: Option<&'static str>,
    /// `file_problem`
    pub(super) files: Option<&'static str>,
    /// Fields of the catalogue that were not answered.
    pub(super) fields: Vec<String>,
    /// `send_problem`: about the whole.
    pub(super) all: Option<&'static str>,
}

impl Wrong {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What the draft is, in a few words.
pub(super) fn title(portal: &Portal, own: &OwnDraft) -> String {
    match own.case() {
        Some(case) => portal.words.say("writing.answer_in", &[("case", &case.case().reference.to_string())]),
        None => portal.words.say("writing.new_in", &[("process", &process_name(portal, own))]),
    }
}

fn process_name(portal: &Portal, own: &OwnDraft) -> String {
    let catalogue = portal.catalogue();
    let id = own.words().process.parse().ok();
    let process = id.and_then(|id| catalogue.process(&id));
    process.map_or_else(|| own.words().process.clone(), |process| process.name.clone())
}

/// What a typed number is. Nothing typed is no tag; what is none of them is wrong, and why is a key of `tag_problem`.
pub(super) fn tags(names: &TagNames, typed: &str) -> Result<Vec<Tag>, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    if typed.len() > LONGEST_TAG {
        return Err("long");
    }
    let digits = typed.bytes().filter(u8::is_ascii_digit).count();
    let plain = typed.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
    let numbers: Vec<_> =
        names.read(typed).into_iter().filter(|tag| tag.kind() != TagKind::Reference).collect();
    if !numbers.is_empty() {
        return Ok(numbers);
    }
    // Long numbers are those of meters, where the market has them.
    if plain && names.of(TagKind::Mpan).is_some() {
        match digits {
            13 | 21 => return Err("check_digit"),
            11..=21 => return Err("length"),
            _ => {}
        }
    }
    names.read_as(TagKind::Reference, typed).map(|tag| vec![tag]).ok_or("none")
}

/// The destination and the letter, or what is wrong with them.
pub(super) fn checked<'a>(
    portal: &Portal,
    own: &'a OwnDraft,
    files: usize,
) -> Result<(Destination<'a>, Letter), Wrong> {
    let words = own.words();
    let mut wrong = Wrong::default();
    if words.text.trim().is_empty() && files == 0 {
        wrong.text = Some("empty");
    }
    if words.text.contains('\0') {
        wrong.text = Some("nul");
    }
    let Some(case) = own.case() else { return new_case(portal, own, wrong) };
    if case.case().state(own.visitor().group()) == CaseState::Archived {
        wrong.all = Some("archived");
    } else if case.case().messages >= store::MOST_MESSAGES {
        wrong.all = Some("full");
    }
    if !wrong.is_nothing() {
        return Err(wrong);
    }
    let subject = portal.words.say("writing.subject_answer", &[("case", &case.case().reference.to_string())]);
    let letter = Letter { subject, text: words.text.clone(), tags: Vec::new() };
    Ok((Destination::Answer(case), letter))
}

fn new_case<'a>(
    portal: &Portal,
    own: &'a OwnDraft,
    mut wrong: Wrong,
) -> Result<(Destination<'a>, Letter), Wrong> {
    let (words, visitor, catalogue) = (own.words(), own.visitor(), portal.catalogue());
    let Some(opening) = reach::opening(visitor, &catalogue, &words.process, &words.participant) else {
        wrong.all = Some("not_permitted");
        return Err(wrong);
    };
    let tags = tags(&portal.tag_names(), &words.tag).unwrap_or_else(|problem| {
        wrong.tag = Some(problem);
        Vec::new()
    });
    let stated = stated(portal, own, opening.process, &opening.rung.requires, &mut wrong);
    let to = reached(own, &opening, &mut wrong);
    let due = portal.due(&opening.process.id, &opening.rung.contact_type);
    if due.is_none() {
        wrong.all = Some("not_permitted");
    }
    let (Some((other, to)), Some(deadline), true) = (to, due, wrong.is_nothing()) else { return Err(wrong) };
    let [initiator, responder] = send::parties(own, opening.participant.clone(), other, &to);
    let letter = Letter {
        subject: subject(&words.subject, &words.tag, opening.process),
        text: text(&stated, &words.text),
        tags,
    };
    let opening = Opening {
        process: opening.process.id.clone(),
        contact_type: opening.rung.contact_type.clone(),
        initiator,
        responder,
        deadline,
    };
    Ok((Destination::NewCase { opening: Box::new(opening), to }, letter))
}

fn reached<'a>(
    own: &'a OwnDraft,
    opening: &reach::Opening<'_>,
    wrong: &mut Wrong,
) -> Option<(&'a store::Participant, Reach)> {
    let visitor = own.visitor();
    let chosen: Option<Mpid> = own.words().counterparty.parse().ok();
    let others = reach::counterparties(visitor, opening);
    let Some(other) = others.into_iter().find(|other| Some(&other.mpid) == chosen.as_ref()) else {
        wrong.counterparty = Some("choose");
        return None;
    };
    let rung = &opening.rung.contact_type;
    let to = reach::reach(visitor.directory(), other, &opening.process.id, rung);
    if to.is_none() {
        wrong.counterparty = Some("unreachable");
    }
    to.map(|to| (other, to))
}

/// What the catalogue wants to be said, in words; what is not answered is wrong.
fn stated(
    portal: &Portal,
    own: &OwnDraft,
    _process: &Process,
    requires: &[FieldId],
    wrong: &mut Wrong,
) -> Vec<String> {
    let catalogue = portal.catalogue();
    let mut stated = Vec::new();
    for field in requires.iter().filter_map(|id| catalogue.field(id)) {
        let typed = own.words().fields.iter().find(|(id, _)| *id == field.id.as_str());
        let choice = typed.and_then(|(_, value)| field.choices.iter().find(|choice| choice.id == *value));
        match choice {
            Some(choice) => stated.push(format!("{}: {}", field.name, choice.name)),
            None => wrong.fields.push(field.id.as_str().to_owned()),
        }
    }
    stated
}

fn text(stated: &[String], text: &str) -> String {
    match stated.is_empty() {
        true => text.to_owned(),
        false => format!("{}\n\n{text}", stated.join("\n")),
    }
}

/// As people write it in a mail: the code of the process, then what it is about.
fn subject(typed: &str, tag: &str, process: &Process) -> String {
    let about = if typed.is_empty() { tag } else { typed };
    let mark = process.code.as_ref().map_or(process.name.as_str(), |code| code.as_str());
    format!("[{mark}] {about}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_it_is_or_wrong() {
        let rules = policies::TagRules::shipped().unwrap();
        let tags = |typed: &str| super::tags(rules.names(), typed);
        assert_eq!(tags(""), Ok(Vec::new()));
        assert_eq!(tags("1200023305967").unwrap(), [Tag::mpan("1200023305967").unwrap()]);
        assert_eq!(tags("12 0002 3305 967").unwrap(), [Tag::mpan("1200023305967").unwrap()]);
        assert_eq!(tags("1200023305968"), Err("check_digit"));
        assert_eq!(tags("120002330596"), Err("length"));
        assert_eq!(tags(&"x".repeat(81)), Err("long"));
        assert_eq!(tags("ABC-1234").unwrap(), [Tag::reference("ABC-1234").unwrap()]);
    }

    #[test]
    fn where_there_are_no_meters_a_long_number_is_a_reference() {
        let files = policies::RuleFiles::casework();
        let rules = policies::Ruleset::read(files).unwrap();
        for typed in ["1200023305967", "1200023305968", "120002330596"] {
            let found = super::tags(rules.tags().names(), typed).unwrap();
            assert_eq!(found, [Tag::reference(typed).unwrap()]);
        }
    }
}
