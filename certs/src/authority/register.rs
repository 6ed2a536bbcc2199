//! What a private CA signed and what it took back: `register.txt` beside its key, one line for each certificate, and the
//! revocation list made of it (RFC 5280 §5). It never forgets a certificate: a revoked one stays on the list until it
//! has expired.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rcgen::{RevocationReason, SerialNumber};

use crate::secret_file::{self, malformed};
use crate::{KeyError, KeyFileError, random};

const FILE: &str = "register.txt";

/// First line of the file: format and version. The fields of each further line are parted by tabs.
const HEADER: &str = "postern-ca-register-1";

/// What stands in the place of a fingerprint that is not known, of a certificate older than the register.
const UNKNOWN: &str = "-";

/// The serial number of a certificate, as its big-endian bytes; shown and read as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Server,
    Client,
}

/// Why a certificate was taken back (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Unspecified,
    /// Somebody else may have the key.
    KeyCompromise,
    /// A newer certificate took its place.
    Superseded,
    /// Its holder no longer takes part.
    CessationOfOperation,
}

/// A certificate of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub serial: Serial,
    /// SHA-256 of the certificate's DER bytes; none for one that was signed before there was a register.
    pub fingerprint: Option<[u8; 32]>,
    pub purpose: Purpose,
    /// Common name, of a server its first host name.
    pub name: String,
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
    pub revoked: Option<Revoked>,
}

/// When and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Seconds since 1970.
    pub at: i64,
    pub reason: Reason,
}

/// The register while it is being changed: nobody else changes it until this is dropped.
pub(super) struct Register {
    path: PathBuf,
    pub(super) entries: Vec<Entry>,
    _lock: File,
}

impl Register {
    /// Waits for whoever changes it now. A folder without a register has an empty one.
    pub(super) fn open(dir: &Path, certificate: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Read { path: certificate.into(), source };
        // The file that is always there, and never replaced, stands for the folder.
        let lock = File::open(certificate).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let path = dir.join(FILE);
        Ok(Self { entries: read(&path)?, path, _lock: lock })
    }

    pub(super) fn save(&self) -> Result<(), KeyFileError> {
        let mut text = format!("{HEADER}\n");
        for entry in &self.entries {
            text.push_str(&entry.to_string());
            text.push('\n');
        }
        secret_file::replace(&self.path, 0o600, text.as_bytes())
    }
}

/// What a folder's register says now.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(KeyFileError::Read { path: path.into(), source }),
    };
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, first)| first != HEADER) {
        return Err(malformed(path, format!("its first line is not `{HEADER}`")));
    }
    lines.map(|(at, line)| Entry::parse(line).ok_or_else(|| malformed(path, in_line(at + 1)))).collect()
}

pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

fn in_line(number: usize) -> String {
    format!("line {number} is not an entry; put the file back from a backup")
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [serial, fingerprint, purpose, not_after, revoked, name] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            serial: serial.parse().ok()?,
            fingerprint: match *fingerprint {
                UNKNOWN => None,
                digits => Some(unhex(digits)?.try_into().ok()?),
            },
            purpose: [Purpose::Server, Purpose::Client].into_iter().find(|one| one.as_str() == *purpose)?,
            name: (*name).to_owned(),
            not_after: not_after.parse().ok()?,
            revoked: match *revoked {
                "valid" => None,
                other => Some(Revoked::parse(other)?),
            },
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = self.fingerprint.map_or(UNKNOWN.to_owned(), |digest| hex(&digest));
        let state = match self.revoked {
            None => "valid".to_owned(),
            Some(revoked) => format!("{} {}", revoked.at, revoked.reason.as_str()),
        };
        let (serial, purpose, until) = (&self.serial, self.purpose.as_str(), self.not_after);
        write!(f, "{serial}\t{fingerprint}\t{purpose}\t{until}\t{state}\t{}", self.name)
    }
}

impl Revoked {
    fn parse(text: &str) -> Option<Self> {
        let (at, reason) = text.split_once(' ')?;
        Some(Self {
            at: at.parse().ok()?,
            reason: Reason::ALL.into_iter().find(|one| one.as_str() == reason)?,
        })
    }
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl Reason {
    pub const ALL: [Self; 4] =
        [Self::Unspecified, Self::KeyCompromise, Self::Superseded, Self::CessationOfOperation];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
        }
    }
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::KeyCompromise => Self::KeyCompromise,
            Reason::Superseded => Self::Superseded,
            Reason::CessationOfOperation => Self::CessationOfOperation,
        }
    }
}

impl Serial {
    /// 126 random bits, and a first byte that needs no sign byte before it, so that it has one form only.
    pub(super) fn fresh() -> Result<Self, KeyError> {
        let mut bytes: [u8; 16] = random()?;
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Ok(Self(bytes.to_vec()))
    }

    /// Out of a certificate, where a number whose first bit is set has a zero byte before it.
    pub(super) fn from_der(raw: &[u8]) -> Self {
        let leading = raw.iter().take_while(|&&byte| byte == 0).count().min(raw.len().saturating_sub(1));
        Self(raw.get(leading..).unwrap_or(raw).to_vec())
    }
}

impl From<&Serial> for SerialNumber {
    fn from(serial: &Serial) -> Self {
        Self::from_slice(&serial.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for Serial {
    type Err = &'static str;

    /// Hexadecimal digits, also parted by colons as other tools show them (RFC 5280 §4.1.2.2: at most 20 bytes).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match unhex(&text.replace(':', "")) {
            Some(bytes) if (1..=20).contains(&bytes.len()) => Ok(Self::from_der(&bytes)),
            _ => Err("a serial number is 2 to 40 hexadecimal digits"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let values: Vec<u8> =
        digits.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = values.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            serial: "7f00ff".parse().unwrap(),
            fingerprint: Some([0xab; 32]),
            purpose: Purpose::Client,
            name: "Alpha Energy".to_owned(),
            not_after: 1_800_000_000,
            revoked: None,
        }
    }

    #[test]
    fn entries_read_back_as_they_were_written() {
        let taken_back = |reason| Some(Revoked { at: 1_700_000_000, reason });
        let mut entries = vec![entry(), Entry { fingerprint: None, purpose: Purpose::Server, ..entry() }];
        entries.extend(Reason::ALL.map(|reason| Entry { revoked: taken_back(reason), ..entry() }));
        for entry in entries {
            assert_eq!(Entry::parse(&entry.to_string()), Some(entry));
        }
    }

    #[test]
    fn damaged_registers_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path());
        assert_eq!(read(&path).unwrap(), [], "none yet");
        let good = entry().to_string();
        let bad =
            ["", "x", &good[1..], &good.replace("client", "friend"), &good.replace("valid", "1 because")];
        for line in bad {
            fs::write(&path, format!("{HEADER}\n{good}\n{line}\n{good}\n")).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("line 3"), "{line}");
        }
        fs::write(&path, &good).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("first line"));
        fs::write(&path, format!("{HEADER}\n{good}\n")).unwrap();
        assert_eq!(read(&path).unwrap(), [entry()]);
    }

    #[test]
    fn serial_numbers_have_one_form() {
        let serial: Serial = "00:7F:00:FF".parse().unwrap();
        assert_eq!(serial, "7f00ff".parse().unwrap());
        assert_eq!(Serial::from_der(&[0, 0x80]), "80".parse().unwrap());
        for bad in ["", "7", "xy", "7f0", &"7f".repeat(21)] {
            assert!(bad.parse::<Serial>().is_err(), "{bad}");
        }
        let fresh = Serial::fresh().unwrap();
        assert_eq!(fresh.to_string().parse(), Ok(fresh.clone()));
        assert_ne!(fresh, Serial::fresh().unwrap());
    }
}
