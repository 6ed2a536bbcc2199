//! SMTP: framing, commands and session together, as a peer meets them.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use certs::PeerCertificate;
use gateway::smtp::{
    Circumstance, Delivery, Dialogue, Hostname, Identities, Intake, Limits, Next, Nonces, Options, PlainAuth,
    Refusal, ScramChallenge, Security, Shown, Transaction,
};
use mail::{Address, Envelope, ReversePath};

use crate::pieces::pieces;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// What the sink says of a message; no peer can make a reply line that begins so.
const STORED: &str = "250 2.0.0 stored";
/// The longest line that is waited for.
const LINE: usize = 600;

/// Whatever is sent, by DATA or in chunks by BDAT, in whatever pieces: each message is acknowledged once and each
/// acknowledgement stands for one message; none holds a bare CR, LF or NUL; its recipients are of one class; what goes
/// on to other servers of names and wishes is printable; every reply is whole lines; no more than a line is held back.
/// Octet by octet the same messages arrive, or more, because a peer that does not wait for a reply is cut off.
/// The last byte chooses the pieces; odd, the peer waits after DATA; from 128 on, TLS was there first.
pub fn smtp(data: &[u8]) {
    let Some((&choice, octets)) = data.split_last() else { return };
    let (seed, encrypted) = (choice & 0x7f, choice >= 0x80);
    let turns = if seed % 2 == 1 { turns(octets) } else { vec![octets] };
    let taken = conversation(turns.iter().flat_map(|turn| pieces(turn, seed)), encrypted);
    let patient = conversation(pieces(octets, 1), encrypted);
    assert!(patient.starts_with(&taken), "the pieces decide: {taken:?} is not how {patient:?} begins");
}

/// What a peer sends between two waits: up to and with each DATA.
fn turns(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut turns = Vec::new();
    while let Some(at) = octets.windows(6).position(|window| window == b"DATA\r\n") {
        let (turn, rest) = octets.split_at(at + 6);
        turns.push(turn);
        octets = rest;
    }
    turns.push(octets);
    turns
}

/// Holds a conversation and gives back the messages that were stored.
fn conversation<'a>(pieces: impl Iterator<Item = &'a [u8]>, encrypted: bool) -> Vec<Vec<u8>> {
    let shelf = Shelf::default();
    let (intake, options) = (Arc::new(shelf.clone()), Arc::new(options()));
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut dialogue = match encrypted {
        true => Dialogue::greet_encrypted(intake, options, PEER, Shown::Nothing, &mut output),
        false => Dialogue::greet(intake, options, PEER, &mut output),
    };
    for piece in pieces {
        input.extend_from_slice(piece);
        dialogue = match now(dialogue.take(&mut input, &mut output)) {
            Next::Read(dialogue) => dialogue,
            Next::Secure(_) | Next::Close(_) => break,
        };
        assert!(input.len() < LINE, "{} octets held back", input.len());
    }
    let stored = shelf.stored();
    assert_eq!(acknowledged(&output), stored.len(), "acknowledgements and messages");
    stored.iter().for_each(|body| assert_clean(body));
    stored
}

fn options() -> Options {
    let hostname = Hostname::parse("mx.postern.example").expect("a host name");
    Options {
        plain_auth: PlainAuth::Loopback,
        identities: Identities::all(),
        nonces: Nonces::Fixed(*b"nonces are fixed !"),
        limits: Limits {
            command_line: LINE,
            auth_line: LINE,
            data_line: 200,
            message_size: 500,
            overrun: 300,
            recipients: 3,
            ..Limits::default()
        },
        ..Options::new("fuzz", hostname, Security::Plain)
    }
}

/// Reads the replies: whole lines, each a code and a text, none of them broken by what the peer sent.
fn acknowledged(output: &[u8]) -> usize {
    let text = std::str::from_utf8(output).expect("replies in UTF-8");
    let lines = text.strip_suffix("\r\n").expect("whole lines").split("\r\n");
    lines
        .inspect(|line| {
            assert!(!line.contains(char::is_control), "{line:?}");
            let (code, rest) = line.split_at(3);
            assert!(code.bytes().all(|digit| digit.is_ascii_digit()), "{line:?}");
            assert!(rest.starts_with([' ', '-']), "{line:?}");
        })
        .filter(|line| line.starts_with(STORED))
        .count()
}

/// RFC 5321 §2.3.8: a CR or LF that stands alone means a line end to somebody else.
fn assert_clean(body: &[u8]) {
    assert!(body.is_empty() || body.ends_with(b"\r\n"), "an unfinished line: {}", body.escape_ascii());
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").expect("a line that CRLF ends");
        assert!(!text.iter().any(|octet| matches!(octet, 0 | b'\r')), "{}", text.escape_ascii());
    }
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the sink never waits"),
    }
}

/// Where stored messages stand.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shelf {
    fn stored(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One message; its first recipient says how it fails.
struct Sink {
    shelf: Shelf,
    to: String,
    body: Vec<u8>,
}

impl Intake for Shelf {
    type Identity = ();
    type Class = String;
    type Delivery = Sink;

    fn by_network(&self, _: IpAddr) -> Option<()> {
        None
    }

    fn by_certificate(&self, _: &PeerCertificate) -> Option<()> {
        None
    }

    async fn login(&self, _: &str, password: &str) -> Result<(), Refusal> {
        if password == "no" { Err(Refusal::BadCredentials) } else { Ok(()) }
    }

    fn offers_scram(&self) -> bool {
        true
    }

    fn scram(&self, user: &str) -> ScramChallenge {
        ScramChallenge { salt: user.as_bytes().to_vec(), iterations: 4096 }
    }

    /// Right, if the message is about this exchange, and its first octet is even: no fuzzer finds a true one.
    async fn scram_login_from(
        &self,
        _: IpAddr,
        user: &str,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Result<((), Vec<u8>), Refusal> {
        let said = std::str::from_utf8(auth_message).expect("text");
        assert_eq!(said.matches("bm9uY2VzIGFyZSBmaXhlZCAh").count(), 2, "{user}: {said}");
        if proof[0] % 2 == 0 { Ok(((), proof.to_vec())) } else { Err(Refusal::BadCredentials) }
    }

    fn postmaster(&self) -> Option<Address> {
        Address::parse("ops@beta.example").ok()
    }

    fn mail(&self, identity: Option<&()>, at: &Circumstance<'_>, from: &ReversePath) -> Result<(), Refusal> {
        assert!(
            at.hello
                .is_none_or(|name| name.len() <= 255 && name.bytes().all(|octet| octet.is_ascii_graphic()))
        );
        match (identity, from) {
            (None, ReversePath::Null) => Err(Refusal::LoginNeeded),
            _ => Ok(()),
        }
    }

    fn recipient(
        &self,
        _: Option<&()>,
        _: &Circumstance<'_>,
        _: &ReversePath,
        to: &Address,
    ) -> Result<String, Refusal> {
        match to.local() {
            "nobody" => Err(Refusal::UnknownRecipient(format!("no {to} here\r\n{STORED}"))),
            _ => Ok(to.domain().to_owned()),
        }
    }

    async fn open(
        &self,
        _: Option<&()>,
        _: &Circumstance<'_>,
        transaction: Transaction<String>,
    ) -> Result<Sink, Refusal> {
        let Transaction { class, envelope, .. } = transaction;
        assert_sound(&class, &envelope);
        let to = envelope.recipients[0].address.local().to_owned();
        match to.as_str() {
            "full" => Err(Refusal::StoreFull),
            _ => Ok(Sink { shelf: self.clone(), to, body: Vec::new() }),
        }
    }
}

/// What stands in an envelope is written into commands and headers of other servers one day.
fn assert_sound(class: &str, envelope: &Envelope) {
    let printable = |text: &Option<String>| text.iter().all(|text| !text.contains(char::is_control));
    assert!(printable(&envelope.report.id), "{envelope:?}");
    assert!((1..=3).contains(&envelope.recipients.len()), "{envelope:?}");
    for recipient in &envelope.recipients {
        assert_eq!(recipient.address.domain(), class, "recipients of two classes");
        assert!(printable(&recipient.original), "{envelope:?}");
    }
}

impl Delivery for Sink {
    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.body.extend_from_slice(bytes);
        if self.to == "broken" { Err(Refusal::StoreBroken) } else { Ok(()) }
    }

    async fn close(self) -> Result<String, Refusal> {
        if self.to == "closing" {
            return Err(Refusal::StoreBroken);
        }
        self.shelf.0.lock().unwrap_or_else(PoisonError::into_inner).push(self.body);
        Ok("stored".to_owned())
    }
}
