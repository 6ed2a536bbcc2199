//! The catalogue: which processes companies write to each other about, who takes part, how long an answer may take on
//! each rung, and what must be said on it. All of it is data of one file; nothing here knows a market, and no value is
//! assumed by the code.

mod alias;
mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use mail::{ContactType, ProcessId};
use serde::Deserialize;

use self::alias::Aliases;
use crate::{CalendarName, Calendars, PolicyError};

const SHIPPED_NAME: &str = "shipped/processes.toml";
const SHIPPED: &str = include_str!("../shipped/processes.toml");
/// Name and text of the shipped file.
pub(crate) const FILE: (&str, &str) = (SHIPPED_NAME, SHIPPED);
pub(crate) const CASEWORK: (&str, &str) =
    ("shipped/casework/processes.toml", include_str!("../shipped/casework/processes.toml"));

/// The processes, in the order of the file, and what is common to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    processes: Vec<Process>,
    fields: Vec<Field>,
    aliases: Aliases,
    /// The calendars that it names, each with what to say where there is none of that name.
    calendars: Vec<(CalendarName, PolicyError)>,
}

/// A business process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its canonical id.
    pub id: ProcessId,
    /// Its name, as people read it: one line.
    pub name: String,
    /// The branch of the market that it is filed under, where the market has branches.
    pub branch: Option<Branch>,
    /// The roles that may take part, as the catalogue spells them.
    pub roles: Vec<String>,
    /// The ladder, lowest rung first; at least one.
    pub rungs: Vec<Rung>,
    /// What names the process in a subject, if anything does.
    pub code: Option<SubjectCode>,
    /// What happens to content that nobody can look into.
    pub opaque: Opaque,
    /// Days after a case's last message until its content is destroyed, 1 to 3,650.
    pub retention_days: u32,
    /// Working days before a deadline at which the side that owes the answer is warned, 0 to 20; 0: never.
    pub warn_working_days: u32,
    /// Whose working days its response times are counted in.
    pub calendar: CalendarName,
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
    /// What a message that opens the rung must state; ids of [`Catalogue::fields`].
    pub requires: Vec<FieldId>,
}

/// Something that a message may have to state, with the answers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// Its name, as people read it: one line.
    pub name: String,
    /// The answers, in the order of the file; at least two.
    pub choices: Vec<Choice>,
}

/// One answer to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// Its name, as people read it: one line.
    pub name: String,
}

/// The id of a field, as the catalogue spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(String);

/// A branch of a market, as the catalogue spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Branch(String);

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
    /// [`Process::branch`].
    Branch,
    /// [`Process::roles`].
    Roles,
    /// [`Process::code`].
    Code,
    /// [`Process::opaque`].
    Opaque,
    /// [`Process::retention_days`].
    Retention,
    /// [`Process::calendar`].
    Calendar,
}

impl Catalogue {
    /// The catalogue that is part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// A second one that is part of the binary, of another market: councils and health bodies that exchange casework.
    pub fn casework() -> Result<Self, PolicyError> {
        let (name, text) = CASEWORK;
        Self::parse(name, text)
    }

    /// Reads a catalogue file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        file::read(file, text)
    }

    /// Whether every calendar that it names is there.
    pub(crate) fn check(&self, calendars: &Calendars) -> Result<(), PolicyError> {
        let absent = self.calendars.iter().find(|(name, _)| calendars.calendar(name).is_none());
        absent.map_or(Ok(()), |(_, error)| Err(error.clone()))
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

    /// What messages may have to state, in the order of the file.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The field of that id.
    pub fn field(&self, id: &FieldId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == *id)
    }

    /// What a name out of another system means: `[branch]process - contact type`, where the branch may be missing, and
    /// capitals, spaces, hyphens and plurals come as they like. `None` also where the process has no such rung.
    pub fn alias(&self, name: &str) -> Option<(ProcessId, ContactType, Option<Branch>)> {
        let (process, contact_type, branch) = self.aliases.find(name)?;
        self.process(process)?.rung(contact_type)?;
        Some((process.clone(), contact_type.clone(), branch.cloned()))
    }
}

impl Process {
    /// The rung of that contact type.
    pub fn rung(&self, contact_type: &ContactType) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.contact_type == *contact_type)
    }

    /// The rung above that one; none above the highest, and none above one that the process has not.
    pub fn above(&self, contact_type: &ContactType) -> Option<&Rung> {
        let at = self.rungs.iter().position(|rung| rung.contact_type == *contact_type)?;
        self.rungs.get(at + 1)
    }

    /// Whether that setting is an assumed value, to be shown as "default".
    pub fn is_default(&self, setting: Setting) -> bool {
        self.defaults.contains(&setting)
    }
}

impl SubjectCode {
    /// In capitals, without the brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word)
    }
}

impl Branch {
    /// As the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldId {
    /// As the catalogue spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting {
    /// Every setting, in the order in which people read them.
    pub const ALL: [Self; 6] =
        [Self::Branch, Self::Roles, Self::Code, Self::Opaque, Self::Retention, Self::Calendar];
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
