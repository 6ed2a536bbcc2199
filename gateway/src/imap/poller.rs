//! The task that watches one mailbox: connects, goes through it, waits for more, and after a failure comes back. It
//! may be dropped at any moment: what is durable is durable, and everything else is done again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::timeout};

use super::{
    connect::connect,
    fault::Fault,
    intake::Intake,
    login::login,
    pause::{pause, until_stopped},
    progress::Progress,
    round::Round,
    session::Session,
    settings::{Mailbox, Pace},
    standing::{Saved, Standing},
};
use crate::smtp::Refusal;

/// Watches one mailbox.
pub struct Poller<I> {
    intake: Arc<I>,
    mailbox: Mailbox,
}

/// What is known of the mailbox now, and what of it is saved.
pub(super) struct Diary {
    pub(super) progress: Progress,
    pub(super) saved: Saved,
    /// The last thing that the server said to a mark was no.
    pub(super) unmarkable: bool,
    changed: bool,
}

impl<I: Intake> Poller<I> {
    pub fn new(intake: Arc<I>, mailbox: Mailbox) -> Self {
        Self { intake, mailbox }
    }

    /// Runs until `stop` turns true (or its sender is gone).
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut failures: u32 = 0;
        let Some(mut diary) = self.recalled(&mut stop).await else { return };
        loop {
            let mut stopped = stop.clone();
            let fault = tokio::select! {
                fault = self.watch(&mut diary, &mut failures, stop.clone()) => fault,
                () = until_stopped(&mut stopped) => break,
            };
            failures = failures.saturating_add(1);
            tracing::warn!(mailbox = %self.mailbox.name, fault = fault.as_str(), failures, "polling fails: {fault}");
            let patience = pause(&self.mailbox.pace, failures);
            diary.stand(self.waiting(fault, patience), self.intake.now());
            let _tried = diary.save(self.intake.as_ref(), &self.mailbox).await;
            if failures == self.patience_with(fault) {
                self.intake.stopped(&self.mailbox, fault).await;
            }
            if timeout(patience, until_stopped(&mut stop)).await.is_ok() {
                break;
            }
        }
        let _tried = diary.save(self.intake.as_ref(), &self.mailbox).await;
    }

    /// What was saved last; nothing may be taken before it is known. None if it is time to end.
    async fn recalled(&self, stop: &mut watch::Receiver<bool>) -> Option<Diary> {
        let mut failures: u32 = 0;
        loop {
            match self.intake.saved(&self.mailbox).await {
                Ok(saved) => return Some(Diary::new(saved.unwrap_or_else(|| Saved::new(self.intake.now())))),
                Err(refusal) => {
                    let refusal = refusal.name();
                    tracing::warn!(mailbox = %self.mailbox.name, refusal, "what was polled cannot be read");
                }
            }
            failures = failures.saturating_add(1);
            if timeout(pause(&self.mailbox.pace, failures), until_stopped(stop)).await.is_ok() {
                return None;
            }
        }
    }

    /// One connection, until it fails.
    async fn watch(&self, diary: &mut Diary, failures: &mut u32, stop: watch::Receiver<bool>) -> Fault {
        match self.connected(diary, failures, stop).await {
            Ok(never) => match never {},
            Err(fault) => fault,
        }
    }

    async fn connected(
        &self,
        diary: &mut Diary,
        failures: &mut u32,
        mut stop: watch::Receiver<bool>,
    ) -> Result<std::convert::Infallible, Fault> {
        let Mailbox { server, pace, .. } = &self.mailbox;
        // After a failure what is shown is the failure, until it is overcome.
        if !matches!(diary.saved.report.standing, Standing::Waiting { .. }) {
            diary.stand(Standing::Connecting, self.intake.now());
        }
        let client = connect(server, pace).await?;
        let inner = login(client, &self.mailbox.login, pace.command).await?;
        let mut session = Session::begin(inner, pace.command).await?;
        loop {
            let (intake, mailbox) = (self.intake.as_ref(), &self.mailbox);
            Round::new(intake, mailbox, &mut session, diary).run().await?;
            if session.has_news() {
                continue;
            }
            let patience = pace.poll.min(Pace::LONGEST_IDLE);
            let standing = match diary.hindrance() {
                None => Standing::Watching,
                Some(fault) => {
                    // Once for each row of failures, as with those that end a connection.
                    if diary.stand(self.waiting(fault, patience), intake.now()) && fault.needs_somebody() {
                        intake.stopped(mailbox, fault).await;
                    }
                    self.waiting(fault, patience)
                }
            };
            diary.stand(standing, intake.now());
            diary.save(intake, mailbox).await?;
            *failures = 0;
            session.idle(patience, &mut stop).await?;
        }
    }

    fn waiting(&self, fault: Fault, patience: std::time::Duration) -> Standing {
        let until = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
        Standing::Waiting { fault, until: self.intake.now().saturating_add(until).unwrap_or(Timestamp::MAX) }
    }

    /// So many failures in a row before somebody is told. Networks heal more often than passwords.
    fn patience_with(&self, fault: Fault) -> u32 {
        let failures = self.mailbox.limits.failures.max(1);
        if fault.needs_somebody() { failures } else { failures.saturating_mul(10) }
    }
}

impl Diary {
    fn new(saved: Saved) -> Self {
        Self { progress: Progress::default(), saved, unmarkable: false, changed: false }
    }

    /// Saves what changed.
    pub(super) async fn save<I: Intake>(&mut self, intake: &I, mailbox: &Mailbox) -> Result<(), Fault> {
        let state = self.progress.state().or(self.saved.state);
        if !self.changed && state == self.saved.state {
            return Ok(());
        }
        let saved = Saved { state, ..self.saved };
        intake.save(mailbox, saved).await.map_err(|refusal| store(&refusal))?;
        (self.saved, self.changed) = (saved, false);
        Ok(())
    }

    /// There is work. What is shown of it comes with the next thing that is saved.
    pub(super) fn working(&mut self, now: Timestamp) {
        self.stand(Standing::Working, now);
    }

    pub(super) fn taken(&mut self, uid: u32, now: Timestamp) {
        self.progress.taken(uid);
        self.saved.report.taken += 1;
        self.saved.report.last_taken_at = Some(now);
        self.changed = true;
    }

    pub(super) fn left(&mut self, uid: u32) {
        self.progress.settled(uid);
        self.saved.report.left += 1;
        self.changed = true;
    }

    /// What is in the way although the mailbox is open.
    fn hindrance(&self) -> Option<Fault> {
        match (self.unmarkable, self.progress.first_waiting()) {
            (true, _) => Some(Fault::NotMarked),
            (false, Some(_)) => Some(Fault::Undecided),
            (false, None) => None,
        }
    }

    /// Whether that is news. The same fault again is none, and keeps its first date.
    fn stand(&mut self, standing: Standing, now: Timestamp) -> bool {
        let report = &mut self.saved.report;
        if report.standing == standing {
            return false;
        }
        let same = match (report.standing, standing) {
            (Standing::Waiting { fault: before, .. }, Standing::Waiting { fault, .. }) => before == fault,
            _ => false,
        };
        report.standing = standing;
        self.changed = true;
        if !same {
            report.since = now;
        }
        !same
    }
}

fn store(refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::StoreFull => Fault::StoreFull,
        _ => Fault::StoreBroken,
    }
}
