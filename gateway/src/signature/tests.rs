//! Mails as OpenSSL signs them and as others have signed theirs, whole and changed: what is said to be intact is what its
//! author signed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use mail::{Budget, Message, Part, PartRole, Scanner};

use super::*;

const TEXT: &str = "Content-Type: text/plain\n\nMPAN 1200023305967\n";
const MIXED: &str = "Content-Type: multipart/mixed; boundary=in\n\n--in\n\nMPAN 1200023305967\n--in\n\
                     Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0x\n--in--\n";

/// People with certificates of one authority each.
struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn open() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        for (authority, person) in [("trusted", "ann"), ("other", "bob")] {
            let address = format!("subjectAltName=email:{person}@alpha.example");
            let (pem, key) = (format!("{authority}.pem"), format!("{authority}.key"));
            office.certificate(authority, &[]);
            let issued = ["-CA", &pem, "-CAkey", &key, "-addext", &address];
            office.certificate(person, &[&issued[..], &["-addext", "basicConstraints=CA:FALSE"]].concat());
        }
        office
    }

    fn certificate(&self, name: &str, more: &[&str]) {
        let (pem, key, subject) = (format!("{name}.pem"), format!("{name}.key"), format!("/CN={name}"));
        let fixed = ["req", "-x509", "-noenc", "-days", "30", "-newkey", "ec", "-pkeyopt"];
        let named = ["ec_paramgen_curve:P-256", "-keyout", &key, "-out", &pem, "-subj", &subject];
        self.openssl(&[&fixed[..], &named, more].concat());
    }

    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let run = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output();
        let run = run.expect("openssl is installed");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }

    /// A mail with CRLF.
    fn sign(&self, person: &str, entity: &str, more: &[&str]) -> Vec<u8> {
        std::fs::write(self.folder.path().join("entity"), entity).unwrap();
        let (pem, key, from) =
            (format!("{person}.pem"), format!("{person}.key"), format!("{person}@alpha.example"));
        let fixed = ["cms", "-sign", "-in", "entity", "-signer", &pem, "-inkey", &key, "-from", &from];
        let mail = String::from_utf8(self.openssl(&[&fixed, more].concat())).unwrap();
        mail.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
    }

    fn authorities(&self) -> Authorities {
        Authorities::load(&self.folder.path().join("trusted.pem")).unwrap()
    }

    fn check(&self, mail: &[u8]) -> Option<SignatureResult> {
        result(mail, "ann@alpha.example", &self.authorities(), Timestamp::now())
    }
}

fn scan(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}

fn result(mail: &[u8], author: &str, authorities: &Authorities, now: Timestamp) -> Option<SignatureResult> {
    let mut reading = Reading::default();
    mail.chunks(1000).for_each(|piece| reading.feed(piece));
    reading.result(&scan(mail).headline, &Address::parse(author).unwrap(), authorities, now)
}

fn intact(signer: &str, standing: Standing) -> Option<SignatureResult> {
    Some(SignatureResult::Intact { signer: signer.to_owned(), standing })
}

fn not_checked(why: Unchecked) -> Option<SignatureResult> {
    Some(SignatureResult::NotChecked { why })
}

#[test]
fn what_its_author_signed_is_intact_in_every_form() {
    let office = Office::open();
    for entity in [TEXT, MIXED] {
        for form in [&[][..], &["-noindef"], &["-nodetach"], &["-nodetach", "-noindef"], &["-md", "sha512"]] {
            let mail = office.sign("ann", entity, form);
            assert!(scan(&mail).text.contains("MPAN 1200023305967"), "{form:?}");
            let said = office.check(&mail);
            assert_eq!(said, intact("ann@alpha.example", Standing::Trusted), "{form:?}");
        }
    }
}

#[test]
fn an_intact_signature_is_worth_what_its_certificate_is() {
    let office = Office::open();
    let (authorities, nobody) = (office.authorities(), Authorities::default());
    let mail = office.sign("ann", TEXT, &[]);
    let worth = |author, authorities, day: i64| {
        result(&mail, author, authorities, Timestamp::now() + jiff::SignedDuration::from_hours(24 * day))
    };
    let standing = |standing| intact("ann@alpha.example", standing);
    assert_eq!(worth("Ann@Alpha.example", &authorities, 0), standing(Standing::Trusted));
    assert_eq!(worth("ann@alpha.example", &nobody, 0), standing(Standing::IssuerUnknown));
    assert_eq!(worth("ann@alpha.example", &authorities, 31), standing(Standing::Expired));
    assert_eq!(worth("amy@alpha.example", &authorities, 0), standing(Standing::NotTheAuthor));
    let weak = office.sign("ann", TEXT, &["-md", "sha1"]);
    assert!(matches!(office.check(&weak), Some(SignatureResult::NotChecked { why: Unchecked::Unsupported })));
    let other = office.sign("bob", TEXT, &[]);
    let said = result(&other, "bob@alpha.example", &authorities, Timestamp::now());
    assert_eq!(said, intact("bob@alpha.example", Standing::IssuerUnknown));
    assert_eq!(office.check(&office.sign("ann", TEXT, &["-nocerts"])), not_checked(Unchecked::NoCertificate));
}

#[test]
fn of_two_signers_the_author_counts() {
    let office = Office::open();
    let mail = office.sign("bob", TEXT, &["-signer", "ann.pem", "-inkey", "ann.key"]);
    assert_eq!(office.check(&mail), intact("ann@alpha.example", Standing::Trusted));
}

/// Whatever byte is changed or missing: either the mail is not intact, or it shows what it showed.
#[test]
fn no_changed_mail_is_intact() {
    let office = Office::open();
    for form in [&[][..], &["-nodetach"]] {
        let mail = office.sign("ann", MIXED, form);
        let (sound, body) = (scan(&mail), mail.windows(4).position(|end| end == b"\r\n\r\n").unwrap());
        let mut said: BTreeMap<&str, usize> = BTreeMap::new();
        let mut see = |changed: &[u8], at: usize| match office.check(changed) {
            Some(SignatureResult::Intact { .. }) => {
                let shown = scan(changed);
                assert_eq!((&shown.text, names(&shown)), (&sound.text, names(&sound)), "{form:?} {at}");
                *said.entry("intact").or_default() += 1;
            }
            Some(SignatureResult::Broken) => *said.entry("broken").or_default() += 1,
            Some(SignatureResult::NotChecked { .. }) => *said.entry("not checked").or_default() += 1,
            None => *said.entry("not signed").or_default() += 1,
        };
        for at in body..mail.len() {
            see(&mail[..at], at);
            for changed in [mail[at] ^ 1, b'\n', b'-'] {
                let mut damaged = mail.clone();
                damaged[at] = changed;
                see(&damaged, at);
            }
            let mut longer = mail.clone();
            longer.insert(at, b'x');
            see(&longer, at);
        }
        println!("{form:?}: {said:?}");
        assert!(said["broken"] > 100);
    }
}

/// The names of what is signed; the signature has one too, and what holds all has.
fn names(message: &Message) -> Vec<Option<&str>> {
    let signed =
        |part: &&Part| !part.media_type.ends_with("pkcs7-signature") && part.role != PartRole::Container;
    message.headline.parts.iter().filter(signed).map(|part| part.name.as_deref()).collect()
}

#[test]
fn every_byte_of_the_signed_part_counts() {
    let office = Office::open();
    let mail = office.sign("ann", MIXED, &[]);
    let entity = MIXED.replace('\n', "\r\n");
    let start = mail.windows(entity.len()).position(|window| window == entity.as_bytes()).unwrap();
    for at in start..start + entity.len() {
        for bit in 0..8 {
            let mut changed = mail.clone();
            changed[at] ^= 1 << bit;
            let said = office.check(&changed);
            assert!(!matches!(said, Some(SignatureResult::Intact { .. })), "{} {bit}", at - start);
        }
    }
}

#[test]
fn what_stands_beside_the_signed_part_is_not_signed() {
    let office = Office::open();
    let mail = String::from_utf8(office.sign("ann", TEXT, &[])).unwrap();
    let (head, entity) = mail.split_once("MIME-Version: 1.0\r\n").unwrap();
    let list = format!(
        "{head}Content-Type: multipart/mixed; boundary=list\r\n\r\n--list\r\n{entity}\r\n--list\r\n\r\nPay here.\r\n--list--\r\n"
    );
    assert!(scan(list.as_bytes()).text.contains("Pay here."));
    assert_eq!(office.check(list.as_bytes()), not_checked(Unchecked::NotAll));
    let pgp = "From: ann@alpha.example\r\nContent-Type: multipart/signed; boundary=b; \
               protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n";
    assert_eq!(office.check(pgp.as_bytes()), not_checked(Unchecked::NoKey));
    assert_eq!(office.check(b"From: ann@alpha.example\r\n\r\nhello\r\n"), None);
}

/// All mail that others have written: no panic, nothing is trusted where nobody is, and OpenSSL says the same of what is
/// intact and of what is broken.
#[test]
fn signed_mail_of_the_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    assert!(root.is_dir(), "the corpus is not there: {}", root.display());
    let folder = tempfile::tempdir().unwrap();
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    for file in files(&root) {
        let mail = with_line_ends(std::fs::read(&file).unwrap());
        let headline = scan(&mail).headline;
        let author = headline.from.first().and_then(|person| person.address.clone());
        let author = author.filter(|author| Address::parse(author).is_ok());
        let author = author.as_deref().unwrap_or("nobody@invalid.example");
        let kind = match result(&mail, author, &Authorities::default(), Timestamp::now()) {
            None => continue,
            Some(SignatureResult::Intact { standing, .. }) => {
                assert!(openssl_verifies(folder.path(), &mail), "{}", file.display());
                format!("intact, {standing:?}")
            }
            Some(SignatureResult::Broken) => {
                assert!(!openssl_verifies(folder.path(), &mail), "{}", file.display());
                "broken".to_owned()
            }
            Some(SignatureResult::NotChecked { why }) => format!("not checked, {why:?}"),
        };
        *said.entry(kind).or_default() += 1;
    }
    println!("{said:#?}");
    assert!(said.keys().any(|kind| kind.starts_with("intact")) && !said.contains_key("intact, Trusted"));
}

fn openssl_verifies(folder: &Path, mail: &[u8]) -> bool {
    std::fs::write(folder.join("mail"), mail).unwrap();
    let arguments = ["cms", "-verify", "-noverify", "-in", "mail", "-out", "content"];
    let run = Command::new("openssl").args(arguments).current_dir(folder).output();
    run.expect("openssl is installed").status.success()
}

/// As it came over the wire: a file with bare line ends has lost the others on its way into the corpus.
fn with_line_ends(mail: Vec<u8>) -> Vec<u8> {
    match mail.windows(2).any(|pair| pair == b"\r\n") {
        true => mail,
        false => mail.split_inclusive(|&byte| byte == b'\n').flat_map(crlf).copied().collect(),
    }
}

fn crlf(line: &[u8]) -> impl Iterator<Item = &u8> {
    let (text, end) = match line.strip_suffix(b"\n") {
        Some(text) => (text, &b"\r\n"[..]),
        None => (line, &b""[..]),
    };
    text.iter().chain(end)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    found.collect()
}
