use std::{net::IpAddr, path::Path};
use zeroize::Zeroizing;
use crate::KeyFileError;
pub struct Authority {}
pub struct Issued { pub certificate_pem: String, pub key_pem: Zeroizing<String>, pub fingerprint: [u8; 32], pub not_after: i64 }
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    File(#[from] KeyFileError),
    #[error("{0}")]
    Name(String),
    #[error("{0}")]
    Certificate(String),
}
impl Authority {
    pub fn create(_dir: &Path) -> Result<Self, AuthorityError> { let _: Option<IpAddr>; todo!() }
    pub fn load(_dir: &Path) -> Result<Self, AuthorityError> { todo!() }
    pub fn ca_pem(&self) -> &str { todo!() }
    pub fn issue_server(&self, _names: &[String]) -> Result<Issued, AuthorityError> { todo!() }
    pub fn issue_client(&self, _common_name: &str) -> Result<Issued, AuthorityError> { todo!() }
}
impl Issued {
    pub fn save(&self, _certificate: &Path, _key: &Path) -> Result<(), KeyFileError> { todo!() }
}
