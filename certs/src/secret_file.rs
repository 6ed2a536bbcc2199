#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{0}")]
    Broken(String),
}
