//! The control socket: how tools reach the ledger while a server has it open. A Unix socket with mode 0600 in the
//! data folder; one request per connection, one line of JSON each way, files of an export in between.
//! Never reachable over the network, and never does anything that `tools::Desk::perform` does not.

mod client;
mod server;
mod wire;

use std::path::{Path, PathBuf};

pub(crate) use self::client::{ask, ask_for_files, ask_server};
pub(crate) use self::server::Listener;

/// Where the socket of a data folder lies.
fn place(data: &Path) -> PathBuf {
    data.join("control.sock")
}
