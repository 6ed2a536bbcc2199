//! How a mail that comes round is known again: the `id` in the Received line that we put in front of it is keyed
//! (RFC 5321 §4.4 leaves its form to us). Nobody else can make one, and none but these is counted; what others wrote
//! into the header says nothing.

use certs::KeyError;
use store::Ledger;

use crate::fields::{self, LARGEST_HEAD};

/// What [`Ledger::mac`] is asked for.
const PURPOSE: &str = "received mark";

/// Random bytes, then their MAC: 20 bytes, 32 symbols.
const NONCE: usize = 8;
const BYTES: usize = 20;
const SYMBOLS: usize = BYTES * 8 / 5;

/// Base32 in lower case (Crockford's, without the letters that look like digits).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A fresh id for our Received line.
pub fn mark(ledger: &Ledger) -> Result<String, KeyError> {
    let nonce: [u8; NONCE] = certs::random()?;
    let mut bytes = [0; BYTES];
    bytes[..NONCE].copy_from_slice(&nonce);
    bytes[NONCE..].copy_from_slice(&mac(ledger, &nonce));
    Ok(write(&bytes))
}

/// Follows a mail while it arrives and keeps of its header what may be marks of ours.
#[derive(Default)]
pub struct Trail {
    stage: Stage,
}

enum Stage {
    Head(Vec<u8>),
    Body(Vec<[u8; BYTES]>),
}

impl Default for Stage {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Trail {
    /// The next bytes of the mail, any number.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Stage::Head(head) = &mut self.stage else {
            return;
        };
        let before = head.len();
        // Our line stands at the front; what is beyond the usual length of a header cannot hide it.
        let room = LARGEST_HEAD.saturating_sub(before);
        head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let end = fields::end(head, before);
        if end.is_some() || head.len() >= LARGEST_HEAD {
            self.stage = Stage::Body(candidates(head));
        }
    }

    /// How often this installation has sent the mail on already.
    pub fn rounds(self, ledger: &Ledger) -> usize {
        let found = match self.stage {
            Stage::Head(head) => candidates(&head),
            Stage::Body(found) => found,
        };
        found.iter().filter(|bytes| is_ours(ledger, bytes)).count()
    }
}

fn is_ours(ledger: &Ledger, bytes: &[u8; BYTES]) -> bool {
    let (nonce, tag) = bytes.split_at(NONCE);
    certs::equal(tag, &mac(ledger, nonce))
}

fn mac(ledger: &Ledger, nonce: &[u8]) -> [u8; BYTES - NONCE] {
    let mac = ledger.mac(PURPOSE, nonce);
    let mut short = [0; BYTES - NONCE];
    short.copy_from_slice(&mac[..BYTES - NONCE]);
    short
}

/// What follows the word `id` in each Received field, if it has the form of a mark.
fn candidates(head: &[u8]) -> Vec<[u8; BYTES]> {
    let end = fields::end(head, 0).unwrap_or(head.len());
    let received = fields::fields(head.get(..end).unwrap_or_default()).filter(|field| field.is("Received"));
    received.filter_map(|field| id(&field.text())).collect()
}

/// A peer may call itself `id`, so the word may stand more than once.
fn id(received: &str) -> Option<[u8; BYTES]> {
    let words: Vec<&str> = received.split([' ', '\t', ';']).filter(|word| !word.is_empty()).collect();
    let named = words.windows(2).filter(|pair| pair[0].eq_ignore_ascii_case("id"));
    named.filter_map(|pair| read(pair[1])).next()
}

fn write(bytes: &[u8; BYTES]) -> String {
    let (groups, _) = bytes.as_chunks::<5>();
    groups
        .iter()
        .flat_map(|group| {
            let bits = group.iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
            (0..8).rev().map(move |symbol| char::from(ALPHABET[(bits >> (symbol * 5) & 31) as usize]))
        })
        .collect()
}

fn read(text: &str) -> Option<[u8; BYTES]> {
    let symbols: &[u8; SYMBOLS] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; BYTES];
    let (groups, _) = symbols.as_chunks::<8>();
    for (group, out) in groups.iter().zip(bytes.chunks_mut(5)) {
        let mut bits = 0u64;
        for symbol in group {
            let value = ALPHABET.iter().position(|letter| letter == symbol)?;
            bits = bits << 5 | value as u64;
        }
        out.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use certs::RootKey;
    use store::engine::Engine;
    use store::memory::Memory;

    use super::*;

    async fn ledger() -> Ledger {
        certs::install_provider();
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        Ledger::open(engine, Arc::new(RootKey::generate().unwrap())).await.unwrap()
    }

    fn line(id: &str) -> String {
        let way = "from id ([192.0.2.1]) by post.example with ESMTPS";
        format!("Received: {way}\r\n id {id}; Mon, 23 Nov 2026 17:00:00 +0000\r\n")
    }

    fn rounds(ledger: &Ledger, mail: &str, piece: usize) -> usize {
        let mut trail = Trail::default();
        mail.as_bytes().chunks(piece).for_each(|piece| trail.feed(piece));
        trail.rounds(ledger)
    }

    #[tokio::test]
    async fn own_marks_are_counted_however_the_mail_is_cut() {
        let ledger = ledger().await;
        let marks = [mark(&ledger).unwrap(), mark(&ledger).unwrap()];
        assert_ne!(marks[0], marks[1]);
        assert_eq!(marks[0].len(), SYMBOLS);
        let mail = format!(
            "{}Received: by other id 4711; x\r\n{}From: a\r\n\r\n{}",
            line(&marks[0]),
            line(&marks[1]),
            line(&marks[0])
        );
        for piece in [1, 2, 3, 7, 64, 10_000] {
            assert_eq!(rounds(&ledger, &mail, piece), 2, "the body does not count");
        }
        assert_eq!(rounds(&ledger, &line(&marks[0]), 5), 1, "a header without an end");
        assert_eq!(rounds(&ledger, "From: a\r\n\r\nb", 3) + rounds(&ledger, "", 1), 0);
    }

    #[tokio::test]
    async fn what_others_wrote_is_not() {
        let (ledger, other) = (ledger().await, ledger().await);
        let own = mark(&ledger).unwrap();
        let mut forged = own.clone().into_bytes();
        forged[31] = if forged[31] == b'0' { b'1' } else { b'0' };
        for id in [
            mark(&other).unwrap(),
            String::from_utf8(forged).unwrap(),
            own.to_uppercase(),
            own[1..].to_owned(),
        ] {
            assert_eq!(rounds(&ledger, &format!("{}\r\n", line(&id)), 9), 0, "{id}");
        }
        assert_eq!(rounds(&ledger, &format!("X-Received: id {own}\r\n\r\n"), 9), 0);
        assert_eq!(rounds(&ledger, &format!("Received: by x for {own}\r\n\r\n"), 9), 0);
        assert_eq!(rounds(&other, &line(&own), 9), 0);
    }

    #[tokio::test]
    async fn endless_headers_hold_no_more_than_the_usual() {
        let ledger = ledger().await;
        let own = mark(&ledger).unwrap();
        let mut trail = Trail::default();
        trail.feed(line(&own).as_bytes());
        (0..100_000).for_each(|_| trail.feed(b"X: y\r\n"));
        assert!(matches!(trail.stage, Stage::Body(_)));
        assert_eq!(trail.rounds(&ledger), 1);
    }

    #[test]
    fn symbols_read_back() {
        for byte in [0, 1, 0x5a, 0xff] {
            let bytes = [byte; BYTES];
            assert_eq!(read(&write(&bytes)), Some(bytes));
        }
        assert_eq!(read(&"u".repeat(SYMBOLS)), None);
    }
}
