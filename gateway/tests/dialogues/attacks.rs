//! Attacks on the framing: forms of end-of-data that other servers fell for, and commands before the TLS handshake.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use gateway::smtp::{Dialogue, Limits, Means, Next, Options, PlainAuth, Security, Shown};

use crate::client::{Memory, Peer, Server, Socket, starttls};
use crate::sample::{HOST, PAUSED, Papers, Sample, Stored, corpus, options};
use crate::script::Show;

pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const ENVELOPE: &str = "EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\nDATA\r\n";

/// A message that a smuggled end of data would let in: whatever stands before it, this is never an envelope.
pub(crate) const SMUGGLED: &str =
    "MAIL FROM:<forged@alpha.example>\r\nRCPT TO:<et@beta.example>\r\nDATA\r\nforged\r\n.\r\n";

/// What one body came to.
struct Outcome {
    replies: String,
    stored: Vec<Stored>,
    closed: bool,
}

async fn outcome(options: &Arc<Options>, pieces: &[&[u8]]) -> Outcome {
    let sample = Sample::default();
    let mut memory = Memory::new(sample.clone(), options.clone(), CLIENT, usize::MAX);
    memory.send(ENVELOPE.as_bytes()).await;
    let before = memory.output().len();
    for piece in pieces {
        memory.send(piece).await;
    }
    let replies = String::from_utf8(memory.output()[before..].to_vec()).unwrap();
    Outcome { replies, stored: sample.stored(), closed: memory.is_closed() }
}

pub(crate) fn plain() -> Arc<Options> {
    Arc::new(options(Security::Plain, PlainAuth::Never, Limits::default()))
}

/// Each input as one segment and split at every octet.
fn splits(input: &[u8]) -> impl Iterator<Item = [&[u8]; 2]> {
    (1..=input.len()).map(|at| {
        let (head, tail) = input.split_at(at);
        [head, tail]
    })
}

/// The forms of end-of-data of the corpus, by name.
pub(crate) fn published_forms() -> Vec<(String, Vec<u8>)> {
    let forms = corpus("smtp-end-of-data/sequences.json");
    let forms = forms["sequences"].as_array().unwrap();
    assert_eq!(forms.len(), 12);
    let octets = |hex: &str| {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    forms
        .iter()
        .map(|form| (form["name"].as_str().unwrap().to_owned(), octets(form["hex"].as_str().unwrap())))
        .collect()
}

/// Every string of one to five symbols, 9,330 of them.
pub(crate) fn short_strings() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut strings: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..5 {
        strings = strings
            .iter()
            .flat_map(|string| b"\r\n.\0 x".map(|symbol| [string.as_slice(), &[symbol]].concat()))
            .collect();
        all.extend(strings.iter().cloned());
    }
    assert_eq!(all.len(), 9_330);
    all
}

#[tokio::test]
async fn no_published_form_of_end_of_data_ends_a_message() {
    let options = plain();
    for (name, form) in published_forms() {
        let sent = [b"Subject: x\r\n\r\nbody".as_slice(), &form, SMUGGLED.as_bytes()].concat();
        for pieces in splits(&sent) {
            let outcome = outcome(&options, &pieces).await;
            assert_eq!(outcome.stored, [], "{name}");
            assert!(outcome.closed, "{name}");
            assert!(outcome.replies.starts_with("550 5.6.0 "), "{name}: {}", outcome.replies);
            assert_eq!(outcome.replies.lines().count(), 1, "{name}: {}", outcome.replies);
        }
    }
}

#[tokio::test]
async fn no_published_form_passes_a_real_port() {
    let server = Server::start(options(Security::Plain, PlainAuth::Never, Limits::default())).await;
    for (_, form) in published_forms() {
        let mut socket = Socket::connect(server.address).await;
        socket.send(ENVELOPE.as_bytes()).await;
        while !socket.line().await.unwrap().starts_with("354") {}
        socket.send(&[b"body".as_slice(), &form, SMUGGLED.as_bytes()].concat()).await;
        let rest = socket.rest().await;
        assert!(rest.starts_with("550 5.6.0 ") && rest.lines().count() == 1, "{rest}");
    }
    assert_eq!(server.sample.stored(), []);
}

/// All short strings inside a body. What each should come to is found by looking at the whole octets, which the
/// server never has.
#[tokio::test]
async fn no_string_of_five_symbols_splits_or_spoils_a_message() {
    let options = plain();
    for string in short_strings() {
        check(&options, &string).await;
    }
}

async fn check(options: &Arc<Options>, string: &[u8]) {
    let sent = [b"body".as_slice(), string, b"tail\r\n.\r\n"].concat();
    let body = &sent[..sent.len() - 3];
    let ends = string == b"\r\n.\r\n";
    for pieces in splits(&sent) {
        let outcome = outcome(options, &pieces).await;
        let why = format!("{string:?}: {}", outcome.replies);
        if ends {
            // The one true end of data; what follows is no command.
            assert_eq!(outcome.stored.len(), 1, "{why}");
            assert_eq!(outcome.stored[0].body, b"body\r\n", "{why}");
            assert!(outcome.replies.contains("\r\n500 5.5.1 "), "{why}");
        } else if has_bare(body) {
            assert_eq!(outcome.stored, [], "{why}");
            assert!(outcome.closed && outcome.replies.starts_with("550 5.6.0 "), "{why}");
            assert_eq!(outcome.replies.lines().count(), 1, "{why}");
        } else {
            assert_eq!(outcome.stored.len(), 1, "{why}");
            assert_eq!(outcome.stored[0].body, unstuffed(body), "{why}");
            assert!(!outcome.closed && outcome.replies.starts_with("250 2.0.0 "), "{why}");
        }
    }
}

pub(crate) fn has_bare(body: &[u8]) -> bool {
    let text = String::from_utf8(body.to_vec()).unwrap().replace("\r\n", "");
    text.contains(['\r', '\n', '\0'])
}

fn unstuffed(body: &[u8]) -> Vec<u8> {
    String::from_utf8(body.to_vec()).unwrap().replace("\r\n.", "\r\n").into_bytes()
}

/// Conversations thrown together from pieces of the grammar, in segments cut at random: nothing panics, what is stored
/// is a whole message, and what is acknowledged is stored.
#[tokio::test]
async fn no_conversation_by_chance_stores_what_it_should_not() {
    const WORDS: [&str; 29] = [
        "EHLO c\r\n",
        "HELO c\r\n",
        "MAIL FROM:<a@alpha.example>\r\n",
        "MAIL FROM:<>",
        " SIZE=9\r\n",
        "RCPT TO:<et@beta.example>\r\n",
        "RCPT TO:<broken@beta.example>\r\n",
        "DATA\r\n",
        "RSET\r\n",
        "\r\n.\r\n",
        ".",
        "..",
        "\r\n",
        "\r",
        "\n",
        "\0",
        "x",
        " ",
        "<",
        "\"",
        "AUTH PLAIN ",
        "AUTH LOGIN\r\n",
        "=",
        "BDAT 3\r\n",
        "BDAT 5 LAST\r\n",
        "BDAT 0 LAST\r\n",
        "body\r",
        "RCPT TO:<bob@outside.example>\r\n",
        "AUTH SCRAM-SHA-256 ",
    ];
    let limits = Limits { errors: 1000, idle_commands: 1000, ..Limits::default() };
    let options = Arc::new(options(Security::Plain, PlainAuth::Loopback, limits));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut stored_in_all = 0;
    for _ in 0..20_000 {
        let sample = Sample::default();
        let mut memory = Memory::new(sample.clone(), options.clone(), CLIENT, usize::MAX);
        if chance.below(2) == 0 {
            memory.send(ENVELOPE.as_bytes()).await;
        }
        for _ in 0..chance.below(40) {
            let mut segment = String::new();
            for _ in 0..=chance.below(4) {
                segment.push_str(WORDS[chance.below(WORDS.len())]);
            }
            memory.send(segment.as_bytes()).await;
        }
        let stored = sample.stored();
        let replies = String::from_utf8(memory.output().to_vec()).unwrap();
        assert_eq!(replies.matches("250 2.0.0 secured").count(), stored.len(), "{replies}");
        for message in &stored {
            assert!(!has_bare(&message.body), "{message:?}");
            assert!(message.body.is_empty() || message.body.ends_with(b"\r\n"), "{message:?}");
        }
        stored_in_all += stored.len();
    }
    assert!(stored_in_all > 1000, "only {stored_in_all} messages by chance");
}

/// A small generator of numbers that are the same on every run (Marsaglia's xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[tokio::test]
async fn a_broken_command_line_ends_the_session() {
    for (line, reply) in [
        ("NOOP\nMAIL FROM:<>\r\n", "500 5.5.2 an LF without CR"),
        ("NO\rOP\r\n", "500 5.5.2 a CR without LF"),
        ("NOOP \0\r\n", "500 5.5.2 a NUL"),
    ] {
        for pieces in splits(line.as_bytes()) {
            let sample = Sample::default();
            let mut memory = Memory::new(sample, plain(), CLIENT, usize::MAX);
            memory.line().await.unwrap();
            for piece in pieces {
                memory.send(piece).await;
            }
            assert!(memory.line().await.unwrap().starts_with(reply));
            assert_eq!(memory.line().await, None);
        }
    }
}

/// The sequences of the corpus, each in one segment: nothing behind STARTTLS is answered or remembered.
#[tokio::test]
async fn nothing_before_the_handshake_reaches_into_it() {
    let papers = Papers::new();
    let server = Server::start(options(starttls(&papers), PlainAuth::Never, Limits::default())).await;
    let sequences = corpus("starttls-injection/sequences.json");
    let sequences: Vec<&str> =
        sequences["smtp"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(sequences.len(), 3);
    let hello = sequences[0];
    for injected in &sequences[1..] {
        let mut socket = Socket::connect(server.address).await;
        socket.line().await.unwrap();
        socket.send(hello.as_bytes()).await;
        while !socket.line().await.unwrap().starts_with("250 ") {}
        socket.send(injected.as_bytes()).await;
        let rest = socket.rest().await;
        assert!(rest.starts_with("554 5.5.1 ") && rest.lines().count() == 1, "{injected:?}: {rest}");
    }
}

/// Injected behind the STARTTLS line but in a segment of its own, the octets stand where the handshake should.
#[tokio::test]
async fn late_octets_before_the_handshake_break_it() {
    let papers = Papers::new();
    let server = Server::start(options(starttls(&papers), PlainAuth::Never, Limits::default())).await;
    let mut socket = Socket::connect(server.address).await;
    socket.line().await.unwrap();
    socket.send(b"STARTTLS\r\n").await;
    assert!(socket.line().await.unwrap().starts_with("220 "));
    socket.send(b"NOOP\r\n").await;
    assert!(socket.handshake(Show::Nothing, &papers).await.is_err());
}

#[tokio::test]
async fn state_from_before_the_handshake_is_forgotten() {
    let papers = Papers::new();
    let server = Server::start(options(starttls(&papers), PlainAuth::Loopback, Limits::default())).await;
    let mut socket = Socket::connect(server.address).await;
    socket.line().await.unwrap();
    for (line, code) in [
        ("EHLO c", "250 "),
        ("AUTH PLAIN AGFkYUBhbHBoYS5leGFtcGxlAHNlY3JldA==", "235 "),
        ("MAIL FROM:<proved@alpha.example>", "250 "),
        ("RCPT TO:<et@beta.example>", "250 "),
        ("STARTTLS", "220 "),
    ] {
        say(&mut socket, line, code).await;
    }
    socket.handshake(Show::Nothing, &papers).await.unwrap();
    for (line, code) in [
        ("DATA", "503 "),
        ("MAIL FROM:<a@alpha.example>", "503 "),
        ("EHLO c", "250 "),
        ("RCPT TO:<et@beta.example>", "503 "),
        ("MAIL FROM:<proved@alpha.example>", "550 "),
    ] {
        say(&mut socket, line, code).await;
    }
    assert_eq!(server.sample.stored(), []);
}

/// The intake learns the address behind a login, and its pause does not end the conversation.
#[tokio::test]
async fn a_paused_address_is_told_to_come_later() {
    let offer = Arc::new(options(Security::Plain, PlainAuth::Loopback, Limits::default()));
    let mut memory = Memory::new(Sample::default(), offer, PAUSED, usize::MAX);
    memory.send(b"HELO c\r\n").await;
    memory.send(b"AUTH PLAIN AGFkYUBhbHBoYS5leGFtcGxlAHNlY3JldA==\r\n").await;
    memory.line().await.unwrap();
    memory.line().await.unwrap();
    assert!(memory.line().await.unwrap().starts_with("454 4.7.0 "));
    assert!(!memory.is_closed());
}

/// A revocation list that ran out says nothing of a certificate: neither yes nor a final no.
#[tokio::test]
async fn a_certificate_that_cannot_be_checked_is_put_off() {
    let shown = |accepts: Means| {
        let identities = [accepts, Means::Domain].into_iter().collect();
        let offer = options(Security::Plain, PlainAuth::Never, Limits::default());
        let offer = Arc::new(Options { identities, ..offer });
        let intake = Arc::new(Sample::default());
        let mut output = Vec::new();
        (Dialogue::greet_encrypted(intake, offer, CLIENT, Shown::Undecided, &mut output), output)
    };
    for (accepts, code) in [(Means::Certificate, "451 4.3.2 "), (Means::Login, "250 ")] {
        let (dialogue, mut output) = shown(accepts);
        let mut input = b"HELO c\r\nMAIL FROM:<a@alpha.example>\r\n".to_vec();
        assert!(matches!(dialogue.take(&mut input, &mut output).await, Next::Read(_)));
        let replies = String::from_utf8(output).unwrap();
        assert!(replies.lines().last().unwrap().starts_with(code), "{replies}");
    }
}

async fn say(socket: &mut Socket, line: &str, code: &str) {
    socket.send(format!("{line}\r\n").as_bytes()).await;
    loop {
        let reply = socket.line().await.unwrap();
        assert!(reply.starts_with(&code[..3]), "{line}: {reply}");
        if reply.starts_with(code) {
            break;
        }
    }
}

#[tokio::test]
async fn implicit_tls_greets_inside_only() {
    let papers = Papers::new();
    let security = Security::Implicit(papers.identity.clone());
    let server = Server::start(options(security, PlainAuth::Never, Limits::default())).await;
    let mut socket = Socket::connect(server.address).await;
    socket.handshake(Show::Certificate, &papers).await.unwrap();
    assert!(socket.line().await.unwrap().starts_with(&format!("220 {HOST} ")));
    say(&mut socket, "EHLO c", "250 ").await;
    say(&mut socket, "STARTTLS", "503 ").await;
    say(&mut socket, "MAIL FROM:<proved@alpha.example>", "250 ").await;
    let mut clear = Socket::connect(server.address).await;
    clear.send(b"EHLO c\r\n").await;
    let rest = clear.rest_octets().await;
    assert!(!rest.windows(4).any(|octets| octets == b"220 "), "{rest:?}");
}
