//! The text of rich text as a stream, or the HTML that Outlook hides in it (MS-OXRTFEX). Formatting, pictures and fonts
//! are passed over. Never fails: what is no RTF is text.

use std::collections::BTreeMap;

use super::codepage;
use crate::charset;

/// Groups inside one another that are told apart; deeper ones are read like the deepest.
const GROUPS_MAX: usize = 256;
const FONTS_MAX: usize = 1000;
/// Longest control word (RTF specification 1.9.1) and its number.
const WORD_MAX: usize = 32;
const NUMBER_MAX: usize = 10;
/// Bytes of one code page that are converted at a time: at a blank, so that no character is cut, or at last anywhere.
const RUN: usize = 4 * 1024;
const RUN_MAX: usize = 16 * 1024;
/// Code page of text in a document that names none.
const WESTERN: u16 = 1252;

/// Takes RTF in pieces of any size and gives what it says.
#[derive(Debug)]
pub(super) struct Rtf {
    at: At,
    group: Group,
    outer: Vec<Group>,
    /// Open groups beyond those.
    deeper: usize,
    /// What the whole document holds.
    form: Form,
    code_page: u16,
    fonts: BTreeMap<i32, u16>,
    /// The font that is being described in the table of fonts.
    described: i32,
    /// Characters still to be passed over: what stands behind `\u` for old readers.
    fallback: u32,
    /// The first half of a character beyond the sixteen bits of `\u`.
    high: Option<u16>,
    /// Text in the code page of the font, not yet converted.
    run: Vec<u8>,
}

/// What a document holds in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Html,
}

#[derive(Debug)]
enum At {
    Text,
    Backslash,
    Word(Word),
    /// Behind `\'`, and the first digit.
    Hex(Option<u8>),
    /// In the bytes of `\bin`.
    Binary(u32),
}

#[derive(Debug, Default)]
struct Word {
    name: Vec<u8>,
    number: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Group {
    destination: Destination,
    /// Behind `\*`: what no reader has to know.
    optional: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`: there for readers that know no HTML.
    hidden: bool,
    code_page: Option<u16>,
    /// Characters behind each `\u` for old readers.
    fallback: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    Html,
    Fonts,
    Nowhere,
}

impl Default for Rtf {
    fn default() -> Self {
        let group = Group {
            destination: Destination::Text,
            optional: false,
            hidden: false,
            code_page: None,
            fallback: 1,
        };
        Self {
            at: At::Text,
            group,
            outer: Vec::new(),
            deeper: 0,
            form: Form::Text,
            code_page: WESTERN,
            fonts: BTreeMap::new(),
            described: 0,
            fallback: 0,
            high: None,
            run: Vec::new(),
        }
    }
}

impl Rtf {
    /// What the document holds, as its head says, which comes before any text.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Takes the next bytes and appends the text they complete, in UTF-8.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.byte(byte, out);
        }
    }

    /// Appends the text that the end completes.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if let At::Word(word) = std::mem::replace(&mut self.at, At::Text) {
            self.word(&word, out);
        }
        self.flush(out);
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.at, At::Text) {
            At::Text => self.plain(byte, out),
            At::Backslash => self.escaped(byte, out),
            At::Word(word) => self.in_word(word, byte, out),
            At::Hex(None) if byte.is_ascii_hexdigit() => self.at = At::Hex(Some(byte)),
            At::Hex(Some(first)) if byte.is_ascii_hexdigit() => {
                let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
                self.character(digit(first) << 4 | digit(byte), out);
            }
            At::Hex(_) => self.plain(byte, out),
            At::Binary(1) => {}
            At::Binary(left) => self.at = At::Binary(left - 1),
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\\' => self.at = At::Backslash,
            b'{' => self.open(),
            b'}' => self.close(out),
            b'\r' | b'\n' | 0 => {}
            byte => self.character(byte, out),
        }
    }

    fn open(&mut self) {
        self.fallback = 0;
        if self.outer.len() == GROUPS_MAX {
            self.deeper += 1;
        } else {
            self.outer.push(self.group.clone());
            self.group.optional = false;
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.fallback = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(group) = self.outer.pop() {
            self.flush(out);
            self.group = group;
        }
    }

    /// A backslash and something.
    fn escaped(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\'' => self.at = At::Hex(None),
            b'*' => self.group.optional = true,
            b'\\' | b'{' | b'}' => self.character(byte, out),
            b'~' => self.say('\u{a0}', out),
            b'_' => self.say('-', out),
            b'\r' | b'\n' => self.say('\n', out),
            byte if byte.is_ascii_alphabetic() => {
                self.at = At::Word(Word { name: vec![byte], number: Vec::new() });
            }
            // An optional hyphen, an index mark: nothing to see.
            _ => {}
        }
    }

    fn in_word(&mut self, mut word: Word, byte: u8, out: &mut Vec<u8>) {
        let numbered = !word.number.is_empty();
        match byte {
            byte if byte.is_ascii_alphabetic() && !numbered && word.name.len() < WORD_MAX => {
                word.name.push(byte)
            }
            b'0'..=b'9' if word.number.len() < NUMBER_MAX => word.number.push(byte),
            b'-' if !numbered => word.number.push(byte),
            byte => {
                self.word(&word, out);
                if byte != b' ' {
                    self.byte(byte, out);
                }
                return;
            }
        }
        self.at = At::Word(word);
    }

    fn word(&mut self, word: &Word, out: &mut Vec<u8>) {
        let number: Option<i32> =
            std::str::from_utf8(&word.number).ok().and_then(|digits| digits.parse().ok());
        let optional = std::mem::take(&mut self.group.optional);
        match (&word.name[..], number) {
            (b"htmltag", _) if optional && self.form == Form::Html => self.enter(Destination::Html, out),
            (b"fonttbl", _) => self.enter(Destination::Fonts, out),
            (b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"listtable" | b"revtbl" | b"filetbl", _) => {
                self.enter(Destination::Nowhere, out);
            }
            _ if optional => self.enter(Destination::Nowhere, out),
            (b"fromhtml", number) if number != Some(0) => self.form = Form::Html,
            (b"htmlrtf", number) if self.form == Form::Html => {
                self.flush(out);
                self.group.hidden = number != Some(0);
            }
            (b"ansicpg", Some(number)) => self.code_page = u16::try_from(number).unwrap_or(WESTERN),
            (b"f", Some(number)) => self.font(number, out),
            (b"fcharset", Some(number)) => self.describe(codepage::of_font(number)),
            (b"cpg", Some(number)) => self.describe(u16::try_from(number).ok()),
            (b"plain", _) => {
                self.flush(out);
                self.group.code_page = None;
            }
            (b"uc", Some(number)) => self.group.fallback = u32::try_from(number).unwrap_or(1).min(100),
            (b"u", Some(number)) => self.unicode(number, out),
            (b"bin", Some(number)) if number > 0 => self.at = At::Binary(number.unsigned_abs()),
            (name, _) => {
                if let Some(c) = symbol(name) {
                    self.say(c, out);
                }
            }
        }
    }

    /// The group is a destination of its own. Inside one that is passed over, nothing comes to light again.
    fn enter(&mut self, destination: Destination, out: &mut Vec<u8>) {
        self.flush(out);
        if self.group.destination != Destination::Nowhere {
            self.group.destination = destination;
        }
    }

    fn font(&mut self, number: i32, out: &mut Vec<u8>) {
        if self.group.destination == Destination::Fonts {
            self.described = number;
        } else {
            self.flush(out);
            self.group.code_page = self.fonts.get(&number).copied();
        }
    }

    fn describe(&mut self, code_page: Option<u16>) {
        if let (Destination::Fonts, Some(code_page)) = (self.group.destination, code_page)
            && self.fonts.len() < FONTS_MAX
        {
            self.fonts.insert(self.described, code_page);
        }
    }

    /// A character in sixteen bits, which old programs write with a sign.
    fn unicode(&mut self, number: i32, out: &mut Vec<u8>) {
        let unit = number as u16;
        let units = self.high.take().into_iter().chain([unit]);
        match (unit, char::decode_utf16(units).last()) {
            (0xd800..=0xdbff, _) => self.high = Some(unit),
            (_, Some(Ok(c))) => self.say(c, out),
            _ => self.say(char::REPLACEMENT_CHARACTER, out),
        }
        self.fallback = self.group.fallback;
    }

    /// A character of the document's own code page.
    fn character(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.fallback > 0 {
            self.fallback -= 1;
        } else if self.shown() {
            self.run.push(byte);
            if (byte == b' ' && self.run.len() > RUN) || self.run.len() > RUN_MAX {
                self.flush(out);
            }
        }
    }

    /// A character that is not of the code page.
    fn say(&mut self, c: char, out: &mut Vec<u8>) {
        if self.shown() {
            self.flush(out);
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn shown(&self) -> bool {
        !self.group.hidden && matches!(self.group.destination, Destination::Text | Destination::Html)
    }

    /// Converts what was collected in one code page.
    fn flush(&mut self, out: &mut Vec<u8>) {
        if self.run.is_empty() {
            return;
        }
        let code_page = self.group.code_page.unwrap_or(self.code_page);
        let text = charset::read(&self.run, codepage::charset(u32::from(code_page))).text;
        self.run.clear();
        let tag = self.form == Form::Html && self.group.destination == Destination::Text;
        match tag {
            // Markup stands in groups of its own; here a bracket is a bracket.
            true => out.extend_from_slice(text.replace('<', "&lt;").as_bytes()),
            false => out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// Words that stand for a character.
fn symbol(name: &[u8]) -> Option<char> {
    Some(match name {
        b"par" | b"line" | b"sect" | b"page" | b"row" | b"nestrow" => '\n',
        b"tab" | b"cell" | b"nestcell" => '\t',
        b"emdash" => '\u{2014}',
        b"endash" => '\u{2013}',
        b"emspace" | b"enspace" | b"qmspace" => ' ',
        b"bullet" => '\u{2022}',
        b"lquote" => '\u{2018}',
        b"rquote" => '\u{2019}',
        b"ldblquote" => '\u{201c}',
        b"rdblquote" => '\u{201d}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(rtf: &[u8], piece: usize) -> (Form, String) {
        let (mut reader, mut out) = (Rtf::default(), Vec::new());
        rtf.chunks(piece).for_each(|piece| reader.feed(piece, &mut out));
        let form = reader.form();
        reader.finish(&mut out);
        (form, String::from_utf8(out).unwrap())
    }

    fn text(rtf: &str) -> String {
        let whole = read(rtf.as_bytes(), usize::MAX);
        assert_eq!(read(rtf.as_bytes(), 1), whole);
        whole.1
    }

    #[test]
    fn text_without_its_formatting() {
        assert_eq!(
            text(
                "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0;}{\\*\\generator X;}\\pard\\f0 MPAN \\b 12\\b0 3\\par\r\nnext\\~line\\tab x\\{\\}}"
            ),
            "MPAN 123\nnext\u{a0}line\tx{}"
        );
        assert_eq!(
            text("{\\rtf1 {\\field{\\*\\fldinst HYPERLINK \"http://x\"}{\\fldrslt here}}{\\pict 89504e47}.}"),
            "here."
        );
        assert_eq!(text("{\\rtf1 a\\bin3 {{}b\\bin0 c}"), "abc");
    }

    #[test]
    fn characters() {
        assert_eq!(text("{\\rtf1\\ansi\\ansicpg1251 \\'cf\\'f0}"), "Пр");
        assert_eq!(
            text("{\\rtf1\\ansicpg1252{\\fonttbl{\\f1\\fcharset204 A;}}\\'e4{\\f1 \\'cf}\\'e4}"),
            "äПä"
        );
        assert_eq!(text("{\\rtf1\\ansi\\ansicpg932 \\'83n\\'83\\'8d}"), "ハロ");
        assert_eq!(text("{\\rtf1 \\u228?\\uc2\\u-10179ab\\u-8704ab\\uc0\\u8364.\\u55357.}"), "ä😀€..");
    }

    #[test]
    fn html_inside() {
        let rtf = "{\\rtf1\\ansi\\fromhtml1 \\deff0{\\fonttbl{\\f0 A;}}{\\*\\htmltag18 <body>}\\htmlrtf {\\b\\htmlrtf0 a < b\
                   {\\*\\htmltag84 &nbsp;}\\htmlrtf \\'a0}\\htmlrtf0 {\\*\\mhtmltag84 <old>}{\\*\\htmltag72 </p>\\par\r\n}}";
        assert_eq!(read(rtf.as_bytes(), 3), (Form::Html, "<body>a &lt; b&nbsp;</p>\n".to_owned()));
    }

    #[test]
    fn groups_without_end_cost_nothing() {
        assert_eq!(text(&format!("{}deep{}x", "{".repeat(100_000), "}".repeat(200_000))), "deepx");
        assert_eq!(text("}}}a\\"), "a");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            words in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "\\", "\\'", "\\*", "\\f1", "\\u228 ", "\\u-10179", "\\uc0", "\\bin3", "\\fonttbl", "\\fcharset128", "\\htmltag1",
                "\\fromhtml1", "\\htmlrtf", "\\par", "a", "8", " ", "ä", "\r\n", "-",
            ]), 0..60),
            piece in 1_usize..5,
        ) {
            let rtf = words.concat();
            prop_assert_eq!(read(rtf.as_bytes(), piece), read(rtf.as_bytes(), usize::MAX));
        }
    }
}
