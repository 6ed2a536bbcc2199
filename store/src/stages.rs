//! How far Postern is let: in shadow everything is decided and counted and the mail goes on as if nobody were there; live,
//! decisions bite. Set for the whole market, for a process, for a group, or for one process of one group, and every change
//! is an event that can be taken back.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use mail::{GroupId, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    keys::{Key, Table},
    records,
};

/// Whether decisions bite. Shadow comes first: of two companies the more careful one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// Decided and counted; the mail goes on untouched.
    #[n(0)]
    Shadow,
    /// Decided and done.
    #[n(1)]
    Live,
}

/// A stage that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StageSetting {
    #[n(0)]
    pub scope: Scope,
    #[n(1)]
    pub stage: Stage,
    #[cbor(n(2), with = "records::time")]
    pub since: Timestamp,
}

/// For whom a stage is set. What names a group goes before what names none, and one process of a group before the group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Scope {
    /// None: every group.
    #[n(0)]
    pub group: Option<GroupId>,
    /// None: every process, and mail of no process.
    #[n(1)]
    pub process: Option<ProcessId>,
}

/// All stages that are set.
#[derive(Debug, Default)]
pub(crate) struct Stages(BTreeMap<Scope, StageSetting>);

impl Stages {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StageSetting> {
        self.0.values()
    }

    /// What is set for exactly this scope.
    pub(crate) fn set(&self, scope: &Scope) -> Option<&StageSetting> {
        self.0.get(scope)
    }

    /// What is set for mail of a group that belongs to a process, or to none.
    pub(crate) fn of(&self, group: &GroupId, process: Option<&ProcessId>) -> Option<Stage> {
        let scope = |group: Option<&GroupId>, process: Option<&ProcessId>| Scope {
            group: group.cloned(),
            process: process.cloned(),
        };
        let nearest =
            [scope(Some(group), process), scope(Some(group), None), scope(None, process), scope(None, None)];
        nearest.iter().find_map(|scope| self.0.get(scope)).map(|setting| setting.stage)
    }
}

impl FromIterator<StageSetting> for Stages {
    fn from_iter<T: IntoIterator<Item = StageSetting>>(settings: T) -> Self {
        Self(settings.into_iter().map(|setting| (setting.scope.clone(), setting)).collect())
    }
}

impl Scope {
    pub(crate) fn key(&self) -> Vec<u8> {
        let part = |name: Option<&str>| name.unwrap_or_default().to_owned();
        Key::of(Table::Stage)
            .text(&part(self.group.as_ref().map(GroupId::as_str)))
            .text(&part(self.process.as_ref().map(ProcessId::as_str)))
            .done()
    }
}

/// `alpha, erroneous-transfers`, as events and people name it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.group.as_ref().map_or("every group", GroupId::as_str);
        let process = self.process.as_ref().map_or("every process", ProcessId::as_str);
        write!(f, "{group}, {process}")
    }
}

impl Stage {
    /// `shadow`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = NotAStage;

    fn from_str(text: &str) -> Result<Self, NotAStage> {
        match text {
            "shadow" => Ok(Self::Shadow),
            "live" => Ok(Self::Live),
            _ => Err(NotAStage),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stage is \"shadow\" or \"live\"")]
pub struct NotAStage;

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(group: Option<&str>, process: Option<&str>, stage: Stage) -> StageSetting {
        let scope = Scope {
            group: group.map(|name| name.parse().unwrap()),
            process: process.map(|name| name.parse().unwrap()),
        };
        StageSetting { scope, stage, since: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn the_nearest_setting_decides() {
        let stages: Stages = [
            setting(None, None, Stage::Shadow),
            setting(None, Some("disconnections"), Stage::Live),
            setting(Some("alpha"), None, Stage::Shadow),
            setting(Some("alpha"), Some("crossed-meters"), Stage::Live),
        ]
        .into_iter()
        .collect();
        for (group, process, expected) in [
            ("alpha", Some("crossed-meters"), Stage::Live),
            ("alpha", Some("disconnections"), Stage::Shadow),
            ("alpha", None, Stage::Shadow),
            ("beta", Some("disconnections"), Stage::Live),
            ("beta", Some("crossed-meters"), Stage::Shadow),
            ("beta", None, Stage::Shadow),
        ] {
            let process = process.map(|name| name.parse().unwrap());
            assert_eq!(stages.of(&group.parse().unwrap(), process.as_ref()), Some(expected), "{group}");
        }
        assert_eq!(Stages::default().of(&"beta".parse().unwrap(), None), None);
    }
}
