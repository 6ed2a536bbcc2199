//! The tools on a ledger that no server holds: each opens it, does its work and gives it back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use installation::Installation;
use rusqlite::Connection;

const MARKET: &str = r#"
[[group]]
id = "alpha"
name = "Alpha Energy"
domains = ["alpha.example"]
networks = ["192.0.2.0/24"]

[[participant]]
mpid = "ALPH"
group = "alpha"
name = "Alpha Energy"
role = "electricity-supplier"

[[user]]
email = "anna@alpha.example"
group = "alpha"
name = "Anna Archer"
role = "user"
permissions = [{ participant = "ALPH", process = "erroneous-transfers", contact_type = "initial-request" }]

[[mailbox]]
address = "et@alpha.example"
group = "alpha"
participant = "ALPH"
process = "erroneous-transfers"
contact_type = "initial-request"
"#;

fn founded() -> (Installation, String) {
    let installation = Installation::new();
    let market = installation.file("market.toml", MARKET);
    installation.good(&["directory", "import", &market]);
    (installation, market)
}

#[test]
fn init_keeps_secrets_to_its_user_and_overwrites_nothing() {
    let installation = Installation::new();
    let mode =
        |name: &str| fs::metadata(installation.home().join(name)).unwrap().permissions().mode() & 0o777;
    for secret in ["root.key", "tls/server.key", "ca/ca-key.pem", "postern.toml"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
    assert_eq!(mode("data"), 0o700);
    let key = fs::read(installation.home().join("root.key")).unwrap();
    let home = installation.home();
    let again =
        std::process::Command::new(env!("CARGO_BIN_EXE_postern")).arg("init").arg(&home).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("is not empty"));
    assert_eq!(fs::read(home.join("root.key")).unwrap(), key);
    installation.good(&["config", "check"]);
}

#[test]
fn import_is_idempotent_and_a_dry_run_changes_nothing() {
    let installation = Installation::new();
    let market = installation.file("market.toml", MARKET);
    let would = installation.good(&["directory", "import", &market, "--dry-run"]);
    assert_eq!(would.lines().next(), Some("would add group alpha"));
    assert_eq!(installation.json(&["directory", "list"]), serde_json::json!({}));
    let done = installation.json(&["directory", "import", &market]);
    assert_eq!(done.as_array().unwrap().len(), 4);
    assert_eq!(installation.good(&["directory", "import", &market]), "nothing to change\n");
}

#[test]
fn what_export_writes_import_reads() {
    let (installation, _) = founded();
    let exported = installation.good(&["directory", "export"]);
    assert!(!exported.contains("password"));
    let file = installation.file("exported.toml", &exported);
    assert_eq!(installation.good(&["directory", "import", &file]), "nothing to change\n");
    let json = installation.file("exported.json", &installation.good(&["directory", "export", "--json"]));
    assert_eq!(installation.good(&["directory", "import", &json]), "nothing to change\n");
    let other = Installation::new();
    other.good(&["directory", "import", &file]);
    assert_eq!(other.good(&["directory", "export"]), exported);
}

#[test]
fn the_committed_directory_file_is_one() {
    let installation = Installation::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/companies.toml");
    assert_eq!(installation.json(&["directory", "import", file]).as_array().unwrap().len(), 6);
    assert_eq!(installation.good(&["directory", "import", file]), "nothing to change\n");
}

#[test]
fn import_changes_a_user_and_keeps_the_rest_of_them() {
    let (installation, _) = founded();
    let renamed = installation.file("renamed.toml", &MARKET.replace("Anna Archer", "Anna Abbot"));
    assert_eq!(
        installation.good(&["directory", "import", &renamed]),
        "change user anna@alpha.example\n    name: Anna Archer → Anna Abbot\n"
    );
    let users = installation.json(&["directory", "list"]);
    assert_eq!(users["user"][0]["name"], "Anna Abbot");
}

const LEAVER: &str = r#"
[[user]]
email = "anna@alpha.example"
group = "alpha"
name = "Anna Archer"
role = "user"
"#;

#[test]
fn what_an_entry_does_not_name_stays() {
    let (installation, _) = founded();
    let bare = "[[group]]\nid = \"alpha\"\nname = \"Alpha Energy\"\ndomains = [\"alpha.example\"]\n";
    let silent = installation.file("silent.toml", &format!("{bare}{LEAVER}"));
    assert_eq!(installation.good(&["directory", "import", &silent]), "nothing to change\n");
    let leaves = installation.file("leaves.toml", &format!("{LEAVER}active = false\n"));
    let import = |file: &str| installation.good(&["directory", "import", file]);
    assert_eq!(import(&leaves), "change user anna@alpha.example\n    state: confirmed → suspended\n");
    assert_eq!(import(&silent), "nothing to change\n", "a leaver stays away");

    let emptied = installation.file("emptied.toml", &format!("{LEAVER}active = true\npermissions = []\n"));
    let would = installation.good(&["directory", "import", &emptied, "--dry-run"]);
    let permission = "ALPH/erroneous-transfers/initial-request";
    assert_eq!(
        would,
        format!(
            "would change user anna@alpha.example\n    state: suspended → confirmed\n    permissions: {permission} → none\n"
        )
    );
    let done = installation.json(&["directory", "import", &emptied]);
    assert_eq!(done[0]["fields"][1]["before"], permission);
    assert_eq!(installation.json(&["directory", "list"])["user"][0]["permissions"], serde_json::json!([]));
}

#[test]
fn names_that_no_notice_could_print_are_refused() {
    let (installation, _) = founded();
    let wrong = [
        ("name = \"Alpha Energy\"\ndomains", "name = \"Alpha <Energy>\"\ndomains", "group alpha: "),
        ("Anna Archer", "Anna 1200023305967", "user anna@alpha.example: "),
    ];
    for (good, bad, place) in wrong {
        let file = installation.file("wrong.toml", &MARKET.replace(good, bad));
        let said = installation.bad(1, &["directory", "import", &file, "--dry-run"]);
        assert!(said.contains(place) && said.contains("write 1 to 80 letters"), "{said}");
    }
    let add = ["user", "add", "x@alpha.example", "--group", "alpha", "--name", "a\nb"];
    assert!(installation.bad(1, &add).contains("user x@alpha.example: no notice could print"));
    let role = MARKET.replace("electricity-supplier", "electricty-supplier");
    let said = installation.bad(1, &["directory", "import", &installation.file("role.toml", &role)]);
    assert!(said.contains("participant ALPH: no process has the role \"electricty-supplier\""), "{said}");
    assert!(said.contains("gas-supplier"), "{said}");
}

#[test]
fn a_wrong_directory_file_is_named_with_its_place() {
    let (installation, _) = founded();
    let cases = [
        ("[[user]]\nemail = \"anna\"\n", "line 2"),
        ("[[mailbox]]\naddress = \"x@alpha.example\"\nbox = 1\n", "line 3"),
        ("[[group]]\nid = \"Alpha!\"\nname = \"\"\ndomains = []\n", "line 2"),
    ];
    for (text, place) in cases {
        let file = installation.file("wrong.toml", text);
        let said = installation.bad(1, &["directory", "import", &file]);
        assert!(said.contains("wrong.toml") && said.contains(place), "{said}");
    }
    let unknown = MARKET.replace("process = \"erroneous-transfers\"", "process = \"erroneous-transfer\"");
    let file = installation.file("unknown.toml", &unknown);
    let said = installation.bad(1, &["directory", "import", &file]);
    assert!(said.contains("no process `erroneous-transfer`") && said.contains("disputed-readings"), "{said}");
}

#[test]
fn a_user_gets_a_password_once() {
    let (installation, _) = founded();
    let permission = ["--permission", "ALPH/erroneous-transfers/initial-request"];
    let add = ["user", "add", "alan@alpha.example", "--group", "alpha", "--name", "Alan"];
    let first = installation.json(&[add.as_slice(), permission.as_slice()].concat());
    let second = installation.json(&["user", "reset", "alan@alpha.example"]);
    assert_eq!(first["email"], "alan@alpha.example");
    assert!(first["password"].as_str().unwrap().len() >= 16);
    assert_ne!(first["password"], second["password"]);
    let said = installation.bad(1, &add);
    assert!(said.contains("user reset"), "{said}");
    let said = installation.bad(1, &["user", "reset", "nobody@alpha.example"]);
    assert!(said.contains("there is no user"), "{said}");
}

#[test]
fn a_client_certificate_is_issued_and_registered() {
    let (installation, _) = founded();
    let folder = installation.folder().join("certificates");
    let issue =
        ["certs", "issue", "mail.alpha.example", "--group", "alpha", "--to", folder.to_str().unwrap()];
    let issued = installation.json(&issue);
    assert_eq!(issued["group"], "alpha");
    assert_eq!(installation.json(&["certs", "list"])[0]["fingerprint"], issued["fingerprint"]);
    let mode = |name| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("mail.alpha.example.key"), 0o600);
    assert!(installation.bad(1, &issue).contains("is there already"));
    let stranger = ["certs", "issue", "../x", "--group", "alpha"];
    assert_eq!(installation.run(&stranger).status.code(), Some(2));
}

#[test]
fn usage_is_two_and_absent_things_are_one() {
    let installation = Installation::new();
    assert!(installation.bad(1, &["health"]).contains("postern serve"));
    assert!(installation.bad(1, &["case", "show", "K7Q-4M2X"]).contains("there is no case K7Q-4M2X"));
    installation.bad(1, &["queue", "retry", "nonsense"]);
    installation.bad(2, &["case", "list", "--limit", "0"]);
    installation.bad(2, &["demo", "--smtp", "192.0.2.1:25"]);
}

#[test]
fn a_changed_event_is_found() {
    let (installation, _) = founded();
    let trail = installation.json(&["audit", "verify"]);
    assert!(trail["events"].as_u64().unwrap() >= 5 && trail["bad"].is_null());
    // The third event's record: the chain's table, then its number.
    let ledger = Connection::open(installation.home().join("data/ledger.sqlite")).unwrap();
    let changed = ledger
        .execute(
            "UPDATE ledger SET value = substr(value, 1, 20) || x'ff' || substr(value, 22) WHERE key =
             (SELECT key FROM ledger WHERE key >= x'00' AND key < x'01' AND length(key) > 2 ORDER BY key LIMIT 1 OFFSET 2)",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(ledger);
    let output = installation.run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("record 3 is bad"));
}
