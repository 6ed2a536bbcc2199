//! A mail system that signs with DKIM and sends over STARTTLS without a login: dkimpy signs, CPython's smtplib sends.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::process::{program, run, run_with};
use crate::smtp::Reply;

/// Signs each mail as it is told, sends each on a connection of its own, and prints the replies.
const SEND: &str = r#"
import dkim, json, smtplib, ssl, sys
given = json.load(sys.stdin)
context = ssl.create_default_context(cafile=given["ca"])
context.check_hostname = False
whole = dkim.DKIM.gen_header
def expired(self, fields, *rest, **more):
    return stale(self, fields[:-1] + [(b"x", b"1000000600")] + fields[-1:], *rest, **more)
def stale(self, fields, *rest, **more):
    fields = [(b"t", b"1000000000") if name == b"t" else (name, value) for name, value in fields]
    return whole(self, fields, *rest, **more)
def signed(mail, how):
    dkim.DKIM.gen_header = {"new": whole, "stale": stale, "expired": expired}[how["age"]]
    head = [name.encode() for name in how["fields"]] or None
    line = dkim.sign(mail, how["selector"].encode(), how["domain"].encode(), open(how["key"], "rb").read(),
                     include_headers=head, length=how["length"])
    return line + mail
replies = []
for one in given["mails"]:
    mail = one["mail"].encode()
    if one["signature"]:
        mail = signed(mail, one["signature"])
    peer = smtplib.SMTP("127.0.0.1", given["port"], local_hostname="mx.alpha.example", timeout=60)
    peer.starttls(context=context)
    peer.ehlo()
    reply = peer.mail(one["from"])
    if reply[0] == 250:
        reply = peer.rcpt(one["to"])
    if reply[0] == 250:
        reply = peer.data(mail)
    replies.append([reply[0], reply[1].decode()])
    peer.close()
print(json.dumps(replies))
"#;

/// A pair of RSA keys for signatures.
pub struct KeyPair {
    private: PathBuf,
    /// The TXT record of the public one (RFC 6376 §3.6.1).
    pub record: String,
}

impl KeyPair {
    pub fn make(folder: &Path, name: &str) -> Self {
        let private = folder.join(format!("{name}.key"));
        run(program("openssl").args(["genrsa", "-traditional", "-out"]).arg(&private).arg("2048"))
            .good("openssl genrsa");
        let mut public = program("openssl");
        public.args(["rsa", "-pubout", "-outform", "der", "-in"]).arg(&private);
        let public = STANDARD.encode(run(&mut public).good("openssl rsa").stdout);
        Self { private, record: format!("v=DKIM1; k=rsa; p={public}") }
    }
}

/// When a mail was signed.
#[derive(Debug, Clone, Copy)]
pub enum Age {
    New,
    /// Long ago (`t=`).
    Stale,
    /// Long ago, and it has been good once (`x=`).
    Expired,
}

impl Age {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Stale => "stale",
            Self::Expired => "expired",
        }
    }
}

/// How a mail is signed.
pub struct Signature<'a> {
    pub key: &'a KeyPair,
    pub domain: &'a str,
    /// The signature names the length of the body (`l=`).
    pub length: bool,
    pub age: Age,
    /// Fields that it covers; none named: whatever dkimpy thinks right.
    pub fields: &'a [&'a str],
}

impl<'a> Signature<'a> {
    pub fn of(key: &'a KeyPair, domain: &'a str) -> Self {
        Self { key, domain, length: false, age: Age::New, fields: &[] }
    }
}

/// A mail with its envelope.
pub struct Sent<'a> {
    pub from: &'a str,
    pub to: &'a str,
    pub mail: Vec<u8>,
    pub signature: Option<Signature<'a>>,
}

/// Sends the mails and gives, for each, the last reply that was read.
pub fn send(server: SocketAddr, ca: &Path, mails: &[Sent<'_>]) -> Vec<Reply> {
    let signature = |signature: &Signature<'_>| {
        let key = fs::canonicalize(&signature.key.private).expect("the key");
        json!({
            "selector": "post", "domain": signature.domain, "key": key.to_string_lossy(),
            "length": signature.length, "age": signature.age.name(), "fields": signature.fields,
        })
    };
    let mails: Vec<Value> = mails
        .iter()
        .map(|one| {
            json!({
                "from": one.from, "to": one.to, "mail": String::from_utf8_lossy(&one.mail),
                "signature": one.signature.as_ref().map(signature),
            })
        })
        .collect();
    let given = json!({ "ca": ca.to_string_lossy(), "port": server.port(), "mails": mails });
    let output = run_with(program("python3").args(["-c", SEND]), given.to_string().as_bytes());
    let replies: Value = serde_json::from_slice(&output.good("python3 with dkimpy").stdout).expect("JSON");
    let reply = |pair: &Value| Reply {
        code: u16::try_from(pair[0].as_u64().expect("a code")).expect("a code"),
        text: pair[1].as_str().expect("a text").to_owned(),
    };
    replies.as_array().expect("replies").iter().map(reply).collect()
}
