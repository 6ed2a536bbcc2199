//! Passwords.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password may not be empty")]
    Empty,
}
pub fn hash(_password: &str) -> Result<String, PasswordError> { todo!() }
pub fn verify(_password: &str, _stored: Option<&str>) -> bool { todo!() }
pub fn generate() -> Result<String, PasswordError> { todo!() }
