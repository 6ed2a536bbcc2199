//! A small IMAP server: folders in memory, the commands that a poller gives, and manners that a test can change.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::papers::Identity;
use crate::shelf::Shelf;
use crate::{PASSWORD, USER};

pub(crate) const TOKEN: &str = "token-of-today";

#[derive(Clone)]
pub(crate) struct ImapServer {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    /// Counts everything that happens.
    news: watch::Sender<u64>,
    pub(crate) commands: Arc<AtomicU64>,
    shelf: Shelf,
}

pub(crate) struct State {
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) manners: Manners,
    /// Mails that were removed while they stood nowhere else.
    pub(crate) lost: Vec<Vec<u8>>,
    pub(crate) log: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Folder {
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    pub(crate) mails: BTreeMap<u32, Mail>,
}

#[derive(Clone, Default)]
pub(crate) struct Mail {
    pub(crate) octets: Vec<u8>,
    pub(crate) flags: Vec<String>,
}

/// How the server behaves.
#[derive(Clone)]
pub(crate) struct Manners {
    pub(crate) capabilities: String,
    /// What it says of the size of a mail.
    pub(crate) size: fn(usize) -> u64,
    /// Commands that it says NO to, by their beginning.
    pub(crate) refuses: Vec<&'static str>,
    /// Sent before the answer to a command that begins so; a tag in it is that of the command.
    pub(crate) before: Vec<(&'static str, Vec<u8>)>,
    /// Closes the connection in the middle of the answer to a command that begins so, once.
    pub(crate) cuts: Vec<(&'static str, usize)>,
    /// Says where the folder ends.
    pub(crate) tells_uid_next: bool,
    /// Sends mails that were asked for together from the last to the first.
    pub(crate) backwards: bool,
    /// A mail that somebody removes when its first piece was sent.
    pub(crate) vanishes: Option<u32>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            capabilities: "IMAP4rev1 IDLE MOVE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2".to_owned(),
            size: |size| size as u64,
            refuses: Vec::new(),
            before: Vec::new(),
            cuts: Vec::new(),
            tells_uid_next: true,
            backwards: false,
            vanishes: None,
        }
    }
}

impl ImapServer {
    /// Starts one with an empty INBOX, under TLS from the first octet.
    pub(crate) async fn start(identity: &Identity, shelf: &Shelf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inbox = Folder { uid_validity: 7, uid_next: 1, mails: BTreeMap::new() };
        let state = State {
            folders: BTreeMap::from([("INBOX".to_owned(), inbox)]),
            manners: Manners::default(),
            lost: Vec::new(),
            log: Vec::new(),
        };
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new(Mutex::new(state)),
            news: watch::Sender::new(0),
            commands: Arc::default(),
            shelf: shelf.clone(),
        };
        let acceptor = TlsAcceptor::from(identity.server_config());
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (server, acceptor) = (serving.clone(), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(tls) = acceptor.accept(socket).await {
                        let _closed = Conversation::new(server, tls).run().await;
                    }
                });
            }
        });
        server
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.news.send_modify(|version| *version += 1);
    }

    /// Somebody delivers a mail.
    pub(crate) fn deliver(&self, octets: &[u8]) -> u32 {
        let mut uid = 0;
        self.change(|state| {
            uid = state.folders.get_mut("INBOX").unwrap().add(octets.to_vec(), Vec::new());
        });
        uid
    }

    pub(crate) fn inbox(&self) -> Vec<u32> {
        self.state().folders["INBOX"].mails.keys().copied().collect()
    }

    /// What was said by the client, without tags.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// Waits until this is so.
    pub(crate) async fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        let mut news = self.news.subscribe();
        let wait = async {
            while !so(self) {
                news.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), wait).await;
        assert!(waited.is_ok(), "never: {what}; {:?}", self.log());
    }
}

impl Folder {
    fn add(&mut self, octets: Vec<u8>, flags: Vec<String>) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.mails.insert(uid, Mail { octets, flags });
        uid
    }
}

struct Conversation<S> {
    server: ImapServer,
    stream: BufReader<S>,
    folder: Option<String>,
    /// What the client was told of the folder.
    told: usize,
}

type Closed = std::io::Result<()>;

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    fn new(server: ImapServer, stream: S) -> Self {
        Self { server, stream: BufReader::new(stream), folder: None, told: 0 }
    }

    async fn run(mut self) -> Closed {
        self.stream.write_all(b"* OK ready {5}\r\n").await?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            self.server.commands.fetch_add(1, Ordering::SeqCst);
            self.server.change(|state| state.log.push(command.to_owned()));
            let mut answer = self.before(tag, command);
            match self.refusal(command) {
                Some(refusal) => answer.extend(format!("{tag} {refusal}\r\n").bytes()),
                None => match command.split(' ').next().unwrap_or_default() {
                    "AUTHENTICATE" => answer.extend(self.authenticate(tag, command).await?),
                    "IDLE" => {
                        self.stream.write_all(&answer).await?;
                        self.idle(tag).await?;
                        continue;
                    }
                    _ => answer.extend(self.answer(tag, command)),
                },
            }
            if let Some(at) = self.cut(command) {
                self.stream.write_all(&answer[..at.min(answer.len())]).await?;
                return self.stream.flush().await;
            }
            self.stream.write_all(&answer).await?;
            self.stream.flush().await?;
        }
    }

    fn before(&self, tag: &str, command: &str) -> Vec<u8> {
        let state = self.server.state();
        let fitting = state.manners.before.iter().filter(|(start, _)| command.starts_with(start));
        let text: Vec<u8> = fitting.flat_map(|(_, octets)| octets.clone()).collect();
        match std::str::from_utf8(&text) {
            Ok(text) => text.replace("<tag>", tag).into_bytes(),
            Err(_) => text,
        }
    }

    fn refusal(&self, command: &str) -> Option<&'static str> {
        let state = self.server.state();
        let refused = state.manners.refuses.iter().any(|start| command.starts_with(start));
        refused.then_some("NO [ALERT] not for you")
    }

    fn cut(&self, command: &str) -> Option<usize> {
        let cuts = &mut self.server.state().manners.cuts;
        let at = cuts.iter().position(|(start, _)| command.starts_with(start))?;
        Some(cuts.remove(at).1)
    }

    async fn authenticate(&mut self, tag: &str, command: &str) -> std::io::Result<Vec<u8>> {
        self.stream.write_all(b"+ \r\n").await?;
        self.stream.flush().await?;
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let said = String::from_utf8(STANDARD.decode(line.trim_end()).unwrap()).unwrap();
        let fits = match command {
            "AUTHENTICATE PLAIN" => said == format!("\0{USER}\0{PASSWORD}"),
            _ => said == format!("user={USER}\x01auth=Bearer {TOKEN}\x01\x01"),
        };
        if fits {
            return Ok(format!("{tag} OK [CAPABILITY IMAP4rev1] welcome\r\n").into_bytes());
        }
        if command == "AUTHENTICATE XOAUTH2" {
            // The server explains itself, and waits for an empty answer.
            self.stream.write_all(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n").await?;
            self.stream.flush().await?;
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            assert_eq!(line, "\r\n");
        }
        Ok(format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n").into_bytes())
    }

    /// Everything else, which needs no further word of the client.
    fn answer(&mut self, tag: &str, command: &str) -> Vec<u8> {
        let words: Vec<&str> = command.split(' ').collect();
        let told = match words.as_slice() {
            ["CAPABILITY"] => format!("* CAPABILITY {}\r\n", self.server.state().manners.capabilities),
            ["LOGIN", ..] => String::new(),
            ["CREATE", name] => {
                let folder = Folder { uid_validity: 1, uid_next: 1, mails: BTreeMap::new() };
                self.server.state().folders.insert(name.trim_matches('"').to_owned(), folder);
                String::new()
            }
            ["SELECT", name] => match self.select(name.trim_matches('"')) {
                Some(told) => told,
                None => return format!("{tag} NO no such folder\r\n").into_bytes(),
            },
            ["UID", "FETCH", set, "(UID", "RFC822.SIZE", "FLAGS)"] => self.listing(set),
            ["UID", "FETCH", set, "(UID", piece] => return self.pieces(tag, set, piece),
            ["UID", "STORE", set, "+FLAGS.SILENT", ..] => {
                let flags = command.split_once('(').unwrap().1.trim_end_matches(')');
                let server = self.server.clone();
                for (_, mail) in
                    self.open(&mut server.state()).mails.iter_mut().filter(|(uid, _)| within(set, **uid))
                {
                    mail.flags.extend(flags.split(' ').map(str::to_owned));
                }
                String::new()
            }
            ["UID", "EXPUNGE", set] => {
                let deleted = |mail: &Mail| mail.flags.iter().any(|flag| flag == "\\Deleted");
                self.remove(|uid, mail| within(set, uid) && deleted(mail))
            }
            ["UID", verb @ ("MOVE" | "COPY"), set, name] => {
                if !self.copy(set, name.trim_matches('"')) {
                    return format!("{tag} NO [TRYCREATE] make it\r\n").into_bytes();
                }
                match *verb {
                    "COPY" => String::new(),
                    _ => format!(
                        "* OK [COPYUID 1 {set} 1] moved\r\n{}",
                        self.remove(|uid, _| within(set, uid))
                    ),
                }
            }
            _ => return format!("{tag} BAD what?\r\n").into_bytes(),
        };
        format!("{told}{tag} OK done\r\n").into_bytes()
    }

    fn select(&mut self, name: &str) -> Option<String> {
        let server = self.server.clone();
        let state = server.state();
        let folder = state.folders.get(name)?;
        let next = match state.manners.tells_uid_next {
            true => format!("* OK [UIDNEXT {}] next\r\n", folder.uid_next),
            false => String::new(),
        };
        self.told = folder.mails.len();
        self.folder = Some(name.to_owned());
        let (exists, validity) = (self.told, folder.uid_validity);
        Some(format!(
            "* FLAGS (\\Seen)\r\n* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] valid\r\n{next}"
        ))
    }

    fn listing(&self, set: &str) -> String {
        let mut state = self.server.state();
        let size = state.manners.size;
        let mails = self.open(&mut state).mails.iter().enumerate();
        mails
            .filter(|(_, (uid, _))| within(set, **uid))
            .map(|(number, (uid, mail))| {
                let (number, flags, size) = (number + 1, mail.flags.join(" "), size(mail.octets.len()));
                format!("* {number} FETCH (UID {uid} RFC822.SIZE {size} FLAGS ({flags}))\r\n")
            })
            .collect()
    }

    /// False if there is no such folder.
    fn copy(&self, set: &str, name: &str) -> bool {
        let mut state = self.server.state();
        if !state.folders.contains_key(name) {
            return false;
        }
        let mails = self.open(&mut state).mails.iter().filter(|(uid, _)| within(set, **uid));
        let mails: Vec<Mail> = mails.map(|(_, mail)| mail.clone()).collect();
        let folder = state.folders.get_mut(name).unwrap();
        for mail in mails {
            folder.add(mail.octets, mail.flags);
        }
        true
    }

    fn open<'a>(&self, state: &'a mut State) -> &'a mut Folder {
        state.folders.get_mut(self.folder.as_deref().unwrap_or("INBOX")).unwrap()
    }

    fn pieces(&mut self, tag: &str, set: &str, piece: &str) -> Vec<u8> {
        let server = self.server.clone();
        let mut state = server.state();
        let range = piece.strip_prefix("BODY.PEEK[]<").unwrap().strip_suffix(">)").unwrap();
        let (offset, length) = range.split_once('.').unwrap();
        let (offset, length): (usize, usize) = (offset.parse().unwrap(), length.parse().unwrap());
        let mut answer = Vec::new();
        let backwards = state.manners.backwards;
        let mut mails: Vec<_> = self.open(&mut state).mails.iter().collect();
        if backwards {
            mails.reverse();
        }
        for (uid, mail) in mails {
            if within(set, *uid) {
                let rest = mail.octets.get(offset..).unwrap_or_default();
                let octets = &rest[..rest.len().min(length)];
                let head = format!("* 1 FETCH (UID {uid} BODY[]<{offset}> {{{}}}\r\n", octets.len());
                answer.extend(head.bytes());
                answer.extend(octets);
                answer.extend(b" FLAGS (\\Recent))\r\n");
            }
        }
        if let Some(uid) = state.manners.vanishes.take_if(|uid| within(set, *uid)) {
            self.open(&mut state).mails.remove(&uid);
            self.told -= 1;
            answer.extend(b"* 1 EXPUNGE\r\n");
        }
        answer.extend(format!("{tag} OK done\r\n").bytes());
        answer
    }

    /// Whatever the poller removes must be on the shelf by then.
    fn remove(&mut self, which: impl Fn(u32, &Mail) -> bool) -> String {
        let server = self.server.clone();
        let mut state = server.state();
        let gone: Vec<Mail> = self
            .open(&mut state)
            .mails
            .extract_if(.., |uid, mail| which(*uid, mail))
            .map(|(_, mail)| mail)
            .collect();
        self.told -= gone.len();
        let count = gone.len();
        for mail in gone {
            let refused = mail.octets.starts_with(b"Subject: refuse me");
            if !refused && !server.shelf.holds(&mail.octets) {
                state.lost.push(mail.octets);
            }
        }
        "* 1 EXPUNGE\r\n".repeat(count)
    }

    /// Tells of new mails until the client has enough.
    async fn idle(&mut self, tag: &str) -> Closed {
        self.stream.write_all(b"+ idling\r\n").await?;
        self.stream.flush().await?;
        let mut news = self.server.news.subscribe();
        let mut line = Vec::new();
        loop {
            let count = self.open(&mut self.server.state()).mails.len();
            if count > self.told {
                self.stream.write_all(format!("* {count} EXISTS\r\n").as_bytes()).await?;
                self.stream.flush().await?;
            }
            self.told = count;
            tokio::select! {
                changed = news.changed() => changed.unwrap(),
                octet = self.stream.read_u8() => {
                    line.push(octet?);
                    if line.ends_with(b"\r\n") {
                        break;
                    }
                }
            }
        }
        assert_eq!(line, b"DONE\r\n");
        self.stream.write_all(format!("{tag} OK done\r\n").as_bytes()).await?;
        self.stream.flush().await
    }
}

/// Whether a set has this UID: numbers, ranges, `*` at the end.
fn within(set: &str, uid: u32) -> bool {
    set.split(',').any(|part| match part.split_once(':') {
        Some((first, "*")) => uid >= first.parse().unwrap(),
        Some((first, last)) => uid >= first.parse().unwrap() && uid <= last.parse().unwrap(),
        None => part.parse() == Ok(uid),
    })
}
