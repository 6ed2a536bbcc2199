//! The serving end of the control socket.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::wire::{self, Word};
use crate::print;
use crate::tools::{Desk, Request, Sink};

/// How long to wait when the system has no more file handles.
const BREATH: Duration = Duration::from_millis(100);

/// The bound socket; removed when dropped.
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Binds the socket of a data folder whose ledger this process holds: a socket that is there already was
    /// left behind by a process that is gone.
    pub(crate) fn bind(data: &Path) -> anyhow::Result<Self> {
        let path = super::place(data);
        let context = || {
            format!(
                "cannot make the control socket {}; it must be in a folder of our own, with a path under 108 bytes",
                path.display()
            )
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(context);
            }
            _ => {}
        }
        let socket = UnixListener::bind(&path).with_context(context)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).with_context(context)?;
        Ok(Self { socket, path })
    }

    /// Serves until `stop` turns true. A request under way is finished.
    pub(crate) async fn serve(self, desk: Desk, mut stop: watch::Receiver<bool>) {
        let mut conversations = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stops| *stops) => break,
                Some(_) = conversations.join_next() => continue,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    conversations.spawn(converse(stream, desk.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket takes no connection now");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        drop(self);
        while conversations.join_next().await.is_some() {}
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Already gone is as good; the next start removes what stays.
        let _ = fs::remove_file(&self.path);
    }
}

async fn converse(stream: UnixStream, desk: Desk) {
    if let Err(error) = answer(stream, &desk).await {
        tracing::info!(%error, "a control connection ended early");
    }
}

async fn answer(stream: UnixStream, desk: &Desk) -> anyhow::Result<()> {
    let (input, output) = stream.into_split();
    let request: Request = wire::receive(&mut BufReader::new(input)).await?;
    let mut sink = SocketSink(output);
    let word = match desk.perform(request, &mut sink).await {
        Ok(value) => Word::Done(value),
        Err(error) => Word::Failed(print::told(&error)),
    };
    wire::send(&mut sink.0, &word).await
}

/// Sends files to the tool that asked. If one stops in the middle the connection is useless and is dropped.
struct SocketSink(OwnedWriteHalf);

impl Sink for SocketSink {
    async fn begin(&mut self, name: &str, length: u64) -> anyhow::Result<()> {
        let name = name.to_owned();
        wire::send(&mut self.0, &Word::File { name, length }).await
    }

    async fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.write_all(bytes).await?)
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
