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
    match charset_decoder(known.as_bytes()) {
        Some(decode) => Reading { text: decode(bytes), sound: true },
        None => Reading { sound: false, ..undeclared(bytes) },
    }
}
