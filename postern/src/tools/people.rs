//! Requests about one user. Passwords are drawn here, hashed here, and shown once by the command that asked.

use anyhow::{Context, bail};
use mail::Address;
use store::{Actor, DirectoryChange, UserId};

use super::Desk;
use super::rows::NewPassword;
use crate::directory_file::{DirectoryFile, UserEntry};

impl Desk {
    pub(super) async fn add_user(&self, user: &UserEntry) -> anyhow::Result<NewPassword> {
        let email = &user.email.0;
        if let Some(known) = self.ledger.directory().user_by_email(email) {
            bail!(
                "{email} is a user of the group {} already; `postern user reset {email}` gives a new password",
                known.group
            );
        }
        DirectoryFile { users: vec![user.clone()], ..DirectoryFile::default() }
            .check(self.rules.now().catalogue())?;
        let password = certs::password::generate()?;
        let record = store::User {
            password: Some(hash_password(password.clone()).await?),
            ..user.record(UserId::new(self.ledger.now())?, None)
        };
        self.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(record)]).await?;
        Ok(shown(email, password))
    }

    pub(super) async fn reset_user(&self, email: &Address) -> anyhow::Result<NewPassword> {
        let directory = self.ledger.directory();
        let user = directory
            .user_by_email(email)
            .with_context(|| format!("there is no user {email}; `postern directory list` shows all"))?;
        let password = certs::password::generate()?;
        let change = DirectoryChange::Password(user.id, hash_password(password.clone()).await?);
        self.ledger.change_directory(&Actor::Tool, vec![change]).await?;
        self.ledger.end_sessions_of(user.id).await?;
        Ok(shown(email, password))
    }
}

fn shown(email: &Address, password: String) -> NewPassword {
    NewPassword { email: email.to_string(), password }
}

/// Argon2id is meant to be slow: not on the thread that serves connections.
pub(crate) async fn hash_password(password: String) -> anyhow::Result<String> {
    Ok(tokio::task::spawn_blocking(move || certs::password::hash(&password)).await??)
}
