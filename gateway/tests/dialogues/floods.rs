//! Peers that are slow and peers that are many: each is bounded, and none of them holds up the others. The clock is
//! paused and jumps when nothing happens.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use crate::limits::{Pipe, limits};
use crate::sample::STORED;

const ENVELOPE: &str = "EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\n";

/// Whatever a peer repeats for ever comes to an end, after a few replies.
#[tokio::test(start_paused = true)]
async fn floods_end_by_themselves() {
    for (before, again, reply) in [
        ("", "NOOP\r\n", "421 4.7.0 "),
        ("", "RSET\r\n", "421 4.7.0 "),
        ("", "EHLO c\r\n", "421 4.7.0 "),
        ("", "XYZZY\r\n", "421 4.7.0 "),
        ("", "x", "500 5.5.2 "),
        ("EHLO c\r\n", "MAIL FROM:<a@alpha.example>\r\nRSET\r\n", "421 4.7.0 "),
        ("EHLO c\r\n", "BDAT 6\r\nNOOP\r\n", "421 4.7.0 "),
        (ENVELOPE, "RCPT TO:<et@beta.example>\r\n", "421 4.7.0 "),
        (ENVELOPE, "RCPT TO:<nobody@beta.example>\r\n", "421 4.7.0 "),
        (ENVELOPE, "BDAT 0\r\n", "421 4.7.0 "),
        (ENVELOPE, "BDAT 1\r\nx", "421 4.7.0 "),
        (ENVELOPE, "BDAT 6 LAST LAST\r\nNOOP\r\n", "421 4.7.0 "),
    ] {
        let rest = flood(&format!("{before}{}", again.repeat(100_000))).await;
        assert!(rest.lines().last().unwrap().starts_with(reply), "{again:?}: {rest}");
        assert!(rest.len() < 30_000, "{} octets of replies to {again:?}", rest.len());
    }
}

async fn flood(octets: &str) -> String {
    let pipe = Pipe::open(limits(), 64 * 1024);
    let (mut reader, mut writer) = tokio::io::split(pipe.stream);
    let octets = octets.as_bytes().to_vec();
    let sender = tokio::spawn(async move {
        // It is cut off in the middle.
        let _ = writer.write_all(&octets).await;
    });
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    pipe.ended.await.unwrap();
    drop(reader);
    sender.await.unwrap();
    assert_eq!(pipe.sample.stored(), []);
    rest
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_drips_is_closed_and_not_stored() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE.as_bytes(), "250").await;
    pipe.stream.write_all(b"BDAT 100000 LAST\r\n").await.unwrap();
    let mut sent = 0;
    while pipe.stream.write_all(b"x").await.is_ok() {
        sent += 1;
        assert!(sent < 100, "it may drip for ever");
        sleep(Duration::from_secs(10)).await;
    }
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.ends_with("421 4.4.2 too slow; closing\r\n"), "{rest}");
    assert!((180..=190).contains(&seconds), "{seconds}");
    assert_eq!(pipe.sample.stored(), []);
}

/// Many small chunks do not make a message that may take for ever: its whole time is bounded, as by DATA.
#[tokio::test(start_paused = true)]
async fn a_message_in_chunks_has_as_much_time_as_one_without() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE.as_bytes(), "250").await;
    let (mut reader, mut writer) = tokio::io::split(pipe.stream);
    let start = Instant::now();
    let sender = tokio::spawn(async move {
        let chunk = format!("BDAT 2000\r\n{}", "12345678\r\n".repeat(200));
        while writer.write_all(chunk.as_bytes()).await.is_ok() {
            sleep(Duration::from_secs(60)).await;
        }
    });
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("421 4.4.2 too slow; closing\r\n"), "{rest}");
    assert_eq!(start.elapsed().as_secs(), 900);
    sender.abort();
    assert_eq!(pipe.sample.stored(), []);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_between_two_chunks_is_closed() {
    let mut pipe = Pipe::open(limits(), 4096);
    pipe.say(ENVELOPE.as_bytes(), "250").await;
    pipe.stream.write_all(b"BDAT 6\r\nbody\r\n").await.unwrap();
    let (rest, seconds) = pipe.rest().await;
    assert!(rest.ends_with("421 4.4.2 too slow; closing\r\n"), "{rest}");
    assert_eq!(seconds, 180);
    assert_eq!(pipe.sample.stored(), []);
}

/// A thousand peers send one octet in ten seconds, wherever they are in a conversation. An honest peer is served at
/// once all the while, and all of the others are closed in time.
#[tokio::test(start_paused = true)]
async fn a_thousand_slow_peers_hold_up_nobody() {
    let places = ["", "EHLO c\r\nMAIL FROM:<", ENVELOPE, "DATA\r\n", "BDAT 50000\r\n"];
    let slow: Vec<_> = (0..1000)
        .map(|number: usize| {
            let place = places[number % places.len()];
            tokio::spawn(async move {
                let mut pipe = Pipe::open(limits(), 64);
                let before =
                    if place.ends_with("0\r\n") || place.starts_with("DATA") { ENVELOPE } else { "" };
                let mut octets = before.bytes().chain(place.bytes()).collect::<Vec<u8>>();
                octets.extend_from_slice(&[b'x'; 1000]);
                let (mut reader, mut writer) = tokio::io::split(&mut pipe.stream);
                let (early, late) = octets.split_at(before.len() + place.len());
                let mut replies = String::new();
                let talk = async {
                    for piece in [early].into_iter().chain(late.chunks(1)) {
                        if writer.write_all(piece).await.is_err() {
                            break;
                        }
                        sleep(Duration::from_secs(10)).await;
                    }
                };
                tokio::select! {
                    _ = reader.read_to_string(&mut replies) => {}
                    () = talk => {}
                }
                assert!(replies.ends_with("421 4.4.2 too slow; closing\r\n"), "{place:?}: {replies}");
                assert_eq!(pipe.sample.stored(), []);
            })
        })
        .collect();
    for _ in 0..20 {
        let mut honest = Pipe::open(limits(), 4096);
        let start = Instant::now();
        honest.say(format!("{ENVELOPE}DATA\r\n").as_bytes(), "354").await;
        honest.stream.write_all(b"body\r\n.\r\nQUIT\r\n").await.unwrap();
        let (rest, _) = honest.rest().await;
        assert!(rest.starts_with(&format!("250 2.0.0 {STORED}\r\n221 ")), "{rest}");
        assert_eq!(start.elapsed(), Duration::ZERO);
        sleep(Duration::from_secs(5)).await;
    }
    for peer in slow {
        peer.await.unwrap();
    }
}
