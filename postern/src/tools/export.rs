//! Taking a case away: its description and its originals, byte for byte, each piece opened as it leaves.
//! The audit event is durable before the first byte.

use std::path::PathBuf;

use anyhow::{Context, bail};
use store::{Actor, OpenMessage, Reading};
use tokio::fs::{DirBuilder, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::Desk;
use super::rows::Exported;

/// Takes files one after the other: a folder here, or the socket of a tool elsewhere.
pub(crate) trait Sink: Send {
    /// A file begins. `length` is its size in bytes.
    fn begin(&mut self, name: &str, length: u64) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn bytes(&mut self, bytes: &[u8]) -> impl Future<Output = anyhow::Result<()>> + Send;
    /// The file that began is whole.
    fn end(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

impl Desk {
    pub(super) async fn export_case(
        &self,
        reference: &str,
        sink: &mut impl Sink,
    ) -> anyhow::Result<Exported> {
        let case = self.find(reference).await?;
        let group = &case.sides.first().context("the case has no sides")?.group;
        let messages = self.ledger.messages(case.id).await?;
        let lost = case.lost(&messages);
        let opened = self.ledger.open_messages(&Actor::Tool, &case, messages, group, Reading::Export).await?;
        let description = serde_json::to_vec_pretty(&self.case(reference).await?)?;
        sink.begin("case.json", description.len() as u64).await?;
        sink.bytes(&description).await?;
        sink.end().await?;
        let mut bytes = 0;
        for message in &opened {
            match message {
                Ok(message) => {
                    write_original(message, sink).await?;
                    bytes += message.record.size;
                }
                Err(closed) => {
                    let name = format!("{:04}-{}.txt", closed.record.number, closed.record.id);
                    write_reason(&name, &closed.to_string(), sink).await?;
                }
            }
        }
        for number in &lost {
            write_reason(&format!("{number:04}.txt"), "the record of this message cannot be read", sink)
                .await?;
        }
        let files = opened.len() + lost.len() + 1;
        Ok(Exported { reference: case.reference.to_string(), files, bytes })
    }
}

/// In the place of a message that does not open: why.
async fn write_reason(name: &str, why: &str, sink: &mut impl Sink) -> anyhow::Result<()> {
    let reason = format!("{why}\n");
    sink.begin(name, reason.len() as u64).await?;
    sink.bytes(reason.as_bytes()).await?;
    sink.end().await
}

async fn write_original(message: &OpenMessage, sink: &mut impl Sink) -> anyhow::Result<()> {
    let size = message.record.size;
    sink.begin(&format!("{:04}-{}.eml", message.record.number, message.record.id), size).await?;
    let mut reader = message.read(0, size);
    while let Some(piece) = reader.next().await? {
        sink.bytes(&piece).await?;
    }
    sink.end().await
}

/// Writes files into a folder of the tool's own, mode 0600, never over one that is there.
pub(crate) struct FolderSink {
    folder: PathBuf,
    file: Option<File>,
}

impl FolderSink {
    /// The folder is made with the first file.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, file: None }
    }
}

impl Sink for FolderSink {
    async fn begin(&mut self, name: &str, _: u64) -> anyhow::Result<()> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        if name.starts_with('.') || !name.bytes().all(plain) {
            bail!("the server named a file {name:?}, which is not a plain name");
        }
        // What was sealed lies open here.
        let mut folder = DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder
            .create(&self.folder)
            .await
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        let path = self.folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await;
        self.file = Some(file.with_context(|| format!("cannot make {}", path.display()))?);
        Ok(())
    }

    async fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let file = self.file.as_mut().context("bytes arrived before a file name")?;
        file.write_all(bytes).await.context("cannot write the file")
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        // The last bytes may still be on their way: only a flush says whether they arrived.
        file.flush().await.context("cannot write the file")?;
        Ok(file.sync_all().await?)
    }
}

/// For requests that have no files.
pub(crate) struct NoFiles;

impl Sink for NoFiles {
    async fn begin(&mut self, _: &str, _: u64) -> anyhow::Result<()> {
        bail!("a file came where none was expected")
    }

    async fn bytes(&mut self, _: &[u8]) -> anyhow::Result<()> {
        bail!("a file came where none was expected")
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
