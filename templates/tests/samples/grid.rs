//! Sample permissions.

use templates::pages::*;

use super::frame;

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.into(), label: label.into(), chosen: false }
}

pub(crate) fn grid() -> Grid {
    let boxes = || {
        let label = ["Initial Request", "Escalation 1", "Escalation 2", "Escalation 3", "Contract Manager"];
        label
            .iter()
            .enumerate()
            .map(|(at, label)| GridBox { value: format!("p r{at}"), label: (*label).into(), checked: at < 2 })
            .collect()
    };
    let row = |process: &str| GridRow { process: process.into(), boxes: boxes() };
    Grid {
        frame: frame("Permissions", true),
        told: Some("Saved.".into()),
        person: "/people/0".into(),
        name: "Sam Taylor".into(),
        oneself: true,
        token: "token".into(),
        seen: "0".into(),
        participant: Some("BETA".into()),
        participant_name: "Beta Power Supply".into(),
        participants: vec![choice("BETA", "BETA · Beta Power Supply")],
        rows: vec![
            row("Erroneous Transfers"),
            row("Disputed Change of Supplier Meter Readings"),
            row("Debt Assignment Protocol"),
        ],
        rungs: vec![choice("initial-request", "Initial Request")],
        colleagues: vec![choice("0", "Pat Underhill (12)")],
    }
}

pub(crate) fn several() -> Several {
    let person = |name: &str, permissions| PickedPerson {
        id: "0".into(),
        name: name.into(),
        email: "pat@beta.example".into(),
        permissions,
        picked: permissions == 1,
    };
    Several {
        frame: frame("Permissions of many people at once", true),
        told: Some("Saved.".into()),
        token: "token".into(),
        problem: Some("Tick at least one person.".into()),
        whats: vec![choice("", "BETA · Erroneous Transfers · every contact type")],
        rows: vec![person("Pat Underhill", 1), person("Kit Marsh", 0), person("Sam Taylor", 12)],
        first: Some("/people/several".into()),
        next: Some("/people/several?after=0".into()),
    }
}
