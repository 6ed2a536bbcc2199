//! Held mail: listed without content, opened with an event, released or destroyed, once.

use mail::HoldReason;

use super::*;
use crate::{CaseBound, Earlier, HeldId, HeldNews, HeldSide, JobKind, Onward, Release, Released};

const NO_CLOCK: fn(&mail::ProcessId, &mail::ContactType) -> Option<Deadline> = |_, _| None;

impl Market {
    async fn hold(&self, source: u8, bytes: &[u8]) -> HeldId {
        let passage = self.passage(&["bo@beta.example"], source, bytes).await;
        self.ledger.hold(passage, HoldReason::PersonalData, Onward::Relay).await.unwrap()
    }

    async fn hold_for_a_case(&self, source: u8, bytes: &[u8]) -> HeldId {
        let passage = self.passage(&["et@beta.example"], source, bytes).await;
        let bound = CaseBound {
            message_id: Some("m1@alpha.example".to_owned()),
            automatic: false,
            entries: vec![tagged(self.opening(), source)],
        };
        self.ledger.hold(passage, HoldReason::Virus, Onward::Case(Box::new(bound))).await.unwrap()
    }

    async fn waiting(&self, group: &str) -> usize {
        self.ledger.held(&id(group), None, 100).await.unwrap().mails.len()
    }
}

#[tokio::test]
async fn a_held_mail_is_listed_told_and_opened_by_its_own_group_alone() {
    for market in Market::everywhere().await {
        let original = [b"unmistakable words".to_vec(), noise(700_000)].concat();
        let held = market.hold_for_a_case(1, &original).await;
        let page = market.ledger.held(&id("alpha"), None, 10).await.unwrap();
        assert_eq!(page.mails.len(), 1);
        let mail = &page.mails[0];
        assert_eq!((mail.id, mail.reason, mail.release), (held, HoldReason::Virus, Release::Case));
        assert_eq!((mail.size, mail.recipients), (original.len() as u64, 1));
        assert_eq!((market.waiting("beta").await, market.waiting("gamma").await), (0, 0));
        let everything = market.everything().await;
        for word in ["unmistakable", "secret subject", "1200023305967", "m1@alpha.example"] {
            assert!(!everything.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
        let told: Vec<_> = market.ledger.jobs().await.unwrap().into_iter().map(|job| job.kind).collect();
        for (to, side) in [("ann@alpha.example", HeldSide::Sender), ("et@beta.example", HeldSide::Recipient)]
        {
            let to = address(to);
            assert!(told.iter().any(|kind| matches!(kind, JobKind::Held(held)
                if held.to == to && held.side == side && held.what == HeldNews::Held)));
        }
        assert_eq!(told.len(), 2);
        let actor = Actor::User(market.reader);
        assert!(market.ledger.open_held(&actor, &id("beta"), held).await.unwrap().is_none());
        assert_eq!(market.count(Act::HeldRead).await, 0);
        let open = market.ledger.open_held(&actor, &id("alpha"), held).await.unwrap().unwrap();
        assert_eq!(market.count(Act::HeldRead).await, 1);
        assert_eq!(open.headline.subject, "secret subject");
        assert!(open.content.range(0, u64::MAX).await.unwrap() == original);
        if let Some(memory) = &market.memory {
            memory.set_full(true);
            let refused = market.ledger.open_held(&actor, &id("alpha"), held).await;
            assert_eq!(refused.err(), Some(StoreError::Full), "no reading without its event");
        }
    }
}

#[tokio::test]
async fn held_twice_is_held_once() {
    for market in Market::everywhere().await {
        assert_eq!(market.hold(1, b"body").await, market.hold(1, b"body").await);
        assert_eq!(market.waiting("alpha").await, 1);
        market.pass(SignedDuration::from_secs(1));
        market.hold(2, b"body").await;
        market.pass(SignedDuration::from_secs(1));
        market.hold(3, b"body").await;
        let first = market.ledger.held(&id("alpha"), None, 2).await.unwrap();
        let rest = market.ledger.held(&id("alpha"), first.next, 2).await.unwrap();
        assert_eq!((first.mails.len(), rest.mails.len(), rest.next), (2, 1, None));
    }
}

#[tokio::test]
async fn a_machines_mail_is_held_and_nobody_told() {
    for market in Market::everywhere().await {
        let mut passage = market.passage(&["bo@beta.example"], 1, b"body").await;
        passage.class = Class::AutoReply;
        market.ledger.hold(passage, HoldReason::Rule, Onward::Relay).await.unwrap();
        assert!(market.ledger.jobs().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_released_for_relay_goes_on_as_it_came() {
    for market in Market::everywhere().await {
        let original = noise(700_000);
        let held = market.hold(1, &original).await;
        market.finish_all(Outcome::Done).await;
        let content = market.rows(Table::Content).await;
        let actor = Actor::User(market.reader);
        let refused = market.ledger.release_held(&actor, &id("beta"), held, NO_CLOCK).await.unwrap();
        assert_eq!(refused, None);
        let released = market.ledger.release_held(&actor, &id("alpha"), held, NO_CLOCK).await.unwrap();
        let Some(Released::Relayed(passage)) = released else { panic!("{released:?}") };
        assert!(market.rows(Table::Content).await == content, "nothing is sealed anew");
        let outgoing = market.ledger.passage(passage).await.unwrap().unwrap();
        assert!(outgoing.content.range(0, u64::MAX).await.unwrap() == original);
        assert_eq!(market.waiting("alpha").await, 0);
        assert_eq!(market.kinds().await, ["relay"]);
        let again = market.ledger.release_held(&actor, &id("alpha"), held, NO_CLOCK).await.unwrap();
        assert_eq!(again, None);
        // The sender's server tries once more: the answer is the old one, and nothing happens.
        assert_eq!(market.hold(1, &original).await, held);
        assert_eq!(market.waiting("alpha").await, 0);
        market.finish_all(Outcome::Done).await;
        assert!(market.rows(Table::Content).await.is_empty());
    }
}

#[tokio::test]
async fn what_is_released_to_its_case_is_there_as_if_it_had_never_waited() {
    for market in Market::everywhere().await {
        let original = noise(700_000);
        let held = market.hold_for_a_case(1, &original).await;
        market.finish_all(Outcome::Done).await;
        market.pass(SignedDuration::from_hours(50));
        let content = market.rows(Table::Content).await;
        let due = market.deadline();
        let clock = |_: &_, _: &_| Some(due.clone());
        let actor = Actor::User(market.reader);
        let released = market.ledger.release_held(&actor, &id("alpha"), held, clock).await.unwrap();
        let Some(Released::Secured(accepted)) = released else { panic!("{released:?}") };
        let case = market.ledger.case(accepted.cases[0].id).await.unwrap().unwrap();
        assert_eq!(case.due.as_ref().unwrap().at, due.at, "the clock counts from the release");
        for group in ["alpha", "beta"] {
            assert!(market.read(case.id, group).await.unwrap() == [original.clone()]);
        }
        assert!(market.rows(Table::Content).await == content, "nothing is sealed anew");
        let tag = Tag::mpan("1200023305967").unwrap();
        assert_eq!(market.ledger.find_by_tag(&Actor::Portal, &id("beta"), &tag).await.unwrap().len(), 1);
        assert_eq!(market.kinds().await, ["notice"]);
        assert_eq!(market.waiting("alpha").await, 0);
        assert_eq!(market.ledger.sweep_arriving(Duration::ZERO).await.unwrap(), 0);
        // The same mail, judged otherwise by now, finds its case.
        let late = market.mail("alpha", 1, &original, market.opening()).await.unwrap();
        assert_eq!(late, accepted);
    }
}

#[tokio::test]
async fn what_came_by_another_way_meanwhile_is_not_released_twice() {
    for market in Market::everywhere().await {
        let held = market.hold_for_a_case(1, b"body").await;
        let accepted = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
        let content = market.rows(Table::Content).await.len();
        let released = market.ledger.release_held(&Actor::Tool, &id("alpha"), held, NO_CLOCK).await.unwrap();
        assert_eq!(released, Some(Released::Secured(accepted.clone())));
        assert_eq!(market.ledger.messages(accepted.cases[0].id).await.unwrap().len(), 1);
        assert_eq!(market.rows(Table::Content).await.len(), content - 1, "the second copy is gone");
    }
}

#[tokio::test]
async fn what_is_returned_is_destroyed_and_its_sender_told() {
    for market in Market::everywhere().await {
        let held = market.hold(1, &noise(1_500_000)).await;
        market.finish_all(Outcome::Done).await;
        let actor = Actor::User(market.reader);
        assert!(!market.ledger.return_held(&actor, &id("beta"), held).await.unwrap());
        assert!(market.ledger.return_held(&actor, &id("alpha"), held).await.unwrap());
        assert!(!market.ledger.return_held(&actor, &id("alpha"), held).await.unwrap());
        for table in [Table::Content, Table::Held, Table::Arriving] {
            assert!(market.rows(table).await.is_empty());
        }
        let [job] = market.ledger.jobs().await.unwrap().try_into().unwrap();
        assert_eq!(job.to(), &address("ann@alpha.example"));
        assert!(matches!(job.kind, JobKind::Held(held) if held.what == HeldNews::Returned));
        assert_eq!(market.count(Act::HeldReturned).await, 1);
    }
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_does() {
    for market in Market::everywhere().await {
        let held = market.hold(1, b"body").await;
        let (group, actor) = (id("alpha"), Actor::User(market.reader));
        let (released, returned) = tokio::join!(
            market.ledger.release_held(&actor, &group, held, NO_CLOCK),
            market.ledger.return_held(&actor, &group, held),
        );
        let (released, returned) = (released.unwrap().is_some(), returned.unwrap());
        assert!(released != returned);
        assert_eq!(market.rows(Table::Passage).await.len(), usize::from(released));
        assert_eq!(market.rows(Table::Content).await.len(), usize::from(released));
    }
}

#[tokio::test]
async fn a_mail_is_in_one_place_whatever_is_thought_of_it_later() {
    for market in Market::everywhere().await {
        let what = async |source: u8| market.ledger.earlier(&[[source; 32]]).await.unwrap();
        assert_eq!(what(1).await, None);
        let held = market.hold(1, b"body").await;
        assert_eq!(what(1).await, Some(Earlier::Held));
        market.ledger.relay(market.passage(&["bob@alpha.example"], 7, b"body").await).await.unwrap();
        assert_eq!(what(7).await, Some(Earlier::Relayed));
        assert_eq!(market.ledger.earlier(&[[7; 32], [8; 32]]).await.unwrap(), None, "one of them is new");

        // What is over without having arrived may be sent again, and is judged anew.
        let actor = Actor::User(market.reader);
        assert!(market.ledger.return_held(&actor, &id("alpha"), held).await.unwrap());
        market.finish_all(Outcome::Abandoned("5.1.1".to_owned())).await;
        assert_eq!((what(1).await, what(7).await), (None, None));
    }
}
