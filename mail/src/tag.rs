//! Search tags: the numbers by which people find a case. Normalised and checked here; whether a number counts as a tag
//! in its surroundings is the policies' business, and no tag is ever stored readable.

use minicbor::{Decode, Encode};

/// Which number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum TagKind {
    /// Electricity meter point.
    #[n(0)]
    Mpan,
    /// Gas meter point.
    #[n(1)]
    Mprn,
    /// A company's own reference.
    #[n(2)]
    Reference,
}

/// A number in its one normal form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Tag {
    #[n(0)]
    kind: TagKind,
    #[n(1)]
    value: String,
}

impl Tag {
    /// An MPAN.
    pub fn mpan(_text: &str) -> Option<Self> {
        todo!()
    }
    /// An MPRN.
    pub fn mprn(_text: &str) -> Option<Self> {
        todo!()
    }
    /// A reference.
    pub fn reference(_text: &str) -> Option<Self> {
        todo!()
    }
    /// Which number it is.
    pub fn kind(&self) -> TagKind {
        self.kind
    }
    /// The normal form.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tag({:?})", self.kind)
    }
}
