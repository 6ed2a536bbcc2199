//! Invitations and resets: mailed, single-use, over in time, and never readable in the ledger.

use super::*;
use crate::{LinkKind, LinkLetter, LinkToken};

impl Market {
    /// The links whose letters are due, oldest first.
    async fn links(&self) -> Vec<(LinkLetter, LinkToken)> {
        let jobs = self.ledger.jobs().await.unwrap();
        let mut links: Vec<_> = jobs
            .into_iter()
            .filter_map(|job| match job.kind {
                JobKind::Link(letter) => Some((job.created_at, letter)),
                _ => None,
            })
            .collect();
        links.sort_by_key(|(made, _)| *made);
        links
            .into_iter()
            .map(|(_, letter)| {
                let token = self.ledger.link_token(letter.link);
                (letter, token)
            })
            .collect()
    }
}

#[tokio::test]
async fn a_link_sets_a_password_once() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let user = UserId::new(ledger.now()).unwrap();
        let invited = User::new(user, id("beta"), address("new@beta.example"), "New".to_owned());
        let session = ledger.start_session(user).await.unwrap();
        ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(invited)]).await.unwrap();
        ledger.invite(&Actor::Tool, user).await.unwrap();
        let (letter, token) = market.links().await.remove(0);
        assert_eq!(
            (letter.kind, letter.to.to_string()),
            (LinkKind::Invitation, "new@beta.example".to_owned())
        );
        let before = market.everything().await;
        for _ in 0..3 {
            assert_eq!(ledger.link(&token).await.unwrap().unwrap().user, user);
        }
        assert_eq!(market.everything().await, before, "looking changes nothing");
        assert!(ledger.redeem(&token, "$hash").await.unwrap().is_some());
        assert_eq!(ledger.directory().user(&user).unwrap().password.as_deref(), Some("$hash"));
        assert!(ledger.directory().user(&user).unwrap().is_active(), "confirmed");
        assert_eq!(ledger.session(&session).await.unwrap(), None, "an old session is over");
        assert_eq!(ledger.link(&token).await.unwrap(), None);
        assert_eq!(ledger.redeem(&token, "$other").await.unwrap(), None, "used");
        assert_eq!(ledger.directory().user(&user).unwrap().password.as_deref(), Some("$hash"));
        let events = market.events().await;
        let acts: Vec<_> = events.iter().rev().take(2).map(|event| event.act).collect();
        assert_eq!(acts, [Act::LinkRedeemed, Act::PasswordReset]);
        assert!(events.iter().all(|event| event.act != Act::LinkRedeemed || event.group == Some(id("beta"))));
        let secret = token.as_str().as_bytes();
        assert!(!before.windows(secret.len()).any(|window| window == secret), "no token at rest");
    }
}

#[tokio::test]
async fn a_newer_link_of_an_administrator_replaces_the_older_one() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        ledger.invite(&Actor::Tool, market.reader).await.unwrap();
        market.pass(SignedDuration::from_secs(1));
        ledger.reset_link(&Actor::Tool, market.reader).await.unwrap();
        let links = market.links().await;
        assert_eq!(ledger.link(&links[0].1).await.unwrap(), None);
        assert_eq!(ledger.link(&links[1].1).await.unwrap().unwrap().kind, LinkKind::Reset);
        market.pass(SignedDuration::from_hours(2));
        assert_eq!(ledger.link(&links[1].1).await.unwrap(), None, "over");
        assert_eq!(ledger.redeem(&links[1].1, "$hash").await.unwrap(), None);
        assert_eq!(ledger.sweep_links().await.unwrap(), 1);
        assert!(market.rows(Table::Link).await.is_empty());
        let stranger = UserId::new(ledger.now()).unwrap();
        assert!(matches!(ledger.invite(&Actor::Tool, stranger).await, Err(StoreError::Denied(_))));
    }
}

#[tokio::test]
async fn strangers_who_ask_for_links_fill_no_mailbox_and_take_no_link_away() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        for _ in 0..10 {
            market.pass(SignedDuration::from_secs(1));
            ledger.forgotten(&address("bo@beta.example")).await.unwrap();
            ledger.forgotten(&address("nobody@beta.example")).await.unwrap();
        }
        let links = market.links().await;
        assert_eq!(links.len(), 3);
        for (_, token) in &links {
            assert!(ledger.link(token).await.unwrap().is_some());
        }
        assert!(ledger.redeem(&links[1].1, "$hash").await.unwrap().is_some());
        for (_, token) in &links {
            assert_eq!(ledger.link(token).await.unwrap(), None, "one is used, all are over");
        }
    }
}

#[tokio::test]
async fn a_link_is_for_the_address_and_the_user_it_was_made_for() {
    let market = Market::open().await;
    let ledger = &market.ledger;
    let bo = ledger.directory().user(&market.reader).unwrap().clone();
    for changed in [
        User { email: address("bob@beta.example"), ..bo.clone() },
        User { state: crate::UserState::Suspended, ..bo.clone() },
    ] {
        ledger.reset_link(&Actor::Tool, market.reader).await.unwrap();
        let (_, token) = market.links().await.pop().unwrap();
        assert!(ledger.link(&token).await.unwrap().is_some());
        let change = |user: User| ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(user)]);
        change(changed).await.unwrap();
        assert_eq!(ledger.redeem(&token, "$hash").await.unwrap(), None);
        change(bo.clone()).await.unwrap();
        market.pass(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn of_many_who_hold_one_link_one_uses_it() {
    for market in Market::everywhere().await {
        market.ledger.reset_link(&Actor::Tool, market.reader).await.unwrap();
        let (_, token) = market.links().await.remove(0);
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..20 {
            let (ledger, token) = (market.ledger.clone(), token.clone());
            tries.spawn(
                async move { ledger.redeem(&token, &format!("$hash{number}")).await.unwrap().is_some() },
            );
        }
        let used = tries.join_all().await.into_iter().filter(|used| *used).count();
        assert_eq!(used, 1);
        assert_eq!(market.count(Act::LinkRedeemed).await, 1);
    }
}
