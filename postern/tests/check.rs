//! `config check` finds what only the machine can tell: files, keys, modes and ports, each with file, line and key.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use installation::Installation;

/// The configuration with one text in place of another.
fn change(installation: &Installation, from: &str, to: &str) {
    let text = fs::read_to_string(installation.config()).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(installation.config(), text.replace(from, to)).unwrap();
}

/// What the command says, once it has named the line of `key`.
fn refused(installation: &Installation, command: &[&str], key: &str) -> String {
    let said = installation.bad(1, command);
    let text = fs::read_to_string(installation.config()).unwrap();
    let rest = said.split_once("postern.toml:").unwrap_or_else(|| panic!("no place in {said}")).1;
    let (line, rest) = rest.split_once(": ").unwrap();
    let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(rest.starts_with(&format!("{key}: ")), "{said}");
    let name = key.split_once('.').unwrap().1;
    let section = format!("[{}]", key.split_once('.').unwrap().0);
    assert!(line.starts_with(&format!("{name} = ")) || line == section, "{key} is not in line {line}");
    assert!(said.contains("\n    "), "no remedy in {said}");
    said
}

const CHECK: [&str; 2] = ["config", "check"];

#[test]
fn a_root_key_of_another_ledger_is_found() {
    let (installation, other) = (Installation::new(), Installation::new());
    installation.good(&CHECK);
    let server = installation.serve();
    installation.good(&CHECK);
    fs::copy(other.home().join("root.key"), installation.home().join("root.key")).unwrap();
    assert!(refused(&installation, &CHECK, "keys.root").contains("another root key"), "beside a server");
    drop(server);
    for command in [CHECK.as_slice(), &["serve"], &["directory", "list"]] {
        assert!(refused(&installation, command, "keys.root").contains("another root key"));
    }
}

#[test]
fn keys_and_certificates_carry_their_line() {
    let installation = Installation::new();
    let key = installation.home().join("tls/server.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    refused(&installation, &CHECK, "tls.key");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let certificate = installation.home().join("tls/server.pem");
    fs::write(&certificate, "nothing").unwrap();
    refused(&installation, &["serve"], "tls.certificate");
    fs::remove_file(&certificate).unwrap();
    refused(&installation, &CHECK, "tls.certificate");
    fs::remove_file(installation.home().join("root.key")).unwrap();
    let said = installation.bad(1, &CHECK);
    assert!(said.contains(": keys.root: ") && said.contains(": tls.certificate: "), "all at once: {said}");
}

#[test]
fn a_password_file_is_one_persons_and_holds_something() {
    let installation = Installation::new();
    change(&installation, "#user = \"postern\"", "user = \"postern\"");
    change(&installation, "#password = { file = \"smart", "password = { file = \"smart");
    let file = installation.home().join("smarthost.password");
    refused(&installation, &CHECK, "notices.password");
    fs::write(&file, "secret\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    for command in [CHECK.as_slice(), &["serve"]] {
        assert!(refused(&installation, command, "notices.password").contains("chmod 600"));
    }
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    installation.good(&CHECK);
    fs::write(&file, "\n").unwrap();
    assert!(refused(&installation, &CHECK, "notices.password").contains("is empty"));
    change(&installation, "password = { file = \"smarthost.password\" }", "password = { fd = 900 }");
    assert!(refused(&installation, &CHECK, "notices.password").contains("is not open"));
}

#[test]
fn a_wrong_policy_carries_both_places() {
    let installation = Installation::new();
    fs::write(installation.home().join("own.toml"), "processes = 1\n").unwrap();
    change(&installation, "#catalogue = \"policies/processes.toml\"", "catalogue = \"own.toml\"");
    assert!(refused(&installation, &CHECK, "policy.catalogue").contains("own.toml:1"));
}

#[test]
fn copies_are_taken_at_the_own_domain_alone() {
    let installation = Installation::new();
    change(&installation, "#addresses = []", "addresses = [\"journal@alpha.example\"]");
    assert!(refused(&installation, &CHECK, "journal.addresses").contains("is not at the reply_domain"));
}

#[test]
fn an_address_that_cannot_be_listened_on_has_its_own_words() {
    let installation = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    change(&installation, "listen = [\"127.0.0.1:0\"]\n# 587", &format!("listen = [\"{address}\"]\n# 587"));
    let said = refused(&installation, &["serve"], "submission.listen");
    assert!(said.contains("another server listens there"), "{said}");
    change(
        &installation,
        &format!("listen = [\"{address}\"]\n# 587"),
        "listen = [\"192.0.2.1:2525\"]\n# 587",
    );
    let said = refused(&installation, &["serve"], "submission.listen");
    assert!(said.contains("this machine has no address 192.0.2.1"), "{said}");
}
