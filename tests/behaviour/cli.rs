//! The command line as scripts and administrators rely on it: exit codes, `--json`, tools beside a running server and
//! without one, and errors that say what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX};
use tests::postern::{self, Server};
use tests::process::{program, run};
use tests::smtp::Smtp;
use tests::wait;

fn codes(of: &[&[&str]]) -> Vec<Option<i32>> {
    of.iter().map(|arguments| postern::run(arguments.iter()).code).collect()
}

#[test]
fn usage_is_2_and_help_is_0() {
    let wrong: [&[&str]; 5] =
        [&[], &["nonsense"], &["queue"], &["serve", "--role", "king"], &["case", "show"]];
    assert_eq!(codes(&wrong), [Some(2); 5]);
    let right: [&[&str]; 3] = [&["--help"], &["--version"], &["queue", "retry", "--help"]];
    assert_eq!(codes(&right), [Some(0); 3]);
}

#[test]
fn a_missing_configuration_is_1_and_says_what_to_do() {
    for command in [["serve"].as_slice(), &["queue", "list"], &["audit", "verify"], &["config", "check"]] {
        let said = postern::run([command, &["-c", "not-there.toml"]].concat());
        assert_eq!(said.code, Some(1), "{command:?}");
        assert!(
            said.stderr.contains("not-there.toml") && said.stderr.contains("postern init"),
            "{}",
            said.stderr
        );
        assert_eq!(said.text(), "");
    }
}

#[test]
fn init_makes_a_configuration_that_checks_out_and_writes_over_nothing() {
    let folder = tempfile::Builder::new().prefix("postern-").tempdir().expect("a folder");
    let home = folder.path().join("home");
    let made = postern::run(["init".as_ref(), home.as_os_str()]).good("init");
    assert!(made.text().contains("postern.toml"), "{}", made.text());
    for secret in ["root.key", "tls/server.key", "ca/ca-key.pem", "postern.toml"] {
        let mode =
            fs::metadata(home.join(secret)).unwrap_or_else(|_| panic!("{secret}")).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret} is for its owner only: {mode:o}");
    }
    let again = postern::run(["init".as_ref(), home.as_os_str()]);
    assert!(again.code == Some(1) && again.stderr.contains("not empty"), "{}", again.everything());
    let text = fs::read_to_string(home.join("postern.toml")).unwrap();
    let written = text.replace("smarthost = \"relay.example.org:587\"", "smarthost = \"127.0.0.1:9\"");
    fs::write(home.join("postern.toml"), written).unwrap();
    let config = home.join("postern.toml");
    let check = ["config".as_ref(), "check".as_ref(), "-c".as_ref(), config.as_os_str()];
    assert_eq!(postern::run(check).code, Some(0), "{}", postern::run(check).everything());
}

#[test]
fn health_is_asked_of_the_server() {
    let installation = Installation::new(&Settings::default());
    let down = installation.tool(["health"]);
    assert!(down.code == Some(1) && down.stderr.contains("postern serve"), "{}", down.everything());
    let server = installation.serve();
    let health = installation.json(["health"]);
    assert_eq!((&health["ready"], &health["durable"]), (&Value::Bool(true), &Value::Bool(true)));
    server.stop();
    assert_eq!(installation.tool(["health"]).code, Some(1));
}

#[test]
fn the_directory_comes_out_as_it_went_in() {
    let installation = Installation::new(&Settings::default());
    let file = installation.folder().join("out.toml");
    let back = |installation: &Installation| {
        let exported = installation.tool(["directory", "export"]).good("directory export");
        fs::write(&file, &exported.stdout).unwrap();
        installation.json(["directory", "import", &file.to_string_lossy()])
    };
    assert_eq!(back(&installation), Value::Array(Vec::new()), "without a server");
    let server = installation.serve();
    assert_eq!(back(&installation), Value::Array(Vec::new()), "beside a server");

    let changed = fs::read_to_string(&file).unwrap().replace("Amy Archer", "Amy Archer-Bowman");
    fs::write(&file, changed).unwrap();
    let dry = installation.json(["directory", "import", "--dry-run", &file.to_string_lossy()]);
    assert_eq!(dry[0]["name"], AMY);
    let name = |installation: &Installation| {
        let listed = installation.json(["directory", "list"]);
        let users = listed["user"].as_array().unwrap().clone();
        users.iter().find(|user| user["email"] == AMY).unwrap()["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(&installation), "Amy Archer", "a dry run changes nothing");
    let done = installation.json(["directory", "import", &file.to_string_lossy()]);
    assert_eq!((&dry, done.as_array().unwrap().len()), (&done, 1));
    assert_eq!(name(&installation), "Amy Archer-Bowman");
    server.stop();
    assert_eq!(name(&installation), "Amy Archer-Bowman", "it stays");
}

#[test]
fn a_wrong_directory_file_changes_nothing_and_names_what_is_wrong() {
    let installation = Installation::new(&Settings::default());
    let good = fs::read_to_string(installation.folder().join("market.toml")).unwrap();
    let before = installation.tool(["directory", "export"]).text();
    for (from, to, word) in [
        ("erroneous-transfers", "erroneous-transferz", "erroneous-transferz"),
        ("initial-request", "first-request", "first-request"),
        ("domains = [\"beta.example\"]", "domains = [\"alpha.example\"]", "alpha.example"),
        ("group = \"gamma\"", "group = \"delta\"", "delta"),
        ("role = \"mau\"", "role = \"king\"", "king"),
        ("mpid = \"ALPH\"", "mpid = \"TOOLONG\"", "TOOLONG"),
        ("[[group]]", "[[groups]]", "groups"),
    ] {
        let file = installation.folder().join("wrong.toml");
        fs::write(&file, good.replace(from, to)).unwrap();
        let said = installation.tool(["directory", "import", &file.to_string_lossy()]);
        assert_eq!(said.code, Some(1), "{to}: {}", said.everything());
        assert!(said.stderr.contains(word), "{word} in {}", said.stderr);
        assert_eq!(installation.tool(["directory", "export"]).text(), before, "{to}");
    }
}

#[test]
fn users_are_added_and_given_new_passwords() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let added = installation.json([
        "user",
        "add",
        "nora@beta.example",
        "--group",
        "beta",
        "--name",
        "Nora North",
        "--permission",
        "BETA/erroneous-transfers/initial-request",
    ]);
    let first = added["password"].as_str().unwrap().to_owned();
    let mut nora = Visitor::signed_in(server.portal(), "nora@beta.example", &first);
    assert!(nora.get("/").text().contains("Nora North"));
    let second = installation.password("nora@beta.example");
    Visitor::signed_in(server.portal(), "nora@beta.example", &second);
    assert!(Smtp::login(server.submission(), "nora@beta.example", &first).is_err(), "the old one is gone");
    assert!(Smtp::login(server.submission(), "nora@beta.example", &second).is_ok());
    for (email, group, permission, word) in [
        ("nora@beta.example", "beta", "BETA/erroneous-transfers/initial-request", "nora@beta.example"),
        ("x@beta.example", "delta", "BETA/erroneous-transfers/initial-request", "delta"),
        ("x@beta.example", "beta", "BETA/no-such-process/initial-request", "no-such-process"),
    ] {
        let arguments = ["user", "add", email, "--group", group, "--name", "X", "--permission", permission];
        let said = installation.tool(arguments);
        assert!(said.code == Some(1) && said.stderr.contains(word), "{word} in {}", said.everything());
    }
    let reset = installation.tool(["user", "reset", "ghost@beta.example"]);
    assert!(reset.code == Some(1) && reset.stderr.contains("ghost@beta.example"), "{}", reset.everything());
    server.stop();
}

#[test]
fn cases_are_listed_shown_and_exported_with_and_without_a_server() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let mail = Letter::new(AMY, MAILBOX, "Look here", "look@alpha.example").bytes();
    let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    let case = amy.deliver(AMY, &[MAILBOX], &mail).unwrap().reference();
    drop(amy);
    let look = |installation: &Installation| {
        let list = installation.json(["case", "list", "--group", "beta", "--process", "erroneous-transfers"]);
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!(list[0]["reference"], case.as_str());
        assert_eq!(installation.json(["case", "list", "--group", "gamma"]), Value::Array(Vec::new()));
        installation.holds(&case, std::slice::from_ref(&mail));
        installation.json(["case", "show", &case])
    };
    let shown = look(&installation);
    assert_eq!(shown["due"]["side"], "beta");
    assert_eq!(shown["items"][0]["size"], mail.len());
    assert!(!shown.to_string().contains("Look here"), "without its content: {shown}");
    assert!(installation.tool(["case", "list"]).text().contains(&case));
    for (wrong, word) in [("222-2222", "222-2222"), ("nonsense", "looks like K7Q-4M2X")] {
        for verb in ["show", "export"] {
            let said = installation.tool(["case", verb, wrong]);
            assert!(said.code == Some(1) && said.stderr.contains(word), "{}", said.everything());
        }
    }
    let to = installation.folder().join("twice").to_string_lossy().into_owned();
    installation.tool(["case", "export", &case, "--to", &to]).good("case export");
    assert_eq!(installation.tool(["case", "export", &case, "--to", &to]).code, Some(1), "never over a file");
    server.stop();
    assert_eq!(look(&installation)["items"], shown["items"]);
}

#[test]
fn only_one_server_has_the_data() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let second = run(&mut installation.serving());
    assert_eq!(second.code, Some(1), "{}", second.everything());
    assert!(second.stderr.contains(&*installation.data().to_string_lossy()), "{}", second.stderr);
    assert!(!second.text().contains("ready postern"));
    assert_eq!(installation.json(["health"])["ready"], true, "the first one is undisturbed");
    server.stop();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let installation = Installation::new(&Settings::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = fs::read_to_string(installation.config()).unwrap();
    fs::write(installation.config(), text.replacen("127.0.0.1:0", &address, 1)).unwrap();
    let said = run(&mut installation.serving());
    assert!(said.code == Some(1) && said.stderr.contains(&address), "{}", said.everything());
}

#[test]
fn a_wrong_root_key_stops_the_start() {
    let installation = Installation::new(&Settings::default());
    let other = Installation::new(&Settings::default());
    let (key, right) = (installation.home().join("root.key"), installation.folder().join("right.key"));
    fs::copy(&key, &right).unwrap();
    fs::copy(other.home().join("root.key"), &key).unwrap();
    let said = run(&mut installation.serving());
    assert!(said.code == Some(1) && said.stderr.contains("root key"), "{}", said.everything());
    fs::copy(&right, &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let said = run(&mut installation.serving());
    assert!(
        said.code == Some(1) && said.stderr.contains("root.key"),
        "readable by all: {}",
        said.everything()
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    installation.serve().stop();
}

#[test]
fn sigterm_lets_a_mail_under_way_finish() {
    let installation = Installation::new(&Settings::default());
    let mut server = installation.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    let mail = Letter::new(AMY, MAILBOX, "Under way", "way@alpha.example").bytes();
    let (start, rest) = mail.split_at(100);
    smtp.send(start).unwrap();
    server.process.signal("TERM");
    wait::until_true("it to take no more connections", || Smtp::connect(server.submission()).is_err());
    smtp.send(&tests::smtp::stuffed(rest)).unwrap();
    let case = smtp.reply().unwrap().reference();
    drop(smtp);
    assert!(server.process.wait().success());
    installation.holds(&case, std::slice::from_ref(&mail));
}

#[test]
fn sigterm_twice_ends_at_once() {
    let installation = Installation::new(&Settings::default());
    let mut server = installation.serve();
    let password = installation.password(AMY);
    let mut smtp = Smtp::login(server.submission(), AMY, &password).unwrap();
    assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    server.process.signal("TERM");
    wait::until_true("it to take no more connections", || Smtp::connect(server.submission()).is_err());
    assert!(server.process.ended().is_none(), "a mail is under way");
    server.process.signal("TERM");
    server.process.wait();
    postern::no_panic(&server.process.stderr());
    installation.serve().stop();
}

/// The serial number of the certificate that a listener shows.
fn shown(server: &Server) -> String {
    let mut openssl = program("openssl");
    let connect = server.smtp().to_string();
    openssl.args(["s_client", "-starttls", "smtp", "-connect", &connect, "-name", "client.example"]);
    let said = run(&mut openssl);
    let mut x509 = program("openssl");
    x509.args(["x509", "-noout", "-serial"]);
    tests::process::run_with(&mut x509, &said.stdout).good("openssl x509").text()
}

#[test]
fn sighup_reads_certificates_again_and_keeps_the_old_one_when_the_new_one_is_bad() {
    let installation = Installation::new(&Settings::default());
    let other = Installation::new(&Settings::default());
    let server = installation.serve();
    let first = shown(&server);
    for file in ["tls/server.pem", "tls/server.key"] {
        fs::copy(other.home().join(file), installation.home().join(file)).unwrap();
    }
    assert_eq!(shown(&server), first, "not before it is told");
    server.process.signal("HUP");
    wait::until_true("the new certificate", || shown(&server) != first);
    let second = shown(&server);
    fs::write(installation.home().join("tls/server.pem"), "nothing").unwrap();
    server.process.signal("HUP");
    wait::until_true("a word about it", || server.process.stderr().contains("old one stays"));
    assert_eq!(shown(&server), second);
    server.stop();
}
