//! Where polled mails stand in the tests: what is on it counts as durable. A mail says itself how it fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gateway::imap::{Fault, Intake, Mailbox, Polled, Saved, Standing};
use gateway::smtp::{Delivery, Refusal};
use jiff::Timestamp;
use mail::Envelope;
use tokio::{sync::watch, time::timeout};

/// Shared by pollers, servers and the test.
#[derive(Clone)]
pub(crate) struct Shelf {
    contents: Arc<Mutex<Contents>>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
pub(crate) struct Contents {
    /// Each mail once, in the order of their coming.
    pub(crate) mails: Vec<Vec<u8>>,
    pub(crate) envelopes: Vec<(Polled, Envelope)>,
    /// Mails that came again.
    pub(crate) again: usize,
    pub(crate) saved: HashMap<String, Saved>,
    /// How often something was saved.
    pub(crate) saves: usize,
    pub(crate) stopped: Vec<Fault>,
    /// What the next mails are answered with, whatever is in them.
    pub(crate) refusals: Vec<Refusal>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { contents: Arc::default(), changed: watch::Sender::new(0) }
    }
}

impl Shelf {
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }

    pub(crate) fn holds(&self, mail: &[u8]) -> bool {
        self.contents().mails.iter().any(|held| held == mail)
    }

    /// How many of these are missing.
    pub(crate) fn missing(&self, mails: &[Vec<u8>]) -> usize {
        let held: std::collections::HashSet<Vec<u8>> = self.contents().mails.iter().cloned().collect();
        mails.iter().filter(|mail| !held.contains(*mail)).count()
    }

    pub(crate) fn standing(&self) -> Option<Standing> {
        self.contents().saved.get("transfers").map(|saved| saved.report.standing)
    }

    /// What it waits for, if it waits.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.standing() {
            Some(Standing::Waiting { fault, .. }) => Some(fault),
            _ => None,
        }
    }

    /// Waits until this is so; a minute is long enough for anything.
    pub(crate) async fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !so(self) {
                changed.changed().await.unwrap();
            }
        };
        if timeout(Duration::from_secs(60), wait).await.is_err() {
            panic!("never: {what}; standing {:?}, {} mails", self.standing(), self.contents().mails.len());
        }
    }

    /// Changes the contents, and tells those who wait.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Contents)) {
        change(&mut self.contents());
        self.changed.send_modify(|version| *version += 1);
    }
}

/// One mail on its way.
pub(crate) struct Sink {
    shelf: Shelf,
    from: Polled,
    envelope: Envelope,
    body: Vec<u8>,
}

impl Intake for Shelf {
    type Delivery = Sink;

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn open(&self, from: &Polled, envelope: Envelope, _: u64) -> Result<Sink, Refusal> {
        Ok(Sink { shelf: self.clone(), from: from.clone(), envelope, body: Vec::new() })
    }

    async fn saved(&self, mailbox: &Mailbox) -> Result<Option<Saved>, Refusal> {
        Ok(self.contents().saved.get(&mailbox.name).copied())
    }

    async fn save(&self, mailbox: &Mailbox, saved: Saved) -> Result<(), Refusal> {
        self.change(|contents| {
            contents.saves += 1;
            contents.saved.insert(mailbox.name.clone(), saved);
        });
        Ok(())
    }

    async fn stopped(&self, _: &Mailbox, fault: Fault) {
        self.change(|contents| contents.stopped.push(fault));
    }
}

impl Delivery for Sink {
    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        assert!(bytes.len() <= 64 * 1024, "a chunk of {}", bytes.len());
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    async fn close(self) -> Result<String, Refusal> {
        // A kill may come here as well.
        tokio::task::yield_now().await;
        let refusal = match self.shelf.contents().refusals.pop() {
            Some(refusal) => Some(refusal),
            None if self.body.starts_with(b"Subject: watch me") => Some(Refusal::OnlyWatched),
            None if self.body.starts_with(b"Subject: refuse me") => {
                Some(Refusal::NotProved("nobody".to_owned()))
            }
            None => None,
        };
        if let Some(refusal) = refusal {
            self.shelf.change(|_| {});
            return Err(refusal);
        }
        let held = self.shelf.holds(&self.body);
        self.shelf.change(|contents| match held {
            true => contents.again += 1,
            false => {
                contents.mails.push(self.body);
                contents.envelopes.push((self.from, self.envelope));
            }
        });
        Ok("secured as case K7Q-4M2X".to_owned())
    }
}
