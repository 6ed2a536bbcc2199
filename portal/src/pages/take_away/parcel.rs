//! All of a case as a zip file, written while it leaves: one piece of a mail is in memory at a time, and what the reader does
//! not take is not opened.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;
use mail::{Decoder, Encoding};
use store::{Detail, OpenMessage, StoreError, Unreadable};
use templates::pages::{HistoryLine, TranscriptHead};
use tokio::sync::mpsc::{self, Sender};

use super::archive::Archive;
use super::{notes, paper};
use crate::access::PermittedCase;
use crate::error::Problem;
use crate::file_names;
use crate::pages::download::Outflow;
use crate::pages::{case_history, files};
use crate::portal::Portal;
use crate::sheet::{Cell, Column, Sheet};

/// Pieces that wait for the reader.
const AHEAD: usize = 2;

/// Events that are read at a time.
const EVENTS: usize = 200;

type Messages = Vec<Result<OpenMessage, Unreadable>>;

/// Why a parcel is not whole.
#[derive(Debug, thiserror::Error)]
enum Torn {
    #[error("nobody takes it any more")]
    NotTaken,
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<StoreError> for Torn {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

/// The body of the answer. A fault on the way tears it off, so that nobody takes the half for the whole.
pub(super) fn body(
    portal: Arc<Portal>,
    case: PermittedCase,
    messages: Messages,
    lost: Option<String>,
) -> Body {
    let (out, taken) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let reference = case.case().reference.to_string();
        let archive = Archive::new(portal.ledger.now());
        let parcel = Parcel { portal, case, archive, out: out.clone(), reference };
        match parcel.fill(&messages, lost).await {
            Ok(()) | Err(Torn::NotTaken) => {}
            Err(torn) => {
                tracing::error!(error = %torn, "a case that was taken away broke off");
                // Who has gone does not hear it.
                let _ = out.send(Err(io::Error::other("broken off"))).await;
            }
        }
    });
    Body::from_stream(stream::unfold(taken, |mut taken| async move {
        taken.recv().await.map(|piece| (piece, taken))
    }))
}

struct Parcel {
    portal: Arc<Portal>,
    case: PermittedCase,
    archive: Archive,
    out: Sender<io::Result<Bytes>>,
    reference: String,
}

impl Parcel {
    async fn fill(mut self, messages: &Messages, lost: Option<String>) -> Result<(), Torn> {
        self.archive.folder(&self.reference.clone());
        self.transcript(messages, lost).await?;
        self.notes().await?;
        self.events().await?;
        let open: Vec<&OpenMessage> = messages.iter().filter_map(|message| message.as_ref().ok()).collect();
        self.archive.folder(&format!("{}/messages", self.reference));
        for message in &open {
            self.original(message).await?;
        }
        for message in &open {
            self.attachments(message).await?;
        }
        let end = self.archive.finish()?;
        self.out.send(Ok(end)).await.map_err(|_| Torn::NotTaken)
    }

    async fn transcript(&mut self, messages: &Messages, lost: Option<String>) -> Result<(), Torn> {
        self.archive.begin("transcript.html", 0)?;
        let case = paper::head(&self.portal, &self.case, lost);
        let head = TranscriptHead { reference: self.reference.clone(), case };
        self.text(&self.portal.words.page(&head).map_err(Problem::from)?).await?;
        for message in messages {
            let message = paper::message(&self.case, message).await;
            self.text(&self.portal.words.page(&message).map_err(Problem::from)?).await?;
        }
        self.text("</body>\n</html>\n").await
    }

    /// In a file of their own, so that they can be left out of what is passed on.
    async fn notes(&mut self) -> Result<(), Torn> {
        let notes = notes(&self.portal, &self.case).await?;
        if notes.is_empty() {
            return Ok(());
        }
        self.archive.begin("internal-notes.txt", 0)?;
        let company = self.case.visitor().company();
        let about = [("company", &*company), ("reference", &*self.reference)];
        self.text(&format!("{}\r\n", self.portal.words.say("away.notes_file", &about))).await?;
        for note in notes {
            self.text(&format!("\r\n{}, {}\r\n{}\r\n", note.by, note.at.text, note.text)).await?;
        }
        Ok(())
    }

    /// What happened, newest first, as the visitor's side may know it: two forms of the same lines.
    async fn events(&mut self) -> Result<(), Torn> {
        for (name, json) in [("events.csv", false), ("events.jsonl", true)] {
            self.archive.begin(name, 0)?;
            let (mut after, mut begun) = (None, false);
            loop {
                let portal = Arc::clone(&self.portal);
                let page = self.case.history(&portal, Detail::Everything, after.as_deref(), EVENTS).await?;
                let line = |event| case_history::line(&portal, &self.case, event);
                let sheet = sheet(page.events.iter().map(line));
                let text = match (json, begun) {
                    (true, _) => sheet.rows.iter().map(|row| format!("{}\n", sheet.object(row))).collect(),
                    (false, false) => sheet.csv(),
                    (false, true) => {
                        sheet.csv().split_once("\r\n").map_or_else(String::new, |(_, rows)| rows.to_owned())
                    }
                };
                self.text(&text).await?;
                (after, begun) = (page.next, true);
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn original(&mut self, message: &OpenMessage) -> Result<(), Torn> {
        let (content, number) = (&message.content, message.record.number);
        self.archive.begin(&format!("{number:04}.eml"), content.size())?;
        let decoder = Decoder::new(Encoding::Identity);
        let all = content.read(0, content.size());
        self.pour(Outflow::new(message.record.id.to_string(), all, decoder)).await
    }

    /// As many as a page lists; the original has all.
    async fn attachments(&mut self, message: &OpenMessage) -> Result<(), Torn> {
        let parts = message.headline.parts.iter().enumerate();
        let taken: Vec<_> = parts
            .filter(|(_, part)| files::is_file(part) || files::is_picture(part))
            .take(files::MOST)
            .collect();
        if !taken.is_empty() {
            self.archive.folder(&format!("{}/attachments/{:04}", self.reference, message.record.number));
        }
        for (number, part) in taken {
            let name = file_names::safe(part.name.as_deref(), &part.media_type, number);
            self.archive.begin(&name, message.content.size())?;
            let reader = message.content.read(part.offset, part.length);
            self.pour(Outflow::new(message.record.id.to_string(), reader, part.decoder())).await?;
        }
        Ok(())
    }

    async fn pour(&mut self, mut outflow: Outflow) -> Result<(), Torn> {
        while let Some(piece) = outflow.next().await? {
            self.archive.write(&piece)?;
            self.pass_on().await?;
        }
        Ok(())
    }

    async fn text(&mut self, text: &str) -> Result<(), Torn> {
        self.archive.write(text.as_bytes())?;
        self.pass_on().await
    }

    async fn pass_on(&mut self) -> Result<(), Torn> {
        let written = self.archive.take();
        if written.is_empty() {
            return Ok(());
        }
        self.out.send(Ok(written)).await.map_err(|_| Torn::NotTaken)
    }
}

fn sheet(lines: impl Iterator<Item = HistoryLine>) -> Sheet {
    let column = |key: &'static str| Column { key, label: key.to_owned() };
    let rows = lines.map(|line| {
        vec![
            Cell::from(line.at.machine),
            Cell::from(line.what),
            Cell::from(line.who),
            line.detail.map_or(Cell::Empty, Cell::from),
        ]
    });
    Sheet { columns: ["at", "what", "who", "detail"].map(column).into(), rows: rows.collect() }
}
