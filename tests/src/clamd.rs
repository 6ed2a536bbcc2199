//! A real ClamAV daemon with one signature of its own, that of the EICAR test string: its configuration, database and
//! socket in a folder of the test. Loads nothing from the net and touches nothing of a ClamAV that the machine may have.

use std::fmt::Write;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::corpus;
use crate::process::{Running, program, run_with};
use crate::wait;

/// The test string that every virus scanner takes for a virus, out of the corpus.
pub fn test_string() -> Vec<u8> {
    let file = corpus::folder().join("protocol/eicar/eicar.b64");
    let encoded = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    STANDARD.decode(encoded.trim()).expect("the test string in base64")
}

const ZIP: &str = "
import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(sys.argv[1], sys.stdin.buffer.read())
sys.stdout.buffer.write(out.getvalue())
";

/// An archive with one file, deflated.
pub fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
    run_with(program("python3").args(["-c", ZIP, name]), content).good("python3 makes a zip").stdout
}

pub struct Clamd {
    process: Running,
}

impl Clamd {
    /// Where one in `folder` listens, whether it runs or not.
    pub fn socket(folder: &Path) -> PathBuf {
        folder.join("clamd/clamd.sock")
    }

    /// Starts it in `folder`, with a database of one signature; it answers when this returns.
    pub fn start(folder: &Path) -> Self {
        let here = folder.join("clamd");
        fs::create_dir_all(here.join("database")).expect("a folder for clamd");
        let pattern = test_string().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        // Any kind of file, at any place.
        fs::write(here.join("database/local.ndb"), format!("Test.String:0:*:{pattern}\n"))
            .expect("the signature");
        let socket = Self::socket(folder);
        let conf = format!(
            "Foreground yes\nDatabaseDirectory {0}/database\nTemporaryDirectory {0}\nLocalSocket {1}\n\
             LogFile {0}/clamd.log\nMaxThreads 4\n",
            here.display(),
            socket.display()
        );
        fs::write(here.join("clamd.conf"), conf).expect("clamd.conf");
        let mut command = program("clamd");
        command.arg("-c").arg(here.join("clamd.conf"));
        let process = Running::start("clamd", command, &here.join("stderr.log"));
        wait::until_true("clamd to answer", || answers(&socket));
        Self { process }
    }

    /// SIGTERM; it is gone when this returns.
    pub fn stop(mut self) {
        self.process.signal("TERM");
        self.process.wait();
    }
}

fn answers(socket: &Path) -> bool {
    let asked = UnixStream::connect(socket).and_then(|mut stream| {
        stream.write_all(b"zPING\0")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    });
    asked.is_ok_and(|answer| answer == b"PONG\0")
}
