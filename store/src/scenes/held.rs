//! Held mail: listed without content, opened with an event, released or destroyed, once.

use mail::HoldReason;

use super::*;
use crate::{
    AuthResult, Authentication, CaseBound, Earlier, HeldId, HeldNews, HeldSide, JobKind, Onward, Recalled,
    Release, Released, TaskKind,
};

const NO_CLOCK: fn(&mail::ProcessId, &mail::ContactType) -> Option<Deadline> = |_, _| None;

impl Market {
    async fn hold(&self, source: u8, bytes: &[u8]) -> HeldId {
        let passage = self.passage(&["bo@beta.example"], source, bytes).await;
        self.ledger.hold(passage, HoldReason::PersonalData, Onward::Relay).await.unwrap()
    }

    async fn later(&self, source: u8) -> HeldId {
        self.pass(SignedDuration::from_secs(1));
        self.hold(source, b"body").await
    }

    async fn hold_for_a_case(&self, source: u8, bytes: &[u8]) -> HeldId {
        let passage = self.passage(&["et@beta.example"], source, bytes).await;
        let bound = CaseBound {
            message_id: Some("m1@alpha.example".to_owned()),
            automatic: false,
            entries: vec![tagged(self.opening(), source)],
            receipt: Some(address("ann@alpha.example")),
            recall: None,
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
        assert_eq!(market.kinds().await, ["notice", "receipt"]);
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
async fn a_released_request_takes_back_what_it_names() {
    for market in Market::everywhere().await {
        let ann = address("ann@alpha.example");
        let content = market.sealed(b"wrong figures").await;
        let mut first = market.acceptance(content, 1, vec![tagged(market.opening(), 1)]);
        let author = mail::Person { name: None, address: Some(ann.to_string()) };
        first.headline.from = vec![author];
        let case = market.ledger.accept(first).await.unwrap().cases[0].id;
        let mut request = market.passage(&["et@beta.example"], 2, b"recall").await;
        request.class = Class::Recall;
        let bound = CaseBound {
            message_id: None,
            automatic: true,
            entries: vec![tagged(market.joining(case), 2)],
            receipt: None,
            recall: Some(Recalled { author: ann, subject: "secret subject".to_owned() }),
        };
        let onward = Onward::Case(Box::new(bound));
        let held = market.ledger.hold(request, HoldReason::Rule, onward).await.unwrap();
        let withdrawn = async || {
            let messages = market.ledger.messages(case).await.unwrap();
            messages.iter().map(|message| message.is_withdrawn_for(&id("beta"))).collect::<Vec<_>>()
        };
        assert_eq!(withdrawn().await, [false]);
        market.ledger.release_held(&Actor::Tool, &id("alpha"), held, NO_CLOCK).await.unwrap().unwrap();
        assert_eq!(withdrawn().await, [true, false]);
        assert_eq!(market.count(Act::MessageWithdrawn).await, 1);
    }
}

#[tokio::test]
async fn held_mail_is_a_task_until_the_last_is_decided() {
    for market in Market::everywhere().await {
        let tasks = async || market.ledger.tasks(Some(&id("alpha"))).await.unwrap();
        let (one, two) = (market.hold(1, b"body").await, market.hold(2, b"body").await);
        let [task] = tasks().await.try_into().unwrap();
        assert_eq!((task.kind, task.count), (TaskKind::MailHeld, 2));
        assert!(market.ledger.return_held(&Actor::Tool, &id("alpha"), one).await.unwrap());
        assert_eq!(tasks().await.len(), 1);
        market.ledger.release_held(&Actor::Tool, &id("alpha"), two, NO_CLOCK).await.unwrap().unwrap();
        assert!(tasks().await.is_empty());
        assert_eq!((market.count(Act::TaskRaised).await, market.count(Act::TaskClosed).await), (1, 1));
    }
}

#[tokio::test]
async fn held_mail_that_cannot_be_read_leaves_the_task_for_the_others() {
    for market in Market::everywhere().await {
        let damaged = market.hold(1, b"body").await;
        let (decided, _) = (market.later(2).await, market.later(3).await);
        let put = vec![(crate::held::held_key(&id("alpha"), damaged), b"garbage".as_slice().into())];
        market.engine.commit(crate::engine::Changeset { put, ..Default::default() }).await.unwrap();
        assert!(market.ledger.return_held(&Actor::Tool, &id("alpha"), decided).await.unwrap());
        assert_eq!(market.ledger.tasks(Some(&id("alpha"))).await.unwrap().len(), 1, "one waits");
        assert_eq!(market.waiting("alpha").await, 1);
    }
}

#[tokio::test]
async fn what_nobody_decides_on_goes_back_with_a_word_and_an_event() {
    const DAY: Duration = Duration::from_hours(24);
    for market in Market::everywhere().await {
        for source in 1..=3 {
            market.hold(source, &noise(700_000)).await;
        }
        market.pass(SignedDuration::from_hours(10 * 24));
        market.hold(4, b"body").await;
        market.finish_all(Outcome::Done).await;
        assert_eq!(market.ledger.expire_held(14 * DAY, 10).await.unwrap(), 0);
        market.pass(SignedDuration::from_hours(5 * 24));
        assert_eq!(market.ledger.expire_held(14 * DAY, 2).await.unwrap(), 2, "in batches");
        assert_eq!(market.ledger.expire_held(14 * DAY, 2).await.unwrap(), 1);
        assert_eq!(market.ledger.expire_held(14 * DAY, 2).await.unwrap(), 0);
        assert_eq!(market.waiting("alpha").await, 1);
        assert_eq!((market.count(Act::HeldExpired).await, market.count(Act::HeldReturned).await), (3, 0));
        assert_eq!(market.rows(Table::Content).await.len(), 1, "three are destroyed");
        let told: Vec<_> = market.ledger.jobs().await.unwrap().into_iter().map(|job| job.kind).collect();
        let expired = told.iter().filter(|kind| {
            matches!(kind, JobKind::Held(held) if held.what == HeldNews::Expired
                && held.side == HeldSide::Sender && held.to == address("ann@alpha.example"))
        });
        assert_eq!(expired.count(), 3, "{told:?}");
        // It may be sent again.
        assert_eq!(market.ledger.earlier(&[[1; 32]]).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_known_of_the_senders_domain_is_shown_with_a_held_mail() {
    let market = Market::open().await;
    let mut passage = market.passage(&["bo@beta.example"], 1, b"body").await;
    let known = Authentication {
        spf: AuthResult::Pass,
        dkim: AuthResult::Fail,
        dmarc: AuthResult::Pass,
        arc: AuthResult::None,
        domain: None,
        addressed: None,
    };
    passage.authentication = Some(known.clone());
    let held = market.ledger.hold(passage, HoldReason::Rule, Onward::Relay).await.unwrap();
    let open = market.ledger.open_held(&Actor::Tool, &id("alpha"), held).await.unwrap().unwrap();
    assert_eq!(open.authentication, Some(known));
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

#[tokio::test]
async fn what_was_released_and_did_not_arrive_may_be_sent_again() {
    let failures = [
        Outcome::Abandoned("550 5.7.1 stopped at the door".to_owned()),
        Outcome::Expired("4.4.1 no answer".to_owned()),
    ];
    for failure in failures {
        for market in Market::everywhere().await {
            let what = async || market.ledger.earlier(&[[1; 32]]).await.unwrap();
            let first = market.hold(1, b"body").await;
            market.finish_all(Outcome::Done).await;
            let (actor, alpha) = (Actor::User(market.reader), id("alpha"));
            market.ledger.release_held(&actor, &alpha, first, NO_CLOCK).await.unwrap().unwrap();
            assert_eq!(what().await, Some(Earlier::Held), "on its way");
            market.finish_all(failure.clone()).await;
            assert_eq!(what().await, None);
            let second = market.hold(1, b"body").await;
            assert_ne!(second, first);
            assert_eq!(market.waiting("alpha").await, 1, "it is really held");
            // What was sent back is no different.
            assert!(market.ledger.return_held(&actor, &alpha, second).await.unwrap());
            let third = market.hold(1, b"body").await;
            assert!(third != first && third != second);
            assert_eq!(market.waiting("alpha").await, 1);
        }
    }
}

#[tokio::test]
async fn of_a_released_mail_only_who_was_not_reached_gets_it_again() {
    for market in Market::everywhere().await {
        let passage = market.passage(&["bo@beta.example", "bob@far.example"], 1, b"body").await;
        let held = market.ledger.hold(passage, HoldReason::Rule, Onward::Relay).await.unwrap();
        market.finish_all(Outcome::Done).await;
        market.ledger.release_held(&Actor::Tool, &id("alpha"), held, NO_CLOCK).await.unwrap().unwrap();
        for leased in market.lease().await {
            let outcome = match leased.job.to() == &address("bob@far.example") {
                true => Outcome::Abandoned("5.1.1".to_owned()),
                false => Outcome::Done,
            };
            market.ledger.finish_job(leased, outcome).await.unwrap();
        }
        let what = async |source: u8| market.ledger.earlier(&[[source; 32]]).await.unwrap();
        assert_eq!((what(1).await, what(2).await), (Some(Earlier::Held), None));
        let again = market.passage(&["bo@beta.example", "bob@far.example"], 1, b"body").await;
        market.ledger.hold(again, HoldReason::Rule, Onward::Relay).await.unwrap();
        let [mail] = market.ledger.held(&id("alpha"), None, 9).await.unwrap().mails.try_into().unwrap();
        assert_eq!(mail.recipients, 1);
    }
}
