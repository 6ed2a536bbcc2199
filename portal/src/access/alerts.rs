//! When the visitor is told of what waits, and what holds for colleagues who chose nothing: each set by nobody else than its
//! user, and the master administration user.

use mail::ProcessId;
use policies::access::Action;
use store::{Alerts, DirectoryChange, Group, NoticeStyle, SentNotices};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The visitor's own alerts.
pub(crate) struct OwnAlerts(Visitor);

/// Those of the visitor's company.
pub(crate) struct CompanyAlerts(Visitor);

pub(crate) fn own(visitor: &Visitor) -> Result<OwnAlerts, Problem> {
    visitor.demand(Action::ManageAlerts)?;
    Ok(OwnAlerts(visitor.clone()))
}

pub(crate) fn of_company(visitor: &Visitor) -> Result<CompanyAlerts, Problem> {
    visitor.demand(Action::SetCompanyAlerts)?;
    Ok(CompanyAlerts(visitor.clone()))
}

impl OwnAlerts {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// The own choice; none: as the company has it.
    pub(crate) fn chosen(&self, portal: &Portal) -> Option<Alerts> {
        portal.ledger.directory().user(&self.0.id()).and_then(|user| user.alerts.clone())
    }

    pub(crate) fn of_company(&self, portal: &Portal) -> Alerts {
        company(&self.0, portal)
    }

    /// What was sent to the visitor's own address.
    pub(crate) async fn sent(
        &self,
        portal: &Portal,
        after: Option<&str>,
        limit: usize,
    ) -> Result<SentNotices, Problem> {
        Ok(portal.ledger.sent_notices(self.0.id(), after, limit).await?)
    }

    /// The processes that the visitor works on.
    pub(crate) fn processes(&self, portal: &Portal) -> Vec<ProcessId> {
        let directory = portal.ledger.directory();
        let permissions = directory.user(&self.0.id()).map(|user| user.permissions.as_slice());
        let mut processes: Vec<_> =
            permissions.unwrap_or_default().iter().map(|permission| permission.process.clone()).collect();
        processes.sort();
        processes.dedup();
        processes
    }

    pub(crate) async fn choose(&self, portal: &Portal, alerts: Option<Alerts>) -> Result<(), Problem> {
        let change = DirectoryChange::AlertsOf(self.0.id(), alerts);
        Ok(portal.ledger.change_directory(&self.0.actor(), vec![change]).await?)
    }
}

impl CompanyAlerts {
    /// How the letters to the company's people look.
    pub(crate) fn style(&self, portal: &Portal) -> NoticeStyle {
        style(&self.0, portal)
    }

    pub(crate) async fn set_style(&self, portal: &Portal, style: NoticeStyle) -> Result<(), Problem> {
        let change = DirectoryChange::NoticeStyle(self.0.group().clone(), style);
        Ok(portal.ledger.change_directory(&self.0.actor(), vec![change]).await?)
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    pub(crate) fn chosen(&self, portal: &Portal) -> Alerts {
        company(&self.0, portal)
    }

    /// The processes that the company has mailboxes for.
    pub(crate) fn processes(&self, portal: &Portal) -> Vec<ProcessId> {
        let directory = portal.ledger.directory();
        let mailboxes = directory.mailboxes().filter(|mailbox| mailbox.group == *self.0.group());
        let mut processes: Vec<_> = mailboxes.map(|mailbox| mailbox.process.clone()).collect();
        processes.sort();
        processes.dedup();
        processes
    }

    pub(crate) async fn choose(&self, portal: &Portal, alerts: Alerts) -> Result<(), Problem> {
        let change = DirectoryChange::GroupAlerts(self.0.group().clone(), Some(alerts));
        Ok(portal.ledger.change_directory(&self.0.actor(), vec![change]).await?)
    }
}

fn style(visitor: &Visitor, portal: &Portal) -> NoticeStyle {
    let directory = portal.ledger.directory();
    directory.group(visitor.group()).map(Group::notice_style).unwrap_or_default()
}

fn company(visitor: &Visitor, portal: &Portal) -> Alerts {
    let directory = portal.ledger.directory();
    directory.group(visitor.group()).and_then(|group| group.alerts.clone()).unwrap_or_default()
}
