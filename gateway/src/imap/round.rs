//! One round through an open mailbox: what is new is taken, and what is durable here is removed there. Never the other
//! way round.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    folder::Folder,
    intake::Intake,
    poller::Diary,
    session::{Done, LISTED, Listed, Session},
    settings::{After, Mailbox},
};

/// UIDs of one listing, which then has no more mails than that.
const WINDOW: u32 = 500;

/// Where UIDs lie far apart, a listing may span that many.
const WIDEST: u32 = 50_000;

/// Mails that are marked, and then saved, together.
pub(super) const BATCH: usize = 100;

/// A round in the making.
pub(super) struct Round<'a, I, S: AsyncRead + AsyncWrite + Unpin + Send> {
    pub(super) intake: &'a I,
    pub(super) mailbox: &'a Mailbox,
    pub(super) session: &'a mut Session<S>,
    pub(super) diary: &'a mut Diary,
    /// The server refused to mark; it is not asked again in this round.
    pub(super) unmarkable: bool,
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
            self.take_all(&listed).await?;
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

    /// Removes what is durable here.
    pub(super) async fn mark(&mut self) -> Result<(), Fault> {
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

    pub(super) async fn relocate(&mut self, set: &str, folder: &Folder) -> Result<Done, Fault> {
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

/// A sequence set of these UIDs.
pub(super) fn set(uids: &[u32]) -> String {
    let uids: Vec<_> = uids.iter().map(u32::to_string).collect();
    uids.join(",")
}
