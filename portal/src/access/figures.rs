//! Figures: a person's own, a group's for its officers, all groups' for the market's operator.

use mail::GroupId;
use policies::access::Action;
use store::{ReportLine, ReportMonth, UserId};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The permission to see some figures, and whose.
pub(crate) struct Figures {
    visitor: Visitor,
    reach: Reach,
}

/// How far a look at figures goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// What this person did.
    Own(UserId),
    Group,
    Market,
}

/// Those of the visitor, or of the visitor's group if the visitor is an officer.
pub(crate) fn of_group(visitor: &Visitor) -> Result<Figures, Problem> {
    visitor.demand(Action::ReadOwnFigures)?;
    let officer = visitor.may(Action::ReadReports);
    let reach = if officer { Reach::Group } else { Reach::Own(visitor.id()) };
    Ok(Figures { visitor: visitor.clone(), reach })
}

/// Those of every group, without a person.
pub(crate) fn of_market(visitor: &Visitor) -> Result<Figures, Problem> {
    visitor.demand(Action::ReadMarketReports)?;
    Ok(Figures { visitor: visitor.clone(), reach: Reach::Market })
}

impl Figures {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// Every line within reach, with the group that it is of.
    pub(crate) async fn read(
        &self,
        portal: &Portal,
        months: (ReportMonth, ReportMonth),
        mut each: impl FnMut(&GroupId, ReportLine),
    ) -> Result<(), Problem> {
        let groups: Vec<GroupId> = match self.reach {
            Reach::Own(_) | Reach::Group => vec![self.visitor.group().clone()],
            Reach::Market => self.visitor.directory().groups().map(|group| group.id.clone()).collect(),
        };
        for group in groups {
            let within = |line: ReportLine| match self.reach {
                Reach::Own(user) if line.of.user != Some(user) => {}
                Reach::Own(_) | Reach::Group | Reach::Market => each(&group, line),
            };
            portal.ledger.figures(&group, months, within).await?;
        }
        Ok(())
    }
}
