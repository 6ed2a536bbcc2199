//! 10,000 whole histories of cases: people and machines write, sides escalate, close and open again, answers come late,
//! calendars change. After each event the engine's tables and calendars must say what a naive model says, which keeps the log
//! of what happened and works everything out of it from the beginning.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calendars_by_rule;

use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use calendars_by_rule::{DAY, Days, Land, civil, number};
use jiff::Timestamp;
use mail::ContactType;
use policies::access::{Relation, Role};
use policies::escalation::{ClockStep, Deed, End, Gate, Part, Situation, State, Step, Who};
use policies::{Calendar, Calendars, Catalogue, Process, due};
use proptest::prelude::*;

const FROM: i64 = 1_735_732_800;

static PROCESSES: LazyLock<Vec<Process>> = LazyLock::new(|| {
    let catalogues = [Catalogue::shipped().unwrap(), Catalogue::casework().unwrap()];
    catalogues.iter().flat_map(Catalogue::processes).cloned().collect()
});

/// Editions of the calendars, each with other one-off holidays: the engine's and the model's.
static EDITIONS: LazyLock<Vec<(Calendars, [Days; 3])>> = LazyLock::new(|| (0..12).map(edition).collect());

fn edition(which: i64) -> (Calendars, [Days; 3]) {
    let mut file = format!("version = \"{which}\"\n");
    let mut one_offs: [Vec<i64>; 3] = Default::default();
    for (at, land) in Land::ALL.into_iter().enumerate() {
        let days = Days::of(land, &[]);
        for nth in 0..which * 9 {
            let day = number(2025, 1, 6) + (nth * 7_919 + which * 613 + at as i64 * 101) % 2_100;
            if !days.works(day) || one_offs[at].contains(&day) {
                continue;
            }
            one_offs[at].push(day);
            let (year, month, date) = civil(day);
            let land = land.name();
            writeln!(
                file,
                "[[holiday]]\ndate = {year}-{month:02}-{date:02}\nname = \"Once\"\ncalendars = [\"{land}\"]"
            )
            .unwrap();
        }
    }
    let calendars = Calendars::with([], Some(("one-off.toml", file.as_str()))).unwrap();
    let mut one_offs = one_offs.into_iter();
    (calendars, Land::ALL.map(|land| Days::of(land, &one_offs.next().unwrap())))
}

/// Something that happens, or is tried, so many seconds after what was before it, or just around the deadline.
#[derive(Debug, Clone, Copy)]
enum Event {
    Word(Part),
    Machine,
    Escalate,
    Close(Part),
    Reopen(Part),
    /// Other holidays become known.
    Edition(usize),
    /// The process moves to another calendar.
    Move(Land),
}

#[derive(Debug, Clone, Copy)]
enum When {
    Later(i64),
    /// So many seconds from the deadline, if one runs and that is not past.
    AtDeadline(i64),
}

fn events() -> impl Strategy<Value = Vec<(When, Event)>> {
    let part = prop::sample::select(Part::ALL.to_vec());
    let event = prop_oneof![
        4 => part.clone().prop_map(Event::Word),
        2 => Just(Event::Machine),
        4 => Just(Event::Escalate),
        1 => part.clone().prop_map(Event::Close),
        1 => part.prop_map(Event::Reopen),
        2 => (0_usize..12).prop_map(Event::Edition),
        1 => prop::sample::select(Land::ALL.to_vec()).prop_map(Event::Move),
    ];
    let when = prop_oneof![
        3 => (0..6 * DAY).prop_map(When::Later),
        1 => (0..40 * DAY).prop_map(When::Later),
        3 => (-1_i64..=1).prop_map(When::AtDeadline),
    ];
    prop::collection::vec((when, event), 1..24)
}

/// The engine: what a ledger would keep, and the tables.
struct Engine<'a> {
    process: &'a Process,
    contact_type: &'a ContactType,
    /// Since when, within how many working days, by when.
    clock: Option<(Timestamp, u32, Timestamp)>,
    end: Option<End>,
    edition: usize,
    land: Land,
}

impl<'a> Engine<'a> {
    fn situation(&self) -> Situation<'a> {
        Situation {
            process: self.process,
            contact_type: self.contact_type,
            answer_due: self.clock.map(|(.., due)| due),
            end: self.end,
        }
    }

    fn calendar(&self) -> &'static Calendar {
        let (calendars, _) = &EDITIONS[self.edition];
        calendars.all().find(|calendar| calendar.name().as_str() == self.land.name()).unwrap()
    }

    fn may(&self, step: Step, part: Part, now: Timestamp) -> bool {
        let who = Who { part, role: Role::User, relation: Relation::Permitted };
        self.situation().gate(step, who, now) == Gate::Open
    }

    fn take(&mut self, event: Event, now: Timestamp) {
        let deed = match event {
            Event::Word(part) => Deed::Word(part),
            Event::Machine => Deed::MachineMail,
            Event::Escalate if self.may(Step::Escalate, Part::Initiator, now) => Deed::Escalation,
            Event::Close(part) if self.may(Step::Close, part, now) => Deed::Closing,
            Event::Reopen(part) if self.may(Step::Reopen, part, now) => Deed::Reopening,
            Event::Escalate | Event::Close(_) | Event::Reopen(_) => return,
            Event::Edition(edition) => return self.reckon_anew(edition, self.land),
            Event::Move(land) => return self.reckon_anew(self.edition, land),
        };
        let Some(follow) = self.situation().follow(deed) else { return };
        if follow.climbs {
            self.contact_type = &self.process.above(self.contact_type).unwrap().contact_type;
        }
        let days = self.process.rung(self.contact_type).unwrap().working_days;
        match follow.clock {
            ClockStep::Keep => {}
            ClockStep::Stop => self.clock = None,
            ClockStep::Start => self.clock = Some((now, days, due(now, days, self.calendar()).at)),
        }
        self.end = follow.end;
    }

    fn reckon_anew(&mut self, edition: usize, land: Land) {
        (self.edition, self.land) = (edition, land);
        if let Some((since, days, _)) = self.clock {
            self.clock = Some((since, days, due(since, days, self.calendar()).at));
        }
    }
}

/// The model: the log, and what can be read out of it.
struct Model<'a> {
    process: &'a Process,
    log: Vec<(i64, Logged)>,
    edition: usize,
    land: Land,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Logged {
    Asked,
    Answered,
    Escalated,
    Closed,
    Reopened,
}

impl Model<'_> {
    fn rung(&self) -> usize {
        self.log.iter().filter(|(_, what)| *what == Logged::Escalated).count()
    }

    fn closed(&self) -> bool {
        let last_close = self.log.iter().rposition(|(_, what)| *what == Logged::Closed);
        // Whatever a person did after the closing opened it again.
        last_close.is_some_and(|at| at + 1 == self.log.len())
    }

    /// When the unanswered question was put, which is the first since the last answer, rung or closing.
    fn waiting_since(&self) -> Option<i64> {
        let ended = |what: Logged| matches!(what, Logged::Answered | Logged::Closed);
        let after = self.log.iter().rposition(|(_, what)| ended(*what)).map_or(0, |at| at + 1);
        let escalated = self.log[after..].iter().rfind(|(_, what)| *what == Logged::Escalated);
        let asked = self.log[after..].iter().find(|(_, what)| *what == Logged::Asked);
        escalated.or(asked).map(|(at, _)| *at)
    }

    fn deadline(&self) -> Option<i64> {
        let days = self.process.rungs[self.rung()].working_days;
        let (_, models) = &EDITIONS[self.edition];
        self.waiting_since().map(|since| models[self.land as usize].due(since, days))
    }

    fn state(&self) -> State {
        match (self.closed(), self.waiting_since(), self.rung()) {
            (true, ..) => State::Closed,
            (false, None, _) => State::Open,
            (false, Some(_), 0) => State::Awaiting,
            (false, Some(_), _) => State::Escalated,
        }
    }

    fn may_escalate(&self, now: i64) -> bool {
        let overdue = self.deadline().is_some_and(|deadline| now >= deadline);
        overdue && self.rung() + 1 < self.process.rungs.len()
    }

    fn take(&mut self, event: Event, now: i64) {
        let logged = match event {
            Event::Word(Part::Initiator) => Logged::Asked,
            Event::Word(Part::Responder) => Logged::Answered,
            Event::Machine => return,
            Event::Escalate if self.may_escalate(now) => Logged::Escalated,
            Event::Close(part)
                if !self.closed() && (part == Part::Initiator || self.waiting_since().is_none()) =>
            {
                Logged::Closed
            }
            Event::Reopen(_) if self.closed() => Logged::Reopened,
            Event::Escalate | Event::Close(_) | Event::Reopen(_) => return,
            Event::Edition(edition) => return self.edition = edition,
            Event::Move(land) => return self.land = land,
        };
        self.log.push((now, logged));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    fn every_history_goes_as_the_model_says(
        process in 0..PROCESSES.len(),
        start in 0_i64..(4 * 365 * DAY),
        events in events(),
    ) {
        let process = &PROCESSES[process];
        let mut now = FROM + start;
        let mut engine = Engine {
            process,
            contact_type: &process.rungs[0].contact_type,
            clock: None,
            end: None,
            edition: 0,
            land: Land::England,
        };
        let mut model = Model { process, log: Vec::new(), edition: 0, land: Land::England };
        let opening = (When::Later(0), Event::Word(Part::Initiator));
        for (when, event) in std::iter::once(opening).chain(events) {
            now = match (when, model.deadline()) {
                (When::AtDeadline(seconds), Some(deadline)) => now.max(deadline + seconds),
                (When::AtDeadline(_), None) => now,
                (When::Later(seconds), _) => now + seconds,
            };
            let instant = Timestamp::from_second(now).unwrap();
            let (rung, deadline) = (model.rung(), model.deadline());
            engine.take(event, instant);
            model.take(event, now);
            Reached::note(event, now, deadline, model.rung() > rung, model.deadline());
            let state = engine.situation().state();
            prop_assert_eq!(state, model.state(), "{:?} {:?}", event, model.log);
            let rung = process.rungs.iter().position(|rung| rung.contact_type == *engine.contact_type);
            prop_assert_eq!(rung, Some(model.rung()));
            let deadline = engine.clock.map(|(.., due)| due.as_second());
            prop_assert_eq!(deadline, model.deadline(), "{:?} {:?}", event, model.log);
            let gate = engine.may(Step::Escalate, Part::Initiator, instant);
            prop_assert_eq!(gate, model.may_escalate(now));
        }
    }
}

/// What random histories must come to, or they prove nothing.
#[derive(Clone, Copy, Debug)]
enum Reached {
    EscalatedOnTheStroke,
    RefusedASecondBefore,
    AnsweredLate,
    MovedByAnotherEdition,
    MovedByAnotherCalendar,
    MachineWhileWaiting,
}

static REACHED: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];

impl Reached {
    fn note(event: Event, now: i64, before: Option<i64>, climbed: bool, after: Option<i64>) {
        let Some(deadline) = before else { return };
        let reached = match event {
            Event::Escalate if climbed && now == deadline => Self::EscalatedOnTheStroke,
            Event::Escalate if !climbed && now == deadline - 1 => Self::RefusedASecondBefore,
            Event::Word(Part::Responder) if now > deadline => Self::AnsweredLate,
            Event::Edition(_) if after != before => Self::MovedByAnotherEdition,
            Event::Move(_) if after != before => Self::MovedByAnotherCalendar,
            Event::Machine => Self::MachineWhileWaiting,
            _ => return,
        };
        REACHED[reached as usize].fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn ten_thousand_histories_go_as_the_model_says_and_come_everywhere() {
    every_history_goes_as_the_model_says();
    let counts = REACHED.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
}

#[test]
fn the_editions_differ() {
    let moved = |edition: &(Calendars, [Days; 3])| {
        let england = &edition.1[0];
        (number(2025, 1, 6)..number(2030, 10, 1)).filter(|day| england.works(*day)).count()
    };
    let counts: Vec<usize> = EDITIONS.iter().map(moved).collect();
    assert!(counts.windows(2).all(|pair| pair[0] > pair[1]), "{counts:?}");
}
