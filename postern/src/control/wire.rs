//! What travels on the control socket: lines of JSON, and the bytes of files between two of them.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line: a directory file of a whole market fits.
const LINE: u64 = 64 << 20;

/// What the server says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    /// A file of this many bytes follows the line.
    File { name: String, length: u64 },
    /// The answer; nothing follows.
    Done(Value),
    /// Why there is no answer; nothing follows.
    Failed(String),
}

pub(super) async fn send<T: Serialize>(out: &mut (impl AsyncWrite + Unpin), value: &T) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line).await?;
    Ok(out.flush().await?)
}

pub(super) async fn receive<T: DeserializeOwned>(
    input: &mut (impl AsyncBufRead + Unpin),
) -> anyhow::Result<T> {
    let mut line = Vec::new();
    input.take(LINE).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        bail!("the other end of the control socket stopped in the middle of a line");
    }
    serde_json::from_slice(&line)
        .context("the other end of the control socket speaks another language; is it the same release?")
}
