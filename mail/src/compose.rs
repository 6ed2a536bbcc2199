//! compose

use crate::Address;

/// Why
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A header value
    #[error("{0} has a line break or a NUL in it: take it out")]
    ControlCharacter(&'static str),
}

/// Letter
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// author
    pub from: &'a Address,
    /// name
    pub from_name: &'a str,
    /// to
    pub to: &'a Address,
    /// reply
    pub reply_to: &'a Address,
    /// subject
    pub subject: &'a str,
    /// text
    pub text: &'a str,
    /// html
    pub html: &'a str,
    /// without brackets
    pub message_id: &'a str,
    /// without brackets
    pub references: &'a [String],
    /// seconds since 1970
    pub date: i64,
}

impl Letter<'_> {
    /// bytes
    pub fn to_bytes(&self) -> Result<Vec<u8>, ComposeError> {
        todo!()
    }
}
