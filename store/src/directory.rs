//! Who is who: groups, participants, users, permissions, mailboxes, client certificates.
//!
//! The directory is small and read with every command of every connection, so it is held in memory
//! as one immutable snapshot. It is changed only by `Ledger::change_directory`, which checks the
//! rules of `changes.rs`, writes the audit events and swaps the snapshot.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use certs::{GroupKeys, GroupPublic, Indexer, Opener, RootKey};
use jiff::Timestamp;
use mail::{Address, ContactType, GroupId, Mpid, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    alerts::Alerts,
    credentials::{AppPassword, Connector},
    engine::Engine,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    network::Network,
    people::UserState,
    records,
    stages::{Scope, Stage, StageSetting, Stages},
};

/// A company group: the security boundary. Keys are the ledger's own business.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Group {
    #[n(0)]
    pub id: GroupId,
    #[n(1)]
    pub name: String,
    /// Domains whose addresses are this group's; no two groups share one.
    #[n(2)]
    pub domains: Vec<String>,
    /// Networks (`192.0.2.0/24`) that speak for this group without further proof.
    #[n(3)]
    pub networks: Vec<Network>,
    /// The name in a client certificate that speaks for this group alone.
    #[n(4)]
    pub certificate_name: Option<String>,
    /// When senders of this group get receipts.
    #[cbor(n(5), default)]
    pub receipts: Receipts,
    /// The company to which this one belongs. It opens nothing: groups of one parent stay apart.
    #[n(6)]
    pub parent: Option<GroupId>,
    /// What holds for its users who chose nothing of their own.
    #[n(16)]
    pub alerts: Option<Alerts>,
    /// See [`NoticeStyle`](crate::NoticeStyle).
    #[n(17)]
    pub phrase: Option<String>,
    #[cbor(n(18), default)]
    pub link_free: bool,
}

impl Group {
    /// A group of that name with nothing else to it yet.
    pub fn new(id: GroupId, name: String) -> Self {
        Self {
            id,
            name,
            domains: Vec::new(),
            networks: Vec::new(),
            certificate_name: None,
            receipts: Receipts::default(),
            parent: None,
            alerts: None,
            phrase: None,
            link_free: false,
        }
    }
}

/// When a sender is told that a mail was secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Receipts {
    #[n(0)]
    Off,
    #[default]
    #[n(1)]
    NewCases,
    #[n(2)]
    All,
}

/// A group with the keys that the ledger made for it.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct KeyedGroup {
    #[n(0)]
    pub(crate) group: Group,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) public: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) sealed_private: Vec<u8>,
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) sealed_index: Vec<u8>,
}

impl KeyedGroup {
    pub(crate) fn new(group: Group, keys: GroupKeys) -> Self {
        let GroupKeys { public, sealed_private, sealed_index } = keys;
        Self { group, public, sealed_private, sealed_index }
    }
}

/// A licensed market role inside a group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Participant {
    #[n(0)]
    pub mpid: Mpid,
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub name: String,
    /// The role as the process catalogue names it, e.g. `electricity-supplier`.
    #[n(3)]
    pub role: String,
    /// What it trades in, where the role leaves that open.
    #[n(4)]
    pub fuel: Option<Fuel>,
    /// It will belong to another group.
    #[n(5)]
    pub moving: Option<Move>,
    /// Groups that it has belonged to, whose people still work on the cases of that time.
    #[cbor(n(6), default)]
    pub former: Vec<GroupId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Fuel {
    #[n(0)]
    Electricity,
    #[n(1)]
    Gas,
    #[n(2)]
    Dual,
}

/// From when on a participant is another group's: what begins then is the new group's, what is there stays.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Move {
    #[n(0)]
    pub to: GroupId,
    #[cbor(n(1), with = "records::time")]
    pub from: Timestamp,
}

impl Participant {
    pub fn new(mpid: Mpid, group: GroupId, name: String, role: String) -> Self {
        Self { mpid, group, name, role, fuel: None, moving: None, former: Vec::new() }
    }

    /// Whether the group has it, or has cases of a time when it did.
    pub fn is_or_was_of(&self, group: &GroupId) -> bool {
        self.group == *group || self.former.contains(group)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    #[n(0)]
    User,
    #[n(1)]
    Mau,
    #[n(2)]
    Compliance,
    #[n(3)]
    Operator,
}

impl Role {
    /// `mau`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mau => "mau",
            Self::Compliance => "compliance",
            Self::Operator => "operator",
        }
    }
}

/// What a user may read and act on: one rung of one process of one participant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Permission {
    #[n(0)]
    pub participant: Mpid,
    #[n(1)]
    pub process: ProcessId,
    #[n(2)]
    pub contact_type: ContactType,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct User {
    #[n(0)]
    pub id: UserId,
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub email: Address,
    #[n(3)]
    pub name: String,
    #[n(4)]
    pub role: Role,
    #[n(5)]
    pub permissions: Vec<Permission>,
    /// Argon2id, PHC string; none: the user cannot sign in with a password yet.
    #[n(6)]
    pub password: Option<String>,
    /// In the place of the `active` of earlier releases.
    #[n(7)]
    pub state: UserState,
    /// The salt of the user's app passwords (RFC 5802 §5.1); see [`Ledger::scram_salt`](crate::Ledger::scram_salt).
    #[cbor(n(8), with = "minicbor::bytes")]
    pub scram_salt: Option<[u8; 16]>,
    /// Since when the state is what it is; none: an earlier release wrote the record.
    #[cbor(n(9), with = "records::optional_time", has_nil)]
    pub since: Option<Timestamp>,
    /// When the user is told of what waits; none: as the group has it.
    #[n(23)]
    pub alerts: Option<Alerts>,
}

/// A legacy address mapped to the rung that reads it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Mailbox {
    #[n(0)]
    pub address: Address,
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub participant: Mpid,
    #[n(3)]
    pub process: ProcessId,
    #[n(4)]
    pub contact_type: ContactType,
    #[cbor(n(5), default)]
    pub alerts: MailboxAlerts,
}

/// When a mailbox is told that something waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub enum MailboxAlerts {
    #[default]
    #[n(0)]
    AtOnce,
    /// At these minutes of the day, market time (Europe/London); none: at once.
    #[n(1)]
    Digest(#[n(0)] Vec<u16>),
}

/// A client certificate that speaks for a group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate's DER form.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub fingerprint: [u8; 32],
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub name: String,
    /// Seconds since 1970.
    #[n(3)]
    pub not_after: i64,
}

/// What opens and indexes one group's content in this process.
pub(crate) struct KeyRing {
    pub(crate) public: GroupPublic,
    pub(crate) opener: Opener,
    pub(crate) indexer: Indexer,
}

/// The whole directory at one moment.
pub struct Directory {
    pub(crate) version: Option<u64>,
    pub(crate) groups: BTreeMap<GroupId, KeyedGroup>,
    pub(crate) rings: BTreeMap<GroupId, Arc<KeyRing>>,
    pub(crate) participants: BTreeMap<Mpid, Participant>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) emails: HashMap<String, UserId>,
    pub(crate) mailboxes: BTreeMap<String, Mailbox>,
    pub(crate) certificates: BTreeMap<[u8; 32], ClientCertificate>,
    pub(crate) domains: HashMap<String, GroupId>,
    pub(crate) connectors: BTreeMap<String, Connector>,
    pub(crate) app_passwords: BTreeMap<UserId, Vec<AppPassword>>,
    pub(crate) certificate_names: HashMap<String, GroupId>,
    pub(crate) stages: Stages,
}

impl Directory {
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().map(|keyed| &keyed.group)
    }

    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(id).map(|keyed| &keyed.group)
    }

    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    pub fn participant(&self, mpid: &Mpid) -> Option<&Participant> {
        self.participants.get(mpid)
    }

    /// Everybody who is not removed.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values().filter(|user| user.state != UserState::Removed)
    }

    /// The removed ones too: who they were is still to be told.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.users.get(id)
    }

    pub fn user_by_email(&self, email: &Address) -> Option<&User> {
        self.emails.get(&email.key()).and_then(|id| self.users.get(id))
    }

    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes.values()
    }

    pub fn mailbox(&self, address: &Address) -> Option<&Mailbox> {
        self.mailboxes.get(&address.key())
    }

    pub fn certificates(&self) -> impl Iterator<Item = &ClientCertificate> {
        self.certificates.values()
    }

    pub fn certificate(&self, fingerprint: &[u8; 32]) -> Option<&ClientCertificate> {
        self.certificates.get(fingerprint)
    }

    /// The group that a domain (lower case) is registered to.
    pub fn group_of_domain(&self, domain: &str) -> Option<&GroupId> {
        self.domains.get(domain)
    }

    /// The group whose user or mailbox an address is.
    pub fn group_of_address(&self, address: &Address) -> Option<&GroupId> {
        let user = self.user_by_email(address).map(|user| &user.group);
        user.or_else(|| self.mailbox(address).map(|mailbox| &mailbox.group))
    }

    /// The group that an address belongs to: its user's or mailbox's, else its domain's.
    pub fn group_of(&self, address: &Address) -> Option<&GroupId> {
        self.group_of_address(address).or_else(|| self.group_of_domain(address.domain()))
    }

    /// The group whose networks hold `peer`; the narrowest network wins.
    pub fn group_of_network(&self, peer: IpAddr) -> Option<&GroupId> {
        self.groups
            .values()
            .flat_map(|keyed| keyed.group.networks.iter().map(move |network| (network, &keyed.group.id)))
            .filter(|(network, _)| network.contains(peer))
            .max_by_key(|(network, _)| network.prefix())
            .map(|(_, group)| group)
    }

    /// Every stage that is set.
    pub fn stages(&self) -> impl Iterator<Item = &StageSetting> {
        self.stages.iter()
    }

    /// What is set for exactly this scope.
    pub fn stage_of(&self, scope: &Scope) -> Option<&StageSetting> {
        self.stages.set(scope)
    }

    /// The stage that is set for a group's mail of a process, or of none; `None` where nothing is set.
    pub fn stage(&self, group: &GroupId, process: Option<&ProcessId>) -> Option<Stage> {
        self.stages.of(group, process)
    }

    pub(crate) fn ring(&self, group: &GroupId) -> Result<&Arc<KeyRing>, StoreError> {
        self.rings
            .get(group)
            .ok_or_else(|| StoreError::Corrupt(format!("the group {group} is not in the directory")))
    }

    /// Reads everything; `earlier` lends the key rings it has opened already. If the directory moves
    /// under the reading, it is read again.
    pub(crate) async fn load(
        engine: &dyn Engine,
        root: &RootKey,
        earlier: Option<&Directory>,
    ) -> Result<Self, StoreError> {
        loop {
            let directory = Self::read(engine, root, earlier).await?;
            if version(engine).await? == directory.version {
                return Ok(directory);
            }
        }
    }

    async fn read(
        engine: &dyn Engine,
        root: &RootKey,
        earlier: Option<&Directory>,
    ) -> Result<Self, StoreError> {
        let version = version(engine).await?;
        let groups = load_table::<KeyedGroup>(engine, Table::Group).await?;
        let users = load_table::<User>(engine, Table::User).await?;
        let mut rings = BTreeMap::new();
        for keyed in &groups {
            let id = &keyed.group.id;
            let ring = match earlier.and_then(|directory| directory.rings.get(id)) {
                Some(ring) => Arc::clone(ring),
                None => Arc::new(open_ring(root, keyed)?),
            };
            rings.insert(id.clone(), ring);
        }
        Ok(Self {
            version,
            rings,
            domains: groups
                .iter()
                .flat_map(|keyed| {
                    keyed.group.domains.iter().map(|domain| (domain.clone(), keyed.group.id.clone()))
                })
                .collect(),
            certificate_names: groups
                .iter()
                .filter_map(|keyed| {
                    Some((keyed.group.certificate_name.as_ref()?.to_lowercase(), keyed.group.id.clone()))
                })
                .collect(),
            groups: groups.into_iter().map(|keyed| (keyed.group.id.clone(), keyed)).collect(),
            participants: load_table::<Participant>(engine, Table::Participant)
                .await?
                .into_iter()
                .map(|participant| (participant.mpid.clone(), participant))
                .collect(),
            emails: users
                .iter()
                .filter(|user| user.state != UserState::Removed)
                .map(|user| (user.email.key(), user.id))
                .collect(),
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            mailboxes: load_table::<Mailbox>(engine, Table::Mailbox)
                .await?
                .into_iter()
                .map(|mailbox| (mailbox.address.key(), mailbox))
                .collect(),
            certificates: load_table::<ClientCertificate>(engine, Table::Certificate)
                .await?
                .into_iter()
                .map(|certificate| (certificate.fingerprint, certificate))
                .collect(),
            connectors: load_table::<Connector>(engine, Table::Connector)
                .await?
                .into_iter()
                .map(|connector| (connector.name.clone(), connector))
                .collect(),
            app_passwords: by_user(load_table(engine, Table::AppPassword).await?),
            stages: load_table::<StageSetting>(engine, Table::Stage).await?.into_iter().collect(),
        })
    }
}

fn by_user(passwords: Vec<AppPassword>) -> BTreeMap<UserId, Vec<AppPassword>> {
    let mut by_user = BTreeMap::<UserId, Vec<AppPassword>>::new();
    for password in passwords {
        by_user.entry(password.user).or_default().push(password);
    }
    by_user
}

async fn version(engine: &dyn Engine) -> Result<Option<u64>, StoreError> {
    Ok(engine.get(&[version_key()]).await?.into_iter().next().flatten().map(|row| row.version))
}

pub(crate) fn version_key() -> Vec<u8> {
    Key::of(Table::DirectoryVersion).done()
}

fn open_ring(root: &RootKey, keyed: &KeyedGroup) -> Result<KeyRing, StoreError> {
    let name = keyed.group.id.as_str().as_bytes();
    Ok(KeyRing {
        public: GroupPublic::parse(&keyed.public)?,
        opener: root.opener(name, &keyed.sealed_private)?,
        indexer: root.indexer(name, &keyed.sealed_index)?,
    })
}

async fn load_table<T: for<'b> Decode<'b, ()>>(
    engine: &dyn Engine,
    table: Table,
) -> Result<Vec<T>, StoreError> {
    const BATCH: usize = 1_000;
    let mut range = Key::of(table).range();
    let mut records = Vec::new();
    loop {
        let rows = engine.scan(range.clone(), BATCH).await?;
        for (_, row) in &rows {
            records.push(records::decode(&row.value)?);
        }
        match rows.last() {
            Some((key, _)) if rows.len() == BATCH => {
                range.from = [key.as_slice(), &[0]].concat();
            }
            _ => return Ok(records),
        }
    }
}
