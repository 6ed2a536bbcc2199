//! What commands write: whole or an error, for its reader alone, and without colours where nobody sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use installation::Installation;

/// The binary behind a shell's redirection.
fn shell(script: &str, arguments: &[&str]) -> Output {
    let postern = env!("CARGO_BIN_EXE_postern");
    Command::new("sh").args(["-c", script, postern]).args(arguments).output().unwrap()
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_none() {
    let full = shell("\"$0\" \"$@\" > /dev/full", &["config", "describe"]);
    assert_eq!(full.status.code(), Some(1));
    let said = String::from_utf8(full.stderr).unwrap();
    assert!(said.starts_with("postern: cannot write to stdout: "), "{said}");
    assert_eq!(shell("\"$0\" \"$@\" > /dev/full", &["--help"]).status.code(), Some(1));
    let closed = shell("{ \"$0\" \"$@\"; echo $? >&2; } | true", &["config", "describe"]);
    assert_eq!(String::from_utf8(closed.stderr).unwrap(), "0\n");
}

#[test]
fn an_export_is_whole_and_its_owners_alone() {
    let sample = Installation::sample();
    let _server = sample.demo();
    let case = sample.json(&["case", "list"])[0]["reference"].as_str().unwrap().to_owned();
    let to = sample.folder().join("exported");
    sample.good(&["case", "export", &case, "--to", to.to_str().unwrap()]);
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);

    // No file may grow: the first bytes of the first file cannot be written.
    let cut = sample.folder().join("cut");
    let config = sample.config();
    let export = ["case", "export", &case, "--to", cut.to_str().unwrap(), "-c", config.to_str().unwrap()];
    let output = shell("trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", &export);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write the file"), "{said}");
}

#[test]
fn unknown_groups_and_processes_are_said() {
    let installation = Installation::new();
    let said = installation.bad(1, &["case", "list", "--group", "nope"]);
    assert!(said.contains("there is no group nope"), "{said}");
    let said = installation.bad(1, &["case", "list", "--process", "nope"]);
    assert!(said.contains("there is no process nope") && said.contains("erroneous-transfers"), "{said}");
}

#[test]
fn a_log_in_a_file_has_no_colours() {
    let installation = Installation::new();
    let server = installation.serve();
    server.signal("HUP");
    let line = server.logs("certificates read again");
    assert!(!line.contains('\u{1b}'), "{line:?}");
}
