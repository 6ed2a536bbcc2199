//! The sample market across starts: what it prints works, or says that it does not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;

use installation::Installation;
use serde_json::Value;

fn password(sample: &Installation, email: &str) -> String {
    let text = fs::read(sample.home().join("demo.json")).unwrap();
    let record: Value = serde_json::from_slice(&text).unwrap();
    let users = record["users"].as_array().unwrap();
    let user = users.iter().find(|user| user["email"] == email).unwrap();
    user["password"].as_str().unwrap().to_owned()
}

#[test]
fn a_password_that_was_changed_is_not_printed_again() {
    let sample = Installation::sample();
    let server = sample.demo();
    let (anna, ben) = ("anna@alpha.example", "ben@beta.example");
    let kept = password(&sample, ben);
    sample.good(&["user", "reset", anna]);
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));
    let server = sample.demo();
    assert_eq!(password(&sample, anna), "changed");
    assert_eq!(password(&sample, ben), kept);
    drop(server);
}
