//! Files that nobody can look into without a key: password-protected archives, encrypted documents and messages,
//! rights-managed mail.
//! Watches a file's decoded bytes pass, keeps a few of them, and never says what an open file holds.

use memchr::memmem;

/// Bytes that decide which kind of file it is.
const BEGINNING: usize = 8;
const ZIP: &[u8] = b"PK\x03\x04";
const PDF: &[u8] = b"%PDF-";
/// A compound file (MS-CFB §2.2): old Office documents, and the wrapping of encrypted new ones.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// MS-OXORMMS §2.2.4
const RIGHTS_MANAGED: &[u8] = b"\x76\xe8\x04\x60\xc4\x11\xe3\x86";
/// The trailer of an encrypted PDF names its encryption dictionary (ISO 32000-1 §7.6.1).
const PDF_KEY: &[u8] = b"/Encrypt";
/// The stream in which an encrypted Office document lies (MS-OFFCRYPTO §2.3.4.4), in UTF-16.
const PACKAGE: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
/// How a file of OpenPGP in letters begins, and the rest of its first line (RFC 9580 §6.2); signatures and keys begin alike.
const ARMOUR: &[u8] = b"-----BEG";
const PGP_MESSAGE: &[u8] = b" PGP MESSAGE-----";
/// Fixed part of a local file header (APPNOTE.TXT §4.3.7).
const ZIP_HEADER: usize = 30;

/// Watches one file.
#[derive(Debug)]
pub(crate) struct Watch(Look);

#[derive(Debug)]
enum Look {
    Beginning(Vec<u8>),
    Zip {
        header: Vec<u8>,
        skip: u64,
    },
    Search(Search),
    /// Nothing more to see; whether the file is closed.
    Decided(bool),
}

/// Looks for a mark anywhere in a file.
#[derive(Debug)]
struct Search {
    mark: &'static [u8],
    /// The last bytes, in which a mark may have begun.
    tail: Vec<u8>,
}

impl Default for Watch {
    fn default() -> Self {
        Self(Look::Beginning(Vec::with_capacity(BEGINNING)))
    }
}

impl Watch {
    /// Takes the next bytes of the file.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Look::Beginning(beginning) => {
                beginning.extend_from_slice(bytes);
                if beginning.len() >= BEGINNING {
                    let beginning = std::mem::take(beginning);
                    self.0 = Look::at(&beginning);
                    self.feed(&beginning);
                }
            }
            Look::Zip { header, skip } => {
                if let Some(closed) = zip(header, skip, bytes) {
                    self.0 = Look::Decided(closed);
                }
            }
            Look::Search(search) => {
                if search.finds(bytes) {
                    self.0 = Look::Decided(true);
                }
            }
            Look::Decided(_) => {}
        }
    }

    /// Whether more of the file would change nothing.
    pub(crate) fn decided(&self) -> bool {
        matches!(self.0, Look::Decided(_))
    }

    /// Whether the file was seen to be closed.
    pub(crate) fn closed(&self) -> bool {
        matches!(self.0, Look::Decided(true))
    }
}

impl Look {
    fn at(beginning: &[u8]) -> Self {
        let search = |mark| Self::Search(Search { mark, tail: Vec::new() });
        match beginning {
            start if start.starts_with(ZIP) => Self::Zip { header: Vec::with_capacity(ZIP_HEADER), skip: 0 },
            start if start.starts_with(PDF) => search(PDF_KEY),
            start if start.starts_with(COMPOUND) => search(PACKAGE),
            start if start.starts_with(ARMOUR) => search(PGP_MESSAGE),
            start => Self::Decided(start.starts_with(RIGHTS_MANAGED)),
        }
    }
}

/// Walks from one file in the archive to the next, as long as their headers say how far it is.
fn zip(header: &mut Vec<u8>, skip: &mut u64, mut bytes: &[u8]) -> Option<bool> {
    loop {
        let skipped = (*skip).min(bytes.len() as u64);
        *skip -= skipped;
        bytes = &bytes[skipped as usize..];
        let taken = bytes.len().min(ZIP_HEADER - header.len());
        header.extend_from_slice(&bytes[..taken]);
        bytes = &bytes[taken..];
        let Ok(fields) = <[u8; ZIP_HEADER]>::try_from(&header[..]) else {
            return None;
        };
        header.clear();
        let [
            a,
            b,
            c,
            d,
            _,
            _,
            flags,
            _,
            ..,
            packed_a,
            packed_b,
            packed_c,
            packed_d,
            _,
            _,
            _,
            _,
            name_a,
            name_b,
            extra_a,
            extra_b,
        ] = fields;
        let packed = u32::from_le_bytes([packed_a, packed_b, packed_c, packed_d]);
        // Bit 0 is encryption. Bit 3 puts the length behind the content, where nobody finds it without unpacking.
        if [a, b, c, d] != *ZIP || flags & 1 != 0 || flags & 8 != 0 || packed == u32::MAX {
            return Some([a, b, c, d] == *ZIP && flags & 1 != 0);
        }
        let names = u16::from_le_bytes([name_a, name_b]);
        let extra = u16::from_le_bytes([extra_a, extra_b]);
        *skip = u64::from(packed) + u64::from(names) + u64::from(extra);
    }
}

impl Search {
    fn finds(&mut self, bytes: &[u8]) -> bool {
        // The mark and the byte behind it, which must end the word.
        let window = self.mark.len();
        let mut joint = std::mem::take(&mut self.tail);
        joint.extend_from_slice(&bytes[..bytes.len().min(window)]);
        let found = self.stands_in(&joint) || self.stands_in(bytes);
        self.tail = match bytes.len() {
            length if length > window => bytes[length - window..].to_vec(),
            _ => joint[joint.len().saturating_sub(window)..].to_vec(),
        };
        found
    }

    fn stands_in(&self, bytes: &[u8]) -> bool {
        memmem::find_iter(bytes, self.mark).any(|at| {
            let behind = bytes.get(at + self.mark.len());
            behind.is_some_and(|&b| b.is_ascii_whitespace() || b.is_ascii_digit() || matches!(b, b'<' | 0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(file: &[u8]) -> bool {
        let seen = |piece: usize| {
            let mut watch = Watch::default();
            file.chunks(piece).for_each(|piece| watch.feed(piece));
            watch.closed()
        };
        let whole = seen(usize::MAX);
        for piece in [1, 3, 7, 31] {
            assert_eq!(seen(piece), whole, "pieces of {piece}");
        }
        whole
    }

    fn entry(flags: u8, name: &[u8], content: &[u8]) -> Vec<u8> {
        let sizes = (content.len() as u32).to_le_bytes();
        let lengths = [name.len() as u8, 0, 0, 0];
        [ZIP, &[20, 0, flags, 0], &[0; 10], &sizes, &sizes, &lengths, name, content].concat()
    }

    #[test]
    fn archives() {
        assert!(closed(&entry(1, b"a", b"x")));
        assert!(closed(&[entry(0, b"folder/", b""), entry(9, b"a", b"x")].concat()));
        assert!(!closed(&[entry(0, b"a", b"PK\x03\x04\0\0\x01"), b"PK\x01\x02".to_vec()].concat()));
        assert!(
            !closed(&[entry(8, b"a", b""), entry(1, b"a", b"x")].concat()),
            "nobody knows where the second begins"
        );
        assert!(!closed(b"PK\x03\x04"));
    }

    #[test]
    fn documents() {
        assert!(closed(b"%PDF-1.7 ... trailer<</Root 1 0 R/Encrypt 5 0 R>>"));
        assert!(closed(b"%PDF-1.7 /Encrypt<<"));
        assert!(!closed(b"%PDF-1.7 /EncryptMetadata false /Encrypted"));
        assert!(!closed(b"a text about /Encrypt 5 0 R"));
        assert!(closed(&[COMPOUND, &[7; 1000], PACKAGE, &[0; 3]].concat()));
        assert!(!closed(&[COMPOUND, &[7; 1000], &PACKAGE[..20], &[0; 30]].concat()));
        assert!(closed(RIGHTS_MANAGED));
        assert!(closed(b"-----BEGIN PGP MESSAGE-----\n\nx"));
        assert!(!closed(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx"));
        assert!(!closed(b""));
    }
}
