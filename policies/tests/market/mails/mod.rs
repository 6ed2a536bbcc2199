//! Realistic mail of the British energy market, made up from a seed, with what is in it written down beside it: process, search
//! tags, personal data by category. It knows nothing of what the engine can do, and uses nothing but the standard library, so
//! that any test may include it.

mod chance;
mod dress;
mod files;
mod letter;
mod numbers;
mod people;
mod scene;
mod story;
mod wording;

use self::{
    chance::Chance,
    wording::{BETWEEN_SUPPLIERS, OTHERS, Wording},
};

pub(crate) use self::{files::File, people::COMPANIES, story::Marks};

/// How a mail finds its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    /// It is addressed to the process's own mailbox.
    Mailbox,
    /// A code stands in front of its subject.
    Code,
    /// Nothing but what it says.
    Words,
}

/// What kind of mail it is, for the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// A first request.
    Fresh,
    /// An answer above the quoted request.
    Answer,
    /// A reminder above the quoted request.
    Chaser,
    /// Somebody else's request, sent on.
    Forward,
    /// Everything stands in the subject.
    SubjectOnly,
    /// The particulars are in a file.
    Listed,
    /// Something that is no process.
    Other,
}

/// A mail and what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    /// Its place in the sequence.
    pub(crate) number: u64,
    /// The mail.
    pub(crate) eml: Vec<u8>,
    /// Who wrote it.
    pub(crate) from: String,
    /// To whom it goes.
    pub(crate) rcpt: String,
    pub(crate) form: Form,
    pub(crate) route: Route,
    /// The id of the process; none where it is about something else.
    pub(crate) process: Option<&'static str>,
    pub(crate) marks: Marks,
    pub(crate) files: Vec<File>,
}

/// The mails of a seed, always the same ones.
pub(crate) fn market_mails(seed: u64, count: u64) -> impl Iterator<Item = Labelled> {
    (0..count).map(move |number| {
        let mut chance =
            Chance::seeded(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(number * 0x9e37_79b9));
        chance.next();
        match chance.percent(10) {
            true => scene::other_business(&mut chance, number),
            false => scene::of_a_process(&mut chance, number),
        }
    })
}

/// The local part of a process's own mailbox at every company.
pub(crate) fn mailbox_of(process: &str) -> &'static str {
    wordings().find(|wording| wording.process == process).map_or("", |wording| wording.mailbox)
}

/// The processes that mails are about.
pub(crate) fn processes() -> impl Iterator<Item = &'static str> {
    wordings().map(|wording| wording.process)
}

fn wordings() -> impl Iterator<Item = &'static Wording> {
    BETWEEN_SUPPLIERS.iter().chain(&OTHERS)
}
