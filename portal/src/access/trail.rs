//! The events of the visitor's group, for its compliance officers. Looking is an event itself, written before anything is shown.

use jiff::Timestamp;
use policies::access::Action;
use store::{Act, Event, TrailPage};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The permission to see them.
#[derive(Clone)]
pub(crate) struct Trail(Visitor);

/// Those of the visitor's group.
pub(crate) fn own(visitor: &Visitor) -> Result<Trail, Problem> {
    visitor.demand(Action::ReadAudit)?;
    Ok(Trail(visitor.clone()))
}

impl Trail {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    /// Says that the visitor looks, or takes them away.
    pub(crate) async fn begin(&self, portal: &Portal, act: Act) -> Result<(), Problem> {
        let event = Event::new(portal.ledger.now(), self.0.actor(), act).group(self.0.group());
        Ok(portal.ledger.record(event).await?)
    }

    pub(crate) async fn events(
        &self,
        portal: &Portal,
        time: (Timestamp, Timestamp),
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<TrailPage, Problem> {
        Ok(portal.ledger.trail(self.0.group(), time, after, limit, wanted).await?)
    }
}
