//! Headless Chromium, driven over the WebDriver protocol (W3C) by Debian's chromedriver. Looks up no host name and
//! connects nowhere but loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::exchange;
use crate::process::{Running, program};
use crate::wait;

/// What an element reference is called in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    driver: Driver,
    session: String,
    folder: TempDir,
    _process: Running,
}

/// Where chromedriver listens.
struct Driver(String);

/// An element of the page that is open.
pub struct Element<'b> {
    browser: &'b Browser,
    id: String,
}

impl Driver {
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.0,
            body.len()
        );
        let answer = exchange(&self.0, &[head.as_bytes(), body.as_bytes()].concat());
        let mut said: Value = serde_json::from_slice(&answer.body).expect("JSON from chromedriver");
        match answer.status {
            200 => Ok(said["value"].take()),
            _ => Err(said["value"]["message"].as_str().unwrap_or("no reason given").to_owned()),
        }
    }
}

impl Browser {
    pub fn start() -> Self {
        Self::start_with(&["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"])
    }

    /// One for which `proxy` is all there is.
    pub fn behind(proxy: SocketAddr) -> Self {
        // "<-loopback>": not even addresses of this machine are reached without it.
        Self::start_with(&[&format!("--proxy-server=http://{proxy}"), "--proxy-bypass-list=<-loopback>"])
    }

    /// `network`: the switches that say what it reaches.
    fn start_with(network: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("postern-browser-").tempdir().expect("a folder");
        let mut command = program("chromedriver");
        command.arg("--port=0").env("HOME", folder.path()).env("TMPDIR", folder.path());
        let mut process = Running::start("chromedriver", command, &folder.path().join("stderr.log"));
        let port = loop {
            let line = process.line();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let driver = Driver(format!("127.0.0.1:{port}"));
        let started = driver.call("POST", "/session", &capabilities(folder.path(), network));
        let started = started.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let session = started["sessionId"].as_str().expect("a session").to_owned();
        let browser = Self { driver, session, folder, _process: process };
        let place = browser.downloads();
        browser.devtools("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": place}));
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.driver.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn good(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn open(&self, url: &str) {
        self.good("POST", "/url", &json!({"url": url}));
    }

    pub fn url(&self) -> String {
        self.good("GET", "/url", &Value::Null).as_str().expect("an address").to_owned()
    }

    pub fn title(&self) -> String {
        self.good("GET", "/title", &Value::Null).as_str().expect("a title").to_owned()
    }

    /// The first element that the CSS selector finds, once there is one.
    pub fn find(&self, css: &str) -> Element<'_> {
        let query = json!({"using": "css selector", "value": css});
        let found = wait::until(css, || self.call("POST", "/element", &query).ok());
        Element { browser: self, id: found[ELEMENT].as_str().expect("an element").to_owned() }
    }

    /// The element that takes what is typed.
    pub fn active(&self) -> Element<'_> {
        let found = self.good("GET", "/element/active", &Value::Null);
        Element { browser: self, id: found[ELEMENT].as_str().expect("an element").to_owned() }
    }

    /// How many elements the CSS selector finds now.
    pub fn count(&self, css: &str) -> usize {
        let query = json!({"using": "css selector", "value": css});
        self.good("POST", "/elements", &query).as_array().map_or(0, Vec::len)
    }

    /// Switches into the frame, for all that follows until [`leave`](Self::leave).
    pub fn enter(&self, css: &str) {
        let frame = self.find(css).id;
        self.good("POST", "/frame", &json!({"id": {ELEMENT: frame}}));
    }

    /// Back to the page itself.
    pub fn leave(&self) {
        self.good("POST", "/frame", &json!({"id": null}));
    }

    /// The value of a script run in the page.
    pub fn script(&self, script: &str) -> Value {
        self.good("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script run in the page gives to the function that is its last argument.
    pub fn script_that_calls_back(&self, script: &str) -> Value {
        self.good("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.good("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Shows pages as on a screen of that size in CSS pixels, in `light` or `dark`.
    pub fn screen(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &feature);
    }

    /// The whole page as PNG, also what has to be scrolled to.
    pub fn screenshot(&self, file: &Path) {
        let taken = self.devtools("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        let png = STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64");
        fs::write(file, png).expect("a file for the picture");
    }

    /// Where downloads go.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    /// Clicks a link and gives the one file that it downloads: its name and its bytes.
    pub fn download(&self, css: &str) -> (String, Vec<u8>) {
        let folder = self.downloads();
        for old in fs::read_dir(&folder).into_iter().flatten().flatten() {
            fs::remove_file(old.path()).expect("an old download");
        }
        self.find(css).click();
        wait::until("a download", || {
            let files: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
            let [file] = &files[..] else { return None };
            let name = file.file_name().to_string_lossy().into_owned();
            let unfinished = name.ends_with(".crdownload") || name.starts_with('.');
            (!unfinished).then(|| (name, fs::read(file.path()).expect("a download")))
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium; chromedriver itself ends with its process.
        let _ = self.call("DELETE", "", &Value::Null);
    }
}

impl Element<'_> {
    fn good(&self, method: &str, path: &str, body: &Value) -> Value {
        self.browser.good(method, &format!("/element/{}{path}", self.id), body)
    }

    pub fn click(&self) {
        self.good("POST", "/click", &json!({}));
    }

    pub fn types(&self, text: &str) {
        self.good("POST", "/value", &json!({"text": text}));
    }

    /// The text as a reader sees it.
    pub fn text(&self) -> String {
        self.good("GET", "/text", &Value::Null).as_str().expect("a text").to_owned()
    }
}

fn capabilities(folder: &Path, network: &[&str]) -> Value {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut arguments = vec![
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        &profile,
    ];
    arguments.extend(network);
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments},
    }}})
}
