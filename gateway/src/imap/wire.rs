//! A connection behind the gate: what is read from it are whole responses, one with each read. What is written goes
//! through untouched. It has no clock; whoever reads has one.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gate::{Allowance, Gate};

/// What is read of a connection at once.
const READ: usize = 16 * 1024;

/// A connection whose reads pass the gate.
pub(super) struct Wire<S> {
    stream: S,
    gate: Gate,
    /// The response that is being read, and how far.
    current: Vec<u8>,
    read: usize,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, gate: Gate::default(), current: Vec::new(), read: 0 }
    }

    /// A command begins.
    pub(super) fn allow(&mut self, allowance: Allowance) {
        self.gate.allow(allowance);
    }

    /// The connection, if nothing came that was not read yet: what a server sends behind its answer to STARTTLS was
    /// said in the clear, by anybody (CVE-2021-38370 and its family).
    pub(super) fn into_quiet(self) -> Option<S> {
        (self.gate.is_empty() && self.read == self.current.len()).then_some(self.stream)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        while wire.read == wire.current.len() {
            if let Some(response) = wire.gate.next_response() {
                (wire.current, wire.read) = (response, 0);
                continue;
            }
            let mut octets = [0; READ];
            let mut buffer = ReadBuf::new(&mut octets);
            ready!(Pin::new(&mut wire.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            wire.gate.feed(buffer.filled()).map_err(io::Error::other)?;
        }
        let rest = &wire.current[wire.read..];
        let piece = &rest[..rest.len().min(target.remaining())];
        target.put_slice(piece);
        wire.read += piece.len();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Says nothing of what passes.
impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
