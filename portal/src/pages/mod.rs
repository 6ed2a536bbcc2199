//! One module per page or family of pages: from a request that passed `guard` to finished words.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod case;
pub(crate) mod case_lists;
mod case_notes;
pub(crate) mod download;
mod files;
pub(crate) mod fixed;
pub(crate) mod give_cases;
pub(crate) mod held;
pub(crate) mod home;
pub(crate) mod list_filter;
mod mail_card;
pub(crate) mod mail_ways;
mod mail_words;
pub(crate) mod message;
mod message_card;
pub(crate) mod outbox;
pub(crate) mod password_links;
pub(crate) mod reports;
pub(crate) mod search;
pub(crate) mod second_step;
pub(crate) mod shadow;
pub(crate) mod sign_in;
mod signature_words;
pub(crate) mod writing;
