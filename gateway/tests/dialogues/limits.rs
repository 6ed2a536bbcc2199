//! Clocks and limits. The clock is paused and jumps when nothing happens, so minutes cost nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use gateway::smtp::{Limits, PlainAuth, Security, Setting, Timeouts, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::client::{Peer, Server, Socket};
use crate::sample::{STORED, Sample, options};

const ENVELOPE: &[u8] = b"EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\nDATA\r\n";
const IDLE: &[u8] = b"EHLO c\r\n";

/// A connection over a pipe with a paused clock.
pub(crate) struct Pipe {
    pub(crate) stream: DuplexStream,
    pub(crate) sample: Sample,
    stop: watch::Sender<bool>,
    pub(crate) ended: JoinHandle<()>,
    start: Instant,
}

impl Pipe {
    pub(crate) fn open(limits: Limits, room: usize) -> Self {
        let (stream, server) = duplex(room);
        let sample = Sample::default();
        let (stop, stopped) = watch::channel(false);
        let ended = tokio::spawn(serve(server, setting(sample.clone(), limits, stopped)));
        Self { stream, sample, stop, ended, start: Instant::now() }
    }

    /// Sends the octets and reads until the reply with this code is whole.
    pub(crate) async fn say(&mut self, octets: &[u8], code: &str) {
        self.stream.write_all(octets).await.unwrap();
        let mut text = String::new();
        while !text.contains(&format!("\n{code} ")) || !text.ends_with('\n') {
            let mut read = [0; 1024];
            let count = self.stream.read(&mut read).await.unwrap();
            assert!(count > 0, "closed after {text}");
            text.push_str(std::str::from_utf8(&read[..count]).unwrap());
        }
    }

    /// What the server still says, and when it closed, in seconds from the start.
    pub(crate) async fn rest(&mut self) -> (String, u64) {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        (rest, self.start.elapsed().as_secs())
    }
}

fn setting(sample: Sample, limits: Limits, stop: watch::Receiver<bool>) -> Setting<Sample> {
    Setting {
        intake: Arc::new(sample),
        options: Arc::new(options(Security::Plain, PlainAuth::Never, limits)),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        stop,
    }
}

pub(crate) fn limits() -> Limits {
    let timeouts = Timeouts {
        greeting: Duration::from_secs(60),
        command: Duration::from_secs(120),
        data_block: Duration::from_secs(180),
        data_rate: 10,
        data_total: Duration::from_secs(900),
        write: Duration::from_secs(30),
        grace: Duration::from_secs(20),
        ..Timeouts::default()
    };
    Limits { timeouts, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_closed_after_the_greeting_and_after_a_command() {
    let mut pipe = Pipe::open(limits(), 4096);
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.contains("\n421 4.4.2 "), "{rest}");
    assert_eq!(seconds, 60);
    let mut pipe = Pipe::open(limits(), 4096);
    sleep(Duration::from_secs(50)).await;
    pipe.say(IDLE, "250").await;
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.starts_with("421 4.4.2 "), "{rest}");
    assert_eq!(seconds, 170);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_drips_is_closed_in_time() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(IDLE, "250").await;
    for octet in b"NOOP this takes very long".chunks(1) {
        if pipe.stream.write_all(octet).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    let (rest, _) = pipe.rest().await;
    assert!(rest.starts_with("421 4.4.2 "), "{rest}");
    assert!(pipe.ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_drips_is_closed_and_not_stored() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE, "354").await;
    let mut sent = 0;
    while pipe.stream.write_all(b"x").await.is_ok() {
        sent += 1;
        assert!(sent < 100, "it may drip for ever");
        sleep(Duration::from_secs(10)).await;
    }
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.starts_with("421 4.4.2 "), "{rest}");
    assert!((180..=190).contains(&seconds), "{seconds}");
    assert_eq!(pipe.sample.stored(), []);
}

#[tokio::test(start_paused = true)]
async fn a_slow_but_steady_message_is_taken_until_its_whole_time_is_over() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE, "354").await;
    for _ in 0..40 {
        pipe.stream.write_all(&[b"x".repeat(398).as_slice(), b"\r\n"].concat()).await.unwrap();
        sleep(Duration::from_secs(20)).await;
    }
    pipe.stream.write_all(b".\r\n").await.unwrap();
    let mut reply = [0; 200];
    let count = pipe.stream.read(&mut reply).await.unwrap();
    assert_eq!(std::str::from_utf8(&reply[..count]).unwrap(), format!("250 2.0.0 {STORED}\r\n"));

    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE, "354").await;
    while pipe.stream.write_all(&[b"x".repeat(398).as_slice(), b"\r\n"].concat()).await.is_ok() {
        sleep(Duration::from_secs(20)).await;
    }
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.starts_with("421 4.4.2 "), "{rest}");
    assert!((900..=920).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_reply_is_dropped() {
    let pipe = Pipe::open(limits(), 8);
    pipe.ended.await.unwrap();
    assert_eq!(pipe.start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_idle_peers_at_once_and_lets_a_transaction_finish() {
    let mut idle = Pipe::open(limits(), 4096);
    idle.say(IDLE, "250").await;
    idle.stop.send(true).unwrap();
    let (rest, seconds) = idle.rest().await;
    assert!(rest.starts_with("421 4.3.2 "), "{rest}");
    assert_eq!(seconds, 0);

    let mut busy = Pipe::open(limits(), 4096);
    busy.say(ENVELOPE, "354").await;
    busy.stop.send(true).unwrap();
    sleep(Duration::from_secs(15)).await;
    busy.stream.write_all(b"late\r\n.\r\n").await.unwrap();
    let (rest, seconds) = busy.rest().await;
    assert!(rest.starts_with("250 2.0.0 ") && rest.contains("\n421 4.3.2 "), "{rest}");
    assert_eq!(seconds, 15);
    assert_eq!(busy.sample.stored().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_beyond_its_grace() {
    for begun in [ENVELOPE, &ENVELOPE[..ENVELOPE.len() - 6]] {
        let mut pipe = Pipe::open(limits(), 4096);
        let code = if begun == ENVELOPE { "354" } else { "250" };
        pipe.say(begun, code).await;
        pipe.stop.send(true).unwrap();
        let (rest, seconds) = pipe.rest().await;
        assert!(rest.ends_with("421 4.3.2 the server stops; try again later\r\n"), "{rest}");
        assert_eq!(seconds, 20);
        assert_eq!(pipe.sample.stored(), []);
    }
}

#[tokio::test]
async fn a_listener_stops_when_its_peers_are_gone() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, limits())).await;
    let mut socket = Socket::connect(server.address).await;
    socket.line().await.unwrap();
    server.stop.send(true).unwrap();
    assert!(socket.rest().await.starts_with("421 4.3.2 "));
    server.ended.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let limits = Limits { connections: 2, ..limits() };
    let server = Server::start(options(Security::Plain, PlainAuth::Never, limits)).await;
    let mut first = Socket::connect(server.address).await;
    let mut second = Socket::connect(server.address).await;
    assert!(first.line().await.unwrap().starts_with("220 "));
    assert!(second.line().await.unwrap().starts_with("220 "));
    let mut third = Socket::connect(server.address).await;
    assert!(third.rest().await.starts_with("421 4.7.0 "));
    first.send(b"QUIT\r\n").await;
    assert!(first.rest().await.starts_with("221 "));
    drop(first);
    // The place is free once the server has seen the end too.
    loop {
        let mut again = Socket::connect(server.address).await;
        if again.line().await.unwrap().starts_with("220 ") {
            break;
        }
    }
}

/// Each connection may cost a handshake, however short it stays.
#[tokio::test]
async fn one_connection_too_many_within_a_minute_is_told_so() {
    let limits = Limits { connections_per_minute: 2, ..limits() };
    let server = Server::start(options(Security::Plain, PlainAuth::Never, limits)).await;
    for _ in 0..2 {
        let mut socket = Socket::connect(server.address).await;
        socket.send(b"QUIT\r\n").await;
        assert!(socket.rest().await.contains("\n221 "));
    }
    assert!(Socket::connect(server.address).await.rest().await.starts_with("421 4.7.0 "));
}

/// A stream that counts writes.
struct Counted {
    inner: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[tokio::test]
async fn replies_to_a_group_leave_in_one_write() {
    let (mut client, inner) = duplex(4096);
    let writes = Arc::new(AtomicUsize::new(0));
    let (_stop, stopped) = watch::channel(false);
    let server = Counted { inner, writes: writes.clone() };
    let ended = tokio::spawn(serve(server, setting(Sample::default(), limits(), stopped)));
    let group = [ENVELOPE, b"one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<et@beta.example>\r\nRSET\r\nQUIT\r\n"];
    let mut read = [0; 4096];
    for octets in group {
        client.write_all(octets).await.unwrap();
        while client.read(&mut read).await.unwrap() < 60 {}
    }
    drop(client);
    ended.await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 3, "the greeting, and one for each group");
}

#[tokio::test]
async fn a_large_message_arrives_octet_for_octet() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, limits())).await;
    let mut socket = Socket::connect(server.address).await;
    socket.send(ENVELOPE).await;
    while !socket.line().await.unwrap().starts_with("354") {}
    let mut body = Vec::new();
    for line in 0..100_000 {
        let stop = if line % 3 == 0 { "." } else { "" };
        body.extend_from_slice(format!("{stop}{line:064x}\r\n").as_bytes());
    }
    let sent = String::from_utf8(body.clone()).unwrap().replace("\r\n.", "\r\n..");
    socket.send(format!(".{sent}.\r\n").as_bytes()).await;
    assert_eq!(socket.line().await.unwrap(), format!("250 2.0.0 {STORED}"));
    assert!(server.sample.stored()[0].body == body, "the body changed");
}

/// Closing on octets not read would reset the connection: many a client then never looks at the reply.
#[tokio::test]
async fn a_peer_may_finish_its_sentence_after_the_last_reply() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, limits())).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"NOOP\nmore").await.unwrap();
    let mut reply = String::new();
    while !reply.ends_with("CRLF\r\n") {
        let mut octets = [0; 100];
        let count = stream.read(&mut octets).await.unwrap();
        assert!(count > 0, "closed after {reply}");
        reply.push_str(std::str::from_utf8(&octets[..count]).unwrap());
    }
    for _ in 0..20 {
        stream.write_all(&[b'x'; 30_000]).await.expect("the server still takes octets");
    }
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 100]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_idle_connection_is_small() {
    let (_, server) = duplex(64);
    let (_stop, stopped) = watch::channel(false);
    let size = std::mem::size_of_val(&serve(server, setting(Sample::default(), limits(), stopped)));
    assert!(size < 3 * 1024, "{size} octets for one connection");
}
