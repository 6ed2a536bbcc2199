//! `case export`: the originals byte for byte, from a running server as from a ledger at rest, and never unseen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;
use std::path::Path;

use installation::Installation;

const SAMPLE: &[u8] = include_bytes!("../src/commands/demo/sample-1.eml");

/// The case of the first sample mail.
fn case(sample: &Installation) -> String {
    let cases = sample.json(&["case", "list", "--group", "alpha"]);
    cases[0]["reference"].as_str().unwrap().to_owned()
}

fn original(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mails: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect();
    assert_eq!(mails.len(), 1, "{mails:?}");
    fs::read(&mails[0]).unwrap()
}

fn events(sample: &Installation) -> u64 {
    sample.json(&["audit", "verify"])["events"].as_u64().unwrap()
}

#[test]
fn a_case_leaves_whole_with_and_without_a_server() {
    let sample = Installation::sample();
    let server = sample.demo();
    let case = case(&sample);
    let running = sample.folder().join("running");
    let export = ["case", "export", &case, "--to", running.to_str().unwrap()];
    let exported = sample.json(&export);
    assert_eq!((&exported["files"], &exported["bytes"]), (&2.into(), &SAMPLE.len().into()));
    assert_eq!(original(&running), SAMPLE);
    let described: serde_json::Value =
        serde_json::from_slice(&fs::read(running.join("case.json")).unwrap()).unwrap();
    assert_eq!(described["reference"], case.as_str());
    assert!(sample.bad(1, &export).contains("cannot make"), "nothing is written over");
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));

    let at_rest = sample.folder().join("at-rest");
    let before = events(&sample);
    sample.good(&["case", "export", &case, "--to", at_rest.to_str().unwrap()]);
    assert_eq!(original(&at_rest), SAMPLE);
    assert_eq!(events(&sample), before + 1);
}

#[test]
fn a_second_start_sends_no_samples_again() {
    let sample = Installation::sample();
    let server = sample.demo();
    let first = sample.json(&["case", "list"]);
    assert_eq!(first.as_array().unwrap().len(), 2);
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));
    let _server = sample.demo();
    assert_eq!(sample.json(&["case", "list"]), first);
}
