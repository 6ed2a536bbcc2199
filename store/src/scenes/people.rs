//! Sessions, the directory, the audit trail, the key.

use crate::{ListWishes, SavedFilter};

use super::*;
use crate::Origin;

#[tokio::test]
async fn every_change_and_every_read_is_an_event() {
    let market = Market::open().await;
    let before = market.events().await.len();
    let case = market.mail("alpha", 1, b"body", market.opening()).await.unwrap().cases[0].id;
    market.read(case, "beta").await.unwrap();
    market.read(case, "beta").await.unwrap();
    market
        .ledger
        .assign(&Actor::User(market.reader), case, &id("beta"), None, Some(market.reader))
        .await
        .unwrap();
    let said: Vec<_> = market.events().await[before..].iter().map(|event| event.act.to_string()).collect();
    assert_eq!(said, ["case opened", "case read", "case read", "owner set"]);
    assert!(market.events().await[before..].iter().all(|event| event.case == Some(case)));
}

#[tokio::test]
async fn sessions_end_by_idleness_age_and_sign_out() {
    let market = Market::open().await;
    let ledger = &market.ledger;
    let token = ledger.start_session(market.reader).await.unwrap();
    let user = |session: Option<Session>| session.map(|session| session.user);
    assert_eq!(user(ledger.session(&token).await.unwrap()), Some(market.reader));
    market.pass(SignedDuration::from_mins(59));
    assert_eq!(user(ledger.session(&token).await.unwrap()), Some(market.reader));
    market.pass(SignedDuration::from_mins(61));
    assert_eq!(ledger.session(&token).await.unwrap(), None);
    let token = ledger.start_session(market.reader).await.unwrap();
    for _ in 0..15 {
        market.pass(SignedDuration::from_mins(50));
        ledger.session(&token).await.unwrap();
    }
    assert_eq!(ledger.session(&token).await.unwrap(), None, "a day is too long");
    let token = ledger.start_session(market.reader).await.unwrap();
    ledger.end_session(&token).await.unwrap();
    assert_eq!(ledger.session(&token).await.unwrap(), None);
    assert_eq!(ledger.session(&SessionToken::from_cookie("guess")).await.unwrap(), None);
    for _ in 0..3 {
        ledger.start_session(market.reader).await.unwrap();
    }
    assert_eq!(ledger.sweep_sessions().await.unwrap(), 0);
    assert_eq!(ledger.end_sessions_of(market.reader).await.unwrap(), 3);
    ledger.start_session(market.reader).await.unwrap();
    market.pass(SignedDuration::from_hours(13));
    assert_eq!(ledger.sweep_sessions().await.unwrap(), 1);
    let everything = market.everything().await;
    assert!(!everything.windows(52).any(|window| window == token.as_str().as_bytes()));
}

#[tokio::test]
async fn the_directory_keeps_its_rules() {
    let market = Market::open().await;
    let change = |change| async { market.ledger.change_directory(&Actor::Tool, vec![change]).await };
    let stolen = Group {
        domains: vec!["beta.example".to_owned()],
        receipts: Receipts::Off,
        ..Group::new(id("gamma"), "Gamma".to_owned())
    };
    let mailbox = Mailbox {
        address: address("et@beta.example"),
        group: id("gamma"),
        participant: "GAMM".parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
        alerts: MailboxAlerts::AtOnce,
    };
    let foreign = Mailbox { participant: "BETA".parse().unwrap(), ..mailbox.clone() };
    let wide = Group {
        networks: vec!["0.0.0.0/0".parse().unwrap()],
        receipts: Receipts::Off,
        ..Group::new(id("gamma"), "Gamma".to_owned())
    };
    let squatter = Group { domains: vec!["squat.example".to_owned()], networks: Vec::new(), ..wide.clone() };
    let eve = Mailbox { address: address("eve@alpha.example"), group: id("beta"), ..foreign.clone() };
    for refused in [
        DirectoryChange::Group(wide),
        DirectoryChange::Mailbox(eve),
        DirectoryChange::Group(stolen),
        DirectoryChange::Mailbox(mailbox),
        DirectoryChange::Mailbox(foreign.clone()),
    ] {
        assert!(matches!(change(refused).await, Err(StoreError::Denied(_))));
    }
    let guest = Mailbox { address: address("et@squat.example"), group: id("beta"), ..foreign };
    change(DirectoryChange::Mailbox(guest)).await.unwrap();
    assert!(matches!(change(DirectoryChange::Group(squatter)).await, Err(StoreError::Denied(_))));
    let bo = market.ledger.directory().user(&market.reader).unwrap().clone();
    let twin = User { id: UserId::new(market.ledger.now()).unwrap(), group: id("gamma"), ..bo };
    assert!(matches!(change(DirectoryChange::User(twin)).await, Err(StoreError::Denied(_))));
    change(DirectoryChange::RemoveUser(market.reader)).await.unwrap();
    assert!(market.ledger.directory().users().all(|user| user.id != market.reader));
}

#[tokio::test]
async fn another_root_key_opens_no_ledger() {
    let market = Market::open().await;
    let other = Arc::new(RootKey::generate().unwrap());
    let refused = Ledger::open(Arc::clone(&market.engine) as Arc<dyn Engine>, other).await;
    assert!(matches!(refused.err(), Some(StoreError::Denied(_))));
}

#[tokio::test]
async fn sessions_are_known_to_their_user_and_proved_for_minutes() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let origin =
            Origin { device: Some("Firefox on Windows".into()), network: Some("192.0.2.0/24".into()) };
        let token = ledger.start_session_from(market.reader, origin.clone()).await.unwrap();
        let other = ledger.start_session(market.reader).await.unwrap();
        let listed = ledger.sessions_of(market.reader).await.unwrap();
        assert_eq!(listed.len(), 2);
        let found = listed.iter().find(|listed| listed.name == token.name()).unwrap();
        assert_eq!(found.session.origin, origin);
        let is_proved = async |token| ledger.session(token).await.unwrap().unwrap().is_proved(ledger.now());
        assert!(!is_proved(&token).await, "signing in is no proof");
        ledger.prove_session(&token).await.unwrap();
        assert!(is_proved(&token).await && !is_proved(&other).await);
        market.pass(SignedDuration::from_mins(10));
        assert!(!is_proved(&token).await);
        let stranger = UserId::new(ledger.now()).unwrap();
        assert!(!ledger.end_own_session(stranger, &token.name()).await.unwrap());
        assert!(ledger.end_own_session(market.reader, &other.name()).await.unwrap());
        assert!(ledger.session(&other).await.unwrap().is_none());
        assert!(!ledger.end_other_sessions(market.reader, &token).await.unwrap(), "there is none");
        ledger.start_session(market.reader).await.unwrap();
        assert!(ledger.end_other_sessions(market.reader, &token).await.unwrap());
        assert_eq!(ledger.sessions_of(market.reader).await.unwrap().len(), 1);
        ledger.end_session(&token).await.unwrap();
        assert_eq!(ledger.sessions_of(market.reader).await.unwrap(), []);
    }
}

#[tokio::test]
async fn who_is_admitted_has_a_letter_in_the_same_commit_and_who_is_refused_has_none() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let newcomer = |number: u32, email: &str| {
            let user = UserId::new(market.ledger.now()).unwrap();
            let user = User::new(user, id("beta"), address(email), format!("New {number}"));
            DirectoryChange::User(user)
        };
        let before = market.events().await.len();
        let both = vec![newcomer(1, "n1@beta.example"), newcomer(2, "n2@beta.example")];
        ledger.admit(&Actor::Tool, both).await.unwrap();
        let said: Vec<_> = market.events().await[before..].iter().map(|event| event.act).collect();
        assert_eq!(said, [Act::UserInvited, Act::UserInvited, Act::InvitationMade, Act::InvitationMade]);
        let third = newcomer(3, "n3@beta.example");
        let twin = newcomer(4, "n1@beta.example");
        let tried = ledger.try_out(&Actor::Tool, &[third.clone(), twin.clone()]);
        assert!(matches!(tried, Err((1, StoreError::Denied(_)))), "{tried:?}");
        assert!(matches!(ledger.admit(&Actor::Tool, vec![third, twin]).await, Err(StoreError::Denied(_))));
        assert!(ledger.directory().user_by_email(&address("n3@beta.example")).is_none());
    }
}

#[tokio::test]
async fn what_was_kept_for_a_removed_user_goes() {
    let market = Market::open().await;
    let (ledger, reader) = (&market.ledger, market.reader);
    let filter = SavedFilter { name: "mine".to_owned(), query: "owner=me".to_owned() };
    ledger.save_filter(&Actor::User(reader), reader, filter).await.unwrap();
    ledger.start_session(reader).await.unwrap();
    assert!(ledger.last_sign_ins(&[reader]).await.unwrap()[0].is_some());
    ledger
        .change_directory(&Actor::Tool, vec![DirectoryChange::NameOf(reader, "Bo B.".to_owned())])
        .await
        .unwrap();
    assert_eq!(ledger.directory().user(&reader).unwrap().name, "Bo B.");
    ledger.change_directory(&Actor::Tool, vec![DirectoryChange::RemoveUser(reader)]).await.unwrap();
    assert_eq!(ledger.list_wishes(reader).await.unwrap(), ListWishes::default());
    assert_eq!(ledger.last_sign_ins(&[reader]).await.unwrap(), [None]);
}

#[tokio::test]
async fn a_file_lies_ready_for_its_user_alone_and_for_an_hour() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let user = ledger.directory().user(&market.reader).unwrap().clone();
        let text = "address,name\r\nsecret-name@beta.example,".repeat(10_000);
        ledger.lay_import(&user, &text).await.unwrap();
        assert_eq!(ledger.laid_import(user.id).await.unwrap().as_ref(), Some(&text));
        let stranger = UserId::new(ledger.now()).unwrap();
        assert_eq!(ledger.laid_import(stranger).await.unwrap(), None);
        assert!(!market.everything().await.windows(11).any(|window| window == b"secret-name"), "sealed");
        assert_eq!(ledger.sweep_imports().await.unwrap(), 0);
        let large = "x".repeat(crate::LARGEST_IMPORT + 1);
        assert!(matches!(ledger.lay_import(&user, &large).await, Err(StoreError::Denied(_))));
        market.pass(SignedDuration::from_mins(60));
        assert_eq!(ledger.laid_import(user.id).await.unwrap(), None);
        assert_eq!(ledger.sweep_imports().await.unwrap(), 1);
        ledger.lay_import(&user, "address").await.unwrap();
        ledger.forget_import(user.id).await.unwrap();
        assert_eq!(ledger.laid_import(user.id).await.unwrap(), None);
    }
}
