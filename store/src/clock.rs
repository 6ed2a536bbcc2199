//! The clock of a case: what a person's word does to it, and since when it runs. The one place in the ledger where a clock
//! is started or stopped by a message. The rule is that of the escalation table of the policies, which this crate
//! cannot name; a test of the gateway, which sees both, holds the two equal.

use jiff::Timestamp;
use mail::GroupId;

use crate::{
    accept::Deadline,
    cases::{Case, Due, MessageRecord},
};

/// What a message does to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTurn {
    /// It goes on, or stands still as before.
    Keep,
    /// The responder owes an answer from now on.
    Start,
    /// Nobody owes an answer any more.
    Stop,
}

/// What a message of a person does: only an answer of the side that owes it stops the clock, and a further word of the
/// initiator starts it again when none runs.
pub fn clock_turn(running: bool, from_initiator: bool) -> ClockTurn {
    match (running, from_initiator) {
        (false, true) => ClockTurn::Start,
        (true, false) => ClockTurn::Stop,
        (true, true) | (false, false) => ClockTurn::Keep,
    }
}

impl Case {
    /// Moves the clock by a message of a person of `from`, whose word opens a closed case again.
    pub(crate) fn move_clock(&mut self, from: &GroupId, deadline: &Deadline) {
        self.ended = None;
        match clock_turn(self.due.is_some(), self.is_initiator(from)) {
            ClockTurn::Keep => {}
            ClockTurn::Stop => self.due = None,
            ClockTurn::Start => self.due = self.responder().map(|responder| deadline.for_side(responder)),
        }
    }

    /// Since when the responder owes an answer, by the messages that it can read; oldest first.
    pub(crate) fn waiting_since(&self, messages: &[MessageRecord]) -> Option<Timestamp> {
        let responder = self.responder()?;
        let counts = |message: &&MessageRecord| !message.automatic && !message.is_withdrawn_for(responder);
        messages.iter().filter(counts).fold(None, |since, message| {
            match clock_turn(since.is_some(), self.is_initiator(&message.from_group)) {
                ClockTurn::Keep => since,
                ClockTurn::Start => Some(message.received_at),
                ClockTurn::Stop => None,
            }
        })
    }

    pub(crate) fn is_initiator(&self, group: &GroupId) -> bool {
        self.side(group).is_some_and(|side| side.initiator)
    }

    pub(crate) fn responder(&self) -> Option<&GroupId> {
        self.sides.iter().find(|side| !side.initiator).map(|side| &side.group)
    }
}

impl Deadline {
    /// The same as a clock that runs against `side`.
    pub(crate) fn for_side(&self, side: &GroupId) -> Due {
        Due {
            at: self.at,
            side: side.clone(),
            reason: self.reason.clone(),
            reckoning: self.reckoning.clone(),
            warn_at: self.warn_at,
        }
    }
}
