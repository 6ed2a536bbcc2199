//! One module per page or family of pages: from a request that passed `guard` to finished words.

pub(crate) mod case;
pub(crate) mod case_lists;
pub(crate) mod download;
pub(crate) mod fixed;
pub(crate) mod message;
mod message_card;
pub(crate) mod outbox;
pub(crate) mod search;
pub(crate) mod sign_in;
