//! The data folder: who may open it, which files are in it, and that only one process writes.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::OpenError;

/// A folder with, or about to have, a ledger in it.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it is absent, for the owner alone.
    pub(super) fn create(path: &Path) -> Result<Self, OpenError> {
        let folder = Self(path.to_owned());
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).map_err(|e| folder.unwritable(e))?;
        Ok(folder)
    }

    /// A folder that must hold a ledger already.
    pub(super) fn existing(path: &Path) -> Result<Self, OpenError> {
        let folder = Self(path.to_owned());
        match folder.database().try_exists() {
            Ok(true) => Ok(folder),
            Ok(false) => Err(OpenError::Absent { folder: folder.0 }),
            Err(cause) => Err(folder.unwritable(cause)),
        }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join("ledger.sqlite")
    }

    pub(super) fn reserve(&self) -> PathBuf {
        self.0.join("ledger.reserve")
    }

    fn lock(&self) -> PathBuf {
        self.0.join("ledger.lock")
    }

    pub(super) fn unwritable(&self, cause: io::Error) -> OpenError {
        let folder = self.0.clone();
        match cause.kind() {
            ErrorKind::StorageFull => OpenError::Full { folder },
            _ => OpenError::Folder { folder, cause },
        }
    }

    /// An empty database file for the owner alone, if there is none: SQLite itself would leave it
    /// readable to whom the umask allows, and gives its log the same mode.
    pub(super) fn touch_database(&self) -> Result<(), OpenError> {
        let made = private().write(true).create_new(true).open(self.database());
        match made {
            Ok(_) => self.sync().map_err(|e| self.unwritable(e)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(e) => Err(self.unwritable(e)),
        }
    }

    /// Makes new and removed names durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// Options for files that nobody else may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// The right to write, held as long as the value lives and given back by the system if the
/// process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(folder: &Folder) -> Result<Self, OpenError> {
        let path = folder.lock();
        let mut options = private();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(|e| folder.unwritable(e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { folder: folder.0.clone(), owner: owner(&mut file) });
            }
            Err(TryLockError::Error(e)) => return Err(folder.unwritable(e)),
        }
        // Only a courtesy to whoever finds the folder locked; on a full disk it may stay empty.
        let _ = file.set_len(0);
        let _ = write!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}

/// Who wrote the lock file, in words.
fn owner(file: &mut File) -> String {
    let mut number = String::new();
    let read = file.take(20).read_to_string(&mut number);
    match (read, number.trim().parse::<u32>()) {
        (Ok(_), Ok(number)) => format!(" (process {number})"),
        _ => String::new(),
    }
}

/// Removes a file; `false` if there was none or it cannot be removed.
pub(super) fn remove(path: &Path) -> bool {
    fs::remove_file(path).is_ok()
}
