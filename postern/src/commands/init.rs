//! `postern init DIR`: everything that a first start needs, and what to do next.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use mail::Address;
use store::{Actor, DirectoryChange, Group, Role, UserId};

use super::wait;
use crate::cli::Outcome;
use crate::config::{Config, EngineChoice, is_domain};
use crate::directory_file::is_plain_name;
use crate::engine;
use crate::installation::{self, Installation, quoted};
use crate::print;
use crate::tools::{Desk, hash_password};

#[derive(Args)]
pub(crate) struct Init {
    /// A new folder
    dir: PathBuf,
    /// The host name that mail servers and browsers will use
    #[arg(long, default_value = "post.example.org", value_parser = host_name)]
    name: String,
    /// The folder for the ledger [default: the folder `data` in DIR]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of the first operator, who gets a password now
    #[arg(long, value_name = "ADDRESS")]
    operator: Option<Address>,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let installation = Installation::at(&self.dir);
        let data = self.data.as_deref().map_or_else(|| Ok(installation.data()), std::path::absolute)?;
        if self.data.is_some() && engine::exists(EngineChoice::Sqlite, &data) {
            bail!("there is a ledger in {} already; name another folder with --data", data.display());
        }
        installation.create(&[self.name.clone(), "localhost".to_owned(), "127.0.0.1".to_owned()], &data)?;
        installation::write(&installation.config(), &self.describe())?;
        let config = Config::load(&installation.config())?;
        let password = wait(found(&config, self.operator.as_ref()))?;
        self.tell(&data, password)
    }

    fn describe(&self) -> String {
        let mut given = vec![
            ("server", "name", quoted(&self.name)),
            ("portal", "url", quoted(&format!("https://{}", self.name))),
            ("notices", "from", quoted(&format!("notices@{}", self.name))),
            ("notices", "reply_domain", quoted(&self.name)),
        ];
        // On a command line a path starts at the current folder, in the file at the file's own.
        if let Some(Ok(data)) = self.data.as_deref().map(std::path::absolute) {
            given.push(("server", "data", quoted(&data.to_string_lossy())));
        }
        Installation::describe(given)
    }

    fn tell(&self, data: &Path, password: Option<String>) -> anyhow::Result<Outcome> {
        let (dir, data) = (self.dir.display(), data.display());
        print::lines(&format!(
            "{dir}/postern.toml  configuration, every key explained\n\
             {dir}/root.key      the key that opens everything: keep a copy in another place\n\
             {dir}/ca            private authority for the certificates of mail peers\n\
             {dir}/tls           server certificate, signed by that authority\n\
             {data}  the ledger"
        ))?;
        if let (Some(operator), Some(password)) = (&self.operator, password) {
            print::lines(&format!(
                "\n{operator} signs in with the password\n\n    {password}\n\nIt is shown this once."
            ))?;
        }
        print::lines(&format!(
            "\nNext:\n  1. write your smarthost under [notices] in {dir}/postern.toml\n  \
             2. postern config check -c {dir}/postern.toml\n  \
             3. postern directory import companies.toml -c {dir}/postern.toml\n  \
             4. postern serve -c {dir}/postern.toml"
        ))?;
        Ok(Outcome::Done)
    }
}

/// Makes the ledger, with the first operator in it: the password.
async fn found(config: &Config, operator: Option<&Address>) -> anyhow::Result<Option<String>> {
    let desk = Desk::found(config).await?;
    let password = match operator {
        Some(operator) => first_operator(&desk, operator).await.map(Some),
        None => Ok(None),
    };
    desk.ledger.close().await;
    password
}

/// The operator's own group holds the operator's own domain, and no participant.
async fn first_operator(desk: &Desk, email: &Address) -> anyhow::Result<String> {
    let password = certs::password::generate()?;
    let group: mail::GroupId = "operator".parse()?;
    let name = if is_plain_name(email.local()) { email.local() } else { "Operator" };
    let changes = vec![
        DirectoryChange::Group(Group {
            domains: vec![email.domain().to_owned()],
            ..Group::new(group.clone(), "Operator".to_owned())
        }),
        DirectoryChange::User(store::User {
            role: Role::Operator,
            password: Some(hash_password(password.clone()).await?),
            state: store::UserState::Confirmed,
            ..store::User::new(UserId::new(Timestamp::now())?, group, email.clone(), name.to_owned())
        }),
    ];
    desk.ledger.change_directory(&Actor::Tool, changes).await?;
    Ok(password)
}

fn host_name(text: &str) -> Result<String, String> {
    match is_domain(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("write a full host name, such as post.example.org".to_owned()),
    }
}
