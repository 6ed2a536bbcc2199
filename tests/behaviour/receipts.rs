//! What a sender and a mailbox are told, and when: receipts for new cases, none, or all; a digest instead of notices.

use serde_json::Value;
use tests::installation::{Installation, Settings};
use tests::letter::{Letter, Read};
use tests::market::{AMY, MAILBOX, Market, PROCESSES};
use tests::postern::Server;
use tests::sink::{Sink, Taken};
use tests::smtp::Smtp;
use tests::wait;

const SUBJECT: &str = "Mrs Quibble of Acacia Avenue";

struct Stage {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Stage {
    /// With these changes to the directory.
    fn set(directory: &str) -> Self {
        let sink = Sink::start();
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let smarthost = sink.address.to_string();
        let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
        installation.import(directory);
        Self { server: installation.serve(), sink, installation }
    }

    /// Sends a mail and gives its case.
    fn mail(&self, id: &str, answers: Option<&str>) -> String {
        let mut letter = Letter::new(AMY, MAILBOX, SUBJECT, &format!("{id}@alpha.example"));
        letter.headers.extend(answers.map(|id| format!("In-Reply-To: <{id}@alpha.example>")));
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        smtp.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap().reference()
    }

    fn jobs(&self) -> Vec<Value> {
        self.installation.json(["queue", "list"]).as_array().unwrap().clone()
    }

    /// What has left for an address once nothing waits any more.
    fn sent(&self, to: &str) -> Vec<Taken> {
        wait::until_true("an empty queue", || self.jobs().is_empty());
        self.sink.mails().into_iter().filter(|mail| mail.to == [to]).collect()
    }
}

/// Alpha's entry with this wish.
fn receipts(wish: &str) -> String {
    format!(
        "[[group]]\nid = \"alpha\"\nname = \"Alpha Energy\"\ndomains = [\"alpha.example\"]\nreceipts = \"{wish}\"\n"
    )
}

#[test]
fn the_author_has_one_receipt_for_each_new_case() {
    let stage = Stage::set(&receipts("new-cases"));
    let case = stage.mail("first", None);
    assert_eq!(stage.mail("second", Some("first")), case);
    let receipts = stage.sent(AMY);
    assert_eq!(receipts.len(), 1, "one for the case");
    let receipt = Read::parse(&receipts[0].bytes);
    assert!(receipt.header("Subject").contains(&case), "{receipt:?}");
    let links = receipt.links();
    let portal = stage.server.portal();
    assert!(links.iter().any(|link| link.starts_with(&format!("{portal}/case/"))), "{links:?}");
    assert!(links.iter().all(|link| link.starts_with(portal)), "{links:?}");
    for word in ["Beta Power", "Erroneous Transfers"] {
        assert!(receipt.text.contains(word), "{word} in {}", receipt.text);
    }
    let seen = format!("{}{receipt:?}", String::from_utf8_lossy(&receipts[0].bytes));
    for word in ["Quibble", "Acacia", "Please look", "Amy Archer"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
    assert!(receipt.header("Auto-Submitted").starts_with("auto-"));
    let other = stage.mail("third", None);
    assert_ne!(other, case);
    assert_eq!(stage.sent(AMY).len(), 2);
    stage.server.stop();
}

#[test]
fn a_company_may_want_none_or_one_for_each_mail() {
    let stage = Stage::set(&receipts("off"));
    stage.mail("first", None);
    assert!(stage.sent(AMY).is_empty());
    assert_eq!(stage.sent(MAILBOX).len(), 1, "the other side is told all the same");
    // The directory changes under the running server.
    stage.installation.import(&receipts("all"));
    stage.mail("second", None);
    stage.mail("third", Some("second"));
    assert_eq!(stage.sent(AMY).len(), 2);
    stage.server.stop();
}

#[test]
fn a_mailbox_with_a_digest_is_told_once_at_its_time() {
    let stage = Stage::set(&format!(
        "{}[[mailbox]]\naddress = \"{MAILBOX}\"\ngroup = \"beta\"\nparticipant = \"BETA\"\nprocess = \"{}\"\n\
         contact_type = \"initial-request\"\ndigest = [\"09:00\"]\n",
        receipts("off"),
        PROCESSES[0]
    ));
    for id in ["first", "second", "third"] {
        stage.mail(id, None);
    }
    let jobs = stage.jobs();
    assert_eq!(jobs.len(), 1, "one digest for them all: {jobs:?}");
    let digest = &jobs[0];
    assert_eq!((&digest["kind"], &digest["standing"]), (&"digest".into(), &"waiting".into()));
    assert_eq!((&digest["to"], &digest["attempts"]), (&MAILBOX.into(), &0.into()));
    let due = digest["due"].as_str().unwrap();
    assert!(due.ends_with("T09:00:00Z") || due.ends_with("T08:00:00Z"), "nine in London: {due}");
    assert!(stage.sink.mails().is_empty(), "nothing left at once");

    // An administrator who wants it now has it now.
    stage.installation.tool(["queue", "retry", digest["id"].as_str().unwrap()]).good("queue retry");
    let mails = stage.sent(MAILBOX);
    assert_eq!(mails.len(), 1);
    let read = Read::parse(&mails[0].bytes);
    for case in stage.installation.cases() {
        assert!(read.text.contains(&case), "{case} in {}", read.text);
    }
    assert!(!format!("{read:?}").contains("Quibble"));
    stage.server.stop();
}
