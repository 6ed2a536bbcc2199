//! A running sample market with its `demo.json`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::postern::{self, Server};

pub struct Demo {
    pub server: Server,
    /// `demo.json` as the server wrote it.
    pub written: Value,
    folder: TempDir,
}

impl Demo {
    /// Starts it on free ports, in a folder of its own.
    pub fn start() -> Self {
        Self::start_in(tempfile::Builder::new().prefix("postern-demo-").tempdir().expect("a folder"))
    }

    /// Stops it and starts it on the same folder.
    pub fn again(self) -> Self {
        let Self { server, folder, .. } = self;
        server.stop();
        Self::start_in(folder)
    }

    fn start_in(folder: TempDir) -> Self {
        let mut command = Command::new(postern::binary());
        command.arg("demo").arg("--dir").arg(folder.path().join("demo"));
        for listener in ["--smtp", "--submission", "--portal"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        let server = Server::start(command, &folder.path().join("stderr.log"));
        let text = fs::read(folder.path().join("demo/demo.json")).expect("demo.json");
        let written = serde_json::from_slice(&text).expect("JSON in demo.json");
        Self { server, written, folder }
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("demo")
    }

    /// The folder with one file for each mail that left.
    pub fn outbox(&self) -> PathBuf {
        self.folder().join(self.written["outbox"].as_str().expect("the outbox"))
    }

    /// The mails that left so far.
    pub fn left(&self) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.outbox()).expect("the outbox").flatten();
        let mails = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "eml"));
        mails.map(|file| fs::read(file.path()).expect("a mail in the outbox")).collect()
    }

    /// The users of a group: e-mail address, password, role, number of permissions.
    pub fn users(&self, group: &str) -> Vec<(String, String, String, usize)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let users = self.written["users"].as_array().expect("users");
        let of_group = users.iter().filter(|user| user["group"] == group);
        of_group
            .map(|user| {
                let permissions = user["permissions"].as_array().map_or(0, Vec::len);
                (text(&user["email"]), text(&user["password"]), text(&user["role"]), permissions)
            })
            .collect()
    }
}
