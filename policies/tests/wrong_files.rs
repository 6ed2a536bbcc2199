//! Wrong policy files, each a shipped one with one mistake, and the error it must give: file, line, key, what is wrong,
//! what to do. The mistake is a replacement in the shipped text, so the files stay what administrators start from.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use policies::{Calendar, Catalogue, PolicyError, TagRules, VerdictRules};

const PROCESSES: &str = include_str!("../shipped/processes.toml");
const CALENDAR: &str = include_str!("../shipped/calendars/england-and-wales.toml");
const TAGS: &str = include_str!("../shipped/tags.toml");
const VERDICTS: &str = include_str!("../shipped/verdicts.toml");

/// The shipped text, the first `from` of it made `to`, and the errors' words after `FILE:LINE: `.
type Mistake = (&'static str, &'static str, &'static str);

#[test]
fn wrong_catalogues() {
    check(
        PROCESSES,
        |text| Catalogue::parse("p.toml", text).map(drop),
        &[
            ("fuel = \"dual\"", "fule = \"dual\"", "fule: unknown field `fule`"),
            ("fuel = \"dual\"\n", "", "fuel: missing field `fuel`; add the key"),
            (
                "fuel = \"dual\"",
                "fuel = \"steam\"",
                "fuel: \"steam\" is not declared at the top of the file; use one of dual, electricity, gas",
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
                "default = [\"fuel\", \"roles\", \"code\"]",
                "default = [\"fuel\", \"rolls\"]",
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
            ("fuels = [", "fuels = ", "fuels"),
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
        ],
    );
    let none = "version = \"1\"\nzone = \"UTC\"\ncut_off = \"17:00\"\nholidays = []\n";
    let error = Calendar::parse("c.toml", none).unwrap_err();
    assert_eq!((error.line, error.key.as_str()), (4, "holidays"), "{error}");
}

#[test]
fn wrong_tag_rules() {
    check(
        TAGS,
        |text| TagRules::parse("t.toml", text).map(drop),
        &[
            ("([a-z]{2,6}", "([a-z{2,6}", "pattern: no regular expression: "),
            (
                "([a-z]{2,6}-[0-9]{4,10})",
                "[a-z]{2,6}-[0-9]{4,10}",
                "pattern: 0 capture groups; put ( ) around the reference",
            ),
            ("(?:our", "(our", "pattern: 2 capture groups"),
            ("[mprn]", "[mpnr]", "mpnr: unknown field `mpnr`"),
            ("\"mpan\"", "\"\"", "words: the text is empty"),
        ],
    );
}

#[test]
fn wrong_verdict_rules() {
    check(
        VERDICTS,
        |text| VerdictRules::parse("v.toml", text).map(drop),
        &[
            ("[\"mailbox\"]", "[\"mail-box\"]", "recipient: unknown variant `mail-box`"),
            (
                "[\"mailbox\"]",
                "[\"reply-address\"]",
                "rule: no rule answers for mailbox; add a rule with recipient = [\"mailbox\"]",
            ),
            (
                "[\"own-mailbox\"]",
                "[\"own-mailbox\", \"mailbox\"]",
                "recipient: both secure-mapped-mailbox and refuse-own-mailbox answer for mailbox; leave it to one",
            ),
            (
                "id = \"secure-answer\"",
                "id = \"secure-mapped-mailbox\"",
                "id: the rule secure-mapped-mailbox is there twice",
            ),
            (
                "verdict = \"secure\"",
                "verdict = \"refuse\"",
                "verdict: a refusal without a public text; add public",
            ),
            (
                "verdict = \"secure\"",
                "public = \"x\"\nverdict = \"secure\"",
                "public: a secured mail has no public text",
            ),
            (
                "[\"mailbox\"]",
                "[\"mailbox\", \"unmapped\"]",
                "recipient: nothing says whose process it would belong to",
            ),
            (
                "[\"mailbox\"]",
                "[\"mailbox\", \"foreign-reply-address\"]",
                "recipient: nothing says whose process it would belong to",
            ),
            (
                "public = \"this",
                "public = \"\u{e7}a",
                "public: a mail server may not be able to read the text; write it in ASCII",
            ),
            ("verdict = \"secure\"", "verdict = \"relay\"", "verdict: unknown variant `relay`"),
        ],
    );
}

fn check(shipped: &str, parse: impl Fn(&str) -> Result<(), PolicyError>, mistakes: &[Mistake]) {
    assert_eq!(parse(shipped), Ok(()));
    for (from, to, words) in mistakes {
        assert!(shipped.contains(from), "{from:?} is not in the shipped file");
        let error = parse(&shipped.replacen(from, to, 1)).expect_err(to);
        let text = error.to_string();
        let (_, after) = text.split_once(": ").unwrap();
        assert!(after.starts_with(words), "{to:?}: {text}");
        assert!(!error.remedy.is_empty() && !error.problem.is_empty(), "{text}");
        // The line is the mistake's own; where something is missing it is that of the table that lacks it.
        if !error.problem.starts_with("missing field") && error.key != "rule" {
            let line = shipped.split(from).next().unwrap().matches('\n').count() + 1;
            assert_eq!(error.line, line, "{to:?}: {text}");
        }
    }
}
