//! The committed example is what the binary prints, and the binary takes it. `POSTERN_REWRITE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/postern.toml")
}

#[test]
fn the_committed_example_is_the_printed_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_postern")).args(["config", "describe"]).output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("POSTERN_REWRITE").is_some() {
        fs::write(committed(), &printed).unwrap();
    }
    assert_eq!(printed, fs::read_to_string(committed()).unwrap());
}

/// Its words are right; what is missing beside it are the files that it names.
#[test]
fn the_committed_example_only_lacks_its_files() {
    let output = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["config", "check", "-c"])
        .arg(committed())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for key in ["server.data", "keys.root", "tls.certificate", "tls.key", "tls.client_ca"] {
        assert!(said.contains(&format!(": {key}: ")), "{key} in {said}");
    }
    assert_eq!(said.matches("deploy/postern.toml:").count(), 5, "{said}");
    assert!(said.contains("postern init"), "{said}");
}
