//! Who is here, and which cases they may touch.
//!
//! `case` is the only way from a session and an id to a case. What it returns exposes only what
//! the visitor may do; without it there is no case to misuse. Absent, malformed, foreign and
//! forbidden are one answer (threats T16, T17). What belongs to a group or to one user has a way of
//! its own: `held`, `mail_ways`, `passwords`, `people`, `shadow`.

pub(crate) mod alerts;
pub(crate) mod api_tokens;
pub(crate) mod bearer;
pub(crate) mod casework;
pub(crate) mod drafts;
pub(crate) mod figures;
pub(crate) mod held;
pub(crate) mod lists;
pub(crate) mod mail_ways;
pub(crate) mod mailboxes;
pub(crate) mod market;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod shadow;
pub(crate) mod sign_in_rules;
pub(crate) mod signing_in;
pub(crate) mod trail;

use std::sync::Arc;

use mail::{Address, GroupId, ProcessId};
use policies::access::{self as table, Action, Matter, Relation};
use store::{
    Actor, AwayNote, Case, CaseId, CaseReference, Directory, MessageId, MessageRecord, OpenMessage,
    Permission, Reading, Role, Session, SessionToken, Side, StoreError, Unreadable, User, UserId,
};

use crate::error::Problem;
use crate::portal::Portal;

/// A signed-in, confirmed user, with the directory as it is at this request.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<Present>);

struct Present {
    directory: Arc<Directory>,
    id: UserId,
    group: GroupId,
    name: String,
    email: Address,
    role: Role,
    permissions: Vec<Permission>,
    token: SessionToken,
    form_token: String,
}

impl Visitor {
    /// The visitor of a session; none when the user is gone or not confirmed.
    pub(crate) fn arrive(directory: Arc<Directory>, token: SessionToken, session: Session) -> Option<Self> {
        Self::present(directory, session.user, token, session.csrf)
    }

    fn present(
        directory: Arc<Directory>,
        user: UserId,
        token: SessionToken,
        form_token: String,
    ) -> Option<Self> {
        let User { id, group, name, email, role, permissions, .. } =
            directory.user(&user).filter(|user| user.is_active())?.clone();
        let who = Present { directory, id, group, name, email, role, permissions, token, form_token };
        Some(Self(Arc::new(who)))
    }

    pub(crate) fn id(&self) -> UserId {
        self.0.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn email(&self) -> &Address {
        &self.0.email
    }

    /// The directory as it was when the request came.
    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    pub(crate) fn group(&self) -> &GroupId {
        &self.0.group
    }

    pub(crate) fn company(&self) -> String {
        self.group_name(&self.0.group)
    }

    pub(crate) fn form_token(&self) -> &str {
        &self.0.form_token
    }

    pub(crate) fn session(&self) -> &SessionToken {
        &self.0.token
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::User(self.0.id)
    }

    pub(crate) fn group_name(&self, group: &GroupId) -> String {
        self.0.directory.group(group).map_or_else(|| group.to_string(), |group| group.name.clone())
    }

    pub(crate) fn user_name(&self, user: &UserId) -> String {
        self.0.directory.user(user).map_or_else(|| "a former colleague".to_owned(), |user| user.name.clone())
    }

    /// Whether any of the visitor's permissions is for this process.
    pub(crate) fn works_on(&self, process: &ProcessId) -> bool {
        self.0.permissions.iter().any(|permission| permission.process == *process)
    }

    fn relation(&self, case: &Case) -> Relation {
        let permissions = self.0.permissions.iter().map(|permission| table::Permission {
            participant: &permission.participant,
            process: &permission.process,
            contact_type: &permission.contact_type,
        });
        let sides =
            case.sides.iter().map(|side| table::Side { group: &side.group, participant: &side.participant });
        table::relation(&self.0.group, permissions, sides, &case.process, &case.contact_type)
    }

    fn may_with(&self, action: Action, case: &Case) -> bool {
        table::may(action, self.role(), self.relation(case))
    }

    pub(crate) fn role(&self) -> table::Role {
        match self.0.role {
            Role::User => table::Role::User,
            Role::Mau => table::Role::Mau,
            Role::Compliance => table::Role::Compliance,
            Role::Operator => table::Role::Operator,
        }
    }

    /// Whether the visitor may do this to what is the own group's, the visitor's own, or the market's. To a case nobody may do
    /// anything without the case.
    pub(crate) fn may(&self, action: Action) -> bool {
        let relation = match action.matter() {
            Matter::Group => Relation::OwnGroup,
            Matter::User => Relation::Mine,
            Matter::Market => Relation::Market,
            Matter::Case => return false,
        };
        table::may(action, self.role(), relation)
    }

    fn demand(&self, action: Action) -> Result<(), Problem> {
        if self.may(action) { Ok(()) } else { Err(Problem::NotFound) }
    }
}

/// A case that this visitor may act on as asked.
pub(crate) struct PermittedCase {
    visitor: Visitor,
    case: Case,
}

/// The case of that id, if there is one and the visitor may do that with it.
pub(crate) async fn case(
    portal: &Portal,
    visitor: &Visitor,
    id: &str,
    action: Action,
) -> Result<PermittedCase, Problem> {
    let id: CaseId = id.parse().map_err(|_| Problem::NotFound)?;
    let case = portal.ledger.case(id).await?.ok_or(Problem::NotFound)?;
    admit(visitor, case, action).ok_or(Problem::NotFound)
}

/// The permitted ones of cases that a search found.
pub(crate) fn found(visitor: &Visitor, cases: Vec<Case>) -> Vec<PermittedCase> {
    cases.into_iter().filter_map(|case| admit(visitor, case, Action::ListCases)).collect()
}

/// The case of that reference, if the visitor may see it.
pub(crate) async fn case_by_reference(
    portal: &Portal,
    visitor: &Visitor,
    reference: &CaseReference,
) -> Result<Option<PermittedCase>, Problem> {
    let case = portal.ledger.case_by_reference(reference).await?;
    Ok(case.and_then(|case| admit(visitor, case, Action::ListCases)))
}

fn admit(visitor: &Visitor, case: Case, action: Action) -> Option<PermittedCase> {
    visitor.may_with(action, &case).then(|| PermittedCase { visitor: visitor.clone(), case })
}

impl PermittedCase {
    /// Whether the visitor may do this to the case as well.
    pub(crate) fn may(&self, action: Action) -> bool {
        self.visitor.may_with(action, &self.case)
    }

    pub(crate) fn case(&self) -> &Case {
        &self.case
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    pub(crate) fn own_side(&self) -> Option<&Side> {
        self.case.side(self.visitor.group())
    }

    pub(crate) fn other_sides(&self) -> impl Iterator<Item = &Side> {
        self.case.counterparties(self.visitor.group())
    }

    pub(crate) fn owner(&self) -> Option<UserId> {
        self.own_side().and_then(|side| side.owner)
    }

    /// Somebody of another company has written what nobody of the visitor's company has read.
    pub(crate) fn unseen(&self) -> bool {
        self.own_side().is_some_and(|side| side.waiting > side.seen)
    }

    /// A notice about it came back on some side, and nobody there has looked since.
    pub(crate) fn undelivered(&self) -> bool {
        self.case.sides.iter().any(|side| side.undelivered.is_some())
    }

    /// The company or companies on the other side.
    pub(crate) fn counterparty(&self) -> String {
        let names: Vec<_> = self.other_sides().map(|side| self.visitor.group_name(&side.group)).collect();
        names.join(", ")
    }

    /// Every message, oldest first, still sealed.
    pub(crate) async fn messages(&self, portal: &Portal) -> Result<Vec<MessageRecord>, Problem> {
        Ok(portal.ledger.messages(self.case.id).await?)
    }

    /// The same, and none of a case whose content is destroyed.
    pub(crate) async fn kept_messages(&self, portal: &Portal) -> Result<Vec<MessageRecord>, Problem> {
        if self.case.is_archived() { Ok(Vec::new()) } else { self.messages(portal).await }
    }

    /// Opens messages; the reading is in the audit trail before the first key is.
    pub(crate) async fn open(
        &self,
        portal: &Portal,
        messages: Vec<MessageRecord>,
        reading: Reading,
    ) -> Result<Vec<Result<OpenMessage, Unreadable>>, Problem> {
        let actor = self.visitor.actor();
        Ok(portal.ledger.open_messages(&actor, &self.case, messages, self.visitor.group(), reading).await?)
    }

    /// Opens the one message of that id, or says why it does not open.
    pub(crate) async fn try_one(
        &self,
        portal: &Portal,
        message: &str,
        reading: Reading,
    ) -> Result<Result<OpenMessage, Unreadable>, Problem> {
        let record = self.record(portal, message).await?;
        self.open(portal, vec![record], reading).await?.into_iter().next().ok_or(Problem::NotFound)
    }

    /// Opens the one message of that id. What was taken back before the visitor's company saw it does not exist, and
    /// asking for it is no reading.
    pub(crate) async fn open_one(
        &self,
        portal: &Portal,
        message: &str,
        reading: Reading,
    ) -> Result<OpenMessage, Problem> {
        if self.record(portal, message).await?.is_withdrawn_for(self.visitor.group()) {
            return Err(Problem::NotFound);
        }
        Ok(self.try_one(portal, message, reading).await?.map_err(StoreError::from)?)
    }

    async fn record(&self, portal: &Portal, message: &str) -> Result<MessageRecord, Problem> {
        let id: MessageId = message.parse().map_err(|_| Problem::NotFound)?;
        portal.ledger.message(self.case.id, id).await?.ok_or(Problem::NotFound)
    }

    /// Who was away, oldest first.
    pub(crate) async fn away_notes(&self, portal: &Portal) -> Result<Vec<AwayNote>, Problem> {
        Ok(portal.ledger.away_notes(self.case.id).await?)
    }

    /// Makes the visitor the owner of the visitor's side.
    pub(crate) async fn claim(&self, portal: &Portal) -> Result<(), Problem> {
        self.set_owner(portal, Some(self.visitor.id())).await
    }

    /// Leaves the visitor's side without an owner.
    pub(crate) async fn release(&self, portal: &Portal) -> Result<(), Problem> {
        self.set_owner(portal, None).await
    }

    async fn set_owner(&self, portal: &Portal, owner: Option<UserId>) -> Result<(), Problem> {
        let actor = self.visitor.actor();
        Ok(portal.ledger.assign(&actor, self.case.id, self.visitor.group(), self.owner(), owner).await?)
    }
}
