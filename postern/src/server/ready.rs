//! The ready lines on stdout: one per listener, then one for all. A contract: tests and scripts read them.

use std::fmt::Display;

use crate::print;

/// What listens, and where.
#[derive(Debug, Default)]
pub(crate) struct Ready(Vec<(&'static str, String)>);

impl Ready {
    pub(crate) fn add(&mut self, name: &'static str, place: impl Display) {
        self.0.push((name, place.to_string()));
    }

    /// Where the first listener of this name is.
    pub(crate) fn place(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, place)| place.as_str())
    }

    pub(crate) fn announce(&self) -> anyhow::Result<()> {
        for (name, place) in &self.0 {
            print::lines(&format!("ready {name} {place}"))?;
        }
        print::lines("ready postern")
    }
}
