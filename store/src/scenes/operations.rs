//! Tasks for people and the state of polled mailboxes.

use super::*;
use crate::{PollReport, PollStanding, PollState, TaskKind};

#[tokio::test]
async fn tasks_of_one_kind_about_one_thing_are_one() {
    for market in Market::everywhere().await {
        let bounces = |to: &str, status: &str| TaskKind::MailboxBounces {
            address: address(to),
            status: status.to_owned(),
        };
        let raise = async |group: Option<&str>, kind: TaskKind| {
            let group = group.map(id);
            market.ledger.raise_task(&Actor::Worker, group.as_ref(), kind, None).await.unwrap();
            market.pass(SignedDuration::from_secs(1));
        };
        raise(Some("beta"), bounces("et@beta.example", "5.1.1")).await;
        raise(Some("beta"), bounces("ET@beta.example", "5.7.1")).await;
        raise(Some("beta"), bounces("et2@beta.example", "5.1.1")).await;
        raise(Some("gamma"), TaskKind::PollingStopped { mailbox: "old".to_owned() }).await;
        raise(None, TaskKind::CertificateExpires { name: "mail.example".to_owned() }).await;
        let tasks = market.ledger.tasks(Some(&id("beta"))).await.unwrap();
        let counts: Vec<_> = tasks.iter().map(|task| task.count).collect();
        assert_eq!(counts, [2, 1]);
        assert!(tasks[0].last > tasks[0].since);
        assert_eq!(tasks[0].kind, bounces("ET@beta.example", "5.7.1"), "the latest status");
        assert_eq!(market.ledger.tasks(None).await.unwrap().len(), 1);
        assert_eq!(market.ledger.all_tasks().await.unwrap().len(), 4);
        let actor = Actor::User(market.reader);
        let close = async |group: &str| {
            market.ledger.close_task(&actor, Some(&id(group)), tasks[0].id).await.unwrap()
        };
        assert!(!close("gamma").await, "another company's task");
        assert!(close("beta").await);
        assert!(!close("beta").await);
        raise(Some("beta"), bounces("et@beta.example", "5.1.1")).await;
        let again = market.ledger.tasks(Some(&id("beta"))).await.unwrap();
        assert_eq!(again.iter().map(|task| task.count).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((market.count(Act::TaskRaised).await, market.count(Act::TaskClosed).await), (5, 1));
    }
}

#[tokio::test]
async fn tasks_raised_at_once_are_all_counted() {
    for market in Market::everywhere().await {
        let mut raising = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let ledger = market.ledger.clone();
            raising.spawn(async move {
                let kind = TaskKind::PollingStopped { mailbox: "old".to_owned() };
                ledger.raise_task(&Actor::Gateway, Some(&id("beta")), kind, None).await.unwrap();
            });
        }
        raising.join_all().await;
        let [task] = market.ledger.tasks(Some(&id("beta"))).await.unwrap().try_into().unwrap();
        assert_eq!(task.count, 20);
    }
}

#[tokio::test]
async fn polling_goes_on_where_it_stopped() {
    for market in Market::everywhere().await {
        let report = PollReport {
            name: "old".to_owned(),
            group: id("beta"),
            standing: PollStanding::Running,
            since: market.ledger.now(),
            taken: 3,
            left: 0,
            last_taken_at: Some(market.ledger.now()),
            last_error: None,
        };
        assert_eq!(market.ledger.poll_state("old").await.unwrap(), None);
        let state = PollState { uid_validity: 7, last_uid: 41 };
        market.ledger.save_poll(Some(state), &report).await.unwrap();
        let stopped = PollReport {
            standing: PollStanding::Stopped,
            last_error: Some("the server refuses the password".to_owned()),
            ..report.clone()
        };
        market.ledger.save_poll(None, &stopped).await.unwrap();
        let ledger = market.after_a_kill().await;
        assert_eq!(ledger.poll_state("old").await.unwrap(), Some(state));
        assert_eq!(ledger.poll_reports().await.unwrap(), [stopped]);
        assert_eq!(market.count(Act::PollingChanged).await, 2);
    }
}

#[tokio::test]
async fn a_list_of_tasks_goes_on_behind_any_number() {
    for market in Market::everywhere().await {
        for number in 0..1_200 {
            let kind = TaskKind::PollingStopped { mailbox: format!("m{number}") };
            market.ledger.raise_task(&Actor::Worker, Some(&id("beta")), kind, None).await.unwrap();
        }
        let mut seen = Vec::new();
        loop {
            let after = seen.last().map(|task: &crate::Task| task.id);
            let page = market.ledger.tasks_after(&id("beta"), after, 50).await.unwrap();
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen.len(), 1_200);
        assert!(seen.is_sorted_by(|one, other| one.id < other.id), "the oldest first, each once");
        let last = seen.last().unwrap().id;
        assert!(market.ledger.close_task(&Actor::Tool, Some(&id("beta")), last).await.unwrap());
        assert_eq!(market.ledger.tasks_after(&id("gamma"), None, 50).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_has_not_happened_again_for_long_is_closed() {
    const MONTH: Duration = Duration::from_hours(30 * 24);
    for market in Market::everywhere().await {
        let far = |number: usize| TaskKind::DomainGivenUp {
            kind: "relay".to_owned(),
            domain: format!("far{number}.example"),
        };
        let raise = async |kind| {
            market.ledger.raise_task(&Actor::Worker, Some(&id("beta")), kind, None).await.unwrap();
        };
        for number in 0..5 {
            raise(far(number)).await;
        }
        raise(TaskKind::PollingStopped { mailbox: "old".to_owned() }).await;
        raise(TaskKind::MailHeld).await;
        market.pass(SignedDuration::from_hours(31 * 24));
        raise(far(0)).await;
        assert_eq!(market.ledger.close_old_tasks(MONTH, 3).await.unwrap(), 3, "in batches");
        assert_eq!(market.ledger.close_old_tasks(MONTH, 3).await.unwrap(), 1);
        assert_eq!(market.ledger.close_old_tasks(MONTH, 3).await.unwrap(), 0);
        let left = market.ledger.tasks(Some(&id("beta"))).await.unwrap();
        assert_eq!(left.len(), 3, "what happened again, and what still is so: {left:?}");
        assert_eq!(market.count(Act::TaskClosed).await, 4);
    }
}

#[tokio::test]
async fn an_alarm_is_seen_counted_and_stays_until_somebody_closes_it() {
    for market in Market::everywhere().await {
        market.mail("alpha", 1, b"one", market.opening()).await.unwrap();
        let leased = market.lease().await.remove(0);
        let found: crate::FoundCounts = [("mpan".to_owned(), 2), ("name".to_owned(), 1)].into();
        for _ in 0..2 {
            market.ledger.raise_alarm(&leased.job, &found).await.unwrap();
        }
        market.ledger.raise_alarm(&leased.job, &crate::FoundCounts::new()).await.unwrap();
        assert_eq!(market.count(Act::StoppedAtDoor).await, 3);
        for whose in [None, Some(&id("beta"))] {
            let [task] = market.ledger.tasks(whose).await.unwrap().try_into().unwrap();
            assert_eq!(task.count, 3);
            assert!(
                matches!(&task.kind, TaskKind::StoppedAtDoor { kind, .. } if kind == "notice"),
                "{task:?}"
            );
        }
        let counted = market.ledger.alarms().await.unwrap();
        let expected = [("mpan", 4), ("name", 2), ("not-allowed", 1)];
        assert_eq!(counted, expected.map(|(name, count)| (name.to_owned(), count)).into());
        market.pass(SignedDuration::from_hours(24 * 365));
        assert_eq!(market.ledger.close_old_tasks(Duration::from_secs(1), 9).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn rules_are_kept_once_under_their_hash() {
    for market in Market::everywhere().await {
        let file = |text: &str| vec![("verdicts.toml".to_owned(), text.to_owned())];
        assert_eq!(market.ledger.rules(&[1; 32]).await.unwrap(), None);
        for (hash, text) in [(1, "one"), (2, "two"), (1, "one")] {
            market.ledger.keep_rules(&[hash; 32], &file(text)).await.unwrap();
        }
        assert_eq!(market.ledger.rules(&[1; 32]).await.unwrap(), Some(file("one")));
        assert_eq!(market.ledger.rules(&[2; 32]).await.unwrap(), Some(file("two")));
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_hides_no_other_and_is_raised_anew() {
    for market in Market::everywhere().await {
        let bounces = |to: &str| TaskKind::NoticeGivenUp { address: address(to) };
        let raise = async |to: &str| {
            market.ledger.raise_task(&Actor::Worker, Some(&id("beta")), bounces(to), None).await.unwrap();
        };
        raise("bo@beta.example").await;
        let (key, _) = market.rows(Table::Task).await.remove(0);
        let put = vec![(key, b"\x01\xffgarbage".as_slice().into())];
        market.engine.commit(crate::engine::Changeset { put, ..Default::default() }).await.unwrap();
        raise("et@beta.example").await;
        let tasks = async || market.ledger.tasks(Some(&id("beta"))).await.unwrap();
        let [task] = tasks().await.try_into().unwrap();
        assert_eq!(task.kind, bounces("et@beta.example"));
        assert!(market.ledger.close_task(&Actor::Tool, Some(&id("beta")), task.id).await.unwrap());
        assert_eq!(market.ledger.close_old_tasks(Duration::ZERO, 9).await.unwrap(), 0);
        raise("bo@beta.example").await;
        let [task] = tasks().await.try_into().unwrap();
        assert_eq!((task.kind, task.count), (bounces("bo@beta.example"), 1));
    }
}
