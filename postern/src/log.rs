//! Log lines to stderr. Libraries are capped at `info`: some write protocol data at `debug` and `trace`, and
//! a log must never hold what a mail holds.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt;

use crate::config::{Log, LogFormat};

/// The crates of this workspace: the only targets that may be more talkative than `info`.
const OWN: [&str; 8] = ["postern", "gateway", "portal", "policies", "certs", "templates", "mail", "store"];

/// Starts logging; later calls of the same process change nothing.
pub(crate) fn start(log: Log) {
    let terminal = std::io::stderr().is_terminal();
    let lines = fmt().with_env_filter(filter(log.level)).with_writer(std::io::stderr).with_ansi(terminal);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
}

/// As [`start`], for tools that print: warnings and worse only, so that their output stays theirs.
pub(crate) fn start_quietly(log: Log) {
    let level = log.level.min(tracing::Level::WARN);
    start(Log { level, ..log });
}

fn filter(level: tracing::Level) -> EnvFilter {
    let others = level.min(tracing::Level::INFO);
    OWN.iter()
        .filter_map(|target| format!("{target}={level}").parse::<Directive>().ok())
        .fold(EnvFilter::default().add_directive(others.into()), EnvFilter::add_directive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_at_info_when_we_trace() {
        let filter = filter(tracing::Level::TRACE).to_string();
        assert!(filter.contains("gateway=trace") && filter.contains("info"), "{filter}");
    }

    #[test]
    fn libraries_are_as_quiet_as_we_are() {
        let filter = filter(tracing::Level::ERROR).to_string();
        assert!(!filter.contains("info"), "{filter}");
    }
}
