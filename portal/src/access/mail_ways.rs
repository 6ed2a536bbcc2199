//! How mail of the visitor's group comes and goes, for its master administration user. Nothing of a
//! mail is in it.

use policies::access::Action;
use store::{ClientCertificate, Connector, Group, Mailbox, PollReport, Task, TaskId};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The ways of one group's mail.
pub(crate) struct OwnWays(Visitor);

/// Those of the visitor's group.
pub(crate) fn own(visitor: &Visitor) -> Result<OwnWays, Problem> {
    visitor.demand(Action::ReadMailAdministration)?;
    Ok(OwnWays(visitor.clone()))
}

impl OwnWays {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    fn is_own(&self, group: &mail::GroupId) -> bool {
        group == self.0.group()
    }

    pub(crate) fn group(&self) -> Option<&Group> {
        self.0.directory().group(self.0.group())
    }

    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.directory().mailboxes().filter(|mailbox| self.is_own(&mailbox.group))
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = &ClientCertificate> {
        self.0.directory().certificates().filter(|certificate| self.is_own(&certificate.group))
    }

    pub(crate) fn connectors(&self) -> impl Iterator<Item = &Connector> {
        self.0.directory().connectors().filter(|connector| self.is_own(&connector.group))
    }

    pub(crate) async fn polled(&self, portal: &Portal) -> Result<Vec<PollReport>, Problem> {
        let mut reports = portal.ledger.poll_reports().await?;
        reports.retain(|report| self.is_own(&report.group));
        Ok(reports)
    }

    /// What is to be looked at, the oldest first; what is the compliance role's has a page of its own.
    pub(crate) async fn tasks(
        &self,
        portal: &Portal,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Task>, Problem> {
        let after = after.and_then(|after| after.parse().ok());
        let mut tasks = portal.ledger.tasks_after(self.0.group(), after, limit + 1).await?;
        tasks.retain(|task| !task.kind.is_for_compliance());
        tasks.truncate(limit);
        Ok(tasks)
    }

    /// Says that a task is done; what is not there, or another group's, does not exist.
    pub(crate) async fn close(&self, portal: &Portal, id: &str) -> Result<(), Problem> {
        self.0.demand(Action::CloseTask)?;
        let id: TaskId = id.parse().map_err(|_| Problem::NotFound)?;
        let closed = portal.ledger.close_task(&self.0.actor(), Some(self.0.group()), id).await?;
        if closed { Ok(()) } else { Err(Problem::NotFound) }
    }
}
