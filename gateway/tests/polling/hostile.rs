//! The hostile IMAP servers of the corpus (Poddebniak and others, "Why TLS Is Better Without STARTTLS", 2021), played
//! against a poller: nothing of a user or a mail in the clear, no hang, no panic. The scripts are read where they lie.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::imap::{Fault, Mailbox, Standing, Tls};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::notation::Value;
use crate::papers::{Flaw, Identity, Papers};
use crate::shelf::Shelf;
use crate::{PASSWORD, Running, USER, mailbox};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/protocol/hostile-servers");

/// One script, or a variant of it that its author left as a comment.
struct Script {
    name: String,
    value: Value,
}

/// What a client said in the clear.
type Heard = Arc<Mutex<Vec<u8>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_script_of_the_corpus_gets_anything_in_the_clear() {
    let papers = Arc::new(Papers::new());
    let scripts = scripts();
    assert!(scripts.len() > 75, "only {} scripts; is the corpus there?", scripts.len());
    let mut games = tokio::task::JoinSet::new();
    for script in scripts {
        for tls in [Tls::StartTls, Tls::Implicit] {
            let papers = Arc::clone(&papers);
            let (name, value) = (script.name.clone(), script.value.clone());
            games.spawn(async move { (format!("{name} {tls:?}"), play(&papers, value, tls).await) });
        }
    }
    let mut ends = BTreeMap::new();
    while let Some(game) = games.join_next().await {
        let (name, end) = game.expect("a game without a panic");
        ends.insert(name, end.map_or("watching", Fault::as_str));
    }
    for (name, end) in [
        ("testcases__imap__setup.ron StartTls", "watching"),
        ("testcases__imap__tls_setup.ron Implicit", "watching"),
        ("testcases__imap__UI_Spoofing__starttls__ok__01_alert.ron StartTls", "watching"),
        ("testcases__imap__Buffering__B_1.ron, starttls_response StartTls", "injection"),
        ("testcases__imap__Buffering__B_3.ron, starttls_response StartTls", "injection"),
        ("testcases__imap__Negotiation__P_1.ron StartTls", "preauthenticated"),
        ("testcases__imap__Negotiation__O_2.ron StartTls", "no-tls"),
        ("testcases__imap__Negotiation__O_4.ron StartTls", "timed-out"),
        ("testcases__imap__others__protocol__greeting__05_greeting_bye.ron StartTls", "closed"),
        ("testcases_extra__Certificate_Validation__imap__T_1.ron StartTls", "certificate"),
        ("testcases_extra__Certificate_Validation__imap__T_2.ron StartTls", "certificate"),
        ("testcases_extra__Certificate_Validation__imap__T_3.ron StartTls", "certificate"),
        ("testcases_extra__Certificate_Validation__imap__T_4.ron StartTls", "certificate"),
    ] {
        assert_eq!(ends.get(name), Some(&end), "{name}");
    }
}

/// Every IMAP script, and each of its commented lines as a script of its own.
fn scripts() -> Vec<Script> {
    let mut scripts = Vec::new();
    let folder = Path::new(SCRIPTS).read_dir().expect("the corpus beside the repository");
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains("__imap__") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let value = Value::parse(&text).unwrap_or_else(|| panic!("{name} cannot be read"));
        scripts.push(Script { name: name.clone(), value });
        for line in text.lines() {
            let Some(field) = line.trim().strip_prefix("//").map(str::trim) else { continue };
            let uncommented = text.replacen(line, field, 1);
            if let Some((key, _)) = field.split_once(':')
                && let Some(value) = Value::parse(&uncommented)
            {
                scripts.push(Script { name: format!("{name}, {key}"), value });
            }
        }
    }
    scripts
}

/// Plays one script until the poller has had enough; gives back what it says then.
async fn play(papers: &Papers, script: Value, tls: Tls) -> Option<Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let identity = papers.identity(flaw(&script));
    let heard = Heard::default();
    let server = tokio::spawn(serve(listener, script, identity, Arc::clone(&heard)));
    let shelf = Shelf::default();
    let mut mailbox: Mailbox = mailbox(papers, port);
    mailbox.server.tls = tls;
    mailbox.pace.command = Duration::from_millis(400);
    mailbox.pace.connect = Duration::from_millis(2000);
    let running = Running::start(&shelf, mailbox);
    shelf
        .until("an end", |shelf| shelf.standing().is_some_and(|standing| standing != Standing::Working))
        .await;
    running.end().await;
    server.abort();
    let heard = heard.lock().unwrap().clone();
    for secret in [USER, PASSWORD, "LOGIN", "AUTHENTICATE", "SELECT"] {
        let encoded = STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
        let text = String::from_utf8_lossy(&heard);
        assert!(!text.contains(secret) && !text.contains(&encoded), "in the clear: {text}");
    }
    shelf.fault()
}

fn flaw(script: &Value) -> Flaw {
    let certificate = script.field("cert").and_then(|cert| cert.field("crt_path")?.text());
    match certificate.map(|path| path.trim_start_matches("certs/")) {
        Some("example.org-self-signed.pem") => Flaw::SelfSigned,
        Some("example.org-unknown-root.pem") => Flaw::UnknownRoot,
        Some("other.example.org.pem") => Flaw::OtherName,
        Some("example.org-expired.pem") => Flaw::Expired,
        _ => Flaw::None,
    }
}

async fn serve(listener: TcpListener, script: Value, identity: Identity, heard: Heard) {
    let acceptor = TlsAcceptor::from(identity.server_config());
    let implicit = script.field("implicit_tls").and_then(Value::name) == Some("true");
    while let Ok((socket, _)) = listener.accept().await {
        let game = Game { script: &script, heard: &heard };
        let _closed = match implicit {
            true => match acceptor.accept(socket).await {
                Ok(tls) => game.speak(BufReader::new(tls), true, true).await.map(drop),
                Err(error) => Err(error),
            },
            false => game.upgrade(&acceptor, socket).await,
        };
    }
}

struct Game<'a> {
    script: &'a Value,
    heard: &'a Heard,
}

impl Game<'_> {
    async fn upgrade(&self, acceptor: &TlsAcceptor, socket: TcpStream) -> std::io::Result<()> {
        let Some(socket) = self.speak(BufReader::new(socket), false, true).await? else { return Ok(()) };
        let mut tls = acceptor.accept(socket.into_inner()).await?;
        if let Some(response) = self.script.field("response_after_tls").and_then(Value::text) {
            tls.write_all(response.as_bytes()).await?;
            tls.flush().await?;
        }
        self.speak(BufReader::new(tls), true, false).await.map(drop)
    }

    /// Speaks until the client leaves, or until it is time for TLS: then the stream comes back.
    async fn speak<S>(
        &self,
        mut stream: BufReader<S>,
        tls: bool,
        greet: bool,
    ) -> std::io::Result<Option<BufReader<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if greet {
            stream.write_all(self.greeting().as_bytes()).await?;
            stream.flush().await?;
        }
        let mut login = false;
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(None);
            }
            if !tls {
                self.heard.lock().unwrap().extend(&line);
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (tag, command) = text.split_once(' ').unwrap_or((&text, ""));
            let name = command.split(' ').next().unwrap_or_default().to_ascii_lowercase();
            if name == "authenticate" && tls {
                stream.write_all(b"+ \r\n").await?;
                stream.flush().await?;
                stream.read_until(b'\n', &mut line).await?;
            }
            login |= matches!(name.as_str(), "login" | "authenticate");
            let Some(answer) = self.answer(tag, &name, tls, login) else { continue };
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            if name == "starttls" && !tls && self.changes_to_tls() {
                return Ok(Some(stream));
            }
        }
    }

    fn greeting(&self) -> String {
        let raw = self.script.field("override_response").and_then(|answers| answers.field("greeting"));
        let greeting = match raw.and_then(Value::text) {
            Some(raw) => raw.to_owned(),
            None => {
                let greeting = self.script.field("greeting").expect("a greeting");
                let kind = greeting.field("kind").and_then(Value::name).unwrap_or("Ok").to_ascii_uppercase();
                let code = match greeting.field("code") {
                    Some(code) if code.name() == Some("Capability") => {
                        format!("[CAPABILITY {}] ", words(code))
                    }
                    Some(code) => format!("[{}] ", code.name().unwrap_or_default().to_ascii_uppercase()),
                    None => String::new(),
                };
                let text = greeting.field("text").and_then(Value::text).unwrap_or_default();
                format!("* {kind} {code}{text}\r\n")
            }
        };
        greeting + self.script.field("response_after_greeting").and_then(Value::text).unwrap_or_default()
    }

    fn answer(&self, tag: &str, name: &str, tls: bool, login: bool) -> Option<String> {
        let listed = |field| {
            self.script.field(field).is_some_and(|names| names.list().iter().any(|n| n.text() == Some(name)))
        };
        if listed("ignore_commands") || tls && listed("ignore_commands_tls") {
            return None;
        }
        if listed("hide_commands") {
            return Some(format!("{tag} BAD unknown command\r\n"));
        }
        let answers = self.script.field("override_response");
        if let Some(raw) = answers.and_then(|answers| answers.field(name)).and_then(Value::text) {
            return Some(raw.replace("<tag>", tag));
        }
        Some(match name {
            "capability" => {
                let field = match (tls, login) {
                    (false, false) => "caps",
                    (true, false) => "caps_tls",
                    (false, true) => "caps_auth",
                    (true, true) => "caps_tls_auth",
                };
                let list = self.script.field(field).map(words).unwrap_or_default();
                format!("* CAPABILITY {list}\r\n{tag} OK done\r\n")
            }
            "starttls" => match self.script.field("starttls_response").and_then(Value::text) {
                Some(raw) => raw.replace("<tag>", tag),
                None => format!("{tag} OK begin TLS now\r\n"),
            },
            "select" => {
                format!("* 0 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 1]\r\n{tag} OK done\r\n")
            }
            "idle" => "+ idling\r\n".to_owned(),
            _ => format!("{tag} OK done\r\n"),
        })
    }

    fn changes_to_tls(&self) -> bool {
        self.script.field("starttls_transition").and_then(Value::name) != Some("false")
    }
}

/// Capabilities as IMAP spells them.
fn words(list: &Value) -> String {
    let word = |value: &Value| match (value.name(), value.text()) {
        (Some("Imap4Rev1"), _) => "IMAP4rev1".to_owned(),
        (Some("LoginReferrals"), _) => "LOGIN-REFERRALS".to_owned(),
        (Some("MailboxReferrals"), _) => "MAILBOX-REFERRALS".to_owned(),
        (Some("Auth"), text) => format!("AUTH={}", text.unwrap_or_default().to_ascii_uppercase()),
        (_, text) => text.unwrap_or_default().to_ascii_uppercase(),
    };
    list.list().iter().map(word).collect::<Vec<_>>().join(" ")
}
