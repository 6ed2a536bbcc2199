//! The same attacks through BDAT (RFC 3030), where octets are counted: nothing in a chunk is an end, no border between
//! chunks hides half of a line end, and what is stored has neither bare CR nor bare LF nor NUL.

use std::sync::Arc;

use gateway::smtp::{Limits, Options, PlainAuth, Security};

use crate::attacks::{CLIENT, SMUGGLED, has_bare, plain, published_forms, short_strings};
use crate::client::{Memory, Peer, Server, Socket};
use crate::sample::{Sample, Stored, options};

const ENVELOPE: &str = "EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\n";

/// A message as chunks, the last of which is said to be.
fn chunked(chunks: &[&[u8]]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let last = if at + 1 == chunks.len() { " LAST" } else { "" };
        octets.extend_from_slice(format!("BDAT {}{last}\r\n", chunk.len()).as_bytes());
        octets.extend_from_slice(chunk);
    }
    octets
}

/// What one message came to.
struct Outcome {
    replies: String,
    stored: Vec<Stored>,
    closed: bool,
}

async fn outcome(options: &Arc<Options>, chunks: &[&[u8]]) -> Outcome {
    let sample = Sample::default();
    let mut memory = Memory::new(sample.clone(), options.clone(), CLIENT, usize::MAX);
    memory.send(ENVELOPE.as_bytes()).await;
    let before = memory.output().len();
    memory.send(&chunked(chunks)).await;
    let replies = String::from_utf8(memory.output()[before..].to_vec()).unwrap();
    Outcome { replies, stored: sample.stored(), closed: memory.is_closed() }
}

/// Whole, and cut into two chunks at every octet.
fn cuts(message: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let halves = (0..message.len()).map(|at| {
        let (head, tail) = message.split_at(at);
        vec![head, tail]
    });
    std::iter::once(vec![message]).chain(halves)
}

fn assert_refused(outcome: &Outcome, why: &str) {
    assert_eq!(outcome.stored, [], "{why}");
    let last = outcome.replies.lines().last().unwrap();
    assert!(outcome.closed && last.starts_with("550 5.6.0 "), "{why}: {}", outcome.replies);
}

#[tokio::test]
async fn no_published_form_of_end_of_data_is_taken_in_chunks() {
    let options = plain();
    for (name, form) in published_forms() {
        let message = [b"Subject: x\r\n\r\nbody".as_slice(), &form, SMUGGLED.as_bytes()].concat();
        for chunks in cuts(&message) {
            assert_refused(&outcome(&options, &chunks).await, &name);
        }
    }
}

#[tokio::test]
async fn no_published_form_passes_a_real_port_in_chunks() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, Limits::default())).await;
    for (name, form) in published_forms() {
        let mut socket = Socket::connect(server.address).await;
        let message = [b"body".as_slice(), &form, SMUGGLED.as_bytes()].concat();
        socket.send(&[ENVELOPE.as_bytes(), &chunked(&[&message])].concat()).await;
        let rest = socket.rest().await;
        assert!(rest.lines().last().unwrap().starts_with("550 5.6.0 "), "{name}: {rest}");
    }
    assert_eq!(server.sample.stored(), []);
}

/// All short strings inside a message and at its end: octet for octet what was sent is stored, or nothing is.
#[tokio::test]
async fn no_string_of_five_symbols_splits_or_spoils_a_message_in_chunks() {
    let options = plain();
    let mut stored = 0;
    for string in short_strings() {
        let inside = [b"body".as_slice(), &string, b"tail\r\n"].concat();
        for chunks in cuts(&inside) {
            let outcome = outcome(&options, &chunks).await;
            if has_bare(&inside) {
                assert_refused(&outcome, &format!("{string:?}"));
                continue;
            }
            stored += 1;
            assert_eq!(outcome.stored.len(), 1, "{string:?}: {}", outcome.replies);
            assert_eq!(outcome.stored[0].body, inside, "{string:?}");
            let last = outcome.replies.lines().last().unwrap();
            assert!(!outcome.closed && last.starts_with("250 2.0.0 secured"), "{}", outcome.replies);
            assert_eq!(outcome.replies.lines().count(), chunks.len(), "one reply for each chunk");
        }
        at_the_end(&options, &string).await;
    }
    assert!(stored > 5_000, "only {stored} stored");
}

async fn at_the_end(options: &Arc<Options>, string: &[u8]) {
    let outcome = outcome(options, &[string]).await;
    if has_bare(string) {
        assert_refused(&outcome, &format!("{string:?}"));
        return;
    }
    let end: &[u8] = if string.ends_with(b"\r\n") { b"" } else { b"\r\n" };
    assert_eq!(outcome.stored.len(), 1, "{string:?}: {}", outcome.replies);
    assert_eq!(outcome.stored[0].body, [string, end].concat(), "{string:?}");
}

/// A large message: many chunks, of many segments each, arrive octet for octet.
#[tokio::test]
async fn a_large_message_arrives_in_chunks() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, Limits::default())).await;
    let mut socket = Socket::connect(server.address).await;
    let lines = (0..100_000).map(|line| format!(".{line:064x}\r\n")).collect::<String>();
    let chunks: Vec<&[u8]> = lines.as_bytes().chunks(300_001).collect();
    socket.send(ENVELOPE.as_bytes()).await;
    let octets = chunked(&chunks);
    socket.send(&octets).await;
    let mut taken = 0;
    loop {
        let reply = socket.line().await.unwrap();
        taken += usize::from(reply.ends_with("octets received"));
        if reply.starts_with("250 2.0.0 secured") {
            break;
        }
    }
    assert_eq!(taken, chunks.len() - 1);
    assert!(server.sample.stored()[0].body == lines.as_bytes(), "the body changed");
}
