//! Follows a mail while it arrives, for the proof of its domain: the header block is kept, the body is only hashed, in
//! each of the few ways that its signatures ask for. It looks nothing up and judges nothing.

use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::{HashAlgorithm, HashContext, HashImpl, Sha256};
use mail_auth::dkim::Canonicalization;
use mail_auth::dkim::canonicalize::BodyHasher;

use super::age;
use crate::fields::{self, LARGEST_HEAD};

type Sha256Context = <Sha256 as HashImpl>::Context;

/// A mail without login or certificate, while it arrives.
pub struct ProofScanner {
    stage: Stage,
}

enum Stage {
    Head(Vec<u8>),
    Body(Vec<u8>, Vec<(Canonicalization, BodyHasher<Sha256Context>)>),
    /// The header block is longer than anybody's.
    Endless,
}

/// What is left of a mail when it has passed.
pub struct Scanned {
    /// The header block; none if it was longer than 100 KiB.
    pub(super) head: Option<Vec<u8>>,
    /// SHA-256 of the body, for each canonicalisation that a signature names.
    pub(super) bodies: Vec<(Canonicalization, Vec<u8>)>,
}

impl Scanned {
    /// The header block; none if it was longer than 100 KiB.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        self.head.as_deref()
    }

    /// When the server of the mailbox where the mail was found took it in, if that shows.
    pub(crate) fn taken_in(&self) -> Option<i64> {
        age::taken_in(self.head.as_deref()?)
    }
}

impl Default for ProofScanner {
    fn default() -> Self {
        Self { stage: Stage::Head(Vec::new()) }
    }
}

impl ProofScanner {
    /// The next bytes of the mail, any number, all line ends CRLF.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.stage {
            Stage::Head(head) => {
                let before = head.len();
                head.extend_from_slice(bytes);
                self.head(before);
            }
            Stage::Body(_, bodies) => bodies.iter_mut().for_each(|(_, hasher)| hasher.write(bytes)),
            Stage::Endless => {}
        }
    }

    /// The header block, once it has passed.
    pub fn header(&self) -> Option<&[u8]> {
        match &self.stage {
            Stage::Body(head, _) => Some(head),
            Stage::Head(_) | Stage::Endless => None,
        }
    }

    /// The end of the mail.
    pub fn finish(self) -> Scanned {
        let (head, bodies) = match self.stage {
            Stage::Endless => return Scanned { head: None, bodies: Vec::new() },
            // A mail of nothing but a header has an empty body.
            Stage::Head(head) => {
                let bodies = hashers(&head);
                (head, bodies)
            }
            Stage::Body(head, bodies) => (head, bodies),
        };
        let hashed =
            bodies.into_iter().map(|(way, hasher)| (way, hasher.finish().0.complete().as_ref().to_vec()));
        Scanned { bodies: hashed.collect(), head: Some(head) }
    }

    /// Looks for the end of the header block behind the first `before` bytes.
    fn head(&mut self, before: usize) {
        let Stage::Head(head) = &mut self.stage else {
            return;
        };
        let end = fields::end(head, before);
        if end.unwrap_or(head.len()) > LARGEST_HEAD {
            self.stage = Stage::Endless;
        } else if let Some(end) = end {
            let body = head.split_off(end);
            let mut bodies = hashers(head);
            bodies.iter_mut().for_each(|(_, hasher)| hasher.write(&body));
            self.stage = Stage::Body(std::mem::take(head), bodies);
        }
    }
}

/// One for each canonicalisation, so two at most. SHA-1 is not computed (RFC 8301 §3.1), nor a body in part.
fn hashers(head: &[u8]) -> Vec<(Canonicalization, BodyHasher<Sha256Context>)> {
    let Some(message) = AuthenticatedMessage::parse_with_opts(head, None, true) else {
        return Vec::new();
    };
    let asked = |way: Canonicalization| {
        let mut hashes = message.body_hashes.iter();
        hashes.any(|(asked, hash, ..)| *asked == way && *hash == HashAlgorithm::Sha256)
    };
    [Canonicalization::Simple, Canonicalization::Relaxed]
        .into_iter()
        .filter(|&way| asked(way))
        .map(|way| (way, BodyHasher::new(Sha256::hasher(), way, 0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEAD: &str = "From: a@alpha.example\r\n\
        DKIM-Signature: v=1; a=rsa-sha256; d=alpha.example; s=s; c=simple/simple; h=from; bh=AAAA; b=AAAA\r\n\
        DKIM-Signature: v=1; a=rsa-sha256; d=alpha.example; s=s; c=relaxed/relaxed; h=from; bh=AAAA; b=AAAA\r\n\
        DKIM-Signature: v=1; a=rsa-sha1; d=alpha.example; s=s; c=relaxed/relaxed; h=from; bh=AAAA; b=AAAA\r\n\r\n";

    const BODIES: [&str; 7] = [
        "",
        "\r\n",
        "\r\n\r\n \r\n",
        "text",
        " a  b \t \r\n\r\n\tc\r\n\r\n\r\n",
        "one\r\ntwo\r\n",
        "mixed   \r\n\r\n  \r\n end  \r\n \r\n\r\n",
    ];

    fn scan(pieces: &[&[u8]]) -> Scanned {
        let mut scanner = ProofScanner::default();
        pieces.iter().for_each(|piece| scanner.feed(piece));
        scanner.finish()
    }

    #[test]
    fn bodies_hash_as_if_they_had_come_whole_however_they_are_cut() {
        for body in BODIES {
            let mail = format!("{HEAD}{body}");
            let whole = AuthenticatedMessage::parse(mail.as_bytes()).unwrap();
            for cut in 0..=mail.len() {
                let (first, second) = mail.as_bytes().split_at(cut);
                let scanned = scan(&[first, second]);
                assert_eq!(scanned.head.as_deref(), Some(HEAD.as_bytes()));
                assert_eq!(scanned.bodies.len(), 2);
                for (way, hash) in scanned.bodies {
                    let expected = whole
                        .body_hashes
                        .iter()
                        .find(|(asked, algorithm, ..)| *asked == way && *algorithm == HashAlgorithm::Sha256);
                    assert_eq!(hash, expected.unwrap().3, "{body:?} cut at {cut}, {way:?}");
                }
            }
            let bytes: Vec<&[u8]> = mail.as_bytes().chunks(1).collect();
            assert_eq!(scan(&bytes).bodies, scan(&[mail.as_bytes()]).bodies);
        }
    }

    /// Real mails as bodies, so that every oddity of line and space is met.
    #[test]
    fn bodies_of_the_corpus_hash_the_same_in_pieces() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/mail");
        let folders = fs::read_dir(corpus)
            .expect("the corpus lies at ../shared/corpus beside the repository; this test needs it");
        let mut count = 0;
        for file in folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).into_iter().flatten()) {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let body: Vec<u8> = bytes
                .split(|&byte| byte == b'\n')
                .flat_map(|line| [line.strip_suffix(b"\r").unwrap_or(line), b"\r\n"].concat())
                .collect();
            let mail = [HEAD.as_bytes(), &body].concat();
            let whole = AuthenticatedMessage::parse(&mail).unwrap();
            let pieces: Vec<&[u8]> = mail.chunks(4099).collect();
            for (way, hash) in scan(&pieces).bodies {
                let mut expected = whole.body_hashes.iter();
                assert!(expected.any(|(asked, _, _, expected)| *asked == way && *expected == hash));
                count += 1;
            }
        }
        assert!(count >= 4000, "{count}");
    }

    #[test]
    fn endless_headers_are_let_go_of() {
        let mut scanner = ProofScanner::default();
        for _ in 0..LARGEST_HEAD {
            scanner.feed(b"X: y\r\n");
        }
        assert!(matches!(scanner.stage, Stage::Endless));
        scanner.feed(b"\r\n\r\nbody");
        assert!(scanner.finish().head.is_none());
        let long = format!("X: {}\r\n\r\n", "y".repeat(LARGEST_HEAD));
        assert!(scan(&[long.as_bytes()]).head.is_none(), "also in one piece");
    }

    #[test]
    fn a_mail_of_a_header_only_has_an_empty_body() {
        let head = HEAD.strip_suffix("\r\n").unwrap();
        let scanned = scan(&[head.as_bytes()]);
        assert_eq!(scanned.head.as_deref(), Some(head.as_bytes()));
        assert_eq!(scanned.bodies, scan(&[HEAD.as_bytes()]).bodies);
        assert!(scan(&[b"From: a@alpha.example\r\n\r\nbody"]).bodies.is_empty(), "nobody asks");
    }
}
