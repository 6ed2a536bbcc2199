//! One round through an open mailbox: what is new is taken, and what is durable here is removed there. Never the other
//! way round.

use mail::{Address, Envelope, ReversePath};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    folder::Folder,
    intake::{Intake, Polled},
    lines::Lines,
    poller::Diary,
    session::{Done, LISTED, Listed, PIECE, REFUSED, Session},
    settings::{After, Mailbox},
};
use crate::smtp::{Delivery, Permanence, Refusal};

/// UIDs of one listing, which then has no more mails than that.
const WINDOW: u32 = 500;

/// Where UIDs lie far apart, a listing may span that many.
const WIDEST: u32 = 50_000;

/// Mails that are marked, and then saved, together.
const BATCH: usize = 50;

/// The sink takes no larger pieces.
const CHUNK: usize = 64 * 1024;

/// A round in the making.
pub(super) struct Round<'a, I, S: AsyncRead + AsyncWrite + Unpin + Send> {
    pub(super) intake: &'a I,
    pub(super) mailbox: &'a Mailbox,
    pub(super) session: &'a mut Session<S>,
    pub(super) diary: &'a mut Diary,
    /// The server refused to mark; it is not asked again in this round.
    pub(super) unmarkable: bool,
}

/// What became of one mail.
enum Outcome {
    Secured,
    Refused(Refusal),
    /// The server has no such mail, or not now.
    Absent,
}

impl<I: Intake, S: AsyncRead + AsyncWrite + Unpin + Send> Round<'_, I, S> {
    /// Goes through the folder. What is left to be done then is in the progress.
    pub(super) async fn run(mut self) -> Result<(), Fault> {
        let opened = self.session.select(&self.mailbox.folder).await?;
        self.diary.progress.open(opened.uid_validity, self.diary.saved.state);
        self.mark().await?;
        self.retry().await?;
        let mut width = WINDOW;
        while let Some(first) = self.diary.progress.next() {
            let last = match opened.uid_next {
                Some(next) if first >= next => break,
                Some(next) => first.saturating_add(width - 1).min(next - 1),
                // Nobody knows where the folder ends.
                None => u32::MAX,
            };
            let listed = self.window(first, last).await?;
            for mail in &listed {
                self.take(*mail).await?;
            }
            match opened.uid_next {
                None if listed.is_empty() => break,
                Some(_) if listed.len() < LISTED => self.diary.progress.reach(last),
                // There may be more of them in the window.
                _ => {}
            }
            width = if listed.is_empty() { width.saturating_mul(4).min(WIDEST) } else { WINDOW };
        }
        self.mark().await?;
        self.diary.save(self.intake, self.mailbox).await
    }

    async fn window(&mut self, first: u32, last: u32) -> Result<Vec<Listed>, Fault> {
        let width = last.saturating_sub(first).min(WIDEST) as usize + 1;
        let set = if last == u32::MAX { format!("{first}:*") } else { format!("{first}:{last}") };
        let mut listed = self.session.list(&set, width).await?;
        // `n:*` has the last mail in it, even if its UID is lower (RFC 3501 §6.4.8).
        listed.retain(|mail| (first..=last).contains(&mail.uid));
        Ok(listed)
    }

    /// The mails that had to wait; those that are not listed any more are gone.
    async fn retry(&mut self) -> Result<(), Fault> {
        let waiting: Vec<u32> = self.diary.progress.later().iter().copied().collect();
        for uids in waiting.chunks(BATCH) {
            let listed = self.session.list(&set(uids), uids.len()).await?;
            for uid in uids {
                match listed.iter().find(|mail| mail.uid == *uid) {
                    Some(mail) => self.take(*mail).await?,
                    None => self.diary.progress.settled(*uid),
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, mail: Listed) -> Result<(), Fault> {
        if mail.refused {
            self.diary.progress.settled(mail.uid);
            return Ok(());
        }
        self.diary.working(self.intake.now());
        match self.receive(mail).await? {
            Outcome::Secured => {
                self.diary.taken(mail.uid, self.intake.now());
                if self.diary.progress.unmarked().len() >= BATCH && !self.unmarkable {
                    self.mark().await?;
                    self.diary.save(self.intake, self.mailbox).await?;
                }
            }
            Outcome::Refused(refusal) => self.refused(mail.uid, refusal).await?,
            Outcome::Absent => self.diary.progress.put_off(mail.uid),
        }
        match self.diary.progress.is_overfull() {
            true if self.unmarkable => Err(Fault::NotMarked),
            true => Err(Fault::Undecided),
            false => Ok(()),
        }
    }

    /// The mail from its first octet to the durable commit. The size that the server told is never relied on: the mail
    /// ends where a piece is shorter than asked for, and no earlier than told, or where there is nothing more.
    async fn receive(&mut self, mail: Listed) -> Result<Outcome, Fault> {
        if u64::from(mail.size) > self.mailbox.limits.message {
            return Ok(Outcome::Refused(Refusal::TooLarge));
        }
        let Some(mut piece) = self.session.piece(mail.uid, 0).await? else { return Ok(Outcome::Absent) };
        let from = Polled::from(self.mailbox);
        let reverse_path = return_path(&piece).unwrap_or(ReversePath::Address(from.address.clone()));
        let envelope = Envelope::plain(reverse_path, vec![from.address.clone()]);
        let mut sink = match self.intake.open(&from, envelope, mail.size.into()).await {
            Ok(sink) => sink,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let mut lines = Lines::new();
        let mut length: u64 = 0;
        loop {
            length += piece.len() as u64;
            if length > self.mailbox.limits.message {
                return Ok(Outcome::Refused(Refusal::TooLarge));
            }
            let Ok(octets) = lines.convert(&piece) else { return Ok(Outcome::Refused(mixed())) };
            for chunk in octets.chunks(CHUNK) {
                if let Err(refusal) = sink.chunk(chunk).await {
                    return Ok(Outcome::Refused(refusal));
                }
            }
            let short = piece.len() < PIECE as usize;
            if piece.is_empty() || short && length >= u64::from(mail.size) {
                break;
            }
            let Ok(offset) = u32::try_from(length) else { return Ok(Outcome::Refused(Refusal::TooLarge)) };
            match self.session.piece(mail.uid, offset).await? {
                Some(next) => piece = next,
                None => return Ok(Outcome::Absent),
            }
        }
        let Ok(end) = lines.finish() else { return Ok(Outcome::Refused(mixed())) };
        if let Err(refusal) = sink.chunk(end).await {
            return Ok(Outcome::Refused(refusal));
        }
        Ok(match sink.close().await {
            Ok(_) => Outcome::Secured,
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    /// What cannot be taken now waits for its turn; what never can is put aside, and the next one goes on.
    async fn refused(&mut self, uid: u32, refusal: Refusal) -> Result<(), Fault> {
        tracing::info!(mailbox = %self.mailbox.name, uid, refusal = refusal.name(), "a polled mail was refused");
        match (refusal.permanence(), refusal) {
            (Permanence::Permanent, _) => self.put_aside(uid).await,
            (Permanence::Temporary, Refusal::StoreFull) => Err(Fault::StoreFull),
            (Permanence::Temporary, Refusal::StoreBroken) => Err(Fault::StoreBroken),
            (Permanence::Temporary, _) => {
                self.diary.progress.put_off(uid);
                Ok(())
            }
        }
    }

    /// A server that allows neither is none of the mail's business: it stays, and is not asked for again.
    async fn put_aside(&mut self, uid: u32) -> Result<(), Fault> {
        let one = uid.to_string();
        let moved = match &self.mailbox.refused_folder {
            Some(folder) => self.relocate(&one, folder).await?,
            None => Done::No,
        };
        if moved != Done::Ok && self.session.flag(&one, REFUSED).await? != Done::Ok {
            self.session.flag(&one, "\\Flagged").await?;
        }
        self.diary.left(uid);
        Ok(())
    }

    /// Removes what is durable here.
    async fn mark(&mut self) -> Result<(), Fault> {
        let unmarked: Vec<u32> = self.diary.progress.unmarked().iter().copied().collect();
        for uids in unmarked.chunks(BATCH) {
            if self.unmarkable {
                break;
            }
            let set = set(uids);
            let done = match &self.mailbox.after {
                After::Remove => self.remove(&set).await?,
                After::MoveTo(folder) => self.relocate(&set, folder).await?,
            };
            match done {
                Done::Ok => uids.iter().for_each(|uid| self.diary.progress.settled(*uid)),
                Done::No | Done::NoSuchFolder => self.unmarkable = true,
            }
        }
        self.diary.unmarkable = self.unmarkable;
        Ok(())
    }

    async fn remove(&mut self, set: &str) -> Result<Done, Fault> {
        if !self.session.can("UIDPLUS") {
            return self.session.flag(set, "\\Deleted \\Seen").await;
        }
        match self.session.flag(set, "\\Deleted").await? {
            Done::Ok => self.session.expunge(set).await,
            no => Ok(no),
        }
    }

    async fn relocate(&mut self, set: &str, folder: &Folder) -> Result<Done, Fault> {
        let first = self.relocate_once(set, folder).await?;
        if first != Done::NoSuchFolder || self.session.create(folder).await? != Done::Ok {
            return Ok(first);
        }
        self.relocate_once(set, folder).await
    }

    async fn relocate_once(&mut self, set: &str, folder: &Folder) -> Result<Done, Fault> {
        if self.session.can("MOVE") {
            return self.session.relocate(set, folder).await;
        }
        match self.session.copy(set, folder).await? {
            Done::Ok => self.remove(set).await,
            no => Ok(no),
        }
    }
}

fn mixed() -> Refusal {
    Refusal::BadContent("line ends are mixed, or a NUL is in it".to_owned())
}

/// A sequence set of these UIDs.
fn set(uids: &[u32]) -> String {
    let uids: Vec<_> = uids.iter().map(u32::to_string).collect();
    uids.join(",")
}

/// The topmost `Return-Path`, if the header begins with one: there the last server puts it (RFC 5321 §4.4).
fn return_path(mail: &[u8]) -> Option<ReversePath> {
    const LONGEST: usize = 1000;
    const NAME: &str = "return-path:";
    let line = mail[..mail.len().min(LONGEST)].split(|octet| *octet == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_ascii_end();
    let path = line.get(..NAME.len()).filter(|name| name.eq_ignore_ascii_case(NAME));
    let path = path.map(|name| line[name.len()..].trim_ascii())?;
    let path = path.strip_prefix('<').and_then(|path| path.strip_suffix('>')).unwrap_or(path);
    match path {
        "" => Some(ReversePath::Null),
        path => Address::parse(path).ok().map(ReversePath::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_path_is_believed_at_the_top_only() {
        let address = |text: &str| Some(ReversePath::Address(Address::parse(text).unwrap()));
        for (mail, path) in [
            ("Return-Path: <jo@alpha.example>\r\nFrom: x\r\n", address("jo@alpha.example")),
            ("RETURN-PATH:jo@alpha.example\nFrom: x\n", address("jo@alpha.example")),
            ("Return-Path: <>\r\n", Some(ReversePath::Null)),
            ("Received: x\r\nReturn-Path: <>\r\n", None),
            ("Return-Path: <no address>\r\n", None),
            ("", None),
            ("é", None),
            ("Return-Pathé: x\r\n", None),
        ] {
            assert_eq!(return_path(mail.as_bytes()), path, "{mail:?}");
        }
    }
}
