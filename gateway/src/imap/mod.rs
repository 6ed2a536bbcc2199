//! Mail out of legacy mailboxes that only speak IMAP: one task for each mailbox takes what is new, hands it to the
//! message path, and removes the original only after that is durable.
//!
//! A hostile server is a hostile input here. Nothing is said to one before TLS but STARTTLS, what it says goes through
//! [`Gate`], and its text reaches neither people nor the log.

mod connect;
mod fault;
mod folder;
mod gate;
mod intake;
mod lines;
mod login;
mod pause;
mod pin;
mod poller;
mod progress;
mod reduce;
mod round;
mod session;
mod settings;
mod standing;
mod take;
mod wire;

pub use fault::Fault;
pub use folder::{Folder, FolderError};
pub use gate::{Allowance, Gate, Violation};
pub use intake::{Intake, Polled};
pub use pin::Pin;
pub use poller::Poller;
pub use settings::{After, Limits, Login, Mailbox, Pace, Server, Tls};
pub use standing::{Report, Saved, Standing, State};
