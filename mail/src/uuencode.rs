//! Files that old clients write into their text: `begin 644 name`, lines of uuencode, `end` (POSIX uuencode). Parts the
//! text from them while it passes, line by line and once. Decodes nothing.

use memchr::memchr;

/// Longest line that can begin, continue or end a file. A full line of uuencode has 61 characters.
const LINE_MAX: usize = 512;
/// What the first line begins with.
const BEGIN: &[u8] = b"begin ";

/// Passes a text on and notes where the files in it stand.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    /// Offset of the next byte.
    offset: u64,
    /// A line of which it is not known yet what it is.
    line: Vec<u8>,
    /// The line is text, whatever its rest may be.
    passing: bool,
    at: At,
    files: Vec<File>,
    /// Files that are noted; more are taken out of the text all the same.
    most: usize,
}

/// A file in a text, and where it stands in it, from its first line to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Text,
    /// Behind a first line. The next one decides, because people write "begin 100 metres from the gate" too.
    Begun {
        line: Vec<u8>,
        offset: u64,
        name: Vec<u8>,
    },
    Inside {
        offset: u64,
        name: Vec<u8>,
    },
}

impl Splitter {
    /// A splitter at the start of a text that notes `most` files.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes the next bytes of the text and appends those that belong to no file.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], text: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let end = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (piece, rest) = bytes.split_at(end);
            bytes = rest;
            self.piece(piece, text);
        }
    }

    /// Ends the text; gives back the files in it, in order.
    pub(crate) fn finish(mut self, text: &mut Vec<u8>) -> Vec<File> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.line(&line, text);
        }
        match std::mem::take(&mut self.at) {
            At::Text => {}
            At::Begun { line, .. } => text.extend_from_slice(&line),
            At::Inside { offset, name } => self.file(offset, name, self.offset),
        }
        self.files
    }

    /// A piece of one line; the last one ends with its line end.
    fn piece(&mut self, piece: &[u8], text: &mut Vec<u8>) {
        if self.passing {
            self.pass(piece, text);
        } else if self.line.is_empty() && piece.ends_with(b"\n") {
            self.line(piece, text);
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(piece);
            let whole = line.ends_with(b"\n");
            let plain = matches!(self.at, At::Text) && !begins_alike(&line);
            if whole || plain || line.len() > LINE_MAX {
                self.line(&line, text);
                line.clear();
            }
            self.line = line;
        }
    }

    fn pass(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        text.extend_from_slice(bytes);
        self.offset += bytes.len() as u64;
        self.passing = !bytes.ends_with(b"\n");
    }

    /// Judges a line: a whole one, the last one without line end, or as much of one as shows that it is text.
    fn line(&mut self, line: &[u8], text: &mut Vec<u8>) {
        self.at = match (std::mem::take(&mut self.at), Kind::of(line)) {
            (At::Begun { offset, name, .. }, Kind::Data { full: true })
            | (At::Inside { offset, name }, Kind::Data { .. }) => At::Inside { offset, name },
            (At::Begun { offset, name, .. } | At::Inside { offset, name }, Kind::End) => {
                self.file(offset, name, self.offset + line.trim_ascii_end().len() as u64);
                At::Text
            }
            (before, kind) => {
                match before {
                    At::Text => {}
                    At::Begun { line, .. } => text.extend_from_slice(&line),
                    // The rest of the file is missing; what there is of it is still a file.
                    At::Inside { offset, name } => self.file(offset, name, self.offset),
                }
                match kind {
                    Kind::Begin { name } => {
                        At::Begun { line: line.to_vec(), offset: self.offset, name: name.to_vec() }
                    }
                    _ => {
                        self.pass(line, text);
                        return;
                    }
                }
            }
        };
        self.offset += line.len() as u64;
    }

    fn file(&mut self, offset: u64, name: Vec<u8>, end: u64) {
        if self.files.len() < self.most {
            self.files.push(File { name, offset, length: end.saturating_sub(offset) });
        }
    }
}

/// A text without the files in it.
pub(crate) fn without_files(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut splitter = Splitter::default();
    splitter.feed(bytes, &mut text);
    splitter.finish(&mut text);
    text
}

/// What a line can be.
enum Kind<'a> {
    Begin {
        name: &'a [u8],
    },
    /// `full`: as long as its first character says. Blanks at the end, which are code, may have been cut on the way.
    Data {
        full: bool,
    },
    End,
    Text,
}

impl<'a> Kind<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line == b"end" {
            return Self::End;
        }
        if let Some(name) = begun(line) {
            return Self::Begin { name };
        }
        // A line of one blank, cut on the way; at the start of a file it would rather be a paragraph's end.
        let Some((first, code)) = line.split_first() else {
            return Self::Data { full: false };
        };
        let length = usize::from(first.wrapping_sub(b' ') & 0x3f).div_ceil(3) * 4;
        let code = || code.iter().filter(|&&b| !is_continuation(b)).count();
        // Some programs add a check character. Old mailboxes have characters changed by a conversion; a file with a
        // wrong byte is still a file, and no reader wants to see it as text.
        match line.iter().all(|b| matches!(b, b' '..=b'`' | 0x80..)) && code() <= length + 2 {
            true => Self::Data { full: code() >= length },
            false => Self::Text,
        }
    }
}

/// The name in a first line, which may be missing: three or four octal digits stand before it.
fn begun(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(BEGIN)?;
    let digits = rest.iter().take_while(|b| (b'0'..=b'7').contains(b)).count();
    let name = rest[digits..].trim_ascii();
    let apart = name.is_empty() || rest[digits] == b' ';
    ((3..=4).contains(&digits) && apart).then_some(name)
}

/// A byte of a UTF-8 character behind its first.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Whether what is known of a line fits a first line.
fn begins_alike(line: &[u8]) -> bool {
    let known = line.len().min(BEGIN.len());
    line[..known] == BEGIN[..known]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&[u8]]) -> (Vec<u8>, Vec<File>) {
        let mut text = Vec::new();
        let mut splitter = Splitter::new(100);
        pieces.iter().for_each(|piece| splitter.feed(piece, &mut text));
        let files = splitter.finish(&mut text);
        (text, files)
    }

    /// The text that is left, and of each file its name and what stands in its place.
    fn shown(whole: &str) -> (String, Vec<(String, &str)>) {
        let (text, files) = split(&[whole.as_bytes()]);
        let row = |file: &File| {
            let start = file.offset as usize;
            (String::from_utf8(file.name.clone()).unwrap(), &whole[start..start + file.length as usize])
        };
        (String::from_utf8(text).unwrap(), files.iter().map(row).collect())
    }

    const CAT: &str = "begin 644 cat.txt\r\n#0V%T\r\n`\r\nend";

    #[test]
    fn a_file_leaves_the_text() {
        let whole = format!("before\r\n{CAT}\r\nafter\r\n{CAT}");
        let (text, files) = shown(&whole);
        assert_eq!(text, "before\r\nafter\r\n");
        assert_eq!(files, [("cat.txt".to_owned(), CAT), ("cat.txt".to_owned(), CAT)]);
    }

    #[test]
    fn text_that_looks_like_one_stays() {
        for text in [
            "begin 100 metres from the gate\nand go on\n",
            "begin 644 x",
            "begin 644 x\n",
            "begin 64 x\n#0V%T\nend\n",
            "begin 644x\n#0V%T\nend\n",
            "begin 9999 x\n#0V%T\nend\n",
            " begin 644 x\n#0V%T\nend\n",
            "we begin 644 x\n#0V%T\nend\n",
            "beg",
            "end\n",
        ] {
            assert_eq!(shown(text), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn a_file_without_its_end_is_a_file() {
        let (text, files) = shown("begin 644 a b.txt\n#0V%T\nthe rest is lost\n");
        assert_eq!(
            (text.as_str(), files),
            ("the rest is lost\n", vec![("a b.txt".to_owned(), "begin 644 a b.txt\n#0V%T\n")])
        );
        assert_eq!(shown("begin 644 a\n#0V%T").1.len(), 1);
        assert_eq!(shown("begin 644 a\nend\n").1.len(), 1, "an empty file");
        assert_eq!(shown("begin 644 \n#0V%T\nend\n").1.len(), 1, "a file without a name");
    }

    #[test]
    fn a_long_line_is_text() {
        let long = format!("begin 644 {}", "x".repeat(5000));
        assert_eq!(shown(&long), (long.clone(), vec![]));
    }

    fn line() -> impl Strategy<Value = String> {
        let known = ["begin 644 a", "begin ", "#0V%T", "`", "end", "text", "", "beg", "\r"];
        (prop::sample::select(known.to_vec()), prop::sample::select(vec!["\n", "\r\n", ""]))
            .prop_map(|(line, end)| format!("{line}{end}"))
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(lines in prop::collection::vec(line(), 0..40), cut in 0_usize..200) {
            let whole = lines.concat().into_bytes();
            let (first, second) = whole.split_at(cut.min(whole.len()));
            let single: Vec<&[u8]> = whole.chunks(1).collect();
            let expected = split(&[&whole]);
            prop_assert_eq!(&split(&[first, second]), &expected);
            prop_assert_eq!(&split(&single), &expected);
            let covered: u64 = expected.1.iter().map(|file| file.length).sum();
            prop_assert!(covered + expected.0.len() as u64 <= whole.len() as u64);
        }
    }
}
