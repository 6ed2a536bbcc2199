//! The life of a case, printed whole and compared with the committed table, so that no rule of it changes unseen.
//! `POSTERN_GOLDEN=write` rewrites the file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{env, fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use policies::access::{Action, Matter, Relation, Role};
use policies::escalation::{
    ClockStep, Deed, End, Gate, Part, Reason, Situation, State, Step, Who, archives_at, unstated,
};
use policies::{Catalogue, FieldId, Process};

const DUE: &str = "2026-06-16T16:00:00Z";

fn due() -> Timestamp {
    DUE.parse().unwrap()
}

fn adults() -> Process {
    let catalogue = Catalogue::casework().unwrap();
    catalogue.process(&"safeguarding-adults".parse().unwrap()).unwrap().clone()
}

/// Every situation that the table tells apart, with its name: on which of three rungs, owed or not, ended or not.
fn situations(process: &Process) -> Vec<(String, Situation<'_>)> {
    let mut all = Vec::new();
    for (rung, name) in process.rungs.iter().zip(["lowest", "middle", "highest"]) {
        for (answer_due, end) in
            [(None, None), (Some(due()), None), (None, Some(End::Closed)), (None, Some(End::Archived))]
        {
            let situation = Situation { process, contact_type: &rung.contact_type, answer_due, end };
            let state = situation.state();
            // Where the rung makes no difference one is enough.
            if answer_due.is_some() || name == "lowest" {
                all.push((format!("{} ({name})", state.seen_by(Part::Responder)), situation));
            }
        }
    }
    all
}

#[test]
fn escalation_matrix_is_the_committed_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/escalation-matrix.txt");
    if env::var("POSTERN_GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(&file, matrix()).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert_eq!(matrix(), committed, "run with POSTERN_GOLDEN=write if the change is meant");
}

fn matrix() -> String {
    let process = adults();
    let mut text = String::from("What follows from what happens\n\n");
    text.push_str(&line(&[("state", 26), ("what happens", 20), ("clock", 8), ("rung", 6), ("then", 0)]));
    for (name, situation) in situations(&process) {
        for deed in Deed::ALL {
            let cells = match situation.follow(deed) {
                None => ["-", "-", "cannot happen"],
                Some(follow) => [
                    match follow.clock {
                        ClockStep::Keep => "keeps",
                        ClockStep::Start => "starts",
                        ClockStep::Stop => "stops",
                    },
                    if follow.climbs { "next" } else { "same" },
                    then(&situation, deed).seen_by(Part::Responder),
                ],
            };
            let [clock, rung, then] = cells;
            text.push_str(&line(&[(&name, 26), (deed.name(), 20), (clock, 8), (rung, 6), (then, 0)]));
        }
    }
    text.push_str("\nWho may do what, and when: a millisecond before the deadline, and from it on\n\n");
    let head = Role::ALL.map(Role::name);
    text.push_str(&row("state", "step", "side", "relation", head));
    for (name, situation) in situations(&process) {
        for step in Step::ALL {
            for part in Part::ALL {
                for relation in Matter::Case.relations() {
                    let cells = Role::ALL.map(|role| {
                        let who = Who { part, role, relation: *relation };
                        cell(&situation, step, who)
                    });
                    text.push_str(&row(&name, step.name(), part.name(), relation.name(), cells));
                }
            }
        }
    }
    text
}

/// The state after a deed, with a clock that starts now.
fn then(situation: &Situation<'_>, deed: Deed) -> State {
    let follow = situation.follow(deed).unwrap();
    let rung = match follow.climbs {
        true => situation.process.above(situation.contact_type).map(|rung| &rung.contact_type),
        false => None,
    };
    let answer_due = match follow.clock {
        ClockStep::Keep => situation.answer_due,
        ClockStep::Start => Some(due()),
        ClockStep::Stop => None,
    };
    let contact_type = rung.unwrap_or(situation.contact_type);
    Situation { contact_type, answer_due, end: follow.end, ..*situation }.state()
}

fn cell(situation: &Situation<'_>, step: Step, who: Who) -> &'static str {
    let before = situation.gate(step, who, due() - SignedDuration::from_millis(1));
    match (before, situation.gate(step, who, due())) {
        (Gate::OpensAt(at), Gate::Open) if at == due() => "at deadline",
        (Gate::Open, Gate::Open) => "yes",
        (Gate::Never(before), Gate::Never(after)) if before == after => after.name(),
        odd => panic!("{odd:?}"),
    }
}

fn row(state: &str, step: &str, part: &str, relation: &str, cells: [&str; 4]) -> String {
    let mut all = vec![(state, 26), (step, 10), (part, 11), (relation, 11)];
    all.extend(cells.map(|cell| (cell, 15)));
    line(&all)
}

fn line(cells: &[(&str, usize)]) -> String {
    let text: String = cells.iter().map(|(cell, width)| format!("{cell:<width$}")).collect();
    text.trim_end().to_owned() + "\n"
}

#[test]
fn the_gate_opens_at_the_deadline_and_not_a_nanosecond_before() {
    let process = adults();
    let situation = Situation {
        process: &process,
        contact_type: &process.rungs[0].contact_type,
        answer_due: Some(due()),
        end: None,
    };
    let who = Who { part: Part::Initiator, role: Role::User, relation: Relation::Permitted };
    let at = |now| situation.gate(Step::Escalate, who, now);
    for early in
        [SignedDuration::from_nanos(1), SignedDuration::from_millis(1), SignedDuration::from_hours(99)]
    {
        assert_eq!(at(due() - early), Gate::OpensAt(due()));
        assert_eq!(at(due() + early), Gate::Open);
    }
    assert_eq!(at(due()), Gate::Open);
    let responder = Who { part: Part::Responder, ..who };
    assert_eq!(situation.gate(Step::Escalate, responder, due()), Gate::Never(Reason::InitiatorOnly));
    // An answer that comes late closes the gate again.
    let answered = Situation { answer_due: None, ..situation };
    assert_eq!(answered.gate(Step::Escalate, who, due()), Gate::Never(Reason::NothingOwed));
}

#[test]
fn nothing_but_a_persons_word_of_the_other_side_an_end_or_the_next_rung_moves_a_running_clock() {
    let process = adults();
    for (name, situation) in situations(&process) {
        for deed in Deed::ALL {
            let clock = situation.follow(deed).map(|follow| follow.clock);
            if situation.answer_due.is_some() {
                let moves = match deed {
                    Deed::Word(Part::Responder) | Deed::Closing | Deed::Archiving => Some(ClockStep::Stop),
                    Deed::Escalation if name.contains("highest") => None,
                    Deed::Escalation => Some(ClockStep::Start),
                    Deed::Word(Part::Initiator) | Deed::MachineMail => Some(ClockStep::Keep),
                    Deed::Reopening => None,
                };
                assert_eq!(clock, moves, "{name} {deed:?}");
            }
        }
        let machine = situation.follow(Deed::MachineMail).map(|follow| follow.clock);
        assert!(
            matches!(machine, None | Some(ClockStep::Keep)),
            "{name}: a machine asks and answers nothing"
        );
    }
}

#[test]
fn the_life_of_a_case_grants_nothing_that_the_access_table_denies() {
    let process = adults();
    for (name, situation) in situations(&process) {
        for (step, part) in Step::ALL.into_iter().flat_map(|step| Part::ALL.map(|part| (step, part))) {
            for (role, relation) in
                Role::ALL.into_iter().flat_map(|role| Relation::ALL.map(|relation| (role, relation)))
            {
                let gate = situation.gate(step, Who { part, role, relation }, due());
                let granted = policies::access::may(step.action(), role, relation);
                assert_eq!(gate == Gate::Never(Reason::Denied), !granted, "{name} {step:?} {role:?}");
            }
        }
    }
    assert!(Step::ALL.into_iter().map(Step::action).all(|action| Action::ALL.contains(&action)));
}

#[test]
fn what_a_rung_requires_must_be_stated_with_one_of_its_choices() {
    let catalogue = Catalogue::shipped().unwrap();
    let process = catalogue.process(&"erroneous-transfers".parse().unwrap()).unwrap();
    let (initial, escalation) = (&process.rungs[0], &process.rungs[1]);
    let class: FieldId = catalogue.fields().next().unwrap().id.clone();
    let lacks = |rung, stated: &[(&FieldId, &str)]| {
        let stated: Vec<_> =
            stated.iter().map(|(id, choice)| ((*id).clone(), (*choice).to_owned())).collect();
        unstated(&catalogue, rung, &stated).len()
    };
    assert_eq!(lacks(initial, &[]), 0);
    assert_eq!(lacks(escalation, &[]), 1);
    assert_eq!(lacks(escalation, &[(&class, "domestic")]), 0);
    assert_eq!(lacks(escalation, &[(&class, "industrial")]), 1);
    assert_eq!(lacks(escalation, &[(&class, "domestic"), (&class, "industrial")]), 1);
}

#[test]
fn content_is_kept_for_the_days_of_its_process() {
    let at = archives_at(due(), &adults());
    assert_eq!(at.duration_since(due()), SignedDuration::from_hours(90 * 24));
    assert_eq!(archives_at(Timestamp::MAX, &adults()), Timestamp::MAX);
}
