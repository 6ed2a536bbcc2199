//! The pollers from outside, against a small IMAP server of our own that can be told to misbehave, and against the
//! hostile server scripts of the corpus.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod hostile;
mod kills;
mod notation;
mod papers;
mod server;
mod shelf;
mod taking;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use gateway::imap::{After, Folder, Limits, Login, Mailbox, Pace, Poller, Server, Tls};
use mail::Address;
use tokio::{sync::watch, task::JoinHandle};

use papers::Papers;
use shelf::Shelf;

pub(crate) const USER: &str = "et@beta.example";
pub(crate) const PASSWORD: &str = "pass\"word\\ é";
pub(crate) const HOST: &str = "localhost";

/// The mailbox as most tests poll it.
pub(crate) fn mailbox(papers: &Papers, port: u16) -> Mailbox {
    let server =
        Server { host: HOST.to_owned(), port, tls: Tls::Implicit, roots: papers.trusting(), pin: None };
    Mailbox {
        name: "transfers".to_owned(),
        group: "beta".parse().unwrap(),
        address: Address::parse(USER).unwrap(),
        server,
        login: Login::Password { user: USER.to_owned(), password: PASSWORD.to_owned() },
        folder: Folder::inbox(),
        after: After::Remove,
        refused_folder: None,
        authserv_id: Some("mx.beta.example".to_owned()),
        pace: Pace {
            poll: Duration::from_secs(20),
            connect: Duration::from_secs(5),
            command: Duration::from_secs(5),
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(40),
        },
        limits: Limits { message: 4 << 20, failures: 3 },
    }
}

/// A poller at work.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(shelf: &Shelf, mailbox: Mailbox) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Poller::new(Arc::new(shelf.clone()), mailbox).run(stopped));
        Self { stop, task }
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.expect("a poller that did not panic");
    }

    /// Takes it away in the middle of whatever it does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        match self.task.await {
            Ok(()) => panic!("it ended by itself"),
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
}
