//! The configured engine, opened. Which engines there are is decided when the program is built.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::engine::Engine;
use store::sqlite::{Options, Sqlite};

use crate::config::EngineChoice;

/// Whether `folder` holds a database of the engine: opening one that is absent would make it, and an unmounted disk
/// must never pass for a new ledger.
pub(crate) fn exists(choice: EngineChoice, folder: &Path) -> bool {
    place(choice, folder).exists()
}

fn place(choice: EngineChoice, folder: &Path) -> PathBuf {
    match choice {
        EngineChoice::Sqlite => folder.join("ledger.sqlite"),
        EngineChoice::Sled => folder.join("ledger.sled"),
    }
}

/// Opens the engine of `choice` in `folder`, and makes its database if there is none. Blocks on the disk.
pub(crate) fn open(choice: EngineChoice, folder: &Path) -> anyhow::Result<Arc<dyn Engine>> {
    match choice {
        EngineChoice::Sqlite => Ok(Arc::new(Sqlite::open(folder, Options::default())?)),
        EngineChoice::Sled => open_sled(folder),
    }
}

#[cfg(feature = "sled")]
fn open_sled(folder: &Path) -> anyhow::Result<Arc<dyn Engine>> {
    Ok(Arc::new(store::sled::Sled::open(folder)?))
}

#[cfg(not(feature = "sled"))]
fn open_sled(_: &Path) -> anyhow::Result<Arc<dyn Engine>> {
    anyhow::bail!("this program was built without sled; build with --features sled, or use sqlite")
}
