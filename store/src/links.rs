//! Links by which people choose a password: invitations, and resets. Each is single-use, ends by itself, and is good
//! only for the address that it was mailed to. The ledger holds the digest of the token, never the token.
//!
//! The token is derived from the id of the link under a key of the installation, so that the job that mails it holds
//! nothing that opens anything.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use mail::Address;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    changes::DirectoryChange,
    directory::User,
    engine::Changeset,
    error::StoreError,
    ids::{JobId, LinkId, UserId, base32},
    jobs::{Job, JobKind, LinkLetter},
    keys::{Key, Table},
    ledger::Ledger,
    people::UserState,
    records,
};

/// Who is invited may be on holiday.
const INVITATION: Duration = Duration::from_hours(7 * 24);
/// Who asked for a reset sits before it.
const RESET: Duration = Duration::from_hours(2);
/// Open links that one person may have asked for: a stranger who asks in somebody's name fills no mailbox, and takes
/// no link away that is on its way.
const MOST_OPEN: usize = 3;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum LinkKind {
    #[n(0)]
    Invitation,
    #[n(1)]
    Reset,
}

/// 160 bits, in the address that was mailed. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

/// A link that opens something now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLink {
    pub kind: LinkKind,
    pub user: UserId,
    pub email: Address,
    pub until: Timestamp,
}

/// A link, under the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct LinkRecord {
    #[n(0)]
    user: UserId,
    #[n(1)]
    kind: LinkKind,
    /// Where it was mailed to: good for nobody who has the address no more.
    #[n(2)]
    email: Address,
    #[cbor(n(3), with = "records::time")]
    until: Timestamp,
}

/// The open links of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct LinksOf {
    #[n(0)]
    open: Vec<LinkId>,
}

impl LinkToken {
    /// Takes what an address holds; whether it is a link shows when it is looked up.
    pub fn from_address(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Vec<u8> {
        Key::of(Table::Link).raw(&certs::sha256(self.0.as_bytes())).done()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(..)")
    }
}

impl LinkRecord {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}

impl Ledger {
    /// Mails a user the link to a first password and a second factor. Earlier links of the user open nothing any more.
    ///
    /// # Errors
    /// `Denied` if there is no such user.
    pub async fn invite(&self, actor: &Actor, user: UserId) -> Result<(), StoreError> {
        self.replace_links(actor, user, LinkKind::Invitation).await
    }

    /// Mails a user the link to a new password, for an administrator. Earlier links of the user open nothing any more.
    ///
    /// # Errors
    /// `Denied` if there is no such user.
    pub async fn reset_link(&self, actor: &Actor, user: UserId) -> Result<(), StoreError> {
        self.replace_links(actor, user, LinkKind::Reset).await
    }

    /// The same, for somebody who says that the password is forgotten. An address of nobody who may sign in gets
    /// nothing, and who has asked often enough gets nothing more for now.
    pub async fn forgotten(&self, email: &Address) -> Result<(), StoreError> {
        loop {
            let known = self.directory().user_by_email(email).filter(|user| user.is_active()).cloned();
            let Some(user) = known else { return Ok(()) };
            let (links, version) = self.links_of(user.id).await?;
            let mut open = Vec::new();
            for id in links.open {
                if self.link(&self.link_token(id)).await?.is_some() {
                    open.push(id);
                }
            }
            if open.len() >= MOST_OPEN {
                return Ok(());
            }
            match self.write_link(&Actor::Portal, &user, LinkKind::Reset, open, version, Vec::new()).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }

    /// The links that are open for a user open nothing any more.
    pub(crate) async fn end_links_of(&self, user: UserId) -> Result<(), StoreError> {
        loop {
            let (links, version) = self.links_of(user).await?;
            if links.open.is_empty() {
                return Ok(());
            }
            let mut delete: Vec<_> = links.open.iter().map(|id| self.link_token(*id).key()).collect();
            delete.push(links_key(user));
            let require = vec![(links_key(user), version)];
            match self.commit(Changeset { require, delete, ..Changeset::default() }).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    async fn replace_links(&self, actor: &Actor, id: UserId, kind: LinkKind) -> Result<(), StoreError> {
        loop {
            let directory = self.directory();
            let user = directory.user(&id);
            let user =
                user.ok_or_else(|| StoreError::Denied(format!("there is no user {id}; add the user first")))?;
            let (links, version) = self.links_of(id).await?;
            let over = links.open.iter().map(|link| self.link_token(*link).key()).collect();
            match self.write_link(actor, user, kind, Vec::new(), version, over).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }

    /// One more link beside those that stay `open`; those in `over` go.
    async fn write_link(
        &self,
        actor: &Actor,
        user: &User,
        kind: LinkKind,
        open: Vec<LinkId>,
        version: Option<u64>,
        over: Vec<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut changes = Changeset { delete: over, ..Changeset::default() };
        self.add_link(actor, user, kind, (open, version), &mut changes).await?;
        self.commit(changes).await?;
        self.announce_work();
        Ok(())
    }

    /// The invitation of somebody who is added by the same commit.
    pub(crate) async fn add_invitation(
        &self,
        actor: &Actor,
        user: &User,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        self.add_link(actor, user, LinkKind::Invitation, (Vec::new(), None), changes).await
    }

    async fn add_link(
        &self,
        actor: &Actor,
        user: &User,
        kind: LinkKind,
        (mut open, version): (Vec<LinkId>, Option<u64>),
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let link = LinkId::new(now)?;
        let until = now.saturating_add(life(kind)).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        open.push(link);
        let record = LinkRecord { user: user.id, kind, email: user.email.clone(), until };
        let letter = LinkLetter {
            link,
            kind,
            user: user.id,
            group: user.group.clone(),
            to: user.email.clone(),
            until,
        };
        let act = match kind {
            LinkKind::Invitation => Act::InvitationMade,
            LinkKind::Reset => Act::ResetLinkMade,
        };
        let event = Event::new(now, actor.clone(), act).group(&user.group).user(user.id);
        changes.require.push((links_key(user.id), version));
        changes.put.push((links_key(user.id), records::encode(&LinksOf { open })?));
        changes.put.push((self.link_token(link).key(), records::encode(&record)?));
        changes.append.push(event.to_bytes()?);
        if kind == LinkKind::Invitation {
            self.require_second_factor(user.id, changes).await?;
        }
        self.put_job(&Job::new(JobId::new(now)?, JobKind::Link(letter), now, now), changes)
    }

    /// What a link opens, if it opens anything. Looking changes nothing.
    pub async fn link(&self, token: &LinkToken) -> Result<Option<OpenLink>, StoreError> {
        let Some(row) = self.row(token.key()).await? else { return Ok(None) };
        let record: LinkRecord = records::decode(&row.value)?;
        let open = OpenLink {
            kind: record.kind,
            user: record.user,
            email: record.email.clone(),
            until: record.until,
        };
        Ok((!record.is_over(self.now()) && self.may_redeem(&open)).then_some(open))
    }

    /// Whether the user that a link is for still is who it was made for.
    fn may_redeem(&self, link: &OpenLink) -> bool {
        let directory = self.directory();
        let user = directory.user(&link.user).filter(|user| user.email.key() == link.email.key());
        user.is_some_and(|user| match link.kind {
            LinkKind::Invitation => matches!(user.state, UserState::Invited | UserState::Confirmed),
            LinkKind::Reset => user.is_active(),
        })
    }

    /// The password that a link's holder chose, as its hash: who was invited is confirmed. It counts from this commit on, every open link and every
    /// session of the user is over. `None`: the link opens nothing (any more).
    pub async fn redeem(
        &self,
        token: &LinkToken,
        password_hash: &str,
    ) -> Result<Option<OpenLink>, StoreError> {
        loop {
            let Some(link) = self.link(token).await? else { return Ok(None) };
            let Some(row) = self.row(token.key()).await? else { return Ok(None) };
            let (links, version) = self.links_of(link.user).await?;
            let actor = Actor::User(link.user);
            let mut steps = vec![DirectoryChange::Password(link.user, password_hash.to_owned())];
            let directory = self.directory();
            if let Some(user) = directory.user(&link.user).filter(|user| user.state == UserState::Invited) {
                let confirmed = User { state: UserState::Confirmed, ..user.clone() };
                steps.insert(0, DirectoryChange::User(confirmed));
            }
            let mut changes = self.directory_changes(&actor, &steps)?;
            changes.require.push((token.key(), Some(row.version)));
            changes.require.push((links_key(link.user), version));
            changes.delete.push(links_key(link.user));
            changes.delete.push(token.key());
            changes.delete.extend(links.open.iter().map(|id| self.link_token(*id).key()));
            let event = Event::new(self.now(), actor, Act::LinkRedeemed).user(link.user);
            let event = match self.directory().user(&link.user) {
                Some(user) => event.group(&user.group),
                None => event,
            };
            changes.append.push(event.to_bytes()?);
            let outcome = self.commit(changes).await;
            self.reload_directory().await?;
            match outcome {
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    self.end_sessions_of(link.user).await?;
                    return Ok(Some(link));
                }
            }
        }
    }

    /// The token of a link, for the letter that brings it.
    pub fn link_token(&self, link: LinkId) -> LinkToken {
        LinkToken(base32(&self.mac("sign-in link", link.as_bytes())[..20]))
    }

    /// Removes links that are over; says how many.
    pub async fn sweep_links(&self) -> Result<usize, StoreError> {
        let now = self.now();
        self.sweep(Table::Link, |key, row| {
            let over = records::decode::<LinkRecord>(&row.value)?.is_over(now);
            Ok(if over { vec![key.to_vec()] } else { Vec::new() })
        })
        .await
    }

    async fn links_of(&self, user: UserId) -> Result<(LinksOf, Option<u64>), StoreError> {
        match self.row(links_key(user)).await? {
            Some(row) => Ok((records::decode(&row.value)?, Some(row.version))),
            None => Ok((LinksOf::default(), None)),
        }
    }
}

fn life(kind: LinkKind) -> Duration {
    match kind {
        LinkKind::Invitation => INVITATION,
        LinkKind::Reset => RESET,
    }
}

fn links_key(user: UserId) -> Vec<u8> {
    Key::of(Table::LinksOf).id(&user).done()
}
