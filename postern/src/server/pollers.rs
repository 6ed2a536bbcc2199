//! One poller for each mailbox that the configuration names. Decides nothing about their mail.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use gateway::imap::{Limits, Login, Mailbox, Pace, Poller, Server};
use gateway::{Gateway, Guards};

use crate::config::{Config, Poll, PollLogin};

/// The pollers, ready to run.
pub(super) fn pollers(config: &Config, gateway: &Arc<Gateway>) -> anyhow::Result<Vec<Poller<Guards>>> {
    let directory = gateway.ledger().directory();
    let guards = Arc::new(Guards(Arc::clone(gateway)));
    let poller = |poll: &Poll| {
        let context = || format!("[[poll]] \"{}\"", poll.name);
        if directory.mailbox(&poll.mailbox).is_none_or(|known| known.group != poll.group) {
            // It may be mapped later; until then its mail is refused and stays where it is.
            tracing::warn!(name = poll.name, "a polled mailbox is not mapped to a process of its group");
        }
        Ok(Poller::new(Arc::clone(&guards), mailbox(config, poll).with_context(context)?))
    };
    config.polls.iter().map(poller).collect()
}

fn mailbox(config: &Config, poll: &Poll) -> anyhow::Result<Mailbox> {
    /// A server that says nothing for so long is not going to.
    const COMMAND: Duration = Duration::from_secs(60);
    let wrong = |wrong: crate::config::Wrong| anyhow!("{}; {}", wrong.what, wrong.remedy);
    let login = match (&poll.login, poll.password().map_err(wrong)?) {
        (PollLogin::Token(place), _) => {
            Login::XOAuth2 { user: poll.user.clone(), token_file: place.path().map_err(wrong)? }
        }
        (PollLogin::Password(_), password) => {
            Login::Password { user: poll.user.clone(), password: password.unwrap_or_default() }
        }
    };
    Ok(Mailbox {
        name: poll.name.clone(),
        group: poll.group.clone(),
        address: poll.mailbox.clone(),
        server: Server {
            host: poll.host.clone(),
            port: poll.port,
            tls: poll.tls,
            roots: certs::client_config(poll.ca.as_deref())?,
            pin: poll.pin,
        },
        login,
        folder: poll.folder.clone(),
        after: poll.after.clone(),
        refused_folder: poll.refused_to.clone(),
        authserv_id: poll.authserv_id.clone(),
        pace: Pace { poll: poll.interval, command: COMMAND, ..Pace::default() },
        limits: Limits { message: config.limits.message, ..Limits::default() },
    })
}
