use crate::{MessageKey, RootKey};
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKeys { pub public: Vec<u8>, pub sealed_private: Vec<u8>, pub sealed_index: Vec<u8> }
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("refused")]
    Refused,
}
impl RootKey {
    pub fn new_group(&self, _group: &[u8]) -> Result<GroupKeys, KeyError> { todo!() }
    pub fn opener(&self, _group: &[u8], _sealed_private: &[u8]) -> Result<Opener, KeyError> { todo!() }
    pub fn indexer(&self, _group: &[u8], _sealed_index: &[u8]) -> Result<Indexer, KeyError> { todo!() }
    pub fn mac(&self, _purpose: &str, _data: &[u8]) -> [u8; 32] { todo!() }
}
#[derive(Clone)]
pub struct GroupPublic {}
impl GroupPublic { pub fn parse(_bytes: &[u8]) -> Result<Self, KeyError> { todo!() } }
pub struct Opener {}
impl Opener { pub fn unwrap(&self, _wrap: &[u8], _context: &[u8]) -> Result<MessageKey, KeyError> { todo!() } }
pub struct Indexer {}
impl Indexer { pub fn digest(&self, _purpose: &str, _value: &[u8]) -> [u8; 32] { todo!() } }
