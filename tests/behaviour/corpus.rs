//! Every real and hostile message of the open corpus goes in through the SMTP port, as a company whose directory knows
//! its authors' domains, and comes back byte for byte, or is refused for a reason that can be told beforehand.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::corpus::{Message, messages};
use tests::installation::{Installation, Settings};
use tests::letter::assert_same;
use tests::market::{AMY, Market};

use tests::smtp::{Reply, Smtp};

/// How many connections send at the same time.
const SENDERS: usize = 3;

/// What the corpus tells about a message before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Expected {
    /// A carriage return alone or NUL: refused, and the connection closed.
    Closed,
    /// One author, of a domain that the directory knows.
    Taken,
    /// No author, or more than one, or one whose domain nobody could register.
    Refused,
    /// The referees do not agree on the author: taken or refused, nothing else.
    Open,
}

/// Where we read a header otherwise than the referees do, and mean to.
const OUR_OWN_READING: [&str; 3] = [
    // Blanks stand before the colons, the obsolete form (RFC 5322 §4.5.2): they are fields, and so is `From`.
    "mail/mail-gem/rfc2822__example13.eml#0",
    // A byte order mark stands before `From`: the field is read as what it was meant to be.
    "mail/mimekit/messages__feedback-report.txt.eml#0",
    // Lines that are no fields stand in the header, above `From`: the header ends with the first of them.
    "mail/php-mime-mail-parser/issue84.eml#0",
];

fn expected(message: &Message) -> Expected {
    if message.is_unsendable() {
        return Expected::Closed;
    }
    if OUR_OWN_READING.contains(&message.name.as_str()) {
        return Expected::Open;
    }
    match message.authors.as_deref() {
        None => Expected::Open,
        Some([author]) => match author.rsplit_once('@') {
            Some((local, domain)) if is_domain(domain) && is_local(local) => Expected::Taken,
            _ => Expected::Refused,
        },
        Some(_) => Expected::Refused,
    }
}

/// A domain as the directory takes it (RFC 1123 §2.1), with at least two labels.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// A dot-string (RFC 5321 §4.1.2) of its allowed length.
fn is_local(text: &str) -> bool {
    let atom = |atom: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !atom.is_empty() && atom.bytes().all(plain)
    };
    text.len() <= 64 && text.split('.').all(atom)
}

/// Every domain that stands in a `From` field, whatever a parser makes of the field.
fn domains(messages: &[Message]) -> Vec<String> {
    let mut domains = BTreeSet::new();
    for message in messages {
        let head = &message.bytes[..message.bytes.len() - message.body().len()];
        let head = String::from_utf8_lossy(head).to_lowercase().replace("\r\n ", " ").replace("\r\n\t", " ");
        for from in head.lines().filter(|line| line.starts_with("from")) {
            for behind in from.split('@').skip(1) {
                let domain =
                    behind.split(|sign: char| !sign.is_ascii_alphanumeric() && !"-.".contains(sign)).next();
                domains.extend(domain.filter(|domain| is_domain(domain)).map(str::to_owned));
            }
        }
        let authors = message.authors.iter().flatten().filter_map(|author| author.rsplit_once('@'));
        domains.extend(authors.map(|(_, domain)| domain.to_lowercase()).filter(|domain| is_domain(domain)));
    }
    for own in ["alpha.example", "beta.example", "gamma.example"] {
        domains.remove(own);
    }
    domains.into_iter().collect()
}

/// Messages without an author again, with one on top: the rest of them is as hostile as that of the others.
fn under_an_author_of_ours(messages: &[Message]) -> Vec<Message> {
    let nobodys = messages.iter().filter(|message| message.authors.as_ref().is_some_and(Vec::is_empty));
    nobodys
        .filter(|message| !message.is_unsendable())
        .map(|message| Message {
            name: format!("{} under {AMY}", message.name),
            bytes: [format!("From: {AMY}\r\n").as_bytes(), &message.bytes].concat(),
            authors: None,
        })
        .collect()
}

/// Two deliveries of the same mail are one case, so the nth message with the same body goes to the nth mailbox.
fn mailboxes(messages: &[Message]) -> Vec<usize> {
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    messages
        .iter()
        .map(|message| {
            let number = seen
                .entry(message.sent()[message.bytes.len() - message.body().len()..].to_vec())
                .or_default();
            *number += 1;
            *number
        })
        .collect()
}

#[test]
fn every_message_comes_back_byte_for_byte_or_is_refused_with_reason() {
    let mut messages = messages();
    assert_eq!(messages.len(), 2673, "messages in the corpus");
    messages.extend(under_an_author_of_ours(&messages));
    let mailboxes = mailboxes(&messages);
    let market = Market {
        alpha_domains: domains(&messages),
        alpha_networks: vec!["127.0.0.1/32".to_owned()],
        further_mailboxes: *mailboxes.iter().max().unwrap(),
        ..Market::default()
    };
    println!("{} domains, {} mailboxes", market.alpha_domains.len(), market.further_mailboxes);
    let installation = Installation::new(&Settings { market, level: "warn", ..Settings::default() });
    let server = installation.serve();
    let address = server.smtp();

    let answers: Vec<Mutex<Option<Reply>>> = messages.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let mut connection = None;
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(message) = messages.get(index) else { break };
                    let to = format!("et-{}@beta.example", mailboxes[index]);
                    let answer = send(address, &mut connection, message, &to);
                    *answers[index].lock().unwrap() = Some(answer);
                }
            });
        }
    });

    let answers: Vec<_> = answers.into_iter().map(|answer| answer.into_inner().unwrap().unwrap()).collect();
    let mut wrong = Vec::new();
    let mut counts: HashMap<(Expected, u16), usize> = HashMap::new();
    for (message, answer) in messages.iter().zip(&answers) {
        let expected = expected(message);
        *counts.entry((expected, answer.code)).or_default() += 1;
        let taken = answer.is("250 2.0.0 secured as case ");
        let refused = answer.is("550 5.7.1 ");
        let good = match expected {
            Expected::Closed => answer.code >= 500 && !refused,
            Expected::Taken => taken,
            Expected::Refused => refused,
            Expected::Open => taken || refused,
        };
        if !good {
            wrong.push(format!(
                "{}: {expected:?}, authors {:?}, answer {answer:?}",
                message.name, message.authors
            ));
        }
    }
    let mut counts: Vec<_> =
        counts.iter().map(|((expected, code), count)| format!("{expected:?} {code}: {count}")).collect();
    counts.sort();
    println!("{}", counts.join("\n"));
    assert!(wrong.is_empty(), "{} answers are not as expected:\n{}", wrong.len(), wrong.join("\n"));
    come_back(&installation, &messages, &answers);
    installation.audit_is_whole();
    server.stop();
}

/// Sends over the connection that is open, or a new one.
fn send(server: SocketAddr, connection: &mut Option<Smtp>, message: &Message, to: &str) -> Reply {
    let mut smtp = connection.take().unwrap_or_else(|| Smtp::greet(server).unwrap());
    let answer = smtp.deliver(AMY, &[to], &message.bytes);
    let answer = answer.unwrap_or_else(|error| panic!("{}: no answer: {error}", message.name));
    match message.is_unsendable() {
        true => assert_eq!(smtp.rest().unwrap(), "", "{}: one answer and the end", message.name),
        // A peer with many refusals is sent away, so each refusal is the last on its connection.
        false => *connection = Some(smtp).filter(|_| answer.code == 250),
    }
    answer
}

/// Every message that was taken is in the case of its answer.
fn come_back(installation: &Installation, messages: &[Message], answers: &[Reply]) {
    let mut cases: HashMap<String, Vec<&Message>> = HashMap::new();
    for (message, answer) in messages.iter().zip(answers).filter(|(_, answer)| answer.code == 250) {
        cases.entry(answer.reference()).or_default().push(message);
    }
    let cases: Vec<_> = cases.into_iter().collect();
    let taken: usize = cases.iter().map(|(_, messages)| messages.len()).sum();
    println!("{taken} taken into {} cases", cases.len());
    thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(4)) {
            scope.spawn(move || {
                for (case, messages) in part {
                    let mut originals = installation.originals(case);
                    assert_eq!(originals.len(), messages.len(), "{case}: {:?}", names(messages));
                    for message in messages {
                        let sent = message.sent();
                        let place = originals.iter().position(|original| *original == sent).unwrap_or(0);
                        assert_same(&originals.swap_remove(place), &sent, &message.name);
                    }
                }
            });
        }
    });
}

fn names<'m>(messages: &[&'m Message]) -> Vec<&'m str> {
    messages.iter().map(|message| message.name.as_str()).collect()
}
