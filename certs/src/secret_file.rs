//! Files that hold a secret: read only when nobody else can, written so that a power cut cannot take them back.
//!
//! Never writes over an existing secret unless the caller says `replace`; never puts contents into an error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::KeyError;

/// Far above any key in PEM; a wrong path to a huge file ends here and not in memory.
const LIMIT: u64 = 64 * 1024;

/// A key file that cannot be used; each text names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error(
        "cannot read the key file {path}: {source}; check the path in the configuration and the rights of the \
         service's user, or create the file with `postern init`"
    )]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "the key file {path} is open to other users (mode {mode:04o}); run `chmod 600 {path}`, and treat the key as \
         known if others could sign in to this machine"
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the key file {path} is damaged: {reason}; restore it from the key backup")]
    Malformed { path: PathBuf, reason: String },
    #[error(
        "the file {path} exists already and is not overwritten; move it away first if it is really unused"
    )]
    Exists { path: PathBuf },
    #[error("cannot write the file {path}: {source}; check the folder's rights and free space")]
    Write { path: PathBuf, source: io::Error },
    #[error("the key for {path} cannot be made: {source}")]
    Key { path: PathBuf, source: KeyError },
}

/// The text of a file that only its owner can read. Mode and contents come from the same open file, so that it cannot
/// be exchanged in between.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.into(), mode });
    }
    // Reserved at once: a growing buffer would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(LIMIT as usize + 1));
    file.take(LIMIT + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LIMIT {
        return Err(malformed(path, "larger than 64 KiB"));
    }
    Ok(text)
}

pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> KeyFileError {
    KeyFileError::Malformed { path: path.into(), reason: reason.into() }
}

/// Creates a file that did not exist, with the mode from its first moment on; durable when it returns.
pub(crate) fn create(path: &Path, mode: u32, contents: &[u8]) -> Result<(), KeyFileError> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(
        |source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.into() },
            _ => KeyFileError::Write { path: path.into(), source },
        },
    )?;
    let written = file.write_all(contents).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // A torn key must not stand in the way of the next attempt; if it cannot be removed either, that one says so.
        let _removed = fs::remove_file(path);
        KeyFileError::Write { path: path.into(), source }
    })
}

/// Puts a file in the place of whatever is there: readers see the old one whole or the new one whole.
pub(crate) fn replace(path: &Path, mode: u32, contents: &[u8]) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Write { path: path.into(), source };
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match fs::remove_file(&fresh) {
        // What an interrupted run left behind.
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed(source)),
        _ => create(&fresh, mode, contents)?,
    }
    fs::rename(&fresh, path).and_then(|()| sync_folder(path)).map_err(failed)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn created_file_is_the_owners_alone_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, 0o600, b"secret").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(*read(&path).unwrap(), "secret");
    }

    #[test]
    fn existing_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, 0o600, b"first").unwrap();
        assert!(matches!(create(&path, 0o600, b"second"), Err(KeyFileError::Exists { .. })));
        assert_eq!(*read(&path).unwrap(), "first");
    }

    #[test]
    fn any_right_of_others_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, 0o600, b"secret").unwrap();
        for exposed in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {exposed:04o}")), "{error}");
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        }
        // systemd hands credentials over with mode 0400.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(*read(&path).unwrap(), "secret");
    }

    #[test]
    fn absent_and_huge_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read(&path).unwrap_err().to_string().contains(path.to_str().unwrap()));
        create(&path, 0o600, &vec![b'x'; LIMIT as usize + 1]).unwrap();
        assert!(matches!(read(&path), Err(KeyFileError::Malformed { .. })));
    }

    #[test]
    fn replacing_keeps_the_mode_and_survives_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(folder.path().join("key.new"), "leftover").unwrap();
        replace(&path, 0o600, b"first").unwrap();
        replace(&path, 0o600, b"second").unwrap();
        assert_eq!((&**read(&path).unwrap(), mode(&path)), ("second", 0o600));
        assert!(!folder.path().join("key.new").exists());
    }
}
