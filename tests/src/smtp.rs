//! A small SMTP client (RFC 5321) over a plain socket. Sends exactly what it is told, also what no client should.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest wait for the server.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open connection.
pub struct Smtp {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// A server's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// The lines without code and separator, joined by line feeds.
    pub text: String,
}

impl Reply {
    /// The case references of `250 2.0.0 secured as case …`.
    pub fn references(&self) -> Vec<String> {
        let listed = self.text.strip_prefix("2.0.0 secured as case").filter(|_| self.code == 250);
        let listed = listed.unwrap_or_else(|| panic!("not secured: {} {}", self.code, self.text));
        listed.trim_start_matches('s').split(',').map(|reference| reference.trim().to_owned()).collect()
    }

    /// The only case reference.
    pub fn reference(&self) -> String {
        let mut references = self.references();
        assert_eq!(references.len(), 1, "{self:?}");
        references.remove(0)
    }

    /// Whether it begins as given, such as `550 5.1.1`.
    pub fn is(&self, start: &str) -> bool {
        format!("{} {}", self.code, self.text).starts_with(start)
    }
}

impl Smtp {
    /// Connects and reads the greeting.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::connect_within(address, PATIENCE)
    }

    /// As [`connect`](Self::connect), to a server that may be killed before it has taken the connection: then the
    /// kernel may leave this end open with nobody at the other.
    pub fn connect_within(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        if stream.local_addr()? == stream.peer_addr()? {
            // Nobody listens, and the kernel gave us the very port that we asked for: both ends are ours.
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut smtp = Self { stream, unread: Vec::new() };
        match smtp.reply()?.code {
            220 => smtp.stream.set_read_timeout(Some(PATIENCE))?,
            code => return Err(io::Error::other(format!("greeted with {code}"))),
        }
        Ok(smtp)
    }

    /// Connects and says EHLO.
    pub fn greet(address: SocketAddr) -> io::Result<Self> {
        let mut smtp = Self::connect(address)?;
        smtp.command("EHLO client.example")?;
        Ok(smtp)
    }

    /// Connects, says EHLO and logs in (RFC 4616); the listener must allow that on loopback.
    pub fn login(address: SocketAddr, user: &str, password: &str) -> io::Result<Self> {
        let mut smtp = Self::greet(address)?;
        let secret = STANDARD.encode(format!("\0{user}\0{password}"));
        match smtp.command(&format!("AUTH PLAIN {secret}"))? {
            Reply { code: 235, .. } => Ok(smtp),
            refused => Err(io::Error::other(format!("login refused: {refused:?}"))),
        }
    }

    /// Sends a command line and reads the reply.
    pub fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Sends bytes as they are, in one segment when they fit.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads one whole reply (RFC 5321 §4.2.1).
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let wrong = || io::Error::other(format!("not a reply: {line:?}"));
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, text: lines.join("\n") });
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut piece = [0; 4096];
        let count = self.stream.read(&mut piece)?;
        self.unread.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    /// Everything the server still says until it closes; an error when it does not close.
    pub fn rest(&mut self) -> io::Result<String> {
        loop {
            match self.more() {
                Ok(0) => break,
                Ok(_) => {}
                // A reset is an end, too.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                Err(error) => return Err(error),
            }
        }
        Ok(String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned())
    }

    /// MAIL, RCPT for each recipient, DATA: `354`, or the first refusal after RSET.
    pub fn begin(&mut self, from: &str, to: &[&str]) -> io::Result<Reply> {
        let mut commands = vec![format!("MAIL FROM:<{from}>")];
        commands.extend(to.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
        for command in commands {
            let reply = self.command(&command)?;
            if reply.code != 250 {
                self.command("RSET")?;
                return Ok(reply);
            }
        }
        self.command("DATA")
    }

    /// Delivers one mail and gives the answer to it, or to the command that was refused.
    pub fn deliver(&mut self, from: &str, to: &[&str], mail: &[u8]) -> io::Result<Reply> {
        let begun = self.begin(from, to)?;
        if begun.code != 354 {
            return Ok(begun);
        }
        // A server that refuses in the middle answers and closes: the answer counts, not the broken pipe.
        let sent = self.send(&stuffed(mail));
        match (self.reply(), sent) {
            (Ok(reply), _) => Ok(reply),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }
}

impl Smtp {
    /// The same in chunks (RFC 3030), cut where `cuts` says, all sent at once. Gives the last answer, or the first
    /// refusal.
    pub fn deliver_chunks(
        &mut self,
        from: &str,
        to: &[&str],
        mail: &[u8],
        cuts: &[usize],
    ) -> io::Result<Reply> {
        let mut commands = vec![format!("MAIL FROM:<{from}>")];
        commands.extend(to.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
        for command in commands {
            let reply = self.command(&command)?;
            if reply.code != 250 {
                return Ok(reply);
            }
        }
        let ends: Vec<_> = cuts.iter().copied().chain([mail.len()]).collect();
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let mut all = Vec::new();
        for (start, end) in starts.zip(&ends) {
            let last = if *end == mail.len() { " LAST" } else { "" };
            all.extend_from_slice(format!("BDAT {}{last}\r\n", end - start).as_bytes());
            all.extend_from_slice(&mail[start..*end]);
        }
        let sent = self.send(&all);
        let mut reply = self.reply()?;
        for _ in 1..ends.len() {
            if reply.code != 250 {
                return Ok(reply);
            }
            reply = self.reply()?;
        }
        sent.map(|()| reply)
    }
}

/// The mail as DATA carries it (RFC 5321 §4.5.2), end included.
pub fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 1024);
    let mut at_start = true;
    for (index, byte) in mail.iter().enumerate() {
        if at_start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        at_start = *byte == b'\n' && index > 0 && mail[index - 1] == b'\r';
    }
    if !at_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
