//! Where the polling of each legacy mailbox stands: enough to go on after a stop without taking a mail twice or
//! leaving one out.

use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Up to where a mailbox was taken (RFC 3501 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PollState {
    #[n(0)]
    pub uid_validity: u32,
    #[n(1)]
    pub last_uid: u32,
}

/// How polling goes, for people.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PollReport {
    /// The mailbox's name in the configuration.
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub standing: PollStanding,
    /// Since when it stands so.
    #[cbor(n(3), with = "records::time")]
    pub since: Timestamp,
    /// Mails taken so far.
    #[n(4)]
    pub taken: u64,
    /// Mails that cannot be taken and were left where they are.
    #[n(5)]
    pub left: u64,
    #[cbor(n(6), with = "records::optional_time", has_nil)]
    pub last_taken_at: Option<Timestamp>,
    /// Why it waits or stopped.
    #[n(7)]
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum PollStanding {
    /// Connected.
    #[n(0)]
    Running,
    /// Between two tries to connect.
    #[n(1)]
    Waiting,
    /// Given up until somebody mends it.
    #[n(2)]
    Stopped,
}

/// One row for each mailbox.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Poll {
    #[n(0)]
    state: Option<PollState>,
    #[n(1)]
    report: PollReport,
}

impl Ledger {
    pub async fn poll_state(&self, name: &str) -> Result<Option<PollState>, StoreError> {
        let Some(row) = self.row(poll_key(name)).await? else { return Ok(None) };
        Ok(records::decode::<Poll>(&row.value)?.state)
    }

    /// Keeps the state, if one is given, and the report of a mailbox. One task polls a mailbox, so the last one that
    /// writes is right.
    pub async fn save_poll(&self, state: Option<PollState>, report: &PollReport) -> Result<(), StoreError> {
        let key = poll_key(&report.name);
        let row = self.row(key.clone()).await?;
        let earlier = row.map(|row| records::decode::<Poll>(&row.value)).transpose()?;
        let standing = earlier.as_ref().map(|poll| poll.report.standing);
        let poll = Poll { state: state.or(earlier.and_then(|poll| poll.state)), report: report.clone() };
        let mut changes = Changeset { put: vec![(key, records::encode(&poll)?)], ..Changeset::default() };
        if standing != Some(report.standing) {
            let event = Event::new(self.now(), Actor::Gateway, Act::PollingChanged);
            changes.append.push(event.group(&report.group).name(&report.name).to_bytes()?);
        }
        self.commit(changes).await.map(drop)
    }

    /// One for each mailbox that was ever polled, by name.
    pub async fn poll_reports(&self) -> Result<Vec<PollReport>, StoreError> {
        /// More than anybody configures.
        const MOST: usize = 10_000;
        let rows = self.engine().scan(Key::of(Table::Poll).range(), MOST).await?;
        rows.iter().map(|(_, row)| Ok(records::decode::<Poll>(&row.value)?.report)).collect()
    }
}

fn poll_key(name: &str) -> Vec<u8> {
    Key::of(Table::Poll).text(name).done()
}
