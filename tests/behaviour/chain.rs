//! One mail is one mail along a chain of servers: a Postfix that is not protected against smuggling hands in what it was
//! given, and a Postfix takes on what is relayed. As many mails come out as went in, whatever ends them for somebody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::corpus;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, Market};
use tests::postfix::Postfix;
use tests::smtp::{Smtp, stuffed};
use tests::wait;

const STRANGER: &str = "jo@outside.example";

/// The twelve published forms of an end that is none.
fn published() -> Vec<Vec<u8>> {
    let file = corpus::folder().join("protocol/smtp-end-of-data/sequences.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let forms: Vec<_> =
        file["sequences"].as_array().unwrap().iter().map(|form| unhex(&form["hex"])).collect();
    assert_eq!(forms.len(), 12);
    forms
}

fn unhex(text: &Value) -> Vec<u8> {
    let digits: Vec<char> = text.as_str().unwrap().chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Every string of one to `longest` of the symbols.
fn strings(symbols: &[&[u8]], longest: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut last = vec![Vec::new()];
    for _ in 0..longest {
        let longer = |start: &Vec<u8>| -> Vec<Vec<u8>> {
            symbols.iter().map(|symbol| [start.as_slice(), symbol].concat()).collect()
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Whether a carriage return or a line feed stands alone, or there is a NUL.
fn is_bare(bytes: &[u8]) -> bool {
    let alone = |place: usize| match bytes[place] {
        b'\r' => bytes.get(place + 1) != Some(&b'\n'),
        b'\n' => place == 0 || bytes[place - 1] != b'\r',
        byte => byte == 0,
    };
    (0..bytes.len()).any(alone)
}

fn letter(to: &str, id: &str, text: &[u8]) -> Vec<u8> {
    let mut letter = Letter::new(AMY, to, "One", &format!("{id}@alpha.example"));
    letter.text = "a".to_owned();
    [letter.bytes().as_slice(), text, b"b\r\n"].concat()
}

/// Puts Postfix in front of an installation that takes its network's word.
fn postfix_in_front() -> (Installation, tests::postern::Server, Postfix) {
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let installation = Installation::new(&Settings { market, ..Settings::default() });
    let server = installation.serve();
    let tls = installation.home().join("tls");
    let lines = format!(
        "relayhost = [127.0.0.1]:{}\nsmtp_host_lookup = native\nsmtp_tls_security_level = none\n",
        server.smtp().port()
    );
    let postfix = Postfix::start_as(
        &installation.folder().join("postfix"),
        &[],
        &tls.join("server.pem"),
        &tls.join("server.key"),
        &lines,
    );
    (installation, server, postfix)
}

/// Hands Postfix a mail with `form` in it and a second one behind, as a smuggler does. How many it says it has taken.
fn smuggle(postfix: &Postfix, number: usize, form: &[u8]) -> usize {
    let mut smtp = Smtp::greet(postfix.socket()).unwrap();
    assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    let commands = format!("MAIL FROM:<{AMY}>\r\nRCPT TO:<{MAILBOX}>\r\nDATA\r\n");
    let outer = letter(MAILBOX, &format!("outer-{number}"), b"");
    let inner = letter(MAILBOX, &format!("inner-{number}"), b"");
    let outer = outer.strip_suffix(b"\r\n").unwrap();
    let all = [outer, form, commands.as_bytes(), &inner, b".\r\nQUIT\r\n"].concat();
    smtp.send(&all).unwrap();
    smtp.rest().unwrap().matches(" Ok: queued as ").count()
}

#[test]
fn behind_an_unprotected_postfix_as_many_mails_come_out_as_went_in() {
    let (installation, server, postfix) = postfix_in_front();
    let protection = postfix.tool("postconf", ["-h", "smtpd_forbid_bare_newline"]).text();
    assert_eq!(protection.trim(), "no", "this Postfix is protected, and the test would show nothing");
    let forms = [published(), strings(&[b"\r", b"\n", b".", b"\0", b" ", b"x"], 3)].concat();
    let taken: Vec<_> =
        forms.iter().enumerate().map(|(number, form)| smuggle(&postfix, number, form)).collect();
    assert!(taken.iter().all(|count| (1..=2).contains(count)), "{taken:?}");
    assert!(taken.contains(&2), "Postfix does let mail be smuggled to itself: {taken:?}");
    let all: usize = taken.iter().sum();

    let ended = wait::until("an end of every delivery", || {
        let log = postfix.log();
        let ours = log.lines().filter(|line| line.contains(&format!("to=<{MAILBOX}>")));
        let lines: Vec<_> = ours.filter(|line| line.contains(" status=")).map(str::to_owned).collect();
        Some(lines).filter(|lines| lines.len() >= all)
    });
    assert_eq!(ended.len(), all);
    let sent = ended.iter().filter(|line| line.contains(" status=sent ")).count();
    let refused = ended.iter().filter(|line| line.contains(" status=bounced ")).count();
    assert_eq!(sent + refused, all, "{:?}", ended.last());
    let words = ended.iter().filter_map(|line| line.split_once("secured as case "));
    let cases: BTreeSet<_> = words.filter_map(|(_, rest)| rest.get(..8)).collect();
    assert_eq!(cases.len(), sent, "mails in cases, and mails that Postfix was told of");
    assert_eq!(installation.cases().len(), sent, "and no others");
    for case in cases {
        let originals = installation.originals(case);
        assert_eq!(originals.len(), 1, "{case}");
        assert!(!is_bare(&originals[0]), "{:?}", String::from_utf8_lossy(&originals[0]));
    }
    // Postfix mends line ends and passes a NUL on.
    let with_nul = forms.iter().filter(|form| form.contains(&0)).count();
    assert_eq!(refused, with_nul, "{sent} taken");
    server.stop();
}

#[test]
fn what_is_relayed_to_postfix_arrives_as_it_was_sent() {
    let keys = Installation::new(&Settings::default());
    let tls = keys.home().join("tls");
    let postfix =
        Postfix::start(keys.folder(), &[AMY, STRANGER], &tls.join("server.pem"), &tls.join("server.key"));
    let installation = keys.reconfigured(&Settings {
        smarthost: postfix.address(),
        smarthost_tls: "require",
        sections: "[relay]\nenabled = true\n",
        ..Settings::default()
    });
    let password = installation.password(AMY);
    let server = installation.serve();
    let open = || Smtp::login(server.submission(), AMY, &password).unwrap();
    let good = strings(&[b"\r\n", b".", b" ", b"x"], 3);
    let hostile = [published(), strings(&[b"\r", b"\n", b".", b"\0", b" ", b"x"], 3)].concat();
    let mut sent = BTreeMap::new();
    let mut smtp = open();
    for (number, text) in good.iter().chain(&hostile).enumerate() {
        // By DATA, and by BDAT cut in the middle of the string.
        for way in ["data", "bdat"] {
            let id = format!("{way}-{number}");
            let mail = letter(STRANGER, &id, text);
            let middle = mail.len() - 3 - text.len() / 2;
            let reply = match way {
                "data" => smtp.deliver(AMY, &[STRANGER], &mail),
                _ => smtp.deliver_chunks(AMY, &[STRANGER], &mail, &[middle]),
            };
            match (is_bare(text), reply) {
                (true, reply) => {
                    assert!(!reply.is_ok_and(|reply| reply.code < 400), "{way}: {text:?} was taken");
                    smtp = open();
                }
                (false, reply) => {
                    let reply = reply.unwrap();
                    assert!(reply.is("250 2.0.0 taken"), "{way}: {text:?}: {reply:?}");
                    sent.insert(id, mail);
                }
            }
        }
    }
    wait::until_true("an empty queue", || installation.json(["queue", "list"]) == serde_json::json!([]));
    let arrived = postfix.arrived(STRANGER, sent.len());
    assert_eq!(arrived.len(), sent.len(), "mails out, mails in");
    for mail in arrived {
        // Postfix keeps lines, not line ends.
        let mail = String::from_utf8(mail).unwrap().replace('\n', "\r\n");
        let start = mail.find("\r\nFrom: ").unwrap() + 2;
        let id = mail[start..].split("Message-ID: <").nth(1).and_then(|rest| rest.split('@').next()).unwrap();
        let was = sent.remove(id).unwrap_or_else(|| panic!("{id} came twice, or was never sent"));
        assert_eq!(&mail.as_bytes()[start..], was, "{id}");
        assert_eq!(mail[..start].matches("Received: ").count(), 2, "ours and that of Postfix: {mail}");
    }
    assert!(postfix.mails(AMY).is_empty(), "nothing came back");
    server.stop();
}

/// The harness sends what it is told: an end that is none stays in the mail.
#[test]
fn forms_are_sent_as_they_are() {
    for form in published() {
        let mail = letter(MAILBOX, "form", &form);
        let wire = stuffed(&mail);
        assert!(wire.ends_with(b"\r\n.\r\n") && is_bare(&wire), "{form:?}");
    }
    assert!(!is_bare(b"a\r\n.\r\n") && is_bare(b"a\n") && is_bare(b"a\r") && is_bare(b"a\0"));
    assert_eq!(strings(&[b"x", b"y"], 3).len(), 14);
}
