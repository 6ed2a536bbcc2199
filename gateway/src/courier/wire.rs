//! One connection's bytes: commands out, replies in, each within its time. It knows no order of commands; it does
//! notice when the server speaks without having been asked.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{
    failure::Cause,
    reply::{Reply, ReplyReader},
};

/// What carries a dialogue.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) struct Wire<S> {
    stream: S,
    /// What came after the last reply: nobody asked for it.
    unasked: Vec<u8>,
}

impl<S: Stream> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, unasked: Vec::new() }
    }

    /// One command line; no line end and no NUL ever gets into it.
    pub(crate) async fn command(&mut self, line: &str, within: Duration) -> Result<Reply, Cause> {
        if line.chars().any(char::is_control) {
            return Err(Cause::Network("a command with a control character was not sent".to_owned()));
        }
        self.is_quiet()?;
        self.write(format!("{line}\r\n").as_bytes(), within).await?;
        self.reply(within).await
    }

    /// RFC 5321 §4.3.1: a reply answers a command. One that was there before answers nothing.
    pub(crate) fn is_quiet(&self) -> Result<(), Cause> {
        if self.unasked.is_empty() { Ok(()) } else { Err(Cause::OutOfTurn) }
    }

    pub(crate) async fn reply(&mut self, within: Duration) -> Result<Reply, Cause> {
        match timeout(within, self.read()).await {
            Ok(reply) => reply,
            Err(_) => Err(Cause::Timeout),
        }
    }

    async fn read(&mut self) -> Result<Reply, Cause> {
        let mut reader = ReplyReader::default();
        let mut bytes = [0; 4096];
        loop {
            let length = match self.stream.read(&mut bytes).await {
                Ok(0) => return Err(Cause::Closed),
                Ok(length) => length,
                Err(error) => return Err(broken(&error)),
            };
            if let Some((reply, taken)) = reader.feed(&bytes[..length])? {
                self.unasked.extend_from_slice(&bytes[taken..length]);
                return Ok(reply);
            }
        }
    }

    /// Writes and flushes.
    pub(crate) async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), Cause> {
        let written = timeout(within, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        match written.await {
            Ok(written) => written.map_err(|error| broken(&error)),
            Err(_) => Err(Cause::Timeout),
        }
    }

    /// The bare stream, for TLS. What the server sent behind its 220 in clear would be read as if it had been
    /// encrypted (CVE-2011-0411, RFC 3207 §4.2): such a server is not spoken to any more.
    pub(crate) fn into_stream(self) -> Result<S, Cause> {
        self.is_quiet()?;
        Ok(self.stream)
    }

    /// For the rest of the connection's life nobody needs to know what carries it.
    pub(crate) fn boxed(self) -> Wire<Box<dyn Stream>>
    where
        S: 'static,
    {
        Wire { stream: Box::new(self.stream), unasked: self.unasked }
    }
}

fn broken(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            Cause::Closed
        }
        _ => Cause::Network(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_reply_nobody_asked_for_ends_the_dialogue() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let mut wire = Wire::new(ours);
        theirs.write_all(b"220 hello\r\n250 and more\r\n").await.unwrap();
        assert_eq!(wire.reply(SOON).await.unwrap().code, 220);
        assert_eq!(wire.command("EHLO x", SOON).await, Err(Cause::OutOfTurn));
        assert!(matches!(wire.into_stream(), Err(Cause::OutOfTurn)));
    }

    #[tokio::test(start_paused = true)]
    async fn drops_of_a_reply_do_not_extend_its_time() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let mut wire = Wire::new(ours);
        let dripping = tokio::spawn(async move {
            while theirs.write_all(b"2").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(wire.reply(SOON).await, Err(Cause::Timeout));
        drop(wire);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut wire = Wire::new(ours);
        assert_eq!(wire.write(&[b'x'; 100], SOON).await, Err(Cause::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn no_line_end_gets_into_a_command() {
        let (ours, _theirs) = tokio::io::duplex(4096);
        let mut wire = Wire::new(ours);
        assert!(matches!(wire.command("EHLO x\r\nMAIL FROM:<>", SOON).await, Err(Cause::Network(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_in_the_middle_is_told() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let mut wire = Wire::new(ours);
        theirs.write_all(b"250-half").await.unwrap();
        drop(theirs);
        assert_eq!(wire.reply(SOON).await, Err(Cause::Closed));
    }
}
