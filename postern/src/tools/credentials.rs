//! Requests about ways in beside a person's password: connectors of mail services and app passwords. Secrets are drawn
//! here and shown once by the command that asked; only digests are kept.

use anyhow::{Context, bail};
use certs::scram::{ITERATIONS, Verifier};
use mail::Address;
use store::{Actor, AppPasswordId, Connector, DirectoryChange, User};

use super::Desk;
use super::rows::{AppPasswordRow, ConnectorRow, NewPassword, NewSecret};

impl Desk {
    /// A connector, with a secret that is shown this once. One of the same name gets a new secret.
    pub(super) async fn add_connector(&self, row: ConnectorRow) -> anyhow::Result<NewSecret> {
        let secret = certs::password::generate()?;
        let connector = Connector {
            group: row.group.parse().with_context(|| format!("\"{}\" is not a group", row.group))?,
            name: row.name.clone(),
            provider: row.provider,
            tenant_header: row.tenant_header,
            tenant: row.tenant,
            secret_header: row.secret_header.clone(),
            secret: certs::sha256(secret.as_bytes()),
            active: true,
        };
        self.change(DirectoryChange::Connector(connector)).await?;
        Ok(NewSecret { name: row.name, header: row.secret_header, secret })
    }

    /// The kill switch: mail through a connector that is off is not taken.
    pub(super) async fn switch_connector(&self, name: &str, active: bool) -> anyhow::Result<()> {
        let directory = self.ledger.directory();
        let known = directory.connector(name).with_context(|| no_connector(name))?;
        self.change(DirectoryChange::Connector(Connector { active, ..known.clone() })).await
    }

    pub(super) async fn remove_connector(&self, name: &str) -> anyhow::Result<()> {
        self.ledger.directory().connector(name).with_context(|| no_connector(name))?;
        self.change(DirectoryChange::RemoveConnector(name.to_owned())).await
    }

    pub(super) fn connectors(&self) -> Vec<ConnectorRow> {
        let row = |known: &Connector| ConnectorRow {
            name: known.name.clone(),
            group: known.group.to_string(),
            provider: known.provider.clone(),
            tenant_header: known.tenant_header.clone(),
            tenant: known.tenant.clone(),
            secret_header: known.secret_header.clone(),
            active: known.active,
        };
        self.ledger.directory().connectors().map(row).collect()
    }

    pub(super) async fn add_app_password(
        &self,
        email: &Address,
        name: String,
    ) -> anyhow::Result<NewPassword> {
        let user = self.user(email)?;
        let password = certs::password::generate()?;
        let salt = self.ledger.scram_salt(&Actor::Tool, user.id).await?;
        let Verifier { stored_key, server_key } = Verifier::derive(&password, &salt, ITERATIONS);
        let known = store::AppPassword {
            id: AppPasswordId::new(self.ledger.now())?,
            user: user.id,
            name,
            created_at: self.ledger.now(),
            stored_key,
            server_key,
        };
        self.change(DirectoryChange::AppPassword(known)).await?;
        Ok(NewPassword { email: email.to_string(), password })
    }

    pub(super) async fn app_passwords(&self, email: &Address) -> anyhow::Result<Vec<AppPasswordRow>> {
        let user = self.user(email)?;
        let used = self.ledger.app_password_uses(user.id).await?;
        let row = |known: &store::AppPassword| AppPasswordRow {
            id: known.id.to_string(),
            name: known.name.clone(),
            created_at: known.created_at.to_string(),
            last_used_at: used.get(&known.id).map(ToString::to_string),
        };
        Ok(self.ledger.directory().app_passwords(&user.id).map(row).collect())
    }

    /// By its id or, if only one has it, its name.
    pub(super) async fn revoke_app_password(&self, email: &Address, which: &str) -> anyhow::Result<()> {
        let user = self.user(email)?;
        let directory = self.ledger.directory();
        let named: Vec<_> = directory
            .app_passwords(&user.id)
            .filter(|known| known.name == which || known.id.to_string() == which)
            .collect();
        match named.as_slice() {
            [known] => self.change(DirectoryChange::RemoveAppPassword(user.id, known.id)).await,
            [] => bail!(
                "{email} has no app password {which:?}; `postern user app-passwords {email}` lists them"
            ),
            _ => bail!("{email} has several app passwords {which:?}; name one by its id"),
        }
    }

    fn user(&self, email: &Address) -> anyhow::Result<User> {
        let directory = self.ledger.directory();
        let user = directory.user_by_email(email).cloned();
        user.with_context(|| format!("there is no user {email}; `postern directory list` shows all"))
    }

    pub(super) async fn change(&self, change: DirectoryChange) -> anyhow::Result<()> {
        Ok(self.ledger.change_directory(&Actor::Tool, vec![change]).await?)
    }
}

fn no_connector(name: &str) -> String {
    format!("there is no connector {name:?}; `postern connector list` shows all")
}
