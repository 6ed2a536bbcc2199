//! A mail server that does what a script says, and otherwise what it should. It keeps every command and every mail.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a server says and offers.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) greeting: Option<String>,
    /// Replies by verb in capitals or by a whole line, line ends included. `END` answers the final dot.
    pub(crate) replies: HashMap<String, String>,
    /// Verbs that it does not know.
    pub(crate) hidden: Vec<String>,
    pub(crate) offers: Vec<String>,
    pub(crate) encrypted_offers: Vec<String>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// One command, or one mail, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) encrypted: bool,
    pub(crate) line: String,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    heard: Arc<watch::Sender<Vec<Heard>>>,
    mails: watch::Receiver<Vec<Vec<u8>>>,
    connections: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn open(script: Script) -> Self {
        let listener = TcpListener::bind((super::HOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, mails) = watch::channel(Vec::new());
        let (counted, connections) = watch::channel(0);
        let heard = Arc::new(watch::Sender::new(Vec::new()));
        let log = Log { heard: Arc::clone(&heard), mails: Arc::new(taken) };
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(session(stream, script.clone(), log.clone()));
                counted.send_modify(|count| *count += 1);
            }
        });
        Self { port, heard, mails, connections, task }
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// The mails taken so far.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        self.mails.borrow().clone()
    }

    /// Until so many mails were taken.
    pub(crate) async fn has_taken(&self, mails: usize) {
        self.mails.clone().wait_for(|taken| taken.len() >= mails).await.unwrap();
    }

    /// Until a line was heard so often.
    pub(crate) async fn has_heard(&self, line: &str, times: u64) {
        let heard =
            |heard: &Vec<Heard>| heard.iter().filter(|heard| heard.line == line).count() as u64 >= times;
        self.heard.subscribe().wait_for(heard).await.unwrap();
    }

    /// Until somebody connected.
    pub(crate) async fn was_called(&self) {
        self.connections.clone().wait_for(|count| *count > 0).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Log {
    heard: Arc<watch::Sender<Vec<Heard>>>,
    mails: Arc<watch::Sender<Vec<Vec<u8>>>>,
}

async fn session(stream: TcpStream, script: Script, log: Log) {
    let mut talk = Talk { stream, script, log, encrypted: false, held: Vec::new() };
    let greeting = talk.script.greeting.clone().unwrap_or_else(|| "220 mx.example ESMTP\r\n".to_owned());
    if talk.write(&greeting).await.is_none() || talk.speak().await.is_none() {
        return;
    }
    let Talk { stream, script, log, .. } = talk;
    let Some(tls) = script.tls.clone() else { return };
    if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
        Talk { stream, script, log, encrypted: true, held: Vec::new() }.speak().await;
    }
}

struct Talk<S> {
    stream: S,
    script: Script,
    log: Log,
    encrypted: bool,
    held: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Until TLS begins (`Some`) or the connection is over.
    async fn speak(&mut self) -> Option<()> {
        loop {
            let line = self.until(b"\r\n").await?;
            let line = String::from_utf8_lossy(&line[..line.len() - 2]).into_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let whole = self.script.replies.get(&line).filter(|_| line.contains(' ')).cloned();
            self.log.heard.send_modify(|heard| heard.push(Heard { encrypted: self.encrypted, line }));
            if let Some(reply) = whole {
                self.write(&reply).await?;
                continue;
            }
            if self.script.hidden.contains(&verb) {
                self.write("500 what\r\n").await?;
                continue;
            }
            let told = self.script.replies.contains_key(&verb);
            match (verb.as_str(), told) {
                ("EHLO", false) => {
                    let offers = self.offers();
                    self.write(&offers).await?;
                }
                ("STARTTLS", _) if !self.encrypted && self.script.tls.is_some() => {
                    let ready = self.reply("STARTTLS", "220 go");
                    self.write(&ready).await?;
                    if ready.starts_with("220") {
                        return Some(());
                    }
                }
                ("DATA", false) => {
                    self.write("354 go\r\n").await?;
                    let mail = self.data().await?;
                    let end = self.reply("END", "250 taken");
                    self.write(&end).await?;
                    if end.starts_with('2') {
                        self.log.mails.send_modify(|mails| mails.push(mail));
                    }
                }
                ("QUIT", _) => {
                    let bye = self.reply("QUIT", "221 bye");
                    self.write(&bye).await?;
                    return None;
                }
                ("AUTH", _) => {
                    let welcome = self.reply("AUTH", "235 welcome");
                    self.write(&welcome).await?;
                }
                (verb, _) => {
                    let known = ["HELO", "MAIL", "RCPT", "RSET", "NOOP"].contains(&verb);
                    let reply = self.reply(verb, if known { "250 ok" } else { "500 what" });
                    self.write(&reply).await?;
                }
            }
        }
    }

    fn reply(&self, verb: &str, usual: &str) -> String {
        self.script.replies.get(verb).cloned().unwrap_or_else(|| format!("{usual}\r\n"))
    }

    fn offers(&self) -> String {
        let offers = if self.encrypted { &self.script.encrypted_offers } else { &self.script.offers };
        let more: String = offers.iter().map(|offer| format!("250-{offer}\r\n")).collect();
        format!("250-mx.example\r\n{more}250 HELP\r\n")
    }

    async fn write(&mut self, text: &str) -> Option<()> {
        self.stream.write_all(text.as_bytes()).await.ok()
    }

    /// Without the dots that were put in (RFC 5321 §4.5.2).
    async fn data(&mut self) -> Option<Vec<u8>> {
        self.held.splice(0..0, *b"\r\n");
        let data = self.until(b"\r\n.\r\n").await?;
        let mut mail = Vec::with_capacity(data.len());
        for line in data[2..data.len() - 3].split_inclusive(|byte| *byte == b'\n') {
            mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        Some(mail)
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 64 * 1024];
        let mut from = 0;
        loop {
            if let Some(place) = memchr::memmem::find(&self.held[from..], end) {
                return Some(self.held.drain(..from + place + end.len()).collect());
            }
            from = self.held.len().saturating_sub(end.len());
            match self.stream.read(&mut bytes).await {
                Ok(length) if length > 0 => self.held.extend_from_slice(&bytes[..length]),
                _ => return None,
            }
        }
    }
}
