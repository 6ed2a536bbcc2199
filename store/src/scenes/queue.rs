//! The queue: turns for every domain, holds, what an administrator does, and rows of earlier releases.

use super::*;
use crate::{Selection, Standing, engine::Changeset};

impl Market {
    /// `count` relay jobs to a domain.
    async fn relay_many(&self, domain: &str, count: usize, source: u16) {
        for batch in 0..count.div_ceil(1_000) {
            let here = (count - batch * 1_000).min(1_000);
            let recipients: Vec<_> = (0..here).map(|number| format!("u{number}@{domain}")).collect();
            let recipients: Vec<_> = recipients.iter().map(String::as_str).collect();
            let mut passage = self.passage(&[], 0, b"body").await;
            passage.envelope.recipients = recipients.iter().map(|to| address(to).into()).collect();
            passage.sources = (0..here)
                .map(|number| certs::sha256(format!("{source} {batch} {number}").as_bytes()))
                .collect();
            self.ledger.relay(passage).await.unwrap();
        }
    }

    async fn domains(&self, limit: usize, busy: &[&str]) -> Vec<String> {
        let busy: Vec<_> = busy.iter().map(|domain| (*domain).to_owned()).collect();
        let leased = self.ledger.lease_jobs(limit, Duration::from_secs(600), &busy).await.unwrap();
        leased.iter().map(|leased| leased.job.domain().to_owned()).collect()
    }

    async fn standings(&self) -> Vec<Standing> {
        self.ledger.jobs().await.unwrap().iter().map(|job| job.standing).collect()
    }
}

#[tokio::test]
async fn a_dead_domain_with_ten_thousand_jobs_keeps_nobody_waiting() {
    for market in Market::everywhere().await {
        market.relay_many("dead.example", 10_000, 1).await;
        market.pass(SignedDuration::from_secs(5));
        market.relay_many("live.example", 3, 2).await;
        market.relay_many("quick.example", 1, 3).await;
        let mut four = market.domains(4, &[]).await;
        four.sort();
        assert_eq!(four, ["dead.example", "dead.example", "live.example", "quick.example"]);
        assert_eq!(market.domains(4, &["dead.example"]).await, ["live.example", "live.example"]);
        assert!(market.domains(4, &["dead.example"]).await.is_empty());
        let in_ten_minutes = market.ledger.now().saturating_add(SignedDuration::from_secs(600)).unwrap();
        let next = market.ledger.next_due(&["dead.example".to_owned()]).await.unwrap();
        assert_eq!(next, Some(in_ten_minutes), "the leases of the others");
        assert_eq!(market.domains(100, &[]).await.len(), 100, "alone, a domain gets all there is");
        assert_eq!(market.ledger.count_jobs().await.unwrap(), (10_004, 0));
    }
}

#[tokio::test]
async fn with_more_domains_than_a_lease_holds_each_has_its_turn() {
    for market in Market::everywhere().await {
        for number in 0..20 {
            market.relay_many(&format!("d{number:02}.example"), 10, number).await;
        }
        let mut served = std::collections::BTreeMap::<String, usize>::new();
        for _ in 0..10 {
            for domain in market.domains(4, &[]).await {
                *served.entry(domain).or_default() += 1;
            }
        }
        assert_eq!(served.len(), 20);
        assert!(served.values().all(|times| *times == 2), "{served:?}");
    }
}

#[tokio::test]
async fn a_domain_on_hold_holds_what_comes_later_too() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 2, 1).await;
        market.relay_many("b.example", 1, 2).await;
        let held = Selection::Domain("A.example".to_owned());
        assert_eq!(market.ledger.hold_jobs(&Actor::Tool, &held).await.unwrap(), 2);
        assert_eq!(market.ledger.hold_jobs(&Actor::Tool, &held).await.unwrap(), 2);
        market.relay_many("a.example", 3, 3).await;
        assert_eq!(market.domains(10, &[]).await, ["b.example"]);
        let ledger = market.after_a_kill().await;
        let [hold] = ledger.domain_holds().await.unwrap().try_into().unwrap();
        assert_eq!((hold.domain.as_str(), hold.by), ("a.example", Actor::Tool));
        let on_hold = market.standings().await.into_iter().filter(|known| *known == Standing::OnHold);
        assert_eq!(on_hold.count(), 5);
        let one = ledger.jobs().await.unwrap().into_iter().find(|job| job.domain() == "a.example").unwrap();
        let alone = ledger.release_jobs(&Actor::Tool, &Selection::Job(one.id)).await;
        assert!(matches!(alone, Err(StoreError::Denied(_))));
        assert_eq!(ledger.release_jobs(&Actor::Tool, &held).await.unwrap(), 5);
        assert_eq!(market.domains(10, &[]).await.len(), 5);
        assert_eq!((market.count(Act::DomainHeld).await, market.count(Act::DomainReleased).await), (1, 1));
    }
}

#[tokio::test]
async fn everything_can_be_held_and_let_go() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 2, 1).await;
        market.ledger.hold_jobs(&Actor::Tool, &Selection::All).await.unwrap();
        market.relay_many("b.example", 1, 2).await;
        assert!(market.domains(10, &[]).await.is_empty());
        assert_eq!(market.ledger.next_due(&[]).await.unwrap(), None);
        let nothing = market.ledger.hold_jobs(&Actor::Tool, &Selection::Domain(String::new())).await;
        assert!(matches!(nothing, Err(StoreError::Denied(_))));
        let part = Selection::Domain("a.example".to_owned());
        let refused = market.ledger.release_jobs(&Actor::Tool, &part).await;
        assert!(matches!(refused, Err(StoreError::Denied(_))));
        assert_eq!(market.ledger.release_jobs(&Actor::Tool, &Selection::All).await.unwrap(), 3);
        assert_eq!(market.domains(10, &[]).await.len(), 3);
    }
}

#[tokio::test]
async fn jobs_of_a_case_are_held_released_retried_and_dropped_together() {
    for market in Market::everywhere().await {
        let content = market.sealed(b"body").await;
        let mail = market.acceptance(content, 1, vec![tagged(market.opening(), 1)]);
        let mail = Acceptance { receipt: Some(address("ann@alpha.example")), ..mail };
        let case = market.ledger.accept(mail).await.unwrap().cases[0].id;
        market.mail("alpha", 2, b"other", market.opening()).await.unwrap();
        let (actor, meant) = (Actor::Tool, Selection::Case(case));
        assert_eq!(market.ledger.hold_jobs(&actor, &meant).await.unwrap(), 2);
        assert_eq!(market.ledger.hold_jobs(&actor, &meant).await.unwrap(), 0);
        assert_eq!(market.ledger.retry_jobs(&actor, &meant).await.unwrap(), 0, "what is on hold stays so");
        assert_eq!(market.lease().await.len(), 1);
        assert_eq!(market.ledger.release_jobs(&actor, &meant).await.unwrap(), 2);
        let later = market.ledger.now().saturating_add(SignedDuration::from_hours(1)).unwrap();
        market.finish_all(Outcome::Again(later, "421".to_owned())).await;
        assert!(market.lease().await.is_empty());
        assert_eq!(market.ledger.retry_jobs(&actor, &meant).await.unwrap(), 2);
        market.finish_all(Outcome::Abandoned("550".to_owned())).await;
        assert_eq!(market.ledger.count_jobs().await.unwrap(), (1, 2));
        assert_eq!(market.ledger.retry_jobs(&actor, &meant).await.unwrap(), 2);
        assert_eq!(market.ledger.count_jobs().await.unwrap(), (3, 0));
        assert_eq!(market.ledger.drop_jobs(&actor, &meant).await.unwrap(), 2);
        assert_eq!(market.ledger.count_jobs().await.unwrap(), (1, 0), "the one under way is left alone");
        for (act, times) in
            [(Act::JobHeld, 2), (Act::JobReleased, 2), (Act::JobRetried, 4), (Act::JobDropped, 2)]
        {
            assert_eq!(market.count(act).await, times, "{act}");
        }
    }
}

#[tokio::test]
async fn what_a_worker_has_is_stopped_too() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 1, 1).await;
        let [leased] = market.lease().await.try_into().unwrap();
        let (id, actor) = (leased.job.id, Actor::Tool);
        assert!(!market.ledger.is_stopped(&leased.job).await.unwrap());
        let meant = Selection::Job(id);
        assert_eq!(market.ledger.hold_jobs(&actor, &meant).await.unwrap(), 1);
        assert_eq!(market.standings().await, [Standing::Stopping]);
        assert!(market.ledger.is_stopped(&leased.job).await.unwrap());
        assert!(market.ledger.drop_jobs(&actor, &meant).await.is_err(), "a worker has it");
        market.ledger.finish_job(leased, Outcome::Stopped).await.unwrap();
        let [job] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!((job.standing, job.attempts), (Standing::OnHold, 0), "nothing was tried");
        assert_eq!(market.ledger.release_jobs(&actor, &meant).await.unwrap(), 1);
        assert_eq!(market.standings().await, [Standing::Waiting]);

        // A hold that is taken back in time changes nothing for the worker.
        let [leased] = market.lease().await.try_into().unwrap();
        market.ledger.hold_jobs(&actor, &meant).await.unwrap();
        assert_eq!(market.ledger.release_jobs(&actor, &meant).await.unwrap(), 1);
        assert!(!market.ledger.is_stopped(&leased.job).await.unwrap());
        // One that comes when the dialogue has begun stops the next try.
        market.ledger.hold_jobs(&actor, &meant).await.unwrap();
        let again = Outcome::Again(market.ledger.now(), "4.2.0 later".to_owned());
        market.ledger.finish_job(leased, again).await.unwrap();
        assert_eq!(market.standings().await, [Standing::OnHold]);
        assert!(market.lease().await.is_empty());
        assert_eq!(market.count(Act::JobHeld).await, 3);
    }
}

#[tokio::test]
async fn a_mail_that_left_while_it_was_stopped_has_left() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 1, 1).await;
        let [leased] = market.lease().await.try_into().unwrap();
        market.ledger.hold_jobs(&Actor::Tool, &Selection::Job(leased.job.id)).await.unwrap();
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        assert!(market.ledger.jobs().await.unwrap().is_empty());
        assert_eq!(market.count(Act::RelayDone).await, 1);
    }
}

#[tokio::test]
async fn what_was_stopped_is_on_hold_also_if_its_worker_dies() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 2, 1).await;
        let leased = market.lease().await;
        market.ledger.hold_jobs(&Actor::Tool, &Selection::Job(leased[0].job.id)).await.unwrap();
        market.ledger.hold_jobs(&Actor::Tool, &Selection::Job(leased[1].job.id)).await.unwrap();
        market.after_a_kill().await.release_leases().await.unwrap();
        assert_eq!(market.standings().await, [Standing::OnHold, Standing::OnHold]);
        market.ledger.release_jobs(&Actor::Tool, &Selection::All).await.unwrap();
        // The same by time, where other processes go on.
        let leased = market.lease().await;
        market.ledger.hold_jobs(&Actor::Tool, &Selection::Job(leased[0].job.id)).await.unwrap();
        market.pass(SignedDuration::from_hours(1));
        assert_eq!(market.lease().await.len(), 1);
        let mut standings = market.standings().await;
        standings.sort_by_key(|standing| *standing == Standing::OnHold);
        assert_eq!(standings, [Standing::Leased, Standing::OnHold]);
        assert!(market.ledger.is_stopped(&leased[1].job).await.unwrap(), "somebody else has it");
    }
}

#[tokio::test]
async fn a_domain_on_hold_stops_what_is_leased() {
    for market in Market::everywhere().await {
        for meant in [Selection::Domain("a.example".to_owned()), Selection::All] {
            market.relay_many("a.example", 1, 1).await;
            let [leased] = market.lease().await.try_into().unwrap();
            market.ledger.hold_jobs(&Actor::Tool, &meant).await.unwrap();
            assert!(market.ledger.is_stopped(&leased.job).await.unwrap());
            market.ledger.finish_job(leased, Outcome::Stopped).await.unwrap();
            assert!(market.lease().await.is_empty());
            market.ledger.release_jobs(&Actor::Tool, &meant).await.unwrap();
        }
    }
}

#[tokio::test]
async fn many_jobs_are_dropped_each_once_with_its_event() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 700, 1).await;
        market.relay_many("b.example", 5, 2).await;
        let meant = Selection::Domain("a.example".to_owned());
        assert_eq!(market.ledger.drop_jobs(&Actor::Tool, &meant).await.unwrap(), 700);
        assert_eq!(market.count(Act::JobDropped).await, 700);
        assert_eq!(market.rows(Table::Passage).await.len(), 1);
        let reports = market.kinds().await.iter().filter(|kind| **kind == "report").count();
        assert_eq!(reports, 700, "each sender is told");
    }
}

/// A job as release 0.1 wrote it: key by due time, value without the fields that came later.
#[tokio::test]
async fn jobs_of_an_earlier_release_are_found_and_done() {
    for market in Market::everywhere().await {
        let id: [u8; 20] = std::array::from_fn(|place| place as u8);
        let case: [u8; 20] = [7; 20];
        let made = market.ledger.now().as_millisecond();
        let key = [&[0x60][..], &made.to_be_bytes(), &id].concat();
        let time = [&[0x1b][..], &made.to_be_bytes()].concat();
        let notice = [
            &[0xa4, 0x00, 0x54][..],
            &case,
            &[0x01, 0x01, 0x02, 0x64],
            b"beta",
            &[0x03, 0x6f],
            b"et@beta.example",
        ]
        .concat();
        let value = [
            &[0x01, 0xa6, 0x00, 0x54][..],
            &id,
            &[0x01, 0x82, 0x00, 0x81],
            &notice,
            &[0x02],
            &time,
            &[0x03],
            &time,
            &[0x04, 0x02, 0x05, 0x00],
        ]
        .concat();
        let old = Changeset { put: vec![(key, value.clone().into())], ..Changeset::default() };
        market.engine.commit(old).await.unwrap();
        let ledger = market.after_a_kill().await;
        assert!(market.rows(Table::Job).await.is_empty());
        assert_eq!(market.rows(Table::Queue).await[0].1.value, value, "it is still written so");
        let [job] = ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!((job.id.as_bytes(), job.attempts, job.standing), (&id, 2, Standing::Waiting));
        let JobKind::Notice(notice) = &job.kind else { panic!("{:?}", job.kind) };
        assert_eq!((notice.number, &notice.to), (1, &address("et@beta.example")));
        assert_eq!(market.lease().await.len(), 1);
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_stops_no_other() {
    for market in Market::everywhere().await {
        market.relay_many("a.example", 2, 1).await;
        let (key, _) = market.rows(Table::Queue).await.remove(0);
        let damage = Changeset { put: vec![(key, b"\x01garbage".as_slice().into())], ..Changeset::default() };
        market.engine.commit(damage).await.unwrap();
        assert_eq!(market.domains(1, &[]).await, ["a.example"]);
        assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
        let next = market.ledger.next_due(&[]).await.unwrap().unwrap();
        assert!(next > market.ledger.now(), "nobody waits for what cannot be done");
    }
}
