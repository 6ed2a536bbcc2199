//! Wrong policy files, each a shipped one with one mistake, and the error it must give: file, line, key, what is wrong,
//! what to do. The mistake is a replacement in the shipped text, so the files stay what administrators start from.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use policies::{Calendar, Catalogue, PolicyError, Ruleset, TagRules, VerdictRules};

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
            ("\\A([a-z]{2,6}-[0-9]{4,10})", "\\A[a-z]{2,6}", "behind_code: 0 capture groups; put ( )"),
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
                "rule: no rule answers for mailbox, process other-0 with opaque = \"store\", personal_data none, opaque \
                 false, scan off; add a last rule with recipient = [\"mailbox\"] and no conditions",
            ),
            (
                "recipient = [\"reply-address\"]",
                "recipient = [\"reply-address\", \"mailbox\"]",
                "recipient: secure-answer never decides for mailbox: rules before it answer for all of them; move",
            ),
            (
                "id = \"secure-answer\"",
                "id = \"secure-mapped-mailbox\"",
                "id: the rule secure-mapped-mailbox is there twice",
            ),
            ("verdict = \"secure\"", "verdict = \"shadow\"", "verdict: unknown variant `shadow`"),
            ("scan = [\"found\"]", "scan = [\"fonud\"]", "scan: unknown variant `fonud`"),
            (
                "personal_data = \"found\"",
                "personal_data = \"some\"",
                "personal_data: unknown variant `some`",
            ),
            ("[\"no-mailbox\"]", "[\"maybe\"]", "subject_code: unknown variant `maybe`"),
            ("[\"mailbox\"]", "[]", "recipient: an empty list fits nothing; name at least one"),
            ("scan = [\"found\"]", "scan = []", "scan: an empty list fits nothing"),
            (
                "opaque = true\nprocess_opaque",
                "process_opaque",
                "process_opaque: what the process wants done with opaque content is asked, but not whether",
            ),
        ],
    );
}

#[test]
fn wrong_verdicts() {
    check(
        VERDICTS,
        |text| VerdictRules::parse("v.toml", text).map(drop),
        &[
            (
                "verdict = \"secure\"",
                "verdict = \"refuse\"",
                "verdict: the sender would not be told; add public = ",
            ),
            (
                "verdict = \"secure\"",
                "public = \"x\"\nverdict = \"secure\"",
                "public: nobody is told anything of a mail that is secured or relayed",
            ),
            (
                "public = \"this",
                "public = \"\u{e7}a",
                "public: a mail server may not be able to read the text; write it in ASCII",
            ),
            (
                "[\"mailbox\"]",
                "[\"mailbox\", \"unmapped\"]",
                "recipient: unmapped: nothing is there that could take the mail; make the verdict \"refuse\"",
            ),
            (
                "[\"mailbox\"]",
                "[\"mailbox\", \"counterparty\"]",
                "recipient: counterparty: nothing says whose process it would belong to",
            ),
            (
                "recipient = [\"mailbox\"]\nverdict = \"secure\"",
                "recipient = [\"mailbox\"]\nverdict = \"relay\"",
                "recipient: mailbox: mail of a process would travel in the clear",
            ),
            (
                "\"foreign-reply-address\"]\nverdict",
                "\"foreign-reply-address\"]\nscan = [\"found\"]\nverdict",
                "recipient: unmapped: the answer is given before the content is there",
            ),
            (
                "[\"mailbox\"]",
                "[\"mailbox\"]\nsubject_code = [\"none\"]",
                "recipient: mailbox: a code in the subject places mail to a counterparty only",
            ),
            (
                "[\"own-domain\"]",
                "[\"own-domain\"]\nprocess = [\"crossed-meters\"]",
                "recipient: own-domain: mail to there belongs to no process",
            ),
        ],
    );
}

/// The mistake is in one rule, and another one suffers.
#[test]
fn verdict_rules_that_contradict_each_other() {
    let error = |text: &str| VerdictRules::parse("v.toml", text).unwrap_err();
    let mixed = error(&VERDICTS.replacen("[\"no-mailbox\"]", "[\"none\"]", 1));
    assert!(mixed.problem.contains("secured for the one and travel in the clear to the other"), "{mixed}");
    let rule = VERDICTS.lines().take(mixed.line).collect::<Vec<_>>();
    assert!(rule.iter().rev().any(|line| *line == "id = \"relay-counterparty\""), "{mixed}");
    assert_eq!(rule.last(), Some(&"verdict = \"relay\""));
    let many: String = (0..101)
        .map(|n| format!("[[rule]]\nid = \"{n}\"\nrecipient = [\"outside\"]\nverdict = \"relay\"\n"))
        .collect();
    assert!(error(&many).problem.contains("more than 100 rules"));
    assert!(error("rule = []").problem.contains("no rule answers for mailbox"));
}

#[test]
fn verdict_rules_name_processes_of_the_catalogue() {
    let rules = |process: &str| {
        let rule = format!(
            "[[rule]]\nid = \"off\"\nrecipient = [\"mailbox\"]\nprocess = [\"{process}\"]\nverdict = \"refuse\"\npublic = \"not here\"\n\n"
        );
        let at = VERDICTS.find("[[rule]]").unwrap();
        let text = [&VERDICTS[..at], &rule, &VERDICTS[at..]].concat();
        Ruleset::new(
            Catalogue::shipped().unwrap(),
            Calendar::shipped().unwrap(),
            TagRules::shipped().unwrap(),
            VerdictRules::parse("v.toml", &text).unwrap(),
        )
    };
    assert!(rules("crossed-meters").is_ok());
    let error = rules("crossed-metres").unwrap_err();
    assert_eq!((error.key.as_str(), error.file.as_str()), ("process", "v.toml"));
    assert!(error.problem.contains("no process crossed-metres"), "{error}");
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
