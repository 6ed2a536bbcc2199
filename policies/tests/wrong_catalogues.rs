//! Wrong catalogues and calendars, each a shipped one with one mistake, and the error it must give: file, line, key, what is
//! wrong, what to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mistakes;

use mistakes::check;
use policies::{Calendar, Calendars, Catalogue, FileKind, RuleFiles, Ruleset};

const PROCESSES: &str = include_str!("../shipped/processes.toml");
const CASEWORK: &str = include_str!("../shipped/casework/processes.toml");
const CALENDAR: &str = include_str!("../shipped/calendars/england-and-wales.toml");
const ONE_OFF: &str = include_str!("../shipped/calendars/one-off.toml");

#[test]
fn wrong_catalogues() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            ("branch = \"dual\"", "fuel = \"dual\"", "fuel: unknown field `fuel`"),
            ("name = \"Erroneous Transfers\"\n", "", "name: missing field `name`; add the key"),
            (
                "branch = \"dual\"",
                "branch = \"steam\"",
                "branch: \"steam\" is not declared at the top of the file; use one of dual, electricity, gas",
            ),
            (
                "id = \"erroneous-transfers\"",
                "id = \"Erroneous Transfers\"",
                "id: \"Erroneous Transfers\" is not a name",
            ),
            (
                "id = \"disputed-readings\"",
                "id = \"erroneous-transfers\"",
                "id: the process erroneous-transfers is there twice; keep one",
            ),
            ("name = \"Erroneous Transfers\"", "name = \"\"", "name: the text is empty; write one line"),
            (
                "name = \"Erroneous Transfers\"",
                "name = \"Erroneous\\nBcc: all\"",
                "name: the text has a line break",
            ),
            (
                "roles = [\"electricity-supplier\", \"gas-supplier\"]\ncode",
                "roles = []\ncode",
                "roles: no role may take part",
            ),
            (
                "roles = [\"electricity-supplier\", \"gas-supplier\"]\ncode",
                "roles = [\"supplier\"]\ncode",
                "roles: \"supplier\" is not declared",
            ),
            (
                "default = [\"branch\", \"roles\", \"code\"]",
                "default = [\"branch\", \"rolls\"]",
                "default: unknown variant `rolls`",
            ),
            ("code = \"ET\"", "code = \"[ET]\"", "code: \"[ET]\" is no code; write 2 to 6 capital letters"),
            ("code = \"ET\"", "code = \"et\"", "code: \"et\" is no code"),
            ("code = \"ET\"", "code = \"8T\"", "code: \"8T\" is no code"),
            (
                "code = \"DR\"",
                "code = \"ET\"",
                "code: ET is the code of erroneous-transfers already; give each",
            ),
            ("code = \"ET\"", "opaque = \"keep\"", "opaque: unknown variant `keep`"),
            ("[[process]]", "[[proces]]", "proces: unknown field `proces`"),
            (
                "roles = [\"electricity-supplier\", \"gas-supplier\", \"electricity-distributor\"]\ncontact_types",
                "roles = \ncontact_types",
                "roles: ",
            ),
        ],
    );
}

#[test]
fn wrong_ladders() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            (
                "working_days = 10",
                "working_days = 0",
                "working_days: 0 working days is no response time; give 1 to 250",
            ),
            ("working_days = 10", "working_days = 251", "working_days: 251 working days"),
            ("working_days = 10", "working_days = -1", "working_days: invalid value"),
            ("working_days = 10", "working_days = \"ten\"", "working_days: invalid type"),
            (
                "{ contact_type = \"escalation-1\",",
                "{ contact_type = \"escalation-9\",",
                "contact_type: escalation-9 is not declared",
            ),
            (
                "{ contact_type = \"escalation-1\",",
                "{ contact_type = \"initial-request\",",
                "contact_type: initial-request is not declared, twice in the ladder, or out of order; list each rung once",
            ),
            (
                "  { id = \"escalation-2\"",
                "  { id = \"escalation-1\"",
                "id: the contact type escalation-1 is there twice",
            ),
        ],
    );
    let begin = PROCESSES.find("rungs = [").unwrap();
    let end = begin + PROCESSES[begin..].find("\n]").unwrap() + 2;
    let error = Catalogue::parse("p.toml", &[&PROCESSES[..begin], "rungs = []", &PROCESSES[end..]].concat());
    assert!(error.unwrap_err().to_string().contains("rungs: the ladder is empty; give the process"));
}

#[test]
fn wrong_calendars() {
    check(
        CALENDAR,
        |text| Calendar::parse("c.toml", text).map(drop),
        &[
            (
                "zone = \"Europe/London\"",
                "zone = \"Europe/Londno\"",
                "zone: \"Europe/Londno\" is no time zone; use a name",
            ),
            (
                "cut_off = \"17:00\"",
                "cut_off = \"5 pm\"",
                "cut_off: \"5 pm\" is no time of day; write hours and minutes",
            ),
            ("cut_off = \"17:00\"", "cut_off = \"25:00\"", "cut_off: \"25:00\" is no time of day"),
            ("cut_off = \"17:00\"", "cutoff = \"17:00\"", "cutoff: unknown field `cutoff`"),
            (
                "date = 2025-01-01",
                "date = 2025-01-04",
                "date: Saturday 4 January 2025 is no working day anyway; list the substitute day",
            ),
            ("date = 2025-04-18", "date = 2025-01-01", "date: 2025-01-01 is there twice; keep one"),
            (
                "date = 2025-01-01",
                "date = 2025-01-01T09:00:00",
                "date: 2025-01-01T09:00:00 is no date; write a date",
            ),
            ("date = 2025-01-01", "date = 2025-02-30", "date: "),
            ("date = 2025-01-01", "date = \"2025-01-01\"", "date: "),
            ("name = \"New Year's Day\"", "name = \" \"", "name: the text is empty"),
            ("version = \"2026-11-23\"", "version = \"\"", "version: the text is empty"),
            (
                "name = \"england-and-wales\"",
                "name = \"England and Wales\"",
                "name: \"England and Wales\" is no name of a calendar; write 1 to 40 lower-case letters",
            ),
            ("name = \"england-and-wales\"\n", "", "name: missing field `name`; add the key"),
        ],
    );
    let none = "name = \"n\"\nversion = \"1\"\nzone = \"UTC\"\ncut_off = \"17:00\"\nholidays = []\n";
    let error = Calendar::parse("c.toml", none).unwrap_err();
    assert_eq!((error.line, error.key.as_str()), (5, "holidays"), "{error}");
}

#[test]
fn wrong_settings() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            ("retention_days = 30\n", "", "retention_days: missing field `retention_days`; add the key"),
            (
                "retention_days = 30",
                "retention_days = 0",
                "retention_days: 0 days is no retention time; give 1 to 3650",
            ),
            (
                "code = \"ET\"",
                "retention_days = 4000",
                "retention_days: 4000 days is no retention time; give 1 to 3650",
            ),
            ("retention_days = 30", "retention_days = \"a month\"", "retention_days: invalid type"),
            (
                "calendar = \"england-and-wales\"",
                "calendar = \"England\"",
                "calendar: \"England\" is no name of a calendar; write 1 to 40 lower-case letters",
            ),
            ("calendar = \"england-and-wales\"\n", "", "calendar: missing field `calendar`; add the key"),
            ("opaque = \"store\"\n", "opaque = \"open\"\n", "opaque: unknown variant `open`"),
            (
                "default = [\"calendar\", \"opaque\"]",
                "default = [\"days\"]",
                "default: unknown variant `days`",
            ),
        ],
    );
}

#[test]
fn wrong_names_for_exports() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            (
                "\"Disputed Readings\"",
                "\"erroneous-transfer\"",
                "aliases: \"erroneous-transfer\" means something else in this file already, but for case, spacing or plural; give each",
            ),
            ("\"Disputed Readings\"", "\"ET\"", "aliases: \"ET\" means something else in this file already"),
            (
                "name = \"Crossed Meters\"",
                "name = \"Erroneous switch\"",
                "name: \"Erroneous switch\" means something else",
            ),
            ("\"Esc 2\"", "\"First Escalations\"", "aliases: \"First Escalations\" means something else"),
            ("\"Elec\"", "\"dual fuels\"", "aliases: \"dual fuels\" means something else"),
            ("\"Disputed Readings\"", "\"--\"", "aliases: \"--\" has no letter or digit; give each"),
            ("id = \"gas\"", "id = \"dual\"", "id: the branch dual is there twice; keep one"),
            ("id = \"gas\"", "id = \"Gas\"", "id: \"Gas\" is no id; write 1 to 40 lower-case letters"),
            ("id = \"gas\", aliases", "id = \"gas\", alias", "alias: unknown field `alias`"),
        ],
    );
}

#[test]
fn wrong_fields() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            (
                "requires = [\"customer-class\"]",
                "requires = [\"customer-type\"]",
                "requires: \"customer-type\" is not declared at the top of the file; use one of customer-class, or declare",
            ),
            (
                "requires = [\"customer-class\"]",
                "requires = [\"customer-class\", \"customer-class\"]",
                "requires: customer-class is there twice; keep one",
            ),
            ("requires = [\"customer-class\"]", "require = []", "require: unknown field `require`"),
            (
                "choices = [\n    { id = \"domestic\", name = \"Domestic\" },\n    { id = \"non-domestic\", name = \"Non-domestic\" },\n  ]",
                "choices = [{ id = \"domestic\", name = \"Domestic\" }]",
                "choices: there is nothing to choose from; give the field at least two choices",
            ),
            (
                "id = \"non-domestic\"",
                "id = \"domestic\"",
                "id: the choice domestic is there twice; keep one",
            ),
            ("name = \"Customer class\"", "name = \"\"", "name: the text is empty"),
            ("id = \"customer-class\"", "id = \"customer class\"", "id: \"customer class\" is no id"),
        ],
    );
    check(
        CASEWORK,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            (
                "code = \"SGA\"",
                "branch = \"adults\"",
                "branch: \"adults\" is not declared at the top of the file; declare it there, or remove the line",
            ),
            ("id = \"consent\"", "id = \"urgency\"", "id: the field urgency is there twice"),
        ],
    );
}

#[test]
fn wrong_one_off_holidays() {
    check(
        ONE_OFF,
        |text| Calendars::with([], Some(("o.toml", text))).map(drop),
        &[
            ("version = ", "# version = ", "version: missing field `version`; add the key"),
            (
                "date = 2026-06-15",
                "date = 2026-06-14",
                "date: Sunday 14 June 2026 is no working day anyway; list the substitute day",
            ),
            ("date = 2026-06-15", "date = 2026-13-15", "date: "),
            ("[\"scotland\"]", "[]", "calendars: nobody keeps the holiday; name the calendars that keep it"),
            (
                "[\"scotland\"]",
                "[\"wales\"]",
                "calendars: there is no calendar wales; use one of england-and-wales, northern-ireland, scotland",
            ),
            ("[\"scotland\"]", "\"scotland\"", "calendars: invalid type"),
            ("calendars = [\"scotland\"]\n", "", "calendars: missing field `calendars`; add the key"),
            ("name = \"World Cup bank holiday\"", "name = \"\"", "name: the text is empty"),
            ("[[holiday]]", "[[holidays]]", "holidays: unknown field `holidays`"),
        ],
    );
    let twice = ONE_OFF.replacen("2026-06-15", "2026-11-30", 1);
    let error = Calendars::with([], Some(("o.toml", &twice))).unwrap_err();
    assert_eq!((error.line, error.key.as_str()), (10, "calendars"), "{error}");
    assert_eq!(error.problem, "2026-11-30 is St Andrew's Day there already");
}

/// The catalogue is right in itself, and names what is not there.
#[test]
fn a_catalogue_names_calendars_that_are_there() {
    let text = CASEWORK.replacen("calendar = \"scotland\"", "calendar = \"jersey\"", 1);
    let mut files = RuleFiles::casework();
    files.replace(FileKind::Catalogue, "c.toml", text.clone());
    let error = Ruleset::read(files.clone()).unwrap_err();
    let line = text.split("\"jersey\"").next().unwrap().matches('\n').count() + 1;
    assert_eq!((error.file.as_str(), error.line, error.key.as_str()), ("c.toml", line, "calendar"));
    assert!(error.problem.contains("no calendar jersey"), "{error}");
    let jersey = CALENDAR.replacen("england-and-wales", "jersey", 1);
    files.calendar("j.toml", jersey).unwrap();
    assert!(Ruleset::read(files).is_ok());
}
