//! The server as an administrator meets it: ready lines, tools beside it, new certificates, stopping.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod installation;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use installation::{Installation, Server};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// The certificate that a TLS peer at `address` shows, after a word of SMTP where there is one.
fn certificate(installation: &Installation, address: &str, starttls: bool) -> Vec<u8> {
    certs::install_provider();
    let mut stream = TcpStream::connect(address).unwrap();
    if starttls {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        dialogue(&mut stream, &mut lines, "");
        dialogue(&mut stream, &mut lines, "EHLO test.example\r\n");
        dialogue(&mut stream, &mut lines, "STARTTLS\r\n");
    }
    let config: Arc<ClientConfig> =
        certs::client_config(Some(&installation.home().join("ca/ca.pem"))).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(config, name).unwrap(), stream);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    tls.conn.peer_certificates().unwrap()[0].to_vec()
}

fn dialogue(stream: &mut TcpStream, lines: &mut impl BufRead, say: &str) {
    stream.write_all(say.as_bytes()).unwrap();
    let mut line = String::new();
    loop {
        line.clear();
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with('2'), "{line}");
        if line.as_bytes()[3] == b' ' {
            return;
        }
    }
}

fn shown(installation: &Installation, server: &Server) -> [Vec<u8>; 3] {
    let portal = server.place("portal").trim_start_matches("https://");
    [
        certificate(installation, server.place("smtp"), true),
        certificate(installation, server.place("submissions"), false),
        certificate(installation, portal, false),
    ]
}

#[test]
fn new_certificates_are_taken_and_bad_ones_are_not() {
    let installation = Installation::new();
    let server = installation.serve();
    let first = shown(&installation, &server);

    let authority = certs::Authority::load(&installation.home().join("ca")).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let (pem, key) = (installation.home().join("tls/server.pem"), installation.home().join("tls/server.key"));
    authority.issue_server(&names).unwrap().save(&pem, &key).unwrap();
    server.signal("HUP");
    server.logs("certificates read again");
    server.logs("certificates read again");
    let second = shown(&installation, &server);
    for (before, after) in first.iter().zip(&second) {
        assert!(before != after, "the old certificate is still shown");
    }

    fs::write(&pem, "not a certificate").unwrap();
    server.signal("HUP");
    server.logs("the old one stays");
    server.logs("the old one stays");
    assert!(shown(&installation, &server) == second, "the certificate changed to a bad one");
}

#[test]
fn tools_reach_the_ledger_of_a_running_server() {
    let installation = Installation::new();
    let server = installation.serve();
    let socket = installation.home().join("data/control.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(installation.json(&["health"])["ready"], true);
    let group = "[[group]]\nid = \"alpha\"\nname = \"Alpha\"\ndomains = [\"alpha.example\"]\n";
    let file = installation.file("market.toml", group);
    assert_eq!(installation.good(&["directory", "import", &file]), "add group alpha\n");
    let during = installation.good(&["directory", "export"]);
    assert!(installation.bad(1, &["user", "reset", "x@alpha.example"]).contains("there is no user"));
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));
    assert!(!socket.exists());
    assert_eq!(installation.good(&["directory", "export"]), during);
}

#[test]
fn a_socket_left_behind_is_in_nobodys_way() {
    let installation = Installation::new();
    let server = installation.serve();
    server.signal("KILL");
    assert_eq!(server.ends(), None);
    assert!(installation.home().join("data/control.sock").exists());
    assert!(installation.bad(1, &["health"]).contains("no server runs"));
    installation.good(&["directory", "list"]);
    let server = installation.serve();
    assert_eq!(installation.json(&["health"])["ready"], true);
    drop(server);
}

#[test]
fn two_servers_do_not_share_a_ledger() {
    let installation = Installation::new();
    let server = installation.serve();
    let said = installation.bad(1, &["serve"]);
    assert!(said.contains("in use by another Postern process"), "{said}");
    // The refused one did not take the first one's socket away.
    assert_eq!(installation.json(&["health"])["ready"], true);
    drop(server);
}

#[test]
fn a_second_sigterm_ends_at_once() {
    let installation = Installation::new();
    let text =
        fs::read_to_string(installation.config()).unwrap().replace("drain = \"2 s\"", "drain = \"10 min\"");
    fs::write(installation.config(), text).unwrap();
    let server = installation.serve();
    // A tool that is in the middle of its request is waited for.
    let mut unfinished = UnixStream::connect(installation.home().join("data/control.sock")).unwrap();
    unfinished.write_all(b"{").unwrap();
    server.signal("TERM");
    server.logs("stopping");
    server.signal("TERM");
    server.logs("stopped at once");
    assert_eq!(server.ends(), Some(0));
}

#[test]
fn metrics_are_numbers() {
    let installation = Installation::new();
    let server = installation.serve();
    let fetch = |path: &str| {
        let mut stream = TcpStream::connect(server.place("metrics")).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let metrics = fetch("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(metrics.contains("\npostern_ready 1\n"), "{metrics}");
    assert!(metrics.contains("\npostern_notices{standing=\"waiting\"} 0\n"), "{metrics}");
    assert!(fetch("/health").ends_with("ready\n"));
}
