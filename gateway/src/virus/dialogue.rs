//! One `INSTREAM` dialogue with clamd (clamd(8)): chunks with their length in front, an empty one at the end, then one
//! answer. A connection serves one stream; the next has its own.

use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::{Clamd, Fault};

/// Bytes of an answer that are read; clamd's own are far shorter.
const LONGEST_ANSWER: usize = 4096;

/// Characters of a signature's name, or of a complaint, that reach a log.
const SHOWN: usize = 100;

/// A connection on which clamd waits for the rest of a stream.
pub(super) struct Dialogue {
    socket: Pin<Box<dyn Socket>>,
}

trait Socket: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Socket for T {}

/// What clamd says of a whole stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Clean,
    /// With the name of the signature.
    Found(String),
}

impl Dialogue {
    pub(super) async fn open(clamd: &Clamd) -> Result<Self, Fault> {
        let mut socket: Pin<Box<dyn Socket>> = match clamd {
            Clamd::Unix(path) => Box::pin(UnixStream::connect(path).await?),
            Clamd::Tcp(address) => Box::pin(TcpStream::connect(address).await?),
        };
        socket.write_all(b"zINSTREAM\0").await?;
        Ok(Self { socket })
    }

    /// Sends the next bytes. An empty chunk would end the stream, so none is sent.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for chunk in bytes.chunks(64 * 1024) {
            self.socket.write_all(&(chunk.len() as u32).to_be_bytes()).await?;
            self.socket.write_all(chunk).await?;
        }
        Ok(())
    }

    /// Ends the stream and waits for the answer.
    pub(super) async fn ask(&mut self) -> Result<Reply, Fault> {
        self.socket.write_all(&0_u32.to_be_bytes()).await?;
        self.socket.flush().await?;
        let mut answer = Vec::new();
        let mut piece = [0; 512];
        while !answer.contains(&0) && answer.len() <= LONGEST_ANSWER {
            match self.socket.read(&mut piece).await? {
                0 => break,
                length => answer.extend_from_slice(&piece[..length]),
            }
        }
        parse(&answer)
    }
}

/// Only these two forms say something about the stream. Anything cut off, followed by more, or of another form does not.
fn parse(answer: &[u8]) -> Result<Reply, Fault> {
    let text =
        answer.strip_suffix(&[0]).and_then(|text| std::str::from_utf8(text).ok()).ok_or(Fault::Garbage)?;
    if text.contains(char::is_control) {
        return Err(Fault::Garbage);
    }
    match text.strip_prefix("stream: ") {
        Some("OK") => Ok(Reply::Clean),
        Some(found) if found.ends_with(" FOUND") => Ok(Reply::Found(shown(found.trim_end_matches(" FOUND")))),
        _ if text.ends_with("ERROR") => Err(Fault::Refused(shown(text))),
        _ => Err(Fault::Garbage),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_answers_say_something() {
        assert_eq!(parse(b"stream: OK\0").unwrap(), Reply::Clean);
        let found = parse(b"stream: Eicar-Test-Signature FOUND\0").unwrap();
        assert_eq!(found, Reply::Found("Eicar-Test-Signature".into()));
        for refused in
            [&b"INSTREAM size limit exceeded. ERROR\0"[..], b"stream: Can't allocate memory ERROR\0"]
        {
            assert!(matches!(parse(refused), Err(Fault::Refused(_))));
        }
        for garbage in [
            &b""[..],
            b"\0",
            b"stream: OK",
            b"stream: OK\0\0",
            b"stream: OK\0stream: OK\0",
            b"stream: ok\0",
            b"OK\0",
            b" stream: OK\0",
            b"stream: OK \0",
            b"stream: OK\n\0",
            b"stream: not OK\0",
            b"PONG\0",
            b"\xff\xfe\0",
        ] {
            assert!(matches!(parse(garbage), Err(Fault::Garbage)), "{garbage:?}");
        }
        let long = format!("stream: {} FOUND\0", "x".repeat(3000));
        assert!(matches!(parse(long.as_bytes()), Ok(Reply::Found(name)) if name.len() == SHOWN));
    }
}
