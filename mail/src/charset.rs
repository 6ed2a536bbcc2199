//! From bytes in a declared charset to text. Never fails: what does not fit its charset is guessed and said so.

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::header::western;

/// Names that clients use and the library does not know.
const ALIASES: [(&str, &str); 8] = [
    ("cp932", "shift_jis"),
    ("x-ms-cp932", "shift_jis"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("cp874", "windows-874"),
    ("cp1361", "euc-kr"),
    ("eucjp", "euc-jp"),
    ("ansi_x3.110-1983", "windows-1252"),
];

/// A text and whether the charset fitted.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) text: String,
    pub(crate) sound: bool,
}

/// Reads `bytes` in `charset`; without one, as UTF-8 when they are, else as Windows-1252.
pub(crate) fn read(bytes: &[u8], charset: Option<&str>) -> Reading {
    let name = charset.unwrap_or_default().trim().to_ascii_lowercase();
    let mut reading = match name.as_str() {
        "" | "us-ascii" | "ascii" | "unknown-8bit" | "x-unknown" | "binary" => undeclared(bytes),
        "utf-8" | "utf8" | "unicode-1-1-utf-8" => utf8(bytes),
        name => declared(bytes, name),
    };
    if reading.text.starts_with('\u{feff}') {
        reading.text.drain(..'\u{feff}'.len_utf8());
    }
    reading
}

fn undeclared(bytes: &[u8]) -> Reading {
    match std::str::from_utf8(bytes) {
        Ok(text) => Reading { text: text.to_owned(), sound: true },
        Err(_) => Reading { text: western(bytes), sound: false },
    }
}

fn utf8(bytes: &[u8]) -> Reading {
    match std::str::from_utf8(bytes) {
        Ok(text) => Reading { text: text.to_owned(), sound: true },
        Err(_) => Reading { text: String::from_utf8_lossy(bytes).into_owned(), sound: false },
    }
}

fn declared(bytes: &[u8], name: &str) -> Reading {
    let known = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, known)| known);
    let Some(decode) = charset_decoder(known.as_bytes()) else {
        return Reading { sound: false, ..undeclared(bytes) };
    };
    let text = match name {
        "iso-8859-1" | "latin1" | "iso8859-1" | "iso_8859-1" => latin(bytes, decode),
        "iso-2022-jp" => japanese(&decode(&ended_lines(bytes))),
        "euc-jp" | "eucjp" | "shift_jis" | "shift-jis" | "sjis" => japanese(&decode(bytes)),
        _ => decode(bytes),
    };
    match std::str::from_utf8(bytes) {
        // Some programs convert the text and leave the old name. In ASCII there is nothing to tell it by.
        Ok(utf8) if text.contains(char::REPLACEMENT_CHARACTER) && !bytes.is_ascii() => {
            Reading { text: utf8.to_owned(), sound: false }
        }
        _ => Reading { text, sound: true },
    }
}

/// What stands between 0x80 and 0x9F are quotation marks and dashes of Windows-1252, as every client shows them (WHATWG
/// Encoding), unless all of it is UTF-8 under a wrong name: then they are pieces of characters, and nothing but the
/// letter of ISO 8859-1 is sure.
fn latin(bytes: &[u8], decode: fn(&[u8]) -> String) -> String {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Err(_) => decode(bytes),
    }
}

/// Every line ends in ASCII (RFC 1468); some programs forget to go back to it.
fn ended_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut ascii = true;
    for (at, &byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (0x1b, Some(b'$')) => ascii = false,
            (0x1b, Some(b'(')) => ascii = true,
            (b'\r' | b'\n', _) if !ascii => {
                out.extend_from_slice(b"\x1b(B");
                ascii = true;
            }
            _ => {}
        }
        out.push(byte);
    }
    out
}

/// JIS X 0208 has a wave dash and a minus where the tables of Windows, which the library has, have full-width forms.
fn japanese(text: &str) -> String {
    let strict = |c: char| match c {
        '\u{ff5e}' => '\u{301c}',
        '\u{2225}' => '\u{2016}',
        '\u{ff0d}' => '\u{2212}',
        '\u{ffe0}' => '\u{a2}',
        '\u{ffe1}' => '\u{a3}',
        '\u{ffe2}' => '\u{ac}',
        c => c,
    };
    text.chars().map(strict).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn declared_charsets_are_undone() {
        for (bytes, charset, text) in [
            (&b"\xe4"[..], "ISO-8859-1", "ä"),
            (b"\x83n\x83\x8d", "cp932", "ハロ"),
            (b"\x1b$B%O\x1b(B", "iso-2022-jp", "ハ"),
            (b"+AOQ-", "utf-7", "ä"),
            (b"\xff\xfea\0", "utf-16", "a"),
            (b"\xef\xbb\xbfa", "utf-8", "a"),
            (b"\x1b$B!A\x1b(B", "iso-2022-jp", "\u{301c}"),
            (b"\x1b$B%O\r\nx\x1b$B%O", "iso-2022-jp", "ハ\r\nxハ"),
            (b"\x81\x60", "shift_jis", "\u{301c}"),
            (b"\x81\x60", "cp932", "\u{ff5e}"),
            (b"\x93x\x94 \xe4", "iso-8859-1", "“x” ä"),
            (b"a\x1b$B\x22\x7f\x1b(B", "iso-2022-jp", "a\u{fffd}"),
        ] {
            let reading = read(bytes, Some(charset));
            assert_eq!((reading.text.as_str(), reading.sound), (text, true), "{charset}");
        }
    }

    #[test]
    fn wrong_charsets_are_guessed_and_said() {
        for (bytes, charset, text, sound) in [
            (&b"\xe4"[..], None, "ä", false),
            ("ä".as_bytes(), None, "ä", true),
            ("ä".as_bytes(), Some("no-such-thing"), "ä", false),
            ("ä".as_bytes(), Some("iso-2022-jp"), "ä", false),
            (b"a\xe4b", Some("utf-8"), "a\u{fffd}b", false),
        ] {
            let reading = read(bytes, charset);
            assert_eq!((reading.text.as_str(), reading.sound), (text, sound), "{charset:?}");
        }
    }
}
