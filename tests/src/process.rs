//! Other programs: run to their end with a deadline, or kept running with their output captured. Ends only what it
//! started, by process id.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::wait;

/// What a program said and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    /// Stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stdout and stderr, for programs that talk on both.
    pub fn everything(&self) -> String {
        format!("{}{}", self.text(), self.stderr)
    }

    /// The same, when the program ended well.
    pub fn good(self, what: &str) -> Self {
        assert_eq!(self.code, Some(0), "{what}: {}", self.everything());
        self
    }
}

/// A command; says which Debian package is missing when the program is not there.
pub fn program(name: &str) -> Command {
    let known = ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"];
    let place = known.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    match place {
        Some(path) => Command::new(path),
        None => panic!("{name} is not on this machine; tests/run installs what the tests need"),
    }
}

/// Runs to the end.
pub fn run(command: &mut Command) -> Output {
    run_with(command, b"")
}

/// Runs to the end, with `input` on stdin; ends it and panics when it takes too long.
pub fn run_with(command: &mut Command, input: &[u8]) -> Output {
    let shown = format!("{command:?}");
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{shown}: {error}"));
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input has its reasons; its exit code says them.
        let _ = stdin.write_all(input);
    }
    let status = finish(&mut child, &shown);
    let stderr = stderr.join().expect("the reader of stderr");
    Output {
        code: status.code(),
        stdout: stdout.join().expect("the reader of stdout"),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn reader<R: Read + Send + 'static>(pipe: Option<R>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn finish(child: &mut Child, shown: &str) -> ExitStatus {
    let deadline = Instant::now() + wait::PATIENCE * 2;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{shown}: still running after {:?}", wait::PATIENCE * 2);
        }
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// A program that keeps running until it is told to stop or dropped.
pub struct Running {
    name: String,
    child: Child,
    lines: Receiver<String>,
    stdout: Arc<Mutex<String>>,
    stderr: PathBuf,
}

impl Running {
    /// Starts it. Its stderr goes to the file `stderr`, behind what is there.
    pub fn start(name: &str, mut command: Command, stderr: &Path) -> Self {
        let errors = File::options().create(true).append(true).open(stderr).expect("a file for stderr");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (sender, lines) = mpsc::channel();
        let stdout = Arc::new(Mutex::new(String::new()));
        let pipe = child.stdout.take().expect("stdout is a pipe");
        let said = Arc::clone(&stdout);
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut said = said.lock().expect("no reader panics");
                said.push_str(&line);
                said.push('\n');
                // Nobody waits for further lines once the program is ready.
                let _ = sender.send(line);
            }
        });
        Self { name: name.to_owned(), child, lines, stdout, stderr: stderr.to_owned() }
    }

    /// The next line of stdout.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(wait::PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                panic!("{} says nothing more; stderr:\n{}", self.name, self.stderr())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().expect("a child can be waited for");
                panic!("{} ended ({status}) too early; stderr:\n{}", self.name, self.stderr())
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("no reader panics").clone()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        run(program("sh").arg("-c").arg(format!("kill -{name} {}", self.pid()))).good("kill");
    }

    /// SIGKILL, and gone when this returns.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait::until(&what, || self.ended())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
