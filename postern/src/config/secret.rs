//! Secrets by reference: where a root key or a password is read from. The secret itself is never in the file,
//! and this type never holds it.

use std::fs;
use std::os::unix::fs::MetadataExt;
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

    /// Whether a descriptor is open, without reading it.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let path = self.path()?;
        fs::metadata(&path).map(drop).map_err(|_| {
            Wrong::new(
                format!("{} is not open in this process", path.display()),
                "start the process with it open, as in `postern serve 3< root.key`, or name a file",
            )
        })
    }

    /// Whether it can be read now.
    pub(crate) fn check_file(&self) -> Result<(), Wrong> {
        let path = self.path()?;
        fs::metadata(&path).map(drop).map_err(|error| {
            Wrong::new(format!("cannot read {}: {error}", path.display()), "name a file that can be read")
        })
    }

    /// The file to read the secret from.
    pub(crate) fn path(&self) -> Result<PathBuf, Wrong> {
        match self {
            Self::File(file) => Ok(file.clone()),
            Self::Descriptor(number) => Ok(PathBuf::from(format!("/dev/fd/{number}"))),
            Self::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => Ok(PathBuf::from(folder).join(name)),
                None => Err(Wrong::new(
                    format!("the credential `{name}` is wanted, but systemd gave none to this process"),
                    format!("add LoadCredential={name}:… to the unit"),
                )),
            },
        }
    }

    /// The text of a password file, without the line end. Never logged.
    pub(crate) fn password(&self) -> Result<String, Wrong> {
        let path = self.path()?;
        let shown = path.display();
        if matches!(self, Self::File(_)) {
            check_alone(&path)?;
        }
        let text = fs::read_to_string(&path).map_err(|error| {
            Wrong::new(
                format!("cannot read the password in {shown}: {error}"),
                "name a file that can be read",
            )
        })?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(Wrong::new(format!("{shown} is empty"), "write the password into it, on one line")),
            password => Ok(password.to_owned()),
        }
    }
}

/// A file of the password's is its owner's alone. What systemd hands over is systemd's to guard.
fn check_alone(path: &Path) -> Result<(), Wrong> {
    let mode = fs::metadata(path).map_or(0, |found| found.mode());
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Wrong::new(
        format!("other users of this machine can read {} (mode {:04o})", path.display(), mode & 0o7777),
        format!("run `chmod 600 {}`", path.display()),
    ))
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
