//! Words for what was found out about a mail as a whole and why one may have to wait. They are stored, so their
//! numbers are for ever. Who finds out and who rules is elsewhere.

use std::fmt;

use minicbor::{Decode, Encode};

/// What the virus scanner said. "Not checked" is never taken for "clean".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Scan {
    /// No scanner is configured.
    #[default]
    #[n(0)]
    Off,
    /// Looked at whole, nothing found.
    #[n(1)]
    Clean,
    /// Something was found.
    #[n(2)]
    Found,
    /// The scanner was not there, too slow, or did not see all of it.
    #[n(3)]
    NotChecked,
}

/// Why a mail waits for the compliance role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HoldReason {
    /// It would carry personal data to where they may not go.
    #[n(0)]
    PersonalData,
    /// The virus scanner found something.
    #[n(1)]
    Virus,
    /// Nobody can look inside.
    #[n(2)]
    Opaque,
    /// Another rule says so.
    #[n(3)]
    Rule,
}

impl Scan {
    /// The name, as stored in exports and shown: `clean`, `not-checked`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Clean => "clean",
            Self::Found => "found",
            Self::NotChecked => "not-checked",
        }
    }
}

impl HoldReason {
    /// The name: `personal-data`, `virus`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonalData => "personal-data",
            Self::Virus => "virus",
            Self::Opaque => "opaque",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
