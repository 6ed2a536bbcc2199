//! A visitor of the portal without a browser: one request per connection, cookies kept, forms with their tokens.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Everything a stranger can see, without what changes with the clock.
    pub fn seen(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| name != "date");
        (self.status, headers, self.body.clone())
    }

    /// The `href` values of a page whose path holds `part`, as a reader of HTML sees them.
    pub fn links(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut found: Vec<_> = links.filter(|link| link.contains(part)).map(unescape).collect();
        found.dedup();
        found
    }

    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let start = format!("name=\"{name}\" value=\"");
        let value = text.split(&start).nth(1).and_then(|rest| rest.split('"').next());
        unescape(value.unwrap_or_else(|| panic!("no field {name} in {text}")))
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#x3D;", "=").replace("&quot;", "\"").replace("&amp;", "&")
}

/// One visitor with their cookies.
pub struct Visitor {
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// `origin` as in `http://127.0.0.1:8080`.
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.trim_end_matches('/').to_owned(), cookies: BTreeMap::new() }
    }

    /// Signs in and stays signed in.
    pub fn signed_in(origin: &str, email: &str, password: &str) -> Self {
        let mut visitor = Self::new(origin);
        let token = visitor.get("/sign-in").field("token");
        let fields = [("token", token.as_str()), ("next", "/"), ("email", email), ("password", password)];
        let answer = visitor.post("/sign-in", &fields);
        assert_eq!(answer.status, 303, "{email} cannot sign in: {}", answer.text());
        visitor
    }

    /// The cookies that the portal has set, by name.
    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.request("GET", path, "", b"")
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        let origin = self.origin.clone();
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\nOrigin: {origin}\r\n");
        self.request("POST", path, &headers, pairs.join("&").as_bytes())
    }

    fn request(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let path = path.strip_prefix(self.origin.as_str()).unwrap_or(path);
        let host = self.origin.split("://").nth(1).expect("an origin").to_owned();
        let jar: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Length: {}\r\n{headers}\r\n",
            jar.join("; "),
            body.len()
        );
        let answer = exchange(&host, &[head.as_bytes(), body].concat());
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Sends one request to `host` (`address:port`) and reads the answer.
pub(crate) fn exchange(host: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("{host}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a time limit");
    stream.write_all(request).expect("the request");
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header line");
        line.trim_end().to_owned()
    };
    let status = line().split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    answer.body = body(&mut reader, &answer);
    answer
}

fn body(reader: &mut impl BufRead, answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    if answer.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).expect("the size of a chunk");
            let size = usize::from_str_radix(size.trim(), 16).expect("a number");
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).expect("a chunk");
            bytes.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return bytes;
            }
        }
    }
    match answer.header("content-length").map(|length| length.parse().expect("a length")) {
        Some(length) => {
            bytes.resize(length, 0);
            reader.read_exact(&mut bytes).expect("the body");
        }
        None => {
            reader.read_to_end(&mut bytes).expect("the body");
        }
    }
    bytes
}
