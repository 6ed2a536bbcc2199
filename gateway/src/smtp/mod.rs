//! The SMTP server: bytes → framing → command → session → effects, with one thin connection file around it.
//! Nothing here knows what becomes of a message; that is behind [`Intake`].

mod intake;
mod reply;

pub use intake::{Delivery, Intake};
pub use reply::{Permanence, Refusal};
