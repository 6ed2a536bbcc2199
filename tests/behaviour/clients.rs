//! What people's mail programs do: each sends a mail over STARTTLS (587) and over TLS from the first byte (465), with
//! the certificate checked and a login, and the mail is a case, byte for byte as the program wrote it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::installation::{Installation, NAME, Settings};
use tests::letter::{Letter, Read};
use tests::market::{AMY, MAILBOX};
use tests::postern::Server;
use tests::process::{Output, program, run, run_with};
use tests::smtp::Smtp;

use crate::stage::{reference, story};

/// How a program comes to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Starttls,
    Implicit,
}

const WAYS: [Way; 2] = [Way::Starttls, Way::Implicit];

struct Desk {
    server: Server,
    installation: Installation,
    password: String,
}

impl Desk {
    fn set() -> Self {
        let sections = "[submissions]\nlisten = [\"127.0.0.1:0\"]\n";
        let installation = Installation::new(&Settings { sections, ..Settings::default() });
        let password = installation.password(AMY);
        Self { server: installation.serve(), installation, password }
    }

    fn port(&self, way: Way) -> u16 {
        match way {
            Way::Starttls => self.server.submission().port(),
            Way::Implicit => self.server.submissions().port(),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.installation.folder().join(name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    fn app_password(&self, name: &str) -> String {
        let made = self.installation.json(["user", "app-password", AMY, "--name", name]);
        made["password"].as_str().unwrap().to_owned()
    }

    /// The case that `send` makes.
    fn new_case(&self, send: impl FnOnce()) -> String {
        let before = self.installation.cases();
        send();
        let mut new = self.installation.cases();
        new.retain(|case| !before.contains(case));
        assert_eq!(new.len(), 1, "one mail, one case: {new:?}");
        new.remove(0)
    }

    /// The case holds exactly this mail, and the company and the way were proved.
    fn holds(&self, case: &str, mail: Vec<u8>) {
        self.installation.holds(case, &[mail]);
        self.is_by_login(case);
    }

    fn is_by_login(&self, case: &str) {
        let shown = self.installation.json(["case", "show", case]);
        assert_eq!(shown["items"][0]["from"], "alpha");
        assert!(shown["items"][0]["proof"].as_str().unwrap().contains("login"), "{shown}");
    }

    fn curl(&self, way: Way, secret: &str, mail: &[u8]) -> Output {
        let port = self.port(way);
        let scheme = if way == Way::Implicit { "smtps" } else { "smtp" };
        let mut curl = program("curl");
        curl.args(["--silent", "--show-error", "--verbose", "--ssl-reqd", "--cacert"])
            .arg(self.installation.ca());
        curl.args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")]);
        curl.args(["--url", &format!("{scheme}://{NAME}:{port}"), "--user", &format!("{AMY}:{secret}")]);
        curl.args(["--mail-from", AMY, "--mail-rcpt", MAILBOX, "--upload-file"]);
        run(curl.arg(self.file("curl.eml", mail)))
    }

    fn swaks(&self, way: Way, wishes: [&str; 2], mail: &[u8]) -> Output {
        let [from, to] = wishes;
        // swaks puts a line end behind whatever it is given.
        let lines = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        let tls = if way == Way::Implicit { "--tls-on-connect" } else { "--tls" };
        let mut swaks = program("swaks");
        swaks.args(["--server", &format!("127.0.0.1:{}", self.port(way)), tls, "--tls-verify"]);
        swaks.arg("--tls-ca-path").arg(self.installation.ca());
        swaks.args(["--auth", "PLAIN", "--auth-user", AMY, "--auth-password", &self.password]);
        swaks.args(["--from", from, "--to", to, "--data"]);
        run(swaks.arg(format!("@{}", self.file("swaks.eml", lines).display())))
    }

    fn msmtp(&self, way: Way, method: &str, secret: &str, mail: &[u8]) -> Output {
        let starttls = if way == Way::Starttls { "on" } else { "off" };
        let rc = format!(
            "account default\nhost localhost\nport {}\nfrom {AMY}\nauth {method}\nuser {AMY}\n\
             password {secret}\ntls on\ntls_starttls {starttls}\ntls_trust_file {}\n",
            self.port(way),
            self.installation.ca().display()
        );
        let mut msmtp = program("msmtp");
        msmtp.arg("--file").arg(self.file("msmtprc", rc.as_bytes())).args(["--debug", "--", MAILBOX]);
        run_with(&mut msmtp, &with_lf(mail))
    }

    fn python(&self, way: Way, mail: &[u8]) -> Output {
        let mut python = program("python3");
        let port = self.port(way).to_string();
        python.args(["-c", SMTPLIB, &port]).arg(self.installation.ca());
        python.args([&self.password, AMY, MAILBOX, &format!("{way:?}")]);
        run_with(&mut python, mail)
    }

    fn mutt(&self, way: Way, letter: &Letter, file: &Path) -> Output {
        let scheme = if way == Way::Implicit { "smtps" } else { "smtp" };
        let rc = format!(
            "set from='{AMY}' realname='Amy Archer' use_from=yes copy=no\n\
             set smtp_url='{scheme}://{}@localhost:{}/' smtp_pass='{}' smtp_authenticators='plain'\n\
             set ssl_starttls=yes ssl_force_tls=yes ssl_ca_certificates_file='{}'\n\
             set certificate_file=/dev/null ssl_usesystemcerts=no ssl_verify_host=yes\n",
            AMY.replace('@', "%40"),
            self.port(way),
            self.password,
            self.installation.ca().display()
        );
        let mut mutt = program("mutt");
        mutt.env("HOME", self.installation.folder()).env("TERM", "dumb");
        mutt.arg("-F").arg(self.file("muttrc", rc.as_bytes())).args(["-s", &letter.subject, "-a"]).arg(file);
        run_with(mutt.args(["--", MAILBOX]), &with_lf(letter.text.as_bytes()))
    }

    fn s_nail(&self, way: Way, letter: &Letter, file: &Path) -> Output {
        let scheme = if way == Way::Implicit { "smtps" } else { "smtp" };
        let user = AMY.replace('@', "%40");
        let mut settings = vec![
            "v15-compat=yes".to_owned(),
            format!("mta={scheme}://{user}:{}@localhost:{}", self.password, self.port(way)),
            format!("from={AMY}"),
            format!("tls-ca-file={}", self.installation.ca().display()),
        ];
        settings.extend(["tls-verify=strict", "smtp-auth=plain", "sendwait"].map(str::to_owned));
        if way == Way::Starttls {
            settings.push("smtp-use-starttls".to_owned());
        }
        let mut nail = program("s-nail");
        nail.env("HOME", self.installation.folder()).env("LC_ALL", "C.UTF-8").arg("-:/");
        for setting in settings {
            nail.args(["-S", setting.as_str()]);
        }
        nail.args(["-s", &letter.subject, "-a"]).arg(file);
        run_with(nail.arg(MAILBOX), &with_lf(letter.text.as_bytes()))
    }

    /// For programs that write the mail themselves.
    fn writes(&self, way: Way, name: &str, send: impl FnOnce(&Letter, &Path) -> Output) {
        let letter = story(name);
        let attachment = letter.attachment.clone().unwrap();
        let file = self.file(&attachment.name, &attachment.bytes);
        let case = self.new_case(|| drop(send(&letter, &file).good(name)));
        let original = self.installation.originals(&case).remove(0);
        let read = Read::parse(&original);
        assert_eq!(read.header("Subject"), letter.subject, "{name} {way:?}");
        assert_eq!(read.text.replace("\r\n", "\n"), letter.text.replace("\r\n", "\n"), "{name} {way:?}");
        assert!(read.defects.is_empty(), "{name} {way:?}: {:?}", read.defects);
        let joined = String::from_utf8_lossy(&original).replace("\r\n", "");
        let encoded = STANDARD.encode(&attachment.bytes);
        assert!(joined.contains(&encoded), "{name} {way:?}: the attachment, byte for byte");
        self.is_by_login(&case);
    }
}

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
port, ca, password, user, to, way = sys.argv[1:]
trust = ssl.create_default_context(cafile=ca)
if way == "Implicit":
    smtp = smtplib.SMTP_SSL("localhost", int(port), context=trust)
else:
    smtp = smtplib.SMTP("localhost", int(port))
    smtp.starttls(context=trust)
smtp.login(user, password)
smtp.set_debuglevel(1)
refused = smtp.sendmail(user, [to], sys.stdin.buffer.read(), mail_options=["BODY=8BITMIME"])
assert not refused, refused
smtp.quit()
"#;

fn with_lf(mail: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(mail).replace("\r\n", "\n").into_bytes()
}

#[test]
fn curl() {
    let desk = Desk::set();
    for way in WAYS {
        let mail = story(&format!("curl.{way:?}@alpha.example")).bytes();
        let said = desk.curl(way, &desk.password, &mail);
        assert!(said.stderr.contains("SSL connection using TLSv1."), "{}", said.stderr);
        desk.holds(&reference(&said), mail);
    }
    desk.server.stop();
}

#[test]
fn swaks_with_wishes_for_reports() {
    let desk = Desk::set();
    for way in WAYS {
        let mail = story(&format!("swaks.{way:?}@alpha.example")).bytes();
        desk.holds(&reference(&desk.swaks(way, [AMY, MAILBOX], &mail)), mail);
        // RFC 3461 §4: swaks puts the closing bracket behind everything, where it belongs to the xtext.
        let from = format!("{AMY}> RET=HDRS ENVID=<QQ314159");
        let to = format!("{MAILBOX}> NOTIFY=FAILURE ORCPT=rfc822;<{MAILBOX}");
        let mail = story(&format!("dsn.{way:?}@alpha.example")).bytes();
        let said = desk.swaks(way, [&from, &to], &mail);
        assert!(said.text().contains("RET=HDRS ENVID=<QQ314159>"), "{}", said.text());
        desk.holds(&reference(&said), mail);
        let never = format!("{AMY}> RET=NOTHING ENVID=<QQ314159");
        let said = desk.swaks(way, [&never, MAILBOX], &story("never@alpha.example").bytes());
        assert!(said.text().contains("501 5.5.4"), "{}", said.text());
    }
    desk.server.stop();
}

#[test]
fn msmtp() {
    let desk = Desk::set();
    for way in WAYS {
        let mail = story(&format!("msmtp.{way:?}@alpha.example")).bytes();
        let said = desk.msmtp(way, "plain", &desk.password, &mail).good("msmtp");
        desk.holds(&reference(&said), mail);
    }
    desk.server.stop();
}

#[test]
fn msmtp_with_scram_and_an_app_password_until_it_is_revoked() {
    let desk = Desk::set();
    let secret = desk.app_password("msmtp on the laptop");
    for way in WAYS {
        let mail = story(&format!("scram.{way:?}@alpha.example")).bytes();
        let said = desk.msmtp(way, "scram-sha-256", &secret, &mail).good("msmtp with SCRAM");
        let dialogue = said.everything();
        assert!(dialogue.contains("--> AUTH SCRAM-SHA-256"), "{dialogue}");
        desk.holds(&reference(&said), mail);
    }
    // The same password by the other mechanism, and not the one of the portal by this one.
    let mail = story("plain@alpha.example").bytes();
    desk.holds(&reference(&desk.msmtp(Way::Starttls, "plain", &secret, &mail)), mail);
    let never = story("never@alpha.example").bytes();
    let said = desk.msmtp(Way::Starttls, "scram-sha-256", &desk.password, &never).everything();
    assert!(said.contains("535 5.7.8"), "{said}");

    let shown = desk.installation.json(["case", "show", &desk.installation.cases()[0]]);
    let proof = format!("login {AMY} by app password msmtp on the laptop");
    assert_eq!(shown["items"][0]["proof"], proof.as_str(), "{shown}");
    let known = desk.installation.json(["user", "app-passwords", AMY]);
    assert!(known[0]["last_used_at"].is_string(), "{known}");

    // A connection that is open when the password goes is good for nothing more.
    let mut open = Smtp::login(desk.server.submission(), AMY, &secret).unwrap();
    desk.installation.tool(["user", "revoke", AMY, "msmtp on the laptop"]).good("user revoke");
    let reply = open.deliver(AMY, &[MAILBOX], &never).unwrap();
    assert!(reply.is("550 5.7.1 "), "{reply:?}");
    for method in ["scram-sha-256", "plain"] {
        let said = desk.msmtp(Way::Starttls, method, &secret, &never);
        assert_ne!(said.code, Some(0), "{method}: a revoked password: {}", said.everything());
        assert!(!said.everything().contains("secured as case"), "{method}: {}", said.everything());
    }
    assert_eq!(desk.installation.cases().len(), 3);
    desk.installation.audit_is_whole();
    desk.server.stop();
}

#[test]
fn python() {
    let desk = Desk::set();
    for way in WAYS {
        let mail = story(&format!("python.{way:?}@alpha.example")).bytes();
        let said = desk.python(way, &mail).good("smtplib");
        assert!(said.stderr.contains("250"), "{}", said.stderr);
        let case = desk.installation.cases().into_iter().find(|case| said.stderr.contains(case)).unwrap();
        desk.holds(&case, mail);
    }
    assert_eq!(desk.installation.cases().len(), 2);
    desk.server.stop();
}

#[test]
fn mutt() {
    let desk = Desk::set();
    for way in WAYS {
        desk.writes(way, "mutt", |letter, file| desk.mutt(way, letter, file));
    }
    desk.server.stop();
}

#[test]
fn s_nail() {
    let desk = Desk::set();
    for way in WAYS {
        desk.writes(way, "s-nail", |letter, file| desk.s_nail(way, letter, file));
    }
    desk.server.stop();
}

#[test]
fn no_password_travels_in_the_clear() {
    let installation = Installation::new(&Settings::default());
    let password = installation.password(AMY);
    // What a listener says unless it is told otherwise.
    let config = fs::read_to_string(installation.config()).unwrap();
    fs::write(installation.config(), config.replace("login_without_tls = true\n", "")).unwrap();
    let server = installation.serve();
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--verbose", "--user", &format!("{AMY}:{password}")]);
    curl.args(["--url", &format!("smtp://{}", server.submission()), "--mail-from", AMY]);
    let said = run_with(curl.args(["--mail-rcpt", MAILBOX, "--upload-file", "-"]), b"Subject: clear\r\n\r\n");
    assert_ne!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("< 250"), "it did get an answer: {}", said.stderr);
    assert!(!said.stderr.contains("> AUTH"), "it was not even offered: {}", said.stderr);
    assert!(installation.cases().is_empty());
    server.stop();
}
