//! `postern.toml`: static, parsed into types that can only hold what works, or the process does not start.
//! Says everything that is wrong at once, each with file, line, key and remedy. Never holds a secret.

mod delivery;
mod describe;
mod document;
mod files;
mod journal;
mod key;
mod listeners;
mod outward;
mod place;
mod reports;
mod rules;
mod secret;
mod server;
mod signatures;
mod sources;
mod tried;
mod value;

use std::path::Path;

use anyhow::Context;

use self::document::{Document, Problem, Problems};
use self::journal::Journal;
use self::key::Section;
pub(crate) use self::key::Wrong;

pub(crate) use self::delivery::{Delivery, Dns, Held, Relay, Scanner, Signing};
pub(crate) use self::describe::{Given, describe, example};
pub(crate) use self::listeners::{Identity, Limits, ListenerTls, MailListener, Tls};
pub(crate) use self::outward::{Exit, Market, Notices, OutboundTls, Policy, Portal};
pub(crate) use self::place::Places;
pub(crate) use self::reports::Reports;
pub(crate) use self::server::{EngineChoice, Keys, Log, LogFormat, Metrics, Server};
pub(crate) use self::signatures::Signatures;
pub(crate) use self::sources::{Poll, PollLogin, Provider};
pub(crate) use self::value::is_domain;

/// Every section, in the order of the printed example.
const SECTIONS: &[&Section] = &[
    &server::SERVER,
    &server::KEYS,
    &listeners::TLS,
    &listeners::SMTP,
    &listeners::SUBMISSION,
    &listeners::SUBMISSIONS,
    &listeners::LIMITS,
    &outward::PORTAL,
    &outward::NOTICES,
    &delivery::DELIVERY,
    &delivery::RELAY,
    &delivery::HELD,
    &reports::REPORTS,
    &delivery::DNS,
    &delivery::SCANNER,
    &signatures::SIGNATURES,
    &outward::POLICY,
    &journal::JOURNAL,
    &server::METRICS,
    &server::LOG,
    &sources::PROVIDER,
    &sources::POLL,
];

/// A configuration that was read whole and holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) keys: Keys,
    pub(crate) tls: Tls,
    pub(crate) smtp: MailListener,
    pub(crate) submission: MailListener,
    pub(crate) submissions: MailListener,
    pub(crate) limits: Limits,
    pub(crate) portal: Portal,
    pub(crate) notices: Notices,
    pub(crate) delivery: Delivery,
    pub(crate) relay: Relay,
    pub(crate) held: Held,
    pub(crate) reports: Reports,
    pub(crate) dns: Dns,
    pub(crate) scanner: Scanner,
    pub(crate) signatures: Signatures,
    pub(crate) policy: Policy,
    pub(crate) journal: Journal,
    pub(crate) metrics: Metrics,
    pub(crate) log: Log,
    pub(crate) providers: Vec<Provider>,
    pub(crate) polls: Vec<Poll>,
    pub(crate) places: Places,
}

impl Config {
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "{}: cannot read the configuration; name the file with -c FILE, or make one with `postern init DIR`",
                file.display()
            )
        })?;
        Ok(Self::parse(&text, file)?)
    }

    /// `file` is for messages and for its folder; it is not read.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, Problems> {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let fail = |problems| Problems { file: file.to_owned(), problems };
        let document = Document::parse(text, &folder).map_err(|problem| fail(vec![problem]))?;
        let config = Self::read(&document, file);
        let problems: Vec<Problem> = document.into_problems();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(fail(problems)),
        }
    }

    fn read(document: &Document<'_>, file: &Path) -> Option<Self> {
        document.check_names(SECTIONS);
        let (server, keys) = (Server::read(document), Keys::read(document));
        let (tls, limits) = (Tls::read(document), Limits::read(document));
        let smtp = MailListener::read_smtp(document);
        let submission = MailListener::read_submission(document);
        let submissions = MailListener::read_submissions(document);
        let (portal, notices) = (Portal::read(document), Notices::read(document));
        let (delivery, relay) = (Delivery::read(document), Relay::read(document));
        let (held, reports) = (Held::read(document), Reports::read(document));
        let (dns, scanner) = (Dns::read(document), Scanner::read(document));
        let (signatures, policy) = (Signatures::read(document), Policy::read(document));
        let (journal, metrics, log) = (Journal::read(document), Metrics::read(document), Log::read(document));
        let (providers, polls) = (Provider::read_all(document), Poll::read_all(document));
        let config = Self {
            server: server?,
            keys: keys?,
            tls: tls?,
            smtp: smtp?,
            submission: submission?,
            submissions: submissions?,
            limits: limits?,
            portal: portal?,
            notices: notices?,
            delivery: delivery?,
            relay: relay?,
            held: held?,
            reports: reports?,
            dns: dns?,
            scanner: scanner?,
            signatures: signatures?,
            policy: policy?,
            journal: journal?,
            metrics: metrics?,
            log: log?,
            providers: providers?,
            polls: polls?,
            places: Places::of(document, file),
        };
        rules::check(&config, document);
        Some(config)
    }
}
