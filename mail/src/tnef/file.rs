//! One attachment of a TNEF stream as its attributes and properties build it up: names of several kinds, a type, a place.

use super::letter::Held;
use crate::{
    Coding, Encoding, Inside, Part, PartRole,
    contents::Contents,
    header::{clip, collapse},
};

const NAME_MAX: usize = 255;
const TYPE_MAX: usize = 127;
/// What writers put where there is no name.
const NO_NAMES: [&str; 2] = ["Untitled Attachment", "Untitled_Attachment"];

/// What is known of an attachment so far.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `attAttachTitle`: the short name.
    pub(super) title: Option<Held>,
    /// `PidTagAttachLongFilename`
    pub(super) long_name: Option<Held>,
    /// `PidTagAttachFilename`: eight characters and three.
    pub(super) short_name: Option<Held>,
    /// `PidTagDisplayName`
    pub(super) display_name: Option<Held>,
    /// `PidTagAttachMimeTag`
    pub(super) media_type: Option<Held>,
    /// `PidTagAttachContentId`
    pub(super) content_id: Option<Held>,
    /// Where its bytes stand in the container, and how many there are.
    pub(super) place: Option<(u64, u64)>,
    /// What it holds, if it is a message.
    pub(super) message: Option<Message>,
}

/// A message attached.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) contents: Contents,
}

impl File {
    /// The place of bytes that were found; empty ones replace none.
    pub(super) fn put(&mut self, offset: u64, length: u64) {
        if self.place.is_none_or(|(_, known)| known == 0) {
            self.place = Some((offset, length));
        }
    }

    /// The attachment as a part, and what is in it.
    pub(super) fn close(self, code_page: Option<u32>) -> (Part, Option<Message>) {
        let text = |held: &Option<Held>| {
            let text = collapse(&held.as_ref()?.text(code_page));
            (!text.is_empty()).then_some(text)
        };
        let name = |held| text(held).filter(|name| !NO_NAMES.contains(&name.as_str()));
        let subject = self.message.as_ref().map(|message| message.subject.clone());
        let name = name(&self.long_name)
            .or_else(|| name(&self.title))
            .or_else(|| name(&self.short_name))
            .or_else(|| name(&self.display_name))
            .or_else(|| subject.filter(|subject| !subject.is_empty()))
            .or_else(|| text(&self.title));
        let media_type = match &self.message {
            Some(_) => "application/ms-tnef".to_owned(),
            None => media_type(text(&self.media_type)),
        };
        let content_id = text(&self.content_id).map(|id| clip(id.trim_matches(['<', '>']), NAME_MAX));
        let (offset, length) = self.place.unwrap_or_default();
        let opened = self.message.as_ref().is_some_and(|message| !message.contents.parts.is_empty());
        let inline = media_type.starts_with("image/") && content_id.is_some();
        let role = match (opened, inline) {
            (true, _) => PartRole::Container,
            (false, true) => PartRole::Inline,
            (false, false) => PartRole::Attachment,
        };
        let part = Part {
            offset: 0,
            length: 0,
            encoding: Encoding::Identity,
            media_type,
            charset: None,
            name: name.map(|name| clip(&name, NAME_MAX)),
            content_id,
            role,
            inside: Some(Inside { parent: 0, offset, length, coding: Coding::Identity, through: Vec::new() }),
        };
        (part, self.message)
    }
}

/// As declared, if it has the form of one.
fn media_type(declared: Option<String>) -> String {
    let sound = |text: &String| {
        let token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        text.split_once('/').is_some_and(|(main, sub)| token(main) && token(sub))
    };
    match declared.filter(sound) {
        Some(declared) => clip(&declared.to_ascii_lowercase(), TYPE_MAX),
        None => "application/octet-stream".to_owned(),
    }
}
