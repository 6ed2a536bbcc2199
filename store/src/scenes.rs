//! Tests of the ledger as its users see it: a small market, mails that are accepted, people who read.

use std::{sync::Arc, time::Duration};

use certs::RootKey;
use jiff::{SignedDuration, Timestamp};
use mail::{Address, GroupId, Headline, Tag};

use crate::{
    Acceptance, Accepted, Actor, CaseId, ContentWriter, Deadline, DirectoryChange, Entry, Event, Group,
    JobKind, Joining, Ledger, Mailbox, Opening, Outcome, Participant, Party, Place, Proof, Reading, Role,
    SealedContent, Session, SessionToken, StoreError, User, UserId, chain,
    engine::{Engine, Range},
    memory::Memory,
};

struct Market {
    ledger: Ledger,
    engine: Arc<Memory>,
    now: Arc<std::sync::Mutex<Timestamp>>,
    reader: UserId,
}

impl Market {
    async fn open() -> Self {
        let engine = Arc::new(Memory::new());
        let now = Arc::new(std::sync::Mutex::new("2026-06-01T10:00:00Z".parse::<Timestamp>().unwrap()));
        let clock = Arc::clone(&now);
        let root = Arc::new(RootKey::generate().unwrap());
        let clock = Box::new(move || *clock.lock().unwrap());
        let ledger =
            Ledger::open_with_clock(Arc::clone(&engine) as Arc<dyn Engine>, root, clock).await.unwrap();
        let reader = UserId::new(ledger.now()).unwrap();
        let mut changes = Vec::new();
        for (group, mpid) in [("alpha", "ALPH"), ("beta", "BETA"), ("gamma", "GAMM")] {
            changes.push(DirectoryChange::Group(Group {
                id: id(group),
                name: group.to_uppercase(),
                domains: vec![format!("{group}.example")],
                networks: Vec::new(),
            }));
            changes.push(DirectoryChange::Participant(Participant {
                mpid: mpid.parse().unwrap(),
                group: id(group),
                name: group.to_owned(),
                role: "electricity-supplier".to_owned(),
            }));
        }
        changes.push(DirectoryChange::User(User {
            id: reader,
            group: id("beta"),
            email: address("bo@beta.example"),
            name: "Bo".to_owned(),
            role: Role::User,
            permissions: Vec::new(),
            password: None,
            active: true,
        }));
        changes.push(DirectoryChange::Mailbox(Mailbox {
            address: address("et@beta.example"),
            group: id("beta"),
            participant: "BETA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
        }));
        ledger.change_directory(&Actor::Tool, changes).await.unwrap();
        Self { ledger, engine, now, reader }
    }

    fn pass(&self, time: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now = now.saturating_add(time).unwrap();
    }

    async fn mail(&self, from: &str, source: u8, bytes: &[u8], place: Place) -> Result<Accepted, StoreError> {
        let mut writer = ContentWriter::new(&self.ledger).unwrap();
        for piece in bytes.chunks(50_000) {
            writer.write(piece).await?;
        }
        let entry = tagged(place, source);
        let content = writer.finish().await?;
        let acceptance = Acceptance { from_group: id(from), ..self.acceptance(content, source, vec![entry]) };
        self.ledger.accept(acceptance).await
    }

    async fn accept(&self, writer: ContentWriter, source: u8, place: Place) -> Result<Accepted, StoreError> {
        let content = writer.finish().await?;
        self.ledger.accept(self.acceptance(content, source, vec![tagged(place, source)])).await
    }

    fn acceptance(&self, content: SealedContent, source: u8, entries: Vec<Entry>) -> Acceptance {
        Acceptance {
            from_group: id("alpha"),
            proof: Proof::Network,
            author: None,
            content,
            headline: Headline { subject: "secret subject".to_owned(), ..Headline::default() },
            message_id: Some(format!("m{source}@alpha.example")),
            automatic: false,
            entries,
        }
    }

    fn opening(&self) -> Place {
        let party = |group: &str, mpid: &str, contact: &str| Party {
            group: id(group),
            participant: mpid.parse().unwrap(),
            contact: address(contact),
        };
        Place::Open(Opening {
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            initiator: party("alpha", "ALPH", "ann@alpha.example"),
            responder: party("beta", "BETA", "et@beta.example"),
            deadline: self.deadline(),
        })
    }

    fn deadline(&self) -> Deadline {
        let at = self.ledger.now().saturating_add(SignedDuration::from_hours(240)).unwrap();
        Deadline { at, reason: "ten working days".to_owned() }
    }

    fn joining(&self, case: CaseId) -> Place {
        Place::Join(Joining { case, deadline: self.deadline() })
    }

    async fn read(&self, case: CaseId, group: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let case = self.ledger.case(case).await?.unwrap();
        let messages = self.ledger.messages(case.id).await?;
        let actor = Actor::User(self.reader);
        let opened = self.ledger.open_messages(&actor, &case, messages, &id(group), Reading::Page).await?;
        let mut originals = Vec::new();
        for message in &opened {
            assert_eq!(message.headline.subject, "secret subject");
            originals.push(message.range(0, u64::MAX).await?);
        }
        Ok(originals)
    }

    async fn events(&self) -> Vec<Event> {
        let rows = self.engine.scan(chain::records(1), 10_000).await.unwrap();
        rows.iter().map(|(_, row)| Event::from_bytes(&chain::event(&row.value).unwrap()).unwrap()).collect()
    }

    async fn everything(&self) -> Vec<u8> {
        let all = Range { from: vec![0], to: vec![0xff; 40] };
        let rows = self.engine.scan(all, 1_000_000).await.unwrap();
        rows.into_iter().flat_map(|(key, row)| [key, row.value.to_vec()].concat()).collect()
    }
}

fn tagged(place: Place, source: u8) -> Entry {
    Entry {
        place,
        sources: vec![[source; 32]],
        tags: vec![Tag::mpan("1200023305967").unwrap()],
        decided_by: "mailbox".to_owned(),
    }
}

fn id(group: &str) -> GroupId {
    group.parse().unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// Bytes that do not repeat within a chunk.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes())
        .take(length)
        .collect()
}

#[tokio::test]
async fn a_mail_comes_back_byte_for_byte_at_every_size_around_the_chunks() {
    let market = Market::open().await;
    let chunk = certs::CHUNK;
    let sizes = [0, 1, chunk - 1, chunk, chunk + 1, 4 * chunk, 4 * chunk + 1, 8 * chunk + 7, 20 * chunk + 3];
    for (source, size) in sizes.into_iter().enumerate() {
        let original = noise(size);
        let accepted = market.mail("alpha", source as u8, &original, market.opening()).await.unwrap();
        let case = accepted.cases[0].id;
        assert!(market.read(case, "beta").await.unwrap() == [original.clone()], "size {size}");
        assert!(market.read(case, "alpha").await.unwrap() == [original], "size {size}");
    }
    // What arrived in pieces is named by its message now, and is not swept.
    assert_eq!(market.ledger.sweep_arriving(Duration::ZERO).await.unwrap(), 0);
}

#[tokio::test]
async fn a_range_reads_only_what_it_names() {
    let market = Market::open().await;
    let original = noise(300_000);
    let accepted = market.mail("alpha", 1, &original, market.opening()).await.unwrap();
    let case = market.ledger.case(accepted.cases[0].id).await.unwrap().unwrap();
    let record = market.ledger.messages(case.id).await.unwrap().remove(0);
    let actor = Actor::User(market.reader);
    let opened =
        market.ledger.open_message(&actor, &case, record, &id("beta"), Reading::Attachment).await.unwrap();
    for (offset, length) in
        [(0, 10), (65_530, 20), (65_536, 65_536), (262_100, 100), (299_999, 50), (400_000, 1)]
    {
        let end = (offset + length).min(original.len());
        let expected = original.get(offset..end).unwrap_or_default();
        assert!(opened.range(offset as u64, length as u64).await.unwrap() == expected, "{offset} {length}");
    }
}

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
async fn one_notice_until_somebody_looks() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    market.pass(SignedDuration::from_secs(1));
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
    market.pass(SignedDuration::from_secs(1));
    market.read(case, "beta").await.unwrap();
    market.pass(SignedDuration::from_secs(1));
    market.mail("alpha", 3, b"three", market.joining(case)).await.unwrap();
    let jobs = market.ledger.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    assert!(
        jobs.iter().all(|job| matches!(&job.kind, JobKind::Notice(notice) if notice.group == id("beta")))
    );
}

#[tokio::test]
async fn what_came_while_somebody_looked_is_told_afterwards() {
    let market = Market::open().await;
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let seen = market.ledger.case(case).await.unwrap().unwrap();
    let messages = market.ledger.messages(case).await.unwrap();
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
    let actor = Actor::User(market.reader);
    market.ledger.open_messages(&actor, &seen, messages, &id("beta"), Reading::Page).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 2, "the second message was never on the page");
}

#[tokio::test]
async fn a_notice_that_never_got_away_does_not_silence_its_case() {
    let market = Market::open().await;
    let lease = Duration::from_secs(60);
    let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let held = market.ledger.lease_jobs(10, lease).await.unwrap().remove(0);
    market.ledger.finish_job(held, Outcome::Abandoned("554".to_owned())).await.unwrap();
    market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
    let jobs = market.ledger.jobs().await.unwrap();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        assert!(market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    }
    market.mail("alpha", 3, b"three", market.joining(case)).await.unwrap();
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_in_work_is_left_alone_and_a_restart_frees_it() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"one", market.opening()).await.unwrap();
    let held = market.ledger.lease_jobs(10, Duration::from_secs(600)).await.unwrap().remove(0);
    let refused = market.ledger.drop_job(&Actor::Tool, held.job.id).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))));
    let refused = market.ledger.retry_job(&Actor::Tool, held.job.id).await;
    assert!(matches!(refused, Err(StoreError::Denied(_))));
    market.ledger.release_leases().await.unwrap();
    assert_eq!(market.ledger.lease_jobs(10, Duration::from_secs(600)).await.unwrap().len(), 1);
    assert_eq!(market.ledger.finish_job(held, Outcome::Done).await, Err(StoreError::Conflict));
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
async fn a_lease_keeps_others_away_until_it_ends() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    let lease = Duration::from_secs(60);
    let held = market.ledger.lease_jobs(10, lease).await.unwrap();
    assert_eq!(held.len(), 1);
    assert!(market.ledger.lease_jobs(10, lease).await.unwrap().is_empty());
    market.pass(SignedDuration::from_secs(61));
    let taken_over = market.ledger.lease_jobs(10, lease).await.unwrap();
    assert_eq!(taken_over[0].job.attempts, 2);
    let late = market.ledger.finish_job(held[0].clone(), Outcome::Done).await;
    assert_eq!(late, Err(StoreError::Conflict));
    let again = market.ledger.now().saturating_add(SignedDuration::from_secs(30)).unwrap();
    let failed = Outcome::Again(again, "421 4.3.2 busy".to_owned());
    market.ledger.finish_job(taken_over[0].clone(), failed).await.unwrap();
    assert_eq!(market.ledger.next_due().await.unwrap(), Some(again));
    assert!(market.ledger.lease_jobs(10, lease).await.unwrap().is_empty());
    let job = market.ledger.jobs().await.unwrap().remove(0);
    assert_eq!(job.last_error.as_deref(), Some("421 4.3.2 busy"));
    assert!(market.ledger.retry_job(&Actor::Tool, job.id).await.unwrap());
    let leased = market.ledger.lease_jobs(10, lease).await.unwrap();
    market.ledger.finish_job(leased[0].clone(), Outcome::Abandoned("550".to_owned())).await.unwrap();
    assert!(market.ledger.retry_job(&Actor::Tool, job.id).await.unwrap());
    assert!(market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    assert!(!market.ledger.drop_job(&Actor::Tool, job.id).await.unwrap());
    assert!(market.ledger.jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_change_and_every_read_is_an_event() {
    let market = Market::open().await;
    let before = market.events().await.len();
    let case = market.mail("alpha", 1, b"body", market.opening()).await.unwrap().cases[0].id;
    market.read(case, "beta").await.unwrap();
    market.read(case, "beta").await.unwrap();
    market
        .ledger
        .set_owner(&Actor::User(market.reader), case, &id("beta"), Some(market.reader))
        .await
        .unwrap();
    let said: Vec<_> = market.events().await[before..].iter().map(|event| event.act.to_string()).collect();
    assert_eq!(said, ["case opened", "case read", "case read", "owner set"]);
    assert!(market.events().await[before..].iter().all(|event| event.case == Some(case)));
}

#[tokio::test]
async fn nothing_of_a_mail_is_readable_in_the_store() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"Subject: x\r\n\r\nunmistakable words", market.opening()).await.unwrap();
    let everything = market.everything().await;
    for word in ["unmistakable", "secret subject", "1200023305967", "m1@alpha.example"] {
        assert!(!everything.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[tokio::test]
async fn what_is_never_accepted_is_swept() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(5_000_000)).await.unwrap();
    // As after a kill: nobody is left to clear up.
    std::mem::forget(writer.finish().await.unwrap());
    let size = market.everything().await.len();
    assert!(size > 4_000_000);
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(10)).await.unwrap(), 0);
    market.pass(SignedDuration::from_secs(11));
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(10)).await.unwrap(), 1);
    assert!(market.everything().await.len() < 100_000);
}

#[tokio::test]
async fn what_was_swept_cannot_be_accepted() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(2_000_000)).await.unwrap();
    // The clock jumps while the rest arrives, and the sweep takes the upload for an orphan.
    market.pass(SignedDuration::from_hours(48));
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(3_600)).await.unwrap(), 1);
    let refused = async {
        writer.write(&noise(2_000_000)).await?;
        market.accept(writer, 1, market.opening()).await
    };
    assert_eq!(refused.await, Err(StoreError::Conflict));
    assert!(market.everything().await.len() < 100_000);
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_behind() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(2_000_000)).await.unwrap();
    drop(writer);
    while market.everything().await.len() > 100_000 {
        tokio::task::yield_now().await;
    }
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
    };
    let entries = vec![entry(market.opening(), 1), entry(market.opening(), 2)];
    let content = writer.finish().await.unwrap();
    let both = market.ledger.accept(market.acceptance(content, 1, entries)).await.unwrap();
    assert_eq!(both.cases[0], first.cases[0]);
    assert_ne!(both.cases[1], first.cases[0]);
    assert_eq!(market.ledger.jobs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_store_says_so_and_works_again() {
    let market = Market::open().await;
    market.engine.set_full(true);
    assert_eq!(market.mail("alpha", 1, b"body", market.opening()).await, Err(StoreError::Full));
    market.engine.set_full(false);
    market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    market.engine.break_down("no disk");
    let broken = market.mail("alpha", 2, b"body", market.opening()).await;
    assert!(matches!(broken, Err(StoreError::Broken(_))));
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
        id: id("gamma"),
        name: "Gamma".to_owned(),
        domains: vec!["beta.example".to_owned()],
        networks: Vec::new(),
    };
    let mailbox = Mailbox {
        address: address("et@beta.example"),
        group: id("gamma"),
        participant: "GAMM".parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
    };
    let foreign = Mailbox { participant: "BETA".parse().unwrap(), ..mailbox.clone() };
    for refused in
        [DirectoryChange::Group(stolen), DirectoryChange::Mailbox(mailbox), DirectoryChange::Mailbox(foreign)]
    {
        assert!(matches!(change(refused).await, Err(StoreError::Denied(_))));
    }
    let bo = market.ledger.directory().user(&market.reader).unwrap().clone();
    let twin = User { id: UserId::new(market.ledger.now()).unwrap(), group: id("gamma"), ..bo };
    assert!(matches!(change(DirectoryChange::User(twin)).await, Err(StoreError::Denied(_))));
    change(DirectoryChange::RemoveUser(market.reader)).await.unwrap();
    assert!(market.ledger.directory().user(&market.reader).is_none());
}

#[tokio::test]
async fn another_root_key_opens_no_ledger() {
    let market = Market::open().await;
    let other = Arc::new(RootKey::generate().unwrap());
    let refused = Ledger::open(Arc::clone(&market.engine) as Arc<dyn Engine>, other).await;
    assert!(matches!(refused.err(), Some(StoreError::Denied(_))));
}
