//! Mail whose next server says "later" to the end: tried for as long as the configuration says and not longer, then told
//! to whoever it concerns, by mail and in the portal. Nothing of it stays.

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEA, BEN, MAILBOX};
use tests::postern::Server;
use tests::sink::{Mood, Sink};
use tests::smtp::Smtp;
use tests::wait;

const STRANGER: &str = "jo@outside.example";
/// Alpha's administrator.
const ABE: &str = "abe@alpha.example";

const SECTIONS: &str = "[relay]\nenabled = true\n[delivery]\ngive_up = \"2 s\"\ndelay_warning = \"1 s\"\n";

struct Stage {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Stage {
    fn set() -> Self {
        let sink = Sink::start();
        sink.becomes(Mood::Busy);
        let smarthost = sink.address.to_string();
        let settings = Settings { smarthost, sections: SECTIONS, ..Settings::default() };
        let installation = Installation::new(&settings);
        installation.import(&format!(
            "[[user]]\nemail = \"{ABE}\"\ngroup = \"alpha\"\nname = \"Abe Ash\"\nrole = \"mau\"\n"
        ));
        Self { sink, server: installation.serve(), installation }
    }

    /// How many events there were before.
    fn send(&self, to: &str, text: &str) -> u64 {
        let password = self.installation.password(AMY);
        let before = self.installation.audit_is_whole();
        let mut smtp = Smtp::login(self.server.submission(), AMY, &password).unwrap();
        let mail = Letter { text: text.to_owned(), ..Letter::new(AMY, to, "Later", "later@alpha.example") };
        let reply = smtp.deliver(AMY, &[to], &mail.bytes()).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        before
    }

    fn standings(&self) -> Vec<String> {
        let jobs = self.installation.json(["queue", "list"]);
        let jobs = jobs.as_array().unwrap().iter();
        jobs.map(|job| job["standing"].as_str().unwrap().to_owned()).collect()
    }

    fn page(&self, user: &str, path: &str) -> String {
        let password = self.installation.password(user);
        Visitor::signed_in(self.server.portal(), user, &password).get(path).text()
    }
}

#[test]
fn a_relayed_mail_is_given_up_in_time_and_everybody_concerned_told() {
    let stage = Stage::set();
    let before = stage.send(STRANGER, "words that stay here\r\n");
    let reports = || {
        let mails = stage.sink.mails().into_iter();
        mails.map(|mail| String::from_utf8(mail.bytes).unwrap()).collect::<Vec<_>>()
    };
    wait::until_true("the report of failure", || {
        reports().iter().any(|report| report.contains("Action: failed"))
    });
    wait::until_true("an empty queue", || stage.standings().is_empty());
    for report in reports() {
        assert!(report.contains("Status: 4.2.0") && report.contains(STRANGER), "{report}");
        assert!(!report.contains("words that stay"), "{report}");
    }
    let failures = reports().iter().filter(|report| report.contains("Action: failed")).count();
    assert_eq!(failures, 1);
    // Taken, its content destroyed, given up, a task, a report for each that left.
    let events = stage.installation.audit_is_whole() - before;
    assert_eq!(events, 4 + reports().len() as u64);
    let page = stage.page(ABE, "/mail");
    assert!(page.contains("Mail to addresses at outside.example could not be delivered (relay)"), "{page}");
    let health = stage.installation.json(["health"]);
    assert_eq!((&health["waiting"], &health["abandoned"]), (&0.into(), &0.into()), "{health}");
    stage.server.stop();
}

#[test]
fn a_notice_is_given_up_in_time_and_its_case_says_so() {
    let stage = Stage::set();
    stage.send(MAILBOX, "which supplier has it?\r\n");
    wait::until_true("what was given up", || stage.standings() == ["given up"]);
    let page = stage.page(BEA, "/mail");
    assert!(page.contains(&format!("Notices to {MAILBOX} could not be delivered")), "{page}");
    let list = stage.page(BEN, "/process/erroneous-transfers");
    assert!(list.contains("Notice came back"), "{list}");
    stage.installation.audit_is_whole();
    stage.server.stop();
}
