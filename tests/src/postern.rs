//! The binary under test: where it is, one run of it, and a server that has said that it is ready.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{self, Output, Running};
use crate::{root, target};

/// `POSTERN_BIN`, or the program that `cargo build -p postern` made beside these tests. It is built when it is not
/// there at all; `tests/run` builds it first, so that it is the one of this source.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("POSTERN_BIN") {
            return PathBuf::from(given);
        }
        let built = target().join("postern");
        if !built.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut build = Command::new(cargo);
            build.args(["build", "--locked", "-p", "postern"]).current_dir(root());
            if built.components().any(|part| part.as_os_str() == "release") {
                build.arg("--release");
            }
            let status = build.status().expect("cargo runs");
            assert!(status.success(), "the binary under test does not build");
        }
        built
    })
}

/// Runs one command to its end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    process::run(Command::new(binary()).args(arguments))
}

/// A server whose ready lines have all been read.
pub struct Server {
    pub process: Running,
    /// Every `ready NAME WHERE`, in the order said, without `ready postern`.
    ready: Vec<(String, String)>,
}

impl Server {
    /// Starts `command` and reads its ready lines.
    pub fn start(command: Command, stderr: &Path) -> Self {
        let mut process = Running::start("postern", command, stderr);
        let mut ready = Vec::new();
        loop {
            let line = process.line();
            match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
                ["ready", "postern"] => return Self { process, ready },
                ["ready", name, place] => ready.push((name.to_owned(), place.to_owned())),
                _ => {}
            }
        }
    }

    fn place(&self, name: &str) -> &str {
        let mut places = self.ready.iter().filter(|(listener, _)| listener == name).map(|(_, place)| place);
        places.next().unwrap_or_else(|| panic!("no ready line for {name} in {:?}", self.ready))
    }

    fn socket(&self, name: &str) -> SocketAddr {
        let place = self.place(name);
        let address: SocketAddr = place.parse().unwrap_or_else(|_| panic!("ready {name} {place}"));
        assert_ne!(address.port(), 0, "the ready line names the port that was given");
        address
    }

    /// For the companies' mail systems.
    pub fn smtp(&self) -> SocketAddr {
        self.socket("smtp")
    }

    /// For staff mail clients.
    pub fn submission(&self) -> SocketAddr {
        self.socket("submission")
    }

    /// The same with TLS from the first byte, where the configuration has it.
    pub fn submissions(&self) -> SocketAddr {
        self.socket("submissions")
    }

    /// `http://127.0.0.1:PORT`.
    pub fn portal(&self) -> &str {
        self.place("portal")
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// SIGTERM: it drains and ends well, and never panicked.
    pub fn stop(mut self) -> String {
        self.process.signal("TERM");
        let status = self.process.wait();
        let said = self.process.stderr();
        assert!(status.success(), "SIGTERM ended it with {status}: {said}");
        no_panic(&said);
        said
    }
}

/// A panic of any thread says so on stderr.
pub fn no_panic(stderr: &str) {
    assert!(!stderr.contains("panicked at"), "it panicked:\n{stderr}");
}
