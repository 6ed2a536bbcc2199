//! A real name server (dnsmasq) on a port of its own, with the TXT records that a test gives it and no others; and one
//! that never answers.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::process::{Running, program};
use crate::wait;

/// Ends when it is dropped.
pub struct NameServer {
    pub address: SocketAddr,
    _process: Running,
}

impl NameServer {
    /// Starts one in `folder` that knows all of `.example`, with these TXT records.
    pub fn start(folder: &Path, records: &[(String, String)]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = program("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=",
        ]);
        command.args(["--bind-interfaces", "--listen-address=127.0.0.1", "--local=/example/", "--pid-file="]);
        command.arg(format!("--port={}", address.port()));
        for (name, text) in records {
            // Strings of at most 255 bytes (RFC 1035 §3.3.14); a reader puts them together.
            let strings: Vec<_> = text.as_bytes().chunks(200).map(String::from_utf8_lossy).collect();
            command.arg(format!("--txt-record={name},{}", strings.join(",")));
        }
        let process = Running::start("dnsmasq", command, &folder.join("dnsmasq.log"));
        wait::until_true("dnsmasq to listen", || TcpListener::bind(address).is_err());
        Self { address, _process: process }
    }
}

/// A name server that takes questions and says nothing. It listens as long as it is kept.
pub fn silent() -> (SocketAddr, UdpSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    (socket.local_addr().expect("its number"), socket)
}

/// A port that nobody else is given by chance: below the range that the kernel draws from.
fn free_port() -> u16 {
    // Several tests of one process start at the same time, where there is no runner with a process for each.
    static STARTED: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 500).expect("below 500");
    let first = 18_000 + process + STARTED.fetch_add(10, Ordering::SeqCst) % 500;
    (first..first + 10)
        .find(|port| {
            UdpSocket::bind(("127.0.0.1", *port)).is_ok() && TcpListener::bind(("127.0.0.1", *port)).is_ok()
        })
        .expect("a free port for dnsmasq")
}
