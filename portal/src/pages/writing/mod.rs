//! Pages of what is being written: drafts and their files, new cases, texts for reuse.

pub(crate) mod begin;
pub(crate) mod draft;
mod fields;
pub(crate) mod files;
mod letter;
pub(crate) mod texts;
mod view;

pub(super) use view::answering;
