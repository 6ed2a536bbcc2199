//! PDF: the letters of all pages in the order in which they are drawn, broken into lines and words by where they are drawn.
//! Pictures are not read. The structure (cross-references, filters, empty passwords) is `lopdf`'s.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, content::Content, content::Operation};

use super::{
    Page, Why,
    fonts::{Font, sources},
    pen::Pen,
};

/// Bytes that one stream may inflate to.
pub(super) const STREAM: usize = 64 * 1024 * 1024;
/// Pages that are read.
const PAGES: usize = 5_000;
/// Drawings within drawings (ISO 32000-1 §8.10).
const DEPTH: u32 = 8;
/// Drawings of one page, each counted as often as it is drawn.
const DRAWINGS: u32 = 500;

pub(super) fn read(bytes: &[u8], page: &mut Page) -> Result<(), Why> {
    let options = LoadOptions { max_decompressed_size: Some(STREAM), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(|error| match error {
        lopdf::Error::InvalidPassword | lopdf::Error::Decryption(_) | lopdf::Error::Unimplemented(_) => {
            Why::Closed
        }
        _ => Why::Damaged,
    })?;
    if document.is_encrypted() {
        return Err(Why::Closed);
    }
    let mut pages = 0;
    for id in document.page_iter().take(PAGES + 1) {
        pages += 1;
        if pages > PAGES || page.is_full() {
            break;
        }
        let mut drawing = Drawing { document: &document, page: &mut *page, left: DRAWINGS };
        drawing.page(id)?;
    }
    form_fields(&document, page);
    match pages {
        0 => Err(Why::Damaged),
        _ if pages > PAGES => Err(Why::TooLarge),
        _ if page.is_blank() && !page.missed => Err(Why::NoText),
        _ if page.is_blank() => Err(Why::Damaged),
        _ => Ok(()),
    }
}

/// What people have typed into a form (ISO 32000-1 §12.7).
fn form_fields(document: &Document, page: &mut Page) {
    for object in document.objects.values() {
        let Ok(field) = object.as_dict() else { continue };
        if field.get(b"FT").and_then(Object::as_name).is_ok_and(|kind| kind == b"Tx")
            && let Ok(typed) = field.get_deref(b"V", document)
            && let Ok(text) = lopdf::decode_text_string(typed)
        {
            page.line();
            page.write(&text);
        }
    }
    page.line();
}

/// The drawing of one page.
struct Drawing<'a> {
    document: &'a Document,
    page: &'a mut Page,
    left: u32,
}

impl Drawing<'_> {
    fn page(&mut self, id: ObjectId) -> Result<(), Why> {
        let document = self.document;
        let content = document.get_page_content_with_limit(id, STREAM).map_err(|error| match error {
            lopdf::Error::Decompress(_) => Why::TooLarge,
            _ => Why::Damaged,
        })?;
        let (own, inherited) = document.get_page_resources(id).unwrap_or_default();
        let inherited = inherited.iter().filter_map(|id| document.get_dictionary(*id).ok());
        let resources: Vec<&Dictionary> = own.into_iter().chain(inherited).collect();
        self.draw(&content, &resources, 0);
        self.page.line();
        Ok(())
    }

    fn draw(&mut self, content: &[u8], resources: &[&Dictionary], depth: u32) {
        let Ok(content) = Content::decode(content) else { return self.page.misses() };
        let sources = sources(self.document, resources);
        let fonts: BTreeMap<&[u8], Font<'_>> =
            sources.iter().map(|(name, font)| (name.as_slice(), Font::new(self.document, font))).collect();
        let mut pen = Pen::default();
        for operation in &content.operations {
            if self.page.is_full() {
                return;
            }
            match operation.operator.as_str() {
                "Do" => self.form(operation, resources, depth),
                "Tf" => {
                    let font = operation.operands.first().and_then(|name| fonts.get(name.as_name().ok()?));
                    pen.takes(font, operation);
                }
                _ => pen.does(operation, self.page),
            }
        }
    }

    fn form(&mut self, operation: &Operation, resources: &[&Dictionary], depth: u32) {
        let document = self.document;
        let Some(name) = operation.operands.first().and_then(|name| name.as_name().ok()) else { return };
        let form = resources.iter().find_map(|resources| {
            let objects = resources.get_deref(b"XObject", document).and_then(Object::as_dict).ok()?;
            objects.get_deref(name, document).and_then(Object::as_stream).ok()
        });
        let Some(form) = form else { return };
        let is_form = form.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| kind == b"Form");
        if !is_form {
            return;
        }
        if depth >= DEPTH || self.left == 0 {
            return self.page.misses();
        }
        self.left -= 1;
        let Ok(content) = form.get_plain_content_with_limit(STREAM) else { return self.page.misses() };
        let own = form.dict.get_deref(b"Resources", document).and_then(Object::as_dict).ok();
        let resources: Vec<&Dictionary> = own.into_iter().chain(resources.iter().copied()).collect();
        self.draw(&content, &resources, depth + 1);
    }
}
