//! Fonts of a PDF as far as text needs them: which letters the codes of a string stand for, and how wide they are.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, Encoding, Object};

use super::pdf::STREAM;

/// A font: how its bytes become letters, and how wide they are.
pub(super) struct Font<'a> {
    encoding: Option<Encoding<'a>>,
    widths: Widths,
}

/// The fonts that a drawing may name. Where a font says what letters its codes mean, that goes before what it says about its
/// glyphs (ISO 32000-1 §9.10.2).
pub(super) fn sources(document: &Document, resources: &[&Dictionary]) -> Vec<(Vec<u8>, Dictionary)> {
    let mut sources: Vec<(Vec<u8>, Dictionary)> = Vec::new();
    for resources in resources {
        let Ok(fonts) = resources.get_deref(b"Font", document).and_then(Object::as_dict) else { continue };
        for (name, _) in fonts.iter() {
            let Ok(font) = fonts.get_deref(name, document).and_then(Object::as_dict) else { continue };
            if sources.iter().all(|(known, _)| known != name) {
                let mut font = font.clone();
                if font.has(b"ToUnicode") {
                    font.remove(b"Encoding");
                }
                sources.push((name.clone(), font));
            }
        }
    }
    sources
}

impl<'a> Font<'a> {
    pub(super) fn new(document: &'a Document, font: &'a Dictionary) -> Self {
        let composite = font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Type0");
        Self {
            encoding: font.get_font_encoding_with_limit(document, STREAM).ok(),
            widths: match composite {
                true => Widths::composite(document, font),
                false => Widths::simple(document, font),
            },
        }
    }

    /// The letters of a string; none where nobody can tell.
    pub(super) fn letters(&self, codes: &[u8]) -> Option<String> {
        self.encoding.as_ref()?.bytes_to_string(codes).ok()
    }

    /// The width of a string in thousandths of the font's size.
    pub(super) fn width(&self, codes: &[u8]) -> f32 {
        match &self.widths {
            Widths::Simple { first, of } => {
                let place = |code: &u8| usize::try_from(i64::from(*code) - first).ok();
                let width = |code| place(code).and_then(|place| of.get(place)).copied().unwrap_or(USUAL);
                codes.iter().map(width).sum()
            }
            Widths::Composite { of, otherwise } => {
                let code = |pair: &[u8]| pair.iter().fold(0, |code, byte| code << 8 | i64::from(*byte));
                codes.chunks(2).map(|pair| of.get(&code(pair)).copied().unwrap_or(*otherwise)).sum()
            }
        }
    }
}

/// Widths of glyphs in thousandths of the font's size.
enum Widths {
    /// One byte is one code (ISO 32000-1 §9.6.2.1).
    Simple { first: i64, of: Vec<f32> },
    /// Two bytes are one code (§9.7.4.3).
    Composite { of: BTreeMap<i64, f32>, otherwise: f32 },
}

/// Half the font's size is what a letter is wide, if nobody says better.
const USUAL: f32 = 500.0;
/// Codes of two bytes.
const CODES: i64 = 0x1_0000;

impl Widths {
    fn simple(document: &Document, font: &Dictionary) -> Self {
        let widths = font.get_deref(b"Widths", document).and_then(Object::as_array);
        let of = widths.map(|widths| widths.iter().map(|width| width.as_float().unwrap_or(USUAL)).collect());
        let first = font.get(b"FirstChar").and_then(Object::as_i64).unwrap_or(0);
        Self::Simple { first, of: of.unwrap_or_default() }
    }

    fn composite(document: &Document, font: &Dictionary) -> Self {
        let descendant = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array).ok();
        let descendant = descendant.and_then(|fonts| document.dereference(fonts.first()?).ok());
        let Some(font) = descendant.and_then(|(_, font)| font.as_dict().ok()) else {
            return Self::Composite { of: BTreeMap::new(), otherwise: USUAL };
        };
        let otherwise = font.get(b"DW").and_then(Object::as_float).unwrap_or(1000.0);
        let listed = font.get_deref(b"W", document).and_then(Object::as_array);
        Self::Composite { of: listed.map(|listed| runs(document, listed)).unwrap_or_default(), otherwise }
    }
}

/// `first [w w w]` or `first last w`, one after the other.
fn runs(document: &Document, mut listed: &[Object]) -> BTreeMap<i64, f32> {
    let mut of = BTreeMap::new();
    while let [first, second, rest @ ..] = listed {
        let Ok(first) = first.as_i64() else { break };
        let second = document.dereference(second).map_or(second, |(_, object)| object);
        match (second, rest) {
            (Object::Array(widths), _) => {
                of.extend((first..CODES).zip(widths.iter().filter_map(|width| width.as_float().ok())));
                listed = rest;
            }
            (last, [width, rest @ ..]) => {
                let (Ok(last), Ok(width)) = (last.as_i64(), width.as_float()) else { break };
                of.extend((first.max(0)..=last.min(CODES)).map(|code| (code, width)));
                listed = rest;
            }
            _ => break,
        }
    }
    of
}
