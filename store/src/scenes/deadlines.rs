//! Deadlines when the calendars change: which move, what is noted, what a cut or a busy case leaves to do.

use std::cell::RefCell;

use super::*;
use crate::{OpenDeadline, Reckoning, Recomputed, cases::case_key};

const HOUR: i64 = 3_600;

/// A calendar by which every day has so many hours: the deadline is that long after the question for each working day.
fn by(hours: i64) -> impl Fn(OpenDeadline<'_>) -> Option<Deadline> {
    move |open| Some(reckoned(open.since, open.working_days.unwrap_or(10), hours))
}

fn reckoned(since: Timestamp, working_days: u32, hours: i64) -> Deadline {
    let time = SignedDuration::from_secs(i64::from(working_days) * hours * HOUR);
    Deadline {
        at: since.saturating_add(time).unwrap(),
        reason: format!("{working_days} days of {hours} hours"),
        reckoning: Some(Reckoning { since, working_days, calendar: format!("days of {hours}") }),
        warn_at: None,
    }
}

impl Market {
    /// A case whose deadline was reckoned by days of 24 hours.
    async fn reckoned_by_24(&self, source: u8, working_days: u32) -> CaseId {
        let Place::Open(opening) = self.opening() else { panic!("an opening") };
        let deadline = reckoned(self.ledger.now(), working_days, 24);
        let place = Place::Open(Opening { deadline, ..opening });
        self.mail("alpha", source, b"question", place).await.unwrap().cases[0].id
    }

    async fn due(&self, case: CaseId) -> Option<crate::Due> {
        self.ledger.case(case).await.unwrap().unwrap().due
    }
}

#[tokio::test]
async fn other_calendars_move_open_deadlines_and_leave_the_old_and_the_new_in_the_trail() {
    for market in Market::everywhere().await {
        let open = market.reckoned_by_24(1, 10).await;
        let answered = market.reckoned_by_24(2, 10).await;
        market.mail("beta", 3, b"answer", market.joining(answered)).await.unwrap();
        let short = market.reckoned_by_24(4, 1).await;
        let was = market.due(open).await.unwrap();
        let done = market.ledger.recompute_deadlines("first", by(24)).await.unwrap();
        assert_eq!(done, Recomputed { cases: 3, open: 2, moved: 0 });
        assert_eq!(market.count(Act::DeadlineMoved).await, 0, "the same date is no news");

        let done = market.ledger.recompute_deadlines("second", by(25)).await.unwrap();
        assert_eq!(done, Recomputed { cases: 3, open: 2, moved: 2 });
        let now = market.due(open).await.unwrap();
        assert_eq!(now.at.duration_since(was.at), SignedDuration::from_hours(10));
        assert_eq!((now.reason.as_str(), &now.side), ("10 days of 25 hours", &was.side));
        assert_eq!(market.due(short).await.unwrap().reason, "1 days of 25 hours", "what was promised stands");
        assert_eq!(market.due(answered).await, None);
        let events = market.events().await;
        let event = events.iter().find(|event| event.act == Act::DeadlineMoved && event.case == Some(open));
        let event = event.unwrap();
        assert_eq!((event.was, event.becomes), (Some(was.at), Some(now.at)));
        assert_eq!((event.name.as_deref(), event.group.as_ref()), (Some("days of 25"), Some(&was.side)));

        let again = market.ledger.recompute_deadlines("second", by(99)).await.unwrap();
        assert_eq!(again, Recomputed::default(), "an edition is reckoned by once");
        let after_a_kill = market.after_a_kill().await;
        assert_eq!(after_a_kill.recompute_deadlines("second", by(99)).await.unwrap(), Recomputed::default());
    }
}

/// A case that an earlier release wrote has no reckoning: the messages say since when it waits.
#[tokio::test]
async fn a_deadline_of_an_earlier_release_counts_from_the_question_that_waits() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
    market.pass(SignedDuration::from_hours(1));
    market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
    market.pass(SignedDuration::from_hours(1));
    let asked = market.ledger.now();
    market.mail("alpha", 3, b"but", market.joining(case)).await.unwrap();
    market.pass(SignedDuration::from_hours(1));
    market.mail("alpha", 4, b"please", market.joining(case)).await.unwrap();
    assert_eq!(market.due(case).await.unwrap().reckoning, None);
    let seen = RefCell::new(Vec::new());
    let reckon = |open: OpenDeadline<'_>| {
        seen.borrow_mut().push((open.since, open.working_days));
        by(24)(open)
    };
    let done = market.ledger.recompute_deadlines("first", reckon).await.unwrap();
    assert_eq!(done.open, 1);
    assert_eq!(seen.into_inner(), [(asked, None)]);
    assert_eq!(market.due(case).await.unwrap().reckoning.unwrap().since, asked);
}

#[tokio::test]
async fn a_case_that_cannot_be_read_keeps_no_other_from_its_day() {
    for market in Market::everywhere().await {
        let damaged = market.reckoned_by_24(1, 10).await;
        market.pass(SignedDuration::from_secs(1));
        let open = market.reckoned_by_24(2, 10).await;
        let was = market.due(open).await.unwrap();
        let put = vec![(case_key(damaged), b"\x01\xffgarbage".as_slice().into())];
        market.engine.commit(crate::engine::Changeset { put, ..Default::default() }).await.unwrap();
        let done = market.ledger.recompute_deadlines("next", by(25)).await.unwrap();
        assert_eq!(done, Recomputed { cases: 2, open: 1, moved: 1 });
        assert!(market.due(open).await.unwrap().at > was.at);
    }
}

#[tokio::test]
async fn where_nothing_is_reckoned_the_old_deadline_stands() {
    let market = Market::open().await;
    let case = market.reckoned_by_24(1, 10).await;
    let was = market.due(case).await;
    let done = market.ledger.recompute_deadlines("first", |_| None).await.unwrap();
    assert_eq!(done, Recomputed { cases: 1, open: 1, moved: 0 });
    assert_eq!(market.due(case).await, was);
}

/// More cases than a batch, and a process that ends after each commit that the engine takes.
#[tokio::test]
async fn what_is_cut_off_goes_on_where_it_was() {
    let market = Market::open().await;
    let first = market.reckoned_by_24(1, 10).await;
    let case = market.ledger.case(first).await.unwrap().unwrap();
    for number in 0..600_u32 {
        market.pass(SignedDuration::from_millis(1));
        let copy = crate::Case { id: CaseId::new(market.ledger.now()).unwrap(), ..case.clone() };
        let mut changes = crate::engine::Changeset::default();
        changes.put.push((case_key(copy.id), crate::records::encode(&copy).unwrap()));
        market.ledger.commit(changes).await.unwrap_or_else(|error| panic!("{number}: {error}"));
    }
    let cut = market.mortal(2).await.ledger.recompute_deadlines("next", by(25)).await;
    assert!(matches!(cut, Err(StoreError::Broken(_))), "{cut:?}");
    assert_eq!(market.count(Act::DeadlineMoved).await, 512, "two batches");
    let rest = market.after_a_kill().await.recompute_deadlines("next", by(25)).await.unwrap();
    assert_eq!(rest, Recomputed { cases: 89, open: 89, moved: 89 });
    assert_eq!(market.count(Act::DeadlineMoved).await, 601, "each once");
}

#[tokio::test]
async fn two_that_reckon_at_once_move_each_deadline_once() {
    for market in Market::everywhere().await {
        for source in 0..9 {
            market.reckoned_by_24(source, 10).await;
        }
        let (one, other) = tokio::join!(
            market.ledger.recompute_deadlines("next", by(25)),
            market.ledger.recompute_deadlines("next", by(25)),
        );
        assert_eq!(one.unwrap().moved + other.unwrap().moved, 9);
        assert_eq!(market.count(Act::DeadlineMoved).await, 9);
    }
}

/// What releases before this one wrote of a clock and of an event.
mod as_an_earlier_release_wrote {
    use super::*;
    use crate::records;

    #[derive(minicbor::Encode)]
    #[cbor(map)]
    struct Due {
        #[cbor(n(0), with = "records::time")]
        at: Timestamp,
        #[n(1)]
        side: GroupId,
        #[n(2)]
        reason: String,
    }

    #[test]
    fn a_clock_reads_without_its_reckoning() {
        let at = "2026-06-16T16:00:00Z".parse().unwrap();
        let old = Due { at, side: id("beta"), reason: "ten working days".to_owned() };
        let bytes = records::encode(&old).unwrap();
        let due: crate::Due = records::decode(&bytes).unwrap();
        let expected =
            crate::Due { at, side: id("beta"), reason: old.reason, reckoning: None, warn_at: None };
        assert_eq!(due, expected);
    }
}
