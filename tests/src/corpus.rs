//! The open corpus of real and hostile mail, read where it lies beside the repository. Its absence is a failure.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::root;

/// One message, with line ends as an SMTP client sends them.
pub struct Message {
    /// Path in the corpus, with the number within a mailbox file.
    pub name: String,
    /// Every line feed alone made CRLF; everything else as it was.
    pub bytes: Vec<u8>,
    /// The author addresses, where independent parsers agree.
    pub authors: Option<Vec<String>>,
}

impl Message {
    /// Whether no conforming client could send it: a carriage return alone, or NUL.
    pub fn is_unsendable(&self) -> bool {
        let mut rest = self.bytes.iter().peekable();
        while let Some(byte) = rest.next() {
            if *byte == 0 || (*byte == b'\r' && rest.peek() != Some(&&b'\n')) {
                return true;
            }
        }
        false
    }

    /// What is behind the first empty line.
    pub fn body(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        end.map_or(&[], |end| &self.bytes[end + 4..])
    }

    /// As a server stores it: with the line end that DATA adds to a last line without one.
    pub fn sent(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if !bytes.ends_with(b"\r\n") {
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    let folder = root().join("../shared/corpus");
    assert!(
        folder.join("MANIFEST.tsv").exists(),
        "the corpus is not there: this test reads ../shared/corpus beside the repository and cannot do without it"
    );
    folder
}

/// Every message under `mail/`; panics when the count is not the manifest's.
pub fn messages() -> Vec<Message> {
    let folder = folder();
    let mut authors = expected_authors();
    let manifest = fs::read_to_string(folder.join("MANIFEST.tsv")).expect("the manifest");
    let mut messages = Vec::new();
    for line in manifest.lines().filter(|line| line.starts_with("mail/")) {
        let mut columns = line.split('\t');
        let (path, count) = (columns.next().expect("a path"), columns.nth(1).expect("a count"));
        let count: usize = count.parse().expect("a number of messages");
        let bytes = fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let parts = if path.ends_with(".mbox") { split(&bytes) } else { vec![bytes.as_slice()] };
        assert_eq!(parts.len(), count, "messages in {path}");
        for (number, part) in parts.iter().enumerate() {
            let authors = if count == 1 { authors.remove(path) } else { None };
            messages.push(Message { name: format!("{path}#{number}"), bytes: with_crlf(part), authors });
        }
    }
    messages
}

/// `from` of the expected values, by path.
fn expected_authors() -> HashMap<String, Vec<String>> {
    let text = fs::read_to_string(folder().join("oracle/expected.jsonl")).expect("the expected values");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    rows.filter_map(|row| {
        let path = row["file"].as_str().expect("a path").to_owned();
        let list = row["from"].as_array()?;
        let authors = list.iter().filter_map(|one| one.as_str()).map(str::to_owned).collect();
        Some((path, authors))
    })
    .collect()
}

/// The messages of an mbox file: each behind a line `From WHO … HH:MM …`, as the manifest counts them.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut place = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let time =
            |four: &[u8]| four[2] == b':' && [0, 1, 3, 4].iter().all(|digit| four[*digit].is_ascii_digit());
        if line.starts_with(b"From ") && line.windows(5).any(time) {
            starts.push((place, place + line.len()));
        }
        place += line.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([bytes.len()]);
    starts.iter().zip(ends).map(|((_, begin), end)| &bytes[*begin..end]).collect()
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 20);
    let mut before = 0;
    for byte in bytes {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out
}
