//! The queue of notices while the smarthost is away, refuses, and is back: visible, retried, given up, mended by hand.

use serde_json::Value;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::{Mood, Sink};
use tests::smtp::Smtp;
use tests::wait;

struct Stage {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Stage {
    fn set(mood: Mood) -> Self {
        let sink = Sink::start();
        sink.becomes(mood);
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let smarthost = sink.address.to_string();
        let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
        Self { sink, server: installation.serve(), installation }
    }

    /// Sends a mail and gives its case.
    fn mail(&self, id: &str) -> String {
        let mail = Letter::new(AMY, MAILBOX, "Queue", &format!("{id}@alpha.example")).bytes();
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        smtp.deliver(AMY, &[MAILBOX], &mail).unwrap().reference()
    }

    fn queue(&self) -> Vec<Value> {
        self.installation.json(["queue", "list"]).as_array().unwrap().clone()
    }

    /// The case's entry once a try has failed.
    fn failed(&self, case: &str) -> Value {
        wait::until("a failed try", || {
            let tried = |job: &Value| job["case"] == case && job["last_error"].is_string();
            self.queue().into_iter().find(tried)
        })
    }

    fn is_delivered(&self, cases: &[&str]) {
        wait::until_true("an empty queue", || self.queue().is_empty());
        let mails = self.sink.mails();
        assert_eq!(mails.len(), cases.len());
        for case in cases {
            let with = mails.iter().filter(|mail| mail.header("Subject").unwrap().contains(case));
            assert_eq!(with.count(), 1, "{case}");
        }
    }
}

#[test]
fn a_notice_waits_while_the_smarthost_is_away() {
    let stage = Stage::set(Mood::Away);
    let case = stage.mail("waits");
    let job = stage.failed(&case);
    assert_eq!((&job["to"], &job["group"]), (&MAILBOX.into(), &"beta".into()));
    assert_eq!(job["standing"], "waiting");
    assert!(job["last_error"].as_str().unwrap().contains("421"), "{job}");
    assert!(job["attempts"].as_u64().unwrap() >= 1);
    assert!(job["due"].as_str() > job["created_at"].as_str(), "later: {job}");
    let id = job["id"].as_str().unwrap();
    let shown = stage.installation.json(["queue", "show", id]);
    assert_eq!((&shown["id"], &shown["case"]), (&job["id"], &job["case"]));
    let table = stage.installation.tool(["queue", "list"]).good("queue list").text();
    assert!(table.contains(id) && table.contains(&case), "{table}");
    assert_eq!(stage.installation.json(["health"])["waiting"], 1);

    stage.sink.becomes(Mood::Takes);
    stage.installation.tool(["queue", "retry", id]).good("queue retry");
    stage.is_delivered(&[&case]);
    let notices = stage.installation.json(["case", "show", &case])["notices"].clone();
    assert_eq!(notices.as_array().unwrap().len(), 1, "{notices}");
    stage.installation.audit_is_whole();
    stage.server.stop();
}

#[test]
fn a_waiting_notice_survives_a_restart() {
    let stage = Stage::set(Mood::Away);
    let case = stage.mail("survives");
    let job = stage.failed(&case);
    let Stage { sink, server, installation } = stage;
    server.stop();
    let without = installation.json(["queue", "list"]);
    assert_eq!(without[0]["id"], job["id"], "the tool reads the ledger itself");
    sink.becomes(Mood::Takes);
    let id = job["id"].as_str().unwrap();
    installation.tool(["queue", "retry", id]).good("queue retry without a server");
    let server = installation.serve();
    Stage { sink, server, installation }.is_delivered(&[&case]);
}

#[test]
fn what_the_smarthost_refuses_is_given_up_and_can_be_tried_again() {
    let stage = Stage::set(Mood::Refuses);
    let case = stage.mail("refused");
    let job = stage.failed(&case);
    assert_eq!(job["standing"], "given up", "{job}");
    assert!(job["last_error"].as_str().unwrap().contains("554"), "{job}");
    assert_eq!(stage.installation.json(["health"])["abandoned"], 1);
    stage.sink.becomes(Mood::Takes);
    stage.installation.tool(["queue", "retry", job["id"].as_str().unwrap()]).good("queue retry");
    stage.is_delivered(&[&case]);
    stage.server.stop();
}

#[test]
fn a_dropped_notice_never_leaves() {
    let stage = Stage::set(Mood::Away);
    let (kept, dropped) = (stage.mail("kept"), stage.mail("dropped"));
    let id = stage.failed(&dropped)["id"].as_str().unwrap().to_owned();
    stage.installation.tool(["queue", "drop", &id]).good("queue drop");
    for verb in ["show", "retry", "drop"] {
        let said = stage.installation.tool(["queue", verb, &id]);
        assert!(said.code == Some(1) && said.stderr.contains(&id), "{verb}: {}", said.everything());
    }
    stage.sink.becomes(Mood::Takes);
    let id = stage.failed(&kept)["id"].as_str().unwrap().to_owned();
    stage.installation.tool(["queue", "retry", &id]).good("queue retry");
    stage.is_delivered(&[&kept]);
    stage.installation.audit_is_whole();
    stage.server.stop();
}

#[test]
fn an_id_that_is_none_is_an_error() {
    let stage = Stage::set(Mood::Takes);
    for id in ["nonsense", "", &"a".repeat(32)] {
        for verb in ["show", "retry", "drop"] {
            let said = stage.installation.tool(["queue", verb, id]);
            assert_eq!(said.code, Some(1), "{verb} {id:?}: {}", said.everything());
            assert!(!said.stderr.is_empty());
        }
    }
    stage.server.stop();
}
