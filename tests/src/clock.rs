//! Another time of day for a program: libfaketime between it and the kernel. How long things take stays as it is.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The same command at a shifted time, such as `+15m`.
pub fn later(mut command: Command, shift: &str) -> Command {
    command.env("LD_PRELOAD", library()).env("FAKETIME", shift).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// Debian keeps it under the name of the processor.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let place = places.find(|place| place.exists());
    place.expect("libfaketime is not on this machine; tests/run installs what the tests need")
}
