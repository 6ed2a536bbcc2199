//! What the scanner has found so far, within its budgets: head, parts, text, defects. Follows no structure itself.

use crate::{
    Class, Defect, Headline, Message, Part, PartRole,
    body::{Body, Bound, Heard},
    class::{Seen, part_class},
    entity::{Around, Entity, Kind},
    head::{self, Head},
    header::Block,
    scanner::Budget,
};

/// Bytes of names and types kept of all parts together: file names of a thousand parts, or of ten with long ones.
const LABELS_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Findings {
    budget: Budget,
    entities: usize,
    labels: usize,
    head: Option<Head>,
    parts: Vec<Part>,
    text: String,
    text_complete: bool,
    defects: Vec<Defect>,
    sign: Option<Class>,
}

impl Findings {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            entities: 0,
            labels: 0,
            head: None,
            parts: Vec::new(),
            text: String::new(),
            text_complete: true,
            defects: Vec::new(),
            sign: None,
        }
    }

    pub(crate) fn defect(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
        if matches!(defect, Defect::TooDeep | Defect::TooManyParts | Defect::TextTruncated | Defect::Opaque) {
            self.text_complete = false;
        }
    }

    /// Bytes of text that may still be kept.
    pub(crate) fn text_room(&self) -> usize {
        self.budget.text_bytes.saturating_sub(self.text.len())
    }

    /// Reads a header block; `None` once there were too many.
    pub(crate) fn entity(&mut self, block: &mut Block, around: Around, enclosed: bool) -> Option<Entity> {
        if self.entities >= self.budget.parts {
            self.defect(Defect::TooManyParts);
            return None;
        }
        self.entities += 1;
        let fields = block.fields();
        if fields.cut() {
            self.defect(Defect::HeaderTooLarge);
        }
        head::structure_defects(&fields).for_each(|defect| self.defect(defect));
        if self.head.is_none() {
            self.head = Some(Head::read(&fields));
        } else if around == Around::Mail {
            self.say(&head::subject(&fields));
        }
        let mut entity = Entity::read(&fields, around, enclosed);
        entity.defects.iter().for_each(|&defect| self.defect(defect));
        if !enclosed && (entity.kind == Kind::Calendar || entity.part.media_type != "text/calendar") {
            self.sign = self.sign.or(part_class(&entity.part.media_type));
        }
        self.label(&mut entity.part);
        Some(entity)
    }

    /// A mail attached whole begins; gives back its place in the table.
    pub(crate) fn begin_mail(&mut self, part: Part) -> usize {
        self.parts.push(part);
        self.parts.len() - 1
    }

    pub(crate) fn end_mail(&mut self, part: usize, end: u64) {
        if let Some(part) = self.parts.get_mut(part) {
            part.length = end.saturating_sub(part.offset);
        }
    }

    /// A leaf ended.
    pub(crate) fn leaf(&mut self, body: Body, end: u64, bound: Bound) {
        if let Some((part, heard)) = body.finish(end, bound) {
            self.hear(heard);
            self.parts.push(part);
        }
    }

    /// A multipart ended in which no part began. What it says instead is its text, if it says anything.
    pub(crate) fn preamble(&mut self, body: Body, end: u64, bound: Bound) {
        match body.finish(end, bound) {
            Some((part, Heard::Text { text, whole, sound })) if !text.trim().is_empty() => {
                self.hear(Heard::Text { text, whole, sound });
                self.parts.push(part);
            }
            _ => {}
        }
    }

    fn hear(&mut self, heard: Heard) {
        let (text, whole, sound) = match heard {
            Heard::Nothing => return,
            Heard::Mail(inner) => return self.inner(*inner),
            Heard::Text { text, whole, sound } => (text, whole, sound),
        };
        if !whole {
            self.defect(Defect::TextTruncated);
        }
        // The cut of a budget may go through a character.
        if !sound && whole {
            self.defect(Defect::BadCharset);
        }
        if text.contains("-----BEGIN PGP MESSAGE-----") {
            self.defect(Defect::Opaque);
        }
        self.say(&text);
    }

    /// What a mail behind a transfer encoding said; its parts have no place in the original.
    fn inner(&mut self, inner: Message) {
        self.say(&inner.headline.subject);
        self.say(&inner.text);
        for defect in inner.headline.defects {
            if matches!(
                defect,
                Defect::TooDeep | Defect::TooManyParts | Defect::TextTruncated | Defect::Opaque
            ) {
                self.defect(defect);
            }
        }
    }

    /// Adds to the text, on lines of its own.
    fn say(&mut self, text: &str) {
        let text = text.trim();
        let line_end = usize::from(!self.text.is_empty());
        let cut = text.floor_char_boundary(self.text_room().saturating_sub(line_end));
        if cut > 0 {
            self.text.push_str(&"\n"[..line_end]);
            self.text.push_str(&text[..cut]);
        }
        if cut < text.len() {
            self.defect(Defect::TextTruncated);
        }
    }

    /// Counts what a part is called against the budget; beyond it, parts are listed without names.
    fn label(&mut self, part: &mut Part) {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.labels +=
            part.media_type.len() + length(&part.charset) + length(&part.name) + length(&part.content_id);
        if self.labels > LABELS_MAX {
            (part.charset, part.name, part.content_id) = (None, None, None);
            self.defect(Defect::TooManyParts);
        }
    }

    pub(crate) fn message(mut self) -> Message {
        let Some(head) = self.head.take() else {
            return self.without_head();
        };
        let seen = Seen {
            subject: &head.headline.subject,
            text: &self.text,
            files: self.parts.iter().filter(|part| part.role != PartRole::Body && part.length > 0).count(),
            sign: self.sign,
        };
        let class = head.signals.class(seen);
        let mut headline = head.headline;
        for defect in self.defects {
            if !headline.defects.contains(&defect) {
                headline.defects.push(defect);
            }
        }
        headline.parts = self.parts;
        Message {
            headline,
            class,
            in_reply_to: head.in_reply_to,
            references: head.references,
            text: self.text,
            text_complete: self.text_complete,
            hops: head.hops,
            report: None,
            away: None,
        }
    }

    /// Only a budget of no parts at all gets here: the mail was not looked at.
    fn without_head(self) -> Message {
        Message {
            headline: Headline { defects: self.defects, ..Headline::default() },
            class: Class::Human,
            in_reply_to: Vec::new(),
            references: Vec::new(),
            text: String::new(),
            text_complete: false,
            hops: 0,
            report: None,
            away: None,
        }
    }
}
