//! A fresh installation in a folder of its own, tools run on it, and a server that is killed when dropped.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Installation(TempDir);

impl Installation {
    /// `postern init`, then every listener on a free port of loopback.
    pub(crate) fn new() -> Self {
        let installation = Self(tempfile::tempdir().unwrap());
        let made = Command::new(env!("CARGO_BIN_EXE_postern"))
            .arg("init")
            .arg(installation.home())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = fs::read_to_string(installation.config()).unwrap();
        let changed = text
            .replace("#listen = [\"0.0.0.0:25\"]", "listen = [\"127.0.0.1:0\"]")
            .replace("#listen = [\"0.0.0.0:587\"]", "listen = [\"127.0.0.1:0\"]\n# 587")
            .replace("[submissions]", "[submissions]\nlisten = [\"127.0.0.1:0\"]")
            .replace("#listen = \"127.0.0.1:8080\"", "listen = \"127.0.0.1:0\"")
            .replace("#listen = \"127.0.0.1:9464\"", "listen = \"127.0.0.1:0\"")
            .replace("relay.example.org:587", "127.0.0.1:9")
            .replace("#drain = \"30 s\"", "drain = \"2 s\"");
        fs::write(installation.config(), changed).unwrap();
        installation
    }

    /// A folder in which a sample market will run.
    pub(crate) fn sample() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The sample market, on free ports.
    pub(crate) fn demo(&self) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.arg("demo").arg("--dir").arg(self.home());
        for listener in ["--smtp", "--submission", "--portal"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        Server::start(command)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.home().join("postern.toml")
    }

    /// A file beside the installation.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(arguments).arg("-c").arg(self.config()).output().unwrap()
    }

    /// What a tool that succeeds prints.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a tool that fails with `code` says.
    pub(crate) fn bad(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.good(&arguments)).unwrap()
    }

    pub(crate) fn serve(&self) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(["serve", "-c"]).arg(self.config());
        Server::start(command)
    }
}

pub(crate) struct Server {
    child: Child,
    log: Receiver<String>,
    pub(crate) ready: Vec<String>,
}

impl Server {
    /// Starts it and waits for its last ready line.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let ready = lines(child.stdout.take().unwrap());
        let log = lines(child.stderr.take().unwrap());
        let mut server = Self { child, log, ready: Vec::new() };
        loop {
            let line =
                ready.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no ready line: {}", server.said()));
            if line == "ready postern" {
                // From here on nobody reads it, but somebody must take it.
                std::thread::spawn(move || ready.iter().for_each(drop));
                return server;
            }
            server.ready.push(line);
        }
    }

    /// Where the listener of this name is.
    pub(crate) fn place(&self, name: &str) -> &str {
        let line = self.ready.iter().find_map(|line| line.strip_prefix(&format!("ready {name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {:?}", self.ready))
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for a line of the log that holds `words`.
    pub(crate) fn logs(&self, words: &str) -> String {
        loop {
            let line =
                self.log.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the log never said {words}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits for the end: the exit code.
    pub(crate) fn ends(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    fn said(&self) -> String {
        self.log.try_iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that ended by itself cannot be killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
