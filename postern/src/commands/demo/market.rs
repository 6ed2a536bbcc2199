//! The sample market in a ledger: imported like any directory file, with passwords that are shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use store::{Actor, DirectoryChange};

use super::record::Record;
use crate::directory_file::{DirectoryFile, UserEntry};
use crate::tools::{Desk, hash_password};

const MARKET: &str = include_str!("market.toml");

/// Stands where a password that nobody knows here would be shown.
const CHANGED: &str = "changed";

/// Who is who, and the passwords by address.
pub(super) struct Market {
    pub(super) directory: DirectoryFile,
    passwords: BTreeMap<String, String>,
}

impl Market {
    /// Founds the market, or goes on with the one of an `earlier` start and its passwords.
    pub(super) async fn open(desk: &Desk, earlier: Option<&Record>) -> anyhow::Result<Self> {
        let directory: DirectoryFile = toml::from_str(MARKET).context("the sample market")?;
        let passwords = match earlier {
            Some(record) => Self::still_good(desk, record.passwords()).await?,
            None => Self::found(desk, &directory).await?,
        };
        Ok(Self { directory, passwords })
    }

    /// The passwords of an earlier start, without those that were changed since.
    async fn still_good(
        desk: &Desk,
        passwords: BTreeMap<String, String>,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let known = desk.ledger.directory();
        let mut good = BTreeMap::new();
        for (email, password) in passwords {
            let user = known.user_by_email(&email.parse()?).filter(|user| user.is_active());
            let stored = user.and_then(|user| user.password.clone());
            let tried = password.clone();
            let verified =
                tokio::task::spawn_blocking(move || certs::password::verify(&tried, stored.as_deref()))
                    .await?;
            good.insert(email, if verified { password } else { CHANGED.to_owned() });
        }
        Ok(good)
    }

    async fn found(desk: &Desk, directory: &DirectoryFile) -> anyhow::Result<BTreeMap<String, String>> {
        desk.import_directory(directory, false).await?;
        let known = desk.ledger.directory();
        let mut passwords = BTreeMap::new();
        let mut changes = Vec::new();
        for entry in directory.users.iter().filter(|entry| signs_in(entry)) {
            let user = known.user_by_email(&entry.email.0).context("an imported user is not there")?;
            let password = certs::password::generate()?;
            changes.push(DirectoryChange::Password(user.id, hash_password(password.clone()).await?));
            passwords.insert(entry.email.to_string(), password);
        }
        desk.ledger.change_directory(&Actor::Tool, changes).await?;
        Ok(passwords)
    }

    /// Those who can sign in.
    pub(super) fn people(&self) -> impl Iterator<Item = &UserEntry> {
        self.directory.users.iter().filter(|user| signs_in(user))
    }

    pub(super) fn password(&self, email: &str) -> &str {
        self.passwords.get(email).map_or("", String::as_str)
    }

    /// The name of a group.
    pub(super) fn company(&self, user: &UserEntry) -> &str {
        let group = self.directory.groups.iter().find(|group| group.id == user.group);
        group.map_or("", |group| group.name.as_str())
    }

    /// What the portal shows of a sample market.
    pub(super) fn for_portal(&self, outbox: PathBuf) -> portal::Demo {
        let users = self.people().map(|user| portal::SampleUser {
            email: user.email.to_string(),
            password: self.password(&user.email.to_string()).to_owned(),
            company: self.company(user).to_owned(),
            note: note(user).to_owned(),
        });
        portal::Demo { outbox, users: users.collect() }
    }
}

/// The file names a state for those alone who do not.
fn signs_in(user: &UserEntry) -> bool {
    user.state.is_none()
}

/// What a sample user is there to show.
pub(super) fn note(user: &UserEntry) -> &'static str {
    use crate::directory_file::RoleName;
    match (user.role, user.permissions().is_empty()) {
        (RoleName::User, false) => "reads Erroneous Transfers",
        (RoleName::User, true) => "has no permission: sees nothing",
        (RoleName::Compliance, _) => "decides on held mail and reads the audit trail",
        (RoleName::Operator, _) => "brings companies in; reads nothing of what they write",
        (RoleName::Mau, _) => "administers the company's users",
    }
}
