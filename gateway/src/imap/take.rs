//! One mail from the mailbox to the durable commit, or several small ones after each other. What is not durable is not
//! marked as taken here, whatever happens.

use std::collections::BTreeMap;

use mail::{Address, Envelope, ReversePath};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    fault::Fault,
    intake::{Intake, Polled},
    lines::Lines,
    round::{BATCH, Round, set},
    session::{Done, Listed, PIECE, REFUSED},
};
use crate::smtp::{Delivery, Permanence, Refusal};

/// The sink takes no larger pieces.
const CHUNK: usize = 64 * 1024;

/// So many small mails are asked for at once; a command for each would cost a round trip for each.
const GROUP: usize = 25;

/// And so many octets of them, by the server's word.
const GROUP_OCTETS: u64 = 1 << 20;

/// What became of one mail.
enum Outcome {
    Secured,
    Refused(Refusal),
    /// The server has no such mail, or not now.
    Absent,
}

impl<I: Intake, S: AsyncRead + AsyncWrite + Unpin + Send> Round<'_, I, S> {
    /// Takes these mails in their order, small neighbours together, until it is weary.
    pub(super) async fn take_all(&mut self, mut mails: &[Listed]) -> Result<(), Fault> {
        while let Some((first, others)) = mails.split_first().filter(|_| !self.is_weary()) {
            let group = group(mails);
            if group.len() < 2 {
                self.take(*first).await?;
                mails = others;
                continue;
            }
            self.take_group(group).await?;
            mails = &mails[group.len()..];
        }
        Ok(())
    }

    pub(super) async fn take(&mut self, mail: Listed) -> Result<(), Fault> {
        if mail.refused {
            self.diary.progress.settled(mail.uid);
            return Ok(());
        }
        self.diary.working(self.intake.now());
        let outcome = match self.first_piece(mail).await? {
            Some(piece) => self.receive(mail, piece).await?,
            None => Outcome::Absent,
        };
        match outcome {
            Outcome::Secured => self.secured(mail.uid),
            Outcome::Refused(refusal) => self.refused(mail.uid, refusal).await?,
            Outcome::Absent => self.diary.progress.put_off(mail.uid),
        }
        self.settle().await
    }

    /// Takes mails with one command. They count as put off until they are taken: the server may send them in any
    /// order, and the connection may end between any two.
    async fn take_group(&mut self, group: &[Listed]) -> Result<(), Fault> {
        self.diary.working(self.intake.now());
        let mut waiting: BTreeMap<u32, Listed> = group.iter().map(|mail| (mail.uid, *mail)).collect();
        let uids: Vec<u32> = waiting.keys().copied().collect();
        uids.iter().for_each(|uid| self.diary.progress.put_off(*uid));
        let (mut refused, mut longer) = (Vec::new(), Vec::new());
        let command = self.session.begin_pieces(&set(&uids), uids.len()).await?;
        while let Some((uid, piece)) = self.session.next_piece(&command).await? {
            // One that nobody asked for, or the same again.
            let mail = waiting.remove(&uid).ok_or(Fault::Protocol)?;
            if !ends_with(&piece, piece.len() as u64, mail) {
                longer.push(mail);
                continue;
            }
            match self.receive(mail, piece).await? {
                Outcome::Secured => self.secured(uid),
                Outcome::Refused(refusal) => {
                    stops(&refusal)?;
                    refused.push((uid, refusal));
                }
                Outcome::Absent => {}
            }
        }
        for (uid, refusal) in refused {
            self.refused(uid, refusal).await?;
        }
        for mail in longer {
            self.take(mail).await?;
        }
        self.settle().await
    }

    fn secured(&mut self, uid: u32) {
        self.undecided = 0;
        self.diary.taken(uid, self.intake.now());
    }

    /// Marks and saves, if there is enough of it.
    async fn settle(&mut self) -> Result<(), Fault> {
        if self.diary.progress.unmarked().len() >= BATCH && !self.unmarkable {
            self.mark().await?;
            self.diary.save(self.intake, self.mailbox).await?;
        }
        match self.diary.progress.is_overfull() {
            true if self.unmarkable => Err(Fault::NotMarked),
            true => Err(Fault::Undecided),
            false => Ok(()),
        }
    }

    /// None of a mail that is too large by the server's word, which is as good as an empty one here.
    async fn first_piece(&mut self, mail: Listed) -> Result<Option<Vec<u8>>, Fault> {
        match u64::from(mail.size) > self.mailbox.limits.message {
            true => Ok(Some(Vec::new())),
            false => self.session.piece(mail.uid, 0).await,
        }
    }

    /// The mail from its first octet to the durable commit. The size that the server told is never relied on: the mail
    /// ends where a piece is shorter than asked for, and no earlier than told, or where there is nothing more.
    async fn receive(&mut self, mail: Listed, mut piece: Vec<u8>) -> Result<Outcome, Fault> {
        if u64::from(mail.size) > self.mailbox.limits.message {
            return Ok(Outcome::Refused(Refusal::TooLarge));
        }
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
            if ends_with(&piece, length, mail) {
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
        stops(&refusal)?;
        match refusal.permanence() {
            // It is its readers', who find it as if nobody had looked.
            Permanence::Permanent if refusal == Refusal::OnlyWatched => {
                self.diary.progress.settled(uid);
                Ok(())
            }
            Permanence::Permanent => self.put_aside(uid).await,
            Permanence::Temporary => {
                self.undecided += 1;
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
}

/// The small mails at the front that were not refused before.
fn group(mails: &[Listed]) -> &[Listed] {
    let mut octets = 0;
    let small = mails.iter().take(GROUP).take_while(|mail| {
        octets += u64::from(mail.size);
        !mail.refused && mail.size < PIECE && octets <= GROUP_OCTETS
    });
    &mails[..small.count()]
}

/// Whether this piece is the last of a mail, of which there are so many octets with it.
fn ends_with(piece: &[u8], length: u64, mail: Listed) -> bool {
    piece.is_empty() || piece.len() < PIECE as usize && length >= u64::from(mail.size)
}

/// A store that cannot take this mail takes no other.
fn stops(refusal: &Refusal) -> Result<(), Fault> {
    match refusal {
        Refusal::StoreFull => Err(Fault::StoreFull),
        Refusal::StoreBroken => Err(Fault::StoreBroken),
        _ => Ok(()),
    }
}

fn mixed() -> Refusal {
    Refusal::BadContent("line ends are mixed, or a NUL is in it".to_owned())
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
