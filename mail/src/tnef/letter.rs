//! The message of a TNEF stream as its properties build it up: three forms of one body. What a reader needs of them is
//! one text and one HTML.

use super::{codepage, richtext::Richtext};
use crate::{
    Coding, Defect, Encoding, Inside, Part, PartRole, charset,
    contents::{Contents, Spoken, files_in_text},
    html, uuencode,
};

/// Bytes of one property held in memory.
pub(super) const HELD_MAX: usize = 1024 * 1024;

/// Files in the plain body that are listed.
const FILES_MAX: usize = 100;

/// What is known of a message so far.
#[derive(Debug, Default)]
pub(super) struct Letter {
    /// Of the HTML (`PidTagInternetCodepage`).
    pub(super) internet_code_page: Option<u32>,
    pub(super) subject: Option<Held>,
    /// The class that it has in the stores of Exchange and Outlook.
    pub(super) class: Option<Held>,
    pub(super) plain: Option<Held>,
    pub(super) html: Option<Held>,
    pub(super) rich: Option<Rich>,
}

/// A value held in memory.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) form: Form,
    /// Where it stands in the container, and how long it is there.
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Its first bytes: all of them if the budget allows.
    pub(super) bytes: Vec<u8>,
}

/// What a value's type says about its bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Bytes,
    CodePage,
    Unicode,
}

/// Packed rich text as it passes.
#[derive(Debug, Default)]
pub(super) struct Rich {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) reader: Richtext,
    pub(super) text: Vec<u8>,
}

impl Held {
    pub(super) fn push(&mut self, bytes: &[u8], most: usize) {
        self.length += bytes.len() as u64;
        let room = most.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// As text, without the zeros that end it.
    pub(super) fn text(&self, code_page: Option<u32>) -> String {
        let text = charset::read(&self.bytes, self.charset(code_page)).text;
        text.trim_end_matches('\0').to_owned()
    }

    pub(super) fn number(&self) -> Option<u32> {
        self.bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn charset(&self, code_page: Option<u32>) -> Option<&'static str> {
        match self.form {
            Form::Unicode => Some("utf-16le"),
            Form::Bytes | Form::CodePage => code_page.and_then(codepage::charset),
        }
    }

    fn whole(&self) -> bool {
        self.bytes.len() as u64 == self.length
    }

    /// Drops the zeros that end the value from what stands in the container.
    fn trimmed(mut self) -> Self {
        let unit = if self.form == Form::Unicode { 2 } else { 1 };
        while self.whole() && self.bytes.len() >= unit && self.bytes.ends_with(&[0, 0][..unit]) {
            self.bytes.truncate(self.bytes.len() - unit);
            self.length -= unit as u64;
        }
        self
    }
}

impl Rich {
    pub(super) fn push(&mut self, bytes: &[u8], most: usize) {
        self.length += bytes.len() as u64;
        if self.text.len() <= most {
            self.reader.feed(bytes, &mut self.text);
        }
    }
}

impl Letter {
    /// The parts and the text of the message: HTML beside text, each in its best form. `code_page` is that of all text
    /// that is not Unicode; `most` bytes of text are kept.
    pub(super) fn close(self, code_page: Option<u32>, most: usize) -> Contents {
        let mut contents = Contents::default();
        let mut rich = self.rich.and_then(|rich| rich.close(most));
        match self.plain.map(Held::trimmed) {
            Some(plain) if !plain.bytes.trim_ascii().is_empty() => {
                plain_body(plain, code_page, &mut contents)
            }
            _ => {
                if let Some(rich) = rich.take_if(|rich| !rich.html) {
                    body(rich.part(), rich.text, rich.whole, &mut contents);
                }
            }
        }
        match self.html.map(Held::trimmed) {
            Some(html) if !html.bytes.trim_ascii().is_empty() => {
                let code_page = match html.form {
                    Form::Bytes => self.internet_code_page,
                    Form::CodePage | Form::Unicode => code_page,
                };
                let read = charset::read(&html.bytes, html.charset(code_page)).text;
                let part = part("text/html", html.charset(code_page), &html, Coding::Identity);
                body(part, html::text(&read), html.whole(), &mut contents);
            }
            _ => {
                if let Some(rich) = rich.take_if(|rich| rich.html) {
                    body(rich.part(), html::text(&rich.text), rich.whole, &mut contents);
                }
            }
        }
        contents
    }
}

/// Rich text that has been read.
struct Read {
    held: Held,
    text: String,
    html: bool,
    whole: bool,
}

impl Rich {
    /// None if it is none, or says nothing.
    fn close(self, most: usize) -> Option<Read> {
        let (html, sound) = (self.reader.is_html(), self.reader.sound());
        let mut bytes = self.text;
        self.reader.finish(&mut bytes);
        let whole = bytes.len() <= most;
        bytes.truncate(most);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let held = Held { offset: self.offset, length: self.length, ..Held::default() };
        (sound && !text.trim().is_empty()).then_some(Read { held, text, html, whole })
    }
}

impl Read {
    fn part(&self) -> Part {
        let media_type = if self.html { "text/html" } else { "text/plain" };
        part(media_type, Some("utf-8"), &self.held, Coding::Rtf)
    }
}

fn plain_body(plain: Held, code_page: Option<u32>, contents: &mut Contents) {
    let charset = plain.charset(code_page);
    let part = part("text/plain", charset, &plain, Coding::Identity);
    let mut text = Vec::with_capacity(plain.bytes.len());
    let mut splitter = uuencode::Splitter::new(FILES_MAX);
    splitter.feed(&plain.bytes, &mut text);
    let files = splitter.finish(&mut text);
    let files = files_in_text(&part, 1, &files);
    body(part, charset::read(&text, charset).text, plain.whole(), contents);
    contents.parts.extend(files);
}

fn body(part: Part, text: String, whole: bool, contents: &mut Contents) {
    if !whole {
        contents.defects.push(Defect::TextTruncated);
    }
    let listed = (part.media_type == "text/plain").then_some(contents.parts.len());
    contents.texts.push(Spoken { text, part: listed });
    contents.parts.push(part);
}

/// A body at its place. The place of the container is filled in by those who know it.
fn part(media_type: &str, charset: Option<&str>, held: &Held, coding: Coding) -> Part {
    Part {
        offset: 0,
        length: 0,
        encoding: Encoding::Identity,
        media_type: media_type.to_owned(),
        charset: charset.map(str::to_owned),
        name: None,
        content_id: None,
        role: PartRole::Body,
        inside: Some(Inside {
            parent: 0,
            offset: held.offset,
            length: held.length,
            coding,
            through: Vec::new(),
        }),
    }
}
