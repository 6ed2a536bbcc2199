//! The name of a folder as IMAP spells it. Never a name that could break out of its command.

use base64::{Engine, alphabet, engine::GeneralPurpose, engine::general_purpose::NO_PAD};

/// A mailbox name in modified UTF-7 (RFC 3501 §5.1.3), ready to stand between quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    #[error("the name of a folder is empty; write it as the mail server spells it, for example INBOX")]
    Empty,
    #[error("the name of a folder is longer than 255 characters")]
    Long,
    #[error("the name of a folder holds the character {0:?}, which no folder has")]
    Character(char),
}

impl Folder {
    /// The folder that every mailbox has.
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// Parses a name as people read it.
    pub fn parse(name: &str) -> Result<Self, FolderError> {
        if name.is_empty() {
            return Err(FolderError::Empty);
        }
        if name.chars().count() > 255 {
            return Err(FolderError::Long);
        }
        // Wildcards mean something to LIST, and a control character nothing good to anybody.
        match name.chars().find(|c| c.is_control() || matches!(c, '*' | '%')) {
            Some(c) => Err(FolderError::Character(c)),
            None => Ok(Self(modified_utf7(name))),
        }
    }

    /// With its quotes, as a command has it.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn modified_utf7(name: &str) -> String {
    let base64 = GeneralPurpose::new(&alphabet::IMAP_MUTF7, NO_PAD);
    let mut spelled = String::new();
    let mut other = Vec::new();
    // A space behind the end flushes what is left.
    for c in name.chars().chain([' ']) {
        if !matches!(c, ' '..='~') {
            other.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
            continue;
        }
        if !other.is_empty() {
            spelled.push_str(&format!("&{}-", base64.encode(&other)));
            other.clear();
        }
        match c {
            '&' => spelled.push_str("&-"),
            c => spelled.push(c),
        }
    }
    spelled.pop();
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_the_rfc_does() {
        for (name, spelled) in [
            ("INBOX", "\"INBOX\""),
            ("Done/2026", "\"Done/2026\""),
            ("R&D", "\"R&-D\""),
            // The examples of RFC 3501 §5.1.3.
            ("~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""),
            ("\"a\\b\"", "\"\\\"a\\\\b\\\"\""),
            ("é", "\"&AOk-\""),
            ("\u{1f4e7}!", "\"&2D3c5w-!\""),
        ] {
            assert_eq!(Folder::parse(name).unwrap().quoted(), spelled, "{name}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_command() {
        assert_eq!(Folder::parse(""), Err(FolderError::Empty));
        assert_eq!(Folder::parse("a\r\nA1 DELETE INBOX"), Err(FolderError::Character('\r')));
        assert_eq!(Folder::parse("a*"), Err(FolderError::Character('*')));
        assert_eq!(Folder::parse(&"x".repeat(256)), Err(FolderError::Long));
    }
}
