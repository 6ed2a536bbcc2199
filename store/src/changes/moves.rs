//! Participants that go from one group to another: arranged with a day, carried out when it has come. What is there stays with the
//! old group, what begins then is the new group's.

use mail::Mpid;

use super::{DirectoryChange, Draft, denied, mailbox_key, participant_key};
use crate::{
    audit::{Act, Actor, Event},
    directory::{Directory, Mailbox, Move, Participant},
    engine::Changeset,
    error::StoreError,
    ledger::Ledger,
    records,
    tasks::TaskKind,
};

impl Draft<'_> {
    pub(super) fn check_arranged_move(&self, mpid: &Mpid, arranged: Option<&Move>) -> Result<(), StoreError> {
        let known = self.participant(mpid)?;
        let Some(Move { to, from }) = arranged else { return Ok(()) };
        if self.directory.group(to).is_none() {
            return Err(denied(format!("there is no group {to}; add the group first")));
        }
        if known.group == *to {
            return Err(denied(format!("the participant {mpid} belongs to the group {to} already")));
        }
        // Both groups are to hear of it before it happens.
        if *from <= self.ledger.now() {
            return Err(denied("a participant moves on a day to come; choose one".to_owned()));
        }
        Ok(())
    }

    pub(super) fn check_move(&self, mpid: &Mpid) -> Result<(), StoreError> {
        match &self.participant(mpid)?.moving {
            Some(arranged) if arranged.from <= self.ledger.now() => Ok(()),
            _ => Err(denied(format!("no move of the participant {mpid} is due"))),
        }
    }

    pub(super) fn write_arranged_move(
        &self,
        mpid: &Mpid,
        arranged: Option<&Move>,
        changeset: &mut Changeset,
    ) -> Result<Event, StoreError> {
        let known = self.participant(mpid)?;
        let moving = Participant { moving: arranged.cloned(), ..known.clone() };
        changeset.put.push((participant_key(mpid), records::encode(&moving)?));
        Ok(match arranged {
            Some(Move { to, from }) => {
                let event = self.event(Act::MoveArranged).group(to).name(mpid.as_str());
                Event { becomes: Some(*from), ..event }
            }
            None => self.event(Act::MoveCancelled).group(&known.group).name(mpid.as_str()),
        })
    }

    /// The mailboxes go with it: new cases are the new group's.
    pub(super) fn write_move(&self, mpid: &Mpid, changeset: &mut Changeset) -> Result<Event, StoreError> {
        let known = self.participant(mpid)?.clone();
        let Some(Move { to, .. }) = known.moving.clone() else {
            return Err(denied(format!("no move of the participant {mpid} is arranged")));
        };
        let mut former = known.former.clone();
        former.retain(|group| *group != to && *group != known.group);
        former.push(known.group.clone());
        let moved = Participant { group: to.clone(), moving: None, former, ..known };
        changeset.put.push((participant_key(mpid), records::encode(&moved)?));
        for mailbox in self.directory.mailboxes().filter(|mailbox| mailbox.participant == *mpid) {
            let moved = Mailbox { group: to.clone(), ..mailbox.clone() };
            changeset.put.push((mailbox_key(&mailbox.address), records::encode(&moved)?));
        }
        Ok(self.event(Act::ParticipantMoved).group(&to).name(mpid.as_str()))
    }

    fn participant(&self, mpid: &Mpid) -> Result<&Participant, StoreError> {
        let known = self.directory.participant(mpid);
        known.ok_or_else(|| denied(format!("there is no participant {mpid}; add the participant first")))
    }
}

impl Ledger {
    /// Those who administer the two groups are told in the commit that arranges it.
    pub(super) async fn tell_of_moves(
        &self,
        actor: &Actor,
        directory: &Directory,
        changes: &[DirectoryChange],
        changeset: &mut Changeset,
    ) -> Result<(), StoreError> {
        for change in changes {
            let DirectoryChange::MoveParticipant(mpid, Some(arranged)) = change else { continue };
            let Some(known) = directory.participant(mpid) else { continue };
            for group in [&known.group, &arranged.to] {
                let kind = TaskKind::ParticipantMoves { mpid: mpid.clone(), from: arranged.from };
                self.add_task(actor, Some(group), kind, None, changeset).await?;
            }
        }
        Ok(())
    }

    /// Carries out the moves whose day has come; says how many.
    ///
    /// # Errors
    /// `Denied` if the directory has come to forbid one: the operator has to look at it.
    pub async fn move_participants(&self) -> Result<usize, StoreError> {
        let (directory, now) = (self.directory(), self.now());
        let due = |known: &&Participant| known.moving.as_ref().is_some_and(|moving| moving.from <= now);
        let mut moved = 0;
        for participant in directory.participants().filter(due) {
            let change = DirectoryChange::CarryOutMove(participant.mpid.clone());
            self.change_directory(&Actor::Worker, vec![change]).await?;
            moved += 1;
        }
        Ok(moved)
    }
}
