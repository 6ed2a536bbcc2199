//! Mails of the tests: written as a mail client writes them, and read back by an independent parser (CPython's).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::process::{program, run_with};

/// A mail to send.
#[derive(Debug, Clone)]
pub struct Letter {
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Without angle brackets.
    pub id: String,
    /// Further header lines, without line ends.
    pub headers: Vec<String>,
    pub text: String,
    pub html: Option<String>,
    pub attachment: Option<Attachment>,
}

#[derive(Debug, Clone)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Letter {
    pub fn new(from: &str, to: &str, subject: &str, id: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            id: id.to_owned(),
            headers: Vec::new(),
            text: "Please look into this transfer.\r\n".to_owned(),
            html: None,
            attachment: None,
        }
    }

    /// As it goes over the wire, dots not stuffed.
    pub fn bytes(&self) -> Vec<u8> {
        let mut mail = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
             Message-ID: <{}>\r\nMIME-Version: 1.0\r\n",
            self.from, self.to, self.subject, self.id
        );
        for header in &self.headers {
            mail.push_str(&format!("{header}\r\n"));
        }
        let plain = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", self.text);
        let body = match &self.html {
            Some(html) => {
                let html = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n");
                multipart("alternative", "=_a", &[plain, html])
            }
            None => plain,
        };
        let body = match &self.attachment {
            Some(attachment) => multipart("mixed", "=_m", &[body, attachment.part()]),
            None => body,
        };
        mail.push_str(&body);
        mail.into_bytes()
    }
}

impl Attachment {
    fn part(&self) -> String {
        let encoded = STANDARD.encode(&self.bytes);
        let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
        format!(
            "Content-Type: application/octet-stream; name=\"{0}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{0}\"\r\n\r\n{1}\r\n",
            self.name,
            lines.join("\r\n")
        )
    }
}

fn multipart(kind: &str, boundary: &str, parts: &[String]) -> String {
    let mut body = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n");
    for part in parts {
        body.push_str(&format!("--{boundary}\r\n{part}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    body
}

/// Panics, showing the place, when two mails are not the same bytes.
pub fn assert_same(found: &[u8], sent: &[u8], what: &str) {
    if found == sent {
        return;
    }
    let place = found.iter().zip(sent).take_while(|(one, other)| one == other).count();
    let near = |bytes: &[u8]| {
        let end = bytes.len().min(place + 40);
        String::from_utf8_lossy(&bytes[place.saturating_sub(40).min(end)..end]).into_owned()
    };
    panic!(
        "{what}: {} bytes came back of {}; they differ at {place}: {:?}, not {:?}",
        found.len(),
        sent.len(),
        near(found),
        near(sent)
    );
}

/// The first header field of that name, unfolded; for mails whose form is not in doubt.
pub fn header(mail: &[u8], name: &str) -> Option<String> {
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(mail.len());
    let head = String::from_utf8_lossy(&mail[..end]).replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n").find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// A mail as CPython's parser reads it.
#[derive(Debug, Clone)]
pub struct Read {
    /// Every field in order: name and decoded value.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
    /// Media types of all parts that are not multipart, in order.
    pub types: Vec<String>,
    /// What the parser found wrong.
    pub defects: Vec<String>,
}

const READER: &str = r#"
import email, email.policy, json, sys
mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
def body(kind):
    part = mail.get_body(preferencelist=(kind,))
    return part.get_content() if part else ""
parts = [part for part in mail.walk() if not part.is_multipart()]
print(json.dumps({
    "headers": [[name, str(value)] for name, value in mail.items()],
    "text": body("plain"), "html": body("html"),
    "types": [part.get_content_type() for part in parts],
    "defects": [repr(defect) for part in mail.walk() for defect in part.defects],
}))
"#;

impl Read {
    pub fn parse(mail: &[u8]) -> Self {
        let output = run_with(program("python3").arg("-c").arg(READER), mail).good("python3");
        let read: Value = serde_json::from_slice(&output.stdout).expect("JSON from python3");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            headers: list(&read["headers"]).iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            text: text(&read["text"]),
            html: text(&read["html"]),
            types: list(&read["types"]).iter().map(text).collect(),
            defects: list(&read["defects"]).iter().map(text).collect(),
        }
    }

    /// The value of a field that must be there exactly once.
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => value,
            (first, _) => {
                panic!("{name} is there {} in {self:?}", if first.is_some() { "twice" } else { "not" })
            }
        }
    }

    /// The links in the text.
    pub fn links(&self) -> Vec<String> {
        let words = self.text.split_whitespace();
        words.filter(|word| word.starts_with("http")).map(str::to_owned).collect()
    }
}
