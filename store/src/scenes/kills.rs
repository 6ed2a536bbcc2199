//! The process is killed before each commit in turn: whoever asked asks again, and everything ends as if nothing had
//! happened, once, with nothing left behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use mail::HoldReason;
use tokio::sync::watch;

use super::*;
use crate::{
    CaseBound, HeldId, Onward, Returned, Standing,
    engine::{Broken, Changeset, CommitError, Committed, Pending, Row},
};

/// An engine whose process ends after some commits. The rows stay.
struct Mortal {
    rows: Arc<dyn Engine>,
    left: AtomicUsize,
}

impl Engine for Mortal {
    fn get<'a>(&'a self, keys: &'a [Vec<u8>]) -> Pending<'a, Result<Vec<Option<Row>>, Broken>> {
        self.rows.get(keys)
    }

    fn scan(&self, range: Range, limit: usize) -> Pending<'_, Result<Rows, Broken>> {
        self.rows.scan(range, limit)
    }

    fn commit(&self, change: Changeset) -> Pending<'_, Result<Committed, CommitError>> {
        let lives = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match lives {
            Ok(_) => self.rows.commit(change),
            Err(_) => Box::pin(async { Err(CommitError::Broken("killed".to_owned())) }),
        }
    }

    fn durable(&self) -> bool {
        true
    }

    fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.rows.broken()
    }

    fn close(&self) -> Pending<'_, ()> {
        self.rows.close()
    }
}

impl Market {
    /// Lives for `commits` more, then dies; the next one lives for ever.
    pub(super) async fn mortal(&self, commits: usize) -> Self {
        let engine = Mortal { rows: Arc::clone(&self.engine), left: AtomicUsize::new(commits) };
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let (root, now) = (Arc::clone(&self.root), Arc::clone(&self.now));
        let ledger = ledger(&engine, &root, &now).await;
        Self { ledger, engine, memory: None, _folder: None, root, now, reader: self.reader }
    }

    /// Runs `day` with a process that is killed before its first commit, then before its second, and so on; after each
    /// kill `day` runs again to its end, and `check` looks at what there is.
    async fn killed_everywhere(
        day: impl AsyncFn(&Self) -> Result<(), StoreError>,
        check: impl AsyncFn(&Self),
    ) -> usize {
        for commits in 0.. {
            let market = Self::open().await;
            let whole = day(&market.mortal(commits).await).await;
            let again = market.mortal(usize::MAX).await;
            again.ledger.release_leases().await.unwrap();
            day(&again).await.unwrap();
            market.pass(SignedDuration::from_hours(48));
            market.ledger.sweep_arriving(Duration::ZERO).await.unwrap();
            market.ledger.reload_directory().await.unwrap();
            check(&market).await;
            if whole.is_ok() {
                return commits;
            }
        }
        unreachable!("a day ends")
    }

    async fn work(&self, outcome: Outcome) -> Result<(), StoreError> {
        for leased in self.ledger.lease_jobs(100, Duration::from_secs(600), &[]).await? {
            self.ledger.finish_job(leased, outcome.clone()).await?;
        }
        Ok(())
    }

    async fn hold_for(&self, onward: Onward) -> Result<HeldId, StoreError> {
        let mut writer = ContentWriter::new(&self.ledger)?;
        writer.write(&noise(1_300_000)).await?;
        let content = writer.finish().await?;
        let passage = Passage { content, ..self.passage(&["et@beta.example"], 1, b"").await };
        self.ledger.hold(passage, HoldReason::Opaque, onward).await
    }
}

#[tokio::test]
async fn a_relayed_mail_is_whole_or_absent_at_every_moment() {
    let day = async |market: &Market| {
        let mut writer = ContentWriter::new(&market.ledger)?;
        writer.write(&noise(1_300_000)).await?;
        let content = writer.finish().await?;
        let recipients = ["bob@alpha.example", "cid@far.example"];
        let passage = Passage { content, ..market.passage(&recipients, 1, b"").await };
        let id = market.ledger.relay(passage).await?;
        if let Some(outgoing) = market.ledger.passage(id).await? {
            assert!(outgoing.content.range(0, u64::MAX).await? == noise(1_300_000));
        }
        market.work(Outcome::Done).await
    };
    let kills = Market::killed_everywhere(day, async |market| {
        for table in [Table::Queue, Table::Passage, Table::Content, Table::Arriving] {
            assert!(market.rows(table).await.is_empty(), "{table:?}");
        }
        assert_eq!((market.count(Act::MailRelayed).await, market.count(Act::RelayDone).await), (1, 2));
        assert_eq!(market.count(Act::ContentDestroyed).await, 1);
    })
    .await;
    assert!(kills > 5, "{kills}");
}

#[tokio::test]
async fn a_failed_relay_is_reported_once_at_every_moment() {
    let day = async |market: &Market| {
        let passage = market.passage(&["bob@far.example", "cid@far.example"], 1, b"body").await;
        market.ledger.relay(passage).await?;
        for leased in market.ledger.lease_jobs(100, Duration::from_secs(600), &[]).await? {
            let outcome = match &leased.job.kind {
                JobKind::Relay(_) => Outcome::Abandoned("550 5.1.1".to_owned()),
                _ => Outcome::Done,
            };
            market.ledger.finish_job(leased, outcome).await?;
        }
        market.work(Outcome::Done).await
    };
    Market::killed_everywhere(day, async |market| {
        assert!(market.rows(Table::Queue).await.is_empty());
        // What was given up may be sent again: each time its sender is told, once.
        let given_up = market.count(Act::RelayAbandoned).await;
        assert!((2..=4).contains(&given_up), "{given_up}");
        assert_eq!(market.count(Act::ReportSent).await, given_up);
    })
    .await;
}

#[tokio::test]
async fn a_held_mail_is_secured_once_at_every_moment() {
    let day = async |market: &Market| {
        let entries = vec![tagged(market.opening(), 1)];
        let bound = CaseBound { message_id: None, automatic: false, entries, receipt: None, recall: None };
        let held = market.hold_for(Onward::Case(Box::new(bound))).await?;
        let actor = Actor::User(market.reader);
        market.ledger.release_held(&actor, &id("alpha"), held, |_, _| None).await?;
        market.work(Outcome::Done).await
    };
    let kills = Market::killed_everywhere(day, async |market| {
        let process = "erroneous-transfers".parse().unwrap();
        let [case] =
            market.ledger.cases(&id("beta"), &process, None, 9).await.unwrap().cases.try_into().unwrap();
        assert!(market.read(case.id, "beta").await.unwrap() == [noise(1_300_000)]);
        assert!(market.rows(Table::Held).await.is_empty());
        assert_eq!((market.count(Act::MailHeld).await, market.count(Act::HeldSecured).await), (1, 1));
        assert_eq!((market.count(Act::HeldNoticeSent).await, market.count(Act::NoticeSent).await), (2, 1));
    })
    .await;
    assert!(kills > 5, "{kills}");
}

#[tokio::test]
async fn a_returned_mail_leaves_nothing_at_any_moment() {
    let day = async |market: &Market| {
        let held = market.hold_for(Onward::Relay).await?;
        market.work(Outcome::Done).await?;
        market.ledger.return_held(&Actor::User(market.reader), &id("alpha"), held).await?;
        market.work(Outcome::Done).await
    };
    Market::killed_everywhere(day, async |market| {
        for table in [Table::Queue, Table::Held, Table::Content, Table::Arriving] {
            assert!(market.rows(table).await.is_empty(), "{table:?}");
        }
        // What was returned may be sent again, and is held again.
        let returned = market.count(Act::HeldReturned).await;
        assert!((1..=2).contains(&returned), "{returned}");
        assert_eq!(market.count(Act::HeldNoticeSent).await, 3 * returned);
    })
    .await;
}

#[tokio::test]
async fn a_digest_that_fails_silences_no_case_at_any_moment() {
    let day = async |market: &Market| {
        let directory = market.ledger.directory();
        let mailbox = directory.mailbox(&address("et@beta.example")).unwrap().clone();
        let mailbox = Mailbox { alerts: MailboxAlerts::Digest(vec![15 * 60]), ..mailbox };
        market.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::Mailbox(mailbox)]).await?;
        for source in [1, 2] {
            market.mail("alpha", source, b"body", market.opening()).await?;
        }
        market.pass(SignedDuration::from_hours(24));
        market.work(Outcome::Abandoned("550".to_owned())).await
    };
    Market::killed_everywhere(day, async |market| {
        let process = "erroneous-transfers".parse().unwrap();
        let cases = market.ledger.cases(&id("beta"), &process, None, 9).await.unwrap().cases;
        assert_eq!(cases.len(), 2);
        for (source, case) in (10..).zip(cases) {
            market.mail("alpha", source, b"more", market.joining(case.id)).await.unwrap();
            let told = market.ledger.case(case.id).await.unwrap().unwrap().side(&id("beta")).unwrap().clone();
            assert_eq!(told.noticed, told.waiting);
        }
        let jobs = market.ledger.jobs().await.unwrap();
        assert_eq!(jobs.iter().filter(|job| job.standing == Standing::Waiting).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_bounce_is_counted_once_at_every_moment() {
    let day = async |market: &Market| {
        market.mail("alpha", 1, b"body", market.opening()).await?;
        market.work(Outcome::Done).await?;
        let process = "erroneous-transfers".parse().unwrap();
        for case in market.ledger.cases(&id("beta"), &process, None, 9).await?.cases {
            for notice in market.ledger.notices(case.id).await? {
                market.ledger.note_return(notice.id, Returned::Failed("5.1.1".to_owned())).await?;
            }
        }
        Ok(())
    };
    Market::killed_everywhere(day, async |market| {
        let [task] = market.ledger.tasks(Some(&id("beta"))).await.unwrap().try_into().unwrap();
        assert_eq!(task.count, 1);
        assert_eq!(market.count(Act::NoticeReturned).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_released_request_takes_back_what_it_names_at_every_moment() {
    let day = async |market: &Market| {
        let ann = address("ann@alpha.example");
        let first = market.acceptance(market.sealed(b"wrong").await, 2, vec![tagged(market.opening(), 2)]);
        let author = mail::Person { name: None, address: Some(ann.to_string()) };
        let headline = mail::Headline { from: vec![author], ..first.headline.clone() };
        let case = market.ledger.accept(crate::Acceptance { headline, ..first }).await?.cases[0].id;
        let entries = vec![tagged(market.joining(case), 1)];
        let recall = Some(crate::Recalled { author: ann, subject: "secret subject".to_owned() });
        let bound = CaseBound { message_id: None, automatic: true, entries, receipt: None, recall };
        let mut request = market.passage(&["et@beta.example"], 1, b"recall").await;
        request.class = mail::Class::Recall;
        let onward = Onward::Case(Box::new(bound));
        let held = market.ledger.hold(request, HoldReason::Rule, onward).await?;
        market.ledger.release_held(&Actor::Tool, &id("alpha"), held, |_, _| None).await?;
        // Where it was released before the kill, nobody releases it again: the sweep goes on.
        market.ledger.finish_recalls().await?;
        Ok(())
    };
    let kills = Market::killed_everywhere(day, async |market| {
        assert_eq!((market.count(Act::HeldSecured).await, market.count(Act::MessageWithdrawn).await), (1, 1));
        assert!(market.rows(Table::PendingRecall).await.is_empty());
    })
    .await;
    assert!(kills > 4, "{kills}");
}
