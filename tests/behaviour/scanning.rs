//! The virus scanner: a real ClamAV beside the gateway. What it finds is held and told without content; while it is
//! away, nothing is called clean.

use std::os::unix::net::UnixListener;

use tests::clamd::{Clamd, test_string, zipped};
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter, Read};
use tests::market::{AMY, BEN, MAILBOX, Market};
use tests::postern::Server;
use tests::sink::{Sink, Taken};
use tests::smtp::{Reply, Smtp};
use tests::wait;

/// Alpha's compliance officer.
const CLEO: &str = "cleo@alpha.example";

struct Stage {
    server: Server,
    sink: Sink,
    installation: Installation,
}

impl Stage {
    /// The installation asks a scanner for which there is a place, and perhaps nobody there.
    fn set(timeout: &str) -> Self {
        let sink = Sink::start();
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let smarthost = sink.address.to_string();
        let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
        installation.import(&format!(
            "[[user]]\nemail = \"{CLEO}\"\ngroup = \"alpha\"\nname = \"Cleo Carter\"\nrole = \"compliance\"\n"
        ));
        let socket = Clamd::socket(installation.folder());
        installation.configure(&format!(
            "[scanner]\nclamd = \"unix:{}\"\ntimeout = \"{timeout}\"\n",
            socket.display()
        ));
        Self { server: installation.serve(), sink, installation }
    }

    fn deliver(&self, letter: &Letter) -> Reply {
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        smtp.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap()
    }

    /// What the case says about the scan of its only mail, in the tool and on the page.
    fn scan(&self, reference: &str) -> (String, String) {
        let shown = self.installation.json(["case", "show", reference]);
        let said = shown["items"][0]["scan"].as_str().expect("a word").to_owned();
        let password = self.installation.password(BEN);
        let mut reader = Visitor::signed_in(self.server.portal(), BEN, &password);
        let links = reader.get("/process/erroneous-transfers").links("/case/");
        let mut pages = links.iter().map(|link| reader.get(link).text());
        (said, pages.find(|page| page.contains(reference)).expect("a page of the case"))
    }

    /// Both sides have been told, once for each mail.
    fn told(&self, mails: usize) -> Vec<Taken> {
        wait::until_true("an empty queue", || {
            self.installation.json(["queue", "list"]).as_array().unwrap().is_empty()
        });
        let told = self.sink.mails();
        for side in [AMY, MAILBOX] {
            let count = told.iter().filter(|mail| mail.to == [side]).count();
            assert_eq!(count, mails, "mails to {side}");
        }
        assert_eq!(told.len(), 2 * mails, "{told:?}");
        told
    }
}

fn letter(id: &str) -> Letter {
    Letter::new(AMY, MAILBOX, "Mrs Quibble of Acacia Avenue", &format!("{id}@alpha.example"))
}

fn attached(id: &str, name: &str, bytes: Vec<u8>) -> Letter {
    let attachment = Some(Attachment { name: name.to_owned(), bytes });
    Letter { attachment, ..letter(id) }
}

/// The test string in every dress that a scanner sees through.
fn infected() -> Vec<Letter> {
    let virus = test_string();
    let plain = String::from_utf8(virus.clone()).expect("the test string is text");
    let archive = zipped("inner.com", &virus);
    vec![
        Letter { text: format!("{plain}\r\n"), ..letter("plain") },
        attached("attached", "readings.com", virus),
        attached("in-zip", "readings.zip", archive.clone()),
        attached("in-zip-in-zip", "more.zip", zipped("readings.zip", &archive)),
    ]
}

#[test]
fn what_the_scanner_finds_is_held_and_both_sides_are_told() {
    let stage = Stage::set("60 s");
    let clamd = Clamd::start(stage.installation.folder());
    let letters = infected();
    for letter in &letters {
        let reply = stage.deliver(letter);
        assert!(reply.code == 250 && reply.text.contains("held"), "{}: {reply:?}", letter.id);
        let again = stage.deliver(letter);
        assert_eq!(again, reply, "a second delivery is the first one");
    }
    assert!(stage.installation.cases().is_empty(), "no case");

    for mail in stage.told(letters.len()) {
        let seen = format!("{}{:?}", String::from_utf8_lossy(&mail.bytes), Read::parse(&mail.bytes));
        for word in ["Quibble", "Acacia", "EICAR", "readings", "Please look", "Test.String"] {
            assert!(!seen.contains(word), "{word} in {seen}");
        }
    }
    let password = stage.installation.password(CLEO);
    let mut cleo = Visitor::signed_in(stage.server.portal(), CLEO, &password);
    let held = cleo.get("/held").links("/held/");
    assert_eq!(held.len(), letters.len(), "held mail of Alpha");
    // What was found is not handed on by the page that tells of it.
    assert_eq!(cleo.get(&format!("{}/original", held[0])).status, 404);
    let mut ben = Visitor::signed_in(stage.server.portal(), BEN, &stage.installation.password(BEN));
    for link in ["/held", held[0].as_str()] {
        assert!([403, 404].contains(&ben.get(link).status), "{link} for somebody else");
    }
    stage.installation.audit_is_whole();
    clamd.stop();
    stage.server.stop();
}

#[test]
fn clean_is_the_scanners_own_word_only() {
    let stage = Stage::set("60 s");
    let unchecked = |id: &str| {
        let case = stage.deliver(&letter(id)).reference();
        let (said, page) = stage.scan(&case);
        assert_eq!(said, "not-checked");
        assert!(page.contains("Not checked for viruses") && !page.contains("No virus found"), "{page}");
    };
    let clean = |letter: &Letter| {
        let case = stage.deliver(letter).reference();
        let (said, page) = stage.scan(&case);
        assert_eq!(said, "clean");
        assert!(page.contains("No virus found") && !page.contains("Not checked"), "{page}");
    };
    unchecked("before");
    let clamd = Clamd::start(stage.installation.folder());
    clean(&letter("clean"));
    clean(&attached("clean-zip", "readings.zip", zipped("readings.csv", b"1,2,3")));
    clamd.stop();
    unchecked("away");
    // Not even what it would have found.
    assert_eq!(stage.deliver(&infected()[1]).references().len(), 1);
    let clamd = Clamd::start(stage.installation.folder());
    clean(&letter("back"));
    clamd.stop();
    stage.server.stop();
}

#[test]
fn a_scanner_that_hangs_delays_a_mail_and_makes_nothing_clean() {
    let stage = Stage::set("1 s");
    let socket = Clamd::socket(stage.installation.folder());
    std::fs::create_dir_all(socket.parent().expect("a folder")).unwrap();
    // Connections are made, and nobody ever answers.
    let _silent = UnixListener::bind(&socket).unwrap();
    let case = stage.deliver(&letter("hangs")).reference();
    assert_eq!(stage.scan(&case).0, "not-checked");
    stage.server.stop();
}
