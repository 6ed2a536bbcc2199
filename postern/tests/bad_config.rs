//! Every wrong configuration in `tests/bad-config` stops the real binary with the words beside it: file, line,
//! key, what is wrong, what to do. `POSTERN_REWRITE=1` writes the words anew; read the difference before committing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The fewest mistakes that must be covered.
const LEAST: usize = 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bad-config")
}

/// Run in the folder, so that the words hold no path of a machine.
fn postern(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern")).args(arguments).current_dir(folder()).output().unwrap()
}

fn mistakes() -> Vec<String> {
    let files =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    names
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    let names = mistakes();
    assert!(names.len() >= LEAST, "only {} files", names.len());
    let wrong: Vec<_> = names.iter().filter_map(|name| differs(name)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn differs(name: &str) -> Option<String> {
    let output = postern(&["config", "check", "-c", name]);
    let said = String::from_utf8(output.stderr).unwrap();
    let beside = folder().join(name).with_extension("err");
    if std::env::var_os("POSTERN_REWRITE").is_some() {
        fs::write(&beside, &said).unwrap();
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    let good = output.status.code() == Some(1) && said == expected && output.stdout.is_empty();
    (!good).then(|| format!("{name}: expected\n{expected}\nbut the binary said\n{said}"))
}

#[test]
fn each_mistake_names_its_line_and_something_to_do() {
    for name in mistakes() {
        let said = fs::read_to_string(folder().join(&name).with_extension("err")).unwrap();
        let text = fs::read_to_string(folder().join(&name)).unwrap();
        let lines = text.lines().count().max(1);
        let place = said
            .strip_prefix(&format!("postern: {name}:"))
            .unwrap_or_else(|| panic!("{name}: no place in {said}"));
        let line: usize = place.split(':').next().unwrap().parse().unwrap();
        assert!((1..=lines).contains(&line), "{name} has no line {line}");
        assert!(said.contains("\n    "), "{name}: no remedy in {said}");
    }
}

#[test]
fn a_server_does_not_start_on_a_mistake() {
    let output = postern(&["serve", "-c", "unknown-key.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "no ready line");
}
