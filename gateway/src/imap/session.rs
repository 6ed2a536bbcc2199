//! A mailbox that is logged in to: the few commands that a poller needs, each with its own limits of size, number and
//! time. It decides nothing about a mail.

use std::{collections::BTreeMap, time::Duration};

use async_imap::imap_proto::{AttributeValue, MailboxDatum, RequestId, Response, ResponseCode, Status};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::timeout,
};

use super::{
    fault::Fault, folder::Folder, gate::Allowance, login::Capabilities, pause::until_stopped, wire::Wire,
};

/// The keyword of a mail that could not be taken and stayed.
pub(super) const REFUSED: &str = "$PosternRefused";

/// A mail is fetched in pieces of so many octets.
pub(super) const PIECE: u32 = 256 * 1024;

/// So many mails of a listing are kept at most; those with the lowest UIDs.
pub(super) const LISTED: usize = 500;

pub(super) struct Session<S: AsyncRead + AsyncWrite + Unpin + Send> {
    inner: async_imap::Session<Wire<S>>,
    capabilities: Capabilities,
    patience: Duration,
    /// Of the open folder; a change ends the session, before anything is marked by a number that means another mail.
    uid_validity: Option<u32>,
    /// The server told of new mail since the folder was opened.
    news: bool,
}

/// A folder that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) uid_validity: u32,
    /// The next mail will have at least this UID. Absent if the server does not say.
    pub(super) uid_next: Option<u32>,
}

/// One mail of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uid: u32,
    /// What the server says of its size.
    pub(super) size: u32,
    /// It was refused before.
    pub(super) refused: bool,
}

/// How a command ended that the server understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Ok,
    /// The folder named is missing, and may be created.
    NoSuchFolder,
    No,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    pub(super) async fn begin(
        inner: async_imap::Session<Wire<S>>,
        patience: Duration,
    ) -> Result<Self, Fault> {
        let capabilities = Capabilities::default();
        let mut session = Self { inner, capabilities, patience, uid_validity: None, news: false };
        let mut known = Capabilities::default();
        session
            .command("CAPABILITY", Allowance::SHORT, |response| {
                if let Response::Capabilities(list) = response {
                    known = list.as_slice().into();
                }
                Ok(())
            })
            .await?;
        session.capabilities = known;
        Ok(session)
    }

    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.has(capability)
    }

    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    /// Opens the folder, or opens it anew: then the numbers are those of now.
    pub(super) async fn select(&mut self, folder: &Folder) -> Result<Opened, Fault> {
        self.uid_validity = None;
        let (mut validity, mut next) = (None, None);
        let done = self
            .command(&format!("SELECT {}", folder.quoted()), Allowance::SHORT, |response| {
                if let Response::Data { status: Status::Ok, outcome } = response {
                    match outcome.code {
                        Some(ResponseCode::UidValidity(value)) => validity = Some(value),
                        Some(ResponseCode::UidNext(value)) => next = Some(value),
                        _ => {}
                    }
                }
                Ok(())
            })
            .await?;
        if done != Done::Ok {
            return Err(Fault::NoFolder);
        }
        self.news = false;
        self.uid_validity = validity;
        let uid_validity = validity.filter(|value| *value != 0).ok_or(Fault::NoUids)?;
        Ok(Opened { uid_validity, uid_next: next })
    }

    /// The first mails of a set of `width` UIDs at most, in their order.
    pub(super) async fn list(&mut self, set: &str, width: usize) -> Result<Vec<Listed>, Fault> {
        /// A line of an answer, keywords included, on average.
        const LINE: usize = 512;
        let responses = Allowance::SHORT.responses + width;
        let allowance = Allowance { responses, octets: responses * LINE, ..Allowance::SHORT };
        let mut found = BTreeMap::new();
        let command = format!("UID FETCH {set} (UID RFC822.SIZE FLAGS)");
        let done = self
            .command(&command, allowance, |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some(mail) = listed(attributes)
                {
                    found.insert(mail.uid, mail);
                    if found.len() > LISTED {
                        found.pop_last();
                    }
                }
                Ok(())
            })
            .await?;
        match done {
            Done::Ok => Ok(found.into_values().collect()),
            Done::No | Done::NoSuchFolder => Err(Fault::Protocol),
        }
    }

    /// A piece of a mail. `None` if the mail is not there any more; shorter than asked for at its end.
    pub(super) async fn piece(&mut self, uid: u32, offset: u32) -> Result<Option<Vec<u8>>, Fault> {
        let allowance = Allowance {
            octets: Allowance::SHORT.octets + PIECE as usize,
            literal: PIECE as usize,
            ..Allowance::SHORT
        };
        let mut piece = None;
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{offset}.{PIECE}>)");
        let done = self
            .command(&command, allowance, |response| {
                let Response::Fetch(_, attributes) = response else { return Ok(()) };
                let Some((of, data)) = body(attributes, offset)? else { return Ok(()) };
                // Which of two would be the mail?
                match piece.replace(data) {
                    None if of == uid => Ok(()),
                    _ => Err(Fault::Protocol),
                }
            })
            .await?;
        match done {
            Done::Ok => Ok(piece),
            // As some servers say that it is not there any more.
            Done::No | Done::NoSuchFolder => Ok(None),
        }
    }

    /// Asks for the first piece of each of these mails.
    pub(super) async fn begin_pieces(&mut self, set: &str, count: usize) -> Result<RequestId, Fault> {
        self.inner.get_mut().allow(Allowance {
            octets: Allowance::SHORT.octets + PIECE as usize * count,
            literal: PIECE as usize,
            ..Allowance::SHORT
        });
        let command = format!("UID FETCH {set} (UID BODY.PEEK[]<0.{PIECE}>)");
        let sent = timeout(self.patience, self.inner.run_command(command)).await;
        Ok(sent.map_err(|_| Fault::TimedOut)??)
    }

    /// The next of them, with its UID; the patience is for each, because what is done with it takes time. `None` when
    /// the server is through.
    pub(super) async fn next_piece(&mut self, command: &RequestId) -> Result<Option<(u32, Vec<u8>)>, Fault> {
        let patience = self.patience;
        let next = async {
            loop {
                let response = self.inner.read_response().await?.ok_or(Fault::Closed)?;
                match response.parsed() {
                    Response::Done { tag, status: Status::Ok | Status::No, .. } if tag == command => {
                        return Ok(None);
                    }
                    Response::Fetch(_, attributes) => {
                        if let Some((uid, piece)) = body(attributes, 0)? {
                            return Ok(Some((uid, piece)));
                        }
                    }
                    other => note(other, self.uid_validity, &mut self.news)?,
                }
            }
        };
        timeout(patience, next).await.map_err(|_| Fault::TimedOut)?
    }

    pub(super) async fn flag(&mut self, set: &str, flags: &str) -> Result<Done, Fault> {
        self.short(&format!("UID STORE {set} +FLAGS.SILENT ({flags})")).await
    }

    /// Deletes what is marked as deleted in this set. Only where the server can (RFC 4315): an EXPUNGE without a set
    /// would delete what other people marked.
    pub(super) async fn expunge(&mut self, set: &str) -> Result<Done, Fault> {
        self.short(&format!("UID EXPUNGE {set}")).await
    }

    /// RFC 6851.
    pub(super) async fn relocate(&mut self, set: &str, folder: &Folder) -> Result<Done, Fault> {
        self.short(&format!("UID MOVE {set} {}", folder.quoted())).await
    }

    pub(super) async fn copy(&mut self, set: &str, folder: &Folder) -> Result<Done, Fault> {
        self.short(&format!("UID COPY {set} {}", folder.quoted())).await
    }

    pub(super) async fn create(&mut self, folder: &Folder) -> Result<Done, Fault> {
        self.short(&format!("CREATE {}", folder.quoted())).await
    }

    /// Waits for new mail, for so long at most (RFC 2177). Without IDLE it just waits.
    pub(super) async fn idle(
        &mut self,
        patience: Duration,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Fault> {
        if !self.can("IDLE") {
            let _either = timeout(patience, until_stopped(stop)).await;
            return Ok(());
        }
        let limit = self.patience;
        let begun = timeout(limit, self.begin_idle()).await.map_err(|_| Fault::TimedOut)??;
        let Some(id) = begun else {
            self.capabilities.forget("IDLE");
            return Ok(());
        };
        tokio::select! {
            told = timeout(patience, self.told()) => told.unwrap_or(Ok(()))?,
            () = until_stopped(stop) => {}
        }
        timeout(limit, self.end_idle(id)).await.map_err(|_| Fault::TimedOut)?
    }

    /// `None` if the server does not want to.
    async fn begin_idle(&mut self) -> Result<Option<RequestId>, Fault> {
        self.inner.get_mut().allow(Allowance::SHORT);
        let id = self.inner.run_command("IDLE").await?;
        loop {
            let response = self.inner.read_response().await?.ok_or(Fault::Closed)?;
            match response.parsed() {
                Response::Continue(_) => return Ok(Some(id)),
                Response::Done { tag, .. } if *tag == id => return Ok(None),
                other => note(other, self.uid_validity, &mut self.news)?,
            }
        }
    }

    /// Until there is news. It may be dropped at any moment.
    async fn told(&mut self) -> Result<(), Fault> {
        while !self.news {
            let response = self.inner.read_response().await?.ok_or(Fault::Closed)?;
            note(response.parsed(), self.uid_validity, &mut self.news)?;
        }
        Ok(())
    }

    async fn end_idle(&mut self, id: RequestId) -> Result<(), Fault> {
        self.inner.get_mut().allow(Allowance::SHORT);
        self.inner.run_command_untagged("DONE").await?;
        loop {
            let response = self.inner.read_response().await?.ok_or(Fault::Closed)?;
            match response.parsed() {
                Response::Done { tag, .. } if *tag == id => return Ok(()),
                other => note(other, self.uid_validity, &mut self.news)?,
            }
        }
    }

    async fn short(&mut self, line: &str) -> Result<Done, Fault> {
        self.command(line, Allowance::SHORT, |_| Ok(())).await
    }

    /// Runs a command; `on` sees every response before its completion.
    async fn command(
        &mut self,
        line: &str,
        allowance: Allowance,
        mut on: impl FnMut(&Response<'_>) -> Result<(), Fault>,
    ) -> Result<Done, Fault> {
        self.inner.get_mut().allow(allowance);
        let run = async {
            let id = self.inner.run_command(line).await?;
            loop {
                let response = self.inner.read_response().await?.ok_or(Fault::Closed)?;
                match response.parsed() {
                    Response::Done { tag, status, outcome } if *tag == id => {
                        return match (status, &outcome.code) {
                            (Status::Ok, _) => Ok(Done::Ok),
                            (Status::No, Some(ResponseCode::TryCreate)) => Ok(Done::NoSuchFolder),
                            (Status::No, _) => Ok(Done::No),
                            _ => Err(Fault::Protocol),
                        };
                    }
                    other => {
                        note(other, self.uid_validity, &mut self.news)?;
                        on(other)?;
                    }
                }
            }
        };
        timeout(self.patience, run).await.map_err(|_| Fault::TimedOut)?
    }
}

/// What concerns every command.
fn note(response: &Response<'_>, uid_validity: Option<u32>, news: &mut bool) -> Result<(), Fault> {
    match response {
        Response::Data { status: Status::Bye, .. } => Err(Fault::Closed),
        Response::Data { outcome, .. } => match (&outcome.code, uid_validity) {
            (Some(ResponseCode::UidValidity(now)), Some(before)) if *now != before => Err(Fault::Renumbered),
            _ => Ok(()),
        },
        Response::MailboxData(MailboxDatum::Exists(_)) => {
            *news = true;
            Ok(())
        }
        // The completion of a command that was never given.
        Response::Done { .. } => Err(Fault::Protocol),
        _ => Ok(()),
    }
}

/// A mail of a listing. Without both numbers it is news of a mail's flags, which are not ours.
fn listed(attributes: &[AttributeValue<'_>]) -> Option<Listed> {
    let (mut uid, mut size, mut refused) = (None, None, false);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::Rfc822Size(value) => size = Some(*value),
            AttributeValue::Flags(flags) => refused = flags.iter().any(|flag| flag == REFUSED),
            _ => {}
        }
    }
    Some(Listed { uid: uid.filter(|uid| *uid != 0)?, size: size?, refused })
}

/// The octets of a piece with the mail's UID, if the response has some; those from another place are a fault.
fn body(attributes: &[AttributeValue<'_>], offset: u32) -> Result<Option<(u32, Vec<u8>)>, Fault> {
    let (mut of, mut piece) = (None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => of = Some(*value),
            AttributeValue::BodySection { section: None, index: Some(index), data } => {
                if *index != offset || piece.is_some() {
                    return Err(Fault::Protocol);
                }
                piece = Some(data.as_deref().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
    match (of, piece) {
        (_, None) => Ok(None),
        (Some(of), Some(piece)) => Ok(Some((of, piece))),
        (None, Some(_)) => Err(Fault::Protocol),
    }
}
