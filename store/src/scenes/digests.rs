//! Digests: one for each mailbox and time, with everything that waits, each case once until somebody looked.

use super::*;
use crate::{Case, Job};

impl Market {
    /// Beta's mailbox is told at nine and at three, market time.
    async fn with_digests(self) -> Self {
        let mailbox = self.ledger.directory().mailbox(&address("et@beta.example")).unwrap().clone();
        let mailbox = Mailbox { alerts: MailboxAlerts::Digest(vec![9 * 60, 15 * 60]), ..mailbox };
        self.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::Mailbox(mailbox)]).await.unwrap();
        self
    }

    async fn cases_of(&self, job: &Job) -> Vec<CaseId> {
        let mut cases: Vec<_> =
            self.ledger.digest(job).await.unwrap().iter().map(|case: &Case| case.id).collect();
        cases.sort_unstable();
        cases
    }

    async fn open_case(&self, source: u8) -> CaseId {
        self.mail("alpha", source, b"body", self.opening()).await.unwrap().cases[0].id
    }
}

#[tokio::test]
async fn a_digest_tells_each_case_once_until_somebody_looked() {
    for market in Market::everywhere().await {
        let market = market.with_digests().await;
        let mut cases = vec![market.open_case(1).await, market.open_case(2).await, market.open_case(3).await];
        cases.sort_unstable();
        market.mail("alpha", 4, b"more", market.joining(cases[0])).await.unwrap();
        let [job] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!(job.kind.as_str(), "digest");
        // Ten in the morning UTC is eleven in London; three there is two here.
        assert_eq!(job.due.to_string(), "2026-06-01T14:00:00Z");
        assert!(market.lease().await.is_empty());
        market.pass(SignedDuration::from_hours(4));
        let [leased] = market.lease().await.try_into().unwrap();
        assert_eq!(market.cases_of(&leased.job).await, cases);
        // What comes now is told by the next one.
        let late = market.open_case(5).await;
        market.mail("alpha", 6, b"and more", market.joining(cases[0])).await.unwrap();
        assert_eq!(market.cases_of(&leased.job).await, cases);
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        assert_eq!(market.rows(Table::DigestEntry).await.len(), 1);
        market.read(cases[1], "beta").await.unwrap();
        market.mail("alpha", 7, b"again", market.joining(cases[1])).await.unwrap();
        market.pass(SignedDuration::from_hours(18));
        let [leased] = market.lease().await.try_into().unwrap();
        let mut expected = [late, cases[1]];
        expected.sort_unstable();
        assert_eq!(market.cases_of(&leased.job).await, expected);
        market.read(late, "beta").await.unwrap();
        assert_eq!(market.cases_of(&leased.job).await, [cases[1]], "what was looked at is left out");
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        assert!(market.rows(Table::DigestEntry).await.is_empty());
        assert!(market.rows(Table::DigestDue).await.is_empty());
        assert_eq!(market.count(Act::DigestSent).await, 2);
    }
}

#[tokio::test]
async fn a_digest_that_is_tried_again_keeps_what_it_tells() {
    for market in Market::everywhere().await {
        let market = market.with_digests().await;
        let first = market.open_case(1).await;
        market.pass(SignedDuration::from_hours(4));
        let [leased] = market.lease().await.try_into().unwrap();
        let second = market.open_case(2).await;
        let again = market.ledger.now().saturating_add(SignedDuration::from_hours(20)).unwrap();
        market.ledger.finish_job(leased, Outcome::Again(again, "421".to_owned())).await.unwrap();
        market.pass(SignedDuration::from_hours(21));
        let leased = market.lease().await;
        let mut told = Vec::new();
        for leased in &leased {
            told.push(market.cases_of(&leased.job).await);
        }
        told.sort();
        let mut expected = [vec![first], vec![second]];
        expected.sort();
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_digest_that_is_given_up_or_dropped_silences_no_case() {
    for market in Market::everywhere().await {
        let market = market.with_digests().await;
        let case = market.open_case(1).await;
        market.pass(SignedDuration::from_hours(4));
        market.finish_all(Outcome::Abandoned("550".to_owned())).await;
        let side = market.ledger.case(case).await.unwrap().unwrap().side(&id("beta")).unwrap().clone();
        assert_eq!(side.undelivered.unwrap().to, address("et@beta.example"));
        market.mail("alpha", 2, b"more", market.joining(case)).await.unwrap();
        let jobs = market.ledger.jobs().await.unwrap();
        assert_eq!(jobs.len(), 2, "the one given up, and a new one");
        let waiting = jobs.iter().find(|job| job.standing == crate::Standing::Waiting).unwrap();
        assert!(market.ledger.drop_job(&Actor::Tool, waiting.id).await.unwrap());
        market.mail("alpha", 3, b"more", market.joining(case)).await.unwrap();
        assert_eq!(market.ledger.jobs().await.unwrap().len(), 2);
        assert_eq!(market.ledger.tasks(Some(&id("beta"))).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn mails_that_arrive_at_once_share_a_digest() {
    for market in Market::everywhere().await {
        let market = Arc::new(market.with_digests().await);
        let mut arriving = tokio::task::JoinSet::new();
        for source in 0..20 {
            let market = Arc::clone(&market);
            arriving.spawn(async move { market.open_case(source).await });
        }
        let mut cases = arriving.join_all().await;
        cases.sort_unstable();
        let [job] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!(market.cases_of(&job).await, cases);
    }
}

#[tokio::test]
async fn a_digest_of_more_than_a_thousand_cases_leaves_none_out() {
    let market = Market::open().await.with_digests().await;
    market.open_case(1).await;
    market.pass(SignedDuration::from_hours(4));
    let [first] = market.lease().await.try_into().unwrap();
    // As if two thousand and some had come: the entries are what counts.
    let entry = |case: CaseId| -> bytes::Bytes {
        let number = [0x01, 0x01].as_slice();
        [&[0x01, 0xa2, 0x00, 0x54], case.as_bytes().as_slice(), number].concat().into()
    };
    let mut many = crate::engine::Changeset::default();
    for number in 0..2_100_u32 {
        let case = CaseId::from_bytes(std::array::from_fn(|place| number.to_be_bytes()[place % 4]));
        let key = Key::of(Table::DigestEntry).id(&first.job.id).id(&case).done();
        many.put.push((key, entry(case)));
    }
    market.engine.commit(many).await.unwrap();
    market.ledger.finish_job(first, Outcome::Done).await.unwrap();
    let digests = market.lease().await;
    assert_eq!(digests.len(), 2);
    assert_eq!(market.rows(Table::DigestEntry).await.len(), 1_101);
    for digest in digests {
        market.ledger.finish_job(digest, Outcome::Done).await.unwrap();
    }
    assert!(market.rows(Table::DigestEntry).await.is_empty());
}
