//! Notices: one until somebody looks, none lost, leased by one worker at a time.

use super::*;

#[tokio::test]
async fn one_notice_until_somebody_looks() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    market.pass(SignedDuration::from_secs(1));
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
    market.pass(SignedDuration::from_secs(1));
    market.read(case, "beta").await.unwrap();
    market.pass(SignedDuration::from_secs(1));
    market.mail("alpha", 3, b"three", market.joining(case)).await.unwrap();
    let jobs = market.ledger.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert!(
        jobs.iter().all(|job| matches!(&job.kind, JobKind::Notice(notice) if notice.group == id("beta")))
    );
}

#[tokio::test]
async fn what_came_while_somebody_looked_is_told_afterwards() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let seen = market.ledger.case(case).await.unwrap().unwrap();
    let messages = market.ledger.messages(case).await.unwrap();
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
    let actor = Actor::User(market.reader);
    market.ledger.open_messages(&actor, &seen, messages, &id("beta"), Reading::Page).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 2, "the second message was never on the page");
}

#[tokio::test]
async fn a_notice_that_never_got_away_does_not_silence_its_case() {
    let market = Market::open().await;
    let lease = Duration::from_secs(60);
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let held = market.ledger.lease_jobs(10, lease, &[]).await.unwrap().remove(0);
    market.ledger.finish_job(held, Outcome::Abandoned("554".to_owned())).await.unwrap();
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    let jobs = market.ledger.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        assert!(market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    }
    market.mail("alpha", 3, b"three", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_in_work_is_left_alone_and_a_restart_frees_it() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"one", market.opening()).await.unwrap();
    let held = market.ledger.lease_jobs(10, Duration::from_secs(600), &[]).await.unwrap().remove(0);
    let refused = market.ledger.drop_job(&Actor::Tool, held.job.id).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))));
    let refused = market.ledger.retry_job(&Actor::Tool, held.job.id).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))));
    market.ledger.release_leases().await.unwrap();
    assert_eq!(market.ledger.lease_jobs(10, Duration::from_secs(600), &[]).await.unwrap().len(), 1);
    assert_eq!(market.ledger.finish_job(held, Outcome::Done).await, Err(StoreError::Conflict));
}

#[tokio::test]
async fn a_lease_keeps_others_away_until_it_ends() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    let lease = Duration::from_secs(60);
    let held = market.ledger.lease_jobs(10, lease, &[]).await.unwrap();
    assert_eq!(held.len(), 1);
    assert!(market.ledger.lease_jobs(10, lease, &[]).await.unwrap().is_empty());
    market.pass(SignedDuration::from_secs(61));
    let taken_over = market.ledger.lease_jobs(10, lease, &[]).await.unwrap();
    assert_eq!(taken_over[0].job.attempts, 2);
    let late = market.ledger.finish_job(held[0].clone(), Outcome::Done).await;
    assert_eq!(late, Err(StoreError::Conflict));
    let again = market.ledger.now().saturating_add(SignedDuration::from_secs(30)).unwrap();
    let failed = Outcome::Again(again, "421 4.3.2 busy".to_owned());
    market.ledger.finish_job(taken_over[0].clone(), failed).await.unwrap();
    assert_eq!(market.ledger.next_due(&[]).await.unwrap(), Some(again));
    assert!(market.ledger.lease_jobs(10, lease, &[]).await.unwrap().is_empty());
    let job = market.ledger.jobs().await.unwrap().remove(0);
    assert_eq!(job.last_error.as_deref(), Some("421 4.3.2 busy"));
    assert!(market.ledger.retry_job(&Actor::Tool, job.id).await.unwrap());
    let leased = market.ledger.lease_jobs(10, lease, &[]).await.unwrap();
    market.ledger.finish_job(leased[0].clone(), Outcome::Abandoned("550".to_owned())).await.unwrap();
    assert!(market.ledger.retry_job(&Actor::Tool, job.id).await.unwrap());
    assert!(market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    assert!(!market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    assert!(market.ledger.jobs().await.unwrap().is_empty());
}
