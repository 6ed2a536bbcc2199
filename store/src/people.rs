//! How far a user has come: invited, confirmed, suspended, removed. Who may change it, `changes/rules.rs` says.

use std::fmt;

use mail::{Address, GroupId};
use minicbor::{
    Decode, Decoder, Encode, Encoder, data::Type, decode::Error as NotDecoded, encode::Error as NotEncoded,
    encode::Write,
};

use crate::{
    directory::{Role, User},
    ids::UserId,
};

/// What a user is let do here at all. Only a confirmed one may do anything but accept an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserState {
    /// Asked to join, and has not proved to be there.
    Invited,
    /// Signs in.
    Confirmed,
    /// Kept with name, role and permissions, and let in nowhere.
    Suspended,
    /// Gone; the record keeps the name that the audit trail and old cases show.
    Removed,
}

impl UserState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Confirmed => "confirmed",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for UserState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Releases before 0.3 wrote `active`, true or false, in this place; what they knew is still written so.
impl<C> Encode<C> for UserState {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), NotEncoded<W::Error>> {
        match self {
            Self::Confirmed => e.bool(true)?.ok(),
            Self::Suspended => e.bool(false)?.ok(),
            Self::Invited => e.u8(0)?.ok(),
            Self::Removed => e.u8(1)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for UserState {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, NotDecoded> {
        if d.datatype()? == Type::Bool {
            return Ok(if d.bool()? { Self::Confirmed } else { Self::Suspended });
        }
        match d.u8()? {
            0 => Ok(Self::Invited),
            1 => Ok(Self::Removed),
            _ => Err(NotDecoded::message("a state of a user that a newer release wrote")),
        }
    }
}

impl User {
    /// Somebody who is invited: a plain user who may read nothing yet and has no way in.
    pub fn new(id: UserId, group: GroupId, email: Address, name: String) -> Self {
        Self {
            id,
            group,
            email,
            name,
            role: Role::User,
            permissions: Vec::new(),
            password: None,
            state: UserState::Invited,
            scram_salt: None,
            since: None,
            alerts: None,
        }
    }

    /// Whether the user administers the group now.
    pub(crate) fn is_acting_mau(&self) -> bool {
        self.role == Role::Mau && self.is_active()
    }

    /// Whether the user may do anything here but accept an invitation.
    pub fn is_active(&self) -> bool {
        self.state == UserState::Confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records;

    /// The record of a user as release 0.2 wrote it.
    #[derive(Encode)]
    #[cbor(map)]
    struct Earlier<'a> {
        #[n(0)]
        id: UserId,
        #[n(1)]
        group: GroupId,
        #[n(2)]
        email: Address,
        #[n(3)]
        name: &'a str,
        #[n(4)]
        role: Role,
        #[n(5)]
        permissions: [u8; 0],
        #[n(6)]
        password: Option<&'a str>,
        #[n(7)]
        active: bool,
    }

    #[test]
    fn a_record_of_an_earlier_release_reads_right() {
        let earlier = |active| Earlier {
            id: UserId::new(jiff::Timestamp::UNIX_EPOCH).unwrap(),
            group: "beta".parse().unwrap(),
            email: "bo@beta.example".parse().unwrap(),
            name: "Bo",
            role: Role::Mau,
            permissions: [],
            password: Some("hash"),
            active,
        };
        for (active, state) in [(true, UserState::Confirmed), (false, UserState::Suspended)] {
            let read: User = records::decode(&records::encode(&earlier(active)).unwrap()).unwrap();
            assert_eq!((read.state, read.is_active(), read.name.as_str()), (state, active, "Bo"));
        }
    }

    #[test]
    fn every_state_reads_back() {
        let user = User::new(
            UserId::new(jiff::Timestamp::UNIX_EPOCH).unwrap(),
            "beta".parse().unwrap(),
            "bo@beta.example".parse().unwrap(),
            "Bo".to_owned(),
        );
        for state in [UserState::Invited, UserState::Confirmed, UserState::Suspended, UserState::Removed] {
            let user = User { state, ..user.clone() };
            assert_eq!(records::decode::<User>(&records::encode(&user).unwrap()).unwrap(), user);
        }
    }
}
