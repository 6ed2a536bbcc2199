//! Fills a ledger with very many cases, and serves the portal over it: what `bench/pages` measures. Everything is written
//! by the ledger's own verbs, with a clock that runs through two months. Never part of the product.
//!
//! `cargo run --release -p portal --example cases -- fill DIR [CASES]`, then `… -- serve DIR 127.0.0.1:8080`, which prints
//! a session and the places to look at for `bench/pages`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Instant,
};

use certs::RootKey;
use jiff::Timestamp;
use mail::{Address, Class, Headline, Scan, Tag};
use policies::Catalogue;
use portal::{Options, Portal};
use store::{
    Acceptance, AcceptedCase, Actor, CaseReason, ContentWriter, Deadline, DirectoryChange, Entry, Group,
    Joining, Ledger, Opening, Participant, Party, Permission, Place, Proof, Receipts, Role, User, UserId,
    sqlite::{Options as Settings, Sqlite},
};
use tokio::task::JoinSet;

const GROUPS: [(&str, &str); 4] = [("alpha", "ALFA"), ("beta", "BETA"), ("gamma", "GAMM"), ("delta", "DELT")];
const PROCESSES: [&str; 6] = [
    "erroneous-transfers",
    "disputed-readings",
    "debt-assignment",
    "misdirected-payments",
    "crossed-meters",
    "duplicate-meter-points",
];
const RUNGS: [&str; 2] = ["initial-request", "escalation-1"];
/// Cases that one mail opens.
const AT_ONCE: usize = 100;
const DAYS: i64 = 60;
const DAY: i64 = 24 * 3_600_000;
/// Batches under way at the same time.
const UNDER_WAY: usize = 24;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fill", folder] => fill(Path::new(folder), 1_000_000).await,
        ["fill", folder, cases] => fill(Path::new(folder), cases.parse().unwrap()).await,
        ["serve", folder, address] => serve(Path::new(folder), address).await,
        _ => panic!("fill DIR [CASES] | serve DIR ADDRESS"),
    }
}

async fn open(folder: &Path, clock: store::Clock) -> Ledger {
    certs::install_provider();
    let key = folder.join("root.key");
    let root = if key.exists() { RootKey::read(&key) } else { RootKey::create(&key) };
    let engine = Arc::new(Sqlite::open(&folder.join("data"), Settings::default()).unwrap());
    Ledger::open_with_clock(engine, Arc::new(root.unwrap()), clock).await.unwrap()
}

async fn fill(folder: &Path, cases: usize) {
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let begin = Timestamp::now().as_millisecond() - DAYS * DAY;
    let time = Arc::new(AtomicI64::new(begin));
    let clock = Arc::clone(&time);
    let now = move || Timestamp::from_millisecond(clock.load(Relaxed)).unwrap();
    let ledger = open(folder, Box::new(now)).await;
    ledger.change_directory(&Actor::Tool, directory()).await.unwrap();
    let (started, batches) = (Instant::now(), cases.div_ceil(AT_ONCE));
    let mut under_way = JoinSet::new();
    for batch in 0..batches {
        let day = i64::try_from(batch).unwrap() * DAYS * DAY / i64::try_from(batches).unwrap();
        time.store(begin + day, Relaxed);
        if under_way.len() >= UNDER_WAY {
            under_way.join_next().await.unwrap().unwrap();
        }
        under_way.spawn(write(ledger.clone(), batch));
        if batch % 500 == 0 {
            println!("{} cases, {:.0} s", batch * AT_ONCE, started.elapsed().as_secs_f64());
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
    println!("{} cases, {:.0} s", batches * AT_ONCE, started.elapsed().as_secs_f64());
    ledger.close().await;
}

/// A hundred cases, most of them answered, a fifth closed, a fifth taken, a few escalated.
async fn write(ledger: Ledger, batch: usize) {
    let from = batch % GROUPS.len();
    let to = (from + 1 + batch / 7 % 3) % GROUPS.len();
    let due = end_of_day(ledger.now(), 5 + i64::try_from(batch % 14).unwrap());
    let places = (0..AT_ONCE).map(|number| {
        Place::Open(Opening {
            process: PROCESSES[(batch / 3 + number) % PROCESSES.len()].parse().unwrap(),
            contact_type: RUNGS[usize::from(number % 10 == 9)].parse().unwrap(),
            initiator: party(from),
            responder: party(to),
            deadline: Deadline {
                at: due,
                reason: "Some working days.".into(),
                reckoning: None,
                warn_at: None,
            },
        })
    });
    let opened = accept(&ledger, from, batch, places.collect()).await;
    let answered: Vec<_> = opened.iter().enumerate().filter(|(number, _)| number % 8 != 0).collect();
    let joins = answered.iter().map(|(_, case)| {
        let deadline = Deadline { at: due, reason: String::new(), reckoning: None, warn_at: None };
        Place::Join(Joining { case: case.id, deadline })
    });
    accept(&ledger, to, batch + (1 << 40), joins.collect()).await;
    let group = GROUPS[to].0.parse().unwrap();
    for (number, case) in opened.iter().enumerate() {
        let actor = Actor::User(user_of(to, number % 5));
        if number % 5 == 0 {
            let owner = Some(user_of(to, number / 5 % 5));
            ledger.assign(&actor, case.id, &group, None, owner).await.unwrap();
        }
        if number % 5 == 1 && number % 8 != 0 {
            ledger.close_case(&actor, case.id, &group, CaseReason::Settled).await.unwrap();
        }
    }
}

async fn accept(ledger: &Ledger, from: usize, number: usize, places: Vec<Place>) -> Vec<AcceptedCase> {
    let mut content = ContentWriter::new(ledger).unwrap();
    content.write(b"Subject: Supply\r\n\r\nPlease look at this supply.\r\n").await.unwrap();
    let entry = |(place, index): (Place, usize)| Entry {
        place,
        sources: vec![certs::random::<32>().unwrap()],
        tags: Tag::reference(&reference(number * AT_ONCE + index)).into_iter().collect(),
        decided_by: "bench".into(),
        decision: None,
        addressed: None,
    };
    let acceptance = Acceptance {
        from_group: GROUPS[from].0.parse().unwrap(),
        proof: Proof::Network,
        author: None,
        delegate: None,
        content: content.finish().await.unwrap(),
        headline: Headline { subject: "Supply".into(), ..Headline::default() },
        message_id: None,
        automatic: false,
        class: Class::Human,
        scan: Scan::Off,
        authentication: None,
        receipt: None,
        away: None,
        entries: places.into_iter().zip(0..).map(entry).collect(),
    };
    ledger.accept(acceptance).await.unwrap().cases
}

/// The own reference that a case carries as a tag.
fn reference(number: usize) -> String {
    format!("ZX-{number:08}")
}

fn end_of_day(now: Timestamp, days: i64) -> Timestamp {
    let day = now.as_millisecond() / DAY + days;
    Timestamp::from_millisecond(day * DAY + 16 * 3_600_000).unwrap()
}

fn party(group: usize) -> Party {
    let (name, mpid) = GROUPS[group];
    let contact = Address::parse(&format!("post@{name}.example")).unwrap();
    Party { group: name.parse().unwrap(), participant: mpid.parse().unwrap(), contact }
}

/// Users have fixed ids, so that both commands know them.
fn user_of(group: usize, number: usize) -> UserId {
    let mut id = [7; 20];
    id[18..].copy_from_slice(&[u8::try_from(group).unwrap(), u8::try_from(number).unwrap()]);
    UserId::from_bytes(id)
}

fn directory() -> Vec<DirectoryChange> {
    let mut changes = Vec::new();
    for (index, (name, mpid)) in GROUPS.into_iter().enumerate() {
        let id: mail::GroupId = name.parse().unwrap();
        let group = Group::new(id.clone(), name.into());
        changes.push(DirectoryChange::Group(Group { receipts: Receipts::Off, ..group }));
        let mpid: mail::Mpid = mpid.parse().unwrap();
        let role = "electricity-supplier".to_owned();
        changes.push(DirectoryChange::Participant(Participant::new(
            mpid.clone(),
            id.clone(),
            name.into(),
            role,
        )));
        let pairs = PROCESSES.iter().flat_map(|process| RUNGS.map(|rung| (process, rung)));
        let permissions: Vec<_> = pairs
            .map(|(process, rung)| Permission {
                participant: mpid.clone(),
                process: process.parse().unwrap(),
                contact_type: rung.parse().unwrap(),
            })
            .collect();
        for number in 0..5 {
            let email = Address::parse(&format!("user{number}@{name}.example")).unwrap();
            let (id, name) = (user_of(index, number), format!("User {number}"));
            let permissions = permissions[..12 - 2 * number].to_vec();
            changes.push(DirectoryChange::User(User {
                role: Role::User,
                permissions,
                state: store::UserState::Confirmed,
                ..User::new(id, GROUPS[index].0.parse().unwrap(), email, name)
            }));
        }
    }
    changes
}

async fn serve(folder: &Path, address: &str) {
    let ledger = open(folder, Box::new(Timestamp::now)).await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let portal = Portal::new(Options {
        ledger: ledger.clone(),
        catalogue: Arc::new(Catalogue::shipped().unwrap()),
        public_url: url.parse().unwrap(),
        demo: None,
    });
    println!("url {url}");
    for number in 0..5 {
        println!("session {}", ledger.start_session(user_of(1, number)).await.unwrap().as_str());
    }
    let (beta, process) = ("beta".parse().unwrap(), PROCESSES[0].parse().unwrap());
    for case in ledger.cases(&beta, &process, None, 200).await.unwrap().cases.iter().step_by(5) {
        println!("case {} {}", case.id, case.reference);
    }
    for number in (0..2_000).map(|number| reference(number * 97)) {
        println!("tag {number}");
    }
    println!("ready");
    portal::serve(listener, Arc::new(portal.unwrap()), std::future::pending()).await;
}
