//! What is only counted: rules that are tried beside those that stand, where decisions are done and where they are not.

use policies::{FileKind, RuleFiles, Ruleset};
use store::{Stage, Tally};

use crate::market::Market;

const OUTSIDE: &str = "jo@outside.example";

const QUESTION: &str = "From: Ann <ann@alpha.example>\nTo: et@beta.example\nMessage-ID: <q1@alpha.example>\n\
                        Subject: Supply 1200023305967\n\nIs MPAN 1200023305967 yours?\n";

/// The shipped rules, but that personal data to the outside are held where those refuse it.
fn milder() -> Ruleset {
    let shipped = include_str!("../../../policies/shipped/verdicts.toml");
    let (front, rule) = shipped.split_once("id = \"refuse-personal-data-outside\"").unwrap();
    let rule = rule.replacen("verdict = \"refuse\"", "verdict = \"hold\"", 1);
    let mut files = RuleFiles::shipped();
    files.replace(
        FileKind::Verdicts,
        "tried/verdicts.toml",
        format!("{front}id = \"hold-personal-data-outside\"{rule}"),
    );
    Ruleset::read(files).unwrap()
}

fn alike(verdict: &str) -> Tally {
    Tally::Alike { verdict: verdict.to_owned() }
}

fn otherwise() -> Tally {
    Tally::Otherwise { verdict: "refuse".to_owned(), tried: "hold".to_owned(), process: None }
}

#[tokio::test]
async fn tried_rules_are_counted_beside_the_standing_ones_where_mail_is_only_watched() {
    let market = Market::trying(milder(), Stage::Shadow).await;
    market.write(&["et@beta.example", OUTSIDE], QUESTION).await.unwrap();
    let counts = market.counted("alpha").await;
    assert_eq!((counts.get(&alike("secure")), counts.get(&otherwise())), (Some(&1), Some(&1)), "{counts:?}");
    assert!(counts.contains_key(&Tally::Mail { class: "human".to_owned() }), "{counts:?}");
}

#[tokio::test]
async fn where_decisions_are_done_the_standing_rules_alone_do_them_and_the_others_are_counted_once() {
    let market = Market::trying(milder(), Stage::Live).await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    for _ in 0..2 {
        let refused = market.write(&[OUTSIDE], QUESTION).await;
        assert!(matches!(refused, Err(gateway::smtp::Refusal::NotPermitted(_))), "{refused:?}");
    }
    assert_eq!(market.cases("beta").await.len(), 1);
    let counts = market.counted("alpha").await;
    // What was done is in the case and in the trail; only the comparison is counted.
    assert_eq!(counts, [(alike("secure"), 1), (otherwise(), 1)].into());
    assert!(market.counted("beta").await.is_empty());
}

#[tokio::test]
async fn without_rules_to_try_live_mail_is_not_counted() {
    let market = Market::sending().await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    assert!(market.counted("alpha").await.is_empty());
}
