//! Senders at full speed, SIGKILL at random moments, restart on the same folder. Afterwards every mail that was answered
//! with `250` is there, whole, once, and its notice has left.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, Market, PROCESSES, mailbox};
use tests::postern::no_panic;
use tests::random::Random;
use tests::sink::{Sink, Taken};
use tests::smtp::Smtp;
use tests::wait;

const KILLS: usize = 50;

/// Longest wait for a greeting before another connection is tried.
const GREETING: Duration = Duration::from_secs(5);

/// Connections at work at the same time, so that many mails share a commit.
const SENDERS: usize = 18;

/// Each process has its share of the senders.
fn process_of(sender: usize) -> usize {
    sender % PROCESSES.len()
}

/// A mail that was acknowledged: by whom, which one, and the reference in the `250`.
struct Entry {
    sender: usize,
    number: u64,
    reference: String,
}

/// Where a sender is: its next mail, and whether that has been sent without an answer.
struct Book {
    next: u64,
    unanswered: bool,
}

/// What senders and killer share.
struct Field {
    seed: u64,
    /// Where the server of this moment listens; none while there is none.
    server: Mutex<Option<SocketAddr>>,
    changed: Condvar,
    journal: Mutex<Vec<Entry>>,
    /// Mails sent and not answered yet.
    in_flight: AtomicUsize,
    finishing: AtomicBool,
}

impl Field {
    fn publish(&self, server: Option<SocketAddr>) {
        *self.server.lock().unwrap() = server;
        self.changed.notify_all();
    }

    /// Where to connect, as soon as there is a server.
    fn server(&self) -> SocketAddr {
        let mut server = self.server.lock().unwrap();
        loop {
            match *server {
                Some(address) => return address,
                None => server = self.changed.wait(server).unwrap(),
            }
        }
    }

    /// The mail that this sender sends as its `number`th: the same bytes whenever it is asked for.
    fn mail(&self, sender: usize, number: u64) -> Vec<u8> {
        let mut random = Random::seeded(self.seed ^ ((sender as u64) << 32) ^ number);
        // Mostly small, some above what is kept within a row, a few of many chunks.
        let lines = match random.within(0, 20) {
            0 => random.within(2_000, 5_000),
            1..5 => random.within(200, 900),
            _ => random.within(1, 60),
        };
        let id = format!("{}.{sender}.{number}@alpha.example", self.seed);
        let mut letter = Letter::new(AMY, &mailbox(process_of(sender)), "At full speed", &id);
        letter.text =
            (0..lines).map(|_| format!("{:016x}{:016x}\r\n", random.draw(), random.draw())).collect();
        letter.bytes()
    }

    /// One connection's life: mail after mail, each as soon as the one before is answered.
    fn send(&self, sender: usize, book: &mut Book) -> io::Result<()> {
        let mut smtp = Smtp::connect_within(self.server(), GREETING)?;
        smtp.command("EHLO client.example")?;
        while self.goes_on(book) {
            let mail = self.mail(sender, book.next);
            book.unanswered = true;
            self.in_flight.fetch_add(1, Ordering::SeqCst);
            let answer = smtp.deliver(AMY, &[&mailbox(process_of(sender))], &mail);
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            let reference = answer?.reference();
            self.journal.lock().unwrap().push(Entry { sender, number: book.next, reference });
            *book = Book { next: book.next + 1, unanswered: false };
        }
        Ok(())
    }

    /// A mail without an answer is sent again, as mail servers do, even when all is over.
    fn goes_on(&self, book: &Book) -> bool {
        book.unanswered || !self.finishing.load(Ordering::SeqCst)
    }

    /// Sends until it is over; gives the number of mails.
    fn sender(&self, sender: usize) -> u64 {
        let mut book = Book { next: 0, unanswered: false };
        while self.goes_on(&book) {
            // A broken connection is what this test is about.
            let _ = self.send(sender, &mut book);
        }
        book.next
    }
}

#[test]
fn every_acknowledged_mail_is_there_whole_and_once() {
    let seed = Random::seed();
    println!("POSTERN_SEED={seed}");
    let sink = Sink::start();
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let smarthost = sink.address.to_string();
    let installation =
        Installation::new(&Settings { market, smarthost, level: "warn", ..Settings::default() });
    let field = Field {
        seed,
        server: Mutex::new(None),
        changed: Condvar::new(),
        journal: Mutex::default(),
        in_flight: AtomicUsize::new(0),
        finishing: AtomicBool::new(false),
    };
    let began = Instant::now();
    let (server, counts) = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|one| {
                scope.spawn({
                    let field = &field;
                    move || field.sender(one)
                })
            })
            .collect();
        kill_again_and_again(&field, &installation, seed);
        // One more that lives: what was in flight is answered at last.
        let server = installation.serve();
        let before = field.journal.lock().unwrap().len();
        field.publish(Some(server.smtp()));
        wait::until_true("every sender's answer", || {
            field.journal.lock().unwrap().len() >= before + 4 * SENDERS
        });
        field.finishing.store(true, Ordering::SeqCst);
        (server, senders.into_iter().map(|sender| sender.join().unwrap()).collect::<Vec<_>>())
    });
    let journal = field.journal.lock().unwrap();
    println!("{} mails acknowledged in {:?}, {counts:?} by sender", journal.len(), began.elapsed());

    none_is_there_twice(&installation, &journal, &counts);
    all_are_whole(&field, &installation, &journal);
    println!("all are whole after {:?}", began.elapsed());
    every_one_has_its_notice(&installation, &sink, &journal);
    let events = installation.audit_is_whole();
    assert!(events >= journal.len() as u64, "{events} events");
    println!("every notice has left, {events} events are sound after {:?}", began.elapsed());
    server.stop();
    no_panic(&installation.stderr());
}

fn kill_again_and_again(field: &Field, installation: &Installation, seed: u64) {
    let mut random = Random::seeded(seed);
    let mut busy = 0;
    for _ in 0..KILLS {
        let mut server = installation.serve();
        field.publish(Some(server.smtp()));
        // The moment is what is random here, not what is waited for.
        let moment = Instant::now() + Duration::from_micros(random.within(2_000, 200_000));
        while let Some(rest) = moment.checked_duration_since(Instant::now()) {
            thread::park_timeout(rest);
        }
        busy += usize::from(field.in_flight.load(Ordering::SeqCst) > 0);
        server.process.kill();
        field.publish(None);
    }
    println!("{KILLS} kills, {busy} of them with mails in flight");
    assert!(busy > KILLS / 2, "only {busy} of {KILLS} kills hit a server at work");
}

fn none_is_there_twice(installation: &Installation, journal: &[Entry], counts: &[u64]) {
    let references: BTreeSet<_> = journal.iter().map(|entry| &entry.reference).collect();
    assert_eq!(references.len(), journal.len(), "no two mails share a case");
    for (index, process) in PROCESSES.iter().enumerate() {
        let own = counts.iter().enumerate().filter(|(sender, _)| process_of(*sender) == index);
        let sent: u64 = own.map(|(_, count)| count).sum();
        let listed = installation.json(["case", "list", "--process", process, "--limit", "1000"]);
        let listed = listed.as_array().unwrap();
        assert!(listed.len() < 1000, "the list is whole");
        assert_eq!(listed.len() as u64, sent, "cases of {process}");
        for case in listed {
            assert_eq!(case["messages"], 1, "{case}");
        }
    }
}

fn all_are_whole(field: &Field, installation: &Installation, journal: &[Entry]) {
    thread::scope(|scope| {
        for part in journal.chunks(journal.len().div_ceil(4)) {
            scope.spawn(move || {
                for entry in part {
                    installation.holds(&entry.reference, &[field.mail(entry.sender, entry.number)]);
                }
            });
        }
    });
}

fn every_one_has_its_notice(installation: &Installation, sink: &Sink, journal: &[Entry]) {
    let waiting = || installation.json(["queue", "list"]).as_array().map_or(0, Vec::len);
    wait::until_true("an empty queue", || waiting() == 0);
    let mails = sink.mails();
    let mut by_case: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in &mails {
        by_case.entry(case_of(mail)).or_default().insert(mail.header("Message-ID").unwrap());
    }
    for entry in journal {
        let ids =
            by_case.get(&entry.reference).unwrap_or_else(|| panic!("no notice for {}", entry.reference));
        assert_eq!(
            ids.len(),
            1,
            "one notice for {}, under one Message-ID for ever: {ids:?}",
            entry.reference
        );
    }
    assert_eq!(by_case.len(), journal.len(), "no notice without a mail");
    println!(
        "{} notices, {} of them twice because their answer was lost",
        journal.len(),
        mails.len() - by_case.len()
    );
}

/// The reference in the notice's text; a long subject is encoded, the text is not.
fn case_of(notice: &Taken) -> String {
    let text = String::from_utf8_lossy(&notice.bytes);
    let line = text.lines().find_map(|line| line.strip_prefix("Case:"));
    line.unwrap_or_else(|| panic!("no case in {text}")).trim().to_owned()
}

#[test]
fn a_notice_whose_answer_was_lost_goes_again_under_the_same_name() {
    use tests::sink::Mood;
    let sink = Sink::start();
    sink.becomes(Mood::Forgets);
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let smarthost = sink.address.to_string();
    let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
    let server = installation.serve();
    let mail = Letter::new(AMY, &mailbox(0), "Lost answer", "lost@alpha.example").bytes();
    assert_eq!(Smtp::greet(server.smtp()).unwrap().deliver(AMY, &[&mailbox(0)], &mail).unwrap().code, 250);
    let job: Value = wait::until("the first try to fail", || {
        let queue = installation.json(["queue", "list"]);
        queue.as_array()?.first().filter(|job| job["last_error"].is_string()).cloned()
    });
    sink.becomes(Mood::Takes);
    installation.tool(["queue", "retry", job["id"].as_str().unwrap()]).good("queue retry");
    wait::until_true("an empty queue", || {
        installation.json(["queue", "list"]).as_array().unwrap().is_empty()
    });
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].bytes, mails[1].bytes, "the same mail, its Message-ID included");
    assert_eq!((&mails[0].from, &mails[0].to), (&mails[1].from, &mails[1].to));
    server.stop();
}
