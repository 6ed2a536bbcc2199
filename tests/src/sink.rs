//! A smarthost that keeps what it is given in memory. It can be away, refuse for good, or lose its own answer.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::letter;

/// How it treats mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    Takes,
    /// 421 to everybody who connects, and to those who are there.
    Away,
    /// 450 to every recipient, those of Alpha apart.
    Busy,
    /// 554 to every mail.
    Refuses,
    /// Takes the mail and cuts the connection instead of answering.
    Forgets,
}

/// One mail with its envelope.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Taken {
    /// The first header field of that name, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        letter::header(&self.bytes, name)
    }
}

/// The smarthost. It ends with the test's process.
pub struct Sink {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Taken>>>,
    mood: Arc<AtomicU8>,
}

/// What else happens with a mail before the sender reads that it was taken.
type Reaction = dyn Fn(&Taken) + Send + Sync;

impl Sink {
    pub fn start() -> Self {
        Self::reacting(|_| ())
    }

    /// One that does something with each mail before it says that it has taken it.
    pub fn reacting(reaction: impl Fn(&Taken) + Send + Sync + 'static) -> Self {
        let reaction: Arc<Reaction> = Arc::new(reaction);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the sink");
        let address = listener.local_addr().expect("the sink's port");
        let mails: Arc<Mutex<Vec<Taken>>> = Arc::default();
        let mood = Arc::new(AtomicU8::new(Mood::Takes as u8));
        let (kept, moods) = (Arc::clone(&mails), Arc::clone(&mood));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, moods) = (Arc::clone(&kept), Arc::clone(&moods));
                let reaction = Arc::clone(&reaction);
                // A peer that is killed in the middle breaks its connection: nothing was taken then.
                thread::spawn(move || drop(serve(&stream, &kept, &moods, &*reaction)));
            }
        });
        Self { address, mails, mood }
    }

    pub fn becomes(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// Everything taken so far, oldest first.
    pub fn mails(&self) -> Vec<Taken> {
        self.mails.lock().expect("no connection panics").clone()
    }
}

fn serve(
    stream: &TcpStream,
    mails: &Mutex<Vec<Taken>>,
    mood: &AtomicU8,
    reaction: &Reaction,
) -> io::Result<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream);
    let is = |wanted: Mood| mood.load(Ordering::SeqCst) == wanted as u8;
    if is(Mood::Away) {
        return out.write_all(b"421 4.3.2 away\r\n");
    }
    out.write_all(b"220 sink.example\r\n")?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if is(Mood::Away) {
            return out.write_all(b"421 4.3.2 away\r\n");
        }
        let path = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "MAIL" => (from, to) = (path(), Vec::new()),
            "RCPT" if is(Mood::Busy) && !path().ends_with("@alpha.example") => {
                out.write_all(b"450 4.2.0 later, perhaps\r\n")?;
                continue;
            }
            "RCPT" => to.push(path()),
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let bytes = data(&mut lines)?;
                if is(Mood::Refuses) {
                    out.write_all(b"554 5.7.1 not here\r\n")?;
                    continue;
                }
                let taken = Taken { from: from.clone(), to: to.clone(), bytes };
                mails.lock().expect("no connection panics").push(taken.clone());
                reaction(&taken);
                if is(Mood::Forgets) {
                    return Ok(());
                }
            }
            "EHLO" => {
                out.write_all(b"250-sink.example\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n")?;
                continue;
            }
            "QUIT" => return out.write_all(b"221 2.0.0 bye\r\n"),
            _ => {}
        }
        out.write_all(b"250 2.0.0 ok\r\n")?;
    }
}

/// Up to the lone dot, dots unstuffed.
fn data(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
