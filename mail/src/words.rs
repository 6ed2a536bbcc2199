//! Encoded words (RFC 2047) in otherwise plain text. Words that follow each other are joined before their charset is
//! undone, because clients cut characters in two. Linear time.

use memchr::{memchr, memmem};

use crate::{Decoder, Encoding, charset};

/// Longest charset name of a word, with its language (RFC 2231 §5).
const CHARSET_MAX: usize = 64;

/// One word, its transfer encoding undone.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    /// Bytes it took in the raw text.
    length: usize,
}

/// Decoded text; line ends of folding are still in it. Raw 8-bit text is UTF-8 if it can be, else Windows-1252.
pub fn decode(raw: &[u8]) -> String {
    if memmem::find(raw, b"=?").is_none() {
        return charset::read(raw, None).text;
    }
    let mut out = String::with_capacity(raw.len());
    let mut open: Option<Word<'_>> = None;
    let mut rest = raw;
    while let Some((plain, word, after)) = next_word(rest) {
        let apart = open.is_none() || !plain.iter().all(u8::is_ascii_whitespace);
        match &mut open {
            Some(before) if !apart && joins(before, &word) => {
                before.bytes.extend_from_slice(&word.bytes);
            }
            _ => {
                close(open.take(), &mut out);
                if apart {
                    out.push_str(&charset::read(plain, None).text);
                }
                open = Some(word);
            }
        }
        rest = after;
    }
    close(open, &mut out);
    out.push_str(&charset::read(rest, None).text);
    out
}

/// The ISO 2022 charsets start anew in each word, so their words cannot be cut inside a character.
fn joins(before: &Word<'_>, word: &Word<'_>) -> bool {
    let stateful = word.charset.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("iso-2022"));
    before.charset.eq_ignore_ascii_case(word.charset) && !stateful
}

fn close(word: Option<Word<'_>>, out: &mut String) {
    if let Some(word) = word {
        out.push_str(&charset::read(&word.bytes, Some(word.charset)).text);
    }
}

/// The text before the next word, the word, the text after it.
fn next_word(raw: &[u8]) -> Option<(&[u8], Word<'_>, &[u8])> {
    let mut from = 0;
    while let Some(at) = memmem::find(&raw[from..], b"=?") {
        let start = from + at;
        match word(&raw[start..]) {
            Parsed::Word(word) => {
                let end = start + word.length;
                return Some((&raw[..start], word, &raw[end..]));
            }
            Parsed::NoWord => from = start + 2,
            // Nothing further on can end a word either.
            Parsed::NoEnd => return None,
        }
    }
    None
}

enum Parsed<'a> {
    Word(Word<'a>),
    NoWord,
    NoEnd,
}

/// `=?charset*language?encoding?data?=` at the start of `raw`.
fn word(raw: &[u8]) -> Parsed<'_> {
    let window = &raw[2..raw.len().min(2 + CHARSET_MAX)];
    let Some(charset_end) = memchr(b'?', window) else {
        return Parsed::NoWord;
    };
    let Ok(charset) = std::str::from_utf8(&window[..charset_end]) else {
        return Parsed::NoWord;
    };
    let (encoding, data) = match &raw[2 + charset_end + 1..] {
        [b'b' | b'B', b'?', data @ ..] => (Encoding::Base64, data),
        [b'q' | b'Q', b'?', data @ ..] => (Encoding::QuotedPrintable, data),
        _ => return Parsed::NoWord,
    };
    let Some(end) = memmem::find(data, b"?=") else {
        return Parsed::NoEnd;
    };
    Parsed::Word(Word {
        charset: charset.split('*').next().unwrap_or_default(),
        bytes: undo(encoding, &data[..end]),
        length: raw.len() - data.len() + end + 2,
    })
}

fn undo(encoding: Encoding, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut decoder = Decoder::new(encoding);
    if encoding == Encoding::QuotedPrintable {
        let spaced: Vec<u8> = data.iter().map(|&b| if b == b'_' { b' ' } else { b }).collect();
        // A blank at the end is text in a word, not padding: a mark behind it keeps it.
        decoder.feed(&spaced, &mut out);
        decoder.feed(b".", &mut out);
        decoder.finish(&mut out);
        out.pop();
    } else {
        decoder.feed(data, &mut out);
        decoder.finish(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn words_and_text() {
        assert_eq!(decode(b"Re: =?iso-8859-1?Q?Fr=F6sche_?= (=?UTF-8?B?w6Q=?=)."), "Re: Frösche  (ä).");
        assert_eq!(decode(b"=?utf-8?q?a?= =?utf-8?q?b?=\r\n =?UTF-8*en?q?c?= d"), "abc d");
        assert_eq!(decode(b"=?utf-8?q?=C5?= =?utf-8?q?=BE?="), "ž");
        assert_eq!(decode(b"=?iso-8859-1?Q?Fr\xf6sche?="), "Frösche");
        assert_eq!(decode(b"=?utf-8?q?=?= x"), "= x");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["=?", "=??=", "=?x", "=?utf-8?z?a?=", "=?utf-8?q?a", "a =?= b", "=?=?=?=?"] {
            assert_eq!(decode(text.as_bytes()), text);
        }
    }
}
