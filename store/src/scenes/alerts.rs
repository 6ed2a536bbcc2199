//! Alerts: users who are told beside the mailbox, at once or at their times, of all cases or of their own.

use super::*;
use crate::{AlertPace, AlertRule, Alerts, AlertsOf, Permission};

fn rule(pace: AlertPace, whose: AlertsOf) -> Alerts {
    Alerts { times: vec![8 * 60, 16 * 60], every: AlertRule { pace, whose }, processes: Vec::new() }
}

impl Market {
    async fn change_as(&self, actor: Actor, change: DirectoryChange) -> Result<(), StoreError> {
        self.ledger.change_directory(&actor, vec![change]).await
    }

    /// Bo may read what comes to Beta's mailbox.
    async fn with_permission(self) -> Self {
        let permission = Permission {
            participant: "BETA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
        };
        let grants = DirectoryChange::Grants { user: self.reader, add: vec![permission], remove: Vec::new() };
        self.change_as(Actor::Tool, grants).await.unwrap();
        self
    }

    async fn bo_chooses(&self, alerts: Option<Alerts>) {
        let change = DirectoryChange::AlertsOf(self.reader, alerts);
        self.change_as(Actor::User(self.reader), change).await.unwrap();
    }

    async fn one_more(&self, source: u8) -> CaseId {
        self.mail("alpha", source, b"body", self.opening()).await.unwrap().cases[0].id
    }

    /// The kinds of what is leased now and whom it goes to; all of it is sent.
    async fn sent_now(&self) -> Vec<(&'static str, String)> {
        let mut sent = Vec::new();
        for leased in self.lease().await {
            sent.push((leased.job.kind.as_str(), leased.job.to().to_string()));
            self.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        }
        sent.sort();
        sent
    }
}

#[tokio::test]
async fn who_chose_nothing_is_told_as_the_company_has_it() {
    for market in Market::everywhere().await {
        let market = market.with_permission().await;
        market.one_more(1).await;
        let mailbox = || ("notice", "et@beta.example".to_owned());
        let bo = || ("alert", "bo@beta.example".to_owned());
        assert_eq!(market.sent_now().await, [mailbox()], "nobody chose anything");
        let all = rule(AlertPace::AtOnce, AlertsOf::All);
        market.change_as(Actor::Tool, DirectoryChange::GroupAlerts(id("beta"), Some(all))).await.unwrap();
        market.one_more(2).await;
        assert_eq!(market.sent_now().await, [bo(), mailbox()]);
        market.bo_chooses(Some(Alerts::default())).await;
        market.one_more(3).await;
        assert_eq!(market.sent_now().await, [mailbox()], "the own choice is none");
        market.bo_chooses(None).await;
        market.one_more(4).await;
        assert_eq!(market.sent_now().await, [bo(), mailbox()], "back to the company's");
        assert_eq!(market.count(Act::AlertsSet).await, 2);
        assert_eq!(market.count(Act::GroupAlertsSet).await, 1);
        assert_eq!(market.count(Act::AlertSent).await, 2);
    }
}

#[tokio::test]
async fn own_cases_are_those_that_one_owns() {
    for market in Market::everywhere().await {
        let market = market.with_permission().await;
        market.bo_chooses(Some(rule(AlertPace::AtOnce, AlertsOf::Own))).await;
        let case = market.one_more(1).await;
        assert_eq!(market.sent_now().await.len(), 1, "nobody owns it");
        let (bo, beta) = (Actor::User(market.reader), id("beta"));
        market.ledger.assign(&bo, case, &beta, None, Some(market.reader)).await.unwrap();
        market.read(case, "beta").await.unwrap();
        market.mail("alpha", 2, b"more", market.joining(case)).await.unwrap();
        assert!(market.sent_now().await.contains(&("alert", "bo@beta.example".to_owned())));
    }
}

#[tokio::test]
async fn a_digest_waits_for_its_time_and_counts_what_still_waits() {
    for market in Market::everywhere().await {
        let market = market.with_permission().await;
        market.bo_chooses(Some(rule(AlertPace::Digest, AlertsOf::All))).await;
        let first = market.one_more(1).await;
        let second = market.one_more(2).await;
        market.mail("alpha", 3, b"more", market.joining(first)).await.unwrap();
        assert_eq!(market.sent_now().await.len(), 2, "the mailbox is told at once");
        // After a kill it is there all the same: four in the afternoon of London's summer.
        let jobs = market.after_a_kill().await.jobs().await.unwrap();
        let [digest] = jobs.try_into().unwrap();
        assert_eq!(
            (digest.kind.as_str(), digest.due.to_string().as_str()),
            ("alert digest", "2026-06-01T15:00:00Z")
        );
        market.read(second, "beta").await.unwrap();
        market.pass(SignedDuration::from_hours(5));
        let [leased] = market.lease().await.try_into().unwrap();
        let waiting: Vec<_> =
            market.ledger.waiting_for(&leased.job).await.unwrap().iter().map(|case| case.id).collect();
        assert_eq!(waiting, [first], "what was looked at is not counted");
        // What comes now waits for the next one.
        market.one_more(4).await;
        assert_eq!(market.ledger.waiting_for(&leased.job).await.unwrap().len(), 1);
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        market.sent_now().await;
        let [next] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!(next.due.to_string(), "2026-06-02T07:00:00Z");
        // Who may not read any more is told nothing.
        let state = DirectoryChange::State(market.reader, UserState::Suspended);
        market.change_as(Actor::Tool, state).await.unwrap();
        assert!(market.ledger.waiting_for(&next).await.unwrap().is_empty());
        market.pass(SignedDuration::from_hours(24));
        let [leased] = market.lease().await.try_into().unwrap();
        market.ledger.finish_job(leased, Outcome::Needless).await.unwrap();
        assert!(market.rows(Table::DigestEntry).await.is_empty());
        assert!(market.rows(Table::AlertDigestDue).await.is_empty());
    }
}

#[tokio::test]
async fn nobody_chooses_for_another_and_only_an_administrator_for_all() {
    for market in Market::everywhere().await {
        let bo = Actor::User(market.reader);
        let other = User::new(
            UserId::new(market.ledger.now()).unwrap(),
            id("beta"),
            address("cy@beta.example"),
            "Cy".to_owned(),
        );
        market.change_as(Actor::Tool, DirectoryChange::User(other.clone())).await.unwrap();
        for change in [
            DirectoryChange::AlertsOf(other.id, None),
            DirectoryChange::GroupAlerts(id("beta"), None),
            DirectoryChange::GroupAlerts(id("alpha"), None),
        ] {
            let refused = market.change_as(bo.clone(), change).await;
            assert!(matches!(refused, Err(StoreError::Forbidden)), "{refused:?}");
        }
        let timeless = Alerts { times: Vec::new(), ..rule(AlertPace::Digest, AlertsOf::All) };
        let denied = market.change_as(bo, DirectoryChange::AlertsOf(market.reader, Some(timeless))).await;
        assert!(matches!(denied, Err(StoreError::Denied(_))), "{denied:?}");
    }
}

#[tokio::test]
async fn a_user_finds_what_was_really_sent_and_what_became_of_it() {
    for market in Market::everywhere().await {
        let market = market.with_permission().await;
        market.bo_chooses(Some(rule(AlertPace::AtOnce, AlertsOf::All))).await;
        for source in 1..=3 {
            market.one_more(source).await;
            market.pass(SignedDuration::from_mins(1));
        }
        let leased: Vec<_> =
            market.lease().await.into_iter().filter(|job| job.job.kind.as_str() == "alert").collect();
        let ids: Vec<_> = leased.iter().map(|leased| leased.job.id).collect();
        for (at, leased) in leased.into_iter().enumerate() {
            market.pass(SignedDuration::from_mins(1));
            let outcome = if at == 1 { Outcome::Abandoned("5.7.1 no".to_owned()) } else { Outcome::Done };
            market.ledger.finish_job(leased, outcome).await.unwrap();
        }
        market.ledger.note_return(ids[0], crate::Returned::Failed("5.1.1".to_owned())).await.unwrap();
        let first = market.ledger.sent_notices(market.reader, None, 2).await.unwrap();
        let rest = market.ledger.sent_notices(market.reader, first.next.as_deref(), 2).await.unwrap();
        assert_eq!(rest.next, None);
        let all: Vec<_> = first.notices.iter().chain(&rest.notices).collect();
        let fates: Vec<_> = all.iter().map(|notice| notice.fate).collect();
        assert_eq!(fates, [crate::NoticeFate::Sent, crate::NoticeFate::GivenUp, crate::NoticeFate::Returned]);
        assert!(all.iter().all(|notice| notice.kind == "alert" && notice.case.is_some()));
        let nobody = UserId::new(market.ledger.now()).unwrap();
        assert!(market.ledger.sent_notices(nobody, None, 2).await.unwrap().notices.is_empty());
        assert_eq!(market.ledger.sweep_sent_notices().await.unwrap(), 0);
        market.pass(SignedDuration::from_hours(24 * 91));
        assert_eq!(market.ledger.sweep_sent_notices().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn who_does_not_sign_in_gets_two_letters_that_the_next_sign_in_makes_needless() {
    for market in Market::everywhere().await {
        let letters = async || {
            market.ledger.sweep_idle_users().await.unwrap();
            let jobs = market.ledger.jobs().await.unwrap();
            let idle = jobs.into_iter().filter_map(|job| match job.kind {
                JobKind::Idle(notice) => Some(notice),
                _ => None,
            });
            idle.collect::<Vec<_>>()
        };
        market.ledger.start_session(market.reader).await.unwrap();
        let until = market.ledger.now().saturating_add(SignedDuration::from_hours(90 * 24)).unwrap();
        for (days, expected) in [(75, 0), (1, 1), (1, 1), (6, 2), (1, 2), (5, 2)] {
            market.pass(SignedDuration::from_hours(days * 24));
            assert_eq!(letters().await.len(), expected, "after {days} days more");
        }
        let told = letters().await;
        for notice in &told {
            assert_eq!((notice.to.to_string().as_str(), notice.until), ("bo@beta.example", until));
            assert!(market.ledger.idle_notice_stands(notice).await.unwrap());
        }
        market.ledger.start_session(market.reader).await.unwrap();
        assert!(!market.ledger.idle_notice_stands(&told[0]).await.unwrap());
    }
}
