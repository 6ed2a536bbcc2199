//! What a container held: parts with their places, text, defects. Whatever kind of container it was, the findings take
//! it in by the same way. Opens nothing itself.

use crate::{
    Class, Coding, Defect, Inside, Message, Part, PartRole, Signed, Slice, charset, header::clip, uuencode,
};

/// Longest file name kept, in bytes.
const NAME_MAX: usize = 255;

/// What of the budget is left for what is inside a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Containers and mails inside one another.
    pub(crate) depth: usize,
    /// Parts listed.
    pub(crate) parts: usize,
    /// Bytes of text kept.
    pub(crate) text: usize,
}

/// What was found in a container.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Each with its place inside the container. A parent of 0 is the container, of n the n-th of these parts.
    pub(crate) parts: Vec<Part>,
    pub(crate) texts: Vec<Spoken>,
    pub(crate) defects: Vec<Defect>,
    pub(crate) signed: Option<Signed>,
    pub(crate) sign: Option<Class>,
    /// Of a mail inside the mail.
    pub(crate) message_id: Option<String>,
    pub(crate) opened: Opened,
}

/// A text that a container held.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) text: String,
    /// The part that it is, by its index, if a text elsewhere in the mail may be the same in another form.
    pub(crate) part: Option<usize>,
}

/// What becomes of the container itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// It stays a file: it is a thing of its own, or not all in it could be read.
    #[default]
    Kept,
    /// What it held stands for it.
    Whole,
}

impl Contents {
    /// A container that nobody can look into.
    pub(crate) fn closed(defect: Defect) -> Self {
        Self { defects: vec![defect], ..Self::default() }
    }

    /// What a mail, or one entity of a mail, was found to be by a scanner of its own.
    pub(crate) fn of_mail(message: Message) -> Self {
        let headline = message.headline;
        let texts = [headline.subject, message.text].into_iter().filter(|text| !text.is_empty());
        let kept =
            |defect: &Defect| !matches!(defect, Defect::NoFrom | Defect::ManyFrom | Defect::ManyAuthors);
        Self {
            parts: headline.parts.into_iter().map(inward).collect(),
            texts: texts.map(|text| Spoken { text, part: None }).collect(),
            defects: headline.defects.into_iter().filter(kept).collect(),
            signed: headline.signed,
            sign: Some(message.class)
                .filter(|class| matches!(class, Class::Bounce | Class::Receipt | Class::Calendar)),
            message_id: headline.message_id,
            opened: Opened::Kept,
        }
    }

    /// The same inside a slice of another container.
    pub(crate) fn shifted(mut self, slice: Slice) -> Self {
        for inside in self.parts.iter_mut().filter_map(|part| part.inside.as_mut()) {
            match (slice.coding, inside.through.first_mut()) {
                (Coding::Identity, Some(outermost)) => outermost.offset += slice.offset,
                (Coding::Identity, None) => inside.offset += slice.offset,
                (_, _) => inside.through.insert(0, slice),
            }
        }
        self
    }

    /// All parts belong to a mail inside the mail.
    pub(crate) fn enclosed(mut self) -> Self {
        for part in self.parts.iter_mut().filter(|part| part.role != PartRole::Container) {
            part.role = PartRole::Enclosed;
        }
        (self.signed, self.sign) = (None, None);
        self
    }

    /// Gives the texts of a message names, after its own: nobody has a program that opens the message whole.
    pub(crate) fn name_bodies(&mut self, name: &str) {
        for part in self.parts.iter_mut().filter(|part| part.name.is_none()) {
            let ending = match part.media_type.as_str() {
                "text/plain" => "txt",
                "text/html" => "html",
                _ => continue,
            };
            part.name = Some(format!("{}.{ending}", clip(name, NAME_MAX - 5)));
        }
    }

    /// Takes in what a part of this container held, which is itself the last one listed.
    pub(crate) fn append(&mut self, inner: Self) {
        let parent = self.parts.len() as u32;
        self.parts.extend(inner.parts.into_iter().map(|part| beneath(part, parent)));
        self.texts.extend(inner.texts.into_iter().map(|spoken| Spoken { part: None, ..spoken }));
        self.add_defects(inner.defects);
    }

    /// Takes in what the same container held too.
    pub(crate) fn join(&mut self, other: Self) {
        let before = self.parts.len();
        let moved = |part: Part| match &part.inside {
            Some(inside) if inside.parent > 0 => beneath(part, before as u32),
            _ => part,
        };
        self.parts.extend(other.parts.into_iter().map(moved));
        let moved = |spoken: Spoken| Spoken { part: spoken.part.map(|part| part + before), ..spoken };
        self.texts.extend(other.texts.into_iter().map(moved));
        self.add_defects(other.defects);
    }

    fn add_defects(&mut self, defects: Vec<Defect>) {
        for defect in defects {
            if !self.defects.contains(&defect) {
                self.defects.push(defect);
            }
        }
    }

    /// Lists a part no more; it has none inside it.
    pub(crate) fn forget(&mut self, index: usize) {
        self.parts.remove(index);
        for inside in self.parts.iter_mut().filter_map(|part| part.inside.as_mut()) {
            inside.parent -= u32::from(inside.parent as usize > index);
        }
    }
}

/// Moves a part's parent on by the parts that are listed before it.
pub(crate) fn beneath(mut part: Part, before: u32) -> Part {
    if let Some(inside) = &mut part.inside {
        inside.parent += before;
    }
    part
}

/// The uuencoded files in the text that `part` is; `parent` is its number.
pub(crate) fn files_in_text(part: &Part, parent: u32, files: &[uuencode::File]) -> Vec<Part> {
    let through: Vec<Slice> = match &part.inside {
        None => Vec::new(),
        Some(inside) => {
            let own = Slice { offset: inside.offset, length: inside.length, coding: inside.coding };
            inside.through.iter().copied().chain([own]).collect()
        }
    };
    let name = |file: &uuencode::File| {
        let name = charset::read(&file.name, part.charset.as_deref()).text;
        (!name.is_empty()).then(|| clip(&name, NAME_MAX))
    };
    let listed = |file: &uuencode::File| Part {
        media_type: "application/octet-stream".to_owned(),
        charset: None,
        name: name(file),
        content_id: None,
        role: part.role.closed(),
        inside: Some(Inside {
            parent,
            offset: file.offset,
            length: file.length,
            coding: Coding::Uuencode,
            through: through.clone(),
        }),
        ..*part
    };
    files.iter().map(listed).collect()
}

/// A part whose places count from the start of an inner mail, as one inside that mail.
fn inward(mut part: Part) -> Part {
    let own = Slice { offset: part.offset, length: part.length, coding: part.encoding.into() };
    part.inside = Some(match part.inside {
        None => Inside {
            parent: 0,
            offset: own.offset,
            length: own.length,
            coding: own.coding,
            through: Vec::new(),
        },
        Some(mut inside) => {
            inside.through.insert(0, own);
            Inside { parent: inside.parent + 1, ..inside }
        }
    });
    part
}
