//! Room kept on the disk, so that a ledger on a full disk can still be opened and made smaller.
//!
//! The file's bytes mean nothing. It is released only for opening and for changesets that make
//! room, and made again as soon as there is space; until then nothing else is taken.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use super::folder::{Folder, private, remove};
use crate::engine::Broken;

/// Bytes kept: enough to bring a whole log over, which may make the database larger by as much.
pub(super) const SIZE: u64 = 16 << 20;

/// How long to wait before it is tried again to make the file.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Reserve {
    folder: Folder,
    path: PathBuf,
    standing: Standing,
}

#[derive(Debug)]
enum Standing {
    Kept,
    /// Not there; last tried then.
    Missing(Option<Instant>),
}

impl Reserve {
    pub(super) fn new(folder: &Folder) -> Self {
        let path = folder.reserve();
        let kept = fs::metadata(&path).is_ok_and(|file| file.len() == SIZE);
        Self {
            folder: folder.clone(),
            path,
            standing: match kept {
                true => Standing::Kept,
                false => Standing::Missing(None),
            },
        }
    }

    /// Whether the room is there, after trying to make it if the last try was not just now. An
    /// error: the disk failed in a way that is no lack of room.
    pub(super) fn ensure(&mut self) -> Result<bool, Broken> {
        match self.standing {
            Standing::Kept => return Ok(true),
            Standing::Missing(Some(tried)) if tried.elapsed() < PAUSE => return Ok(false),
            Standing::Missing(_) => {}
        }
        match self.make().map_err(|e| (e.kind(), e)) {
            Ok(()) => Ok(true),
            Err((ErrorKind::StorageFull | ErrorKind::QuotaExceeded, _)) => Ok(false),
            Err((_, cause)) => Err(Broken(format!(
                "writing {}: {cause}; nothing more is accepted. Check the disk, then restart Postern",
                self.path.display()
            ))),
        }
    }

    /// Makes the file, whole or not at all.
    pub(super) fn make(&mut self) -> io::Result<()> {
        let made = self.write();
        if made.is_err() {
            remove(&self.path);
        }
        self.standing = match made {
            Ok(()) => Standing::Kept,
            Err(_) => Standing::Missing(Some(Instant::now())),
        };
        made
    }

    fn write(&self) -> io::Result<()> {
        let mut options = private();
        options.write(true).create(true).truncate(true);
        let mut file = options.open(&self.path)?;
        // Not zeros: a file system may store those without blocks. A simple generator's output
        // does not compress.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = Vec::with_capacity(64 << 10);
        for _ in 0..SIZE >> 16 {
            block.clear();
            while block.len() < 64 << 10 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                block.extend_from_slice(&state.to_le_bytes());
            }
            file.write_all(&block)?;
        }
        file.sync_all()?;
        self.folder.sync()
    }

    /// Gives the room back to the disk; `false` if it was already given.
    pub(super) fn release(&mut self) -> bool {
        let released = remove(&self.path);
        // The next `ensure` must not take the room away from those it was released for at once.
        self.standing = Standing::Missing(Some(Instant::now()));
        released
    }
}
