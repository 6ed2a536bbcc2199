use std::path::Path;
use crate::{KeyError, KeyFileError};
pub struct RootKey {}
impl RootKey {
    pub fn generate() -> Result<Self, KeyError> { todo!() }
    pub fn read(_path: &Path) -> Result<Self, KeyFileError> { todo!() }
    pub fn create(_path: &Path) -> Result<Self, KeyFileError> { todo!() }
    pub fn fingerprint(&self) -> [u8; 32] { todo!() }
}
