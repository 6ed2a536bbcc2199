//! Passwords that everybody knows: a short list of our own, and the list of breached ones that an operator may download.
//!
//! The downloaded list stays on this disk and no password leaves the process, so nobody learns which one was looked up.
//! The file is the one that Have I Been Pwned offers, ordered by hash: lines of a SHA-1 digest in hexadecimal, or its
//! beginning, and perhaps `:` and a count. It is tens of gigabytes, so it is searched where it lies and never read whole.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;

/// Long enough for the rules of a password, and tried first by everybody. What is in the file need not be here.
const COMMON: &[&str] = &[
    "111111111111",
    "123123123123",
    "1234567890ab",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
    "administrator",
    "adminadminadmin",
    "changemechangeme",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "letmeinletmein",
    "liverpool123",
    "manchester123",
    "mypassword123",
    "password1234",
    "password12345",
    "password123!",
    "passwordpassword",
    "p@ssw0rd1234",
    "posternpostern",
    "q1w2e3r4t5y6",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop123",
    "qwertyuiop[]",
    "sunshine1234",
    "thisismypassword",
    "welcome12345",
    "zaq12wsxcde3",
];

/// Shortest digest a line may begin with, in digits: fewer would match half of all passwords.
const SHORTEST: usize = 10;
/// No line is longer: 40 digits, a count, the end of the line.
const LINE: usize = 64;

/// What a password is looked up in.
#[derive(Debug, Clone, Default)]
pub struct Breached {
    file: Option<PathBuf>,
}

/// The list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BreachedError {
    #[error("the list of breached passwords {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "{path} is no list of breached passwords: a line is a SHA-1 digest in hexadecimal (at least 10 digits), then \
         perhaps `:` and a count, and the lines are in order; download the list that is ordered by hash"
    )]
    Form { path: PathBuf },
}

impl Breached {
    /// The list in this file beside our own; the file is looked into once, so that a wrong one is found at the start.
    pub fn in_file(path: &Path) -> Result<Self, BreachedError> {
        let list = Self { file: Some(path.to_owned()) };
        list.look_up(&[0; 40])?;
        Ok(list)
    }

    /// Whether a password is known to the world. Reads the disk: callers on an async runtime use `spawn_blocking`.
    pub fn holds(&self, password: &str) -> Result<bool, BreachedError> {
        let plain = password.to_lowercase();
        if COMMON.contains(&plain.as_str()) || is_monotonous(password) {
            return Ok(true);
        }
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let mut digits = [0; 40];
        for (place, byte) in digits.chunks_exact_mut(2).zip(digest.as_ref()) {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            place[0] = HEX[usize::from(byte >> 4)];
            place[1] = HEX[usize::from(byte & 15)];
        }
        self.look_up(&digits)
    }

    fn look_up(&self, digits: &[u8; 40]) -> Result<bool, BreachedError> {
        let Some(path) = &self.file else { return Ok(false) };
        let unreadable = |source| BreachedError::Unreadable { path: path.clone(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        // Between two places that are beginnings of lines lies the line, if there is one.
        let (mut from, mut to) = (0, length);
        while from < to {
            let middle = from + (to - from) / 2;
            let (start, text, next) = line_at(&mut file, middle, from, length).map_err(unreadable)?;
            let known = text.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
            let sound = (SHORTEST..=40).contains(&known.len()) && known.iter().all(u8::is_ascii_hexdigit);
            if !sound {
                return Err(BreachedError::Form { path: path.clone() });
            }
            let known = known.to_ascii_uppercase();
            match known.as_slice().cmp(&digits[..known.len()]) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => from = next,
                std::cmp::Ordering::Greater => to = start,
            }
        }
        Ok(false)
    }
}

/// The line that holds the byte at `place`: where it begins (not before `from`), its text, where the next one begins.
fn line_at(file: &mut File, place: u64, from: u64, length: u64) -> io::Result<(u64, Vec<u8>, u64)> {
    let back = place.saturating_sub(LINE as u64).max(from);
    file.seek(SeekFrom::Start(back))?;
    let mut around = Vec::with_capacity(3 * LINE);
    file.take(3 * LINE as u64).read_to_end(&mut around)?;
    let here = usize::try_from(place - back).unwrap_or(0).min(around.len());
    let begin = around[..here].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let rest = &around[begin..];
    let end = rest.iter().position(|byte| *byte == b'\n');
    let text = &rest[..end.unwrap_or(rest.len())];
    let next = end.map_or(length, |end| back + (begin + end) as u64 + 1);
    Ok((back + begin as u64, text.to_vec(), next))
}

/// One character again and again, or a row of neighbours such as `abcdefghijkl`.
fn is_monotonous(password: &str) -> bool {
    let steps: Vec<i64> = password
        .chars()
        .zip(password.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    steps.first().is_some_and(|first| first.abs() <= 1 && steps.iter().all(|step| step == first))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn digits(password: &str) -> String {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    #[test]
    fn the_common_ones_need_no_file() {
        let list = Breached::default();
        for known in
            ["Password1234", "correcthorsebatterystaple", "aaaaaaaaaaaaaa", "abcdefghijklm", "987654321098"]
        {
            assert_eq!(list.holds(known).unwrap(), known != "987654321098", "{known}");
        }
        assert!(!list.holds("copper lantern on the quay").unwrap());
    }

    #[test]
    fn every_line_of_a_file_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached");
        for count in [1_usize, 2, 3, 7, 100, 1_000] {
            let mut lines: Vec<String> =
                (0..count).map(|n| format!("{}:{}", digits(&format!("known {n}")), n * 7919)).collect();
            lines.sort();
            for end in ["\n", "\r\n"] {
                fs::write(&path, lines.join(end)).unwrap();
                let list = Breached::in_file(&path).unwrap();
                for n in 0..count {
                    assert!(list.holds(&format!("known {n}")).unwrap(), "{n} of {count}");
                    assert!(!list.holds(&format!("unknown {n}")).unwrap(), "{n} of {count}");
                }
            }
        }
    }

    #[test]
    fn beginnings_of_digests_are_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached");
        let mut lines: Vec<String> =
            (0..50).map(|n| digits(&format!("known {n}"))[..16].to_lowercase()).collect();
        lines.sort();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let list = Breached::in_file(&path).unwrap();
        assert!((0..50).all(|n| list.holds(&format!("known {n}")).unwrap()));
        assert!(!list.holds("known 50").unwrap());
    }

    #[test]
    fn another_file_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached");
        assert!(matches!(Breached::in_file(&path), Err(BreachedError::Unreadable { .. })));
        for wrong in ["password\n", "ABCDE\n", &"A".repeat(500), "zzzzzzzzzzzz\n"] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(Breached::in_file(&path), Err(BreachedError::Form { .. })), "{wrong}");
        }
        fs::write(&path, "").unwrap();
        assert!(!Breached::in_file(&path).unwrap().holds("copper lantern on the quay").unwrap());
    }
}
