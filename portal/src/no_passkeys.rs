//! A portal that was built without passkeys: none is offered, and none that is there counts.

use store::{StoredPasskey, User};

use crate::portal::PublicUrl;

/// There is none.
pub(crate) enum Passkeys {}

pub(crate) struct Begun {
    pub(crate) options: String,
    pub(crate) state: Vec<u8>,
}

pub(crate) struct Made {
    pub(crate) credential: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Passkeys {
    pub(crate) fn of(_: &PublicUrl) -> Option<Self> {
        None
    }

    pub(crate) fn begin_making(&self, _: &User, _: &[StoredPasskey]) -> Option<Begun> {
        match *self {}
    }

    pub(crate) fn finish_making(&self, _: &str, _: &[u8]) -> Option<Made> {
        match *self {}
    }

    pub(crate) fn begin_showing(&self, _: &[StoredPasskey]) -> Option<Begun> {
        match *self {}
    }

    pub(crate) fn finish_showing(&self, _: &str, _: &[u8], _: &[StoredPasskey]) -> Option<StoredPasskey> {
        match *self {}
    }
}
