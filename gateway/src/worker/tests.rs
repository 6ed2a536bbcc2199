//! The worker among servers that work and servers that do not: nobody waits for somebody else's dead server, and a mail
//! that is stuck is given back in time.

use std::{sync::Arc, time::Duration};

use certs::RootKey;
use mail::{Address, Class, Envelope, Headline, ReversePath, Scan};
use policies::{Passing, Ruleset};
use rustls::{ClientConfig, RootCertStore};
use store::{
    Actor, ContentWriter, DirectoryChange, Group, Ledger, Passage, Proof, Receipts, Stage, Standing,
    memory::Memory,
};
use templates::Templates;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::*;
use crate::{
    courier::{Exchangers, Outbound, Private, Route, Times, TlsPolicy},
    dns::zone::Zone,
    gateway::Settings,
};

pub(super) async fn gateway(zone: &Zone) -> Arc<Gateway> {
    certs::install_provider();
    let root = Arc::new(RootKey::generate().unwrap());
    let ledger = Ledger::open(Arc::new(Memory::new()), root).await.unwrap();
    let group = Group {
        domains: vec!["alpha.example".to_owned()],
        receipts: Receipts::Off,
        ..Group::new("alpha".parse().unwrap(), "Alpha Energy".to_owned())
    };
    ledger.change_directory(&Actor::Tool, vec![DirectoryChange::Group(group)]).await.unwrap();
    let settings = Settings {
        hostname: "mx.postern.example".to_owned(),
        notice_domain: "postern.example".to_owned(),
        notice_sender: address("notices@postern.example"),
        notice_name: "Postern".to_owned(),
        portal_url: "https://portal.example".to_owned(),
        passing: Passing::On,
        stage: Stage::Live,
        providers: Vec::new(),
        signature_age: Duration::from_hours(7 * 24),
        postmaster: None,
        journal: Vec::new(),
        scanner: None,
        documents: None,
        authorities: Default::default(),
    };
    let rules = Arc::new(Ruleset::shipped().unwrap());
    Arc::new(Gateway::new(ledger, rules, zone.resolver(), settings))
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// A mail of Alpha's that goes on to one recipient.
pub(super) async fn relay(ledger: &Ledger, to: &str) {
    let mut content = ContentWriter::new(ledger).unwrap();
    content.write(b"From: ann@alpha.example\r\nSubject: s\r\n\r\nhello\r\n").await.unwrap();
    let sender = ReversePath::Address(address("ann@alpha.example"));
    let passage = Passage {
        from_group: "alpha".parse().unwrap(),
        proof: Proof::Network,
        author: None,
        content: content.finish().await.unwrap(),
        headline: Headline::default(),
        envelope: Envelope::plain(sender, vec![address(to)]),
        received_line: "Received: by mx.postern.example; now\r\n".to_owned(),
        decided_by: "relay".to_owned(),
        class: Class::Human,
        scan: Scan::Off,
        authentication: None,
        sources: vec![ledger.mac("source", to.as_bytes())],
        watched: None,
    };
    ledger.relay(passage).await.unwrap();
}

fn worker(gateway: &Arc<Gateway>, zone: &Zone, port: u16, step: Duration, pace: Pace) -> Worker {
    let exchangers =
        Exchangers { private: Private::Allowed, port, ..Exchangers::new(zone.resolver(), TlsPolicy::None) };
    let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
    let outbound = Outbound {
        route: Route::Mx(Box::new(exchangers)),
        helo: "mx.postern.example".to_owned(),
        roots: Arc::new(nobody.with_no_client_auth()),
        times: Times { step, ..Times::default() },
        per_host: 2,
    };
    let courier = Arc::new(Courier::new(outbound).unwrap());
    Worker::new(Arc::clone(gateway), Arc::new(Templates::load().unwrap()), Signer::none(), courier, pace)
}

/// Says yes to everything; counts the mails.
async fn agreeable(listener: TcpListener, taken: Arc<watch::Sender<usize>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(agree(stream, Arc::clone(&taken)));
    }
}

async fn agree(stream: TcpStream, taken: Arc<watch::Sender<usize>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx.live.example\r\n").await.ok()?;
    let (mut line, mut within) = (String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let reply = match (within, line.as_str()) {
            (true, ".\r\n") => {
                taken.send_modify(|count| *count += 1);
                within = false;
                "250 taken\r\n"
            }
            (true, _) => continue,
            (false, "DATA\r\n") => {
                within = true;
                "354 go\r\n"
            }
            (false, _) => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}

/// Accepts and never says a word; the streams are kept, so that nobody is hung up on.
async fn mute(listener: TcpListener, called: Arc<watch::Sender<usize>>) {
    let mut held = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        held.push(stream);
        called.send_modify(|count| *count += 1);
    }
}

/// Two servers on one port: 127.0.0.1 takes all mail, 127.0.0.2 none.
async fn servers() -> (u16, watch::Receiver<usize>, watch::Receiver<usize>) {
    let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = live.local_addr().unwrap().port();
    let dead = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let ((taken, taken_seen), (called, called_seen)) = (watch::channel(0), watch::channel(0));
    tokio::spawn(agreeable(live, Arc::new(taken)));
    tokio::spawn(mute(dead, Arc::new(called)));
    (port, taken_seen, called_seen)
}

#[tokio::test]
async fn a_dead_domain_holds_up_nobody_else() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("dead.example", "127.0.0.2").host("live.example", "127.0.0.1");
    for number in 0..30 {
        relay(gateway.ledger(), &format!("jo{number}@dead.example")).await;
    }
    for number in 0..10 {
        relay(gateway.ledger(), &format!("jo{number}@live.example")).await;
    }
    let (port, mut taken, mut called) = servers().await;
    let pace = Pace { lanes: 4, per_domain: 2, ..Pace::default() };
    // Far longer than the test may take: only lanes that are free deliver anything.
    let worker = worker(&gateway, &zone, port, Duration::from_secs(3600), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    called.wait_for(|count| *count >= 2).await.unwrap();
    taken.wait_for(|count| *count == 10).await.unwrap();
    assert_eq!(*called.borrow(), 2, "a domain has no more lanes than it may");
    drop(stop);
    work.abort();
}

#[tokio::test]
async fn two_dead_domains_hold_up_nobody_else() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("dead.example", "127.0.0.2")
        .host("gone.example", "127.0.0.2")
        .host("live.example", "127.0.0.1");
    for number in 0..20 {
        relay(gateway.ledger(), &format!("jo{number}@dead.example")).await;
        relay(gateway.ledger(), &format!("jo{number}@gone.example")).await;
    }
    let (port, mut taken, mut called) = servers().await;
    let pace = Pace { lanes: 4, per_domain: 2, ..Pace::default() };
    let worker = worker(&gateway, &zone, port, Duration::from_secs(3600), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    // Both have all that they get before anybody else comes.
    called.wait_for(|count| *count >= 2).await.unwrap();
    for number in 0..10 {
        relay(gateway.ledger(), &format!("jo{number}@live.example")).await;
    }
    taken.wait_for(|count| *count == 10).await.unwrap();
    drop(stop);
    work.abort();
}

#[tokio::test]
async fn many_dead_domains_hold_up_nobody_else_for_long() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("live.example", "127.0.0.1");
    for number in 0..4 {
        zone.host(&format!("dead{number}.example"), "127.0.0.2");
        relay(gateway.ledger(), &format!("jo@dead{number}.example")).await;
    }
    let (port, mut taken, mut called) = servers().await;
    let pace = Pace { lanes: 2, patience: Duration::from_millis(1), ..Pace::default() };
    let worker = worker(&gateway, &zone, port, Duration::from_secs(3600), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    called.wait_for(|count| *count >= 2).await.unwrap();
    relay(gateway.ledger(), "jo@live.example").await;
    taken.wait_for(|count| *count == 1).await.unwrap();
    drop(stop);
    work.abort();
}

#[tokio::test]
async fn what_was_not_begun_is_given_back() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("dead.example", "127.0.0.2");
    for number in 0..6 {
        relay(gateway.ledger(), &format!("jo{number}@dead.example")).await;
    }
    let (port, _, mut called) = servers().await;
    let pace = Pace { lanes: 2, per_domain: 1, ..Pace::default() };
    let worker = worker(&gateway, &zone, port, Duration::from_millis(500), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    called.wait_for(|count| *count >= 1).await.unwrap();
    stop.send(true).unwrap();
    work.await.unwrap();
    let jobs = gateway.ledger().jobs().await.unwrap();
    assert_eq!(jobs.len(), 6);
    assert!(jobs.iter().all(|job| job.standing == Standing::Waiting), "{jobs:?}");
}

#[tokio::test]
async fn a_hold_stops_what_is_leased_and_not_what_has_begun() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("dead.example", "127.0.0.2");
    for number in 0..4 {
        relay(gateway.ledger(), &format!("jo{number}@dead.example")).await;
    }
    let (port, _, mut called) = servers().await;
    let pace = Pace { lanes: 2, per_domain: 1, ..Pace::default() };
    let worker = worker(&gateway, &zone, port, Duration::from_millis(500), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    called.wait_for(|count| *count >= 1).await.unwrap();
    let ledger = gateway.ledger();
    let jobs = ledger.jobs().await.unwrap();
    assert!(
        jobs.iter().all(|job| job.standing == Standing::Leased),
        "all are leased, one has begun: {jobs:?}"
    );
    let held = store::Selection::Domain("dead.example".to_owned());
    ledger.hold_jobs(&Actor::Tool, &held).await.unwrap();
    let jobs = loop {
        let jobs = ledger.jobs().await.unwrap();
        if jobs.iter().all(|job| job.standing == Standing::OnHold) {
            break jobs;
        }
        tokio::task::yield_now().await;
    };
    let mut tries: Vec<_> = jobs.iter().map(|job| job.attempts).collect();
    tries.sort_unstable();
    assert_eq!((tries.as_slice(), *called.borrow()), ([0, 0, 0, 1].as_slice(), 1));
    stop.send(true).unwrap();
    work.await.unwrap();
}

#[tokio::test]
async fn a_try_ends_before_its_lease_does() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    zone.host("dead.example", "127.0.0.2");
    relay(gateway.ledger(), "jo@dead.example").await;
    let (port, _, mut called) = servers().await;
    let pace = Pace { lease: Duration::from_secs(2), ..Pace::default() };
    let worker = worker(&gateway, &zone, port, Duration::from_secs(3600), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    called.wait_for(|count| *count >= 1).await.unwrap();
    stop.send(true).unwrap();
    work.await.unwrap();
    let [job] = gateway.ledger().jobs().await.unwrap().try_into().unwrap();
    assert_eq!((job.standing, job.attempts), (Standing::Waiting, 1));
    assert!(job.last_error.unwrap().contains("in the time of one try"));
}

#[tokio::test]
async fn what_is_too_old_is_given_up_and_its_sender_is_told() {
    let zone = Zone::open().await;
    let gateway = gateway(&zone).await;
    relay(gateway.ledger(), "jo@nowhere.example").await;
    zone.fails("nowhere.example");
    let pace = Pace { give_up: Duration::ZERO, ..Pace::default() };
    let worker = worker(&gateway, &zone, 1, Duration::from_secs(60), pace);
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(worker.run(stopped));
    loop {
        let jobs = gateway.ledger().jobs().await.unwrap();
        if jobs.iter().any(|job| job.kind.as_str() == "report") {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    work.await.unwrap();
}
