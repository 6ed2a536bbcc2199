//! What only this engine has: the folder, the lock, reading beside a writer, a full disk.

use std::{path::Path, sync::Arc};

use super::*;
use crate::conformance;

async fn open(folder: &Path) -> Arc<dyn Engine> {
    Arc::new(Sqlite::open(folder, Options::default()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    conformance::run(open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps() {
    conformance::keeps(open).await;
}
