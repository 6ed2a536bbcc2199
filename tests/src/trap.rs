//! A web server that a browser takes for the whole internet: its pages are those of one host, and every other request is
//! written down and answered with nothing. Chromium reaches it as its proxy, so that no request passes it by.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The host whose pages it has.
pub const HOST: &str = "mail.test";

/// A page: the headers beside those that every answer has, and the content.
#[derive(Debug, Clone)]
pub struct Page {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The trap. It ends with the test's process.
pub struct Trap {
    pub address: SocketAddr,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    strays: Arc<Mutex<Vec<String>>>,
}

impl Trap {
    pub fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the trap");
        let address = listener.local_addr().expect("the trap's port");
        let pages: Arc<Mutex<BTreeMap<String, Page>>> = Arc::default();
        let strays: Arc<Mutex<Vec<String>>> = Arc::default();
        let (known, written) = (Arc::clone(&pages), Arc::clone(&strays));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, written) = (Arc::clone(&known), Arc::clone(&written));
                thread::spawn(move || serve(stream, &known, &written));
            }
        });
        Self { address, pages, strays }
    }

    /// Puts a page at `http://mail.test{path}`.
    pub fn put(&self, path: &str, page: Page) {
        self.pages.lock().expect("the pages").insert(path.to_owned(), page);
    }

    /// Takes all pages away, and what was written down.
    pub fn clear(&self) {
        self.pages.lock().expect("the pages").clear();
        self.strays.lock().expect("the strays").clear();
    }

    /// Every request so far that was for none of the pages: method and address.
    pub fn strays(&self) -> Vec<String> {
        self.strays.lock().expect("the strays").clone()
    }
}

/// Requests of one connection, one after the other.
fn serve(stream: TcpStream, pages: &Mutex<BTreeMap<String, Page>>, strays: &Mutex<Vec<String>>) {
    let Ok(mut answers) = stream.try_clone() else { return };
    let mut requests = BufReader::new(stream);
    while let Some(request) = request(&mut requests) {
        let (method, address) = request;
        let path =
            address.strip_prefix("http://").and_then(|rest| rest.strip_prefix(HOST)).unwrap_or_default();
        let page = pages.lock().expect("the pages").get(path).filter(|_| method == "GET").cloned();
        let page = page.unwrap_or_else(|| {
            // Browsers ask for it of their own accord.
            if path != "/favicon.ico" {
                strays.lock().expect("the strays").push(format!("{method} {address}"));
            }
            Page { headers: Vec::new(), body: Vec::new() }
        });
        let mut head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", page.body.len());
        for (name, value) in &page.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if answers.write_all(&[head.as_bytes(), &page.body].concat()).is_err() || method == "CONNECT" {
            return;
        }
    }
}

/// The next request: its method and its whole address. Its content is read and thrown away.
fn request(from: &mut impl BufRead) -> Option<(String, String)> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, address) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut field = String::new();
        from.read_line(&mut field).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = field.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    from.take(length).read_to_end(&mut Vec::new()).ok()?;
    Some((method, address))
}
