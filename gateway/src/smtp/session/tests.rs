//! The session table: every state against every command, and the budgets.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use certs::register::Reason;
use certs::{Authority, PeerCertificate, ServerFiles, ServerIdentity};
use mail::{Address, ReversePath};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::*;
use crate::smtp::circumstance::Circumstance;
use crate::smtp::intake::Delivery;
use crate::smtp::options::{Hostname, Identities, Limits, Security};
use crate::smtp::reply::Refusal;

/// Guards with one welcome sender and recipient. Nothing in a session waits, so the rest is never asked.
struct Guards;

struct NoSink;

impl Intake for Guards {
    type Identity = &'static str;
    type Class = &'static str;
    type Delivery = NoSink;

    fn by_network(&self, _: IpAddr) -> Option<&'static str> {
        None
    }

    fn by_certificate(&self, _: &PeerCertificate) -> Option<&'static str> {
        None
    }

    async fn login(&self, _: &str, _: &str) -> Result<&'static str, Refusal> {
        Err(Refusal::BadCredentials)
    }

    fn postmaster(&self) -> Option<Address> {
        Address::parse("ops@beta.example").ok()
    }

    fn is_own(&self, domain: &str) -> bool {
        domain == "notices.example"
    }

    fn mail(
        &self,
        identity: Option<&&'static str>,
        _: &Circumstance<'_>,
        from: &ReversePath,
    ) -> Result<(), Refusal> {
        match (identity, from) {
            (None, ReversePath::Address(from)) if from.local() == "stranger" => {
                Err(Refusal::NotProved("log in".into()))
            }
            _ => Ok(()),
        }
    }

    fn recipient(
        &self,
        _: Option<&&'static str>,
        _: &Circumstance<'_>,
        _: &ReversePath,
        to: &Address,
    ) -> Result<&'static str, Refusal> {
        match (to.local(), to.domain()) {
            ("nobody", _) => Err(Refusal::UnknownRecipient("no such mailbox".into())),
            (_, "outside.example") => Ok("relay"),
            _ => Ok("case"),
        }
    }

    async fn open(
        &self,
        _: Option<&&'static str>,
        _: &Circumstance<'_>,
        _: Transaction<&'static str>,
    ) -> Result<NoSink, Refusal> {
        Err(Refusal::StoreFull)
    }
}

impl Delivery for NoSink {
    async fn chunk(&mut self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    async fn close(self) -> Result<String, Refusal> {
        Ok(String::new())
    }
}

const LIMITS: fn() -> Limits = || Limits {
    recipients: 2,
    errors: 3,
    idle_commands: 50,
    failed_logins: 1,
    message_size: 1000,
    ..Limits::default()
};

fn options(limits: Limits) -> Arc<Options> {
    let options = Options::new("test", Hostname::parse("mx.example").unwrap(), Security::Plain);
    Arc::new(Options { limits, identities: Identities::all(), ..options })
}

fn start(channel: Channel, limits: Limits) -> Session<Guards> {
    Session::greet(options(limits), [192, 0, 2, 1].into(), channel, Vouched::Nobody).0
}

const OPEN: Channel = Channel::Plain { starttls: Offer::Offered, login: Offer::Offered };

fn say(session: Session<Guards>, line: &str) -> Step<Guards> {
    session.line(format!("{line}\r\n").as_bytes(), &Guards)
}

/// Says lines that must not end the session.
fn after(lines: &[&str]) -> Session<Guards> {
    lines.iter().fold(start(OPEN, LIMITS()), |session, line| match say(session, line) {
        Step::Settled(Settled::Next(session, _)) => session,
        other => panic!("{line}: {}", told(&other)),
    })
}

fn place(session: &Session<Guards>) -> &'static str {
    match &session.phase {
        Phase::Login(..) => "login",
        Phase::Confirming(..) => "confirming",
        Phase::Commands(State::Fresh) => "fresh",
        Phase::Commands(State::Idle(Hello { greeting: Greeting::Ehlo, .. })) => "idle",
        Phase::Commands(State::Idle(Hello { greeting: Greeting::Helo, .. })) => "idle after HELO",
        Phase::Commands(State::Begun(_)) => "begun",
        Phase::Commands(State::Addressed(_)) => "addressed",
        Phase::Commands(State::Chunked(..)) => "chunked",
    }
}

fn told(step: &Step<Guards>) -> String {
    match step {
        Step::Settled(settled) => said(settled),
        Step::Skip(octets, settled) => format!("skip {octets} {}", said(settled)),
        Step::StartTls(_, reply) => format!("{} handshake", reply.code()),
        Step::Login(_, credentials) => format!("verify {}", *credentials.user),
        Step::Proof(_, proof) => format!("verify {}", proof.user),
        Step::Open(_, transaction, carriage) => {
            let how = match carriage {
                Carriage::Data => "open",
                Carriage::Chunks(_) => "chunk",
            };
            let Transaction { class, envelope, announced } = transaction;
            format!("{how} {class} for {} of {announced:?}", envelope.recipients.len())
        }
        Step::Chunk(_, _, chunk) => format!("chunk of {}", chunk.octets),
    }
}

fn said(settled: &Settled<Guards>) -> String {
    match settled {
        Settled::Next(session, reply) => format!("{} {}", reply.code(), place(session)),
        Settled::Close(reply, _) => format!("{} closed", reply.code()),
    }
}

const MAIL: &str = "MAIL FROM:<a@b.example> SIZE=10";
const RCPT: &str = "RCPT TO:<et@beta.example>";
const PLAIN: &str = "AUTH PLAIN AGFkYQBzZWNyZXQ=";

#[test]
fn every_state_answers_every_command() {
    let states: [&[&str]; 5] = [&[], &["EHLO c"], &["HELO c"], &["EHLO c", MAIL], &["EHLO c", MAIL, RCPT]];
    let table: [(&str, [&str; 5]); 19] = [
        ("EHLO c", ["250 idle", "250 idle", "250 idle", "250 idle", "250 idle"]),
        ("HELO c", ["250 idle after HELO"; 5]),
        (MAIL, ["503 fresh", "250 begun", "555 idle after HELO", "503 begun", "503 addressed"]),
        ("MAIL FROM:<>", ["503 fresh", "250 begun", "250 begun", "503 begun", "503 addressed"]),
        (RCPT, ["503 fresh", "503 idle", "503 idle after HELO", "250 addressed", "250 addressed"]),
        (
            "RCPT TO:<nobody@beta.example>",
            ["503 fresh", "503 idle", "503 idle after HELO", "550 begun", "550 addressed"],
        ),
        (
            "RCPT TO:<postmaster>",
            ["503 fresh", "503 idle", "503 idle after HELO", "250 addressed", "250 addressed"],
        ),
        (
            "DATA",
            ["503 fresh", "503 idle", "503 idle after HELO", "554 begun", "open case for 1 of Some(10)"],
        ),
        ("RSET", ["250 fresh", "250 idle", "250 idle after HELO", "250 idle", "250 idle"]),
        ("NOOP", ["250 fresh", "250 idle", "250 idle after HELO", "250 begun", "250 addressed"]),
        ("VRFY x", ["252 fresh", "252 idle", "252 idle after HELO", "252 begun", "252 addressed"]),
        ("HELP", ["214 fresh", "214 idle", "214 idle after HELO", "214 begun", "214 addressed"]),
        ("QUIT", ["221 closed"; 5]),
        ("STARTTLS", ["220 handshake"; 5]),
        (PLAIN, ["503 fresh", "verify ada", "verify ada", "503 begun", "503 addressed"]),
        (
            "BDAT 5 LAST",
            [
                "skip 5 503 fresh",
                "skip 5 503 idle",
                "skip 5 503 idle after HELO",
                "skip 5 554 begun",
                "chunk case for 1 of Some(10)",
            ],
        ),
        (
            "BDAT 5 FIRST",
            [
                "skip 5 501 fresh",
                "skip 5 501 idle",
                "skip 5 501 idle after HELO",
                "skip 5 501 begun",
                "skip 5 501 addressed",
            ],
        ),
        ("BDAT x", ["501 closed"; 5]),
        ("XYZZY", ["500 fresh", "500 idle", "500 idle after HELO", "500 begun", "500 addressed"]),
    ];
    for (line, expected) in table {
        for (lines, expected) in states.iter().zip(expected) {
            assert_eq!(told(&say(after(lines), line)), expected, "{line} after {lines:?}");
        }
    }
}

#[test]
fn a_challenge_is_answered_not_commanded() {
    let asked = || after(&["EHLO c", "AUTH LOGIN"]);
    assert_eq!(told(&say(asked(), "*")), "501 idle");
    assert_eq!(told(&say(asked(), "QUIT")), "334 login", "QUIT is base64");
    assert_eq!(told(&say(asked(), "MAIL FROM:<>")), "501 idle");
    assert_eq!(told(&say(asked(), "YWRh")), "334 login");
    assert_eq!(told(&say(after(&["EHLO c", "AUTH LOGIN YWRh"]), "c2VjcmV0")), "verify ada");
}

#[test]
fn a_password_needs_tls_and_a_login_is_for_once() {
    let bare = Channel::Plain { starttls: Offer::Offered, login: Offer::Withheld };
    let Step::Settled(Settled::Next(session, _)) = say(start(bare, LIMITS()), "EHLO c") else {
        panic!("EHLO is welcome")
    };
    assert_eq!(told(&say(session, PLAIN)), "538 idle");
    let Step::Login(verifying, _) = say(after(&["EHLO c"]), PLAIN) else { panic!("verifies") };
    let Settled::Next(session, reply) = verifying.proved("ada") else { panic!("goes on") };
    assert_eq!(reply.code(), 235);
    assert_eq!(told(&say(session, PLAIN)), "503 idle");
}

#[test]
fn a_sender_is_refused_until_somebody_vouches() {
    let stranger = "MAIL FROM:<stranger@b.example>";
    assert_eq!(told(&say(after(&["EHLO c"]), stranger)), "550 idle");
    let Step::Login(verifying, _) = say(after(&["EHLO c"]), PLAIN) else { panic!("verifies") };
    let Settled::Next(session, _) = verifying.proved("ada") else { panic!("goes on") };
    assert_eq!(told(&say(session, stranger)), "250 begun");
}

#[test]
fn tls_forgets_everything_but_the_errors() {
    let Step::StartTls(securing, _) = say(after(&["EHLO c", "X", "X", MAIL, RCPT]), "STARTTLS") else {
        panic!("starts")
    };
    let session = securing.fresh(Channel::Encrypted(None), Vouched::Nobody);
    assert_eq!(place(&session), "fresh");
    let Step::Settled(Settled::Next(session, _)) = say(session, "STARTTLS") else { panic!("goes on") };
    assert_eq!(told(&say(session, "X")), "421 closed");
}

#[test]
fn budgets_end_the_session() {
    assert_eq!(told(&say(after(&["X", "X", "X"]), "X")), "421 closed");
    let mut session = after(&["EHLO c"]);
    for _ in 0..49 {
        let Step::Settled(Settled::Next(next, _)) = say(session, "NOOP") else { panic!("goes on") };
        session = next;
    }
    assert_eq!(told(&say(session, "NOOP")), "421 closed");
    let limits = Limits { transactions: 0, ..LIMITS() };
    let Step::Settled(Settled::Next(session, _)) = say(start(OPEN, limits), "EHLO c") else {
        panic!("EHLO is welcome")
    };
    assert_eq!(told(&say(session, MAIL)), "421 closed");
}

#[test]
fn failed_logins_end_the_session() {
    let Step::Login(verifying, _) = say(after(&["EHLO c"]), PLAIN) else { panic!("verifies") };
    let Settled::Next(session, reply) = verifying.refused(Refusal::BadCredentials) else {
        panic!("one may fail")
    };
    assert_eq!(reply.code(), 535);
    let Step::Login(verifying, _) = say(session, PLAIN) else { panic!("verifies") };
    let Settled::Close(reply, Ending::Logins) = verifying.refused(Refusal::BadCredentials) else {
        panic!("two may not")
    };
    assert_eq!(reply.code(), 535);
}

#[test]
fn recipients_beyond_the_limit_are_put_off_without_being_errors() {
    let mut session = after(&["EHLO c", MAIL, RCPT, "RCPT TO:<x@beta.example>"]);
    for _ in 0..50 {
        let step = say(session, "RCPT TO:<y@beta.example>");
        assert_eq!(told(&step), "452 addressed");
        let Step::Settled(Settled::Next(next, _)) = step else { panic!("goes on") };
        session = next;
    }
    let step = say(session, RCPT);
    assert_eq!(told(&step), "250 addressed", "one that is there already is no other");
    let Step::Settled(Settled::Next(session, _)) = step else { panic!("goes on") };
    assert_eq!(told(&say(session, "DATA")), "open case for 2 of Some(10)");
}

#[test]
fn a_message_brings_back_patience_and_a_refused_one_ends_its_transaction() {
    let Step::Open(opening, ..) = say(after(&["EHLO c", MAIL, RCPT]), "DATA") else { panic!("opens") };
    let Settled::Next(session, reply) = opening.refused(Refusal::StoreFull) else { panic!("goes on") };
    assert_eq!((reply.code(), place(&session)), (452, "idle"));
    let Step::Open(opening, ..) = say(after(&["EHLO c", MAIL, RCPT]), "DATA") else { panic!("opens") };
    let (receiving, reply) = opening.opened();
    assert_eq!(reply.code(), 354);
    let Settled::Next(session, reply) = receiving.stored("secured".into()) else { panic!("goes on") };
    assert_eq!((reply.code(), place(&session)), (250, "idle"));
    assert_eq!(session.peer.patience.idle_commands, 50);
}

#[test]
fn sizes_and_characters_beyond_what_was_said_are_refused() {
    assert_eq!(told(&say(after(&["EHLO c"]), "MAIL FROM:<a@b.example> SIZE=1001")), "552 idle");
    let umlaut = "RCPT TO:<gr\u{fc}n@beta.example>";
    assert_eq!(told(&say(after(&["EHLO c", MAIL]), umlaut)), "553 begun");
    let utf8 = "MAIL FROM:<a@b.example> SMTPUTF8";
    assert_eq!(told(&say(after(&["EHLO c", utf8]), umlaut)), "250 addressed");
}

/// A session between two chunks.
fn chunked() -> Session<Guards> {
    let Step::Open(opening, _, Carriage::Chunks(chunk)) = say(after(&["EHLO c", MAIL, RCPT]), "BDAT 2000")
    else {
        panic!("opens")
    };
    assert_eq!(opening.circumstance().protocol, "ESMTP");
    let chunks = Chunks { parcel: Parcel::new(Ok(NoSink)), lines: Counted::new(1000) };
    let Settled::Next(session, reply) = opening.begun().chunk_taken(chunks, chunk.octets) else {
        panic!("goes on")
    };
    assert_eq!(reply.code(), 250);
    session
}

#[test]
fn between_two_chunks_a_message_goes_on_or_is_forgotten() {
    for (line, expected) in [
        ("BDAT 7", "chunk of 7"),
        ("BDAT 0 LAST", "chunk of 0"),
        ("BDAT 7 FIRST", "skip 7 501 chunked"),
        ("BDAT x", "501 closed"),
        ("NOOP", "250 chunked"),
        ("VRFY x", "252 chunked"),
        ("DATA", "503 chunked"),
        (MAIL, "503 chunked"),
        (RCPT, "503 chunked"),
        (PLAIN, "503 chunked"),
        ("XYZZY", "500 chunked"),
        ("RSET", "250 idle"),
        ("EHLO c", "250 idle"),
        ("HELO c", "250 idle after HELO"),
        ("STARTTLS", "220 handshake"),
        ("QUIT", "221 closed"),
    ] {
        let session = chunked();
        assert_eq!(session.awaiting(), Awaiting::Chunk);
        assert_eq!(told(&say(session, line)), expected, "{line}");
    }
}

#[test]
fn a_refused_chunk_is_one_error_however_many_follow() {
    let mut session = chunked();
    for number in 0..50 {
        let Step::Chunk(receiving, chunks, _) = say(session, "BDAT 2000") else { panic!("a chunk") };
        let settled = match number {
            0 => receiving.chunk_refused(chunks, Refusal::StoreFull),
            _ => receiving.chunk_refused_again(chunks, Refusal::StoreFull),
        };
        let Settled::Next(next, reply) = settled else { panic!("goes on") };
        assert_eq!((reply.code(), place(&next)), (452, "chunked"));
        session = next;
    }
    let Step::Chunk(receiving, ..) = say(session, "BDAT 0 LAST") else { panic!("a chunk") };
    let Settled::Next(session, reply) = receiving.refused_again(Refusal::StoreFull) else {
        panic!("goes on")
    };
    assert_eq!((reply.code(), place(&session), session.peer.patience.errors), (452, "idle", 2));
}

#[test]
fn the_postmaster_of_every_own_domain_is_one_reader() {
    for own in ["postmaster", "Postmaster@mx.example", "POSTMASTER@notices.example"] {
        let Step::Open(_, transaction, _) =
            say(after(&["EHLO c", MAIL, &format!("RCPT TO:<{own}>")]), "DATA")
        else {
            panic!("{own}")
        };
        assert_eq!(transaction.envelope.recipients[0].address.to_string(), "ops@beta.example", "{own}");
    }
    for other in ["postmaster@outside.example", "post@mx.example"] {
        let Step::Open(_, transaction, _) =
            say(after(&["EHLO c", MAIL, &format!("RCPT TO:<{other}>")]), "DATA")
        else {
            continue;
        };
        assert_eq!(transaction.envelope.recipients[0].address.to_string(), other);
    }
}

#[test]
fn a_certificate_that_is_taken_back_brings_no_further_mail() {
    certs::install_provider();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let client = authority.issue_client("mail.alpha.example").unwrap();
    let identity = Arc::new(identity(folder.path(), &authority));
    let der = CertificateDer::from_pem_slice(client.certificate_pem.as_bytes()).unwrap();
    let certificate = Box::new(PeerCertificate::parse(&der).unwrap());
    let options =
        Options::new("test", Hostname::parse("mx.example").unwrap(), Security::Implicit(identity.clone()));
    let channel = Channel::Encrypted(Some(certificate));
    let (mut session, _) =
        Session::<Guards>::greet(options.into(), [192, 0, 2, 1].into(), channel, Vouched::Channel("ada"));
    for (line, code) in [("EHLO c", 250), (MAIL, 250), ("RSET", 250)] {
        let Step::Settled(Settled::Next(next, reply)) = say(session, line) else { panic!("{line}") };
        assert_eq!(reply.code(), code, "{line}");
        session = next;
    }
    authority.revoke(&client.serial, Reason::KeyCompromise).unwrap();
    identity.reload().unwrap();
    assert_eq!(told(&say(session, MAIL)), "550 idle");
}

/// A server whose clients this authority certifies.
fn identity(folder: &Path, authority: &Authority) -> ServerIdentity {
    let server = authority.issue_server(&["mx.example".to_owned()]).unwrap();
    let [certificate, key, ca] =
        ["server.pem", "server-key.pem", "clients.pem"].map(|name| folder.join(name));
    std::fs::write(&certificate, &server.certificate_pem).unwrap();
    std::fs::write(&key, server.key_pem.as_bytes()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&ca, authority.ca_pem()).unwrap();
    let revoked = Some(authority.revocation_list());
    let files = ServerFiles { certificate, key, client_ca: Some(ca), revoked, public: None };
    ServerIdentity::open(files).unwrap()
}

#[test]
fn recipients_of_two_classes_do_not_share_a_transaction() {
    let session = after(&["EHLO c", MAIL, "RCPT TO:<bob@outside.example>", RCPT, "RCPT TO:<postmaster>"]);
    assert_eq!(session.peer.patience.errors, 3, "not the peer's error");
    assert_eq!(told(&say(session, "DATA")), "open relay for 1 of Some(10)");
}

#[test]
fn a_proof_counts_once_the_peer_has_seen_the_servers() {
    let confirming = || {
        let Step::Login(verifying, _) = say(after(&["EHLO c"]), PLAIN) else { panic!("verifies") };
        let Settled::Next(session, reply) = verifying.signed("ada", b"signature") else { panic!("goes on") };
        assert_eq!((reply.code(), place(&session)), (334, "confirming"));
        session
    };
    assert_eq!(told(&say(confirming(), "*")), "501 idle");
    assert_eq!(told(&say(confirming(), "NOOP")), "501 idle");
    let Step::Settled(Settled::Next(session, reply)) = say(confirming(), "") else { panic!("goes on") };
    assert_eq!((reply.code(), session.peer.identity()), (235, Some(&"ada")));
}
