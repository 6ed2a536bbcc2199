//! Filled contexts for every page: what the tests check and the gallery draws. All of it invented.

use templates::pages::*;

pub(crate) mod administration;
pub(crate) mod alerts;
pub(crate) mod figures;
pub(crate) mod grid;
pub(crate) mod mails;
pub(crate) mod market;
pub(crate) mod people;
pub(crate) mod signing_in;
pub(crate) mod writing;

pub(crate) fn frame(title: &str, signed_in: bool) -> Frame {
    let item =
        |href: &str, label: &str, current| MenuItem { href: href.into(), label: label.into(), current };
    Frame {
        title: title.into(),
        style: "/style.css?v=0123456789abcdef".into(),
        scripted: signed_in,
        script: "/portal.js?v=0123456789abcdef".into(),
        visitor: signed_in.then(|| Visitor {
            name: "Sam Taylor".into(),
            company: "Beta Power".into(),
            token: "token".into(),
        }),
        menu: vec![
            item("/", "Cases", title == "Cases"),
            item("/search", "Find", title == "Find a case"),
            item("/held", "Held mail", title == "Held mail"),
            item("/mail", "Mail", title == "Mail"),
            item("/account", "Account", title == "Your account"),
        ],
        demo: true,
    }
}

pub(crate) fn when() -> When {
    When { text: "Fri 22 May 2026, 14:32 BST".into(), machine: "2026-05-22T14:32:00+01:00".into() }
}

fn due(state: &'static str, mark: Option<&'static str>, who: &str) -> Option<Due> {
    Some(Due { date: "Fri 5 June 2026".into(), machine: "2026-06-05".into(), state, mark, who: who.into() })
}

fn row(reference: &str, company: &str, owner: Option<&str>, due: Option<Due>, unseen: bool) -> CaseRow {
    CaseRow {
        href: "/case/0123456789abcdefghijklmnopqrstuv".into(),
        reference: reference.into(),
        company: company.into(),
        rung: "Initial request".into(),
        owner: owner.map(Into::into),
        mine: owner == Some("Sam Taylor"),
        due,
        messages: 3,
        activity: when(),
        unseen,
        undelivered: reference == "D4N-77KC",
        pick: None,
    }
}

pub(crate) fn rows() -> Vec<CaseRow> {
    vec![
        row("K7Q-4M2X", "Alpha Energy", None, due("overdue", Some("Overdue"), "your company"), true),
        row(
            "P2H-9RTW",
            "Gamma Networks",
            Some("Sam Taylor"),
            due("today", Some("Due today"), "your company"),
            false,
        ),
        row(
            "D4N-77KC",
            "Alpha Energy",
            Some("Priya Anand-Fitzgerald"),
            due("later", None, "Alpha Energy"),
            false,
        ),
        row("X0B-1G5Z", "Alpha Energy", Some("Jo Okafor"), None, false),
    ]
}

pub(crate) fn sign_in(problem: bool) -> SignIn {
    let sample = |email: &str, company: &str, note: &str| SampleUser {
        email: email.into(),
        password: "copper-lantern-42".into(),
        company: company.into(),
        note: note.into(),
    };
    SignIn {
        frame: frame("Sign in", false),
        token: "token".into(),
        next: "/".into(),
        email: if problem { "sam@beta.example".into() } else { String::new() },
        told: None,
        problem: problem
            .then(|| "That address and password do not belong together. Check both and try again.".into()),
        samples: vec![
            sample("sam@beta.example", "Beta Power", "may read Erroneous Transfers"),
            sample("kit@beta.example", "Beta Power", "has no permission"),
            sample("mau@beta.example", "Beta Power", "master administration user"),
            sample("ali@alpha.example", "Alpha Energy", "may read Erroneous Transfers"),
        ],
    }
}

pub(crate) fn home(empty: bool) -> Home {
    let choice = |label: &str, chosen| Choice { value: label.to_lowercase(), label: label.into(), chosen };
    let select = |name, label: &str| Select {
        name,
        label: label.into(),
        choices: vec![choice("Any", true), choice("Another", false)],
    };
    let tile = |label: &str, count: &str, pressing| Tile {
        label: label.into(),
        count: count.into(),
        href: "/?due=today".into(),
        current: label == "Overdue",
        pressing,
    };
    let rows = if empty { Vec::new() } else { rows() };
    let pick = |row: CaseRow| CaseRow { pick: Some(format!("{}.-", row.reference)), ..row };
    Home {
        frame: frame("Cases", true),
        company: "Beta Power".into(),
        unpermitted: false,
        operator: false,
        being_made: !empty,
        tiles: vec![
            tile("My cases", "4", false),
            tile("Due today", "12", true),
            tile("Overdue", "1", true),
            tile("Held mail", "100+", true),
        ],
        filtered: !empty,
        selects: vec![select("process", "Process"), select("state", "State")],
        bulk: Bulk { token: "token".into(), back: "due=today".into(), people: vec![choice("Me", true)] },
        older: (!empty).then(|| "/?after=00".into()),
        cut: empty.then(|| "/?after=00".into()),
        newest: (!empty).then(|| "/".into()),
        rows: rows.into_iter().map(pick).collect(),
    }
}

pub(crate) fn given() -> Given {
    let case = |problem: Option<&str>| GivenCase {
        reference: "K7Q-4M2X".into(),
        href: problem.is_none().then(|| "/case/x".into()),
        problem: problem.map(str::to_owned),
    };
    Given {
        frame: frame("Cases given", true),
        done: 1,
        left: 3,
        cases: vec![case(None), case(Some("There is no such case."))],
        back: "/?owner=me".into(),
    }
}

pub(crate) fn process() -> ProcessCases {
    ProcessCases {
        frame: frame("Erroneous Transfers", true),
        name: "Erroneous Transfers".into(),
        rows: rows(),
        newest: Some("/process/erroneous-transfers".into()),
        older: Some("/process/erroneous-transfers?after=x".into()),
    }
}

pub(crate) fn case() -> CasePage {
    CasePage {
        frame: frame("Case K7Q-4M2X", true),
        reference: "K7Q-4M2X".into(),
        process: ProcessLink { name: "Erroneous Transfers".into(), href: "/process/erroneous-transfers".into() },
        company: "Alpha Energy".into(),
        participants: "ALFA to BETA".into(),
        rung: "Initial request".into(),
        assumed: true,
        opened: when(),
        due: due("today", Some("Due today"), "your company"),
        because: Some("Received on Friday 22 May 2026 before 17:00, so 10 working days end on Friday 5 June 2026; Monday 25 May is a bank holiday.".into()),
        owner: Owner { name: None, mine: false, seen: String::new(), claim: "/case/0/claim".into(), release: "/case/0/release".into(), token: "token".into() },
        their_owner: Some("Morgan Reid".into()),
        told: None,
        problem: None,
        desk: desk(),
        lost: None,
        undelivered: vec!["The notice to et@beta.example could not be delivered since Fri 22 May 2026, 14:32 BST. Ask your master administration user (MAU) to put the mailbox right.".into()],
        away: vec!["Morgan Reid (Alpha Energy), away until Mon 1 June 2026".into()],
        earlier: Some("/case/0?page=1".into()),
        later: None,
        messages: vec![mails::card(1, false), mails::card(2, true), mails::taken_back(3), mails::damaged(4)],
        total: 4,
        answer: Some(writing::answer_bar()),
    }
}

fn desk() -> Desk {
    let choice =
        |value: &str, label: &str| Choice { value: value.into(), label: label.into(), chosen: false };
    Desk {
        here: "/case/0".into(),
        token: "token".into(),
        state: mails::mark("Awaiting us", "soon"),
        standing: "Your company owes an answer by Fri 5 June 2026, 17:00 BST.".into(),
        clocks: vec![
            ClockFace { who: "Beta Power".into(), says: "Owes an answer by Fri 5 June 2026, 17:00 BST".into() },
            ClockFace { who: "Alpha Energy".into(), says: "Owes nothing".into() },
        ],
        kept: Some(Kept { until: "Sun 21 June 2026".into(), assumed: true }),
        archived: false,
        takers: vec![choice("0", "Sam Taylor"), choice("1", "Pat Quinn")],
        escalation: Some(EscalationForm {
            open: true,
            seen: "initial-request".into(),
            label: "Escalate to Escalation 1".into(),
            says: "Possible now: the answer was due Fri 5 June 2026, 17:00 BST.".into(),
            leaves: Some("You do not have the permission for Escalation 1: after this, colleagues who do go on with the case.".into()),
            fields: vec![AskedField {
                name: "customer".into(),
                label: "Customer".into(),
                choices: vec![choice("domestic", "Domestic"), choice("non-domestic", "Non-domestic")],
                error: Some("Choose one.".into()),
            }],
        }),
        closing: vec![choice("settled", "Settled")],
        unclosable: Some("Your company owes an answer, so it cannot close the case. Answer first.".into()),
        reopening: Vec::new(),
        tags: vec![TagRow { kind: "mpan".into(), label: "Electricity meter point (MPAN)".into(), value: "1200023305967".into(), by: Some("Sam Taylor".into()) }],
        tag: TypedTag { kinds: vec![choice("mpan", "Electricity meter point (MPAN)")], value: "12".into(), error: Some("That is no MPAN.".into()) },
        notes: vec![NoteRow { by: "Sam Taylor".into(), at: when(), text: "Asked metering for the last reads.\nThey call back.".into() }],
        older_notes: 3,
        all_notes: "/case/0?notes=4#notes".into(),
        note: Typed::default(),
        history: lines(),
    }
}

fn lines() -> Vec<HistoryLine> {
    let line = |what: &str, who: &str, detail: Option<&str>| HistoryLine {
        at: when(),
        what: what.into(),
        who: who.into(),
        detail: detail.map(Into::into),
    };
    vec![line("Owner set", "Sam Taylor", Some("Pat Quinn")), line("Case opened", "Alpha Energy", None)]
}

pub(crate) fn case_history() -> CaseHistory {
    CaseHistory {
        frame: frame("History of K7Q-4M2X", true),
        reference: "K7Q-4M2X".into(),
        back: "/case/0".into(),
        lines: lines(),
        newest: Some("/case/0/history".into()),
        older: Some("/case/0/history?after=0".into()),
        partial: true,
    }
}

fn on_paper() -> CaseOnPaper {
    CaseOnPaper {
        process: "Erroneous Transfers".into(),
        company: "Alpha Energy".into(),
        participants: "ALFA to BETA".into(),
        rung: "Initial request".into(),
        opened: when(),
        standing: "Your company owes an answer by Fri 5 June 2026, 17:00 BST.".into(),
        taken_by: "Sam Taylor (Beta Power)".into(),
        taken: when(),
        lost: Some("Message 3 cannot be shown.".into()),
        archived: true,
    }
}

pub(crate) fn case_print() -> CasePrint {
    let cards = [mails::card(1, false), mails::taken_back(2), mails::damaged(3)];
    CasePrint {
        frame: frame("Case K7Q-4M2X for paper", true),
        reference: "K7Q-4M2X".into(),
        back: "/case/0".into(),
        file: "/case/0/file".into(),
        case: on_paper(),
        part: Some("Messages 11 to 13 of 34. The others are on pages of their own.".into()),
        earlier: Some("/case/0/print?page=1".into()),
        later: Some("/case/0/print?page=3".into()),
        messages: cards.map(|card| TranscriptMessage { card, cut: false }).into(),
        notes: desk().notes,
        history: lines(),
    }
}

pub(crate) fn message_page() -> MessagePage {
    MessagePage {
        frame: frame("Message 1", true),
        reference: "K7Q-4M2X".into(),
        back: "/case/0".into(),
        cut: true,
        message: mails::card(1, false),
    }
}

pub(crate) fn search(found: bool) -> Search {
    Search {
        asked: "MPAN, MPRN, your reference or a case reference".into(),
        frame: frame("Find a case", true),
        token: "token".into(),
        query: "1200023305967".into(),
        searched: true,
        problem: (!found).then(|| "This is no MPAN.".into()),
        rows: if found { rows() } else { Vec::new() },
    }
}

pub(crate) fn problem() -> Problem {
    Problem {
        frame: frame("Not found", true),
        heading: "This page does not exist".into(),
        says: "The case may have been closed and archived, or you may not have the permission for it.".into(),
        advice: "If a notice led you here, ask your company's master administration user (MAU) for permission for the process that it names.".into(),
    }
}

pub(crate) fn outbox(empty: bool) -> Outbox {
    let mail = OutboxMail {
        subject: "[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June".into(),
        from: "Postern <notices@postern.example>".into(),
        to: "et@beta.example".into(),
        date: Some(when()),
        text:
            "A message is waiting for you.\n\nFrom:        Alpha Energy\nProcess:     Erroneous Transfers\n"
                .into(),
        link: Some("/case/0".into()),
    };
    Outbox {
        frame: frame("Notices", false),
        mails: if empty { Vec::new() } else { vec![mail.clone(), mail] },
        hidden: 3,
    }
}

/// Every page, by file name.
pub(crate) fn gallery(words: &templates::Templates) -> Vec<(&'static str, String)> {
    let draw = |result: Result<String, templates::TemplateError>| match result {
        Ok(page) => page,
        Err(error) => panic!("{error}"),
    };
    vec![
        ("sign-in", draw(words.page(&sign_in(false)))),
        ("sign-in-problem", draw(words.page(&sign_in(true)))),
        ("new-password", draw(words.page(&signing_in::new_password()))),
        ("forgotten", draw(words.page(&signing_in::forgotten(false)))),
        ("second-step", draw(words.page(&signing_in::second_step()))),
        ("set-up", draw(words.page(&signing_in::set_up()))),
        ("sign-in-settings", draw(words.page(&signing_in::settings(false)))),
        ("sign-in-settings-proved", draw(words.page(&signing_in::settings(true)))),
        ("own-notices", draw(words.page(&alerts::own_notices(false)))),
        ("own-notices-none", draw(words.page(&alerts::own_notices(true)))),
        ("alerts", draw(words.page(&alerts::alerts(false, false)))),
        ("alerts-wrong", draw(words.page(&alerts::alerts(false, true)))),
        ("alerts-company", draw(words.page(&alerts::alerts(true, false)))),
        ("sign-in-rules", draw(words.page(&signing_in::rules(false)))),
        ("sign-in-rules-proved", draw(words.page(&signing_in::rules(true)))),
        ("api-tokens", draw(words.page(&signing_in::api_tokens(true)))),
        ("api-tokens-none", draw(words.page(&signing_in::api_tokens(false)))),
        ("new-passkey", draw(words.page(&signing_in::new_passkey()))),
        ("own-proof", draw(words.page(&signing_in::own_proof()))),
        ("recovery-codes", draw(words.page(&signing_in::recovery_codes()))),
        ("forgotten-sent", draw(words.page(&signing_in::forgotten(true)))),
        ("home", draw(words.page(&home(false)))),
        ("home-empty", draw(words.page(&home(true)))),
        ("given", draw(words.page(&given()))),
        ("process", draw(words.page(&process()))),
        ("case", draw(words.page(&case()))),
        ("message", draw(words.page(&message_page()))),
        ("case-history", draw(words.page(&case_history()))),
        ("case-print", draw(words.page(&case_print()))),
        ("search", draw(words.page(&search(true)))),
        ("search-empty", draw(words.page(&search(false)))),
        ("held-list", draw(words.page(&mails::held_list(false)))),
        ("held-list-empty", draw(words.page(&mails::held_list(true)))),
        ("held", draw(words.page(&mails::held()))),
        ("account", draw(words.page(&administration::account(true)))),
        ("account-empty", draw(words.page(&administration::account(false)))),
        ("mail-ways", draw(words.page(&administration::mail_ways(false)))),
        ("mail-ways-empty", draw(words.page(&administration::mail_ways(true)))),
        ("shadow", draw(words.page(&figures::shadow(false)))),
        ("shadow-empty", draw(words.page(&figures::shadow(true)))),
        ("report", draw(words.page(&figures::report(false)))),
        ("report-empty", draw(words.page(&figures::report(true)))),
        ("audit", draw(words.page(&figures::audit(false)))),
        ("audit-empty", draw(words.page(&figures::audit(true)))),
        ("stage-question", draw(words.page(&figures::stage_question()))),
        ("drafts", draw(words.page(&writing::drafts(false)))),
        ("drafts-empty", draw(words.page(&writing::drafts(true)))),
        ("new-case", draw(words.page(&writing::new_case(false)))),
        ("new-case-empty", draw(words.page(&writing::new_case(true)))),
        ("draft-new", draw(words.page(&writing::draft(true)))),
        ("draft-answer", draw(words.page(&writing::draft(false)))),
        ("texts", draw(words.page(&writing::texts(false)))),
        ("texts-empty", draw(words.page(&writing::texts(true)))),
        ("mailboxes", draw(words.page(&administration::mailboxes(false)))),
        ("mailboxes-empty", draw(words.page(&administration::mailboxes(true)))),
        ("people-file", draw(words.page(&people::file(false)))),
        ("people-file-wrong", draw(words.page(&people::file(true)))),
        ("companies", draw(words.page(&market::companies(false)))),
        ("companies-empty", draw(words.page(&market::companies(true)))),
        ("new-company", draw(words.page(&market::new_company()))),
        ("company", draw(words.page(&market::company(market::invited())))),
        ("company-nobody", draw(words.page(&market::company(market::nobody())))),
        ("calendars", draw(words.page(&market::calendars(false)))),
        ("calendars-empty", draw(words.page(&market::calendars(true)))),
        ("grid", draw(words.page(&grid::grid()))),
        ("several", draw(words.page(&grid::several()))),
        ("people", draw(words.page(&people::people(false)))),
        ("people-empty", draw(words.page(&people::people(true)))),
        ("new-person", draw(words.page(&people::new_person()))),
        ("person", draw(words.page(&people::person()))),
        ("problem", draw(words.page(&problem()))),
        ("outbox", draw(words.page(&outbox(false)))),
        ("outbox-empty", draw(words.page(&outbox(true)))),
    ]
}
