//! Sample companies of a market.

use templates::pages::*;

use super::mails::mark;
use super::{frame, when};

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.into(), label: label.into(), chosen: false }
}

fn problem(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn companies(empty: bool) -> Companies {
    let row = |name: &str, standing: Mark, participants: &str| CompanyRow {
        href: "/market/groups/beta".into(),
        name: name.into(),
        id: "beta".into(),
        domains: "beta.example, betapower.example".into(),
        participants: participants.into(),
        parent: (!participants.is_empty()).then(|| "Alpha Energy".into()),
        standing,
    };
    Companies {
        frame: frame("Companies", true),
        told: (!empty).then(|| "Saved.".into()),
        rows: if empty {
            Vec::new()
        } else {
            vec![
                row("Alpha Energy", mark("Yes", "good"), "ALFA, ALFG"),
                row("Beta Power", mark("Invited", "soon"), "BETA"),
                row("Gamma Networks", mark("By nobody", "bad"), ""),
            ]
        },
        first: (!empty).then(|| "/market/groups".into()),
        next: (!empty).then(|| "/market/groups?after=gamma".into()),
    }
}

pub(crate) fn new_company() -> NewCompany {
    NewCompany {
        frame: frame("Bring a company in", true),
        token: "token".into(),
        id: "Delta!".into(),
        name: "Delta Supply".into(),
        domains: "delta".into(),
        parents: vec![choice("", "No other company"), choice("alpha", "Alpha Energy")],
        email: "dee@elsewhere.example".into(),
        person: String::new(),
        id_problem: problem("Use small letters, digits and hyphens."),
        name_problem: problem("Write a name."),
        domains_problem: problem("Write domains such as alpha.example, one a line."),
        parent_problem: problem("There is no such company."),
        email_problem: problem("The address must lie in one of the company's domains."),
        person_problem: problem("Write a name of 1 to 80 characters."),
    }
}

pub(crate) fn company(first: FirstMau) -> Company {
    let row = |mpid: &str, moving: Option<&str>| ParticipantRow {
        mpid: mpid.into(),
        name: "Beta Power Supply".into(),
        role: "electricity supplier".into(),
        fuel: "Electricity".into(),
        moving: moving.map(Into::into),
    };
    Company {
        frame: frame("Beta Power", true),
        told: Some("Saved.".into()),
        token: "token".into(),
        here: "/market/groups/beta".into(),
        id: "beta".into(),
        title: "Beta Power".into(),
        standing: mark("Invited", "soon"),
        seen: "0".into(),
        name: "Beta Power".into(),
        name_problem: problem("Write a name."),
        domains: "beta.example".into(),
        domains_problem: problem("Write domains."),
        parents: vec![choice("", "No other company")],
        children: vec!["Delta Supply".into()],
        first,
        participants: vec![row("BETA", None), row("BETG", Some("Moves to Alpha Energy on 1 January 2027"))],
        fresh: NewParticipant {
            mpid: "BE".into(),
            name: String::new(),
            roles: vec![choice("gas-supplier", "gas supplier")],
            fuels: vec![choice("gas", "Gas")],
            mpid_problem: problem("Write four capital letters or digits."),
            name_problem: problem("Write a name."),
            move_problem: problem("Choose a company and a day to come."),
        },
        others: vec![choice("alpha", "Alpha Energy")],
    }
}

pub(crate) fn invited() -> FirstMau {
    let invited =
        InvitedMau { name: "Bea <b>Long</b>".into(), email: "bea@beta.example".into(), since: Some(when()) };
    FirstMau { acting: false, invited: Some(invited), fresh: None }
}

pub(crate) fn nobody() -> FirstMau {
    let fresh = NewMau {
        email: "x".into(),
        person: String::new(),
        email_problem: problem("That is not an e-mail address."),
        person_problem: problem("Write a name."),
    };
    FirstMau { acting: false, invited: None, fresh: Some(fresh) }
}

pub(crate) fn calendars(empty: bool) -> Calendars {
    let day = |day: &str, name: &str| CalendarDay { day: day.into(), name: name.into() };
    let card = CalendarCard {
        name: "england-and-wales".into(),
        version: "2026.1".into(),
        processes: vec!["Erroneous Transfers".into(), "Crossed Meters".into()],
        days: vec![day("Fri 25 December 2026", "Christmas Day"), day("Mon 28 December 2026", "Boxing Day")],
    };
    Calendars { frame: frame("Calendars", true), cards: if empty { Vec::new() } else { vec![card] } }
}
