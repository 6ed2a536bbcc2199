//! The asking end: to the server if one runs on the data folder, else to a ledger opened here.

use std::io::ErrorKind;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio::net::UnixStream;

use super::wire::{self, Word};
use crate::config::Config;
use crate::tools::{Desk, NoFiles, Request, Sink};

/// Performs `request` where the ledger is, and reads its answer.
pub(crate) async fn ask<T: DeserializeOwned>(config: &Config, request: Request) -> anyhow::Result<T> {
    ask_for_files(config, request, &mut NoFiles).await
}

/// As [`ask`], for a request that has files.
pub(crate) async fn ask_for_files<T: DeserializeOwned>(
    config: &Config,
    request: Request,
    sink: &mut impl Sink,
) -> anyhow::Result<T> {
    let value = match connect(config).await? {
        Some(stream) => converse(stream, request, sink).await?,
        None => perform_here(config, request, sink).await?,
    };
    Ok(serde_json::from_value(value)?)
}

/// As [`ask`], but only of a running server.
pub(crate) async fn ask_server<T: DeserializeOwned>(config: &Config, request: Request) -> anyhow::Result<T> {
    let Some(stream) = connect(config).await? else {
        bail!("no server runs on {}; start it with `postern serve`", config.server.data.display());
    };
    let value = converse(stream, request, &mut NoFiles).await?;
    Ok(serde_json::from_value(value)?)
}

async fn connect(config: &Config) -> anyhow::Result<Option<UnixStream>> {
    let path = super::place(&config.server.data);
    match UnixStream::connect(&path).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error).with_context(|| {
            format!("cannot reach the server at {}; run this as the server's user", path.display())
        }),
    }
}

async fn converse(stream: UnixStream, request: Request, sink: &mut impl Sink) -> anyhow::Result<Value> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    wire::send(&mut output, &request).await?;
    loop {
        match wire::receive(&mut input).await? {
            Word::File { name, length } => take_file(&mut input, &name, length, sink).await?,
            Word::Done(value) => return Ok(value),
            Word::Failed(reason) => bail!(reason),
        }
    }
}

async fn take_file(
    input: &mut (impl AsyncRead + Unpin),
    name: &str,
    length: u64,
    sink: &mut impl Sink,
) -> anyhow::Result<()> {
    sink.begin(name, length).await?;
    let mut buffer = vec![0; 64 << 10];
    let mut left = length;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = input.read(&mut buffer[..wanted]).await?;
        if count == 0 {
            bail!("the server stopped in the middle of {name}; its log says why");
        }
        sink.bytes(&buffer[..count]).await?;
        left -= count as u64;
    }
    sink.end().await
}

async fn perform_here(config: &Config, request: Request, sink: &mut impl Sink) -> anyhow::Result<Value> {
    let desk = Desk::open(config).await?;
    let answer = desk.perform(request, sink).await;
    desk.ledger.close().await;
    answer
}
