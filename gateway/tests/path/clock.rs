//! The ledger's clock and the escalation table are one: the ledger cannot name the table, so both are asked here, case by
//! case and in histories of mails.

use jiff::Timestamp;
use policies::Catalogue;
use policies::escalation::{ClockStep, Deed, End, Part, Situation};
use store::{ClockTurn, clock_turn};

use crate::market::{Market, group};

#[test]
fn a_persons_word_does_to_the_ledgers_clock_what_the_table_says() {
    let catalogue = Catalogue::shipped().unwrap();
    for process in catalogue.processes() {
        for rung in &process.rungs {
            for (running, part) in
                [false, true].into_iter().flat_map(|runs| Part::ALL.map(|part| (runs, part)))
            {
                let situation = Situation {
                    process,
                    contact_type: &rung.contact_type,
                    answer_due: running.then_some(Timestamp::UNIX_EPOCH),
                    end: None::<End>,
                };
                let said = situation.follow(Deed::Word(part)).unwrap().clock;
                let turn = match clock_turn(running, part == Part::Initiator) {
                    ClockTurn::Keep => ClockStep::Keep,
                    ClockTurn::Start => ClockStep::Start,
                    ClockTurn::Stop => ClockStep::Stop,
                };
                assert_eq!(turn, said, "{} {} {running} {part:?}", process.id, rung.contact_type);
                assert_eq!(situation.follow(Deed::MachineMail).unwrap().clock, ClockStep::Keep);
            }
        }
    }
}

/// Every order of three mails after the question, by people and machines of both companies.
#[tokio::test]
async fn every_order_of_mails_leaves_the_clock_that_the_table_leaves() {
    const MAILS: u32 = 3;
    let catalogue = Catalogue::shipped().unwrap();
    let process = catalogue.process(&"erroneous-transfers".parse().unwrap()).unwrap();
    for order in 0..4_u32.pow(MAILS) {
        let market = Market::open().await;
        let mut runs = true;
        market.send("alpha", &["et@beta.example"], &mail("alpha", 0, false)).await.unwrap();
        for number in 0..MAILS {
            let which = order / 4_u32.pow(number) % 4;
            let (company, to, part) = match which % 2 {
                0 => ("alpha", "et@beta.example", Part::Initiator),
                _ => ("beta", "et@alpha.example", Part::Responder),
            };
            let machine = which >= 2;
            market.send(company, &[to], &mail(company, number + 1, machine)).await.unwrap();
            let situation = Situation {
                process,
                contact_type: &process.rungs[0].contact_type,
                answer_due: runs.then_some(Timestamp::UNIX_EPOCH),
                end: None,
            };
            let deed = if machine { Deed::MachineMail } else { Deed::Word(part) };
            runs = match situation.follow(deed).unwrap().clock {
                ClockStep::Keep => runs,
                ClockStep::Start => true,
                ClockStep::Stop => false,
            };
            let [case] = market.cases("beta").await.try_into().unwrap();
            assert_eq!(case.due.is_some(), runs, "order {order}, mail {number}");
            assert!(case.due.iter().all(|due| due.side == group("beta")));
        }
    }
}

fn mail(company: &str, number: u32, machine: bool) -> String {
    let mark = if machine { "Auto-Submitted: auto-replied\n" } else { "" };
    let refers = if number > 0 { "References: <0@alpha.example>\n" } else { "" };
    format!(
        "From: ann@{company}.example\nMessage-ID: <{number}@{company}.example>\n{mark}{refers}Subject: s\n\nwords\n"
    )
}
