//! Wrong policy files, each a shipped one with one mistake, and the error it must give: file, line, key, what is wrong,
//! what to do. The mistake is a replacement in the shipped text, so the files stay what administrators start from.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mistakes;

use mistakes::check;
use policies::{FileKind, RuleFiles, Ruleset, TagRules, VerdictRules};

const TAGS: &str = include_str!("../shipped/tags.toml");
const VERDICTS: &str = include_str!("../shipped/verdicts.toml");

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
                "recipient: mailbox: a code in the subject and the classification place mail to a counterparty only",
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
        let mut files = RuleFiles::shipped();
        files.replace(FileKind::Verdicts, "v.toml", text);
        Ruleset::read(files)
    };
    assert!(rules("crossed-meters").is_ok());
    let error = rules("crossed-metres").unwrap_err();
    assert_eq!((error.key.as_str(), error.file.as_str()), ("process", "v.toml"));
    assert!(error.problem.contains("no process crossed-metres"), "{error}");
}
