//! Mail that passes through: once to each recipient, byte for byte, sealed while it waits, gone afterwards.

use mail::Notify;

use super::*;
use crate::{Fate, JobKind, TaskKind};

const STAFF: [&str; 2] = ["bob@alpha.example", "cid@alpha.example"];

#[tokio::test]
async fn a_passage_is_byte_equal_sealed_and_gone_with_its_last_recipient() {
    for market in Market::everywhere().await {
        let original = [b"unmistakable words".to_vec(), noise(1_500_000)].concat();
        let passage = market.passage(&STAFF, 1, &original).await;
        let id = market.ledger.relay(passage).await.unwrap();
        let everything = market.everything().await;
        for word in ["unmistakable", "secret subject"] {
            assert!(!everything.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
        let ledger = market.after_a_kill().await;
        let outgoing = ledger.passage(id).await.unwrap().unwrap();
        assert!(outgoing.content.range(0, u64::MAX).await.unwrap() == original);
        assert_eq!(outgoing.received_line, "Received: from mail.alpha.example\r\n");
        let mut jobs = market.lease().await;
        assert_eq!(jobs.len(), 2);
        market.ledger.finish_job(jobs.remove(0), Outcome::Done).await.unwrap();
        let read = ledger.passage(id).await.unwrap().unwrap().content.range(0, 12).await.unwrap();
        assert_eq!(read, b"unmistakable");
        market.ledger.finish_job(jobs.remove(0), Outcome::Done).await.unwrap();
        assert!(ledger.passage(id).await.unwrap().is_none());
        assert!(market.rows(Table::Content).await.is_empty());
        assert!(market.rows(Table::Arriving).await.is_empty());
        assert!(market.ledger.jobs().await.unwrap().is_empty());
        assert_eq!(market.count(Act::RelayDone).await, 2);
        assert_eq!(market.count(Act::ContentDestroyed).await, 1);
    }
}

#[tokio::test]
async fn a_second_delivery_repeats_only_what_is_new() {
    for market in Market::everywhere().await {
        let first = market.ledger.relay(market.passage(&STAFF, 1, b"body").await).await.unwrap();
        let again = market.ledger.relay(market.passage(&STAFF, 1, b"body").await).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(market.ledger.jobs().await.unwrap().len(), 2);
        let more = ["bob@alpha.example", "cid@alpha.example", "dot@alpha.example"];
        let third = market.ledger.relay(market.passage(&more, 1, b"body").await).await.unwrap();
        assert_ne!(third, first);
        assert_eq!(market.ledger.jobs().await.unwrap().len(), 3);
        let envelope = market.ledger.passage(third).await.unwrap().unwrap().envelope;
        assert_eq!(envelope.recipients.len(), 1);
        market.finish_all(Outcome::Done).await;
        // Also after it is gone.
        let late = market.ledger.relay(market.passage(&STAFF, 1, b"body").await).await.unwrap();
        assert_eq!(late, first);
        assert!(market.ledger.jobs().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn two_deliveries_at_once_are_one() {
    for market in Market::everywhere().await {
        let (one, two) = (market.passage(&STAFF, 1, b"body").await, market.passage(&STAFF, 1, b"body").await);
        let (one, two) = tokio::join!(market.ledger.relay(one), market.ledger.relay(two));
        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!(market.ledger.jobs().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_relay_that_finds_no_room_leaves_nothing() {
    let market = Market::open().await;
    let passage = market.passage(&STAFF, 1, b"body").await;
    market.memory.as_ref().unwrap().set_full(true);
    assert_eq!(market.ledger.relay(passage).await, Err(StoreError::Full));
    market.memory.as_ref().unwrap().set_full(false);
    for table in [Table::Queue, Table::Passage, Table::Content, Table::RelaySource] {
        assert!(market.rows(table).await.is_empty());
    }
    let nobody = market.passage(&[], 1, b"body").await;
    assert!(matches!(market.ledger.relay(nobody).await, Err(StoreError::Denied(_))));
}

/// Who hears that a relayed mail was refused: its sender by `report`, the company's people by `task`.
#[tokio::test]
async fn a_failure_is_told_to_the_sender_and_never_to_a_stranger() {
    let on = |success, failure| Notify::On { success, failure, delay: false };
    let ann = || ReversePath::Address(address("ann@alpha.example"));
    let stranger = || ReversePath::Address(address("victim@elsewhere.example"));
    let signed = || Proof::Domain("alpha.example".to_owned());
    for (notify, proof, reverse_path, told) in [
        (Notify::Default, Proof::Network, ann(), "report"),
        (on(false, true), Proof::Connector("m365".to_owned()), ann(), "report"),
        (on(true, false), Proof::Network, ann(), "task"),
        (Notify::Never, Proof::Network, ann(), "task"),
        (Notify::Default, Proof::Network, stranger(), "task"),
        (Notify::Default, Proof::Network, ReversePath::Null, "task"),
        (Notify::Default, signed(), ann(), "task"),
    ] {
        for market in Market::everywhere().await {
            let mut passage = market.passage(&["bob@far.example"], 1, b"body").await;
            passage.proof = proof.clone();
            passage.envelope.reverse_path = reverse_path.clone();
            passage.envelope.recipients[0].notify = notify;
            passage.envelope.report.id = Some("QQ314159".to_owned());
            market.ledger.relay(passage).await.unwrap();
            market.finish_all(Outcome::Abandoned("550 5.1.1 no such user".to_owned())).await;
            assert!(market.rows(Table::Content).await.is_empty());
            let jobs = market.ledger.jobs().await.unwrap();
            let tasks = market.ledger.tasks(Some(&id("alpha"))).await.unwrap();
            assert_eq!(
                (jobs.len(), tasks.len()),
                (usize::from(told == "report"), usize::from(told == "task"))
            );
            for job in jobs {
                let JobKind::Report(report) = job.kind else { panic!("{:?}", job.kind) };
                assert_eq!(report.to, address("ann@alpha.example"));
                assert_eq!(report.recipient.address, address("bob@far.example"));
                assert_eq!((report.fate, report.detail.as_str()), (Fate::Failed, "550 5.1.1 no such user"));
                assert_eq!(report.envelope_id.as_deref(), Some("QQ314159"));
            }
            let far = TaskKind::DomainGivenUp { kind: "relay".to_owned(), domain: "far.example".to_owned() };
            assert!(tasks.iter().all(|task| task.kind == far), "{tasks:?}");
        }
    }
}

#[tokio::test]
async fn what_was_tried_for_too_long_is_told_to_the_sender_and_to_the_company() {
    for market in Market::everywhere().await {
        for (source, to) in [(1, "jo@far.example"), (2, "li@far.example"), (3, "bo@beta.example")] {
            market.ledger.relay(market.passage(&[to], source, b"body").await).await.unwrap();
        }
        market.finish_all(Outcome::Expired("4.4.1 no answer".to_owned())).await;
        assert_eq!(market.kinds().await, ["report", "report", "report"]);
        let tasks = market.ledger.tasks(Some(&id("alpha"))).await.unwrap();
        let mut told: Vec<_> = tasks.into_iter().map(|task| (task.count, task.kind)).collect();
        told.sort_by_key(|(count, _)| *count);
        let kind = || "relay".to_owned();
        let beta = TaskKind::MailGivenUp { kind: kind(), address: address("bo@beta.example") };
        let far = TaskKind::DomainGivenUp { kind: kind(), domain: "far.example".to_owned() };
        assert_eq!(told, [(1, beta), (2, far)], "outside, one for a domain");
        market.finish_all(Outcome::Done).await;
        for (act, times) in [
            (Act::MailRelayed, 3),
            (Act::RelayAbandoned, 3),
            (Act::ContentDestroyed, 3),
            (Act::TaskRaised, 2),
            (Act::ReportSent, 3),
        ] {
            assert_eq!(market.count(act).await, times, "{act}");
        }
    }
}

#[tokio::test]
async fn a_sender_is_warned_once_whatever_the_words() {
    let wants = |delay| Notify::On { success: false, failure: true, delay };
    for (notify, told) in [(Notify::Default, 1), (wants(true), 1), (wants(false), 0), (Notify::Never, 0)] {
        for market in Market::everywhere().await {
            let mut passage = market.passage(&["bob@far.example"], 1, b"body").await;
            passage.envelope.recipients[0].notify = notify;
            market.ledger.relay(passage).await.unwrap();
            for why in ["4.2.0 later", "4.4.1 no answer", "4.3.0 the ledger says no"] {
                for leased in market.lease().await {
                    let outcome = match leased.job.kind {
                        JobKind::Relay(_) => Outcome::Late(market.ledger.now(), why.to_owned()),
                        _ => Outcome::Again(market.ledger.now(), "4.0.0".to_owned()),
                    };
                    market.ledger.finish_job(leased, outcome).await.unwrap();
                }
            }
            let jobs = market.ledger.jobs().await.unwrap();
            let reports: Vec<_> = jobs
                .iter()
                .filter_map(|job| match &job.kind {
                    JobKind::Report(report) => Some((report.fate, report.detail.as_str())),
                    _ => None,
                })
                .collect();
            assert_eq!(reports, vec![(Fate::Delayed, "4.2.0 later"); told]);
            let relay = jobs.iter().find(|job| job.kind.as_str() == "relay").unwrap();
            assert_eq!(relay.warned_at.is_some(), told == 1);
        }
    }
}

#[tokio::test]
async fn nobody_outside_stands_readable_in_the_ledger() {
    for market in Market::everywhere().await {
        let mut passage = market.passage(&["ida.outside@far.example"], 1, b"body").await;
        passage.envelope.recipients[0].original = Some("rfc822;ida.outside@far.example".to_owned());
        market.ledger.relay(passage).await.unwrap();
        let mut held = market.passage(&["ida.outside@far.example"], 2, b"body").await;
        held.received_line = "Received: for ida.outside@far.example".to_owned();
        market.ledger.hold(held, mail::HoldReason::Rule, crate::Onward::Relay).await.unwrap();
        let hidden = async |when: &str| {
            let everything = market.everything().await;
            assert!(!everything.windows(11).any(|window| window == b"ida.outside"), "{when}");
        };
        hidden("taken").await;
        let leased = market.lease().await;
        hidden("leased").await;
        for leased in leased {
            let words = "5.1.1 550 <ida.outside@far.example>: no such user".to_owned();
            let outcome = match leased.job.kind {
                JobKind::Relay(_) => Outcome::Abandoned(words),
                _ => Outcome::Done,
            };
            market.ledger.finish_job(leased, outcome).await.unwrap();
        }
        hidden("refused").await;
        let jobs = market.ledger.jobs().await.unwrap();
        let report = jobs.iter().find(|job| job.kind.as_str() == "report").unwrap();
        let JobKind::Report(told) = &report.kind else { panic!("{report:?}") };
        assert_eq!(told.recipient.address, address("ida.outside@far.example"));
        market.finish_all(Outcome::Done).await;
        hidden("reported").await;
    }
}

/// A passage, a job and a held mail as releases before this one wrote them: in clear.
#[tokio::test]
async fn rows_of_an_earlier_release_are_still_open() {
    for market in Market::everywhere().await {
        let id = market.ledger.relay(market.passage(&["bob@far.example"], 1, b"body").await).await.unwrap();
        let held = market.passage(&["bob@far.example"], 2, b"body").await;
        market.ledger.hold(held, mail::HoldReason::Rule, crate::Onward::Relay).await.unwrap();
        let mut changes = crate::engine::Changeset::default();
        let (passage, _) = market.ledger.passage_row(id).await.unwrap().unwrap();
        changes.put.push((crate::passage::passage_key(id), crate::records::encode(&passage).unwrap()));
        let jobs = market.ledger.jobs().await.unwrap();
        for ((key, _), job) in market.rows(Table::Queue).await.into_iter().zip(&jobs) {
            changes.put.push((key, crate::records::encode(job).unwrap()));
        }
        market.engine.commit(changes).await.unwrap();
        assert_eq!(market.ledger.jobs().await.unwrap(), jobs);
        market.finish_all(Outcome::Done).await;
        assert!(market.rows(Table::Passage).await.is_empty());
        assert_eq!(market.count(Act::RelayDone).await, 1);
    }
}

#[tokio::test]
async fn success_is_reported_where_the_next_server_does_not() {
    for market in Market::everywhere().await {
        for (source, outcome) in [(1, Outcome::Done), (2, Outcome::Unreported)] {
            let mut passage = market.passage(&["bob@far.example"], source, b"body").await;
            passage.envelope.recipients[0].notify = Notify::On { success: true, failure: true, delay: false };
            market.ledger.relay(passage).await.unwrap();
            market.finish_all(outcome).await;
        }
        let [job] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert!(matches!(job.kind, JobKind::Report(report) if report.fate == Fate::Relayed));
    }
}

#[tokio::test]
async fn an_administrator_who_drops_a_relay_tells_its_sender() {
    for market in Market::everywhere().await {
        market.ledger.relay(market.passage(&["bob@far.example"], 1, b"body").await).await.unwrap();
        let job = market.ledger.jobs().await.unwrap().remove(0);
        assert!(market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
        assert_eq!(market.kinds().await, ["report"]);
        assert!(market.rows(Table::Passage).await.is_empty());
        assert!(market.rows(Table::Content).await.is_empty());
    }
}
