use std::{path::Path, sync::Arc};
use crate::TlsError;
pub struct ServerIdentity {}
impl ServerIdentity {
    pub fn load(_certificate: &Path, _key: &Path, _client_ca: Option<&Path>) -> Result<Self, TlsError> { todo!() }
    pub fn reload(&self) -> Result<(), TlsError> { todo!() }
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> { todo!() }
}
