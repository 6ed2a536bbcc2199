//! A mail server for tests: it behaves, except where it is told how not to. It keeps what it was given.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What a server does instead of what it should.
#[derive(Clone)]
pub(super) enum Act {
    Say(Vec<u8>),
    /// And closes.
    SayLast(&'static [u8]),
    Silence,
    Close,
    /// The same bytes without end.
    Endless(&'static [u8]),
}

/// How a server behaves. Steps: `GREETING`, a verb in capitals, a whole `RCPT` line, `LINE` for a line of a login, `END`; `TLS EHLO` and the
/// like once the connection is encrypted.
#[derive(Clone, Default)]
pub(super) struct Manner {
    acts: HashMap<&'static str, Act>,
    offers: Vec<&'static str>,
    encrypted_offers: Vec<&'static str>,
    tls: Option<Arc<ServerConfig>>,
    name: Option<&'static str>,
    behind_starttls: &'static [u8],
}

impl Manner {
    /// Offers STARTTLS, and a login once it is encrypted.
    pub(super) fn encrypting(tls: Arc<ServerConfig>) -> Self {
        Self {
            tls: Some(tls),
            offers: vec!["STARTTLS"],
            encrypted_offers: vec!["AUTH PLAIN LOGIN", "SIZE 1000000", "8BITMIME", "DSN"],
            ..Self::default()
        }
    }

    pub(super) fn says(mut self, step: &'static str, reply: &str) -> Self {
        self.acts.insert(step, Act::Say(format!("{reply}\r\n").into_bytes()));
        self
    }

    pub(super) fn acts(mut self, step: &'static str, act: Act) -> Self {
        self.acts.insert(step, act);
        self
    }

    pub(super) fn offers(mut self, offers: &[&'static str]) -> Self {
        self.offers = offers.to_vec();
        self
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Bytes in clear in the same packet as the 220 of STARTTLS.
    pub(super) fn injecting(mut self, bytes: &'static [u8]) -> Self {
        self.behind_starttls = bytes;
        self
    }
}

/// What one or more servers saw, in order.
#[derive(Clone, Default)]
pub(super) struct Seen {
    lines: Arc<Mutex<Vec<String>>>,
    mails: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Seen {
    /// Commands; those that came encrypted begin with `TLS `.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(super) fn mails(&self) -> Vec<Vec<u8>> {
        self.mails.lock().unwrap().clone()
    }

    pub(super) fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }

    fn line(&self, encrypted: bool, line: &str) {
        let mark = if encrypted { "TLS " } else { "" };
        self.lines.lock().unwrap().push(format!("{mark}{line}"));
    }
}

/// A server that runs until it is dropped.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) seen: Seen,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn open(manner: Manner) -> Self {
        Self::at("127.0.0.1:0", manner).await
    }

    pub(super) async fn at(address: &str, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Seen::default();
        let task = tokio::spawn(serve(listener, manner, seen.clone()));
        Self { port, seen, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, manner: Manner, seen: Seen) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(session(stream, manner.clone(), seen.clone()));
    }
}

async fn session(stream: TcpStream, manner: Manner, seen: Seen) {
    seen.line(false, "CONNECT");
    let mut talk = Talk { stream, manner, seen, encrypted: false, held: Vec::new() };
    if talk.act("GREETING", "220 mx.example ESMTP").await.is_none() || talk.speak().await.is_none() {
        return;
    }
    let Talk { stream, manner, seen, .. } = talk;
    let Some(tls) = manner.tls.clone() else { return };
    if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
        let mut talk = Talk { stream, manner, seen, encrypted: true, held: Vec::new() };
        talk.speak().await;
    }
}

struct Talk<S> {
    stream: S,
    manner: Manner,
    seen: Seen,
    encrypted: bool,
    held: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Until TLS begins (`Some`) or the connection is over.
    async fn speak(&mut self) -> Option<()> {
        loop {
            let line = self.line().await?;
            self.seen.line(self.encrypted, &line);
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let reply = self.ehlo();
                    self.act("EHLO", &reply).await?;
                }
                "HELO" => self.act("HELO", "250 mx.example").await?,
                "STARTTLS" => {
                    let ready = [b"220 go\r\n".as_slice(), self.manner.behind_starttls].concat();
                    let told = self.manner.acts.contains_key("STARTTLS");
                    if told {
                        self.act("STARTTLS", "").await?;
                    } else {
                        self.stream.write_all(&ready).await.ok()?;
                        return Some(());
                    }
                }
                "AUTH" => self.act("AUTH", "235 2.7.0 welcome").await?,
                "MAIL" => self.act("MAIL", "250 2.1.0 ok").await?,
                "RCPT" => {
                    let whole = self.manner.acts.keys().find(|step| **step == line).copied();
                    self.act(whole.unwrap_or("RCPT"), "250 2.1.5 ok").await?;
                }
                "DATA" => {
                    self.act("DATA", "354 go").await?;
                    if !self.manner.acts.contains_key("DATA") {
                        let mail = self.data().await?;
                        self.seen.mails.lock().unwrap().push(mail);
                        self.act("END", "250 2.0.0 taken").await?;
                    }
                }
                "QUIT" => {
                    self.act("QUIT", "221 bye").await?;
                    return None;
                }
                _ => self.act("LINE", "500 what").await?,
            }
        }
    }

    fn ehlo(&self) -> String {
        let offers = if self.encrypted { &self.manner.encrypted_offers } else { &self.manner.offers };
        let lines: Vec<&str> =
            [self.manner.name.unwrap_or("mx.example")].into_iter().chain(offers.iter().copied()).collect();
        let last = lines.len() - 1;
        let line =
            |(place, line): (usize, &&str)| format!("250{}{line}", if place == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    async fn act(&mut self, step: &'static str, usual: &str) -> Option<()> {
        let encrypted = format!("TLS {step}");
        let act = self.manner.acts.get(encrypted.as_str()).filter(|_| self.encrypted);
        match act.or_else(|| self.manner.acts.get(step)).cloned() {
            None => self.stream.write_all(format!("{usual}\r\n").as_bytes()).await.ok(),
            Some(Act::Say(bytes)) => self.stream.write_all(&bytes).await.ok(),
            Some(Act::SayLast(bytes)) => {
                self.stream.write_all(bytes).await.ok()?;
                self.stream.shutdown().await.ok()?;
                None
            }
            Some(Act::Silence) => {
                // Until the client is tired of it.
                while self.stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {}
                None
            }
            Some(Act::Close) => None,
            Some(Act::Endless(bytes)) => {
                while self.stream.write_all(bytes).await.is_ok() {}
                None
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let line = self.until(b"\r\n").await?;
        Some(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned())
    }

    async fn data(&mut self) -> Option<Vec<u8>> {
        self.held.splice(0..0, *b"\r\n");
        let data = self.until(b"\r\n.\r\n").await?;
        let text = data[2..data.len() - 3].to_vec();
        Some(String::from_utf8(text).unwrap().replace("\r\n.", "\r\n").into_bytes())
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(place) = memchr::memmem::find(&self.held, end) {
                return Some(self.held.drain(..place + end.len()).collect());
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await {
                Ok(length) if length > 0 => self.held.extend_from_slice(&bytes[..length]),
                _ => return None,
            }
        }
    }
}
