//! Policy files as compliance officers and administrators work with them: checked, tried, explained, read again while mail
//! comes in, and kept so that a decision can be told later.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX};
use tests::postern::{self, Server};
use tests::smtp::Smtp;
use tests::wait;

const VERDICTS: &str = include_str!("../../policies/shipped/verdicts.toml");
const CLASSIFICATION: &str = include_str!("../../policies/shipped/classification.toml");
const TAGS: &str = include_str!("../../policies/shipped/tags.toml");

/// An installation whose verdict rules are this text.
fn ruled_by(verdicts: &str) -> Installation {
    let installation = Installation::new(&Settings::default());
    fs::write(installation.home().join("verdicts.toml"), verdicts).unwrap();
    installation.configure("[policy]\nverdicts = \"verdicts.toml\"");
    installation
}

/// Nothing goes into a case of erroneous transfers any more.
fn strict() -> String {
    let rule = "[[rule]]\nid = \"refuse-all\"\nrecipient = [\"mailbox\"]\nprocess = [\"erroneous-transfers\"]\n\
                verdict = \"refuse\"\npublic = \"closed for today\"\n\n";
    let at = VERDICTS.find("[[rule]]").unwrap();
    [&VERDICTS[..at], rule, &VERDICTS[at..]].concat()
}

fn sent(installation: &Installation, server: &Server, subject: &str) -> u16 {
    let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    let mail = Letter::new(AMY, MAILBOX, subject, &format!("{subject}@alpha.example")).bytes();
    amy.deliver(AMY, &[MAILBOX], &mail).unwrap().code
}

#[test]
fn the_shipped_files_are_good_and_do_what_their_examples_say() {
    let check = postern::run(["policy", "check"]).good("policy check");
    assert!(check.text().contains("good: ") && check.text().contains("rules "), "{}", check.text());
    let test = postern::run(["policy", "test", "--json"]).good("policy test");
    let test: Value = serde_json::from_str(&test.text()).unwrap();
    assert!(test["tried"].as_u64().unwrap() >= 20 && test["failed"].as_array().unwrap().is_empty(), "{test}");
}

#[test]
fn an_example_that_comes_out_in_another_way_is_3_and_named() {
    let example = "\n[[example]]\nname = \"wishful\"\nto = [\"jo@elsewhere.example\"]\nverdict = \"hold\"\n";
    let installation = ruled_by(&format!("{VERDICTS}{example}"));
    let said = installation.tool(["policy", "test"]);
    assert_eq!(said.code, Some(3), "{}", said.everything());
    let text = said.text();
    assert!(
        text.contains("verdicts.toml:") && text.contains("wishful: verdict is relay, not hold"),
        "{text}"
    );
}

/// The mistakes themselves are the crate's tests; here they come through a configuration.
#[test]
fn a_wrong_file_is_1_and_named_with_line_key_and_remedy() {
    for (key, shipped, from, to, words) in [
        ("verdicts", VERDICTS, "verdict = \"relay\"", "verdict = \"realy\"", "verdict: unknown variant"),
        (
            "verdicts",
            VERDICTS,
            "id = \"relay-outside\"",
            "id = \"relay-counterparty\"",
            "keep one of the two",
        ),
        (
            "classification",
            CLASSIFICATION,
            "enough = 20",
            "enough = 0",
            "enough: 0 is no weight\n    write a whole number",
        ),
        ("classification", CLASSIFICATION, "subject = [", "subjet = [", "subjet: unknown field"),
        ("tags", TAGS, "[mpan]", "[mpam]", "mpam: unknown field"),
    ] {
        let sections: &'static str = match key {
            "verdicts" => "[policy]\nverdicts = \"wrong.toml\"",
            "classification" => "[policy]\nclassification = \"wrong.toml\"",
            _ => "[policy]\ntags = \"wrong.toml\"",
        };
        let installation = Installation::new(&Settings::default());
        installation.configure(sections);
        fs::write(installation.home().join("wrong.toml"), shipped.replacen(from, to, 1)).unwrap();
        for command in [["policy", "check"], ["config", "check"]] {
            let said = installation.tool(command);
            assert_eq!(said.code, Some(1), "{}", said.everything());
            assert!(
                said.stderr.contains("wrong.toml:") && said.stderr.contains(words),
                "{words}: {}",
                said.stderr
            );
        }
    }
}

#[test]
fn a_decision_is_explained_step_by_step_without_its_values() {
    let installation = Installation::new(&Settings::default());
    let mail = installation.folder().join("mail.eml");
    let text = format!("From: <{AMY}>\nTo: <{MAILBOX}>\nSubject: a switch\n\nMPAN 1200023305967\n");
    fs::write(&mail, text).unwrap();
    let file = mail.to_str().unwrap();
    let told = installation.json(["policy", "explain", file, "--rcpt", MAILBOX]);
    assert_eq!((&told["group"], &told["verdict"]), (&Value::from("alpha"), &Value::from("secure")), "{told}");
    let decided = &told["recipients"][0];
    assert_eq!(decided["rule"], "secure-mapped-mailbox");
    assert_eq!(decided["signal"], "mailbox");
    assert!(decided["due"].as_str().unwrap().contains("working days later is"), "{decided}");
    assert!(
        decided["tried"].as_array().unwrap().iter().any(|rule| rule["failed"] == "recipient"),
        "{decided}"
    );
    assert!(told["findings"].as_array().unwrap().iter().any(|found| found["category"] == "mpan"), "{told}");
    let words =
        installation.tool(["policy", "explain", file, "--rcpt", "jo@nowhere.example"]).good("explain");
    assert!(words.text().contains("rule refuse-unmapped fits"), "{}", words.text());
    assert!(!words.text().contains("1200023305967"), "values are masked");
    let nobody =
        postern::run(["policy", "explain", file, "--rcpt", MAILBOX, "--sender", "x@nowhere.example"]);
    assert!(nobody.code == Some(1) && nobody.stderr.contains("--sender"), "{}", nobody.everything());
}

#[test]
fn a_field_of_the_header_can_say_what_a_mail_is_about() {
    let installation = Installation::new(&Settings::default());
    let rules = "enough = 20\n[[rule]]\nid = \"by-field\"\nprocess = \"crossed-meters\"\ndecides = true\n\
                 header = [{ name = \"X-Process\", pattern = \"^cm$\" }]\n";
    fs::write(installation.home().join("classes.toml"), rules).unwrap();
    installation.configure("[policy]\nclassification = \"classes.toml\"");
    let mail = installation.folder().join("mail.eml");
    let about = |field: &str| {
        fs::write(&mail, format!("From: <{AMY}>\nTo: <{MAILBOX}>\n{field}\nSubject: x\n\nhello\n")).unwrap();
        let told = installation.json(["policy", "explain", mail.to_str().unwrap(), "--rcpt", MAILBOX]);
        told["classification"]["process"].clone()
    };
    assert_eq!(about("X-Process: CM"), "crossed-meters");
    assert_eq!(about("X-Process: ET"), Value::Null);
}

#[test]
fn sighup_reads_the_policies_again_and_a_wrong_file_leaves_the_old_ones_standing() {
    let installation = ruled_by(VERDICTS);
    let server = installation.serve();
    let rules = || installation.json(["health"])["rules"].as_str().unwrap().to_owned();
    let first = rules();
    assert_eq!(sent(&installation, &server, "one"), 250);
    let file = installation.home().join("verdicts.toml");
    fs::write(&file, strict()).unwrap();
    server.process.signal("HUP");
    wait::until_true("the new rules", || rules() != first);
    let second = rules();
    assert!(sent(&installation, &server, "two") >= 500);
    fs::write(&file, VERDICTS.replacen("verdict = \"relay\"", "verdict = \"realy\"", 1)).unwrap();
    server.process.signal("HUP");
    wait::until_true("a word about it", || !installation.json(["health"])["refused_rules"].is_null());
    let health = installation.json(["health"]);
    assert_eq!(health["rules"], Value::from(second));
    let why = health["refused_rules"].as_str().unwrap();
    assert!(why.contains("verdicts.toml:") && why.contains("verdict: unknown variant"), "{why}");
    assert!(server.process.stderr().contains("the old ones stay"));
    assert!(sent(&installation, &server, "three") >= 500, "the rules before");
    fs::write(&file, VERDICTS).unwrap();
    server.process.signal("HUP");
    wait::until_true("the first rules again", || rules() == first);
    assert!(installation.json(["health"])["refused_rules"].is_null());
    assert_eq!(sent(&installation, &server, "four"), 250);
    old_rules_are_still_there(&installation, &first);
    server.stop();
}

/// A message says by which rules it was judged, and those can be had back.
fn old_rules_are_still_there(installation: &Installation, hash: &str) {
    let folder = installation.folder().join("kept");
    let at: &Path = &folder;
    installation.tool(["policy", "show", hash, at.to_str().unwrap()]).good("policy show");
    assert_eq!(fs::read_to_string(folder.join("verdicts.toml")).unwrap(), VERDICTS);
    assert!(folder.join("calendars/scotland.toml").is_file());
    let strange = "0".repeat(64);
    let none = installation.tool(["policy", "show", &strange, at.to_str().unwrap()]);
    assert!(none.code == Some(1) && none.stderr.contains("keeps no rules"), "{}", none.everything());
}
