//! TNEF (MS-OXTNEF), the form in which Outlook sends rich text and its files as one `winmail.dat`. A push parser over the
//! decoded bytes of the part: it notes where the files stand, keeps text within its budgets and holds no file.

mod attributes;
mod codepage;
mod field;
mod file;
mod letter;
mod lzfu;
mod properties;
mod richtext;
mod rtf;

pub(crate) use self::{attributes::SIGNATURE, richtext::Richtext};
use self::{
    attributes::{Attribute, Attributes},
    file::{File, Message},
    letter::{Form, HELD_MAX, Held, Letter, Rich},
    properties::{Properties, Tag},
};
use crate::{
    Defect,
    class::store_class,
    closed::Watch,
    contents::{Contents, Opened, Room, Spoken},
};

/// Attributes and values read of one stream and all streams in it. A large mail of Outlook has a few hundred.
const STEPS_MAX: usize = 100_000;
/// Bytes kept of a name.
const NAME_MAX: usize = 2 * 1024;
/// Interface of an attached message, before its stream (MS-OXTNEF §2.1.3.4.1): `IID_IMessage`.
const MESSAGE: [u8; 16] = [0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

const NUMBER: u16 = 0x0003;
const TEXT_8: u16 = 0x001e;
const TEXT_16: u16 = 0x001f;
const OBJECT: u16 = 0x000d;
const BINARY: u16 = 0x0102;

/// Takes a TNEF stream in pieces of any size and says at its end what it held.
#[derive(Debug)]
pub(crate) struct Tnef {
    room: Room,
    /// Steps still allowed.
    steps: usize,
    /// Where this stream starts in the container: an attached message is a stream inside the stream.
    start: u64,
    attributes: Attributes,
    attribute: Option<Attribute>,
    properties: Option<Properties>,
    taking: Taking,
    letter: Option<Letter>,
    code_page: Option<u32>,
    file: Option<File>,
    contents: Contents,
    subject: String,
    damaged: bool,
}

/// What becomes of the value that is passing.
#[derive(Debug)]
enum Taking {
    Nothing,
    Held(What, Held),
    Rich(Box<Rich>),
    File {
        offset: u64,
        length: u64,
        watch: Watch,
    },
    /// An attached object, in its interface id.
    Object {
        offset: u64,
        id: Vec<u8>,
    },
    Message {
        offset: u64,
        length: u64,
        stream: Box<Tnef>,
    },
}

/// Values that are kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    CodePage,
    InternetCodePage,
    Subject,
    Class,
    Plain,
    Html,
    Title,
    LongName,
    ShortName,
    DisplayName,
    MediaType,
    ContentId,
}

impl Tnef {
    /// A parser at the first byte of a stream.
    pub(crate) fn new(room: Room) -> Self {
        Self::at(0, room, STEPS_MAX)
    }

    fn at(start: u64, room: Room, steps: usize) -> Self {
        Self {
            room,
            steps,
            start,
            attributes: Attributes::default(),
            attribute: None,
            properties: None,
            taking: Taking::Nothing,
            letter: Some(Letter::default()),
            code_page: None,
            file: None,
            contents: Contents::default(),
            subject: String::new(),
            damaged: false,
        }
    }

    /// The next bytes of the stream, any number.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(event) = self.attributes.next(&mut bytes) {
            match event {
                attributes::Event::Begin(attribute) => self.begin(attribute),
                attributes::Event::Bytes(bytes) => self.value(bytes),
                attributes::Event::End { sound } => {
                    self.damaged |= !sound;
                    self.end();
                }
                attributes::Event::Broken => self.damaged = true,
            }
        }
    }

    /// The end of the stream.
    pub(crate) fn finish(mut self) -> Contents {
        self.end();
        self.damaged |= !self.attributes.whole();
        self.end_file();
        self.end_letter();
        match self.damaged {
            false => self.contents.opened = Opened::Whole,
            true => self.contents.defects.push(Defect::ContainerUnreadable),
        }
        self.contents
    }

    /// MS-OXTNEF §2.1.3.3
    fn begin(&mut self, attribute: Attribute) {
        self.step();
        self.attribute = Some(attribute);
        if attribute.of_file {
            self.end_letter();
        }
        let offset = self.start + attribute.offset;
        let text = |what| Taking::Held(what, held(Form::CodePage, offset));
        self.taking = match (attribute.of_file, attribute.id) {
            (false, 0x9007) => Taking::Held(What::CodePage, held(Form::Bytes, offset)),
            (false, 0x8004) => text(What::Subject),
            (false, 0x8008) => text(What::Class),
            (false, 0x800c) => text(What::Plain),
            (true, 0x8010) => text(What::Title),
            (true, 0x800f) => Taking::File { offset, length: 0, watch: Watch::default() },
            (false, 0x9003) | (true, 0x9005) => {
                self.properties = Some(Properties::default());
                Taking::Nothing
            }
            (true, 0x9002) => {
                self.end_file();
                self.file = Some(File::default());
                Taking::Nothing
            }
            _ => Taking::Nothing,
        };
    }

    fn value(&mut self, mut bytes: &[u8]) {
        let Some(mut properties) = self.properties.take() else {
            return self.take(bytes);
        };
        while let Some(event) = properties.next(&mut bytes) {
            match event {
                properties::Event::Begin { tag, offset, .. } => self.begin_property(tag, offset),
                properties::Event::Bytes(bytes) => self.take(bytes),
                properties::Event::End => self.taken(),
                properties::Event::Broken => self.damaged = true,
            }
            if self.attributes.ended() {
                return;
            }
        }
        self.properties = Some(properties);
    }

    fn begin_property(&mut self, tag: Tag, offset: u64) {
        self.step();
        let Some(attribute) = self.attribute else {
            return;
        };
        let offset = self.start + attribute.offset + offset;
        self.taking = match (attribute.of_file, tag.id, tag.kind) {
            (false, 0x1009, BINARY) => Taking::Rich(Box::new(Rich { offset, ..Rich::default() })),
            (true, 0x3701, OBJECT) => Taking::Object { offset, id: Vec::new() },
            (true, 0x3701, BINARY) => Taking::File { offset, length: 0, watch: Watch::default() },
            (of_file, id, kind) => match kept(of_file, id, kind) {
                Some((what, form)) => Taking::Held(what, held(form, offset)),
                None => Taking::Nothing,
            },
        };
    }

    /// One attribute or value more; beyond the budget the rest of the stream is passed over.
    fn step(&mut self) {
        match self.steps.checked_sub(1) {
            Some(left) => self.steps = left,
            None => {
                self.damaged = true;
                self.attributes.stop();
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.taking {
            Taking::Nothing => {}
            Taking::Held(what, held) => held.push(bytes, what.most(self.room.text)),
            Taking::Rich(rich) => rich.push(bytes, self.room.text),
            Taking::File { length, watch, .. } => {
                *length += bytes.len() as u64;
                watch.feed(bytes);
            }
            Taking::Object { offset, id } => {
                let (head, rest) = bytes.split_at(bytes.len().min(MESSAGE.len() - id.len()));
                id.extend_from_slice(head);
                if id.len() == MESSAGE.len() {
                    let (offset, is_message) = (*offset + MESSAGE.len() as u64, id[..] == MESSAGE);
                    self.taking = self.object(offset, is_message);
                    self.take(rest);
                }
            }
            Taking::Message { length, stream, .. } => {
                *length += bytes.len() as u64;
                stream.feed(bytes);
            }
        }
    }

    /// What an attached object is behind its interface id: a message, or a thing of another program.
    fn object(&mut self, offset: u64, is_message: bool) -> Taking {
        if is_message && self.room.depth == 0 {
            self.defect(Defect::TooDeep);
        } else if is_message {
            let listed = self.contents.parts.len() + 1;
            let room = Room {
                depth: self.room.depth - 1,
                parts: self.room.parts.saturating_sub(listed),
                text: self.room.text,
            };
            let stream = Box::new(Self::at(offset, room, self.steps));
            return Taking::Message { offset, length: 0, stream };
        }
        Taking::File { offset, length: 0, watch: Watch::default() }
    }

    /// The value ended.
    fn taken(&mut self) {
        let taking = std::mem::replace(&mut self.taking, Taking::Nothing);
        match taking {
            Taking::Nothing => {}
            Taking::Held(what, held) => self.keep(what, held),
            Taking::Rich(rich) => self.letter().rich = Some(*rich),
            Taking::File { offset, length, watch } => {
                if watch.closed() {
                    self.defect(Defect::Opaque);
                }
                self.of_file().put(offset, length);
            }
            Taking::Object { offset, id } => self.of_file().put(offset, id.len() as u64),
            Taking::Message { offset, length, stream } => self.message(offset, length, *stream),
        }
    }

    fn message(&mut self, offset: u64, length: u64, mut stream: Self) {
        stream.end_letter();
        self.steps = self.steps.min(stream.steps);
        self.room.text = self.room.text.min(stream.room.text);
        let subject = stream.subject.clone();
        let contents = stream.finish();
        self.damaged |= contents.opened != Opened::Whole;
        let file = self.of_file();
        // Beside it there may be a text for readers that know no attached messages.
        file.place = Some((offset, length));
        file.message = Some(Message { subject, contents: contents.enclosed() });
    }

    fn keep(&mut self, what: What, held: Held) {
        match what {
            What::CodePage => self.code_page = held.number(),
            What::InternetCodePage => self.letter().internet_code_page = held.number(),
            What::Subject => self.letter().subject = Some(held),
            What::Class => self.letter().class = Some(held),
            // Of `attBody` and `PidTagBody` one may be empty.
            What::Plain if held.length == 0 => {}
            What::Plain => self.letter().plain = Some(held),
            What::Html => self.letter().html = Some(held),
            What::Title => self.of_file().title = Some(held),
            What::LongName => self.of_file().long_name = Some(held),
            What::ShortName => self.of_file().short_name = Some(held),
            What::DisplayName => self.of_file().display_name = Some(held),
            What::MediaType => self.of_file().media_type = Some(held),
            What::ContentId => self.of_file().content_id = Some(held),
        }
    }

    /// The message's own properties; some may come late.
    fn letter(&mut self) -> &mut Letter {
        self.letter.get_or_insert_default()
    }

    /// The attachment that is being described; one without a beginning has begun all the same.
    fn of_file(&mut self) -> &mut File {
        self.file.get_or_insert_default()
    }

    /// The attribute ended, or the stream within it.
    fn end(&mut self) {
        self.taken();
        if let Some(properties) = self.properties.take() {
            self.damaged |= !properties.whole();
        }
        self.attribute = None;
    }

    fn end_file(&mut self) {
        let Some(file) = self.file.take() else {
            return;
        };
        if self.contents.parts.len() >= self.room.parts {
            return self.defect(Defect::TooManyParts);
        }
        let (part, message) = file.close(self.code_page);
        let name = part.name.clone().unwrap_or_else(|| "message".to_owned());
        self.contents.parts.push(part);
        if let Some(Message { subject, mut contents }) = message {
            self.contents.texts.push(Spoken { text: subject, part: None });
            contents.name_bodies(&name);
            self.contents.append(contents);
        }
    }

    /// The message's own properties have all come once the first attachment begins.
    fn end_letter(&mut self) {
        let Some(letter) = self.letter.take() else {
            return;
        };
        if let Some(subject) = &letter.subject {
            self.subject = subject.text(self.code_page);
        }
        let class = letter.class.as_ref().map(|class| class.text(self.code_page));
        self.contents.sign = class.as_deref().and_then(store_class);
        let contents = letter.close(self.code_page, self.room.text);
        let said: usize = contents.texts.iter().map(|spoken| spoken.text.len()).sum();
        self.room.text = self.room.text.saturating_sub(said);
        self.contents.join(contents);
    }

    fn defect(&mut self, defect: Defect) {
        if !self.contents.defects.contains(&defect) {
            self.contents.defects.push(defect);
        }
    }
}

impl What {
    /// Bytes of it that are kept when `text` bytes of text may be.
    fn most(self, text: usize) -> usize {
        match self {
            Self::CodePage | Self::InternetCodePage => 4,
            Self::Plain | Self::Html => text.min(HELD_MAX),
            Self::Subject
            | Self::Class
            | Self::Title
            | Self::LongName
            | Self::ShortName
            | Self::DisplayName
            | Self::MediaType
            | Self::ContentId => NAME_MAX,
        }
    }
}

fn held(form: Form, offset: u64) -> Held {
    Held { form, offset, ..Held::default() }
}

/// The properties that are kept, and the form of their values (MS-OXPROPS).
fn kept(of_file: bool, id: u16, kind: u16) -> Option<(What, Form)> {
    let what = match (of_file, id) {
        (false, 0x3fde) => What::InternetCodePage,
        (false, 0x0037) => What::Subject,
        (false, 0x001a) => What::Class,
        (false, 0x1000) => What::Plain,
        (false, 0x1013) => What::Html,
        (true, 0x3707) => What::LongName,
        (true, 0x3704) => What::ShortName,
        (true, 0x3001) => What::DisplayName,
        (true, 0x370e) => What::MediaType,
        (true, 0x3712) => What::ContentId,
        _ => return None,
    };
    let form = match kind {
        TEXT_8 => Form::CodePage,
        TEXT_16 => Form::Unicode,
        BINARY if what == What::Html => Form::Bytes,
        NUMBER if what == What::InternetCodePage => Form::Bytes,
        _ => return None,
    };
    Some((what, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps for a stream of `count` files with one property each.
    fn cost(count: usize) -> usize {
        let empty = |id: u16| [&[2][..], &id.to_le_bytes(), &[0; 8]].concat();
        let named = b"\x01\0\0\0\x03\0\x05\x37\x01\0\0\0";
        let sum: u16 = named.iter().map(|&byte| u16::from(byte)).sum();
        let named = [&[2][..], &[0x05, 0x90, 0, 0, 12, 0, 0, 0], named, &sum.to_le_bytes()].concat();
        let file = [empty(0x9002), empty(0x800f), named].concat();
        let stream = [&SIGNATURE[..], &[0, 0], &file.repeat(count)].concat();
        let mut tnef = Tnef::new(Room { depth: 10, parts: usize::MAX, text: 1000 });
        tnef.feed(&stream);
        let steps = STEPS_MAX - tnef.steps;
        let contents = tnef.finish();
        assert_eq!((contents.parts.len(), contents.opened), (count, Opened::Whole));
        steps
    }

    #[test]
    fn twice_as_much_takes_twice_the_steps() {
        assert_eq!(cost(2000), 2 * cost(1000));
        assert_eq!(cost(1000), 4000, "three attributes and a property");
    }
}
