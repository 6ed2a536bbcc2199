//! A zip file on its way out: what is written leaves at once, so that nothing of it but its table of contents stays in memory.
//!
//! Files are stored and not compressed: what is in mail is compressed already or small, and a reader's waiting time is better
//! spent on opening seals. A name is made a name by [`crate::file_names`] before it comes here; here it is made the only one
//! of its folder, on systems that do not tell `A` from `a` too.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What is longer than this is written with 64-bit sizes (APPNOTE 6.3.10 §4.3.9.2): decoding a container may make
/// sixteen times of it.
const SMALL: u64 = 256 * 1024 * 1024;

/// Written bytes that have not left yet.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<Vec<u8>>>);

impl Waiting {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Waiting>>,
    waiting: Waiting,
    folder: String,
    /// Names of the folder that is being filled, in lower case, each with the number that the next of its name gets.
    names: HashMap<String, u32>,
    at: DateTime,
}

impl Archive {
    pub(super) fn new(at: Timestamp) -> Self {
        let waiting = Waiting::default();
        Self {
            zip: ZipWriter::new_stream(waiting.clone()),
            waiting,
            folder: String::new(),
            names: HashMap::new(),
            at: written(at),
        }
    }

    /// What follows lies in this folder; names of another one are forgotten, so a folder is filled once.
    pub(super) fn folder(&mut self, path: &str) {
        path.clone_into(&mut self.folder);
        self.names.clear();
    }

    /// Begins a file of about this size.
    pub(super) fn begin(&mut self, name: &str, size: u64) -> Result<(), zip::result::ZipError> {
        let name = self.only(name);
        let path = format!("{}/{name}", self.folder);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(self.at)
            .unix_permissions(0o600)
            .large_file(size >= SMALL);
        self.zip.start_file(path, options)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.zip.write_all(bytes)
    }

    /// What was written since.
    pub(super) fn take(&self) -> Bytes {
        self.waiting.take()
    }

    /// The table of contents.
    pub(super) fn finish(self) -> Result<Bytes, zip::result::ZipError> {
        self.zip.finish()?;
        Ok(self.waiting.take())
    }

    /// The name, with a number if the folder has it already.
    fn only(&mut self, name: &str) -> String {
        let asked = name.to_lowercase();
        // The number goes on where it stopped: a thousand equal names are not a million tries.
        let mut number = self.names.get(&asked).copied().unwrap_or_default();
        loop {
            let wanted = numbered(name, number);
            number += 1;
            let taken = wanted.to_lowercase();
            if !self.names.contains_key(&taken) {
                self.names.insert(taken, 1);
                self.names.insert(asked, number);
                return wanted;
            }
        }
    }
}

/// `x (2).pdf`; with no number it is itself.
fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (0, _) => name.to_owned(),
        (_, Some((stem, suffix))) => format!("{stem} ({number}).{suffix}"),
        (_, None) => format!("{name} ({number})"),
    }
}

/// The time as zip files have it: without a zone, here always UTC; none before 1980.
fn written(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC);
    let number = |part: i8| u8::try_from(part).unwrap_or_default();
    let (date, time) = (at.date(), at.time());
    let year = u16::try_from(date.year()).unwrap_or_default();
    let (month, day) = (number(date.month()), number(date.day()));
    let (hour, minute, second) = (number(time.hour()), number(time.minute()), number(time.second()));
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What another implementation finds in it, after it has checked every sum.
    fn names(bytes: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("case.zip");
        std::fs::write(&file, bytes).unwrap();
        let program = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                       print('\\n'.join(z.namelist()))";
        let answer = Command::new("python3").arg("-c").arg(program).arg(&file).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_name_is_the_only_one_of_its_folder() {
        let mut archive = Archive::new(Timestamp::UNIX_EPOCH);
        let mut bytes = Vec::new();
        for folder in ["a", "b"] {
            archive.folder(folder);
            for name in ["x.pdf", "X.PDF", "x (1).pdf", "x.pdf", "x", "x"] {
                archive.begin(name, 1).unwrap();
                archive.write(b"1").unwrap();
            }
            bytes.extend_from_slice(&archive.take());
        }
        bytes.extend_from_slice(&archive.finish().unwrap());
        let found = names(&bytes);
        let alone: std::collections::HashSet<_> = found.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!((found.len(), alone.len()), (12, 12), "{found:?}");
        assert_eq!(&found[..2], ["a/x.pdf", "a/X (1).PDF"]);
    }

    #[test]
    fn seventy_thousand_files_of_one_name_and_one_that_says_it_is_large() {
        let mut archive = Archive::new(Timestamp::from_second(1_780_000_000).unwrap());
        archive.folder("many");
        let mut bytes = Vec::new();
        for _ in 0..70_000 {
            archive.begin("same.txt", 4).unwrap();
            archive.write(b"same").unwrap();
            let left = archive.take();
            assert!(left.len() < 1_000, "nothing waits");
            bytes.extend_from_slice(&left);
        }
        archive.begin("large.bin", SMALL).unwrap();
        archive.write(&[7; 100_000]).unwrap();
        bytes.extend_from_slice(&archive.take());
        bytes.extend_from_slice(&archive.finish().unwrap());
        let found = names(&bytes);
        assert_eq!((found.len(), found[69_999].as_str()), (70_001, "many/same (69999).txt"));
    }
}
