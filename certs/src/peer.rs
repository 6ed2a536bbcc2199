use crate::TlsError;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate { pub fingerprint: [u8; 32], pub subject: String, pub names: Vec<String>, pub not_after: i64 }
impl PeerCertificate { pub fn parse(_der: &[u8]) -> Result<Self, TlsError> { todo!() } }
