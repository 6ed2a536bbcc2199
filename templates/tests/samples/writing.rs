//! Sample drafts, new cases and texts.

use templates::pages::*;

use super::{frame, when};

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.into(), label: label.into(), chosen: value == "BETA" }
}

pub(crate) fn answer_bar() -> AnswerBar {
    AnswerBar {
        action: "/case/0/answer".into(),
        token: "token".into(),
        begun: false,
        others: vec!["Asha Rao has been answering since Fri 22 May 2026, 14:32 BST.".into()],
    }
}

pub(crate) fn drafts(empty: bool) -> Drafts {
    let row = |title: &str, files| DraftRow {
        href: "/draft/0".into(),
        title: title.into(),
        beginning: "We have looked at the readings of May and found that the meter".into(),
        saved: when(),
        files,
    };
    Drafts {
        frame: frame("Drafts", true),
        told: empty.then(|| "The draft is discarded.".into()),
        keeps_texts: !empty,
        rows: if empty {
            Vec::new()
        } else {
            vec![row("Answer in case K7Q-4M2X", 2), row("New case: Erroneous Transfers", 0)]
        },
    }
}

pub(crate) fn new_case(empty: bool) -> NewCase {
    let kinds =
        vec![choice("et ALFA", "Erroneous Transfers · ALFA"), choice("cm ALFA", "Crossed Meters · ALFA")];
    NewCase {
        frame: frame("New case", true),
        token: "token".into(),
        kinds: if empty { Vec::new() } else { kinds },
        problem: (!empty).then(|| "Choose one of the processes.".into()),
    }
}

/// With everything that can be wrong, or with little.
pub(crate) fn draft(opening: bool) -> DraftPage {
    let wrong = |says: &str| opening.then(|| says.to_owned());
    let file = |name: &str, size: &str, unfinished| WrittenFile {
        id: "0".into(),
        name: name.into(),
        size: size.into(),
        unfinished,
    };
    DraftPage {
        frame: frame("Drafts", true),
        here: "/draft/0".into(),
        token: "token".into(),
        title: if opening { "New case: Erroneous Transfers" } else { "Answer in case K7Q-4M2X" }.into(),
        case: (!opening).then(|| ProcessLink { name: "K7Q-4M2X".into(), href: "/case/0".into() }),
        company: (!opening).then(|| "Alpha Energy".into()),
        told: (!opening).then(|| "The draft is saved.".into()),
        invalid: opening,
        problem: wrong("You may no longer open a case of this kind."),
        newer: !opening,
        twins: if opening {
            vec![ProcessLink { name: "K7Q-4M2X with Beta Power".into(), href: "/case/0".into() }]
        } else {
            Vec::new()
        },
        anyway: opening,
        others: answer_bar().others,
        opening: opening.then(|| NewCaseFields {
            asked: "MPAN, MPRN or your reference".into(),
            participant: "ALFA".into(),
            rung: "Initial request".into(),
            counterparties: vec![choice("BETA", "Beta Power · BETA"), choice("GAMA", "Gamma · GAMA")],
            counterparty_problem: wrong("Choose whom the case is with."),
            tag: "1200023305968".into(),
            tag_problem: wrong("The last digit of an MPAN is a check, and it does not fit this one."),
            fields: vec![Asked {
                id: "customer-class".into(),
                name: "Customer class".into(),
                choices: vec![choice("domestic", "Domestic"), choice("other", "Non-domestic")],
                problem: wrong("Choose one of the answers."),
            }],
            subject: "Readings of May".into(),
        }),
        text: "Dear colleagues,\n\n  we have looked <again>.".into(),
        text_problem: wrong("Write something, or add a file."),
        texts: vec![choice("0", "Greeting"), choice("1", "Refusal")],
        files: vec![file("readings.csv", "14 KB", false), file("photos.zip", "1.2 MB of 40.0 MB", true)],
        files_problem: wrong("A file broke off on its way and was not taken."),
        room: "2000.0 MB".into(),
        saved: when(),
        seen: 3,
    }
}

pub(crate) fn texts(empty: bool) -> Texts {
    let row = |problem: Option<&str>| TextRow {
        id: if problem.is_some() { "1" } else { "0" }.into(),
        title: "Greeting".into(),
        name: "Greeting".into(),
        text: "Dear colleagues,".into(),
        problem: problem.map(str::to_owned),
    };
    Texts {
        frame: frame("Texts", true),
        token: "token".into(),
        told: (!empty).then(|| "The text is saved.".into()),
        rows: if empty { Vec::new() } else { vec![row(None), row(Some("Give it a name."))] },
        name: String::new(),
        text: String::new(),
        problem: empty.then(|| "Give it a name.".into()),
    }
}
