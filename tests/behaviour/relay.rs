//! Mail that passes through: to colleagues and outside it leaves byte for byte behind one line of ours, sealed as long
//! as it waits and in the hands of whoever runs the queue. What may not pass is refused or held, in words.

use std::fs;

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::{Letter, Read, assert_same};
use tests::market::{AMY, BOB};
use tests::postern::Server;
use tests::postfix::Postfix;
use tests::sink::{Mood, Sink};
use tests::smtp::{Reply, Smtp};
use tests::wait;

use crate::canaries::{files, found};

const COLLEAGUE: &str = "carl@alpha.example";
const STRANGER: &str = "jo@outside.example";
/// Decides about Alpha's held mail.
const CORA: &str = "cora@alpha.example";

/// Words of the mails here, by where they stand in them.
const MARKS: [(&str, &str); 4] = [
    ("subject", "Vexillographer-Quince"),
    ("Message-ID", "mumpsimus.perihelion.4711"),
    ("text", "Gallimaufry and Taradiddle"),
    ("meter point", "1200023305967"),
];

const SECTIONS: &str = "[relay]\nenabled = true\n";

struct Way {
    sink: Sink,
    server: Server,
    installation: Installation,
    password: String,
}

impl Way {
    fn set(mood: Mood) -> Self {
        let sink = Sink::start();
        sink.becomes(mood);
        let smarthost = sink.address.to_string();
        let settings = Settings { smarthost, sections: SECTIONS, level: "trace", ..Settings::default() };
        let installation = Installation::new(&settings);
        installation.import(&format!(
            "[[user]]\nemail = \"{CORA}\"\ngroup = \"alpha\"\nname = \"Cora Cole\"\nrole = \"compliance\"\n"
        ));
        let password = installation.password(AMY);
        Self { sink, server: installation.serve(), installation, password }
    }

    fn send(&self, to: &str, mail: &[u8]) -> Reply {
        let mut smtp = Smtp::login(self.server.submission(), AMY, &self.password).unwrap();
        smtp.deliver(AMY, &[to], mail).unwrap()
    }

    fn relayed(&self, to: &str, mail: &[u8]) {
        let reply = self.send(to, mail);
        assert!(reply.is("250 2.0.0 taken, and on its way"), "{reply:?}");
    }

    /// What has left to an address, oldest first.
    fn left(&self, to: &str) -> Vec<Vec<u8>> {
        let mails = self.sink.mails().into_iter().filter(|mail| mail.to == [to]);
        mails.map(|mail| mail.bytes).collect()
    }

    fn arrives(&self, to: &str, mail: &[u8]) {
        let what = format!("a mail for {to}");
        let left = wait::until(&what, || self.left(to).pop());
        behind_one_line(&left, mail);
    }

    /// The entries of the queue to an address, as `(standing, last error)`.
    fn queue(&self, to: &str) -> Vec<(String, Option<String>)> {
        let all = self.installation.json(["queue", "list"]);
        let rows = all.as_array().unwrap().iter().filter(|job| job["to"] == to);
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        rows.map(|job| (text(&job["standing"]).unwrap(), text(&job["last_error"]))).collect()
    }

    fn tried(&self, to: &str) {
        wait::until_true("a try that failed", || {
            self.queue(to)
                .iter()
                .any(|(_, error)| error.as_deref().is_some_and(|error| error.contains("421")))
        });
    }

    fn steer<const N: usize>(&self, arguments: [&str; N]) {
        self.installation.tool(arguments).good(&arguments.join(" "));
    }

    fn is_empty(&self) {
        wait::until_true("an empty queue", || {
            self.installation.json(["queue", "list"]).as_array().unwrap().is_empty()
        });
    }

    fn disk_and_log_are_clean(&self, when: &str) {
        let mut searched = 0;
        for file in files(&self.installation.home()) {
            let bytes = fs::read(&file).unwrap_or_default();
            searched += bytes.len();
            let hits = found(&bytes, &MARKS);
            assert!(hits.is_empty(), "{when}: {hits:?} in {}", file.display());
        }
        assert!(searched > 100_000, "{when}: only {searched} bytes were there to search");
        let hits = found(self.installation.stderr().as_bytes(), &MARKS);
        assert!(hits.is_empty(), "{when}: {hits:?} in the log");
    }
}

/// Exactly one field `Received` of ours, then what came in.
fn behind_one_line(left: &[u8], mail: &[u8]) {
    let front = left
        .len()
        .checked_sub(mail.len())
        .unwrap_or_else(|| panic!("{} bytes are lost", mail.len() - left.len()));
    assert_same(&left[front..], mail, "what was relayed");
    let front = std::str::from_utf8(&left[..front]).unwrap();
    assert!(front.starts_with("Received: ") && front.ends_with("\r\n"), "{front:?}");
    let folded = front.trim_end().split("\r\n").skip(1).all(|line| line.starts_with([' ', '\t']));
    assert!(folded, "one field: {front:?}");
    // Where somebody sat who logged in is nobody's business.
    assert!(front.starts_with("Received: by post.example.org with ESMTPA id "), "{front:?}");
}

fn letter(to: &str, id: &str) -> Letter {
    let mut letter = Letter::new(
        "Amy Archer <amy@alpha.example>",
        to,
        MARKS[0].1,
        &format!("{}.{id}@alpha.example", MARKS[1].1),
    );
    letter.headers.push("Received: by mail.alpha.example; Mon, 23 Nov 2026 10:00:00 +0000".to_owned());
    letter.text = format!(".\r\n..\r\n{}\r\nZähler \t \r\n\r\n{}\r\n.\r\n", MARKS[2].1, "x".repeat(990));
    letter
}

/// A letter that names a meter point.
fn personal(to: &str, id: &str) -> Vec<u8> {
    let mut letter = letter(to, id);
    letter.text.push_str(&format!("MPAN {}\r\n", MARKS[3].1));
    letter.bytes()
}

#[test]
fn mail_leaves_byte_for_byte_behind_one_line() {
    let way = Way::set(Mood::Takes);
    for to in [COLLEAGUE, STRANGER, BOB] {
        let mail = letter(to, to).bytes();
        way.relayed(to, &mail);
        way.arrives(to, &mail);
    }
    // What a colleague may know.
    let mail = personal(COLLEAGUE, "personal");
    way.relayed(COLLEAGUE, &mail);
    wait::until_true("the colleague's second", || way.left(COLLEAGUE).len() == 2);
    behind_one_line(&way.left(COLLEAGUE)[1], &mail);
    assert!(way.sink.mails().iter().all(|mail| mail.from == AMY), "the sender's own reverse-path");
    way.is_empty();
    assert_eq!(way.sink.mails().len(), 4, "and nothing else");
    assert!(way.installation.cases().is_empty());
    way.installation.audit_is_whole();
    way.disk_and_log_are_clean("when all has left");
    way.server.stop();
}

#[test]
fn a_real_postfix_takes_it_on() {
    let keys = Installation::new(&Settings::default());
    let tls = keys.home().join("tls");
    let (certificate, key) = (tls.join("server.pem"), tls.join("server.key"));
    let postfix = Postfix::start(keys.folder(), &[AMY, COLLEAGUE, STRANGER], &certificate, &key);
    let smarthost = postfix.address();
    let installation = keys.reconfigured(&Settings {
        smarthost,
        smarthost_tls: "require",
        sections: SECTIONS,
        ..Settings::default()
    });
    let password = installation.password(AMY);
    let server = installation.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &password).unwrap();
    for to in [COLLEAGUE, STRANGER] {
        let mail = letter(to, "postfix").bytes();
        assert_eq!(smtp.deliver(AMY, &[to], &mail).unwrap().code, 250);
        let delivered = postfix.arrived(to, 1).remove(0);
        let delivered = String::from_utf8(delivered).unwrap().replace('\n', "\r\n");
        let ours = delivered.find("Received: by post.example.org ").expect("the line of ours");
        behind_one_line(&delivered.as_bytes()[ours..], &mail);
        assert_eq!(
            delivered.matches("\nReceived: ").count(),
            3,
            "the sender's, ours, Postfix's: {delivered}"
        );
    }

    // An address that Postfix does not know: given up at once, and the sender is told, without the mail.
    let mail = letter("nobody@outside.example", "unknown").bytes();
    assert_eq!(smtp.deliver(AMY, &["nobody@outside.example"], &mail).unwrap().code, 250);
    let report = Read::parse(&postfix.arrived(AMY, 1)[0]);
    assert!(report.defects.is_empty(), "{report:?}");
    let kind = report.header("Content-Type");
    assert!(kind.contains("multipart/report") && kind.contains("delivery-status"), "{kind}");
    assert_eq!(report.header("Return-Path"), "<>");
    assert!(report.header("Auto-Submitted").starts_with("auto-"));
    let raw = String::from_utf8(postfix.arrived(AMY, 1).remove(0)).unwrap();
    for part in ["Action: failed", "Status: 5.1.1", "rfc822", "nobody@outside.example", "Reporting-MTA:"] {
        assert!(raw.contains(part), "{part} in {raw}");
    }
    assert!(found(raw.as_bytes(), &MARKS).is_empty(), "nothing of the mail comes back: {raw}");
    installation.audit_is_whole();
    server.stop();
}

#[test]
fn what_waits_is_sealed() {
    let way = Way::set(Mood::Away);
    let mails = [(COLLEAGUE, personal(COLLEAGUE, "sealed")), (STRANGER, letter(STRANGER, "sealed").bytes())];
    for (to, mail) in &mails {
        way.relayed(to, mail);
        way.tried(to);
    }
    way.disk_and_log_are_clean("while it waits");
    let table = way.installation.tool(["queue", "list"]).good("queue list").text();
    assert!(table.contains(STRANGER) && found(table.as_bytes(), &MARKS).is_empty(), "{table}");
    let Way { sink, server, installation, password } = way;
    server.stop();
    sink.becomes(Mood::Takes);
    let server = installation.serve();
    let way = Way { sink, server, installation, password };
    way.disk_and_log_are_clean("after a restart");
    way.steer(["queue", "retry", "--all"]);
    for (to, mail) in &mails {
        way.arrives(to, mail);
    }
    way.is_empty();
    way.server.stop();
}

#[test]
fn the_queue_is_held_released_retried_and_dropped() {
    let way = Way::set(Mood::Takes);
    way.steer(["queue", "hold", "--domain", "outside.example"]);
    let (kept, passed) = (letter(STRANGER, "kept").bytes(), letter(COLLEAGUE, "passed").bytes());
    way.relayed(STRANGER, &kept);
    way.relayed(COLLEAGUE, &passed);
    way.arrives(COLLEAGUE, &passed);
    assert_eq!(way.queue(STRANGER), [("on hold".to_owned(), None)]);
    let health = way.installation.json(["health"]);
    assert_eq!(health["holds"][0]["domain"], "outside.example", "{health}");
    assert!(way.left(STRANGER).is_empty());
    way.steer(["queue", "release", "--domain", "outside.example"]);
    way.arrives(STRANGER, &kept);
    way.is_empty();

    way.sink.becomes(Mood::Away);
    let (later, never) = (letter(COLLEAGUE, "later").bytes(), letter(STRANGER, "never").bytes());
    way.relayed(COLLEAGUE, &later);
    way.relayed(STRANGER, &never);
    way.tried(COLLEAGUE);
    way.tried(STRANGER);
    way.steer(["queue", "drop", "--domain", "outside.example"]);
    assert!(way.queue(STRANGER).is_empty());
    way.sink.becomes(Mood::Takes);
    way.steer(["queue", "retry", "--domain", "alpha.example"]);
    wait::until_true("the colleague's second", || way.left(COLLEAGUE).len() == 2);
    behind_one_line(&way.left(COLLEAGUE)[1], &later);
    wait::until_true("the report about what was dropped", || !way.left(AMY).is_empty());
    way.is_empty();
    assert_eq!(way.left(STRANGER).len(), 1, "what was dropped never leaves");
    let report = way.left(AMY).remove(0);
    assert!(found(&report, &MARKS).is_empty() && report.windows(14).any(|part| part == b"Action: failed"));
    way.installation.audit_is_whole();
    way.server.stop();
}

#[test]
fn personal_data_goes_to_nobody_outside() {
    let way = Way::set(Mood::Takes);
    let refused = way.send(STRANGER, &personal(STRANGER, "outside"));
    assert!(refused.is("550 5.7.1 "), "{refused:?}");
    let said = refused.text.replace("\n5.7.1 ", " ");
    assert!(said.contains("personal data such as a meter point number"), "{said}");
    assert!(said.contains("take the data out and send it again"), "{said}");
    assert!(way.sink.mails().is_empty() && way.queue(STRANGER).is_empty());
    assert!(way.installation.cases().is_empty());
    way.installation.audit_is_whole();
    way.disk_and_log_are_clean("after the refusal");
    way.server.stop();
}

#[test]
fn personal_data_for_a_person_of_another_company_is_held_listed_told_and_released() {
    let way = Way::set(Mood::Takes);
    let mail = personal(BOB, "held");
    let held = way.send(BOB, &mail);
    assert!(held.is("250 2.0.0 "), "{held:?}");
    let said = held.text.replace("\n2.0.0 ", " ");
    assert!(said.contains("held for your compliance team"), "{said}");
    for to in [AMY, BOB] {
        let told = wait::until("the letters about it", || way.left(to).pop());
        assert!(found(&told, &MARKS).is_empty(), "{}", String::from_utf8_lossy(&told));
        let told = Read::parse(&told);
        assert!(told.header("Auto-Submitted").starts_with("auto-") && told.text.contains("held"), "{told:?}");
    }
    way.is_empty();
    assert!(way.installation.cases().is_empty());
    way.disk_and_log_are_clean("while it is held");

    let password = way.installation.password(CORA);
    let mut cora = Visitor::signed_in(way.server.portal(), CORA, &password);
    let list = cora.get("/held");
    let one = list.links("/held/");
    assert_eq!((list.status, one.len()), (200, 1), "{}", list.text());
    let page = cora.get(&one[0]).text();
    assert!(page.contains(MARKS[2].1) && page.contains(BOB), "who decides sees what about: {page}");
    let mut amy = Visitor::signed_in(way.server.portal(), AMY, &way.password);
    assert_eq!(amy.get(&one[0]).status, 404, "nobody else sees it");
    let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let before = way.left(BOB).len();
    let released = cora.post(&format!("{}/release", one[0]), &[("token", token)]);
    assert_eq!(released.status, 303, "{}", released.text());
    wait::until_true("the mail itself", || way.left(BOB).len() > before);
    behind_one_line(&way.left(BOB).pop().unwrap(), &mail);
    assert!(cora.get("/held").links("/held/").is_empty());
    way.installation.audit_is_whole();
    way.server.stop();
}
