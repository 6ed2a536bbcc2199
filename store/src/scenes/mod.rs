//! Tests of the ledger as its users see it: a small market, mails that are accepted, people who read.

mod alerts;
mod case_keeping;
mod cases;
mod casework;
mod content;
mod credentials;
mod deadlines;
mod digests;
mod factors;
mod held;
mod kills;
mod links;
mod lists;
mod notices;
mod operations;
mod passages;
mod people;
mod queue;
mod recalls;
mod reports;
mod retention;
mod returns;
mod rights;
mod shadow;
mod trail;
mod writing;

use std::{sync::Arc, time::Duration};

use certs::RootKey;
use jiff::{SignedDuration, Timestamp};
use mail::{Address, Class, Envelope, GroupId, Headline, ReversePath, Scan, Tag};
use tempfile::TempDir;

use crate::{
    Acceptance, Accepted, Act, Actor, CaseId, ContentWriter, Deadline, DirectoryChange, Entry, Event, Group,
    JobKind, Joining, Leased, Ledger, Mailbox, MailboxAlerts, Opening, Outcome, Participant, Party, Passage,
    Place, Proof, Reading, Receipts, SealedContent, Session, SessionToken, StoreError, User, UserId,
    UserState, chain,
    engine::{Engine, Range, Rows},
    keys::{Key, Table},
    memory::Memory,
    sqlite::{Options, Sqlite},
};

struct Market {
    ledger: Ledger,
    engine: Arc<dyn Engine>,
    /// The engine again, if its failures can be arranged.
    memory: Option<Arc<Memory>>,
    _folder: Option<TempDir>,
    root: Arc<RootKey>,
    now: Arc<std::sync::Mutex<Timestamp>>,
    reader: UserId,
}

impl Market {
    async fn open() -> Self {
        let memory = Arc::new(Memory::new());
        let engine = Arc::clone(&memory) as Arc<dyn Engine>;
        Self { memory: Some(memory), ..Self::on(engine, None).await }
    }

    /// The same market on every engine that is built.
    async fn everywhere() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let sqlite: Arc<dyn Engine> = Arc::new(Sqlite::open(folder.path(), Options::default()).unwrap());
        let markets = vec![Self::open().await, Self::on(sqlite, Some(folder)).await];
        #[cfg(feature = "sled")]
        let markets = {
            let folder = tempfile::tempdir().unwrap();
            let sled: Arc<dyn Engine> = Arc::new(crate::sled::Sled::open(folder.path()).unwrap());
            markets.into_iter().chain([Self::on(sled, Some(folder)).await]).collect()
        };
        markets
    }

    async fn on(engine: Arc<dyn Engine>, folder: Option<TempDir>) -> Self {
        let now = Arc::new(std::sync::Mutex::new("2026-06-01T10:00:00Z".parse::<Timestamp>().unwrap()));
        let root = Arc::new(RootKey::generate().unwrap());
        let ledger = ledger(&engine, &root, &now).await;
        let reader = UserId::new(ledger.now()).unwrap();
        let mut changes = Vec::new();
        for (group, mpid) in [("alpha", "ALPH"), ("beta", "BETA"), ("gamma", "GAMM")] {
            changes.push(DirectoryChange::Group(Group {
                domains: vec![format!("{group}.example")],
                ..Group::new(id(group), group.to_uppercase())
            }));
            changes.push(DirectoryChange::Participant(Participant::new(
                mpid.parse().unwrap(),
                id(group),
                group.to_owned(),
                "electricity-supplier".to_owned(),
            )));
        }
        changes.push(DirectoryChange::User(User {
            state: UserState::Confirmed,
            ..User::new(reader, id("beta"), address("bo@beta.example"), "Bo".to_owned())
        }));
        changes.push(DirectoryChange::Mailbox(Mailbox {
            address: address("et@beta.example"),
            group: id("beta"),
            participant: "BETA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            alerts: MailboxAlerts::AtOnce,
        }));
        ledger.change_directory(&Actor::Tool, changes).await.unwrap();
        Self { ledger, engine, memory: None, _folder: folder, root, now, reader }
    }

    /// The ledger as a process finds it that starts after this one was killed.
    async fn after_a_kill(&self) -> Ledger {
        ledger(&self.engine, &self.root, &self.now).await
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
            delegate: None,
            content,
            headline: Headline { subject: "secret subject".to_owned(), ..Headline::default() },
            message_id: Some(format!("m{source}@alpha.example")),
            automatic: false,
            class: Class::Human,
            scan: Scan::Off,
            authentication: None,
            receipt: None,
            away: None,
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
        Deadline { at, reason: "ten working days".to_owned(), reckoning: None, warn_at: None }
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
        for message in opened {
            let message = message.map_err(StoreError::from)?;
            assert_eq!(message.headline.subject, "secret subject");
            originals.push(message.range(0, u64::MAX).await?);
        }
        Ok(originals)
    }

    async fn events(&self) -> Vec<Event> {
        let rows = self.engine.scan(chain::records(1), 10_000).await.unwrap();
        rows.iter().map(|(_, row)| Event::from_bytes(&chain::event(&row.value).unwrap()).unwrap()).collect()
    }

    async fn sealed(&self, bytes: &[u8]) -> SealedContent {
        let mut writer = ContentWriter::new(&self.ledger).unwrap();
        writer.write(bytes).await.unwrap();
        writer.finish().await.unwrap()
    }

    /// A mail of alpha to these recipients, the first of which has the source `source`, the next the next.
    async fn passage(&self, recipients: &[&str], source: u8, bytes: &[u8]) -> Passage {
        let sources = (source..).zip(recipients).map(|(source, _)| [source; 32]).collect();
        let recipients = recipients.iter().map(|to| address(to)).collect();
        Passage {
            from_group: id("alpha"),
            proof: Proof::Network,
            author: None,
            content: self.sealed(bytes).await,
            headline: Headline { subject: "secret subject".to_owned(), ..Headline::default() },
            envelope: Envelope::plain(ReversePath::Address(address("ann@alpha.example")), recipients),
            received_line: "Received: from mail.alpha.example\r\n".to_owned(),
            decided_by: "own-domain".to_owned(),
            class: Class::Human,
            scan: Scan::Off,
            authentication: None,
            sources,
            watched: None,
        }
    }

    async fn lease(&self) -> Vec<Leased> {
        self.ledger.lease_jobs(100, Duration::from_secs(600), &[]).await.unwrap()
    }

    /// Ends everything that is due.
    async fn finish_all(&self, outcome: Outcome) {
        for leased in self.lease().await {
            self.ledger.finish_job(leased, outcome.clone()).await.unwrap();
        }
    }

    async fn kinds(&self) -> Vec<&'static str> {
        let jobs = self.ledger.jobs().await.unwrap();
        let mut kinds: Vec<_> = jobs.iter().map(|job| job.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    async fn acts(&self) -> Vec<Act> {
        self.events().await.iter().map(|event| event.act).collect()
    }

    async fn count(&self, act: Act) -> usize {
        self.acts().await.into_iter().filter(|known| *known == act).count()
    }

    async fn rows(&self, table: Table) -> Rows {
        self.engine.scan(Key::of(table).range(), 100_000).await.unwrap()
    }

    async fn everything(&self) -> Vec<u8> {
        let all = Range { from: vec![0], to: vec![0xff; 40] };
        let rows = self.engine.scan(all, 1_000_000).await.unwrap();
        rows.into_iter().flat_map(|(key, row)| [key, row.value.to_vec()].concat()).collect()
    }
}

async fn ledger(
    engine: &Arc<dyn Engine>,
    root: &Arc<RootKey>,
    now: &Arc<std::sync::Mutex<Timestamp>>,
) -> Ledger {
    let clock = Arc::clone(now);
    let clock = Box::new(move || *clock.lock().unwrap());
    Ledger::open_with_clock(Arc::clone(engine), Arc::clone(root), clock).await.unwrap()
}

fn tagged(place: Place, source: u8) -> Entry {
    Entry {
        place,
        sources: vec![[source; 32]],
        tags: vec![Tag::mpan("1200023305967").unwrap()],
        decided_by: "mailbox".to_owned(),
        decision: None,
        addressed: None,
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
