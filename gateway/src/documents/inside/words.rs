//! The words of a part of a document that is XML: text documents, slides, notes, comments. Follows the stream of tags and
//! keeps no tree. Entities that a file declares itself are not known here, so none expands.

use std::io::BufRead;

use quick_xml::{Reader, events::Event};

use super::{Page, Why};

/// Where a format keeps its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// In elements of their own within paragraphs: WordprocessingML, DrawingML, SpreadsheetML.
    InRuns,
    /// In the paragraphs: OpenDocument.
    InParagraphs,
}

/// Writes all words of `xml`: paragraphs and rows become lines, cells stand between tabs.
pub(super) fn read(xml: impl BufRead, words: Words, page: &mut Page) -> Result<(), Why> {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let mut at = Place { words, cells: 0, holding: 0, said: false };
    while !page.is_full() {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| Why::Damaged)? {
            Event::Start(tag) => at.begins(tag.local_name().as_ref(), page),
            Event::Empty(tag) => at.stands(tag.local_name().as_ref(), page),
            Event::End(tag) => at.ends(tag.local_name().as_ref(), page),
            Event::Text(text) => at.says(&text, page),
            Event::CData(text) => at.says(&text, page),
            Event::GeneralRef(name) => {
                let letter = match name.resolve_char_ref() {
                    Ok(Some(letter)) => Some(letter),
                    _ => entity(&name),
                };
                if let Some(letter) = letter {
                    at.says(letter.encode_utf8(&mut [0; 4]), page);
                }
            }
            Event::Eof => return Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
    Ok(())
}

/// XML 1.0 §4.6
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Where in the document the stream stands.
#[derive(Debug)]
struct Place {
    words: Words,
    /// Cells around; a paragraph in a cell ends no line.
    cells: u32,
    /// Elements around that hold words.
    holding: u32,
    /// Whether this cell has words already.
    said: bool,
}

impl Place {
    fn in_paragraphs(&self) -> u32 {
        u32::from(self.words == Words::InParagraphs)
    }

    fn begins(&mut self, tag: &str, page: &mut Page) {
        match tag {
            "tc" | "table-cell" => {
                self.cells += 1;
                self.said = false;
            }
            // WordprocessingML, DrawingML and SpreadsheetML; deleted words are still in the file.
            "t" | "delText" | "instrText" => self.holding += 1,
            "p" | "h" => {
                self.holding += self.in_paragraphs();
                if self.cells > 0 && self.said {
                    page.write(" ");
                }
            }
            _ => self.stands(tag, page),
        }
    }

    fn stands(&mut self, tag: &str, page: &mut Page) {
        match tag {
            "ta" => page.write("\t"),
            "br" | "cr" | "line-break" if self.cells == 0 => page.write("\n"),
            "br" | "cr" | "line-break" | "s" => page.write(" "),
            "noBreakHyphen" => page.write("-"),
            "tc" | "table-cell" => page.write("\t"),
            _ => {}
        }
    }

    fn ends(&mut self, tag: &str, page: &mut Page) {
        match tag {
            "tc" | "table-cell" => {
                self.cells = self.cells.saturating_sub(1);
                page.write("\t");
            }
            "t" | "delText" | "instrText" => self.holding = self.holding.saturating_sub(1),
            "tr" | "table-row" | "comment" | "si" => page.line(),
            "p" | "h" => {
                self.holding = self.holding.saturating_sub(self.in_paragraphs());
                if self.cells == 0 {
                    page.line();
                }
            }
            _ => {}
        }
    }

    fn says(&mut self, text: &str, page: &mut Page) {
        if self.holding > 0 {
            self.said = true;
            page.write(text);
        }
    }
}
