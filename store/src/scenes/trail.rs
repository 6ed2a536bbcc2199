//! The trail of one group as its people page through it.

use super::*;
use crate::engine::Changeset;

async fn all(ledger: &Ledger, group: &str, limit: usize, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let ever = (Timestamp::UNIX_EPOCH, ledger.now());
    let (mut events, mut place) = (Vec::new(), None);
    loop {
        let page = ledger.trail(&id(group), ever, place.as_deref(), limit, &wanted).await.unwrap();
        assert!(page.events.len() <= limit);
        events.extend(page.events);
        place = page.next;
        if place.is_none() {
            return events;
        }
    }
}

#[tokio::test]
async fn a_group_pages_through_all_its_events_and_no_others() {
    for market in Market::everywhere().await {
        for source in 1..=9 {
            market.mail("alpha", source, b"words", market.opening()).await.unwrap();
            let event = Event::new(market.ledger.now(), Actor::Tool, Act::TagSearched).group(&id("beta"));
            market.ledger.record(event).await.unwrap();
            market.pass(SignedDuration::from_mins(i64::from(source % 3)));
        }
        for group in ["alpha", "beta", "gamma"] {
            let of_group = |event: &Event| event.group.as_ref() == Some(&id(group));
            let expected = market.events().await.into_iter().filter(of_group).count();
            for limit in [1, 4, 1_000] {
                let events = all(&market.ledger, group, limit, |_| true).await;
                assert_eq!(events.len(), expected, "{group}");
                assert!(events.iter().all(of_group));
                assert!(events.is_sorted_by(|one, other| one.at >= other.at), "the newest first");
            }
        }
        let opened = all(&market.ledger, "alpha", 2, |event| event.act == Act::CaseOpened).await;
        assert_eq!(opened.len(), 9);
        let (from, to, alpha) = (opened[6].at, opened[3].at, id("alpha"));
        let page = market.ledger.trail(&alpha, (from, to), None, 100, |event| event.act == Act::CaseOpened);
        let between = opened.iter().filter(|event| (from..=to).contains(&event.at)).count();
        assert_eq!(page.await.unwrap().events.len(), between);
        let strange = market.ledger.trail(&alpha, (from, to), Some("no place"), 100, |_| true);
        assert!(!strange.await.unwrap().events.is_empty());
    }
}

#[tokio::test]
async fn events_of_an_earlier_release_are_indexed_once() {
    for market in Market::everywhere().await {
        for source in 1..=5 {
            market.mail("alpha", source, b"words", market.opening()).await.unwrap();
        }
        let before = all(&market.ledger, "alpha", 100, |_| true).await;
        let delete =
            market.rows(Table::Trail).await.into_iter().chain(market.rows(Table::TrailProgress).await);
        let delete = delete.map(|(key, _)| key).collect();
        market.engine.commit(Changeset { delete, ..Changeset::default() }).await.unwrap();
        let ledger = market.after_a_kill().await;
        let event = Event::new(ledger.now(), Actor::Tool, Act::TagSearched).group(&id("alpha"));
        ledger.record(event).await.unwrap();
        assert_eq!(all(&ledger, "alpha", 100, |_| true).await.len(), 1);
        while ledger.index_trail(3).await.unwrap() > 0 {}
        assert_eq!(ledger.index_trail(3).await.unwrap(), 0);
        assert_eq!(all(&ledger, "alpha", 100, |_| true).await.len(), before.len() + 1);
    }
}
