//! Where the letters of a PDF are drawn, as far as that tells words and lines apart: a page has no spaces and no line ends of
//! its own. Turned text is taken as if it were not.

use lopdf::{Object, content::Operation};

use super::{Page, fonts::Font};

/// Drawing states remembered (ISO 32000-1 §8.4.2); whoever nests deeper loses the outer ones.
const STATES: usize = 64;
/// A gap of this part of the font's size stands for a space; letters drawn one by one leave less.
const SPACE: f32 = 0.2;
/// A step up or down of this part of the font's size is another line; a raised letter is less.
const LINE: f32 = 0.5;

/// The drawing of text (ISO 32000-1 §9.4).
pub(super) struct Pen<'a> {
    font: Option<&'a Font<'a>>,
    size: f32,
    /// How much larger the text matrix makes it.
    scale: f32,
    leading: f32,
    /// The beginning of the line.
    line: (f32, f32),
    /// Where the next letter comes to stand along the line.
    next: f32,
    /// How drawing places become places on the page.
    frame: Frame,
    frames: Vec<Frame>,
    /// Where on the page the last letter ended.
    last: Option<(f32, f32)>,
}

/// Stretching and shifting.
#[derive(Clone, Copy)]
struct Frame {
    by: (f32, f32),
    to: (f32, f32),
}

impl Default for Pen<'_> {
    fn default() -> Self {
        let frame = Frame { by: (1.0, 1.0), to: (0.0, 0.0) };
        Self {
            font: None,
            size: 1.0,
            scale: 1.0,
            leading: 0.0,
            line: (0.0, 0.0),
            next: 0.0,
            frame,
            frames: Vec::new(),
            last: None,
        }
    }
}

impl<'a> Pen<'a> {
    pub(super) fn takes(&mut self, font: Option<&'a Font<'a>>, operation: &Operation) {
        self.font = font;
        self.size = number(operation, 1);
    }

    /// Does what the operation says; one that is not about text changes nothing.
    pub(super) fn does(&mut self, operation: &Operation, page: &mut Page) {
        let at = |place| number(operation, place);
        match operation.operator.as_str() {
            "q" if self.frames.len() < STATES => self.frames.push(self.frame),
            "Q" => self.frame = self.frames.pop().unwrap_or(self.frame),
            "cm" => self.frame = self.frame.within((at(0), at(3)), (at(4), at(5))),
            "BT" => self.goes(0.0, 0.0, 1.0),
            "TL" => self.leading = at(0),
            "Td" => self.steps(at(0), at(1)),
            "TD" => {
                self.leading = -at(1);
                self.steps(at(0), at(1));
            }
            "Tm" => self.goes(at(4), at(5), at(0).hypot(at(1))),
            "T*" => self.steps(0.0, -self.leading),
            "Tj" => self.shows(operation.operands.first(), page),
            "TJ" => self.shows_spaced(operation, page),
            "'" => {
                self.steps(0.0, -self.leading);
                self.shows(operation.operands.first(), page);
            }
            "\"" => {
                self.steps(0.0, -self.leading);
                self.shows(operation.operands.get(2), page);
            }
            _ => {}
        }
    }

    fn goes(&mut self, right: f32, up: f32, scale: f32) {
        self.line = (right, up);
        self.next = right;
        self.scale = if scale > 0.0 { scale } else { 1.0 };
    }

    fn steps(&mut self, right: f32, up: f32) {
        self.goes(self.line.0 + right * self.scale, self.line.1 + up * self.scale, self.scale);
    }

    /// Strings, and between them how far to step back, in thousandths of the size.
    fn shows_spaced(&mut self, operation: &Operation, page: &mut Page) {
        let pieces = operation.operands.first().and_then(|pieces| pieces.as_array().ok());
        for piece in pieces.into_iter().flatten() {
            match piece.as_float() {
                Ok(back) => self.next -= back / 1000.0 * self.size * self.scale,
                Err(_) => self.shows(Some(piece), page),
            }
        }
    }

    fn shows(&mut self, string: Option<&Object>, page: &mut Page) {
        let Some((codes, font)) = string.and_then(|string| string.as_str().ok()).zip(self.font) else {
            return;
        };
        let Some(letters) = font.letters(codes) else { return };
        let (right, up) = self.frame.place((self.next, self.line.1));
        let size = (self.size * self.scale * self.frame.by.0).abs();
        if let Some((end, height)) = self.last {
            match () {
                () if (up - height).abs() > size * LINE => page.line(),
                () if right - end > size * SPACE || end - right > size => page.write(" "),
                () => {}
            }
        }
        page.write(&letters);
        self.next += font.width(codes) / 1000.0 * self.size * self.scale;
        self.last = Some(self.frame.place((self.next, self.line.1)));
    }
}

impl Frame {
    fn within(self, by: (f32, f32), to: (f32, f32)) -> Self {
        let stretch = |of: f32, by: f32| if by == 0.0 { of } else { of * by };
        Self { to: self.place(to), by: (stretch(self.by.0, by.0), stretch(self.by.1, by.1)) }
    }

    fn place(self, (right, up): (f32, f32)) -> (f32, f32) {
        (right * self.by.0 + self.to.0, up * self.by.1 + self.to.1)
    }
}

fn number(operation: &Operation, place: usize) -> f32 {
    operation.operands.get(place).and_then(|operand| operand.as_float().ok()).unwrap_or(0.0)
}
