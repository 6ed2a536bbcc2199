//! What large mails, idle connections and slow clients cost: in memory, read from the kernel's account of the process,
//! and in the time that everybody else waits.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

const KIB: u64 = 1024;

/// What a large mail may take above idle, on any way in or out.
const MOST: u64 = 48_000_000;

fn stage(settings: Settings) -> (Installation, Server) {
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let installation = Installation::new(&Settings { market, ..settings });
    let server = installation.serve();
    // Once through everything, so that what is made once is there.
    let mail = Letter::new(AMY, MAILBOX, "Warm", "warm@alpha.example").bytes();
    let mut smtp = Smtp::greet(server.smtp()).unwrap();
    for _ in 0..3 {
        assert_eq!(smtp.deliver(AMY, &[MAILBOX], &mail).unwrap().code, 250);
    }
    (installation, server)
}

/// A line of `/proc/PID/status`, in bytes: `VmRSS` now, `VmHWM` at its highest.
fn account(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the kernel's account");
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).expect("the line");
    value.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * KIB
}

/// Does something and looks at how far above `idle` the memory was at its highest.
fn bounded<T>(server: &Server, idle: u64, what: &str, work: impl FnOnce() -> T) -> T {
    fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").expect("the highest mark starts again");
    let done = work();
    let highest = account(server, "VmHWM");
    let above = highest.saturating_sub(idle);
    println!("{what}: {} KiB above {} KiB when idle", above / KIB, idle / KIB);
    assert!(highest > idle / 2, "the mark was read");
    assert!(above < MOST, "{what}: {above} bytes above idle");
    done
}

/// A mail with one attachment in base64, as it comes from a client, sent in pieces.
struct Large {
    start: String,
    piece: String,
    pieces: usize,
}

impl Large {
    const END: &str = "--b--\r\n";

    fn of(to: &str, id: &str, size: usize) -> Self {
        let head = Letter::new(AMY, to, "Large", &format!("{id}@alpha.example")).bytes();
        let head = String::from_utf8(head).unwrap();
        let (head, _) = head.split_once("\r\n\r\n").unwrap();
        let mixed = "Content-Type: multipart/mixed; boundary=\"b\"";
        let head = head.replace("Content-Type: text/plain; charset=utf-8", mixed);
        let start = format!(
            "{head}\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\n"
        );
        let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0".get(..76);
        let piece = format!("{}\r\n", line.unwrap()).repeat(2000);
        let pieces = size / piece.len();
        Self { start, piece, pieces }
    }

    fn length(&self) -> usize {
        self.start.len() + self.pieces * self.piece.len() + Self::END.len()
    }

    fn send(&self, server: &Server, to: &str) -> tests::smtp::Reply {
        let mut smtp = Smtp::greet(server.smtp()).unwrap();
        assert_eq!(smtp.begin(AMY, &[to]).unwrap().code, 354);
        smtp.send(self.start.as_bytes()).unwrap();
        for _ in 0..self.pieces {
            smtp.send(self.piece.as_bytes()).unwrap();
        }
        smtp.send(format!("{}.\r\n", Self::END).as_bytes()).unwrap();
        smtp.reply().unwrap()
    }

    fn is(&self, bytes: &[u8]) -> bool {
        let (start, rest) = bytes.split_at(self.start.len().min(bytes.len()));
        let (body, end) = rest.split_at(rest.len().saturating_sub(Self::END.len()));
        start == self.start.as_bytes()
            && end == Self::END.as_bytes()
            && body.len() == self.pieces * self.piece.len()
            && body.chunks(self.piece.len()).all(|piece| piece == self.piece.as_bytes())
    }
}

#[test]
fn a_mail_of_200_mb_takes_less_than_48_mb_in_and_out() {
    const SIZE: usize = 200_000_000;
    let sink = Sink::start();
    let (installation, server) = stage(Settings {
        smarthost: sink.address.to_string(),
        limits: "connections_per_peer = 5000\nmessage = \"220 MiB\"",
        sections: "[relay]\nenabled = true\n",
        ..Settings::default()
    });
    let password = installation.password(BEN);
    let mut reader = Visitor::signed_in(server.portal(), BEN, &password);
    wait::until_true("an empty queue", || {
        installation.json(["queue", "list"]).as_array().unwrap().is_empty()
    });
    let idle = account(&server, "VmRSS");

    let large = Large::of(MAILBOX, "large", SIZE);
    let case = bounded(&server, idle, "in", || large.send(&server, MAILBOX)).reference();
    let page = reader.get("/process/erroneous-transfers").links("/case/");
    let mut pages = page.iter().map(|link| reader.get(link)).filter(|page| page.text().contains(&case));
    let original = pages.next().expect("the case").links("/original").remove(0);
    let answer = bounded(&server, idle, "out to a browser", || reader.get(&original));
    assert!(answer.status == 200 && large.is(&answer.body), "{} of {}", answer.body.len(), large.length());
    drop(answer);
    let exported = bounded(&server, idle, "out to a folder", || installation.originals(&case).remove(0));
    assert!(large.is(&exported), "{} of {}", exported.len(), large.length());
    drop(exported);

    // To the outside it would be held: nobody can look into it.
    let colleague = "carl@alpha.example";
    let onward = Large::of(colleague, "onward", SIZE);
    let reply = bounded(&server, idle, "in, to go on", || onward.send(&server, colleague));
    assert_eq!(reply.code, 250, "{reply:?}");
    let arrived = || sink.mails().iter().any(|mail| mail.to == [colleague]);
    bounded(&server, idle, "out to a mail server", || wait::until_true("the large mail", arrived));
    let mail = sink.mails().into_iter().find(|mail| mail.to == [colleague]).unwrap();
    let line = mail.bytes.windows(6).position(|bytes| bytes == b"\r\nFrom").expect("our line in front") + 2;
    assert!(onward.is(&mail.bytes[line..]), "untouched behind it");
    server.stop();
}

#[test]
fn two_thousand_idle_connections_take_less_than_64_mb() {
    const CONNECTIONS: u64 = 2000;
    let (_installation, server) = stage(Settings::default());
    let first = open(&server, 100);
    let before = account(&server, "VmRSS");
    let rest = open(&server, CONNECTIONS);
    let taken = account(&server, "VmRSS").saturating_sub(before);
    println!("{} KiB for {CONNECTIONS} idle connections, {} bytes each", taken / KIB, taken / CONNECTIONS);
    assert!(taken < 64_000_000, "{taken} bytes");
    // They are really open: the first and the last still answer.
    for mut smtp in [first.into_iter().next(), rest.into_iter().last()].into_iter().flatten() {
        assert_eq!(smtp.command("NOOP").unwrap().code, 250);
    }
    server.stop();
}

fn open(server: &Server, count: u64) -> Vec<Smtp> {
    (0..count).map(|_| Smtp::greet(server.smtp()).expect("open files: raise `ulimit -n` to 10000")).collect()
}

/// How long deliveries take, each on a connection of its own: the median of those until `enough`.
fn usual(server: &Server, name: &str, enough: impl Fn(usize) -> bool) -> Duration {
    let mut times = Vec::new();
    while !enough(times.len()) {
        let id = format!("{name}-{}@alpha.example", times.len());
        let mail = Letter::new(AMY, MAILBOX, "Honest", &id).bytes();
        let began = Instant::now();
        let reply = Smtp::greet(server.smtp()).unwrap().deliver(AMY, &[MAILBOX], &mail).unwrap();
        times.push(began.elapsed());
        assert_eq!(reply.code, 250, "{reply:?}");
    }
    times.sort_unstable();
    println!("{name}: median {:?} of {}", times[times.len() / 2], times.len());
    times[times.len() / 2]
}

#[test]
fn a_thousand_slow_clients_do_not_make_the_others_wait() {
    const CLIENTS: usize = 1000;
    const DELIVERIES: usize = 200;
    /// A byte of each client in this time.
    const ROUND: Duration = Duration::from_secs(10);
    let (_installation, server) = stage(Settings { level: "warn", ..Settings::default() });
    usual(&server, "warm", |count| count == DELIVERIES);
    let before = usual(&server, "before", |count| count == DELIVERIES);

    // Half of them in the middle of a command, half in the middle of a mail.
    let mut slow = open(&server, CLIENTS as u64);
    for (number, client) in slow.iter_mut().enumerate().filter(|(number, _)| number % 2 == 1) {
        assert_eq!(client.begin(AMY, &[MAILBOX]).unwrap().code, 354, "{number}");
    }
    let over = AtomicBool::new(false);
    let during = thread::scope(|scope| {
        let pace = scope.spawn(|| {
            for client in &mut slow {
                thread::park_timeout(ROUND / u32::try_from(CLIENTS).unwrap());
                client.send(b"N").unwrap();
            }
            over.store(true, Ordering::SeqCst);
        });
        let during = usual(&server, "during", |count| count >= DELIVERIES && over.load(Ordering::SeqCst));
        pace.join().unwrap();
        during
    });
    // A slow client is served all the same.
    assert_eq!(slow[0].command("OOP").unwrap().code, 250);
    slow[1].send(b"ever mind\r\n.\r\n").unwrap();
    assert!(slow[1].reply().unwrap().is("550 5.7.1 "), "a mail without an author");
    drop(slow);
    let after = usual(&server, "after", |count| count == DELIVERIES);
    let ratio = during.as_secs_f64() / before.max(after).as_secs_f64();
    println!("with {CLIENTS} slow clients honest ones take {ratio:.2} times as long");
    assert!(ratio <= 2.0, "{ratio:.2} times");
    server.stop();
}
