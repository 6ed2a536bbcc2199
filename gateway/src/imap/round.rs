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

/// So many mails one behind the other that cannot be judged now, and the fault is not with the mails.
const WEARY: usize = 20;

/// A round in the making.
pub(super) struct Round<'a, I, S: AsyncRead + AsyncWrite + Unpin + Send> {
    pub(super) intake: &'a I,
    pub(super) mailbox: &'a Mailbox,
    pub(super) session: &'a mut Session<S>,
    pub(super) diary: &'a mut Diary,
    /// The server refused to mark; it is not asked again in this round.
    pub(super) unmarkable: bool,
    /// Mails one behind the other that could not be judged now.
    pub(super) undecided: usize,
}

impl<'a, I: Intake, S: AsyncRead + AsyncWrite + Unpin + Send> Round<'a, I, S> {
    pub(super) fn new(
        intake: &'a I,
        mailbox: &'a Mailbox,
        session: &'a mut Session<S>,
        diary: &'a mut Diary,
    ) -> Self {
        Self { intake, mailbox, session, diary, unmarkable: false, undecided: 0 }
    }

    /// Goes through the folder. What is left to be done then is in the progress.
    pub(super) async fn run(mut self) -> Result<(), Fault> {
        let opened = self.session.select(&self.mailbox.folder).await?;
        self.diary.progress.open(opened.uid_validity, self.diary.saved.state);
        self.mark().await?;
        self.retry().await?;
        self.advance(opened.uid_next).await?;
        self.mark().await?;
        self.diary.save(self.intake, self.mailbox).await
    }

    /// What is new, window by window.
    async fn advance(&mut self, uid_next: Option<u32>) -> Result<(), Fault> {
        let mut width = WINDOW;
        self.undecided = 0;
        while let Some(first) = self.diary.progress.next() {
            let last = match uid_next {
                Some(next) if first >= next => return Ok(()),
                Some(next) => first.saturating_add(width - 1).min(next - 1),
                // Nobody knows where the folder ends.
                None => u32::MAX,
            };
            let listed = self.window(first, last).await?;
            self.take_all(&listed).await?;
            match uid_next {
                _ if self.is_weary() => return Ok(()),
                None if listed.is_empty() => return Ok(()),
                Some(_) if listed.len() < LISTED => self.diary.progress.reach(last),
                // There may be more of them in the window.
                _ => {}
            }
            width = if listed.is_empty() { width.saturating_mul(4).min(WIDEST) } else { WINDOW };
        }
        Ok(())
    }

    /// Time rather than another mail is what helps: the rest keeps its turn.
    pub(super) fn is_weary(&self) -> bool {
        self.undecided >= WEARY
    }

    async fn window(&mut self, first: u32, last: u32) -> Result<Vec<Listed>, Fault> {
        let width = last.saturating_sub(first).min(WIDEST) as usize + 1;
        let set = if last == u32::MAX { format!("{first}:*") } else { format!("{first}:{last}") };
        let mut listed = self.session.list(&set, width).await?;
        // `n:*` has the last mail in it, even if its UID is lower (RFC 3501 §6.4.8).
        listed.retain(|mail| (first..=last).contains(&mail.uid));
        Ok(listed)
    }

    /// The mails that had to wait. What kept the first one may keep it for ever, so the others have their turn as well;
    /// but if it can be taken now, so may all, and then in their order: an answer belongs behind what it answers.
    async fn retry(&mut self) -> Result<(), Fault> {
        if let Some(first) = self.diary.progress.first_waiting() {
            self.retry_some(&[first]).await?;
            if self.diary.progress.first_waiting() != Some(first) {
                self.diary.progress.turn_back();
            }
        }
        for uids in self.diary.progress.turns().chunks(BATCH) {
            self.retry_some(uids).await?;
        }
        Ok(())
    }

    /// Those that are not listed any more are gone.
    async fn retry_some(&mut self, uids: &[u32]) -> Result<(), Fault> {
        if self.is_weary() {
            return Ok(());
        }
        let listed = self.session.list(&set(uids), uids.len()).await?;
        for uid in uids {
            if self.is_weary() {
                return Ok(());
            }
            match listed.iter().find(|mail| mail.uid == *uid) {
                Some(mail) => self.take(*mail).await?,
                None => self.diary.progress.settled(*uid),
            }
            self.diary.progress.turn(*uid);
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
