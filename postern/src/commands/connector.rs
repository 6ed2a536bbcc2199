//! `postern connector add|list|on|off|remove`: customers of mail services, bound to company groups.

use clap::{Args, Subcommand};
use mail::GroupId;

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::print;
use crate::tools::{Request, rows::ConnectorRow, rows::NewSecret};

#[derive(Subcommand)]
pub(crate) enum Connector {
    /// Bind a customer of a mail service to a group, and show the secret that its mail must carry, once
    Add(Add),
    /// List the connectors
    List(List),
    /// Take mail through it again
    On(One),
    /// Take no mail through it from now on
    Off(One),
    /// Forget it
    Remove(One),
}

#[derive(Args)]
pub(crate) struct Add {
    /// A name of yours
    name: String,
    /// The company group
    #[arg(long)]
    group: GroupId,
    /// The mail service, as [[provider]] in the configuration names it
    #[arg(long)]
    provider: String,
    /// The field in which the service names its customer
    #[arg(long, value_name = "FIELD", default_value = "X-MS-Exchange-CrossTenant-Id")]
    tenant_header: String,
    /// What that field says
    #[arg(long)]
    tenant: String,
    /// The field that carries the secret
    #[arg(long, value_name = "FIELD", default_value = "X-Postern-Connector")]
    secret_header: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct One {
    name: String,
    #[command(flatten)]
    config: ConfigFile,
}

impl Connector {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Add(add) => add.run()?,
            Self::List(List { output, config }) => {
                list(&ask::<Vec<ConnectorRow>>(&config, Request::ConnectorList)?, &output)?
            }
            Self::On(One { name, config }) => switch(&config, name, true)?,
            Self::Off(One { name, config }) => switch(&config, name, false)?,
            Self::Remove(One { name, config }) => {
                ask::<()>(&config, Request::ConnectorRemove { name: name.clone() })?;
                print::lines(&format!("{name} is forgotten"))?;
            }
        }
        Ok(Outcome::Done)
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let connector = ConnectorRow {
            name: self.name,
            group: self.group.to_string(),
            provider: self.provider,
            tenant_header: self.tenant_header,
            tenant: self.tenant,
            secret_header: self.secret_header,
            active: true,
        };
        let new: NewSecret = ask(&self.config, Request::ConnectorAdd { connector })?;
        match self.output.json {
            true => print::json(&new),
            false => print::lines(&format!(
                "let the mail service add this field to every mail for Postern:\n\n    {}: {}\n\nIt is shown this once; only its \
                 digest is kept.",
                new.header, new.secret
            )),
        }
    }
}

fn switch(config: &ConfigFile, name: String, active: bool) -> anyhow::Result<()> {
    ask::<()>(config, Request::ConnectorSwitch { name: name.clone(), active })?;
    print::lines(&format!("{name} is {}", if active { "on" } else { "off" }))
}

fn list(connectors: &[ConnectorRow], output: &Output) -> anyhow::Result<()> {
    if output.json {
        return print::json(&connectors);
    }
    let row = |known: &ConnectorRow| {
        let active = if known.active { "on" } else { "off" };
        vec![
            known.name.clone(),
            known.group.clone(),
            known.provider.clone(),
            known.tenant.clone(),
            active.to_owned(),
        ]
    };
    let rows: Vec<_> = connectors.iter().map(row).collect();
    print::table(&["name", "group", "provider", "tenant", "state"], &rows)
}
