//! Every word that Postern sends or shows: the notice and the portal's pages.
//!
//! Each template has one typed context; all of them are compiled when the process starts. Nothing
//! here reads a file, a clock or the ledger, and nothing here can print mail content into a notice.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod fields;
mod notice;
pub mod pages;
mod registry;

pub use fields::{CaseReference, CompanyName, DueDate, FieldError, Link, ProcessName};
pub use notice::{Notice, NoticeText};
pub use pages::Page;
pub use registry::{TemplateError, Templates};

/// The portal's one style sheet.
pub const STYLE_SHEET: &str = include_str!("../assets/style.css");

/// The portal's icon (SVG).
pub const ICON: &str = include_str!("../assets/icon.svg");
