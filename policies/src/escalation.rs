//! The life of a case as tables: in which state it is, what a deed makes of it, and who may do what in which state and from
//! which instant on. Pure: the caller brings the instant and what it knows of the case. Access comes first, from the access
//! table; what is denied there is [`Reason::Denied`], which must look like something absent.

use jiff::{SignedDuration, Timestamp};
use mail::ContactType;

use crate::{
    Catalogue, Field, FieldId, Process, Rung,
    access::{Action, Relation, Role, may},
};

/// A side of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Who opened it, and waits for answers.
    Initiator,
    /// Who owes the answers.
    Responder,
}

/// What a case is, whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody owes an answer.
    Open,
    /// The responder owes one, on the lowest rung.
    Awaiting,
    /// The responder owes one, on a higher rung.
    Escalated,
    /// Done with; a person's word opens it again.
    Closed,
    /// Its content is destroyed.
    Archived,
}

/// How a case that needs no more came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Somebody closed it.
    Closed,
    /// Its retention time is over.
    Archived,
}

/// Something that happens to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A person of that side wrote.
    Word(Part),
    /// A machine wrote, of whichever side: an automatic answer, a bounce, a receipt, an empty mail.
    MachineMail,
    /// The initiator went to the next rung, with a message.
    Escalation,
    /// Somebody closed it.
    Closing,
    /// Somebody opened it again, without a message.
    Reopening,
    /// The retention time is over.
    Archiving,
}

/// What a deed does to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockStep {
    /// It goes on, or stands still as before.
    Keep,
    /// The response time of the rung begins now.
    Start,
    /// Nobody owes an answer any more.
    Stop,
}

/// What follows from a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// What happens to the clock.
    pub clock: ClockStep,
    /// Whether the case has come to its end.
    pub end: Option<End>,
    /// Whether it goes to the next rung, whose response time the clock then has.
    pub climbs: bool,
}

/// What somebody wants to do with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Read it.
    Read,
    /// Write in it.
    Write,
    /// Take it, give it to a colleague, give it back.
    Assign,
    /// Go to the next rung.
    Escalate,
    /// Say that it is done.
    Close,
    /// Say that it is not.
    Reopen,
}

/// Who wants to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// The side of the case; without meaning where the relation is [`Relation::Foreign`].
    pub part: Part,
    /// The role.
    pub role: Role,
    /// How they stand to the case.
    pub relation: Relation,
}

/// Whether somebody may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Now.
    Open,
    /// From that instant on, if nothing happens until then.
    OpensAt(Timestamp),
    /// Not as things are.
    Never(Reason),
}

/// Why something may not be done as things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The access table does not grant it.
    Denied,
    /// It is the initiator's to do.
    InitiatorOnly,
    /// No answer is owed.
    NothingOwed,
    /// Whoever owes the answer cannot end the waiting by anything else.
    AnswerOwed,
    /// The ladder has no further rung.
    HighestRung,
    /// The case is closed.
    Closed,
    /// The case is not closed.
    NotClosed,
    /// The content is destroyed.
    Archived,
}

/// What has to be known of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation<'a> {
    /// Its process.
    pub process: &'a Process,
    /// The rung on which it stands.
    pub contact_type: &'a ContactType,
    /// By when the responder owes an answer, if it does.
    pub answer_due: Option<Timestamp>,
    /// Whether it has come to its end.
    pub end: Option<End>,
}

impl Situation<'_> {
    /// In which state it is.
    pub fn state(&self) -> State {
        let lowest = self.process.rungs.first().is_some_and(|rung| rung.contact_type == *self.contact_type);
        match (self.end, self.answer_due) {
            (Some(End::Archived), _) => State::Archived,
            (Some(End::Closed), _) => State::Closed,
            (None, None) => State::Open,
            (None, Some(_)) if lowest => State::Awaiting,
            (None, Some(_)) => State::Escalated,
        }
    }

    /// What a deed makes of it; `None` where it cannot happen. Words and mail that find it archived open another case.
    pub fn follow(&self, deed: Deed) -> Option<Follow> {
        let above = self.process.above(self.contact_type);
        follow(self.state(), deed).filter(|follow| !follow.climbs || above.is_some())
    }

    /// Whether `who` may do `step` at `now`. An escalation is possible from the deadline itself on, to the nanosecond.
    pub fn gate(&self, step: Step, who: Who, now: Timestamp) -> Gate {
        if !may(step.action(), who.role, who.relation) {
            return Gate::Never(Reason::Denied);
        }
        match allowed(self.state(), step, who.part) {
            Err(reason) => Gate::Never(reason),
            Ok(Moment::Now) => Gate::Open,
            Ok(Moment::Deadline) if self.process.above(self.contact_type).is_none() => {
                Gate::Never(Reason::HighestRung)
            }
            Ok(Moment::Deadline) => match self.answer_due {
                Some(due) if now < due => Gate::OpensAt(due),
                Some(_) => Gate::Open,
                None => Gate::Never(Reason::NothingOwed),
            },
        }
    }
}

/// From when on something may be done that the state allows.
enum Moment {
    Now,
    Deadline,
}

/// The table of state, step and side.
fn allowed(state: State, step: Step, part: Part) -> Result<Moment, Reason> {
    match (state, step, part) {
        (State::Archived, ..) => Err(Reason::Archived),
        // A word opens a closed case again.
        (_, Step::Read | Step::Write, _) | (State::Closed, Step::Reopen, _) => Ok(Moment::Now),
        (State::Closed, ..) => Err(Reason::Closed),
        (_, Step::Reopen, _) => Err(Reason::NotClosed),
        (_, Step::Assign, _) => Ok(Moment::Now),
        (_, Step::Escalate, Part::Responder) => Err(Reason::InitiatorOnly),
        (State::Open, Step::Escalate, Part::Initiator) => Err(Reason::NothingOwed),
        (State::Awaiting | State::Escalated, Step::Escalate, Part::Initiator) => Ok(Moment::Deadline),
        (_, Step::Close, Part::Initiator) | (State::Open, Step::Close, Part::Responder) => Ok(Moment::Now),
        // Only an answer stops the clock: closing is none.
        (State::Awaiting | State::Escalated, Step::Close, Part::Responder) => Err(Reason::AnswerOwed),
    }
}

/// The table of state and deed.
fn follow(state: State, deed: Deed) -> Option<Follow> {
    use ClockStep::{Keep, Start, Stop};
    let on = |clock| Some(Follow { clock, end: None, climbs: false });
    let ended = |clock, end| Some(Follow { clock, end: Some(end), climbs: false });
    match (state, deed) {
        (State::Archived, _) => None,
        (State::Closed, Deed::Archiving) => ended(Keep, End::Archived),
        (_, Deed::Archiving) => ended(Stop, End::Archived),
        (State::Open | State::Closed, Deed::Word(Part::Initiator)) => on(Start),
        (State::Open | State::Closed, Deed::Word(Part::Responder)) => on(Keep),
        // A further word of the one who waits moves nothing; only a person of the other side answers.
        (State::Awaiting | State::Escalated, Deed::Word(Part::Initiator)) => on(Keep),
        (State::Awaiting | State::Escalated, Deed::Word(Part::Responder)) => on(Stop),
        (State::Closed, Deed::MachineMail) => ended(Keep, End::Closed),
        (State::Open | State::Awaiting | State::Escalated, Deed::MachineMail) => on(Keep),
        (State::Awaiting | State::Escalated, Deed::Escalation) => {
            Some(Follow { clock: Start, end: None, climbs: true })
        }
        (State::Open | State::Closed, Deed::Escalation) => None,
        (State::Open | State::Awaiting | State::Escalated, Deed::Closing) => ended(Stop, End::Closed),
        (State::Closed, Deed::Closing) => None,
        (State::Closed, Deed::Reopening) => on(Keep),
        (State::Open | State::Awaiting | State::Escalated, Deed::Reopening) => None,
    }
}

/// The fields that a message which opens `rung` must state and that `stated` (field, choice) lacks, or has with a choice
/// that there is not.
pub fn unstated<'a>(catalogue: &'a Catalogue, rung: &Rung, stated: &[(FieldId, String)]) -> Vec<&'a Field> {
    let required = rung.requires.iter().filter_map(|id| catalogue.field(id));
    let is_stated = |field: &Field| {
        let mut said = stated.iter().filter(|(id, _)| *id == field.id).peekable();
        said.peek().is_some() && said.all(|(_, choice)| field.choices.iter().any(|known| known.id == *choice))
    };
    required.filter(|field| !is_stated(field)).collect()
}

/// When the content of a case whose last message came at `last` is destroyed.
pub fn archives_at(last: Timestamp, process: &Process) -> Timestamp {
    let kept = SignedDuration::from_hours(24 * i64::from(process.retention_days));
    last.checked_add(kept).unwrap_or(Timestamp::MAX)
}

impl Part {
    /// Both, in the order of the printed matrix.
    pub const ALL: [Self; 2] = [Self::Initiator, Self::Responder];

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initiator => "initiator",
            Self::Responder => "responder",
        }
    }
}

impl State {
    /// Every state, in the order of the printed matrix.
    pub const ALL: [Self; 5] = [Self::Open, Self::Awaiting, Self::Escalated, Self::Closed, Self::Archived];

    /// As people of that side read it: whose turn it is depends on who looks.
    pub fn seen_by(self, part: Part) -> &'static str {
        match (self, part) {
            (Self::Open, _) => "open",
            (Self::Awaiting, Part::Initiator) => "awaiting them",
            (Self::Awaiting, Part::Responder) => "awaiting us",
            (Self::Escalated, _) => "escalated",
            (Self::Closed, _) => "closed",
            (Self::Archived, _) => "archived",
        }
    }
}

impl Deed {
    /// Every deed, in the order of the printed matrix.
    pub const ALL: [Self; 7] = [
        Self::Word(Part::Initiator),
        Self::Word(Part::Responder),
        Self::MachineMail,
        Self::Escalation,
        Self::Closing,
        Self::Reopening,
        Self::Archiving,
    ];

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Word(Part::Initiator) => "initiator writes",
            Self::Word(Part::Responder) => "responder writes",
            Self::MachineMail => "machine writes",
            Self::Escalation => "escalation",
            Self::Closing => "closing",
            Self::Reopening => "reopening",
            Self::Archiving => "archiving",
        }
    }
}

impl Step {
    /// Every step, in the order of the printed matrix.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Assign, Self::Escalate, Self::Close, Self::Reopen];

    /// What the access table must grant.
    pub fn action(self) -> Action {
        match self {
            Self::Read => Action::ReadCase,
            Self::Write => Action::Answer,
            Self::Assign => Action::Assign,
            Self::Escalate => Action::Escalate,
            Self::Close => Action::Close,
            Self::Reopen => Action::Reopen,
        }
    }

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Assign => "assign",
            Self::Escalate => "escalate",
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }
}

impl Reason {
    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::InitiatorOnly => "initiator only",
            Self::NothingOwed => "nothing owed",
            Self::AnswerOwed => "answer owed",
            Self::HighestRung => "highest rung",
            Self::Closed => "closed",
            Self::NotClosed => "not closed",
            Self::Archived => "archived",
        }
    }
}
