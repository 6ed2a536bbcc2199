//! Secrets by reference: where a root key or a password is read from. The secret itself is never in the file,
//! and this type never holds it.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::key::Wrong;
use super::value;

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// A file with mode 0600.
    File(PathBuf),
    /// A systemd credential (`LoadCredential=`), by name.
    Credential(String),
    /// A file descriptor that the process was started with.
    Descriptor(u32),
}

impl SecretPlace {
    /// `{ file = "…" }`, `{ credential = "…" }` or `{ fd = 3 }`.
    pub(crate) fn read(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let remedy = "write { file = \"…\" }, { credential = \"…\" } or { fd = 3 }";
        let Some(table) = value.as_table() else {
            return Err(Wrong::new("a secret is named here, never written", remedy));
        };
        let mut entries = table.iter();
        let (Some((name, place)), None) = (entries.next(), entries.next()) else {
            return Err(Wrong::new("exactly one place is wanted here", remedy));
        };
        match name.get_ref().as_ref() {
            "file" => value::path(place.get_ref()).map(Self::File),
            "credential" => credential(place.get_ref()),
            "fd" => value::whole(place.get_ref(), 3, 1023).map(Self::Descriptor),
            other => Err(Wrong::new(format!("there is no place of the kind `{other}`"), remedy)),
        }
    }

    /// As [`SecretPlace::read`], with plain text as a short form of `{ file = "…" }`.
    pub(crate) fn read_file_or_place(value: &DeValue<'_>) -> Result<Self, Wrong> {
        match value.as_str() {
            Some(_) => value::path(value).map(Self::File),
            None => Self::read(value),
        }
    }

    /// Relative files start at the configuration's folder.
    pub(crate) fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(file) => Self::File(folder.join(file)),
            other => other,
        }
    }

    /// A descriptor can be read once only, so a check must leave it alone.
    pub(crate) fn is_descriptor(&self) -> bool {
        matches!(self, Self::Descriptor(_))
    }

    /// The file to read the secret from.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        match self {
            Self::File(file) => Ok(file.clone()),
            Self::Descriptor(number) => Ok(PathBuf::from(format!("/dev/fd/{number}"))),
            Self::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => Ok(PathBuf::from(folder).join(name)),
                None => anyhow::bail!(
                    "the credential `{name}` is wanted, but systemd gave none to this process: \
                     add LoadCredential={name}:… to the unit"
                ),
            },
        }
    }

    /// The text of a password file, without the line end. Never logged.
    pub(crate) fn password(&self) -> anyhow::Result<String> {
        use anyhow::Context;
        let path = self.path()?;
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the secret in {}", path.display()))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn credential(value: &DeValue<'_>) -> Result<SecretPlace, Wrong> {
    let name = value::text(value)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.bytes().all(plain) && !name.starts_with('.') {
        return Ok(SecretPlace::Credential(name));
    }
    Err(Wrong::new(
        format!("\"{name}\" is not a credential name"),
        "write letters, digits, hyphens, underscores and dots",
    ))
}
