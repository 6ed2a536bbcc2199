//! What is remembered of a polled mailbox between two starts, and what is shown of it. Never a word of a mail in it.

use jiff::Timestamp;

use super::fault::Fault;

/// How far the folder was read (RFC 3501 §2.3.1.1). Mail up to `last_uid` is not asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub uid_validity: u32,
    pub last_uid: u32,
}

/// What a poller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Connecting,
    /// Connected, nothing to do.
    Watching,
    /// Taking mail.
    Working,
    /// Something is in the way; the next try is then.
    Waiting {
        fault: Fault,
        until: Timestamp,
    },
}

/// What is shown of a polled mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub standing: Standing,
    pub since: Timestamp,
    /// Mails taken, ever.
    pub taken: u64,
    /// Mails that could not be taken and were put aside, ever.
    pub left: u64,
    pub last_taken_at: Option<Timestamp>,
}

/// Both, as saved. Without a state the folder is read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    pub state: Option<State>,
    pub report: Report,
}

impl Saved {
    /// Of a mailbox that was never polled.
    pub fn new(now: Timestamp) -> Self {
        let report =
            Report { standing: Standing::Connecting, since: now, taken: 0, left: 0, last_taken_at: None };
        Self { state: None, report }
    }
}
