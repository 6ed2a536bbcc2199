//! Shadow mode as its users see it: stages that somebody sets and takes back, and counts that hold nothing of a mail.

use super::*;
use crate::{Margin, Observation, Scope, Stage, Tally};

fn scope(group: Option<&str>, process: Option<&str>) -> Scope {
    Scope { group: group.map(id), process: process.map(|name| name.parse().unwrap()) }
}

fn observation(group: &str, tallies: Vec<Tally>) -> Observation {
    Observation { group: id(group), tallies }
}

fn verdict(verdict: &str) -> Tally {
    Tally::Verdict { verdict: verdict.to_owned(), rule: "some-rule".to_owned() }
}

#[tokio::test]
async fn a_stage_is_set_recorded_and_taken_back() {
    for market in Market::everywhere().await {
        let process = "erroneous-transfers".parse().unwrap();
        let stage = |ledger: &Ledger| ledger.directory().stage(&id("alpha"), Some(&process));
        assert_eq!(stage(&market.ledger), None);
        for (to, set, expected) in [
            (scope(None, None), Some(Stage::Shadow), Some(Stage::Shadow)),
            (scope(Some("alpha"), Some("erroneous-transfers")), Some(Stage::Live), Some(Stage::Live)),
            (scope(Some("alpha"), Some("erroneous-transfers")), None, Some(Stage::Shadow)),
        ] {
            let change = DirectoryChange::Stage(to, set);
            market.ledger.change_directory(&Actor::Tool, vec![change]).await.unwrap();
            assert_eq!(stage(&market.ledger), expected);
        }
        assert_eq!(stage(&market.after_a_kill().await), Some(Stage::Shadow));
        assert_eq!(market.ledger.directory().stages().count(), 1);
        assert_eq!(market.count(Act::StageSet).await, 3);
        let nobody = DirectoryChange::Stage(scope(Some("nobody"), None), Some(Stage::Live));
        let refused = market.ledger.change_directory(&Actor::Tool, vec![nobody]).await;
        assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn counts_add_up_by_group_and_day_and_once_for_each_mail() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let first: jiff::civil::Date = "2026-06-01".parse().unwrap();
        let runner_up = || Tally::RunnerUp {
            process: "erroneous-transfers".parse().unwrap(),
            second: "disputed-readings".parse().unwrap(),
            margin: Margin::Narrow,
        };
        let mail = observation("alpha", vec![verdict("secure"), verdict("secure"), runner_up()]);
        assert!(ledger.observe(&mail, &[1; 32]).await.unwrap());
        assert!(!ledger.observe(&mail, &[1; 32]).await.unwrap());
        market.pass(SignedDuration::from_hours(24));
        assert!(ledger.observe(&observation("alpha", vec![verdict("secure")]), &[2; 32]).await.unwrap());
        assert!(ledger.observe(&observation("beta", vec![verdict("hold")]), &[3; 32]).await.unwrap());

        let alpha = id("alpha");
        let second = first.tomorrow().unwrap();
        let of = async |group, days| ledger.shadow_report(group, days).await.unwrap().counts;
        let whole = of(Some(&alpha), (first, second)).await;
        assert_eq!(whole.into_iter().collect::<Vec<_>>(), [(verdict("secure"), 3), (runner_up(), 1)]);
        assert_eq!(of(Some(&alpha), (second, second)).await.into_values().sum::<u64>(), 1);
        assert_eq!(of(Some(&alpha), (first, first)).await.into_values().sum::<u64>(), 3);
        assert_eq!(of(None, (first, second)).await.into_values().sum::<u64>(), 5);
        market.pass(SignedDuration::from_hours(24 * 400));
        assert_eq!(ledger.sweep_shadow_counts().await.unwrap(), 2);
        assert_eq!(ledger.sweep_shadow_counts().await.unwrap(), 0);
        assert_eq!(of(None, (first, second)).await.into_values().sum::<u64>(), 2);
    }
}

#[tokio::test]
async fn mail_that_is_watched_goes_on_and_is_counted_with_it() {
    for market in Market::everywhere().await {
        let watched = Some(observation("alpha", vec![verdict("hold")]));
        let counted = async || {
            let today = "2026-06-01".parse().unwrap();
            market.ledger.shadow_report(None, (today, today)).await.unwrap().counts
        };
        let passage = market.passage(&["bob@beta.example"], 1, b"body").await;
        let id = market.ledger.relay(Passage { watched: watched.clone(), ..passage }).await.unwrap();
        let outgoing = market.after_a_kill().await.passage(id).await.unwrap().unwrap();
        assert_eq!(outgoing.stage, Stage::Shadow);
        assert_eq!(counted().await.into_values().sum::<u64>(), 1);
        // The answer to a second delivery is that of the first, and so is the count.
        let again = market.passage(&["bob@beta.example"], 1, b"body").await;
        assert_eq!(market.ledger.relay(Passage { watched, ..again }).await.unwrap(), id);
        assert_eq!(counted().await.into_values().sum::<u64>(), 1);
        let live = market.passage(&["cid@beta.example"], 2, b"body").await;
        let id = market.ledger.relay(live).await.unwrap();
        assert_eq!(market.ledger.passage(id).await.unwrap().unwrap().stage, Stage::Live);
    }
}

#[tokio::test]
async fn an_unmapped_address_is_counted_without_being_readable() {
    let market = Market::open().await;
    let address: Address = "jane.doe@beta.example".parse().unwrap();
    let id_of = market.ledger.unmapped_id(&address);
    assert_eq!(id_of, market.ledger.unmapped_id(&"Jane.Doe@BETA.example".parse().unwrap()));
    assert_ne!(id_of, market.ledger.unmapped_id(&"jan.doe@beta.example".parse().unwrap()));
    let tally = Tally::Unmapped { group: id("beta"), id: id_of, personal: true };
    market.ledger.observe(&observation("alpha", vec![tally]), &[1; 32]).await.unwrap();
    let everything = market.everything().await;
    assert!(!everything.windows(8).any(|window| window == b"jane.doe"));
}
