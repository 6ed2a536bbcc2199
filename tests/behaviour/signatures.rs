//! Mail that its author signed (S/MIME), made by OpenSSL: the page says what the signature is worth, warns of a mail that
//! was changed, and gives the original away as it came.

use std::fs;
use std::path::Path;

use tests::http::{Answer, Visitor};
use tests::installation::{Installation, Settings};
use tests::market::{AMY, BEN, MAILBOX, Market};
use tests::postern::Server;
use tests::process::{program, run};
use tests::smtp::Smtp;

/// The authority that the administrator trusts, and another one.
const TRUSTED: &str = "trusted";
const OTHER: &str = "other";

const WARNING: &str = "This mail is not what was signed";

struct Stage {
    server: Server,
    installation: Installation,
}

impl Stage {
    fn set() -> Self {
        let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
        let installation = Installation::new(&Settings { market, ..Settings::default() });
        let stage = installation.folder();
        for authority in [TRUSTED, OTHER] {
            certificate(stage, authority, &[]);
            let (pem, key) = (format!("{authority}.pem"), format!("{authority}.key"));
            let address = format!("subjectAltName=email:{AMY}");
            let person = ["-addext", "basicConstraints=CA:FALSE"];
            let issued = [&["-CA", &pem, "-CAkey", &key, "-addext", &address][..], &person].concat();
            certificate(stage, &format!("amy-{authority}"), &issued);
        }
        let authorities = stage.join(format!("{TRUSTED}.pem"));
        installation.configure(&format!("[signatures]\nauthorities = {authorities:?}\n"));
        Self { server: installation.serve(), installation }
    }

    /// A mail of Amy's with this text and subject, signed with a certificate of `authority`.
    fn sign(&self, authority: &str, subject: &str, text: &str, form: &[&str]) -> Vec<u8> {
        let folder = self.installation.folder();
        fs::write(folder.join("entity"), format!("Content-Type: text/plain\n\n{text}\n")).unwrap();
        let (pem, key) = (format!("amy-{authority}.pem"), format!("amy-{authority}.key"));
        let signer = ["cms", "-sign", "-in", "entity", "-signer", &pem, "-inkey", &key];
        let head = ["-from", AMY, "-to", MAILBOX, "-subject", subject];
        let mail = openssl(folder, &[&signer[..], &head, form].concat()).replace("\r\n", "\n");
        let whole = format!("Message-ID: <{subject}@alpha.example>\n{mail}");
        whole.replace('\n', "\r\n").into_bytes()
    }

    /// Hands a mail in, and opens its case as the one who is to answer it.
    fn shown(&self, mail: &[u8]) -> (String, Answer) {
        let mut smtp = Smtp::greet(self.server.smtp()).unwrap();
        let reply = smtp.deliver(AMY, &[MAILBOX], mail).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        let reference = reply.reference();
        let password = self.installation.password(BEN);
        let mut reader = Visitor::signed_in(self.server.portal(), BEN, &password);
        let links = reader.get("/process/erroneous-transfers").links("/case/");
        let mut pages = links.iter().map(|link| reader.get(link));
        let page = pages.find(|page| page.text().contains(&reference)).expect("a page of the case");
        (reference, page)
    }
}

fn certificate(folder: &Path, name: &str, more: &[&str]) {
    let (pem, key, subject) = (format!("{name}.pem"), format!("{name}.key"), format!("/CN={name}"));
    let fixed = ["req", "-x509", "-noenc", "-days", "30", "-newkey", "rsa:2048"];
    let named = ["-keyout", &key, "-out", &pem, "-subj", &subject];
    openssl(folder, &[&fixed[..], &named, more].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(program("openssl").args(arguments).current_dir(folder)).good("openssl");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_signature_is_shown_with_what_it_is_worth() {
    let stage = Stage::set();
    for (subject, authority, form, mark, sentence) in [
        ("detached", TRUSTED, &[][..], "Signed by amy@alpha.example", "a trusted authority vouches for"),
        ("opaque", TRUSTED, &["-nodetach"], "Signed by amy@alpha.example", "a trusted authority vouches for"),
        ("unknown", OTHER, &[], "Signed; nobody vouches for the signer", "no authority that is trusted here"),
    ] {
        let mail = stage.sign(authority, subject, "Is MPAN 1200023305967 yours?", form);
        let (reference, page) = stage.shown(&mail);
        let page = page.text();
        assert!(page.contains(mark) && page.contains(sentence), "{subject}: {page}");
        assert!(
            page.contains("Is MPAN 1200023305967 yours?") && !page.contains(WARNING),
            "{subject}: {page}"
        );
        assert_eq!(stage.installation.originals(&reference), [mail], "{subject}");
    }
}

#[test]
fn a_changed_mail_is_taken_and_shown_with_a_warning() {
    let stage = Stage::set();
    let signed = stage.sign(TRUSTED, "changed", "Pay to account 12345678.", &[]);
    let changed = String::from_utf8(signed).unwrap().replace("12345678", "87654321");
    let page = stage.shown(changed.as_bytes()).1.text();
    assert!(page.contains(WARNING) && page.contains("Changed after it was signed"), "{page}");
    assert!(page.contains("87654321") && !page.contains("Signed by amy"), "{page}");

    let signed = String::from_utf8(stage.sign(TRUSTED, "footer", "Pay to nobody.", &[])).unwrap();
    let (head, entity) = signed.split_once("MIME-Version: 1.0\r\n").unwrap();
    let list = "Content-Type: multipart/mixed; boundary=list\r\n\r\n--list\r\n";
    let footer = "\r\n--list\r\n\r\nPay to the list.\r\n--list--\r\n";
    let page = stage.shown(format!("{head}{list}{entity}{footer}").as_bytes()).1.text();
    assert!(page.contains("Pay to the list.") && !page.contains("Signed by amy"), "{page}");
    assert!(page.contains("Only a part of this mail is signed"), "{page}");
}
