//! One mail is one mail, on the real port: forms that end a mail for somebody else's server, and commands slipped in
//! before the TLS handshake. The exhaustive sets run beside the code.

use serde_json::Value;
use tests::corpus;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX};
use tests::smtp::Smtp;

fn published(file: &str) -> Value {
    let text = std::fs::read(corpus::folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_slice(&text).expect("JSON")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

#[test]
fn no_published_form_ends_a_mail_early() {
    let installation = Installation::new(&Settings::default());
    let password = installation.password(AMY);
    let server = installation.serve();
    let forms = published("protocol/smtp-end-of-data/sequences.json");
    let forms = forms["sequences"].as_array().unwrap().clone();
    assert_eq!(forms.len(), 12);
    for form in &forms {
        let name = form["name"].as_str().unwrap();
        let mut smtp = Smtp::login(server.smtp(), AMY, &password).unwrap();
        assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
        let first = Letter::new(AMY, MAILBOX, "First", &format!("{name}@alpha.example")).bytes();
        let second = Letter::new(AMY, MAILBOX, "Smuggled", &format!("{name}-2@alpha.example")).bytes();
        let commands = format!("MAIL FROM:<{AMY}>\r\nRCPT TO:<{MAILBOX}>\r\nDATA\r\n");
        let first = first.strip_suffix(b"\r\n").unwrap();
        let all =
            [first, &unhex(form["hex"].as_str().unwrap()), commands.as_bytes(), &second, b".\r\n"].concat();
        smtp.send(&all).unwrap();
        let answers = smtp.rest().unwrap();
        assert!(answers.starts_with("5"), "{name}: refused for good: {answers}");
        assert_eq!(
            answers.lines().filter(|line| !line.contains('-')).count(),
            1,
            "{name}: one answer: {answers}"
        );
        assert!(!answers.contains("250") && !answers.contains("354"), "{name}: {answers}");
    }
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), 0);
    server.stop();
}

#[test]
fn nothing_said_before_the_handshake_is_remembered() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    for address in [server.smtp(), server.submission()] {
        for injected in
            ["STARTTLS\r\nNOOP\r\n", "STARTTLS\r\nEHLO commandinjectiontester\r\n", "STARTTLS\r\nN"]
        {
            let mut smtp = Smtp::greet(address).unwrap();
            smtp.send(injected.as_bytes()).unwrap();
            // Whatever it says to the first line, it says nothing to what came with it, and closes.
            let said = smtp.rest().unwrap();
            assert!(said.lines().count() <= 1, "{injected:?}: {said}");
            assert!(!said.contains("250"), "{injected:?}: {said}");
        }
    }
    server.stop();
}

#[test]
fn a_bare_line_end_in_a_command_is_refused_and_ends_the_connection() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    for line in ["NOOP\nNOOP\r\n", "NOOP\rNOOP\r\n", "NO\0OP\r\n"] {
        let mut smtp = Smtp::greet(server.smtp()).unwrap();
        smtp.send(line.as_bytes()).unwrap();
        let said = smtp.rest().unwrap();
        assert!(said.starts_with('5') && !said.contains("250"), "{line:?}: {said}");
    }
    server.stop();
}
