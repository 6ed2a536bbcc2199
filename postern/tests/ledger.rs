//! A ledger is made by `init` and `demo` alone, where they were told; nothing else takes an empty folder for one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;
use std::process::Command;

use installation::Installation;

#[test]
fn an_unmounted_disk_is_no_new_ledger() {
    let installation = Installation::new();
    let data = installation.home().join("data");
    let mounted = installation.home().join("elsewhere");
    fs::rename(&data, &mounted).unwrap();
    let market = installation.file("market.toml", "");
    for tool in [
        vec!["serve"],
        vec!["directory", "list"],
        vec!["directory", "import", market.as_str()],
        vec!["queue", "list"],
        vec!["audit", "verify"],
    ] {
        let said = installation.bad(1, &tool);
        assert!(said.contains("there is no ledger in") && said.contains("is the disk mounted?"), "{said}");
        assert!(!data.exists(), "{tool:?} made a data folder");
    }
    fs::create_dir(&data).unwrap();
    // What a start that was cut short leaves behind is no ledger either.
    fs::write(data.join("ledger.sqlite"), "").unwrap();
    assert!(installation.bad(1, &["directory", "list"]).contains("there is no ledger in"));
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&mounted, &data).unwrap();
    assert_eq!(installation.json(&["audit", "verify"])["events"], 1, "the ledger that init made");
}

#[test]
fn init_makes_the_ledger_where_it_is_told() {
    let sample = Installation::sample();
    let init = |home: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.current_dir(sample.folder()).args(["init", home, "--data", "disk/ledger"]);
        command.args(["--operator", "olga_o@operator.example"]).output().unwrap()
    };
    let made = init("home");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!sample.home().join("data").exists());
    assert!(sample.folder().join("disk/ledger/ledger.sqlite").exists());
    assert_eq!(sample.json(&["directory", "list"])["user"][0]["email"], "olga_o@operator.example");
    sample.good(&["config", "check"]);
    let text = fs::read_to_string(sample.config()).unwrap();
    assert!(text.contains("\nurl = \"https://post.example.org\"\n"), "notices must not link to loopback");
    let again = init("other");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("there is a ledger in"));
    assert!(!sample.folder().join("other").exists(), "nothing is made when it is refused");
}
