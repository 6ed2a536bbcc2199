//! Recalls: what nobody has seen is closed, what somebody has seen stays, and both are written down.

use mail::Person;

use super::*;
use crate::{Closed, JobKind};

impl Market {
    async fn write(&self, source: u8, subject: &str, place: Place) -> CaseId {
        let content = self.sealed(b"body").await;
        let author = Person { name: None, address: Some("Ann@alpha.example".to_owned()) };
        let headline = Headline { subject: subject.to_owned(), from: vec![author], ..Headline::default() };
        let mail = self.acceptance(content, source, vec![tagged(place, source)]);
        self.ledger.accept(Acceptance { headline, ..mail }).await.unwrap().cases[0].id
    }

    async fn opened(&self, case: CaseId, group: &str) -> Vec<Result<String, Closed>> {
        let case = self.ledger.case(case).await.unwrap().unwrap();
        let messages = self.ledger.messages(case.id).await.unwrap();
        let actor = Actor::User(self.reader);
        let opened = self.ledger.open_messages(&actor, &case, messages, &id(group), Reading::Page).await;
        let opened = opened.unwrap().into_iter();
        opened.map(|one| one.map(|open| open.headline.subject).map_err(|closed| closed.why)).collect()
    }
}

#[tokio::test]
async fn a_message_is_found_by_author_and_subject_in_its_own_group() {
    for market in Market::everywhere().await {
        let first = market.write(1, "Wrong  meter", market.opening()).await;
        market.pass(SignedDuration::from_secs(1));
        market.write(2, "RE: wrong meter", market.joining(first)).await;
        market.write(3, "wrong METER", market.joining(first)).await;
        market.pass(SignedDuration::from_secs(1));
        let second = market.write(4, "wrong meter", market.opening()).await;
        let find = async |group: &str, author: &str, subject: &str, case| {
            let (group, author) = (id(group), address(author));
            let found = market.ledger.recallable(&group, &author, subject, case).await.unwrap();
            found.into_iter().map(|message| (message.case, message.number)).collect::<Vec<_>>()
        };
        let ann = "ann@alpha.example";
        let all = [(second, 1), (first, 3), (first, 1)];
        assert_eq!(find("alpha", ann, "Recall: wrong meter", None).await, all);
        assert_eq!(find("alpha", ann, "wrong meter", Some(first)).await, all[1..]);
        assert_eq!(find("alpha", ann, "Recall: RE: Wrong meter", None).await, [(first, 2)]);
        assert!(find("beta", ann, "wrong meter", None).await.is_empty());
        assert!(find("alpha", "bob@alpha.example", "wrong meter", None).await.is_empty());
        let everything = market.everything().await.to_ascii_lowercase();
        assert!(!everything.windows(11).any(|window| window == b"wrong meter"));
    }
}

#[tokio::test]
async fn what_nobody_has_seen_is_closed_for_good() {
    for market in Market::everywhere().await {
        let case = market.write(1, "wrong", market.opening()).await;
        let actor = Actor::Gateway;
        let foreign = market.ledger.withdraw(&actor, &id("beta"), case, 1).await.unwrap();
        assert!(foreign.is_none(), "nobody takes back what another company wrote");
        assert!(market.ledger.withdraw(&actor, &id("alpha"), case, 2).await.unwrap().is_none());
        let withdrawal = market.ledger.withdraw(&actor, &id("alpha"), case, 1).await.unwrap().unwrap();
        assert_eq!(
            (withdrawal.unseen.as_slice(), withdrawal.seen.as_slice()),
            ([id("beta")].as_slice(), [].as_slice())
        );
        let again = market.ledger.withdraw(&actor, &id("alpha"), case, 1).await.unwrap().unwrap();
        assert_eq!(again, withdrawal);
        assert_eq!(market.count(Act::MessageWithdrawn).await, 1);
        assert_eq!(market.opened(case, "beta").await, [Err(Closed::Withdrawn)]);
        assert_eq!(market.opened(case, "alpha").await, [Ok("wrong".to_owned())]);
        assert!(market.ledger.case(case).await.unwrap().unwrap().due.is_none(), "nothing is owed");
    }
}

#[tokio::test]
async fn a_notice_of_what_was_taken_back_is_needless_and_the_next_message_tells() {
    for market in Market::everywhere().await {
        let case = market.write(1, "wrong", market.opening()).await;
        let [leased] = market.lease().await.try_into().unwrap();
        let JobKind::Notice(notice) = leased.job.kind.clone() else { panic!("{:?}", leased.job.kind) };
        assert!(market.ledger.notice_stands(&notice).await.unwrap());
        market.ledger.withdraw(&Actor::Gateway, &id("alpha"), case, 1).await.unwrap();
        assert!(!market.ledger.notice_stands(&notice).await.unwrap());
        market.ledger.finish_job(leased, Outcome::Needless).await.unwrap();
        market.write(2, "right", market.joining(case)).await;
        let [leased] = market.lease().await.try_into().unwrap();
        let JobKind::Notice(notice) = leased.job.kind.clone() else { panic!("{:?}", leased.job.kind) };
        assert!(notice.number == 2 && market.ledger.notice_stands(&notice).await.unwrap());
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        // The notice left: what follows waits until somebody looked, withdrawn or not.
        market.ledger.withdraw(&Actor::Gateway, &id("alpha"), case, 2).await.unwrap();
        market.write(3, "really", market.joining(case)).await;
        assert!(market.ledger.jobs().await.unwrap().is_empty());
        let mine = [Err(Closed::Withdrawn), Err(Closed::Withdrawn), Ok("really".to_owned())];
        assert_eq!(market.opened(case, "beta").await, mine);
    }
}

#[tokio::test]
async fn what_was_seen_stays_and_its_reader_is_named() {
    for market in Market::everywhere().await {
        let case = market.write(1, "wrong", market.opening()).await;
        market.opened(case, "beta").await;
        let due = market.ledger.case(case).await.unwrap().unwrap().due;
        let withdrawal =
            market.ledger.withdraw(&Actor::Gateway, &id("alpha"), case, 1).await.unwrap().unwrap();
        assert_eq!((withdrawal.unseen.len(), withdrawal.seen.as_slice()), (0, [id("beta")].as_slice()));
        assert_eq!(market.opened(case, "beta").await, [Ok("wrong".to_owned())]);
        assert_eq!(market.ledger.case(case).await.unwrap().unwrap().due, due);
        let late: Vec<_> = market.events().await;
        let late = late.iter().find(|event| event.act == Act::RecallTooLate).unwrap();
        assert_eq!((late.group.clone(), late.case), (Some(id("beta")), Some(case)));
    }
}

#[tokio::test]
async fn one_damaged_message_closes_no_other() {
    for market in Market::everywhere().await {
        let case = market.write(1, "first", market.opening()).await;
        market.pass(SignedDuration::from_secs(1));
        market.write(2, "second", market.joining(case)).await;
        market.pass(SignedDuration::from_secs(1));
        market.write(3, "third", market.joining(case)).await;
        let wraps = market.rows(Table::Wrap).await;
        let damage = crate::engine::Changeset {
            put: vec![(wraps[0].0.clone(), b"\x01\xffgarbage".as_slice().into())],
            delete: vec![wraps[2].0.clone()],
            ..Default::default()
        };
        market.engine.commit(damage).await.unwrap();
        let opened = market.opened(case, "beta").await;
        assert!(matches!(&opened[0], Err(Closed::Damaged(_))));
        assert_eq!(opened[1], Ok("second".to_owned()));
        assert!(matches!(&opened[2], Err(Closed::Damaged(_))));
        let case = market.ledger.case(case).await.unwrap().unwrap();
        assert_eq!(case.lost(&market.ledger.messages(case.id).await.unwrap()), [] as [u32; 0]);
        // Now a record itself: the others are still there, and which one is not is known.
        let records = market.rows(Table::Message).await;
        let damage = crate::engine::Changeset {
            put: vec![(records[1].0.clone(), b"\x01\xffgarbage".as_slice().into())],
            ..Default::default()
        };
        market.engine.commit(damage).await.unwrap();
        let messages = market.ledger.messages(case.id).await.unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(case.lost(&messages).len(), 1);
    }
}
