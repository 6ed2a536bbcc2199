//! No storm: machines that answer machines come to rest, and a bounce of a notice is somebody's task.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tests::installation::{Installation, NAME, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::{Sink, Taken};
use tests::smtp::{Reply, Smtp};
use tests::wait;

/// The other installation's name.
const OTHER: &str = "post.example.net";

/// Alpha's people want to know that their mail was secured.
pub(crate) const RECEIPTS: &str = "[[group]]\nid = \"alpha\"\nname = \"Alpha Energy\"\ndomains = [\"alpha.example\"]\nreceipts = \"new-cases\"\n";

/// How a mail system answers for somebody who is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As RFC 3834 has it: null reverse-path, `Auto-Submitted`.
    Standard,
    /// With nothing but a subject that people recognise.
    SubjectAlone,
}

/// One installation as the mail system between the two sees it.
struct House {
    domain: &'static str,
    smtp: SocketAddr,
    submission: SocketAddr,
    /// Who may hand in answers for an address.
    accounts: Vec<(&'static str, &'static str, String)>,
}

impl House {
    fn of(installation: &Installation, server: &Server, domain: &'static str) -> Self {
        let account = |address, user| (address, user, installation.password(user));
        let accounts = vec![account(AMY, AMY), account(MAILBOX, BEN)];
        Self { domain, smtp: server.smtp(), submission: server.submission(), accounts }
    }

    /// Answers the mail in the name of whoever got it, to both addresses that it names.
    fn answer(&self, style: Style, mail: &Taken) {
        let me = mail.to[0].as_str();
        let account = self.accounts.iter().find(|(address, ..)| *address == me);
        let (_, user, password) = account.unwrap_or_else(|| panic!("mail to {me}"));
        let reply_to = mail.header("Reply-To").unwrap_or_else(|| mail.header("From").unwrap());
        let reply_to = reply_to.rsplit('<').next().unwrap().trim_end_matches('>').to_owned();
        for (number, to) in [mail.from.clone(), reply_to].iter().enumerate() {
            let id = mail.header("Message-ID").unwrap().replace(['<', '>'], "");
            let mut letter = Letter::new(me, to, "Out of office", &format!("away-{number}.{id}"));
            letter.text = "I am away and back on Monday.\r\n".to_owned();
            let mut from = me;
            if style == Style::Standard {
                from = "";
                letter.subject = format!("Auto: {}", mail.header("Subject").unwrap());
                letter.headers =
                    vec!["Auto-Submitted: auto-replied".to_owned(), format!("In-Reply-To: <{id}>")];
            }
            let mut smtp = Smtp::login(self.submission, user, password).unwrap();
            let reply = smtp.deliver(from, &[to], &letter.bytes()).unwrap();
            assert_eq!(reply.code, 250, "{style:?} to {to}: {reply:?}");
        }
    }

    /// Mail of the other installation to an address that is mapped here as well.
    fn forward(&self, mail: &Taken) {
        let reply = Smtp::greet(self.smtp).unwrap().deliver(&mail.from, &[MAILBOX], &mail.bytes).unwrap();
        assert_eq!(reply.references().len(), 1, "{reply:?}");
    }
}

/// An installation in which the other one is a company, proved by its network.
fn facing(sink: &Sink, other: &str) -> Installation {
    let installation =
        Installation::new(&Settings { smarthost: sink.address.to_string(), ..Settings::default() });
    installation.import(&format!(
        "{RECEIPTS}[[group]]\nid = \"other\"\nname = \"Other Post\"\ndomains = [\"{other}\"]\nnetworks = [\"127.0.0.1/32\"]\n\
         [[participant]]\nmpid = \"OTHR\"\ngroup = \"other\"\nname = \"Other Post\"\nrole = \"electricity-supplier\"\n"
    ));
    installation
}

fn jobs(installation: &Installation) -> Vec<Value> {
    installation.json(["queue", "list"]).as_array().unwrap().clone()
}

/// Nothing waits anywhere, and nothing came while we looked.
fn comes_to_rest(sink: &Sink, houses: [&Installation; 2]) {
    wait::until_true("both installations to come to rest", || {
        let before = sink.mails().len();
        let [one, other] = houses;
        [one, other, one].iter().all(|house| jobs(house).is_empty()) && sink.mails().len() == before
    });
}

fn converges(style: Style) {
    let houses: Arc<OnceLock<[House; 2]>> = Arc::default();
    let between = Arc::clone(&houses);
    let sink = Sink::reacting(move |mail| {
        let houses = between.get().expect("the houses are known before the first mail");
        let from = houses.iter().position(|house| mail.from.ends_with(house.domain)).expect("a house");
        houses[from].answer(style, mail);
        if mail.to == [MAILBOX] {
            houses[1 - from].forward(mail);
        }
    });
    let (one, other) = (facing(&sink, OTHER), facing(&sink, NAME));
    let config = std::fs::read_to_string(other.config()).unwrap().replace(NAME, OTHER);
    std::fs::write(other.config(), config).unwrap();
    let servers = [one.serve(), other.serve()];
    let both = [House::of(&one, &servers[0], NAME), House::of(&other, &servers[1], OTHER)];
    assert!(houses.set(both).is_ok());

    let mut cases = Vec::new();
    for house in houses.get().unwrap() {
        let (_, user, password) = &house.accounts[0];
        let mut smtp = Smtp::login(house.submission, user, password).unwrap();
        for number in 0..3 {
            let id = format!("human-{number}.{}@alpha.example", house.domain);
            let mail = Letter::new(AMY, MAILBOX, "Please help", &id).bytes();
            cases.push(smtp.deliver(AMY, &[MAILBOX], &mail).unwrap().reference());
        }
    }
    comes_to_rest(&sink, [&one, &other]);
    let mails = sink.mails();
    println!("{style:?}: {} mails for {} of people", mails.len(), cases.len());
    // A notice and a receipt for each, and nothing for any answer of a machine.
    for to in [AMY, MAILBOX] {
        assert_eq!(mails.iter().filter(|mail| mail.to == [to]).count(), cases.len(), "mails to {to}");
    }
    assert_eq!(mails.len(), 2 * cases.len());
    for (index, case) in cases.iter().enumerate() {
        let house = if index < 3 { &one } else { &other };
        let shown = house.json(["case", "show", case]);
        let by_machines: Vec<_> =
            shown["items"].as_array().unwrap().iter().map(|item| &item["automatic"]).collect();
        // The answer to the notice and the answer to the receipt, at the reply addresses.
        assert_eq!(by_machines, [false, true, true], "{shown}");
        assert_eq!(shown["due"]["side"], "beta", "no machine stops the clock: {shown}");
    }
    for (house, server) in [&one, &other].into_iter().zip(servers) {
        house.audit_is_whole();
        server.stop();
    }
}

#[test]
fn two_installations_and_an_auto_responder_come_to_rest() {
    converges(Style::Standard);
}

#[test]
fn the_same_when_the_responder_says_it_in_the_subject_alone() {
    converges(Style::SubjectAlone);
}

/// A sink, a server that knows the local network as Alpha's, and one case of Amy's.
struct Stage {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Stage {
    fn set() -> Self {
        let sink = Sink::start();
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let smarthost = sink.address.to_string();
        let settings = Settings { market, smarthost, level: "warn", ..Settings::default() };
        let installation = Installation::new(&settings);
        Self { server: installation.serve(), sink, installation }
    }

    fn mail(&self, id: &str, headers: &[&str]) -> String {
        let mut letter = Letter::new(AMY, MAILBOX, "A transfer", &format!("{id}@alpha.example"));
        letter.headers = headers.iter().map(|&header| header.to_owned()).collect();
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        smtp.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap().reference()
    }

    /// The mails that have left for an address once nothing waits any more.
    fn sent(&self, to: &str) -> Vec<Taken> {
        wait::until_true("an empty queue", || jobs(&self.installation).is_empty());
        self.sink.mails().into_iter().filter(|mail| mail.to == [to]).collect()
    }

    /// What came back for a mail of ours, from nobody in particular.
    fn comes_back(&self, to: &str, mail: &[u8]) -> Reply {
        Smtp::greet(self.server.smtp()).unwrap().deliver("", &[to], mail).unwrap()
    }

    fn health(&self) -> String {
        self.installation.tool(["health"]).good("health").text()
    }
}

/// A bounce as RFC 3464 §2 has it.
fn bounce(to: &str, failed: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.beta.example\r\nTo: {to}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.beta.example\r\n\r\n\
         Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn a_bounce_of_a_notice_is_somebodys_task_and_the_next_message_makes_a_new_one() {
    let stage = Stage::set();
    let case = stage.mail("first", &[]);
    let notice = stage.sent(MAILBOX).remove(0);
    let known = ["In-Reply-To: <first@alpha.example>"];
    assert_eq!(stage.mail("second", &known), case);
    assert_eq!(stage.sent(MAILBOX).len(), 1, "told already");
    assert!(!stage.health().contains("bounces"), "{}", stage.health());
    let strict = || stage.installation.tool(["health", "--strict"]).code;
    assert_eq!(strict(), Some(0), "nothing to do");

    let reply = stage.comes_back(&notice.from, &bounce(&notice.from, MAILBOX));
    assert_eq!(reply.code, 250, "{reply:?}");
    let said = stage.health();
    assert!(said.contains(&format!("mail to {MAILBOX} bounces (5.1.1)")), "{said}");
    let tasks = stage.installation.json(["health"])["tasks"].clone();
    assert_eq!((tasks.as_array().unwrap().len(), &tasks[0]["group"]), (1, &"beta".into()), "{tasks}");
    assert_eq!(strict(), Some(3), "a task of somebody");
    // The case is as it was, and so is the queue.
    assert_eq!(stage.installation.json(["case", "show", &case])["messages"], 2);
    assert_eq!(stage.sent(MAILBOX).len(), 1);

    assert_eq!(stage.mail("third", &known), case);
    let notices = stage.sent(MAILBOX);
    assert_eq!(notices.len(), 2, "the next message makes a new notice");
    assert_ne!(notices[1].from, notice.from);
    // An address that was never a notice's is nobody's.
    let guessed = format!("b-{}@{NAME}", "0".repeat(32));
    assert_eq!(stage.comes_back(&guessed, &bounce(&guessed, MAILBOX)).code, 550);
    stage.installation.audit_is_whole();
    stage.server.stop();
}
