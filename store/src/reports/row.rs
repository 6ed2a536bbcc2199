//! How a count is written into the key of its counter, and read back. The bytes are a format that old data keep.

use mail::{ContactType, GroupId, Mpid, ProcessId};

use super::ReportMonth;
use crate::{
    ids::UserId,
    keys::{Key, Table},
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// A message that a person of the group wrote; the user is its author.
    Sent,
    /// A message that a person of another group wrote.
    Received,
    /// A case that got an owner, who is the user.
    Assigned,
    /// An answer that was owed: before the deadline or after it, and after how many working days if that is known.
    Answered { late: bool, days: Option<u16> },
    /// A deadline that passed before the group had answered, and its clock runs no more.
    Passed,
    /// The same while the clock still runs; it ends, or ended, on this day of the month.
    Running { day: u16 },
    /// The group escalated.
    Escalated,
    /// Cases that were opened in the month, less those that ended in it.
    Open,
}

/// What a count is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportOf {
    pub participant: Mpid,
    pub counterparty: GroupId,
    pub process: ProcessId,
    pub contact_type: ContactType,
    pub user: Option<UserId>,
    pub measure: Measure,
}

/// Rows that are read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Acts = 0,
    Balance = 1,
}

/// Days that are not known.
const UNKNOWN: u16 = u16::MAX;

/// No user has this name: its time is that of nobody.
const NOBODY: [u8; 20] = [0; 20];

pub(super) fn shelf_key(shelf: Shelf, group: &GroupId) -> Key {
    Key::of(Table::Report).text(group.as_str()).raw(&[shelf as u8])
}

pub(super) fn row_key(shelf: Shelf, group: &GroupId, month: ReportMonth, of: &ReportOf) -> Vec<u8> {
    let (what, detail) = of.measure.number();
    shelf_key(shelf, group)
        .number(month.number())
        .text(of.participant.as_str())
        .text(of.counterparty.as_str())
        .text(of.process.as_str())
        .text(of.contact_type.as_str())
        .raw(of.user.as_ref().map_or(&NOBODY[..], |user| user.as_bytes()))
        .raw(&[what])
        .raw(&detail.to_be_bytes())
        .done()
}

/// Reads what stands behind the key of a shelf. `None` for what a later release counts.
pub(super) fn read(key: &[u8]) -> Option<(ReportMonth, ReportOf)> {
    let (month, rest) = key.split_first_chunk::<4>()?;
    let (participant, rest) = text(rest)?;
    let (counterparty, rest) = text(rest)?;
    let (process, rest) = text(rest)?;
    let (contact_type, rest) = text(rest)?;
    let (user, rest) = rest.split_first_chunk::<20>()?;
    let &[what, high, low] = rest else { return None };
    let of = ReportOf {
        participant: participant.parse().ok()?,
        counterparty: counterparty.parse().ok()?,
        process: process.parse().ok()?,
        contact_type: contact_type.parse().ok()?,
        user: (*user != NOBODY).then(|| UserId::from_bytes(*user)),
        measure: Measure::read(what, u16::from_be_bytes([high, low]))?,
    };
    Some((ReportMonth::from_number(u32::from_be_bytes(*month))?, of))
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

impl Measure {
    fn number(self) -> (u8, u16) {
        match self {
            Self::Sent => (0, 0),
            Self::Received => (1, 0),
            Self::Assigned => (2, 0),
            Self::Answered { late: false, days } => (3, days.unwrap_or(UNKNOWN)),
            Self::Answered { late: true, days } => (4, days.unwrap_or(UNKNOWN)),
            Self::Passed => (5, 0),
            Self::Running { day } => (6, day),
            Self::Escalated => (7, 0),
            Self::Open => (8, 0),
        }
    }

    fn read(number: u8, detail: u16) -> Option<Self> {
        let days = (detail != UNKNOWN).then_some(detail);
        Some(match number {
            0 => Self::Sent,
            1 => Self::Received,
            2 => Self::Assigned,
            3 => Self::Answered { late: false, days },
            4 => Self::Answered { late: true, days },
            5 => Self::Passed,
            6 => Self::Running { day: detail },
            7 => Self::Escalated,
            8 => Self::Open,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_reads_back() {
        let group: GroupId = "alpha".parse().unwrap();
        let month: ReportMonth = "2026-06".parse().unwrap();
        for measure in [
            Measure::Sent,
            Measure::Received,
            Measure::Assigned,
            Measure::Answered { late: false, days: Some(3) },
            Measure::Answered { late: true, days: None },
            Measure::Passed,
            Measure::Running { day: 31 },
            Measure::Escalated,
            Measure::Open,
        ] {
            for user in [None, Some(UserId::from_bytes([7; 20]))] {
                let of = ReportOf {
                    participant: "ALPH".parse().unwrap(),
                    counterparty: "beta".parse().unwrap(),
                    process: "erroneous-transfers".parse().unwrap(),
                    contact_type: "initial-request".parse().unwrap(),
                    user,
                    measure,
                };
                let key = row_key(Shelf::Acts, &group, month, &of);
                let prefix = shelf_key(Shelf::Acts, &group).done().len();
                assert_eq!(read(&key[prefix..]), Some((month, of)));
            }
        }
        for unknown in [&b""[..], b"1234", b"1234ALPH\0beta\0x\0y\0"] {
            assert_eq!(read(unknown), None, "{unknown:?}");
        }
    }
}
