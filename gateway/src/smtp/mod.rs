//! The SMTP server: bytes → framing → command → session → replies, with one thin connection file around it.
//! Nothing here knows what becomes of a message; that is behind [`Intake`].

mod auth;
mod circumstance;
mod command;
mod connection;
mod crowd;
mod dialogue;
mod framing;
mod intake;
mod listener;
mod options;
mod pace;
mod parameters;
mod parcel;
mod peer;
mod reply;
mod scram;
mod session;
mod throttle;

pub use circumstance::{Circumstance, Encryption, Shown};
pub use connection::{Setting, serve};
pub use dialogue::{Close, Counts, Dialogue, Handshake, Interruption, Next};
pub use intake::{Delivery, Intake, ScramChallenge, Transaction};
pub use listener::Listener;
pub use options::{
    Hostname, HostnameError, Identities, Limits, Means, Nonces, Options, PlainAuth, Security, Timeouts,
};
pub use reply::{Permanence, Refusal};
pub use session::Awaiting;
pub(crate) use throttle::{Admitted, Own, Standing, Throttle, Try};
