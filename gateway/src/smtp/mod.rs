//! The SMTP server: bytes → framing → command → session → replies, with one thin connection file around it.
//! Nothing here knows what becomes of a message; that is behind [`Intake`].

mod auth;
mod command;
mod connection;
mod dialogue;
mod framing;
mod intake;
mod listener;
mod options;
mod pace;
mod peer;
mod reply;
mod session;
mod throttle;

pub use connection::{Setting, serve};
pub use dialogue::{Awaiting, Close, Counts, Dialogue, Handshake, Interruption, Next};
pub use intake::{Delivery, Intake};
pub use listener::Listener;
pub use options::{Hostname, HostnameError, Limits, Options, PlainAuth, Security, Timeouts};
pub use reply::{Permanence, Refusal};
pub(crate) use throttle::{Standing, Throttle};
