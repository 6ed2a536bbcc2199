//! The catalogue: which processes companies write to each other about, who takes part, and how long an answer may take
//! on each rung. All of it is data of one file; nothing here knows a market, and no value is assumed by the code.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive};

use mail::{ContactType, ProcessId};
use serde::Deserialize;
use toml::Spanned;

use crate::{PolicyError, source::Source};

const SHIPPED_NAME: &str = "shipped/processes.toml";
const SHIPPED: &str = include_str!("../shipped/processes.toml");
/// A name goes into subject lines.
const NAME_MAX: usize = 60;
/// A year of working days; more is a slip of the pen.
const WORKING_DAYS_MAX: u32 = 250;

/// The processes, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    processes: Vec<Process>,
}

/// A business process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its canonical id.
    pub id: ProcessId,
    /// Its name, as people read it: one line.
    pub name: String,
    /// The fuel it is about.
    pub fuel: Fuel,
    /// The market roles that may take part, as the catalogue spells them (`electricity-supplier`).
    pub roles: Vec<String>,
    /// The ladder, lowest rung first; at least one.
    pub rungs: Vec<Rung>,
    /// What names the process in a subject, if anything does.
    pub code: Option<SubjectCode>,
    /// What happens to content that nobody can look into.
    pub opaque: Opaque,
    defaults: BTreeSet<Setting>,
}

/// One rung of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Its id.
    pub contact_type: ContactType,
    /// Its name, as people read it: one line.
    pub name: String,
    /// Working days to answer, 1 to 250.
    pub working_days: u32,
    /// The response time is an assumed value and is shown as "default", never as an industry rule.
    pub is_default: bool,
}

/// A fuel, as the catalogue spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fuel(String);

/// A short word in brackets that names a process in a subject: the `ET` of `[ET] 1200023305967 …`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectCode(String);

/// What a process wants done with content that nobody can look into: encrypted mail, archives with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opaque {
    /// Taken like any other, and shown with a warning.
    #[default]
    Store,
    /// It waits for the compliance role of the sender's group.
    Hold,
    /// It is not taken.
    Refuse,
}

/// A setting of a process that can be an assumed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// [`Process::fuel`].
    Fuel,
    /// [`Process::roles`].
    Roles,
    /// [`Process::code`].
    Code,
}

impl Catalogue {
    /// The catalogue that is part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// Reads a catalogue file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source::new(file, text);
        let raw: RawCatalogue = source.read()?;
        let contact_types = contact_types(source, &raw.contact_types)?;
        let mut processes: Vec<Process> = Vec::with_capacity(raw.processes.len());
        for entry in &raw.processes {
            let process = process(source, &raw, &contact_types, entry)?;
            only_once(source, &processes, &process, entry)?;
            processes.push(process);
        }
        Ok(Self { processes })
    }

    /// The process of that id.
    pub fn process(&self, id: &ProcessId) -> Option<&Process> {
        self.processes.iter().find(|process| process.id == *id)
    }

    /// The process that the code names, in small letters or capitals.
    pub fn process_of_code(&self, code: &str) -> Option<&Process> {
        let named = |process: &&Process| process.code.as_ref().is_some_and(|own| own.is(code));
        self.processes.iter().find(named)
    }

    /// All processes, in the order of the file.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter()
    }
}

impl Process {
    /// The rung of that contact type.
    pub fn rung(&self, contact_type: &ContactType) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.contact_type == *contact_type)
    }

    /// Whether that setting is an assumed value, to be shown as "default".
    pub fn is_default(&self, setting: Setting) -> bool {
        self.defaults.contains(&setting)
    }
}

impl SubjectCode {
    const LENGTH: RangeInclusive<usize> = 2..=6;

    /// In capitals, without the brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word)
    }

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

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store => "store",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        })
    }
}

impl Fuel {
    /// As the catalogue spells it: `dual`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    fuels: Vec<String>,
    roles: Vec<String>,
    contact_types: Vec<RawContactType>,
    #[serde(rename = "process")]
    processes: Vec<RawProcess>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContactType {
    id: Spanned<String>,
    name: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProcess {
    id: Spanned<String>,
    name: Spanned<String>,
    fuel: Spanned<String>,
    roles: Spanned<Vec<Spanned<String>>>,
    rungs: Spanned<Vec<RawRung>>,
    code: Option<Spanned<String>>,
    #[serde(default)]
    opaque: Opaque,
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
}

/// The declared contact types with their names, lowest rung first.
fn contact_types(
    source: Source<'_>,
    raw: &[RawContactType],
) -> Result<Vec<(ContactType, String)>, PolicyError> {
    let mut all: Vec<(ContactType, String)> = Vec::with_capacity(raw.len());
    for entry in raw {
        let id: ContactType = source.name("id", &entry.id)?;
        if all.iter().any(|(known, _)| *known == id) {
            let problem = format!("the contact type {id} is there twice");
            return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
        }
        all.push((id, source.words("name", &entry.name, NAME_MAX)?));
    }
    Ok(all)
}

fn process(
    source: Source<'_>,
    raw: &RawCatalogue,
    contact_types: &[(ContactType, String)],
    entry: &RawProcess,
) -> Result<Process, PolicyError> {
    if entry.roles.as_ref().is_empty() {
        let remedy = "name the market roles that may take part";
        return Err(source.error(entry.roles.span(), "roles", "no role may take part", remedy));
    }
    let roles = entry.roles.as_ref().iter().map(|r| declared(source, "roles", &raw.roles, r));
    Ok(Process {
        id: source.name("id", &entry.id)?,
        name: source.words("name", &entry.name, NAME_MAX)?,
        fuel: Fuel(declared(source, "fuel", &raw.fuels, &entry.fuel)?),
        roles: roles.collect::<Result<_, _>>()?,
        rungs: ladder(source, contact_types, &entry.rungs)?,
        code: entry.code.as_ref().map(|raw| SubjectCode::parse(source, raw)).transpose()?,
        opaque: entry.opaque,
        defaults: entry.default.clone(),
    })
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

/// A value that must be one of those the file declares at its top under `fuels` or `roles`.
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
    let remedy = format!("use one of {}, or declare it there", known.join(", "));
    Err(source.error(value.span(), key, problem, remedy))
}

fn ladder(
    source: Source<'_>,
    contact_types: &[(ContactType, String)],
    raw: &Spanned<Vec<RawRung>>,
) -> Result<Vec<Rung>, PolicyError> {
    let mut rungs = Vec::with_capacity(raw.as_ref().len());
    let mut above = contact_types.iter();
    for entry in raw.as_ref() {
        let id: ContactType = source.name("contact_type", &entry.contact_type)?;
        // One pass over the declared order finds what is undeclared, twice there, or in the wrong place.
        let Some((contact_type, name)) = above.find(|(known, _)| *known == id) else {
            let problem = format!("{id} is not declared, twice in the ladder, or out of order");
            let remedy = "list each rung once, in the order of contact_types";
            return Err(source.error(entry.contact_type.span(), "contact_type", problem, remedy));
        };
        let days = *entry.working_days.as_ref();
        if !(1..=WORKING_DAYS_MAX).contains(&days) {
            let problem = format!("{days} working days is no response time");
            let remedy = format!("give 1 to {WORKING_DAYS_MAX}");
            return Err(source.error(entry.working_days.span(), "working_days", problem, remedy));
        }
        rungs.push(Rung {
            contact_type: contact_type.clone(),
            name: name.clone(),
            working_days: days,
            is_default: entry.default,
        });
    }
    if rungs.is_empty() {
        let remedy = "give the process at least one rung";
        return Err(source.error(raw.span(), "rungs", "the ladder is empty", remedy));
    }
    Ok(rungs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fuel and response times (initial, escalations 1 to 3, contract manager; 0: no such rung), from the market's table.
    const PROCESSES: [(&str, &str, [u32; 5]); 12] = [
        ("erroneous-transfers", "dual", [10, 5, 5, 5, 5]),
        ("disputed-readings", "dual", [5, 5, 5, 5, 5]),
        ("smart-prepayment", "dual", [1, 1, 1, 0, 2]),
        ("debt-assignment", "dual", [5, 5, 5, 0, 5]),
        ("customer-objections", "dual", [1, 1, 0, 0, 2]),
        ("misdirected-payments", "dual", [10, 5, 5, 0, 5]),
        ("contract-manager-queries", "dual", [5, 0, 0, 0, 0]),
        ("disconnections", "electricity", [5, 5, 5, 0, 5]),
        ("address-management", "electricity", [5, 5, 5, 0, 5]),
        ("retrospective-mpad", "electricity", [5, 5, 5, 0, 5]),
        ("crossed-meters", "gas", [10, 5, 5, 0, 5]),
        ("duplicate-meter-points", "gas", [10, 5, 5, 0, 5]),
    ];
    const LADDER: [&str; 5] =
        ["initial-request", "escalation-1", "escalation-2", "escalation-3", "contract-manager"];

    #[test]
    fn shipped_catalogue_is_the_markets_table() {
        let catalogue = Catalogue::shipped().unwrap();
        assert_eq!(catalogue.processes().count(), PROCESSES.len());
        for (id, fuel, days) in PROCESSES {
            let process = catalogue.process(&id.parse().unwrap()).unwrap();
            assert_eq!(process.fuel.as_str(), fuel, "{id}");
            let expected: Vec<(&str, u32)> =
                LADDER.into_iter().zip(days).filter(|(_, days)| *days > 0).collect();
            let ladder: Vec<(&str, u32)> =
                process.rungs.iter().map(|r| (r.contact_type.as_str(), r.working_days)).collect();
            assert_eq!(ladder, expected, "{id}");
        }
    }

    #[test]
    fn assumed_values_are_marked() {
        for process in Catalogue::shipped().unwrap().processes() {
            for setting in [Setting::Fuel, Setting::Roles, Setting::Code] {
                assert!(process.is_default(setting), "{} {setting:?}", process.id);
            }
            assert!(process.rungs.iter().all(|rung| rung.is_default), "{}", process.id);
        }
    }

    #[test]
    fn every_shipped_process_has_a_code_and_takes_what_nobody_can_look_into() {
        let catalogue = Catalogue::shipped().unwrap();
        for process in catalogue.processes() {
            let code = process.code.as_ref().unwrap().as_str();
            assert_eq!(catalogue.process_of_code(&code.to_lowercase()).unwrap().id, process.id);
            assert_eq!(process.opaque, Opaque::Store, "{}", process.id);
        }
        assert_eq!(catalogue.process_of_code("ET").unwrap().id.as_str(), "erroneous-transfers");
        assert_eq!(catalogue.process_of_code("E"), None);
    }

    #[test]
    fn another_market_is_another_file() {
        let catalogue = Catalogue::parse(
            "casework.toml",
            r#"
            fuels = ["none"]
            roles = ["council", "health-board"]
            contact_types = [{ id = "referral", name = "Referral" }]
            [[process]]
            id = "safeguarding"
            name = "Safeguarding"
            fuel = "none"
            roles = ["council", "health-board"]
            rungs = [{ contact_type = "referral", working_days = 3 }]
            "#,
        );
        let catalogue = catalogue.unwrap();
        let process = catalogue.process(&"safeguarding".parse().unwrap()).unwrap();
        assert_eq!(process.roles, ["council", "health-board"]);
        assert_eq!(process.rungs[0].name, "Referral");
        assert_eq!((process.code.as_ref(), process.opaque), (None, Opaque::Store));
        assert!(!process.rungs[0].is_default && !process.is_default(Setting::Roles));
    }
}
