//! The whole stage of the spine: an installation whose notices go over TLS to a real Postfix, and its server.

use std::path::PathBuf;
use std::process::Command;

use tests::installation::{Installation, NAME, Settings};
use tests::letter::{Attachment, Letter};
use tests::market::{AMY, BEN, GIA, MAILBOX};
use tests::postern::Server;
use tests::postfix::Postfix;
use tests::process::{Output, program, run};

pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) postfix: Postfix,
    pub(crate) installation: Installation,
}

impl Stage {
    pub(crate) fn set() -> Self {
        // The port of Postfix is known when it runs, and it runs with the certificate that init makes.
        let keys = Installation::new(&Settings::default());
        let tls = keys.home().join("tls");
        let people = [AMY, BEN, GIA, MAILBOX];
        let postfix =
            Postfix::start(keys.folder(), &people, &tls.join("server.pem"), &tls.join("server.key"));
        let installation = keys.reconfigured(&Settings {
            smarthost: postfix.address(),
            smarthost_tls: "require",
            ..Settings::default()
        });
        Self { server: installation.serve(), postfix, installation }
    }

    /// Puts a mail into a file, for programs that send files.
    pub(crate) fn file(&self, mail: &[u8]) -> PathBuf {
        let file = self.installation.folder().join("mail.eml");
        std::fs::write(&file, mail).expect("a file for the mail");
        file
    }
}

/// The mail of the story: text, HTML that should not be trusted, and an attachment.
pub(crate) fn story(id: &str) -> Letter {
    let mut letter = Letter::new("Amy Archer <amy@alpha.example>", MAILBOX, "Transfer of Mrs Quibble", id);
    letter.text =
        "Dear Beta,\r\n.\r\nMPAN 1200023305967 was taken over in error.\r\n..dots stay dots\r\n".to_owned();
    letter.html = Some(
        "<p>Dear Beta,</p><p id=\"said\">MPAN 1200023305967 was taken over in <b>error</b>.</p>\
         <script>top.document.title = 'owned'</script>\
         <img src=\"http://tracker.example/pixel.png\" onerror=\"top.document.title = 'owned'\">"
            .to_owned(),
    );
    let bytes = (0..=255u8).cycle().take(70_000).collect();
    letter.attachment = Some(Attachment { name: "readings.bin".to_owned(), bytes });
    letter
}

/// Sends a file as curl does, over STARTTLS with the certificate checked, logged in as `user`.
pub(crate) fn curl(stage: &Stage, user: &str, password: &str, to: &str, mail: &[u8]) -> Output {
    let port = stage.server.submission().port();
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--verbose", "--ssl-reqd", "--cacert"])
        .arg(stage.installation.ca());
    curl.args(["--resolve", &format!("{NAME}:{port}:127.0.0.1"), "--url", &format!("smtp://{NAME}:{port}")]);
    curl.args(["--user", &format!("{user}:{password}"), "--mail-from", user, "--mail-rcpt", to]);
    curl.arg("--upload-file").arg(stage.file(mail));
    run(&mut curl)
}

/// Sends as swaks does, over STARTTLS with the certificate checked; `proof` says who is sending.
pub(crate) fn swaks(stage: &Stage, proof: &[String], from: &str, to: &str, mail: &[u8]) -> Output {
    let mut swaks = program("swaks");
    swaks.args(["--server", &stage.server.smtp().to_string(), "--tls", "--tls-verify", "--tls-ca-path"]);
    swaks.arg(stage.installation.ca()).args(proof).args(["--from", from, "--to", to, "--data"]);
    // swaks puts a line end behind whatever it is given.
    let lines = mail.strip_suffix(b"\r\n").unwrap_or(mail);
    swaks.arg(format!("@{}", stage.file(lines).display()));
    run(&mut swaks)
}

/// The reference in a program's report of the dialogue.
pub(crate) fn reference(said: &Output) -> String {
    let text = said.everything();
    let answer = text.lines().find_map(|line| line.split_once("250 2.0.0 secured as case "));
    let (_, reference) = answer.unwrap_or_else(|| panic!("not secured: {text}"));
    let reference = reference.trim();
    let symbol = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let good = reference.len() == 8
        && reference
            .bytes()
            .enumerate()
            .all(|(place, byte)| if place == 3 { byte == b'-' } else { symbol(byte) });
    assert!(good, "a reference such as K7Q-4M2X, not {reference:?}");
    reference.to_owned()
}

/// Issues a client certificate for Alpha's mail system.
pub(crate) fn certificate(stage: &Stage, group: &str) -> Vec<String> {
    let folder = stage.installation.folder().join("peer");
    let name = format!("mail.{group}.example");
    let to = folder.to_string_lossy().into_owned();
    stage.installation.tool(["certs", "issue", &name, "--group", group, "--to", &to]).good("certs issue");
    let file = |extension: &str| format!("{to}/{name}.{extension}");
    vec!["--tls-cert".to_owned(), file("pem"), "--tls-key".to_owned(), file("key")]
}

/// A command that must not be confused with the tests' own environment.
pub(crate) fn plain(command: &str) -> Command {
    let mut shell = program("sh");
    shell.arg("-c").arg(command);
    shell
}
