//! Cases: who sees them, what joins them, whose clock runs, how they are listed.

use super::*;

#[tokio::test]
async fn another_group_opens_nothing() {
    let market = Market::open().await;
    let accepted = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    let denied = market.read(accepted.cases[0].id, "gamma").await;
    assert!(matches!(denied, Err(StoreError::Denied(_))));
    let process = "erroneous-transfers".parse().unwrap();
    let list = market.ledger.cases(&id("gamma"), &process, None, 10).await.unwrap();
    assert!(list.cases.is_empty());
    let tag = Tag::mpan("1200023305967").unwrap();
    assert!(market.ledger.find_by_tag(&Actor::Portal, &id("gamma"), &tag).await.unwrap().is_empty());
    assert_eq!(market.ledger.find_by_tag(&Actor::Portal, &id("beta"), &tag).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_mail_twice_is_one_case_and_one_notice() {
    let market = Market::open().await;
    let first = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    let again = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
    let process = "erroneous-transfers".parse().unwrap();
    let list = market.ledger.cases(&id("beta"), &process, None, 10).await.unwrap();
    assert_eq!(list.cases.len(), 1);
}

#[tokio::test]
async fn only_an_answer_of_the_side_that_owes_it_stops_the_clock() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
    let due = || async { market.ledger.case(case).await.unwrap().unwrap().due };
    let first = due().await.unwrap();
    market.pass(SignedDuration::from_mins(5));
    market.mail("alpha", 2, b"and more", market.joining(case)).await.unwrap();
    assert_eq!(due().await, Some(first), "the initiator cannot move the clock");
    market.mail("beta", 3, b"answer", market.joining(case)).await.unwrap();
    assert_eq!(due().await, None);
    market.mail("alpha", 4, b"but", market.joining(case)).await.unwrap();
    assert_eq!(due().await.unwrap().side, id("beta"));
    let case = market.ledger.case(case).await.unwrap().unwrap();
    assert_eq!(case.messages, 4);
    assert_eq!(market.read(case.id, "alpha").await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_stranger_to_a_case_cannot_join_it() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let refused = market.mail("gamma", 2, b"two", market.joining(case)).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))));
    assert_eq!(market.ledger.messages(case).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_list_is_newest_first_and_pages_without_gaps() {
    let market = Market::open().await;
    let mut ids = Vec::new();
    for source in 0..7 {
        ids.push(market.mail("alpha", source, b"body", market.opening()).await.unwrap().cases[0].id);
        market.pass(SignedDuration::from_secs(1));
    }
    // The oldest case gets a new message and moves to the front.
    market.mail("beta", 100, b"answer", market.joining(ids[0])).await.unwrap();
    let expected = [ids[0], ids[6], ids[5], ids[4], ids[3], ids[2], ids[1]];
    let process = "erroneous-transfers".parse().unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = market.ledger.cases(&id("beta"), &process, after.as_deref(), 3).await.unwrap();
        seen.extend(page.cases.iter().map(|case| case.id));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    let odd = market.ledger.cases(&id("beta"), &process, Some("zz–no cursor"), 3).await.unwrap();
    assert_eq!(odd.cases.len(), 3);
}

#[tokio::test]
async fn a_retry_with_other_recipients_repeats_only_what_is_new() {
    let market = Market::open().await;
    let first = market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(b"body").await.unwrap();
    let entry = |place, source: u8| Entry {
        place,
        sources: vec![[source; 32]],
        tags: Vec::new(),
        decided_by: "mailbox".to_owned(),
        decision: None,
        addressed: None,
    };
    let entries = vec![entry(market.opening(), 1), entry(market.opening(), 2)];
    let content = writer.finish().await.unwrap();
    let both = market.ledger.accept(market.acceptance(content, 1, entries)).await.unwrap();
    assert_eq!(both.cases[0], first.cases[0]);
    assert_ne!(both.cases[1], first.cases[0]);
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn two_who_take_a_case_at_once_are_one_owner_and_one_told() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let (first, second) = (market.reader, UserId::new(market.ledger.now()).unwrap());
    let actor = Actor::User(first);
    market.ledger.assign(&actor, case, &id("beta"), None, Some(first)).await.unwrap();
    let late = market.ledger.assign(&actor, case, &id("beta"), None, Some(second)).await;
    assert_eq!(late, Err(StoreError::Conflict));
    let released = market.ledger.assign(&actor, case, &id("beta"), Some(second), None).await;
    assert_eq!(released, Err(StoreError::Conflict));
    let case = market.ledger.case(case).await.unwrap().unwrap();
    assert_eq!(case.side(&id("beta")).unwrap().owner, Some(first));
}
