//! Wrong policy files, each a shipped one with one mistake, and the error it must give: file, line, key, what is wrong,
//! what to do. The mistake is a replacement in the shipped text, so the files stay what administrators start from.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mistakes;

use mistakes::check;
use policies::{ClassificationRules, FileKind, RuleFiles, Ruleset, TagRules, VerdictRules};

const TAGS: &str = include_str!("../shipped/tags.toml");
const CLASSIFICATION: &str = include_str!("../shipped/classification.toml");
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

#[test]
fn wrong_conditions_of_content() {
    check(
        VERDICTS,
        |text| VerdictRules::parse("v.toml", text).map(drop),
        &[
            (
                "personal_data = \"found\"",
                "findings = { mpam = 1 }",
                "findings: unknown category \"mpam\"; use one of mpan, mprn, ",
            ),
            (
                "personal_data = \"found\"",
                "findings = { mpan = 0 }",
                "findings: so many there always are; write 1",
            ),
            ("personal_data = \"found\"", "findings = {}", "findings: nothing is asked for; name a category"),
            ("personal_data = \"found\"", "special = \"yes\"", "special: invalid type"),
            ("personal_data = \"found\"", "class = [\"robot\"]", "class: unknown variant `robot`"),
            ("personal_data = \"found\"", "class = []", "class: an empty list fits nothing"),
            ("personal_data = \"found\"", "tls = [\"ssl\"]", "tls: unknown variant `ssl`"),
            (
                "personal_data = \"found\"",
                "sender_group = [\"Alpha\"]",
                "sender_group: \"Alpha\" is not a name",
            ),
            ("personal_data = \"found\"", "classified = [\"yes\"]", "classified: unknown variant `yes`"),
            (
                "[\"own-domain\"]",
                "[\"own-domain\"]\nclassified = [\"none\"]",
                "recipient: own-domain: a code in the subject and the classification place mail to a counterparty",
            ),
        ],
    );
    let secures = VERDICTS.replacen("subject_code = [\"mailbox\"]", "classified = [\"mailbox\"]", 1);
    let mixed = VerdictRules::parse("v.toml", &secures).unwrap_err();
    assert!(mixed.problem.contains("secured for the one and travel in the clear"), "{mixed}");
    assert!(mixed.remedy.contains("classified = [\"no-mailbox\"]"), "{mixed}");
}

#[test]
fn wrong_classification_rules() {
    check(
        CLASSIFICATION,
        |text| ClassificationRules::parse("c.toml", text).map(drop),
        &[
            ("enough = 20", "enough = 0", "enough: 0 is no weight; write a whole number from 1 to 1000"),
            ("enough = 20\n", "", "enough: missing field `enough`; add the key"),
            ("weight = 90", "weight = 1001", "weight: 1001 is no weight"),
            ("weight = 90", "weight = \"heavy\"", "weight: invalid type"),
            ("id = \"cmq-text\"", "id = \"cmq-subject\"", "id: the rule cmq-subject is there twice"),
            ("id = \"cmq-text\"", "id = \"\"", "id: the text is empty"),
            (
                "process = \"contract-manager-queries\"",
                "process = \"Contract\"",
                "process: \"Contract\" is not a name",
            ),
            (
                "subject = [\"contract manager query\"",
                "subject = [\" - \"",
                "subject: there is no letter and no digit in it",
            ),
            ("recipient = [\"contract manager\"", "recipient = [\"\"", "recipient: the text is empty"),
            ("weight = 50\nsubject", "decides = 1\nweight = 50\nsubject", "decides: invalid type"),
            (
                "weight = 90\n",
                "subject_pattern = ['(']\nweight = 90\n",
                "subject_pattern: no regular expression: ",
            ),
            (
                "weight = 90\n",
                "text_pattern = ['(?=a)']\nweight = 90\n",
                "text_pattern: no regular expression: look-around",
            ),
            (
                "weight = 90\n",
                "text_pattern = ['(a)\\1']\nweight = 90\n",
                "text_pattern: no regular expression: back",
            ),
            (
                "weight = 90\n",
                "text_pattern = ['a{1000000}']\nweight = 90\n",
                "text_pattern: no regular expression: ",
            ),
            (
                "weight = 90\n",
                "attachment_name_pattern = []\nweight = 90\n",
                "attachment_name_pattern: an empty list fits",
            ),
            ("weight = 90\n", "all = []\nweight = 90\n", "all: an empty list asks for nothing; name"),
            (
                "weight = 90\n",
                "all = [[\"gas\"], []]\nweight = 90\n",
                "all: an empty list fits nothing; name",
            ),
            (
                "weight = 90\n",
                "tag = [\"nhs\"]\nweight = 90\n",
                "tag: \"nhs\" is no kind of tag; write \"mpan\"",
            ),
            (
                "weight = 90\n",
                "sender_group = [\"A B\"]\nweight = 90\n",
                "sender_group: \"A B\" is not a name",
            ),
            (
                "weight = 90\n",
                "header = [{ name = \"X\" }]\nweight = 90\n",
                "pattern: missing field `pattern`",
            ),
            ("weight = 90\n", "colour = \"red\"\nweight = 90\n", "colour: unknown field `colour`"),
        ],
    );
}

#[test]
fn classification_rules_without_weight_or_of_no_process() {
    let weightless = CLASSIFICATION.replacen("weight = 90\n", "", 1);
    let error = ClassificationRules::parse("c.toml", &weightless).unwrap_err();
    assert_eq!((error.key.as_str(), error.problem.as_str()), ("weight", "the rule has no weight"));
    let mut files = RuleFiles::shipped();
    let text = CLASSIFICATION.replacen("process = \"crossed-meters\"", "process = \"crossed-metres\"", 1);
    files.replace(FileKind::Classification, "c.toml", text);
    let error = Ruleset::read(files).unwrap_err();
    assert_eq!((error.file.as_str(), error.key.as_str()), ("c.toml", "process"));
    assert!(error.problem.contains("no process crossed-metres"), "{error}");
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
