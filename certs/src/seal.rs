use crate::{GroupPublic, KeyError};
pub const CHUNK: usize = 65536;
pub const TAG: usize = 16;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedPart { Headline = 1, Original = 2 }
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("refused")]
    Refused,
}
pub struct MessageKey {}
impl MessageKey {
    pub fn generate() -> Result<Self, KeyError> { todo!() }
    pub fn wrap(&self, _group_public: &[u8], _context: &[u8]) -> Result<Vec<u8>, KeyError> { todo!() }
    pub fn wrap_to(&self, _group: &GroupPublic, _context: &[u8]) -> Result<Vec<u8>, KeyError> { todo!() }
    pub fn seal_chunk(&self, _content: &[u8], _part: SealedPart, _position: u64, _last: bool, _plaintext: &[u8]) -> Result<Vec<u8>, SealError> { todo!() }
    pub fn seal_in_place(&self, _content: &[u8], _part: SealedPart, _position: u64, _last: bool, _chunk: &mut Vec<u8>) -> Result<(), SealError> { todo!() }
    pub fn open_chunk(&self, _content: &[u8], _part: SealedPart, _position: u64, _last: bool, _sealed: &[u8]) -> Result<Vec<u8>, SealError> { todo!() }
    pub fn seal(&self, _content: &[u8], _part: SealedPart, _plaintext: &[u8]) -> Result<Vec<u8>, SealError> { todo!() }
    pub fn open(&self, _content: &[u8], _part: SealedPart, _sealed: &[u8]) -> Result<Vec<u8>, SealError> { todo!() }
}
