//! Shadow mode: everything is decided and counted, and the mail goes on as if nobody were there. Process by process it is let
//! bite, and taken back.

use serde_json::Value;
use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter, assert_same};
use tests::market::{AMY, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::Sink;
use tests::smtp::{Reply, Smtp};
use tests::wait;

use crate::canaries::{files, found};

const OUTSIDE: &str = "jo@outside.example";
const UNMAPPED: &str = "somebody@beta.example";

/// Words of the mails, none of which may be kept anywhere.
const MARKS: [(&str, &str); 3] =
    [("text", "Gallimaufry and Taradiddle"), ("meter point", "1200023305967"), ("address", "somebody@beta")];

struct Watched {
    sink: Sink,
    server: Server,
    installation: Installation,
    password: String,
}

impl Watched {
    fn set() -> Self {
        Self::prepared("[relay]\nenabled = true\n[policy]\nstage = \"shadow\"\n", |_| {})
    }

    fn prepared(sections: &'static str, prepare: impl FnOnce(&Installation)) -> Self {
        let sink = Sink::start();
        // The mail system of the company stands on this machine.
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let settings =
            Settings { smarthost: sink.address.to_string(), sections, market, ..Settings::default() };
        let installation = Installation::new(&settings);
        prepare(&installation);
        let password = installation.password(AMY);
        Self { sink, server: installation.serve(), installation, password }
    }

    fn send(&self, to: &[&str], mail: &[u8]) -> Reply {
        let mut smtp = Smtp::login(self.server.submission(), AMY, &self.password).unwrap();
        smtp.deliver(AMY, to, mail).unwrap()
    }

    fn arrives(&self, to: &str, mail: &[u8]) {
        let left = wait::until(&format!("a mail for {to}"), || {
            self.sink.mails().into_iter().find(|left| left.to == [to] && left.bytes.ends_with(mail))
        });
        assert_same(&left.bytes[left.bytes.len() - mail.len()..], mail, "what went on");
    }

    fn report(&self) -> Value {
        self.installation.json(["policy", "shadow-report"])
    }

    /// The counts of one table, by the words in front of them.
    fn counts(&self, table: &str) -> Vec<(String, u64)> {
        let words = |row: &Value| {
            let of = row["of"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
            (of.collect::<Vec<_>>().join(" "), row["count"].as_u64().unwrap())
        };
        self.report()[table].as_array().unwrap().iter().map(words).collect()
    }

    fn steer<const N: usize>(&self, arguments: [&str; N]) {
        self.installation.tool(arguments).good(&arguments.join(" "));
    }
}

fn letter(to: &str, id: &str) -> Vec<u8> {
    let mut letter =
        Letter::new("Amy Archer <amy@alpha.example>", to, "wrong supplier", &format!("{id}@alpha.example"));
    letter.text = format!("{}\r\nMPAN {}\r\n", MARKS[0].1, MARKS[1].1);
    letter.bytes()
}

#[test]
fn what_would_have_happened_is_counted_and_the_mail_goes_on() {
    let watched = Watched::set();
    // To a case, to nobody's mailbox, and outside, where live rules would secure, hold and refuse: one transaction.
    let mail = letter(MAILBOX, "one");
    let reply = watched.send(&[MAILBOX, UNMAPPED, OUTSIDE], &mail);
    assert!(reply.is("250 2.0.0 taken, and on its way"), "{reply:?}");
    for to in [MAILBOX, UNMAPPED, OUTSIDE] {
        watched.arrives(to, &mail);
    }
    assert!(watched.installation.json(["case", "list"]).as_array().unwrap().is_empty());

    let verdicts: Vec<String> = watched.counts("verdicts").into_iter().map(|(of, _)| of).collect();
    let verdict = |of: &str| verdicts.iter().any(|known| known.starts_with(of));
    assert!(verdict("secure ") && verdict("refuse ") && verdict("hold "), "{verdicts:?}");
    assert_eq!(watched.counts("mails"), [("human".to_owned(), 1)]);
    assert_eq!(watched.counts("mailboxes"), [(format!("{MAILBOX} secure erroneous-transfers"), 1)]);
    assert_eq!(watched.counts("notices"), [(MAILBOX.to_owned(), 1)]);
    assert!(watched.counts("findings").iter().any(|(of, _)| of.starts_with("mpan ")));
    let unmapped = watched.counts("unmapped");
    assert!(unmapped.len() == 1 && unmapped[0].0.ends_with("personal data"), "{unmapped:?}");

    // The same mail once more is counted once, and nothing of any is kept when it is gone.
    assert!(watched.send(&[MAILBOX, UNMAPPED, OUTSIDE], &mail).is("250"));
    assert_eq!(watched.counts("mails"), [("human".to_owned(), 1)]);
    wait::until_true("an empty queue", || {
        watched.installation.json(["queue", "list"]).as_array().unwrap().is_empty()
    });
    for file in files(&watched.installation.home()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let hits = found(&bytes, &MARKS);
        assert!(hits.is_empty(), "{hits:?} in {}", file.display());
    }
}

#[test]
fn a_process_is_promoted_and_taken_back() {
    let watched = Watched::set();
    watched.steer(["policy", "promote", "--process", "erroneous-transfers"]);
    let reply = watched.send(&[MAILBOX], &letter(MAILBOX, "live"));
    assert!(reply.is("250 2.0.0 secured as case "), "{reply:?}");
    // Mail of no process is watched as before.
    let outside = letter(OUTSIDE, "outside");
    assert!(watched.send(&[OUTSIDE], &outside).is("250 2.0.0 taken, and on its way"));
    watched.arrives(OUTSIDE, &outside);

    let stages = watched.installation.json(["policy", "stages"]);
    assert_eq!(stages[0]["process"], "erroneous-transfers", "{stages}");
    // Of two companies the more careful one decides.
    watched.steer(["policy", "demote", "--group", "beta"]);
    assert!(watched.send(&[MAILBOX], &letter(MAILBOX, "beta")).is("250 2.0.0 taken, and on its way"));
    watched.steer(["policy", "demote", "--group", "beta", "--unset"]);
    assert!(watched.send(&[MAILBOX], &letter(MAILBOX, "again")).is("250 2.0.0 secured as case "));
    watched.steer(["policy", "demote", "--process", "erroneous-transfers"]);
    let back = letter(MAILBOX, "back");
    assert!(watched.send(&[MAILBOX], &back).is("250 2.0.0 taken, and on its way"));
    watched.arrives(MAILBOX, &back);
    let wrong = watched.installation.tool(["policy", "promote", "--process", "erroneous"]);
    assert!(wrong.stderr.contains("the catalogue has erroneous-transfers"), "{}", wrong.stderr);
}

/// Held where the shipped rules refuse.
fn holding() -> String {
    let rules = include_str!("../../policies/shipped/verdicts.toml");
    let (front, refusal) = rules.split_once("id = \"refuse-personal-data-outside\"").expect("the rule");
    let refusal = refusal.replacen("verdict = \"refuse\"", "verdict = \"hold\"", 1);
    format!("{front}id = \"hold-personal-data-outside\"{refusal}")
}

#[test]
fn mails_in_a_folder_are_tried_by_two_policies() {
    let watched = Watched::set();
    let folder = watched.installation.folder().join("mails");
    std::fs::create_dir(&folder).unwrap();
    for (name, to) in [("a", MAILBOX), ("b", OUTSIDE), ("c", UNMAPPED)] {
        std::fs::write(folder.join(format!("{name}.eml")), letter(to, name)).unwrap();
    }
    let stranger = Letter::new("x@nobody.example", MAILBOX, "hello", "x@nobody.example");
    std::fs::write(folder.join("d.eml"), stranger.bytes()).unwrap();
    let other = watched.installation.folder().join("home/other.toml");
    let own = std::fs::read_to_string(watched.installation.config()).unwrap();
    std::fs::write(watched.installation.folder().join("home/strict.toml"), holding()).unwrap();
    std::fs::write(&other, own.replace("[policy]\n", "[policy]\nverdicts = \"strict.toml\"\n")).unwrap();
    let report = watched.installation.json([
        "policy",
        "shadow-report",
        "--folder",
        &folder.to_string_lossy(),
        "--against",
        &other.to_string_lossy(),
    ]);
    assert_eq!(report["left_out"], 1, "{report}");
    assert_eq!(report["mails"][0]["count"], 3, "{report}");
    let compared = report["compared"].as_array().unwrap();
    let of =
        |words: [&str; 2]| compared.iter().find(|row| row["of"][0] == words[0] && row["of"][1] == words[1]);
    assert_eq!(of(["refuse", "hold"]).expect("a difference")["count"], 1, "{report}");
    assert_eq!(of(["secure", "secure"]).expect("what is alike")["count"], 1, "{report}");
    assert!(watched.counts("mails").is_empty(), "a folder adds nothing to what was counted");
}

#[test]
fn other_policies_are_tried_on_the_same_mail_and_decide_nothing() {
    let watched = Watched::prepared("[relay]\nenabled = true\n", |installation| {
        installation.configure("[policy]\ntried = \"tried\"");
        std::fs::create_dir(installation.home().join("tried")).unwrap();
        let none = installation.tool(["config", "check"]);
        assert!(
            none.code == Some(1) && none.stderr.contains("policy.tried") && none.stderr.contains("no policy"),
            "{}",
            none.everything()
        );
        std::fs::write(installation.home().join("tried/verdicts.toml"), holding()).unwrap();
        let misnamed = installation.home().join("tried/verdict.toml");
        std::fs::write(&misnamed, holding()).unwrap();
        let wrong = installation.tool(["config", "check"]);
        assert!(wrong.stderr.contains("verdict.toml is no policy file"), "{}", wrong.everything());
        std::fs::remove_file(misnamed).unwrap();
        installation.tool(["config", "check"]).good("config check");
        // The examples of the shipped file say that such a mail is refused.
        let test = installation.tool(["policy", "test"]);
        assert!(
            test.code == Some(3) && test.text().contains("tried/verdicts.toml:"),
            "{}",
            test.everything()
        );
    });
    let compared = || watched.counts("compared");
    // Decisions are done here, and the standing rules do them.
    assert!(watched.send(&[MAILBOX], &letter(MAILBOX, "one")).is("250 2.0.0 secured as case "));
    assert!(watched.send(&[OUTSIDE], &letter(OUTSIDE, "two")).is("550"));
    assert_eq!(compared(), [("refuse hold ".to_owned(), 1), ("secure secure ".to_owned(), 1)]);

    let health = || watched.installation.json(["health"]);
    let (first, file) =
        (health()["tried_rules"].clone(), watched.installation.home().join("tried/verdicts.toml"));
    assert_ne!(first, health()["rules"]);
    std::fs::write(&file, "nonsense").unwrap();
    watched.server.process.signal("HUP");
    wait::until_true("a word about it", || !health()["refused_tried_rules"].is_null());
    assert_eq!(health()["tried_rules"], first, "a wrong file leaves the old ones to be tried");
    assert!(health()["refused_rules"].is_null());
    assert!(watched.send(&[OUTSIDE], &letter(OUTSIDE, "three")).is("550"));
    assert_eq!(compared()[0], ("refuse hold ".to_owned(), 2));

    // The shipped rules beside themselves: nothing differs.
    std::fs::write(&file, include_str!("../../policies/shipped/verdicts.toml")).unwrap();
    watched.server.process.signal("HUP");
    wait::until_true("the new ones", || health()["tried_rules"] == health()["rules"]);
    assert!(health()["refused_tried_rules"].is_null());
    assert!(watched.send(&[OUTSIDE], &letter(OUTSIDE, "four")).is("550"));
    assert!(compared().contains(&("refuse refuse ".to_owned(), 1)), "{:?}", compared());
}

/// What Exchange makes of a mail that it journals with its envelope.
fn journal_report(to: &[&str], mail: &[u8]) -> Vec<u8> {
    let to: String = to.iter().map(|to| format!("To: {to}\r\n")).collect();
    let head = format!(
        "From: Microsoft Exchange <exchange@alpha.example>\r\nX-MS-Journal-Report: \r\nMessage-ID: <j@alpha.example>\r\n\
         Subject: wrong supplier\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"report\"\r\n\r\n\
         --report\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\nSender: {AMY}\r\n\
         Subject: wrong supplier\r\n{to}\r\n--report\r\nContent-Type: message/rfc822\r\n\r\n"
    );
    [head.as_bytes(), mail, b"\r\n--report--\r\n"].concat()
}

#[test]
fn a_mail_system_journals_and_what_would_have_happened_is_counted_without_a_trace() {
    const JOURNAL: &str = "journal@post.example.org";
    let sections = "[relay]\nenabled = true\n[journal]\naddresses = [\"journal@post.example.org\"]\n";
    let watched = Watched::prepared(sections, |_| {});
    let report = journal_report(&[MAILBOX, UNMAPPED, OUTSIDE], &letter(MAILBOX, "one"));
    let journaled = |mail: &[u8]| {
        let mut exchange = Smtp::greet(watched.server.smtp()).unwrap();
        exchange.deliver("", &[JOURNAL], mail).unwrap()
    };
    for _ in 0..2 {
        let reply = journaled(&report);
        assert!(reply.is("250 2.0.0 counted"), "{reply:?}");
    }
    assert_eq!(watched.counts("findings").iter().find(|(of, _)| of == "mpan refuse").unwrap().1, 1);
    // What only a file says counts as well.
    let mut filed = Letter::new(AMY, OUTSIDE, "the list", "file@alpha.example");
    filed.attachment = Some(Attachment {
        name: "list.csv".to_owned(),
        bytes: format!("mpan\n{}\n", MARKS[1].1).into_bytes(),
    });
    assert!(journaled(&journal_report(&[OUTSIDE], &filed.bytes())).is("250 2.0.0 counted"));
    assert_eq!(watched.counts("findings").iter().find(|(of, _)| of == "mpan refuse").unwrap().1, 2);
    // A person who logs in is no mail system.
    assert!(watched.send(&[JOURNAL], &report).is("550"), "a login");
    assert!(journaled(&letter(MAILBOX, "no report")).is("250 2.0.0 counted"));

    assert_eq!(watched.counts("mails"), [("human".to_owned(), 2)]);
    assert_eq!(watched.counts("mailboxes"), [(format!("{MAILBOX} secure erroneous-transfers"), 1)]);
    assert_eq!(watched.counts("notices"), [(MAILBOX.to_owned(), 1)]);
    assert_eq!(watched.counts("unmapped").len(), 1);
    assert_eq!(watched.counts("uncounted"), [("no mail attached".to_owned(), 1)]);
    assert!(watched.installation.json(["case", "list"]).as_array().unwrap().is_empty());
    assert!(watched.installation.json(["queue", "list"]).as_array().unwrap().is_empty());
    assert!(watched.server.process.stderr().contains("a journal report was taken that cannot be counted"));
    let logged = watched.server.process.stderr();
    assert!(found(logged.as_bytes(), &MARKS).is_empty(), "{logged}");
    for file in files(&watched.installation.home()) {
        let hits = found(&std::fs::read(&file).unwrap_or_default(), &MARKS);
        assert!(hits.is_empty(), "{hits:?} in {}", file.display());
    }
    assert!(watched.sink.mails().is_empty(), "nothing is sent on");
}
