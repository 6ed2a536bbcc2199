//! What the scanner has found so far, within its budgets: head, parts, text, defects. Follows no structure itself.

use memchr::memmem;

use crate::{
    Class, Defect, Headline, Message, Part, PartRole, Signed, away,
    block::{Block, with_line_ends},
    body::{Body, Bound, Heard, Text},
    charset,
    class::{Opening, Seen, part_class},
    contents::{Contents, Opened, Spoken, beneath, files_in_text},
    entity::{Around, Entity, Kind},
    head::{self, Head},
    report::{Context, Evidence},
    scanner::{Budget, Scanner},
};

/// Bytes of names and types kept of all parts together: file names of a thousand parts, or of ten with long ones.
const LABELS_MAX: usize = 256 * 1024;
const ARMOUR: &str = "-----BEGIN PGP ";

#[derive(Debug)]
pub(crate) struct Findings {
    budget: Budget,
    entities: usize,
    labels: usize,
    head: Option<Head>,
    parts: Vec<Part>,
    text: String,
    /// A text of the mail itself is listed.
    has_text: bool,
    /// Where the mail's own text ends and that of a mail inside begins.
    own_text: Option<usize>,
    text_complete: bool,
    defects: Vec<Defect>,
    sign: Option<Class>,
    signed: Option<Signed>,
    evidence: Evidence,
    /// The mail with line ends, if it has bare CRs for all of them.
    lone_returns: Option<Vec<u8>>,
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
            has_text: false,
            own_text: None,
            text_complete: true,
            defects: Vec::new(),
            sign: None,
            signed: None,
            evidence: Evidence::default(),
            lone_returns: None,
        }
    }

    pub(crate) fn defect(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
        if matches!(
            defect,
            Defect::TooDeep
                | Defect::TooManyParts
                | Defect::TextTruncated
                | Defect::Opaque
                | Defect::ContainerUnreadable
        ) {
            self.text_complete = false;
        }
    }

    /// Bytes of text that may still be kept.
    pub(crate) fn text_room(&self) -> usize {
        self.budget.text_bytes.saturating_sub(self.text.len())
    }

    /// Parts that may still be listed.
    pub(crate) fn parts_room(&self) -> usize {
        self.budget.parts.saturating_sub(self.entities)
    }

    /// Reads a header block; `None` once there were too many.
    pub(crate) fn entity(&mut self, block: &mut Block, around: Around, enclosed: bool) -> Option<Entity> {
        if self.entities >= self.budget.parts {
            self.defect(Defect::TooManyParts);
            return None;
        }
        self.entities += 1;
        if self.head.is_none() {
            self.lone_returns = block.with_line_ends();
        }
        // What some reader may show is heard.
        let junk = charset::read(block.junk_lines(), None).text;
        let fields = block.fields();
        if fields.cut() {
            self.defect(Defect::HeaderTooLarge);
        }
        head::structure_defects(&fields).for_each(|defect| self.defect(defect));
        if self.head.is_none() {
            self.head = Some(Head::read(&fields));
            self.evidence.head(&fields);
        } else if around == Around::Mail {
            self.evidence.enclosed(&fields);
            self.own_text.get_or_insert(self.text.len());
            self.say(&head::subject(&fields));
        }
        self.say(&junk);
        let mut entity = Entity::read(&fields, around, enclosed);
        entity.defects.iter().for_each(|&defect| self.defect(defect));
        if !enclosed {
            self.sign = self.sign.or(part_class(&fields, &entity));
            self.signed = self.signed.or(entity.signed);
        }
        entity.kind = match (entity.kind, entity.part.media_type.as_str()) {
            (Kind::File, media_type) if Evidence::wants(media_type) => Kind::Text,
            // They begin like mails, and many clients show them so (RFC 2046 §5.2.2, §5.2.3).
            (Kind::File, "message/partial" | "message/external-body") => Kind::Mail,
            (kind, _) => kind,
        };
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
            self.hear(part, heard);
        }
    }

    /// A multipart ended in which no part began. What it says instead is the text of a mail that has no other; else it is
    /// what RFC 2046 §5.1.1 tells readers to pass over, and only heard.
    pub(crate) fn preamble(&mut self, body: Body, end: u64, bound: Bound) {
        let Some((part, Heard::Text(text))) = body.finish(end, bound) else {
            return;
        };
        let shown = part.role == PartRole::Body && !self.has_text && !text.is_blank();
        if shown || !text.files.is_empty() {
            self.hear(part, Heard::Text(text));
        } else {
            self.hear_text(&text, part.role);
        }
    }

    fn hear(&mut self, part: Part, heard: Heard) {
        match heard {
            Heard::Nothing => self.parts.push(part),
            Heard::Contents(contents) => self.open(part, contents),
            Heard::Text(Text { text, .. }) if Evidence::wants(&part.media_type) => {
                self.evidence.part(&part.media_type, &text);
                self.parts.push(part);
            }
            Heard::Text(text) => {
                self.hear_text(&text, part.role);
                self.has_text |= part.role == PartRole::Body && !text.is_blank();
                let files = files_in_text(&part, self.parts.len() as u32, &text.files);
                self.parts.push(part);
                self.list(files);
            }
        }
    }

    fn hear_text(&mut self, text: &Text, role: PartRole) {
        if !text.whole {
            self.defect(Defect::TextTruncated);
        }
        // The cut of a budget may go through a character.
        if !text.sound && text.whole {
            self.defect(Defect::BadCharset);
        }
        self.armour(&text.text, role);
        self.say(&text.text);
    }

    /// OpenPGP within the text (RFC 9580 §6.2).
    fn armour(&mut self, text: &str, role: PartRole) {
        for at in memmem::find_iter(text.as_bytes(), ARMOUR) {
            let kind = &text[at + ARMOUR.len()..];
            if kind.starts_with("MESSAGE-----") {
                self.defect(Defect::Opaque);
            }
            if role != PartRole::Enclosed && kind.starts_with("SIGNED MESSAGE-----") {
                self.signed = self.signed.or(Some(Signed::Pgp));
            }
        }
    }

    /// Takes in what a container held; its parts follow it in the table.
    fn open(&mut self, mut container: Part, mut contents: Contents) {
        // Signed data is no other mail, though the head of one may be inside.
        let mail = container.media_type.starts_with("message/");
        if mail {
            self.evidence.encoded(contents.message_id.as_deref());
            self.own_text.get_or_insert(self.text.len());
        }
        self.say_new(&mut contents);
        let enclosed = container.role == PartRole::Enclosed;
        if enclosed {
            contents = contents.enclosed();
        }
        self.signed = self.signed.or(contents.signed);
        self.sign = self.sign.or(contents.sign.filter(|_| !mail));
        contents.defects.into_iter().for_each(|defect| self.defect(defect));
        if contents.opened == Opened::Whole {
            container.role = PartRole::Container;
        }
        let (offset, length, encoding) = (container.offset, container.length, container.encoding);
        let parent = self.parts.len() as u32;
        self.parts.push(container);
        let placed = |part| Part { offset, length, encoding, ..beneath(part, parent) };
        self.list(contents.parts.into_iter().map(placed).collect());
    }

    /// Adds a container's text. Exchange sends a text beside a `winmail.dat` that says the same: it is read once.
    fn say_new(&mut self, contents: &mut Contents) {
        for Spoken { text, part } in std::mem::take(&mut contents.texts) {
            match part {
                Some(part) if same_words(&self.text, &text) => contents.forget(part),
                _ => self.say(&text),
            }
        }
    }

    /// Lists parts that have no header block of their own, as far as the budget goes.
    fn list(&mut self, mut parts: Vec<Part>) {
        if parts.len() > self.parts_room() {
            parts.truncate(self.parts_room());
            self.defect(Defect::TooManyParts);
        }
        self.entities += parts.len();
        for mut part in parts {
            self.label(&mut part);
            self.parts.push(part);
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
        let own = &self.text[..self.own_text.unwrap_or(self.text.len())];
        let opening = Opening::of(own);
        let seen = Seen {
            text: own,
            opening: &opening,
            returned: self.evidence.has_returned(),
            files: self.parts.iter().filter(|part| is_file(part)).count(),
            sign: self.sign,
        };
        let class = head.signals.class(seen);
        let report = (class == Class::Bounce).then(|| {
            let (subject, to) = (&head.headline.subject, &head.headline.to);
            self.evidence.report(Context { subject, text: own, to, in_reply_to: &head.in_reply_to })
        });
        let sent = head.headline.date;
        let away =
            (class == Class::AutoReply).then(|| away::read(&head.headline.subject, &opening, sent)).flatten();
        let mut headline = head.headline;
        for defect in self.defects {
            if !headline.defects.contains(&defect) {
                headline.defects.push(defect);
            }
        }
        headline.parts = self.parts;
        headline.signed = self.signed;
        let headless = headline.from.is_empty() && headline.subject.is_empty();
        let lines = self.lone_returns.or_else(|| with_line_ends(self.text.as_bytes()).filter(|_| headless));
        let message = Message {
            headline,
            class,
            in_reply_to: head.in_reply_to,
            references: head.references,
            text: self.text,
            text_complete: self.text_complete,
            hops: head.hops,
            report,
            away,
        };
        match lines {
            Some(lines) => read_apart(&lines, self.budget, message),
            None => message,
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

/// A mail of one endless line is shown as that, but which kind of mail it is shows only in its lines.
fn read_apart(mail: &[u8], budget: Budget, message: Message) -> Message {
    let mut scanner = Scanner::new(budget);
    scanner.feed(mail);
    let Message { class, report, away, .. } = scanner.finish();
    Message { class, report, away, ..message }
}

fn is_file(part: &Part) -> bool {
    !matches!(part.role, PartRole::Body | PartRole::Container) && part.encoded().0 > 0
}

fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
