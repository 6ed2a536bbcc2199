//! The virus scanner: a real ClamAV beside the gateway. What it finds is held and told without content; while it is
//! away, nothing is called clean.

use std::os::unix::net::UnixListener;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::clamd::{Clamd, test_string, zipped};
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter, Read};
use tests::market::{AMY, BEN, MAILBOX, Market};
use tests::postern::Server;
use tests::process::{program, run, run_with};
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
        Self::with(timeout, "")
    }

    /// The same with further words about the scanner.
    fn with(timeout: &str, more: &str) -> Self {
        let sink = Sink::start();
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let smarthost = sink.address.to_string();
        let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
        installation.import(&format!(
            "[[user]]\nemail = \"{CLEO}\"\ngroup = \"alpha\"\nname = \"Cleo Carter\"\nrole = \"compliance\"\n"
        ));
        let socket = Clamd::socket(installation.folder());
        installation.configure(&format!(
            "[scanner]\nclamd = \"unix:{}\"\ntimeout = \"{timeout}\"\n{more}",
            socket.display()
        ));
        Self { server: installation.serve(), sink, installation }
    }

    fn deliver(&self, letter: &Letter) -> Reply {
        self.deliver_bytes(&letter.bytes())
    }

    fn deliver_bytes(&self, mail: &[u8]) -> Reply {
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        smtp.deliver(AMY, &[MAILBOX], mail).unwrap()
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

/// A `winmail.dat` ([MS-OXTNEF] §2.1.3) with one file in it.
fn winmail(name: &str, file: &[u8]) -> Vec<u8> {
    let mut tnef = 0x223e_9f78_u32.to_le_bytes().to_vec();
    tnef.extend(1_u16.to_le_bytes());
    let title = format!("{name}\0");
    for (id, data) in [(0x0006_9002_u32, &[0; 14][..]), (0x0001_8010, title.as_bytes()), (0x0006_800f, file)]
    {
        tnef.push(2);
        tnef.extend(id.to_le_bytes());
        tnef.extend((data.len() as u32).to_le_bytes());
        tnef.extend(data);
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        tnef.extend(sum.to_le_bytes());
    }
    tnef
}

/// A mail that is one opaque-signed part (RFC 8551 §3.5.2), with the test string attached inside of it.
fn signed_opaque(folder: &Path, letter: &Letter) -> Vec<u8> {
    let [key, certificate] = ["signer.key", "signer.pem"].map(|name| folder.join(name));
    let mut request = program("openssl");
    request.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Amy", "-days", "2"]);
    run(request.arg("-keyout").arg(&key).arg("-out").arg(&certificate)).good("openssl req");
    let mail = String::from_utf8(letter.bytes()).unwrap();
    let (head, entity) = mail.split_once("Content-Type:").unwrap();
    let mut sign = program("openssl");
    sign.args(["cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer"]);
    sign.arg(&certificate).arg("-inkey").arg(&key);
    let signed = run_with(&mut sign, format!("Content-Type:{entity}").as_bytes()).good("openssl cms").stdout;
    let encoded = STANDARD.encode(signed);
    let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    format!(
        "{head}Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

/// Some of these the scanner opens itself; what it does not is shown to it part by part.
#[test]
fn what_is_found_inside_containers_is_held() {
    let stage = Stage::set("60 s");
    let clamd = Clamd::start(stage.installation.folder());
    let virus = test_string();
    let inner = attached("in-smime", "readings.com", virus.clone());
    let mut uu = virus.chunks(45).fold(String::new(), |lines, line| lines + &uuencoded(line));
    uu = format!("begin 644 readings.com\r\n{uu}`\r\nend\r\n");
    let mails = [
        ("uuencoded", Letter { text: format!("See below.\r\n\r\n{uu}"), ..letter("in-uu") }.bytes()),
        ("winmail.dat", attached("in-tnef", "winmail.dat", winmail("readings.com", &virus)).bytes()),
        ("opaque-signed", signed_opaque(stage.installation.folder(), &inner)),
    ];
    for (name, mail) in &mails {
        let reply = stage.deliver_bytes(mail);
        assert!(reply.code == 250 && reply.text.contains("held"), "{name}: {reply:?}");
    }
    assert!(stage.installation.cases().is_empty(), "no case");
    clamd.stop();
    stage.server.stop();
}

/// One line of it.
fn uuencoded(bytes: &[u8]) -> String {
    let symbol = |bits: u32| if bits == 0 { '`' } else { char::from(b' ' + bits as u8) };
    let mut line = String::from(symbol(bytes.len() as u32));
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        line.extend([18, 12, 6, 0].map(|shift| symbol(bits >> shift & 63)));
    }
    line + "\r\n"
}

/// Somebody whose large mail takes its time keeps nobody else from being checked.
#[test]
fn a_slow_sender_of_a_large_mail_holds_no_turn_of_the_scanner() {
    let stage = Stage::with("2 s", "at_once = 1\n");
    let clamd = Clamd::start(stage.installation.folder());
    let mut slow = Smtp::greet(stage.server.smtp()).unwrap();
    assert_eq!(slow.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    let large = Letter { text: "A line of a large mail.\r\n".repeat(20_000), ..letter("slow") }.bytes();
    let (first, rest) = large.split_at(300_000);
    slow.send(first).unwrap();
    let case = stage.deliver(&letter("quick")).reference();
    assert_eq!(stage.scan(&case).0, "clean", "while the other one still sends");
    slow.send(rest).unwrap();
    let case = slow.command(".").unwrap().reference();
    assert_eq!(stage.scan(&case).0, "clean");
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
