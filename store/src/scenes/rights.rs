//! Who may change whom: states of users, the last who administers a group, idle users, participants that move.

use crate::{Group, IDLE_DAYS, Move, Participant, Permission, Role, TaskKind};

use super::*;

impl Market {
    /// A confirmed user of a group.
    async fn person(&self, email: &str, role: Role) -> UserId {
        let id = UserId::new(self.ledger.now()).unwrap();
        let group = email.split(['@', '.']).nth(1).unwrap().parse().unwrap();
        let person = User {
            role,
            state: UserState::Confirmed,
            ..User::new(id, group, address(email), email.to_owned())
        };
        self.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(person)]).await.unwrap();
        id
    }

    async fn does(&self, who: UserId, change: DirectoryChange) -> Result<(), StoreError> {
        self.ledger.change_directory(&Actor::User(who), vec![change]).await
    }

    fn standing(&self, user: UserId) -> UserState {
        self.ledger.directory().user(&user).unwrap().state
    }
}

fn permission(mpid: &str) -> Permission {
    Permission {
        participant: mpid.parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
    }
}

fn invited(email: &str, role: Role) -> DirectoryChange {
    let group = email.split(['@', '.']).nth(1).unwrap().parse().unwrap();
    let id = UserId::new(Timestamp::UNIX_EPOCH).unwrap();
    DirectoryChange::User(User { role, ..User::new(id, group, address(email), "New".to_owned()) })
}

#[tokio::test]
async fn one_who_administers_always_remains_whatever_happens_at_once() {
    for market in Market::everywhere().await {
        let mut maus = Vec::new();
        for number in 0..100 {
            maus.push(market.person(&format!("m{number}@alpha.example"), Role::Mau).await);
        }
        // Everybody removes, demotes or suspends the next one, and the command line all of them.
        let mut tries = Vec::new();
        for (number, target) in maus.iter().copied().enumerate() {
            let change = match number % 3 {
                0 => DirectoryChange::RemoveUser(target),
                1 => DirectoryChange::RoleOf(target, Role::User),
                _ => DirectoryChange::State(target, UserState::Suspended),
            };
            let actor = match number % 2 {
                0 => Actor::User(maus[(number + 1) % maus.len()]),
                _ => Actor::Tool,
            };
            let ledger = market.ledger.clone();
            tries.push(tokio::spawn(async move { ledger.change_directory(&actor, vec![change]).await }));
        }
        let mut refused = 0;
        for one in tries {
            refused += usize::from(one.await.unwrap().is_err());
        }
        let directory = market.ledger.directory();
        let left = directory.users().filter(|user| user.role == Role::Mau && user.is_active()).count();
        assert!(left >= 1, "somebody is left");
        assert_eq!(left, refused, "each try that was let through took one away");
        if left == 1 {
            let mut active = directory.users().filter(|user| user.role == Role::Mau && user.is_active());
            let last = active.next().map(|user| user.id).unwrap();
            let gone = DirectoryChange::State(last, UserState::Suspended);
            let outcome = market.ledger.change_directory(&Actor::Tool, vec![gone]).await;
            assert_eq!(outcome, Err(StoreError::LastMau(id("alpha"))));
        }
        let everybody: Vec<_> = maus.iter().map(|user| DirectoryChange::RemoveUser(*user)).collect();
        assert!(market.ledger.change_directory(&Actor::Tool, everybody).await.is_err());
    }
}

#[tokio::test]
async fn a_state_leads_only_where_it_may_and_every_step_says_who() {
    for market in Market::everywhere().await {
        let mau = market.person("mau@beta.example", Role::Mau).await;
        let new = invited("new@beta.example", Role::User);
        let DirectoryChange::User(User { id: new_id, .. }) = new else { unreachable!() };
        let before = market.events().await.len();
        market.does(mau, new).await.unwrap();
        let grant = DirectoryChange::Grants { user: new_id, add: vec![permission("BETA")], remove: vec![] };
        market.does(mau, grant).await.unwrap();
        let confirm = || DirectoryChange::State(new_id, UserState::Confirmed);
        assert_eq!(market.does(mau, confirm()).await, Err(StoreError::Forbidden), "only the one invited");
        market.does(new_id, confirm()).await.unwrap();
        market.pass(SignedDuration::from_secs(1));
        market.does(mau, DirectoryChange::State(new_id, UserState::Suspended)).await.unwrap();
        assert_eq!(
            market.does(new_id, confirm()).await,
            Err(StoreError::Forbidden),
            "no one reinstates oneself"
        );
        market.does(mau, confirm()).await.unwrap();
        let again = DirectoryChange::State(new_id, UserState::Invited);
        assert!(matches!(market.does(mau, again).await, Err(StoreError::Denied(_) | StoreError::Forbidden)));
        market.does(mau, DirectoryChange::RemoveUser(new_id)).await.unwrap();
        assert!(market.does(mau, confirm()).await.is_err(), "who is removed does not come back");
        let directory = market.ledger.directory();
        let gone = directory.user(&new_id).unwrap();
        assert_eq!((gone.state, gone.permissions.len(), gone.name.as_str()), (UserState::Removed, 0, "New"));
        assert_eq!(directory.user_by_email(&address("new@beta.example")), None);
        let said: Vec<_> = market.events().await[before..]
            .iter()
            .map(|event| (event.actor.clone() == Actor::User(mau), event.act))
            .collect();
        assert_eq!(
            said,
            [
                (true, Act::UserInvited),
                (true, Act::PermissionGranted),
                (true, Act::ChangeRefused),
                (false, Act::UserConfirmed),
                (true, Act::UserSuspended),
                (false, Act::ChangeRefused),
                (true, Act::UserReinstated),
                (true, Act::ChangeRefused),
                (true, Act::UserRemoved),
                (true, Act::PermissionTaken),
                (true, Act::ChangeRefused),
            ]
        );
        // The address is free again, for the group whose domain it is in.
        market.does(mau, invited("new@beta.example", Role::Compliance)).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_makes_more_of_oneself_or_of_others() {
    for market in Market::everywhere().await {
        let mau = market.person("mau@alpha.example", Role::Mau).await;
        let ann = market.person("ann@alpha.example", Role::User).await;
        let ope = market.person("ope@gamma.example", Role::Operator).await;
        let grant = |user| DirectoryChange::Grants { user, add: vec![permission("ALPH")], remove: vec![] };
        let foreign = |user| DirectoryChange::Grants { user, add: vec![permission("BETA")], remove: vec![] };
        let known = |user| market.ledger.directory().user(&user).unwrap().clone();
        let tries = [
            (mau, grant(mau)),
            (mau, DirectoryChange::RoleOf(mau, Role::Operator)),
            (mau, DirectoryChange::RoleOf(ann, Role::Operator)),
            (mau, foreign(ann)),
            (mau, grant(market.reader)),
            (mau, DirectoryChange::RemoveUser(market.reader)),
            (mau, invited("eve@beta.example", Role::User)),
            (mau, DirectoryChange::User(User { password: Some("hash".to_owned()), ..known(ann) })),
            (mau, DirectoryChange::Password(ann, "hash".to_owned())),
            (mau, DirectoryChange::RemoveParticipant("ALPH".parse().unwrap())),
            (
                mau,
                DirectoryChange::Group(Group {
                    domains: vec![],
                    ..Group::new(id("alpha"), "Alpha".to_owned())
                }),
            ),
            (mau, DirectoryChange::RemoveMailbox(address("et@beta.example"))),
            (ann, grant(ann)),
            (ann, DirectoryChange::RoleOf(ann, Role::Mau)),
            (ann, DirectoryChange::RemoveUser(mau)),
            (ope, grant(ope)),
            (ope, grant(ann)),
            (ope, invited("second@alpha.example", Role::Mau)),
            (ope, invited("plain@beta.example", Role::User)),
            (ope, DirectoryChange::RemoveUser(ann)),
            (ope, DirectoryChange::RoleOf(ope, Role::Compliance)),
        ];
        let (all, users) = (tries.len(), market.ledger.directory().users().count());
        for (who, change) in tries {
            let said = format!("{change:?}");
            assert!(market.does(who, change).await.is_err(), "{said}");
        }
        assert_eq!(market.count(Act::ChangeRefused).await, all);
        assert_eq!(market.ledger.directory().users().count(), users);
        assert!(known(mau).permissions.is_empty() && known(ann).permissions.is_empty());
        market.does(mau, grant(ann)).await.unwrap();
        market.does(ope, invited("first@beta.example", Role::Mau)).await.unwrap();
    }
}

#[tokio::test]
async fn who_does_not_sign_in_is_suspended_after_somebody_was_told() {
    for market in Market::everywhere().await {
        let mau = market.person("mau@beta.example", Role::Mau).await;
        let pass = |days: i64| market.pass(SignedDuration::from_hours(days * 24));
        market.ledger.sweep_idle_users().await.unwrap();
        pass(IDLE_DAYS - 14);
        market.ledger.start_session(mau).await.unwrap();
        for _ in 0..3 {
            assert_eq!(market.ledger.sweep_idle_users().await.unwrap(), 0);
        }
        let beta = id("beta");
        let tasks = market.ledger.tasks(Some(&beta)).await.unwrap();
        let kinds: Vec<_> = tasks.iter().map(|task| (task.kind.clone(), task.count)).collect();
        assert_eq!(kinds, [(TaskKind::UserIdle { user: market.reader }, 1)], "told once");
        pass(14);
        assert_eq!(market.ledger.sweep_idle_users().await.unwrap(), 1);
        assert_eq!(
            (market.standing(market.reader), market.standing(mau)),
            (UserState::Suspended, UserState::Confirmed)
        );
        assert_eq!(market.ledger.sweep_idle_users().await.unwrap(), 0);
        // Reinstated, with all the days again.
        market.does(mau, DirectoryChange::State(market.reader, UserState::Confirmed)).await.unwrap();
        pass(30);
        assert_eq!(market.ledger.sweep_idle_users().await.unwrap(), 0);
        pass(IDLE_DAYS);
        assert_eq!(market.ledger.sweep_idle_users().await.unwrap(), 1);
        assert_eq!(market.standing(mau), UserState::Confirmed, "the last who administers stays");
        let told = market.ledger.tasks(None).await.unwrap();
        assert!(told.iter().any(|task| task.kind == TaskKind::LastMauIdle { group: id("beta") }));
        let signed_in = market.ledger.last_sign_ins(&[mau, market.reader]).await.unwrap();
        assert!(signed_in[0].is_some() && signed_in[1].is_none());
    }
}

#[tokio::test]
async fn a_participant_moves_on_its_day_and_old_cases_stay() {
    for market in Market::everywhere().await {
        let bo = market.reader;
        let mau = market.person("mau@beta.example", Role::Mau).await;
        let ope = market.person("ope@gamma.example", Role::Operator).await;
        let grant = |mpid| DirectoryChange::Grants { user: bo, add: vec![permission(mpid)], remove: vec![] };
        market.does(mau, grant("BETA")).await.unwrap();
        let case = market.mail("alpha", 1, b"body", market.opening()).await.unwrap().cases[0].id;
        let mpid = || "BETA".parse().unwrap();
        let arranged = |hours| {
            let from = market.ledger.now().saturating_add(SignedDuration::from_hours(hours)).unwrap();
            DirectoryChange::MoveParticipant(mpid(), Some(Move { to: id("gamma"), from }))
        };
        assert!(market.does(mau, arranged(24)).await.is_err(), "the operator's alone");
        assert!(market.does(ope, arranged(0)).await.is_err(), "both groups are to hear of it before");
        let taken =
            Participant::new(mpid(), id("gamma"), "beta".to_owned(), "electricity-supplier".to_owned());
        assert!(
            market.does(ope, DirectoryChange::Participant(taken)).await.is_err(),
            "not behind their backs"
        );
        market.does(ope, arranged(24)).await.unwrap();
        for group in ["beta", "gamma"] {
            let tasks = market.ledger.tasks(Some(&id(group))).await.unwrap();
            assert!(
                tasks.iter().any(|task| matches!(task.kind, TaskKind::ParticipantMoves { .. })),
                "{group}"
            );
        }
        assert_eq!(market.ledger.move_participants().await.unwrap(), 0);
        market.pass(SignedDuration::from_hours(25));
        assert_eq!(market.ledger.move_participants().await.unwrap(), 1);
        let directory = market.ledger.directory();
        assert_eq!(directory.participant(&mpid()).unwrap().group, id("gamma"));
        assert_eq!(directory.mailbox(&address("et@beta.example")).unwrap().group, id("gamma"));
        let old = market.ledger.case(case).await.unwrap().unwrap();
        assert!(old.side(&id("beta")).is_some() && old.side(&id("gamma")).is_none());
        assert_eq!(directory.user(&bo).unwrap().permissions, [permission("BETA")], "for the old cases");
        // The directory still takes changes around it.
        market.does(mau, DirectoryChange::RoleOf(bo, Role::Compliance)).await.unwrap();
        let beta = directory.group(&id("beta")).unwrap().clone();
        market.does(mau, DirectoryChange::Group(Group { receipts: Receipts::All, ..beta })).await.unwrap();
        assert_eq!(market.ledger.move_participants().await.unwrap(), 0);
    }
}
