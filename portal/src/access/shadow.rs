//! What shadow mode counted, and how far Postern is let: a group's, for its officers, or the market's, for its operator,
//! who sees sums and no mailbox.

use jiff::civil::Date;
use mail::{GroupId, ProcessId};
use policies::access::Action;
use store::{DirectoryChange, Scope, ShadowRows, Stage, StageSetting};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// Whose mail is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    OwnGroup,
    Market,
}

/// The permission to look at it.
pub(crate) struct Watch {
    visitor: Visitor,
    watched: Watched,
}

/// The visitor's look at it, if the visitor may.
pub(crate) fn watch(visitor: &Visitor, watched: Watched) -> Result<Watch, Problem> {
    visitor.demand(match watched {
        Watched::OwnGroup => Action::ReadShadow,
        Watched::Market => Action::ReadMarketShadow,
    })?;
    Ok(Watch { visitor: visitor.clone(), watched })
}

impl Watch {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    pub(crate) fn watched(&self) -> Watched {
        self.watched
    }

    fn group(&self) -> Option<&GroupId> {
        match self.watched {
            Watched::OwnGroup => Some(self.visitor.group()),
            Watched::Market => None,
        }
    }

    /// What would have happened from the first day to the last.
    pub(crate) async fn report(&self, portal: &Portal, days: (Date, Date)) -> Result<ShadowRows, Problem> {
        let rows = ShadowRows::from(portal.ledger.shadow_report(self.group(), days).await?);
        Ok(match self.watched {
            Watched::OwnGroup => rows,
            // Whom a company writes to is its own affair.
            Watched::Market => {
                ShadowRows { mailboxes: Vec::new(), notices: Vec::new(), unmapped: Vec::new(), ..rows }
            }
        })
    }

    /// What is set for exactly this process, or for all others where none is named.
    pub(crate) fn set(&self, process: Option<&ProcessId>) -> Option<&StageSetting> {
        self.visitor.directory().stage_of(&self.scope(process))
    }

    /// The nearest setting for it: the own one, or that of a wider scope.
    pub(crate) fn nearest(&self, process: Option<&ProcessId>) -> Option<&StageSetting> {
        let everybody = |process: Option<&ProcessId>| Scope { group: None, process: process.cloned() };
        [self.scope(process), self.scope(None), everybody(process), everybody(None)]
            .iter()
            .find_map(|scope| self.visitor.directory().stage_of(scope))
    }

    /// Promotes, demotes, or takes back what is set; an event says who did.
    pub(crate) async fn change(
        &self,
        portal: &Portal,
        process: Option<&ProcessId>,
        stage: Option<Stage>,
    ) -> Result<(), Problem> {
        self.visitor.demand(match self.watched {
            Watched::OwnGroup => Action::SetStage,
            Watched::Market => Action::SetMarketStage,
        })?;
        let change = DirectoryChange::Stage(self.scope(process), stage);
        Ok(portal.ledger.change_directory(&self.visitor.actor(), vec![change]).await?)
    }

    fn scope(&self, process: Option<&ProcessId>) -> Scope {
        Scope { group: self.group().cloned(), process: process.cloned() }
    }
}
