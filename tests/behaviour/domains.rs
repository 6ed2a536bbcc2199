//! A company proved by nothing but its domain's DKIM signature, over TLS: dkimpy signs, dnsmasq answers. What does not
//! prove it is refused, and what cannot be told now is asked for again.

use std::net::SocketAddr;

use tests::dkim::{Age, KeyPair, Sent, Signature, send};
use tests::dns::{NameServer, silent};
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, MAILBOX};
use tests::postern::Server;
use tests::smtp::Smtp;

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) installation: Installation,
    pub(crate) alpha: KeyPair,
    stranger: KeyPair,
    _names: NameServer,
}

impl Stage {
    /// Alpha, Beta and a stranger publish keys; Alpha publishes what else there is for mail.
    pub(crate) fn set() -> Self {
        let installation = Installation::new(&Settings::default());
        installation.import(
            "[[mailbox]]\naddress = \"et@gamma.example\"\ngroup = \"gamma\"\nparticipant = \"GAMM\"\n\
             process = \"erroneous-transfers\"\ncontact_type = \"initial-request\"\n",
        );
        let folder = installation.folder();
        let (alpha, stranger) = (KeyPair::make(folder, "alpha"), KeyPair::make(folder, "stranger"));
        let record = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let names = NameServer::start(
            folder,
            &[
                record("post._domainkey.alpha.example", &alpha.record),
                record("post._domainkey.stranger.example", &stranger.record),
                record("alpha.example", "v=spf1 ip4:127.0.0.1 -all"),
                record("_dmarc.alpha.example", "v=DMARC1; p=reject"),
            ],
        );
        Self { server: asking(&installation, names.address), installation, alpha, stranger, _names: names }
    }

    pub(crate) fn send(&self, mails: &[Sent<'_>]) -> Vec<tests::smtp::Reply> {
        send(self.server.smtp(), &self.installation.ca(), mails)
    }
}

/// A server that asks this name server.
fn asking(installation: &Installation, names: SocketAddr) -> Server {
    installation.configure(&format!("[dns]\nservers = [\"{names}\"]\ntimeout = \"1 s\"\n"));
    installation.serve()
}

fn letter(id: &str) -> Letter {
    Letter::new("Amy Archer <amy@alpha.example>", MAILBOX, "A transfer", &format!("{id}@alpha.example"))
}

fn sent<'a>(id: &str, signature: Option<Signature<'a>>) -> Sent<'a> {
    Sent { from: AMY, to: MAILBOX, mail: letter(id).bytes(), signature }
}

#[test]
fn a_signature_of_the_authors_domain_proves_the_company() {
    let stage = Stage::set();
    let by_alpha = || Some(Signature::of(&stage.alpha, "alpha.example"));
    let replies = stage.send(&[sent("signed", by_alpha()), sent("signed", by_alpha())]);
    let case = replies[0].reference();
    assert_eq!(replies[1].reference(), case, "a second delivery is the first one");
    let shown = stage.installation.json(["case", "show", &case]);
    let item = &shown["items"][0];
    assert_eq!((&item["from"], &item["proof"]), (&"alpha".into(), &"domain alpha.example".into()));
    for (check, result) in [("spf", "pass"), ("dkim", "pass"), ("dmarc", "pass"), ("arc", "none")] {
        assert_eq!(item["authentication"][check], result, "{check} in {item}");
    }
    assert_eq!(item["authentication"]["recipient"], "named", "{item}");
    let original = stage.installation.originals(&case).remove(0);
    assert!(original.starts_with(b"DKIM-Signature:") && original.ends_with(&letter("signed").bytes()));

    // The same mail, handed in for somebody whom it does not name, is good, and says so.
    let handed_on = stage.send(&[Sent { to: "et@gamma.example", ..sent("signed", by_alpha()) }]).remove(0);
    let shown = stage.installation.json(["case", "show", &handed_on.reference()]);
    assert_eq!(shown["items"][0]["authentication"]["recipient"], "unnamed", "{shown}");

    // What a domain proves is who wrote it: such mail goes on to nobody.
    let to = |to| Sent { to, ..sent("onward", by_alpha()) };
    for reply in stage.send(&[to("nobody@beta.example"), to("who@outside.example"), to("ann@alpha.example")])
    {
        assert_eq!(reply.code, 550, "{reply:?}");
    }
    stage.installation.audit_is_whole();
    stage.server.stop();
}

#[test]
fn whatever_else_stands_there_proves_nothing() {
    let stage = Stage::set();
    let alpha = || Signature::of(&stage.alpha, "alpha.example");
    let stranger = |domain| Some(Signature::of(&stage.stranger, domain));
    let two = |first: &str, second: &str| {
        let mut letter = letter("two");
        letter.from = format!("{first}\r\nFrom: {second}");
        letter.bytes()
    };
    let twice: &[&str] = &["from", "from", "subject", "to", "date", "message-id"];
    let over_both = || Some(Signature { fields: twice, ..alpha() });
    let cases = [
        ("unsigned", sent("unsigned", None)),
        ("another key", sent("wrong-key", stranger("alpha.example"))),
        ("another domain", sent("foreign", stranger("stranger.example"))),
        ("no key published", sent("no-key", Some(Signature::of(&stage.alpha, "beta.example")))),
        ("expired", sent("expired", Some(Signature { age: Age::Expired, ..alpha() }))),
        ("signed long ago", sent("stale", Some(Signature { age: Age::Stale, ..alpha() }))),
        (
            "without the date",
            sent("date", Some(Signature { fields: &["from", "subject", "message-id"], ..alpha() })),
        ),
        (
            "without the name",
            sent("name", Some(Signature { fields: &["from", "subject", "date"], ..alpha() })),
        ),
        ("of a part of the body", sent("length", Some(Signature { length: true, ..alpha() }))),
        ("without the subject", sent("subject", Some(Signature { fields: &["from", "date"], ..alpha() }))),
        ("two From", Sent { mail: two(AMY, BEN), ..sent("two", over_both()) }),
        ("two From, the other first", Sent { mail: two(BEN, AMY), ..sent("two", over_both()) }),
        ("the same From twice", Sent { mail: two(AMY, AMY), ..sent("two", over_both()) }),
        (
            "two authors",
            Sent {
                mail: {
                    let mut letter = letter("authors");
                    letter.from = format!("{AMY}, {BEN}");
                    letter.bytes()
                },
                ..sent("authors", Some(alpha()))
            },
        ),
        (
            "another company's author",
            Sent {
                mail: Letter::new(BEN, MAILBOX, "A transfer", "ben@beta.example").bytes(),
                ..sent("ben", Some(alpha()))
            },
        ),
    ];
    let (names, mails): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let before = stage.installation.audit_is_whole();
    for (name, reply) in names.iter().zip(stage.send(&mails)) {
        assert!(reply.is("550 5.7.1 "), "{name}: {reply:?}");
    }
    assert!(stage.installation.cases().is_empty());
    assert_eq!(stage.installation.audit_is_whole(), before, "strangers write nothing into the trail");

    let replies = stage.send(&[Sent { from: "who@outside.example", ..sent("unknown", Some(alpha())) }]);
    assert_eq!(replies[0].code, 550, "a reverse-path of nobody: {:?}", replies[0]);
    stage.server.stop();
}

#[test]
fn without_tls_it_is_refused_at_mail() {
    let stage = Stage::set();
    let mut smtp = Smtp::greet(stage.server.smtp()).unwrap();
    let reply = smtp.command(&format!("MAIL FROM:<{AMY}>")).unwrap();
    assert!(reply.is("550 5.7.1 "), "{reply:?}");
    stage.server.stop();
}

#[test]
fn name_servers_that_say_nothing_are_no_refusal_for_good() {
    let installation = Installation::new(&Settings::default());
    let alpha = KeyPair::make(installation.folder(), "alpha");
    let (address, _socket) = silent();
    let server = asking(&installation, address);
    let signature = Signature::of(&alpha, "alpha.example");
    let reply = send(server.smtp(), &installation.ca(), &[sent("later", Some(signature))]).remove(0);
    assert_eq!(reply.code, 451, "{reply:?}");
    assert!(installation.cases().is_empty());
    // Who is proved otherwise does not wait for them.
    let mut smtp = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    assert_eq!(smtp.deliver(AMY, &[MAILBOX], &letter("now").bytes()).unwrap().references().len(), 1);
    server.stop();
}
