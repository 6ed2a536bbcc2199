//! Mails in files, and the market they are tried in: the directory of an installation, or the made-up one of the examples.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use gateway::documents::{self, DocumentSettings, Original, ReadDocument, Reader};
use mail::{Address, Budget, GroupId, Message, Scanner};
use policies::detect::Document;
use policies::{Passing, Recipient, Ruleset, SampleMarket};
use store::Directory;

use super::wait;
use crate::commands::read_documents;
use crate::config::{Config, Relay};
use crate::tools::directory_of;

/// Where addresses are looked up: the directory of an installation, or the made-up market of the examples.
pub(super) enum Market {
    Real { directory: Arc<Directory>, notice_domain: String, passing: Passing },
    Sample(SampleMarket),
}

pub(super) fn parsed(address: &str) -> anyhow::Result<Address> {
    Address::parse(address).with_context(|| format!("{address:?} is no address"))
}

/// A mail and the text of its files, read as the server reads them.
pub(super) struct Scanned {
    pub(super) message: Message,
    read: Vec<ReadDocument>,
    header: Vec<(String, String)>,
}

impl Scanned {
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        self.header.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub(super) fn documents(&self) -> Vec<Document<'_>> {
        documents::listed(&self.message.headline, &self.read)
    }
}

pub(super) fn scanned(file: &Path) -> anyhow::Result<Scanned> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(!bytes.is_empty(), "{} is empty", file.display());
    let bytes = as_sent(&bytes);
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(&bytes);
    let mut message = scanner.finish();
    let reader = Reader::new(DocumentSettings::of_this_program(read_documents::NAME));
    let read = wait(async { Ok(reader.read(&mut message, Original::Plain(&bytes)).await?) })?;
    Ok(Scanned { message, read, header: gateway::header_fields(&bytes) })
}

/// Files often have the line ends of the system that they lie on.
fn as_sent(bytes: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        match piece.strip_suffix(b"\n") {
            Some(line) if !line.ends_with(b"\r") => sent.extend([line, b"\r\n"].concat()),
            _ => sent.extend(piece),
        }
    }
    sent
}

impl Market {
    pub(super) fn of(config: Option<&Config>, rules: &Ruleset) -> anyhow::Result<Self> {
        let Some(config) = config else { return Ok(Self::Sample(SampleMarket::of(rules.catalogue()))) };
        crate::log::start_quietly(config.log);
        Ok(Self::real(config, wait(directory_of(config))?))
    }

    /// The companies of an installation.
    pub(super) fn real(config: &Config, directory: Arc<Directory>) -> Self {
        Self::Real {
            directory,
            notice_domain: config.notices.reply_domain.clone(),
            passing: match config.relay {
                Relay::On => Passing::On,
                Relay::Off => Passing::Off,
            },
        }
    }

    pub(super) fn company(&self, address: &Address) -> Option<GroupId> {
        match self {
            Self::Real { directory, .. } => directory.group_of(address).cloned(),
            Self::Sample(_) => SampleMarket::company(address.domain()),
        }
    }

    pub(super) fn is_staff(&self, domain: &str) -> bool {
        match self {
            Self::Real { directory, .. } => directory.group_of_domain(domain).is_some(),
            Self::Sample(_) => SampleMarket::has(domain),
        }
    }

    pub(super) fn recipient(&self, group: &GroupId, to: &Address) -> Recipient {
        match self {
            Self::Real { directory, notice_domain, .. } => {
                gateway::recipient_of(directory, notice_domain, group, to)
            }
            Self::Sample(market) => market.recipient(group, to),
        }
    }

    pub(super) fn passing(&self) -> Passing {
        match self {
            Self::Real { passing, .. } => *passing,
            Self::Sample(_) => Passing::On,
        }
    }
}
