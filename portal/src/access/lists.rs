//! Lists and counts of cases by the visitor's permissions: what lies outside is neither read nor counted.

use jiff::Timestamp;
use mail::{ContactType, Mpid, ProcessId};
use policies::access::{self as table, Action, Relation};
use store::{CaseCounts, CaseFilter, CaseOrder, Owed, Permission, User, UserId};

use super::{PermittedCase, Visitor, admit};
use crate::error::Problem;
use crate::portal::Portal;

/// Which of the visitor's cases, and in which order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) filter: CaseFilter,
    pub(crate) order: CaseOrder,
    pub(crate) process: Option<ProcessId>,
    pub(crate) participant: Option<Mpid>,
    pub(crate) rung: Option<ContactType>,
}

/// A page of a list, and where the next one begins; `next` with fewer cases than asked for: the search was cut off there.
pub(crate) async fn page(
    portal: &Portal,
    visitor: &Visitor,
    wanted: &Wanted,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<PermittedCase>, Option<String>), Problem> {
    let meant = |permission: &&Permission| {
        wanted.process.as_ref().is_none_or(|process| permission.process == *process)
            && wanted.participant.as_ref().is_none_or(|participant| permission.participant == *participant)
            && wanted.rung.as_ref().is_none_or(|rung| permission.contact_type == *rung)
            // Only what has a rung above it can be escalated.
            && wanted.filter.due.is_none_or(|due| due.owed == Owed::ByUs || climbs(portal, permission))
    };
    let permissions: Vec<_> = permissions(visitor).iter().filter(meant).cloned().collect();
    let ledger = &portal.ledger;
    let page =
        ledger.list_cases(visitor.group(), &permissions, &wanted.filter, wanted.order, after, limit).await?;
    let cases = page.cases.into_iter().filter_map(|case| admit(visitor, case, Action::ListCases));
    Ok((cases.collect(), page.next))
}

/// How many cases of each kind the visitor may see, on a day that ends at `midnight`.
pub(crate) async fn counts(
    portal: &Portal,
    visitor: &Visitor,
    midnight: Timestamp,
) -> Result<CaseCounts, Problem> {
    let climbs = |permission: &Permission| climbs(portal, permission);
    let ledger = &portal.ledger;
    Ok(ledger.count_cases(visitor.group(), permissions(visitor), climbs, visitor.id(), midnight).await?)
}

/// The permissions by which the visitor lists cases: none, for a role that lists none.
pub(crate) fn permissions(visitor: &Visitor) -> &[Permission] {
    let lists = table::may(Action::ListCases, visitor.role(), Relation::Permitted);
    if lists { &visitor.0.permissions } else { &[] }
}

/// Colleagues who hold one of the visitor's permissions, by name: to whom cases may be given. At most a hundred.
pub(crate) fn colleagues(visitor: &Visitor) -> Vec<(UserId, String)> {
    /// A longer list would be no choice.
    const MOST: usize = 100;
    let own = permissions(visitor);
    let shares = |user: &&User| {
        user.group == *visitor.group()
            && user.id != visitor.id()
            && user.is_active()
            && user.permissions.iter().any(|permission| own.contains(permission))
    };
    let users = visitor.directory().users().filter(shares);
    let mut colleagues: Vec<_> = users.map(|user| (user.id, user.name.clone())).collect();
    colleagues.sort_by(|one, other| (&one.1, one.0).cmp(&(&other.1, other.0)));
    colleagues.truncate(MOST);
    colleagues
}

fn climbs(portal: &Portal, permission: &Permission) -> bool {
    let catalogue = portal.catalogue();
    let process = catalogue.process(&permission.process);
    process.is_some_and(|process| process.above(&permission.contact_type).is_some())
}

impl PermittedCase {
    /// Gives the case to an owner, or to nobody, if the owner is still the one that was seen.
    pub(crate) async fn give(
        &self,
        portal: &Portal,
        seen: Option<UserId>,
        owner: Option<UserId>,
    ) -> Result<(), Problem> {
        let actor = self.visitor.actor();
        Ok(portal.ledger.assign(&actor, self.case.id, self.visitor.group(), seen, owner).await?)
    }

    /// Whether that user may read the case: only such a one can own it.
    pub(crate) fn is_open_to(&self, user: UserId) -> bool {
        let permitted = |permission: &Permission| {
            permission.process == self.case.process
                && permission.contact_type == self.case.contact_type
                && self.own_side().is_some_and(|side| side.participant == permission.participant)
        };
        self.visitor.directory().user(&user).is_some_and(|user| {
            user.is_active() && user.group == *self.visitor.group() && user.permissions.iter().any(permitted)
        })
    }
}
