use std::{path::Path, sync::Arc};
use crate::TlsError;
pub fn client_config(_extra_roots: Option<&Path>) -> Result<Arc<rustls::ClientConfig>, TlsError> { todo!() }
