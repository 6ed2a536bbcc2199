//! Every bounce and automatic answer of the open corpus, at a mapped mailbox, at a reply address and at the keyed
//! envelope sender of a notice: nobody is told of it, and no clock stops.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;
use tests::corpus::{Message, messages};
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::{Sink, Taken};
use tests::smtp::{Reply, Smtp};
use tests::wait;

use crate::loops::RECEIPTS;

/// Mails in the folder of bounces that people wrote: ordinary ones, and bounces passed on with a word before them.
const OF_PEOPLE: [&str; 4] = ["lhost-sendmail-14", "make-test-36", "is-not-bounce-01", "is-not-bounce-02"];

/// The corpus's mails of machines, each with an author of Alpha and line ends that a client can send.
fn of_machines() -> Vec<Message> {
    let machine = |message: &Message| {
        let name = message.name.as_str();
        let bounces =
            name.starts_with("mail/sisimai/") && !OF_PEOPLE.iter().any(|person| name.contains(person));
        // The others of this folder are there because they look like bounces and are not, or the reverse.
        let rules = name.starts_with("mail/spamassassin-rules/BOUNCE_MESSAGE__") && !name.contains("__fp");
        bounces || rules || name.starts_with("mail/spamassassin-rules/VBOUNCE_MESSAGE__")
    };
    let ours = |message: Message| Message { bytes: under_alpha(&message.bytes), ..message };
    messages().into_iter().filter(machine).map(ours).collect()
}

/// The mail with the author's domain exchanged: the company is proved, so that what is decided is decided by the
/// mail's kind. Name and local part stay, which say much about a machine.
fn under_alpha(mail: &[u8]) -> Vec<u8> {
    let mail = with_line_ends(mail);
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n").map_or(mail.len(), |place| place + 2);
    let (head, body) = mail.split_at(end);
    let (mut out, mut from) = (Vec::new(), None);
    let mut in_from = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        in_from = if folded { in_from } else { line.to_ascii_lowercase().starts_with(b"from:") };
        match in_from {
            true if folded => {}
            true => from = from.or_else(|| Some(String::from_utf8_lossy(&line[5..]).trim().to_owned())),
            false => out.extend_from_slice(line),
        }
    }
    let from = from.unwrap_or_default();
    let sign = |sign: char| sign.is_ascii_alphanumeric() || ".-_+=".contains(sign);
    let local =
        from.split('@').next().unwrap_or_default().rsplit(|one| !sign(one)).next().unwrap_or_default();
    let local = if local.is_empty() { "MAILER-DAEMON" } else { local };
    let name: String =
        from.split('<').next().unwrap_or_default().chars().filter(|one| sign(*one) || *one == ' ').collect();
    let name = if from.contains('<') { name } else { String::new() };
    let ours = format!("From: \"{}\" <{local}@alpha.example>\r\n", name.trim());
    [ours.as_bytes(), &out, body].concat()
}

/// CRLF for every line end of whatever system, and no NUL.
fn with_line_ends(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len());
    for (index, byte) in mail.iter().enumerate() {
        match byte {
            0 => {}
            b'\n' if index > 0 && mail[index - 1] == b'\r' => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(*other),
        }
    }
    out
}

/// Sends each mail to one address; the answers in their order.
fn send(server: SocketAddr, from: &str, to: &str, mails: &[&Message]) -> Vec<Reply> {
    let mut connection = None;
    let mut answers = Vec::new();
    for mail in mails {
        let mut smtp = connection.take().unwrap_or_else(|| Smtp::greet(server).unwrap());
        let answer = smtp.deliver(from, &[to], &mail.bytes);
        let answer = answer.unwrap_or_else(|error| panic!("{}: no answer: {error}", mail.name));
        // A peer with many refusals is sent away.
        connection = Some(smtp).filter(|_| answer.code == 250);
        answers.push(answer);
    }
    answers
}

fn jobs(installation: &Installation) -> Vec<Value> {
    installation.json(["queue", "list"]).as_array().unwrap().clone()
}

/// A person's case, with the notice to Beta and the receipt to Alpha that it made.
fn case_of_a_person(installation: &Installation, server: SocketAddr, sink: &Sink) -> (String, Taken, Taken) {
    let mail = Letter::new(AMY, MAILBOX, "A transfer", "person@alpha.example").bytes();
    let case = Smtp::greet(server).unwrap().deliver(AMY, &[MAILBOX], &mail).unwrap().reference();
    wait::until_true("notice and receipt", || jobs(installation).is_empty());
    let to = |address: &str| sink.mails().into_iter().find(|mail| mail.to == [address]).expect("a mail");
    (case, to(MAILBOX), to(AMY))
}

#[test]
fn tell_nobody_wherever_they_arrive() {
    let machines = of_machines();
    assert!(machines.len() > 790, "{} mails of machines", machines.len());
    let sink = Sink::start();
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let waiting = Settings { market, level: "warn", ..Settings::default() };
    let sending = Settings { smarthost: sink.address.to_string(), ..waiting.clone() };
    let installation = Installation::new(&sending);
    installation.import(RECEIPTS);
    let server = installation.serve();
    let (case, notice, receipt) = case_of_a_person(&installation, server.smtp(), &sink);
    server.stop();
    // From here on, whatever would leave waits where it can be counted.
    let installation = installation.reconfigured(&waiting);
    let server = installation.serve();
    let due = installation.json(["case", "show", &case])["due"].clone();
    let all: Vec<_> = machines.iter().collect();

    at_a_mailbox(&installation, &server, &all);
    let before = jobs(&installation).len();
    let items = at_a_reply_address(&installation, &server, &all, &case, &receipt);
    assert_eq!(installation.json(["case", "show", &case])["due"], due, "the clock is as it was");

    let sample: Vec<_> = machines.iter().step_by(8).collect();
    let answers = send(server.smtp(), "", &notice.from, &sample);
    let noted = answers.iter().filter(|answer| answer.code == 250).count();
    println!("envelope sender: {noted} of {} noted", sample.len());
    assert!(noted * 100 >= 99 * sample.len());
    assert_eq!(installation.json(["case", "show", &case])["items"].as_array().unwrap().len(), items);
    assert_eq!(jobs(&installation).len(), before, "told already, and no machine makes a mail");
    let tasks = installation.json(["health"])["tasks"].clone();
    assert_eq!(tasks.as_array().unwrap().len(), 1, "one task for them all: {tasks}");
    installation.audit_is_whole();
    server.stop();
}

/// Every one opens a case, and at most one in a hundred makes a mail.
fn at_a_mailbox(installation: &Installation, server: &Server, machines: &[&Message]) {
    let answers = send(server.smtp(), AMY, MAILBOX, machines);
    let opened: BTreeSet<_> =
        answers.iter().filter(|answer| answer.code == 250).flat_map(Reply::references).collect();
    let refused: Vec<_> = machines.iter().zip(&answers).filter(|(_, answer)| answer.code != 250).collect();
    let told: BTreeSet<_> =
        jobs(installation).iter().map(|job| job["case"].as_str().unwrap().to_owned()).collect();
    let loud: Vec<_> = machines
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.code == 250 && told.contains(&answer.reference()))
        .map(|(mail, _)| mail.name.as_str())
        .collect();
    println!(
        "mailbox: {} mails of machines, {} cases, {} refused, {} told of: {loud:?}",
        machines.len(),
        opened.len(),
        refused.len(),
        told.len()
    );
    let names: Vec<_> = refused.iter().map(|(mail, answer)| (&mail.name, &answer.text)).collect();
    assert!(refused.len() * 50 < machines.len(), "most arrive: {names:?}");
    assert!(told.len() * 100 <= opened.len(), "at most 1 % make a notice");
}

/// Every one joins the case, and at most one in a hundred as a person's. How many items the case has then.
fn at_a_reply_address(
    installation: &Installation,
    server: &Server,
    machines: &[&Message],
    case: &str,
    receipt: &Taken,
) -> usize {
    let reply_to = receipt.header("Reply-To").unwrap();
    let reply_to = reply_to.rsplit('<').next().unwrap().trim_end_matches('>');
    let answers = send(server.smtp(), AMY, reply_to, machines);
    let taken = answers.iter().filter(|answer| answer.code == 250).count();
    let shown = installation.json(["case", "show", case]);
    let items = shown["items"].as_array().unwrap();
    let human = items.iter().filter(|item| item["automatic"] == false).count() - 1;
    println!("reply address: {taken} taken, {} items, {human} as a person's", items.len());
    assert!(items.len() > 400 && human * 100 <= items.len());
    items.len()
}
