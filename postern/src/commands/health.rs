//! `postern health`: asks the running server, and opens nothing itself.

use clap::Args;

use super::wait;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::config::Config;
use crate::control;
use crate::print;
use crate::tools::{Request, rows};

#[derive(Args)]
pub(crate) struct Health {
    /// End with 3 if somebody has to look at something
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Health {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config.file)?;
        crate::log::start_quietly(config.log);
        let health: rows::Health = wait(control::ask_server(&config, Request::Health))?;
        match self.output.json {
            true => print::json(&health)?,
            false => print::lines(&in_words(&health))?,
        }
        anyhow::ensure!(health.ready, "the ledger does not work; the server's log says why");
        Ok(if self.strict && needs_somebody(&health) { Outcome::Found } else { Outcome::Done })
    }
}

/// Mail is taken all the same, so a supervisor that restarts what is not well must not go by it.
fn needs_somebody(health: &rows::Health) -> bool {
    let stopped = health.polls.iter().any(|poll| poll.standing == "stopped");
    stopped || health.abandoned > 0 || !health.tasks.is_empty() || !health.ending.is_empty()
}

/// What works, then what somebody has to look at, a line each.
fn in_words(health: &rows::Health) -> String {
    let mut lines = vec![
        format!("ready: {}", health.ready),
        format!("durable: {}", health.durable),
        format!("mails waiting: {}", health.waiting),
        format!("mails given up: {}", health.abandoned),
        format!("rules: {}", health.rules),
    ];
    let refused = health.refused_rules.iter();
    lines.extend(refused.map(|why| format!("newer policy files are not used: {why}")));
    lines.extend(health.tried_rules.iter().map(|hash| format!("rules that are tried: {hash}")));
    let refused = health.refused_tried_rules.iter();
    lines.extend(refused.map(|why| format!("newer policy files are not tried: {why}")));
    lines.extend(health.holds.iter().map(|hold| match hold.domain.as_str() {
        "" => format!("on hold: everything, since {}", hold.since),
        domain => format!("on hold: {domain}, since {}", hold.since),
    }));
    lines.extend(health.polls.iter().map(|poll| {
        let why = poll.last_error.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        format!("mailbox {}: {}, {} taken, {} left{why}", poll.name, poll.standing, poll.taken, poll.left)
    }));
    lines.extend(
        health.alarms.iter().map(|(name, count)| format!("stopped at the door: {name}, {count} times")),
    );
    lines.extend(health.ending.iter().map(|end| format!("certificate {} ends {}", end.name, end.until)));
    lines.extend(health.tasks.iter().map(|task| {
        let group = task.group.as_deref().unwrap_or("this installation");
        format!("to do ({group}): {}, since {}, {} times", task.what, task.since, task.count)
    }));
    lines.join("\n")
}
