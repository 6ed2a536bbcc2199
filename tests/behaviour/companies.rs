//! What a company's mail system does: Postfix with a client certificate, also after that was renewed, and Exim with a
//! certificate or a login hand in mail; a mail for a mapped mailbox and for a colleague leaves both ways, apart.

use std::fs;
use std::path::{Path, PathBuf};

use tests::exim::Exim;
use tests::installation::{Installation, Settings};
use tests::letter::{Letter, assert_same};
use tests::market::{AMY, MAILBOX};
use tests::postern::Server;
use tests::postfix::Postfix;
use tests::process::{program, run_with};
use tests::sink::Sink;
use tests::smtp::{Reply, Smtp};
use tests::wait;

const COLLEAGUE: &str = "carl@alpha.example";

/// The name in Alpha's client certificates.
const HOST: &str = "mail.alpha.example";

/// An installation that relays, and a company's mail system beside it.
struct Estate {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Estate {
    fn set() -> Self {
        let sink = Sink::start();
        let smarthost = sink.address.to_string();
        let sections = "[relay]\nenabled = true\n";
        let installation = Installation::new(&Settings { smarthost, sections, ..Settings::default() });
        Self { sink, server: installation.serve(), installation }
    }

    /// A folder that the users of mail systems can pass.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.installation.folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A client certificate that is registered for Alpha; gives its folder.
    fn certificate(&self) -> PathBuf {
        let to = self.folder("registered");
        let place = to.to_string_lossy().into_owned();
        self.installation
            .tool(["certs", "issue", HOST, "--group", "alpha", "--to", &place])
            .good("certs issue");
        to
    }

    /// Another one of the same name and authority, whose fingerprint nobody has registered here.
    fn renewed(&self) -> PathBuf {
        let elsewhere = Installation::new(&Settings::default());
        let to = self.folder("renewed");
        let (place, ca) = (to.to_string_lossy(), self.installation.home().join("ca"));
        let ca = ca.to_string_lossy();
        elsewhere
            .tool(["certs", "issue", HOST, "--group", "alpha", "--to", &place, "--ca", &ca])
            .good("certs issue");
        to
    }

    /// A Postfix that sends everything here, and shows the certificate in `papers`.
    fn postfix(&self, papers: &Path) -> Postfix {
        let tls = self.installation.home().join("tls");
        let folder = self.folder("sender");
        let (ca, here) = (folder.join("ca.pem"), folder.display());
        fs::copy(self.installation.ca(), &ca).unwrap();
        show(papers, &folder);
        let lines = format!(
            "relayhost = [localhost]:{}\nsmtp_host_lookup = native\nsmtp_tls_security_level = secure\n\
             smtp_tls_secure_cert_match = hostname\nsmtp_tls_CAfile = {}\nsmtp_tls_loglevel = 1\n\
             smtp_tls_cert_file = {here}/client.pem\nsmtp_tls_key_file = {here}/client.key\n\
             debug_peer_list = 127.0.0.1\ndebug_peer_level = 1\n",
            self.server.smtp().port(),
            ca.display()
        );
        Postfix::start_as(&folder, &[], &tls.join("server.pem"), &tls.join("server.key"), &lines)
    }

    fn exim(&self, transport: &str, authenticators: &str) -> Exim {
        let port = self.server.smtp().port();
        Exim::new(&self.folder("exim"), port, &self.installation.ca(), transport, authenticators)
    }

    /// The case holds the mail with nothing but lines of the servers on the way in front.
    fn holds_forwarded(&self, case: &str, mail: &[u8]) {
        let original = self.installation.originals(case).remove(0);
        assert!(original.starts_with(b"Received: "), "{}", String::from_utf8_lossy(&original));
        let behind = original.len().checked_sub(mail.len()).expect("the mail and more");
        assert_same(&original[behind..], mail, case);
    }

    fn only_case(&self) -> String {
        let cases = wait::until("a case", || Some(self.installation.cases()).filter(|all| !all.is_empty()));
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases.into_iter().next().unwrap()
    }

    fn proof(&self, case: &str) -> String {
        let shown = self.installation.json(["case", "show", case]);
        assert_eq!(shown["items"][0]["from"], "alpha");
        shown["items"][0]["proof"].as_str().unwrap().to_owned()
    }

    /// What has left to an address.
    fn left(&self, to: &str) -> Vec<Vec<u8>> {
        let mails = self.sink.mails().into_iter().filter(|mail| mail.to == [to]);
        mails.map(|mail| mail.bytes).collect()
    }

    /// The mail left to the colleague once, alone, behind one line of ours.
    fn left_to_colleague(&self, mail: &[u8]) {
        let left = wait::until("the colleague's mail", || self.left(COLLEAGUE).pop());
        assert!(left.ends_with(mail), "{}", String::from_utf8_lossy(&left));
        assert_eq!(self.left(COLLEAGUE).len(), 1);
        assert!(
            self.left(MAILBOX).iter().all(|notice| !notice.ends_with(mail)),
            "the mailbox gets a notice only"
        );
    }
}

/// Puts a certificate where the mail system looks for it.
fn show(papers: &Path, folder: &Path) {
    for extension in ["pem", "key"] {
        fs::copy(
            papers.join(HOST).with_extension(format!("example.{extension}")),
            folder.join("client").with_extension(extension),
        )
        .unwrap();
    }
}

/// With the dots, long lines and eight-bit text that make mail systems work.
fn letter(id: &str) -> Letter {
    let mut letter = Letter::new("Amy Archer <amy@alpha.example>", MAILBOX, "Wrong supplier", id);
    letter.headers.push("Content-Transfer-Encoding: 8bit".to_owned());
    letter.text = format!(".\r\n..\r\nZähler: {}\r\n.end\r\n", "long ".repeat(150));
    letter
}

fn accepted(reply: &Reply) {
    assert_eq!(reply.code, 250, "{reply:?}");
}

#[test]
fn postfix_with_a_client_certificate_and_its_renewal() {
    let estate = Estate::set();
    let postfix = estate.postfix(&estate.certificate());
    let mail = letter("first@alpha.example").bytes();
    accepted(&Smtp::greet(postfix.socket()).unwrap().deliver(AMY, &[MAILBOX], &mail).unwrap());
    let sent = postfix.ended("sent", 1);
    assert!(sent[0].contains("(250 2.0.0 secured as case "), "{}", sent[0]);
    let log = postfix.log();
    assert!(log.contains("Verified TLS connection established to localhost"), "{log}");
    assert!(log.contains("Using ESMTP PIPELINING"), "{log}");
    let case = estate.only_case();
    estate.holds_forwarded(&case, &mail);
    assert!(estate.proof(&case).contains("certificate"));

    // The same name, and a fingerprint that nobody has told us: no proof, until the name is the company's.
    show(&estate.renewed(), &estate.folder("sender"));
    postfix.tool("postfix", ["reload"]);
    let second = letter("second@alpha.example").bytes();
    accepted(&Smtp::greet(postfix.socket()).unwrap().deliver(AMY, &[MAILBOX], &second).unwrap());
    let refused = postfix.ended("bounced", 1);
    assert!(refused[0].contains("550 5.7.1"), "{}", refused[0]);
    estate.installation.import(&format!(
        "[[group]]\nid = \"alpha\"\nname = \"Alpha Energy\"\ndomains = [\"alpha.example\"]\ncertificate_name = \"{HOST}\"\n"
    ));
    accepted(&Smtp::greet(postfix.socket()).unwrap().deliver(AMY, &[MAILBOX], &second).unwrap());
    postfix.ended("sent", 2);
    let cases = estate.installation.cases();
    assert_eq!(cases.len(), 2, "{cases:?}");
    let new = cases.iter().find(|other| **other != case).unwrap();
    estate.holds_forwarded(new, &second);
    assert!(estate.proof(new).contains("certificate"));
    estate.installation.audit_is_whole();
    estate.server.stop();
}

#[test]
fn exim_with_a_client_certificate() {
    let estate = Estate::set();
    let folder = estate.folder("exim");
    show(&estate.certificate(), &folder);
    let here = folder.display();
    let exim = estate
        .exim(&format!("  tls_certificate = {here}/client.pem\n  tls_privatekey = {here}/client.key"), "");
    let mail = letter("exim@alpha.example").bytes();
    exim.send(AMY, &[MAILBOX], &mail);
    by_exim(&estate, &exim, &mail, "certificate");
    estate.server.stop();
}

#[test]
fn exim_with_a_login() {
    let estate = Estate::set();
    let password = estate.installation.password(AMY);
    let exim = estate.exim(
        "  hosts_require_auth = *",
        &format!("plain:\n  driver = plaintext\n  public_name = PLAIN\n  client_send = ^{AMY}^{password}"),
    );
    let mail = letter("login@alpha.example").bytes();
    exim.send(AMY, &[MAILBOX], &mail);
    by_exim(&estate, &exim, &mail, "login");
    estate.server.stop();
}

fn by_exim(estate: &Estate, exim: &Exim, mail: &[u8], proof: &str) {
    let log = exim.log();
    let delivery =
        log.lines().find(|line| line.contains(" => ")).unwrap_or_else(|| panic!("not sent: {log}"));
    assert!(delivery.contains(" CV=yes "), "the certificate was checked: {delivery}");
    assert!(delivery.contains(" K "), "in chunks (BDAT): {delivery}");
    assert!(delivery.contains(" L "), "pipelined: {delivery}");
    assert!(delivery.contains("secured as case "), "{delivery}");
    let case = estate.only_case();
    estate.holds_forwarded(&case, mail);
    assert!(estate.proof(&case).contains(proof));
}

#[test]
fn postfix_sends_the_two_classes_of_one_mail_apart() {
    let estate = Estate::set();
    let postfix = estate.postfix(&estate.certificate());
    let mail = letter("both@alpha.example").bytes();
    accepted(&Smtp::greet(postfix.socket()).unwrap().deliver(AMY, &[MAILBOX, COLLEAGUE], &mail).unwrap());
    let put_off = postfix.ended("deferred", 1);
    assert!(put_off.len() == 1 && put_off[0].contains("452 4.5.3"), "{put_off:?}");
    postfix.flush();
    postfix.ended("sent", 2);
    estate.holds_forwarded(&estate.only_case(), &mail);
    estate.left_to_colleague(&mail);
    assert!(postfix.ended("bounced", 0).is_empty());
    estate.installation.audit_is_whole();
    estate.server.stop();
}

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
port, ca, certificate, key, user, *to = sys.argv[1:]
trust = ssl.create_default_context(cafile=ca)
trust.load_cert_chain(certificate, key)
mail = sys.stdin.buffer.read()
smtp = smtplib.SMTP("localhost", int(port))
smtp.starttls(context=trust)
while to:
    refused = smtp.sendmail(user, to, mail, mail_options=["BODY=8BITMIME"])
    print(len(to), sorted(refused.items()))
    assert len(refused) < len(to) and all(code == 452 for code, _ in refused.values()), refused
    to = list(refused)
smtp.quit()
"#;

#[test]
fn smtplib_sends_the_two_classes_of_one_mail_apart() {
    let estate = Estate::set();
    let papers = estate.certificate();
    let mut python = program("python3");
    python.args(["-c", SMTPLIB, &estate.server.smtp().port().to_string()]).arg(estate.installation.ca());
    python.arg(papers.join(format!("{HOST}.pem"))).arg(papers.join(format!("{HOST}.key")));
    python.args([AMY, COLLEAGUE, MAILBOX]);
    let mail = letter("smtplib@alpha.example").bytes();
    let said = run_with(&mut python, &mail).good("smtplib").text();
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("4.5.3"), "{said}");
    estate.installation.holds(&estate.only_case(), std::slice::from_ref(&mail));
    estate.left_to_colleague(&mail);
    estate.server.stop();
}
