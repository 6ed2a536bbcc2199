//! `postern init DIR`: everything that a first start needs, and what to do next.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use mail::Address;
use store::{Actor, DirectoryChange, Group, Role, UserId};

use super::wait;
use crate::cli::Outcome;
use crate::config::{Config, is_domain};
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
    /// Address of the first operator, who gets a password now
    #[arg(long, value_name = "ADDRESS")]
    operator: Option<Address>,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let installation = Installation::at(&self.dir);
        installation.create(&[self.name.clone(), "localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let text = Installation::describe(vec![
            ("server", "name", quoted(&self.name)),
            ("notices", "from", quoted(&format!("notices@{}", self.name))),
            ("notices", "reply_domain", quoted(&self.name)),
        ]);
        installation::write(&installation.config(), &text)?;
        let dir = self.dir.display();
        print::lines(&format!(
            "{dir}/postern.toml  configuration, every key explained\n\
             {dir}/root.key      the key that opens everything: keep a copy in another place\n\
             {dir}/ca            private authority for the certificates of mail peers\n\
             {dir}/tls           server certificate, signed by that authority\n\
             {dir}/data          the ledger"
        ));
        if let Some(operator) = &self.operator {
            let config = Config::load(&installation.config())?;
            let password = wait(first_operator(&config, operator))?;
            print::lines(&format!(
                "\n{operator} signs in with the password\n\n    {password}\n\nIt is shown this once."
            ));
        }
        print::lines(&format!(
            "\nNext:\n  1. write your smarthost under [notices] in {dir}/postern.toml\n  \
             2. postern config check -c {dir}/postern.toml\n  \
             3. postern directory import companies.toml -c {dir}/postern.toml\n  \
             4. postern serve -c {dir}/postern.toml"
        ));
        Ok(Outcome::Done)
    }
}

/// The operator's own group holds the operator's own domain, and no participant.
async fn first_operator(config: &Config, email: &Address) -> anyhow::Result<String> {
    let desk = Desk::open(config).await?;
    let password = certs::password::generate()?;
    let group: mail::GroupId = "operator".parse()?;
    let changes = vec![
        DirectoryChange::Group(Group {
            id: group.clone(),
            name: "Operator".to_owned(),
            domains: vec![email.domain().to_owned()],
            networks: Vec::new(),
        }),
        DirectoryChange::User(store::User {
            id: UserId::new(Timestamp::now())?,
            group,
            email: email.clone(),
            name: email.local().to_owned(),
            role: Role::Operator,
            permissions: Vec::new(),
            password: Some(hash_password(password.clone()).await?),
            active: true,
        }),
    ];
    let changed = desk.ledger.change_directory(&Actor::Tool, changes).await;
    desk.ledger.close().await;
    changed?;
    Ok(password)
}

fn host_name(text: &str) -> Result<String, String> {
    match is_domain(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("write a full host name, such as post.example.org".to_owned()),
    }
}
