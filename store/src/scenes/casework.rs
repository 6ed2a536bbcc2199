//! The life of a case: who may end, reopen and escalate it, from when on, and that of two at once one wins.

use super::*;
use crate::{CaseReason, CaseState, Escalation};

impl Market {
    fn escalation(&self, seen: &str, next: &str) -> Escalation {
        Escalation {
            seen: seen.parse().unwrap(),
            next: next.parse().unwrap(),
            deadline: self.deadline(),
            stated: vec![("customer".to_owned(), "domestic".to_owned())],
        }
    }

    pub(super) async fn state(&self, case: CaseId, group: &str) -> CaseState {
        self.ledger.case(case).await.unwrap().unwrap().state(&id(group))
    }

    async fn question(&self) -> CaseId {
        self.mail("alpha", 1, b"question", self.opening()).await.unwrap().cases[0].id
    }
}

fn denied<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Denied(_)))
}

#[tokio::test]
async fn a_case_waits_is_answered_closed_and_opened_again() {
    for market in Market::everywhere().await {
        let case = market.question().await;
        let actor = Actor::User(market.reader);
        let (alpha, beta) = (id("alpha"), id("beta"));
        assert_eq!(market.state(case, "beta").await, CaseState::AwaitingUs);
        assert_eq!(market.state(case, "alpha").await, CaseState::AwaitingThem);
        let settled = CaseReason::Settled;
        assert!(denied(market.ledger.close_case(&actor, case, &beta, settled).await), "beta owes an answer");
        assert!(denied(market.ledger.close_case(&actor, case, &id("gamma"), settled).await));
        let early = market.ledger.reopen_case(&actor, case, &beta, CaseReason::NewFacts).await;
        assert_eq!(early, Err(StoreError::Conflict));
        market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
        assert_eq!(market.state(case, "alpha").await, CaseState::Open);
        market.ledger.close_case(&actor, case, &beta, settled).await.unwrap();
        let twice = market.ledger.close_case(&actor, case, &alpha, CaseReason::Duplicate).await;
        assert_eq!(twice, Err(StoreError::Conflict), "the first to close it has closed it");
        assert_eq!(market.state(case, "alpha").await, CaseState::Closed);
        market.ledger.reopen_case(&actor, case, &alpha, CaseReason::NotSettled).await.unwrap();
        assert_eq!(market.state(case, "alpha").await, CaseState::Open, "a click makes nobody owe an answer");
        market.ledger.close_case(&actor, case, &beta, settled).await.unwrap();
        market.mail("alpha", 3, b"but", market.joining(case)).await.unwrap();
        assert_eq!(market.state(case, "beta").await, CaseState::AwaitingUs, "a word opens it again");
        let acts = market.acts().await;
        assert_eq!(acts.iter().filter(|act| **act == Act::CaseClosed).count(), 2);
        assert_eq!(acts.iter().filter(|act| **act == Act::CaseReopened).count(), 1);
    }
}

#[tokio::test]
async fn an_escalation_opens_with_the_deadline_and_happens_once() {
    for market in Market::everywhere().await {
        let case = market.question().await;
        let actor = Actor::User(market.reader);
        let (alpha, beta) = (id("alpha"), id("beta"));
        let first = market.escalation("initial-request", "escalation-1");
        assert!(denied(market.ledger.escalate(&actor, case, &alpha, &first).await), "too early");
        market.pass(SignedDuration::from_hours(240) - SignedDuration::from_millis(1));
        assert!(denied(market.ledger.escalate(&actor, case, &alpha, &first).await), "a moment too early");
        market.pass(SignedDuration::from_millis(1));
        assert!(denied(market.ledger.escalate(&actor, case, &beta, &first).await), "not by who owes");
        let first = market.escalation("initial-request", "escalation-1");
        let both = tokio::join!(
            market.ledger.escalate(&actor, case, &alpha, &first),
            market.ledger.escalate(&actor, case, &alpha, &first),
        );
        let lost = [both.0, both.1].into_iter().filter(|result| *result == Err(StoreError::Conflict)).count();
        assert_eq!(lost, 1, "one of the two wins");
        let after = market.ledger.case(case).await.unwrap().unwrap();
        assert_eq!(after.contact_type.as_str(), "escalation-1");
        assert_eq!(after.due.as_ref().map(|due| (due.at, due.side.clone())), Some((first.deadline.at, beta)));
        assert_eq!(after.climbs.len(), 1);
        assert_eq!(market.state(case, "beta").await, CaseState::Escalated);
        market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
        assert_eq!(market.state(case, "beta").await, CaseState::Open);
        let next = market.escalation("escalation-1", "contract-manager");
        let nothing_owed = market.ledger.escalate(&actor, case, &alpha, &next).await;
        assert_eq!(nothing_owed, Err(StoreError::Conflict));
        let tasks = market.ledger.tasks(Some(&id("beta"))).await.unwrap();
        assert!(
            matches!(tasks[0].kind, crate::TaskKind::RungUnmapped { .. }),
            "nobody reads that rung's mail"
        );
        assert_eq!(market.count(Act::CaseEscalated).await, 1);
    }
}

#[tokio::test]
async fn only_people_of_the_side_own_a_case() {
    for market in Market::everywhere().await {
        let case = market.question().await;
        let actor = Actor::User(market.reader);
        let assign = |group: &str, owner| {
            let group = id(group);
            let (ledger, actor) = (market.ledger.clone(), actor.clone());
            async move { ledger.assign(&actor, case, &group, None, owner).await }
        };
        assert!(denied(assign("alpha", Some(market.reader)).await), "of another company");
        assert!(denied(assign("beta", Some(UserId::new(market.ledger.now()).unwrap())).await), "of none");
        let both = tokio::join!(assign("beta", Some(market.reader)), assign("beta", Some(market.reader)));
        assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    }
}
