//! The catalogue's file: its raw form, and the way from it to the catalogue, with each mistake named at its line.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
};

use mail::ContactType;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Aliases, Branch, Catalogue, Choice, Field, FieldId, Opaque, Process, Rung, Setting, SubjectCode,
    alias::plain,
};
use crate::{CalendarName, PolicyError, source::Source};

/// A name goes into subject lines.
const NAME_MAX: usize = 60;
const ID_MAX: usize = 40;
/// A year of working days; more is a slip of the pen.
const WORKING_DAYS_MAX: u32 = 250;
/// A month of working days.
const WARNING_MAX: u32 = 20;
/// Ten years.
const RETENTION_MAX: u32 = 3_650;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    retention_days: Spanned<u32>,
    warn_working_days: Option<Spanned<u32>>,
    calendar: Spanned<String>,
    opaque: Opaque,
    #[serde(default)]
    default: BTreeSet<Setting>,
    #[serde(default)]
    branches: Vec<RawBranch>,
    roles: Vec<String>,
    contact_types: Vec<RawContactType>,
    #[serde(default)]
    fields: Vec<RawField>,
    #[serde(rename = "process")]
    processes: Vec<RawProcess>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBranch {
    id: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContactType {
    id: Spanned<String>,
    name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    id: Spanned<String>,
    name: Spanned<String>,
    choices: Spanned<Vec<RawChoice>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChoice {
    id: Spanned<String>,
    name: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProcess {
    id: Spanned<String>,
    name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    branch: Option<Spanned<String>>,
    roles: Spanned<Vec<Spanned<String>>>,
    rungs: Spanned<Vec<RawRung>>,
    code: Option<Spanned<String>>,
    opaque: Option<Opaque>,
    retention_days: Option<Spanned<u32>>,
    calendar: Option<Spanned<String>>,
    #[serde(default)]
    default: BTreeSet<Setting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRung {
    contact_type: Spanned<String>,
    working_days: Spanned<u32>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    requires: Vec<Spanned<String>>,
}

/// What stands at the top of the file, and is meant by what stands below.
struct Top<'a> {
    source: Source<'a>,
    branches: Vec<String>,
    roles: Vec<String>,
    contact_types: Vec<(ContactType, String)>,
    fields: Vec<Field>,
    retention_days: u32,
    warn_working_days: u32,
    calendar: CalendarName,
    opaque: Opaque,
    /// Which of those three are assumed.
    default: BTreeSet<Setting>,
}

pub(super) fn read(file: &str, text: &str) -> Result<Catalogue, PolicyError> {
    let source = Source::new(file, text);
    let raw: RawCatalogue = source.read()?;
    let mut aliases = Aliases::default();
    let top = Top {
        source,
        branches: branches(source, &raw.branches, &mut aliases.branches)?,
        contact_types: contact_types(source, &raw.contact_types, &mut aliases.contact_types)?,
        fields: fields(source, &raw.fields)?,
        retention_days: retention(source, &raw.retention_days)?,
        warn_working_days: warning(source, raw.warn_working_days.as_ref())?,
        calendar: CalendarName::parse(source, "calendar", &raw.calendar)?,
        roles: raw.roles,
        opaque: raw.opaque,
        default: raw.default,
    };
    let mut calendars = vec![calendar_of(source, &top.calendar, &raw.calendar)];
    let mut processes: Vec<Process> = Vec::with_capacity(raw.processes.len());
    for entry in &raw.processes {
        let process = top.process(entry)?;
        only_once(source, &processes, &process, entry)?;
        let names = [("id", &entry.id), ("name", &entry.name)].into_iter().chain(others(&entry.aliases));
        known_as(source, names, &process.id, &mut aliases.processes)?;
        calendars.extend(entry.calendar.iter().map(|raw| calendar_of(source, &process.calendar, raw)));
        processes.push(process);
    }
    Ok(Catalogue { processes, fields: top.fields, aliases, calendars })
}

impl Top<'_> {
    fn process(&self, entry: &RawProcess) -> Result<Process, PolicyError> {
        let Self { source, .. } = *self;
        if entry.roles.as_ref().is_empty() {
            let remedy = "name the roles that may take part";
            return Err(source.error(entry.roles.span(), "roles", "no role may take part", remedy));
        }
        let roles = entry.roles.as_ref().iter().map(|role| declared(source, "roles", &self.roles, role));
        let branch = entry.branch.as_ref().map(|raw| declared(source, "branch", &self.branches, raw));
        let days = entry.retention_days.as_ref().map(|raw| retention(source, raw));
        let calendar =
            entry.calendar.as_ref().map(|raw| CalendarName::parse(source, "calendar", raw)).transpose()?;
        Ok(Process {
            id: source.name("id", &entry.id)?,
            name: source.words("name", &entry.name, NAME_MAX)?,
            branch: branch.transpose()?.map(Branch),
            roles: roles.collect::<Result<_, _>>()?,
            rungs: self.ladder(&entry.rungs)?,
            code: entry.code.as_ref().map(|raw| SubjectCode::parse(source, raw)).transpose()?,
            opaque: entry.opaque.unwrap_or(self.opaque),
            retention_days: days.transpose()?.unwrap_or(self.retention_days),
            warn_working_days: self.warn_working_days,
            calendar: calendar.unwrap_or_else(|| self.calendar.clone()),
            defaults: self.defaults(entry),
        })
    }

    /// A value of the process's own is assumed if the process says so; one from the top, if the top does.
    fn defaults(&self, entry: &RawProcess) -> BTreeSet<Setting> {
        let own = |setting: &Setting| match setting {
            Setting::Opaque => entry.opaque.is_some(),
            Setting::Retention => entry.retention_days.is_some(),
            Setting::Calendar => entry.calendar.is_some(),
            Setting::Branch | Setting::Roles | Setting::Code => true,
        };
        let general = self.default.iter().filter(|setting| !own(setting));
        entry.default.iter().chain(general).copied().collect()
    }

    fn ladder(&self, raw: &Spanned<Vec<RawRung>>) -> Result<Vec<Rung>, PolicyError> {
        let Self { source, .. } = *self;
        let mut rungs = Vec::with_capacity(raw.as_ref().len());
        let mut above = self.contact_types.iter();
        for entry in raw.as_ref() {
            let id: ContactType = source.name("contact_type", &entry.contact_type)?;
            // One pass over the declared order finds what is undeclared, twice there, or in the wrong place.
            let Some((contact_type, name)) = above.find(|(known, _)| *known == id) else {
                let problem = format!("{id} is not declared, twice in the ladder, or out of order");
                let remedy = "list each rung once, in the order of contact_types";
                return Err(source.error(entry.contact_type.span(), "contact_type", problem, remedy));
            };
            rungs.push(Rung {
                contact_type: contact_type.clone(),
                name: name.clone(),
                working_days: working_days(source, &entry.working_days)?,
                is_default: entry.default,
                requires: self.requires(&entry.requires)?,
            });
        }
        if rungs.is_empty() {
            let remedy = "give the process at least one rung";
            return Err(source.error(raw.span(), "rungs", "the ladder is empty", remedy));
        }
        Ok(rungs)
    }

    fn requires(&self, raw: &[Spanned<String>]) -> Result<Vec<FieldId>, PolicyError> {
        let known: Vec<String> = self.fields.iter().map(|field| field.id.0.clone()).collect();
        let mut required: Vec<FieldId> = Vec::with_capacity(raw.len());
        for entry in raw {
            let id = FieldId(declared(self.source, "requires", &known, entry)?);
            if required.contains(&id) {
                let problem = format!("{} is there twice", id.as_str());
                return Err(self.source.error(entry.span(), "requires", problem, "keep one of the two"));
            }
            required.push(id);
        }
        Ok(required)
    }
}

impl SubjectCode {
    const LENGTH: RangeInclusive<usize> = 2..=6;

    fn parse(source: Source<'_>, raw: &Spanned<String>) -> Result<Self, PolicyError> {
        let text = raw.as_ref();
        let letters = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if letters && Self::LENGTH.contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_uppercase())
        {
            return Ok(Self(text.clone()));
        }
        let problem = format!("{text:?} is no code");
        let remedy = "write 2 to 6 capital letters and digits, a letter first, such as \"ET\"";
        Err(source.error(raw.span(), "code", problem, remedy))
    }
}

fn branches(
    source: Source<'_>,
    raw: &[RawBranch],
    aliases: &mut HashMap<String, Branch>,
) -> Result<Vec<String>, PolicyError> {
    let mut all: Vec<String> = Vec::with_capacity(raw.len());
    for entry in raw {
        all.push(unused(source, "the branch", all.iter().map(String::as_str), &entry.id)?);
        let names = [("id", &entry.id)].into_iter().chain(others(&entry.aliases));
        known_as(source, names, &Branch(entry.id.as_ref().clone()), aliases)?;
    }
    Ok(all)
}

/// The declared contact types with their names, lowest rung first.
fn contact_types(
    source: Source<'_>,
    raw: &[RawContactType],
    aliases: &mut HashMap<String, ContactType>,
) -> Result<Vec<(ContactType, String)>, PolicyError> {
    let mut all: Vec<(ContactType, String)> = Vec::with_capacity(raw.len());
    for entry in raw {
        let id: ContactType = source.name("id", &entry.id)?;
        if all.iter().any(|(known, _)| *known == id) {
            let problem = format!("the contact type {id} is there twice");
            return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
        }
        let name = source.words("name", &entry.name, NAME_MAX)?;
        let names = [("id", &entry.id), ("name", &entry.name)].into_iter().chain(others(&entry.aliases));
        known_as(source, names, &id, aliases)?;
        all.push((id, name));
    }
    Ok(all)
}

fn fields(source: Source<'_>, raw: &[RawField]) -> Result<Vec<Field>, PolicyError> {
    let mut all: Vec<Field> = Vec::with_capacity(raw.len());
    for entry in raw {
        let id = unused(source, "the field", all.iter().map(|field| field.id.as_str()), &entry.id)?;
        let mut choices: Vec<Choice> = Vec::with_capacity(entry.choices.as_ref().len());
        for choice in entry.choices.as_ref() {
            let id = unused(source, "the choice", choices.iter().map(|known| known.id.as_str()), &choice.id)?;
            choices.push(Choice { id, name: source.words("name", &choice.name, NAME_MAX)? });
        }
        if choices.len() < 2 {
            let problem = "there is nothing to choose from";
            let remedy = "give the field at least two choices";
            return Err(source.error(entry.choices.span(), "choices", problem, remedy));
        }
        all.push(Field { id: FieldId(id), name: source.words("name", &entry.name, NAME_MAX)?, choices });
    }
    Ok(all)
}

/// An id that is well formed and not there yet.
fn unused<'a>(
    source: Source<'_>,
    what: &str,
    mut known: impl Iterator<Item = &'a str>,
    raw: &Spanned<String>,
) -> Result<String, PolicyError> {
    let id = raw.as_ref();
    let letters = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !letters || id.is_empty() || id.len() > ID_MAX {
        let problem = format!("{id:?} is no id");
        let remedy = format!("write 1 to {ID_MAX} lower-case letters, digits and hyphens");
        return Err(source.error(raw.span(), "id", problem, remedy));
    }
    if known.any(|other| other == id) {
        let problem = format!("{what} {id} is there twice");
        return Err(source.error(raw.span(), "id", problem, "keep one of the two"));
    }
    Ok(id.clone())
}

/// A calendar that the file names, with what is wrong if there is none of that name.
fn calendar_of(
    source: Source<'_>,
    name: &CalendarName,
    raw: &Spanned<String>,
) -> (CalendarName, PolicyError) {
    let problem = format!("there is no calendar {}", name.as_str());
    let remedy = "correct the name, or give the configuration a calendar file of that name";
    (name.clone(), source.error(raw.span(), "calendar", problem, remedy))
}

/// Notes under which names exports know it. One name for two things would be read as either.
fn known_as<'a, T: Clone + PartialEq>(
    source: Source<'_>,
    names: impl Iterator<Item = (&'static str, &'a Spanned<String>)>,
    meaning: &T,
    known: &mut HashMap<String, T>,
) -> Result<(), PolicyError> {
    for (key, raw) in names {
        let name = plain(raw.as_ref());
        let problem = if name.is_empty() {
            format!("{:?} has no letter or digit", raw.as_ref())
        } else if known.get(&name).is_some_and(|other| other != meaning) {
            format!(
                "{:?} means something else in this file already, but for case, spacing or plural",
                raw.as_ref()
            )
        } else {
            known.insert(name, meaning.clone());
            continue;
        };
        let remedy = "give each a name of its own, or remove this one";
        return Err(source.error(raw.span(), key, problem, remedy));
    }
    Ok(())
}

fn others(aliases: &[Spanned<String>]) -> impl Iterator<Item = (&'static str, &Spanned<String>)> {
    aliases.iter().map(|alias| ("aliases", alias))
}

fn retention(source: Source<'_>, raw: &Spanned<u32>) -> Result<u32, PolicyError> {
    let days = *raw.as_ref();
    if (1..=RETENTION_MAX).contains(&days) {
        return Ok(days);
    }
    let problem = format!("{days} days is no retention time");
    Err(source.error(raw.span(), "retention_days", problem, format!("give 1 to {RETENTION_MAX}")))
}

/// One working day, where the file says nothing.
fn warning(source: Source<'_>, raw: Option<&Spanned<u32>>) -> Result<u32, PolicyError> {
    let Some(raw) = raw else { return Ok(1) };
    let days = *raw.as_ref();
    if days <= WARNING_MAX {
        return Ok(days);
    }
    let problem = format!("{days} working days is too long before a deadline for a warning");
    Err(source.error(
        raw.span(),
        "warn_working_days",
        problem,
        format!("give 0 to {WARNING_MAX}; 0 warns nobody"),
    ))
}

fn working_days(source: Source<'_>, raw: &Spanned<u32>) -> Result<u32, PolicyError> {
    let days = *raw.as_ref();
    if (1..=WORKING_DAYS_MAX).contains(&days) {
        return Ok(days);
    }
    let problem = format!("{days} working days is no response time");
    Err(source.error(raw.span(), "working_days", problem, format!("give 1 to {WORKING_DAYS_MAX}")))
}

/// Two processes of one id or code would be one to everybody who names it.
fn only_once(
    source: Source<'_>,
    known: &[Process],
    process: &Process,
    entry: &RawProcess,
) -> Result<(), PolicyError> {
    if known.iter().any(|other| other.id == process.id) {
        let problem = format!("the process {} is there twice", process.id);
        return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
    }
    let (Some(code), Some(raw)) = (&process.code, &entry.code) else { return Ok(()) };
    match known.iter().find(|other| other.code.as_ref() == Some(code)) {
        None => Ok(()),
        Some(other) => {
            let problem = format!("{} is the code of {} already", code.as_str(), other.id);
            Err(source.error(raw.span(), "code", problem, "give each process a code of its own"))
        }
    }
}

/// A value that must be one of those the file declares at its top.
fn declared(
    source: Source<'_>,
    key: &str,
    known: &[String],
    value: &Spanned<String>,
) -> Result<String, PolicyError> {
    if known.contains(value.as_ref()) {
        return Ok(value.as_ref().clone());
    }
    let problem = format!("{:?} is not declared at the top of the file", value.as_ref());
    let remedy = match known {
        [] => "declare it there, or remove the line".to_owned(),
        known => format!("use one of {}, or declare it there", known.join(", ")),
    };
    Err(source.error(value.span(), key, problem, remedy))
}
