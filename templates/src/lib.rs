//! Every word that Postern sends or shows: its letters and the portal's pages.
//!
//! Each template has one typed context; all of them are compiled when the process starts. Nothing
//! here reads a file, a clock or the ledger, and nothing here can print mail content into a letter.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod alert_digest;
mod case_news;
mod delivery;
mod digest;
mod fields;
mod held;
mod idle_letter;
mod letter;
mod notice;
pub mod pages;
mod password_letter;
mod receipt;
mod registry;
mod words;

pub use alert_digest::AlertDigest;
pub use case_news::{CaseNews, NewsOfCase};
pub use delivery::{DeliveryFate, DeliveryReport};
pub use digest::{Digest, DigestLine};
pub use fields::{
    CaseReference, CompanyName, DueDate, FieldError, Link, Moment, PasswordLink, Phrase, PortalAddress,
    ProcessName, Recipient,
};
pub use held::{Held, HeldReader, HeldReason, HeldState};
pub use idle_letter::IdleLetter;
pub use letter::{LetterStyle, LetterText};
pub use notice::Notice;
pub use pages::Page;
pub use password_letter::PasswordLetter;
pub use receipt::Receipt;
pub use registry::{TemplateError, Templates};
pub use words::{Words, WordsError};

/// Makes pages handier; none needs it.
pub const SCRIPT: &str = include_str!("../assets/portal.js");

/// The portal's one style sheet.
pub const STYLE_SHEET: &str = include_str!("../assets/style.css");

/// The portal's icon (SVG).
pub const ICON: &str = include_str!("../assets/icon.svg");
