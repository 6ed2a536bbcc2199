//! What is kept to recognise something again: long enough, and not for ever.

use mail::{Away, HoldReason};

use super::*;
use crate::{
    MailPolicy, Observation, Onward, Returned, SweepPlace, accept::source_key, engine::Changeset, records,
};

const MARKS: [Table; 5] = [Table::Source, Table::RelaySource, Table::HeldSource, Table::Sent, Table::Away];

impl Market {
    async fn marks(&self) -> [usize; 5] {
        let mut counts = [0; 5];
        for (count, table) in counts.iter_mut().zip(MARKS) {
            *count = self.rows(table).await.len();
        }
        counts
    }

    /// A whole sweep; how many marks went.
    async fn sweep(&self) -> usize {
        let (mut removed, mut place) = (0, SweepPlace::default());
        loop {
            let (more, next) = self.ledger.sweep_marks(place, 1).await.unwrap();
            removed += more;
            place = next;
            if place == SweepPlace::default() {
                return removed;
            }
        }
    }

    async fn one_of_each(&self) -> CaseId {
        let case = self.mail("alpha", 1, b"body", self.opening()).await.unwrap().cases[0].id;
        let mut away = self.acceptance(self.sealed(b"away").await, 2, vec![tagged(self.joining(case), 2)]);
        away.automatic = true;
        away.away = Some(Away { until: None });
        self.ledger.accept(away).await.unwrap();
        self.ledger.relay(self.passage(&["bob@alpha.example"], 3, b"body").await).await.unwrap();
        let held = self.passage(&["bo@beta.example"], 4, b"body").await;
        let held = self.ledger.hold(held, HoldReason::Rule, Onward::Relay).await.unwrap();
        self.ledger.release_held(&Actor::Tool, &id("alpha"), held, |_, _| None).await.unwrap();
        self.finish_all(Outcome::Done).await;
        case
    }
}

#[tokio::test]
async fn marks_go_when_nothing_can_refer_to_them_any_more() {
    for market in Market::everywhere().await {
        market.one_of_each().await;
        // A notice, and what was said of the held mail to both.
        assert_eq!(market.marks().await, [2, 1, 1, 3, 1]);
        market.pass(SignedDuration::from_hours(29 * 24));
        assert_eq!(market.sweep().await, 0);
        market.pass(SignedDuration::from_hours(2 * 24));
        assert_eq!(market.sweep().await, 8);
        assert_eq!(market.marks().await, [0; 5]);
        assert_eq!(market.sweep().await, 0);
    }
}

#[tokio::test]
async fn a_case_that_goes_on_keeps_its_marks() {
    for market in Market::everywhere().await {
        let case = market.one_of_each().await;
        market.pass(SignedDuration::from_hours(31 * 24));
        market.mail("beta", 5, b"at last", market.joining(case)).await.unwrap();
        market.sweep().await;
        let [sources, relayed, held, _, away] = market.marks().await;
        assert_eq!((sources, relayed, held, away), (3, 0, 0, 1));
        let again = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
        assert_eq!(again.cases[0].id, case, "the first delivery is still known");
    }
}

#[tokio::test]
async fn a_sweep_is_done_in_parts() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"body", market.opening()).await.unwrap().cases[0].clone();
        let row = records::encode(&case).unwrap();
        let many =
            (0..1_300_u32).map(|number| (source_key(&certs::sha256(&number.to_be_bytes())), row.clone()));
        market.engine.commit(Changeset { put: many.collect(), ..Changeset::default() }).await.unwrap();
        market.pass(SignedDuration::from_hours(31 * 24));
        let (first, place) = market.ledger.sweep_marks(SweepPlace::default(), 500).await.unwrap();
        assert_eq!(first, 500);
        let (second, place) = market.ledger.sweep_marks(place, 500).await.unwrap();
        assert_eq!(second, 500);
        let (third, place) = market.ledger.sweep_marks(place, 5_000).await.unwrap();
        assert_eq!((third, place), (301, SweepPlace::default()));
        assert!(market.rows(Table::Source).await.is_empty());
    }
}

#[tokio::test]
async fn a_report_has_no_sender_to_come_back_to() {
    for market in Market::everywhere().await {
        market.ledger.relay(market.passage(&["bob@far.example"], 1, b"body").await).await.unwrap();
        market.finish_all(Outcome::Abandoned("5.1.1".to_owned())).await;
        let [leased] = market.lease().await.try_into().unwrap();
        let report = leased.job.id;
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        assert_eq!(market.count(Act::ReportSent).await, 1);
        assert!(market.rows(Table::Sent).await.is_empty());
        assert_eq!(market.ledger.note_return(report, Returned::Delayed).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_mail_policy_outlives_the_process_and_not_its_time() {
    for market in Market::everywhere().await {
        let until = market.ledger.now().saturating_add(SignedDuration::from_hours(48)).unwrap();
        let policy = MailPolicy { id: "1".to_owned(), text: "mode: enforce".to_owned(), until };
        market.ledger.keep_mail_policy("far.example", &policy).await.unwrap();
        let ledger = market.after_a_kill().await;
        assert_eq!(ledger.mail_policy("far.example").await.unwrap().as_ref(), Some(&policy));
        let renewed = MailPolicy { id: "2".to_owned(), ..policy };
        ledger.keep_mail_policy("far.example", &renewed).await.unwrap();
        assert_eq!(market.ledger.mail_policy("far.example").await.unwrap(), Some(renewed));
        assert_eq!(market.ledger.mail_policy("ar.example").await.unwrap(), None);
        market.pass(SignedDuration::from_hours(49));
        assert_eq!(market.ledger.mail_policy("far.example").await.unwrap(), None);
        market.pass(SignedDuration::from_hours(30 * 24));
        assert_eq!(market.sweep().await, 1);
    }
}

#[tokio::test]
async fn what_shadow_mode_has_counted_is_not_known_for_ever() {
    for market in Market::everywhere().await {
        let mail = Observation { group: id("alpha"), tallies: Vec::new() };
        assert!(market.ledger.observe(&mail, &[1; 32]).await.unwrap());
        market.pass(SignedDuration::from_hours(29 * 24));
        assert_eq!(market.sweep().await, 0);
        assert!(!market.ledger.observe(&mail, &[1; 32]).await.unwrap());
        market.pass(SignedDuration::from_hours(2 * 24));
        assert_eq!(market.sweep().await, 1);
        assert!(market.rows(Table::ShadowSource).await.is_empty());
    }
}

#[tokio::test]
async fn a_mark_of_shadow_mode_from_an_earlier_release_goes_too() {
    let market = Market::open().await;
    let key = Key::of(Table::ShadowSource).digest(&[1; 32]).done();
    let put = vec![(key, records::encode(&()).unwrap())];
    market.engine.commit(Changeset { put, ..Changeset::default() }).await.unwrap();
    assert_eq!(market.sweep().await, 1);
}
