//! The shipped catalogues are the tables they are meant to be, and names out of exports find their way.

use super::*;

/// Branch and response times (initial, escalations 1 to 3, contract manager; 0: no such rung), from the market's table.
const PROCESSES: [(&str, &str, [u32; 5]); 12] = [
    ("erroneous-transfers", "dual", [10, 5, 5, 5, 5]),
    ("disputed-readings", "dual", [5, 5, 5, 5, 5]),
    ("smart-prepayment", "dual", [1, 1, 1, 0, 2]),
    ("debt-assignment", "dual", [5, 5, 5, 0, 5]),
    ("customer-objections", "dual", [1, 1, 0, 0, 2]),
    ("misdirected-payments", "dual", [10, 5, 5, 0, 5]),
    ("contract-manager-queries", "dual", [5, 0, 0, 0, 0]),
    ("disconnections", "electricity", [5, 5, 5, 0, 5]),
    ("address-management", "electricity", [5, 5, 5, 0, 5]),
    ("retrospective-mpad", "electricity", [5, 5, 5, 0, 5]),
    ("crossed-meters", "gas", [10, 5, 5, 0, 5]),
    ("duplicate-meter-points", "gas", [10, 5, 5, 0, 5]),
];
const LADDER: [&str; 5] =
    ["initial-request", "escalation-1", "escalation-2", "escalation-3", "contract-manager"];

fn process(catalogue: &Catalogue, id: &str) -> Process {
    catalogue.process(&id.parse().unwrap()).unwrap().clone()
}

#[test]
fn shipped_catalogue_is_the_markets_table() {
    let catalogue = Catalogue::shipped().unwrap();
    assert_eq!(catalogue.processes().count(), PROCESSES.len());
    for (id, branch, days) in PROCESSES {
        let process = process(&catalogue, id);
        assert_eq!(process.branch.as_ref().unwrap().as_str(), branch, "{id}");
        let expected: Vec<(&str, u32)> = LADDER.into_iter().zip(days).filter(|(_, days)| *days > 0).collect();
        let ladder: Vec<(&str, u32)> =
            process.rungs.iter().map(|r| (r.contact_type.as_str(), r.working_days)).collect();
        assert_eq!(ladder, expected, "{id}");
        assert_eq!((process.retention_days, process.calendar.as_str()), (30, "england-and-wales"), "{id}");
    }
}

#[test]
fn escalations_of_two_processes_state_the_customer_class() {
    let catalogue = Catalogue::shipped().unwrap();
    for process in catalogue.processes() {
        let states = matches!(process.id.as_str(), "erroneous-transfers" | "disputed-readings");
        for (at, rung) in process.rungs.iter().enumerate() {
            let required: Vec<&str> = rung.requires.iter().map(FieldId::as_str).collect();
            let expected: &[&str] = if states && at > 0 { &["customer-class"] } else { &[] };
            assert_eq!(required, expected, "{} {}", process.id, rung.contact_type);
        }
    }
    let class = catalogue.fields().next().unwrap();
    let choices: Vec<&str> = class.choices.iter().map(|choice| choice.id.as_str()).collect();
    assert_eq!((class.id.as_str(), choices), ("customer-class", vec!["domestic", "non-domestic"]));
}

#[test]
fn assumed_values_are_marked_and_stated_ones_are_not() {
    for process in Catalogue::shipped().unwrap().processes() {
        for setting in Setting::ALL {
            assert_eq!(
                process.is_default(setting),
                setting != Setting::Retention,
                "{} {setting:?}",
                process.id
            );
        }
        assert!(process.rungs.iter().all(|rung| rung.is_default), "{}", process.id);
    }
}

#[test]
fn a_value_of_ones_own_is_not_assumed_because_the_general_one_is() {
    let shipped =
        SHIPPED.replacen("code = \"ET\"", "code = \"ET\"\nopaque = \"hold\"\ncalendar = \"scotland\"", 1);
    let process = process(&Catalogue::parse("p.toml", &shipped).unwrap(), "erroneous-transfers");
    assert_eq!((process.opaque, process.calendar.as_str()), (Opaque::Hold, "scotland"));
    assert!(!process.is_default(Setting::Opaque) && !process.is_default(Setting::Calendar));
    assert!(process.is_default(Setting::Roles));
}

#[test]
fn every_shipped_process_has_a_code_and_takes_what_nobody_can_look_into() {
    let catalogue = Catalogue::shipped().unwrap();
    for process in catalogue.processes() {
        let code = process.code.as_ref().unwrap().as_str();
        assert_eq!(catalogue.process_of_code(&code.to_lowercase()).unwrap().id, process.id);
        assert_eq!(process.opaque, Opaque::Store, "{}", process.id);
    }
    assert_eq!(catalogue.process_of_code("ET").unwrap().id.as_str(), "erroneous-transfers");
    assert_eq!(catalogue.process_of_code("E"), None);
}

#[test]
fn names_of_exports_find_process_rung_and_branch() {
    let catalogue = Catalogue::shipped().unwrap();
    for (name, process, rung, branch) in [
        ("[Dual]Erroneous Transfers - Initial Request", "erroneous-transfers", "initial-request", "dual"),
        ("[Dual Fuel] Erroneous Transfer-Initial Requests", "erroneous-transfers", "initial-request", "dual"),
        ("[DUAL]  erroneous  transfers –  Escalation 1", "erroneous-transfers", "escalation-1", "dual"),
        ("[Elec]Erroneous Switches - Esc 2", "erroneous-transfers", "escalation-2", "electricity"),
        ("Erroneous Switching", "", "", ""),
        ("[Gas]Crossed Meter - Contract Manager", "crossed-meters", "contract-manager", "gas"),
        ("[Gas]Crossed Meters - Contract Managers", "crossed-meters", "contract-manager", "gas"),
        (
            "[dual]Disputed change of supplier meter reading - first escalation",
            "disputed-readings",
            "escalation-1",
            "dual",
        ),
        ("Debt Assignment Protocols - Initial", "debt-assignment", "initial-request", ""),
        (
            "[Electricity]Metering Point Address Management - Escalation2",
            "address-management",
            "escalation-2",
            "electricity",
        ),
        ("[Gas] Duplicate MPRN : Initial request", "duplicate-meter-points", "initial-request", "gas"),
        ("contract-manager-queries - initial-request", "contract-manager-queries", "initial-request", ""),
        // A rung that the process has not, a branch and a process that nobody knows, no rung at all.
        ("[Dual]Contract Manager Queries - Escalation 1", "", "", ""),
        ("[Steam]Erroneous Transfers - Initial Request", "", "", ""),
        ("[Dual]Erroneous Payments - Initial Request", "", "", ""),
        ("[Dual]Erroneous Transfers", "", "", ""),
        ("", "", "", ""),
        ("[", "", "", ""),
        ("-", "", "", ""),
    ] {
        let found = catalogue.alias(name).map(|(process, rung, branch)| {
            let branch = branch.map(|branch| branch.as_str().to_owned()).unwrap_or_default();
            (process.to_string(), rung.to_string(), branch)
        });
        let expected =
            (!process.is_empty()).then(|| (process.to_owned(), rung.to_owned(), branch.to_owned()));
        assert_eq!(found, expected, "{name}");
    }
    let long = format!("[Dual]Erroneous Transfers{} - Initial Request", "-".repeat(100_000));
    assert_eq!(catalogue.alias(&long), None);
}

#[test]
fn every_name_of_its_own_is_an_alias_in_every_catalogue() {
    for catalogue in [Catalogue::shipped().unwrap(), Catalogue::casework().unwrap()] {
        for process in catalogue.processes() {
            for rung in &process.rungs {
                let expected = Some((process.id.clone(), rung.contact_type.clone(), None));
                for name in [
                    format!("{} - {}", process.name, rung.name),
                    format!("{}-{}", process.name.to_uppercase(), rung.name.to_lowercase()),
                    format!("{}-{}", process.id, rung.contact_type),
                ] {
                    assert_eq!(catalogue.alias(&name), expected, "{name}");
                }
            }
        }
    }
}

#[test]
fn another_market_is_another_file() {
    let catalogue = Catalogue::casework().unwrap();
    let adults = process(&catalogue, "safeguarding-adults");
    assert_eq!((adults.branch.as_ref(), adults.opaque, adults.retention_days), (None, Opaque::Hold, 90));
    assert_eq!(adults.rungs[0].name, "Referral");
    assert_eq!(adults.rungs[0].requires.len(), 2);
    assert!(adults.is_default(Setting::Retention) && !adults.is_default(Setting::Branch));
    let border = process(&catalogue, "cross-border-care");
    assert_eq!((border.calendar.as_str(), border.retention_days, border.code), ("scotland", 180, None));
    let above = adults.above(&"reminder".parse().unwrap()).unwrap();
    assert_eq!(above.contact_type.as_str(), "service-manager");
    assert_eq!(adults.above(&above.contact_type), None);
    assert_eq!(adults.above(&"initial-request".parse().unwrap()), None);
}
