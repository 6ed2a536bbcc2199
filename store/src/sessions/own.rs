//! The sessions of one user, for that user: listed, ended one by one, and proved anew before a change that lasts.

use super::{LISTED, OwnSession, Session, SessionToken, name_of, own_key};
use crate::{
    audit::{Act, Actor, Event},
    changes::DirectoryChange,
    engine::Changeset,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

impl Ledger {
    /// The user's sessions that are not over, the one used last first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<OwnSession>, StoreError> {
        let range = Key::of(Table::SessionOf).id(&user).range();
        let now = self.now();
        let mut found = Vec::new();
        for (key, _) in self.engine().scan(range, LISTED).await? {
            let digest = &key[own_key(user, &[]).len()..];
            let Some(row) = self.row(Key::of(Table::Session).raw(digest).done()).await? else { continue };
            let session: Session = records::decode(&row.value)?;
            if session.user == user && !session.is_over(now) {
                found.push(OwnSession { name: name_of(digest), session });
            }
        }
        found.sort_by(|a, b| b.session.last_seen.cmp(&a.session.last_seen).then(a.name.cmp(&b.name)));
        Ok(found)
    }

    /// Ends the session that its user calls so; `false` if the user has none of that name.
    pub async fn end_own_session(&self, user: UserId, name: &str) -> Result<bool, StoreError> {
        let ended = self.remove_sessions(|key, session| session.user == user && name_of(&key[1..]) == name);
        self.told_ended(user, ended.await?).await
    }

    /// Ends every session of the user but this one; `false` if there was no other.
    pub async fn end_other_sessions(&self, user: UserId, kept: &SessionToken) -> Result<bool, StoreError> {
        let kept = kept.key();
        let ended = self.remove_sessions(|key, session| session.user == user && key != kept.as_slice());
        self.told_ended(user, ended.await?).await
    }

    async fn told_ended(&self, user: UserId, ended: usize) -> Result<bool, StoreError> {
        if ended > 0 {
            self.record(self.own_event(user, Act::SessionsEnded)).await?;
        }
        Ok(ended > 0)
    }

    /// Who is at this session has just proved to be its user.
    pub async fn prove_session(&self, token: &SessionToken) -> Result<(), StoreError> {
        loop {
            let Some(row) = self.row(token.key()).await? else { return Ok(()) };
            let session: Session = records::decode(&row.value)?;
            let event = self.own_event(session.user, Act::IdentityConfirmed);
            let proved = Session { proved: Some(self.now()), ..session };
            let changes = Changeset {
                require: vec![(token.key(), Some(row.version))],
                put: vec![(token.key(), records::encode(&proved)?)],
                append: vec![event.to_bytes()?],
                ..Changeset::default()
            };
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The password that a signed-in user chose, as its hash; every other session of the user is over, and so is every link
    /// to another new password: who reads the mailbox must not undo it.
    pub async fn change_own_password(
        &self,
        user: UserId,
        password_hash: &str,
        kept: &SessionToken,
    ) -> Result<(), StoreError> {
        let change = DirectoryChange::Password(user, password_hash.to_owned());
        self.change_directory(&Actor::User(user), vec![change]).await?;
        self.end_links_of(user).await?;
        self.end_other_sessions(user, kept).await.map(drop)
    }

    fn own_event(&self, user: UserId, act: Act) -> Event {
        let mut event = Event::new(self.now(), Actor::User(user), act).user(user);
        event.group = self.directory().user(&user).map(|user| user.group.clone());
        event
    }
}
