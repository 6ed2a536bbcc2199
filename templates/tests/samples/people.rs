//! Sample people of a company.

use templates::pages::*;

use super::mails::mark;
use super::{frame, when};

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.into(), label: label.into(), chosen: false }
}

pub(crate) fn people(empty: bool) -> People {
    let row = |name: &str, state: Mark, last: Option<When>| PersonRow {
        href: "/people/0".into(),
        name: name.into(),
        email: "sam@beta.example".into(),
        state,
        role: "User".into(),
        permissions: 12,
        last,
    };
    let rows = vec![
        row("Sam Taylor", mark("Signs in", "good"), Some(when())),
        row("Kit <b>Marsh</b>", mark("Invited", "soon"), None),
        row("Pat Underhill-Featherstonehaugh", mark("Suspended", "bad"), Some(when())),
    ];
    People {
        frame: frame("People", true),
        company: "Beta Power".into(),
        told: (!empty).then(|| "Saved.".into()),
        words: if empty { "nobody".into() } else { String::new() },
        states: vec![choice("", "Everybody"), choice("invited", "Invited")],
        filtered: empty,
        found: if empty { 0 } else { 3 },
        rows: if empty { Vec::new() } else { rows },
        first: (!empty).then(|| "/people".into()),
        next: (!empty).then(|| "/people?after=0".into()),
    }
}

pub(crate) fn new_person() -> NewPerson {
    NewPerson {
        frame: frame("Invite somebody", true),
        company: "Beta Power".into(),
        token: "token".into(),
        email: "nonsense".into(),
        name: String::new(),
        roles: vec![choice("user", "User"), choice("mau", "Master administration (MAU)")],
        email_problem: Some("That is not an e-mail address. Write it like name@company.example.".into()),
        name_problem: Some("Write a name of 1 to 80 characters.".into()),
    }
}

pub(crate) fn person() -> Person {
    Person {
        frame: frame("Sam Taylor", true),
        told: Some("Saved.".into()),
        id: "0".into(),
        name: "Sam Taylor".into(),
        email: "sam@beta.example".into(),
        state: mark("Signs in", "good"),
        since: Some(when()),
        last: Some(when()),
        role: "Compliance".into(),
        oneself: true,
        token: "token".into(),
        form: PersonForm {
            seen: "0".into(),
            name: "Sam Taylor".into(),
            problem: Some("Write a name of 1 to 80 characters.".into()),
            roles: vec![choice("user", "User")],
        },
        steps: vec![PersonStep {
            action: "/people/0/suspend".into(),
            label: "Suspend".into(),
            says: "The person is signed out at once.".into(),
        }],
        rights: vec![RightsOf {
            participant: "BETA".into(),
            process: "Erroneous Transfers".into(),
            rungs: vec!["Initial Request".into(), "Escalation 1".into()],
        }],
        officer: true,
    }
}

pub(crate) fn file(wrong: bool) -> PeopleFile {
    let difference = |line, who: &str, what: &str, before: &str, after: &str| ImportDifference {
        line,
        who: who.into(),
        what: what.into(),
        before: before.into(),
        after: after.into(),
    };
    PeopleFile {
        frame: frame("People as a file", true),
        told: wrong.then(|| "Nothing was done.".into()),
        token: "token".into(),
        problem: wrong.then(|| "That file is larger than 512 kB. Cut it in two.".into()),
        preview: Some(ImportPreview {
            seen: "0".into(),
            permissions: false,
            mistakes: if wrong {
                vec![ImportMistake {
                    place: "Line 3, column role".into(),
                    says: "That is no role. Write user, mau or compliance, not king".into(),
                }]
            } else {
                Vec::new()
            },
            found: 3,
            differences: vec![
                difference(2, "new@beta.example", "Invited", "", "Nell Ashdown, user"),
                difference(3, "sam@beta.example", "Role", "user", "compliance"),
                difference(
                    4,
                    "pat@beta.example",
                    "Permission taken away",
                    "BETA · crossed-meters · escalation-1",
                    "",
                ),
            ],
            hidden: 12,
        }),
    }
}
