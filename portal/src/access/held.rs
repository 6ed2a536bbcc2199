//! Held mail of the visitor's group, for its compliance role alone. `one` is the only way from an id to
//! a held mail; absent, malformed, foreign and decided are one answer.

use mail::Scan;
use policies::access::Action;
use store::{HeldId, HeldMail, HeldPage, OpenHeld, Release, Released, Task, TaskKind};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// A held mail that this visitor may decide on.
pub(crate) struct PermittedHeld {
    visitor: Visitor,
    mail: HeldMail,
}

/// A part of the list, oldest first.
pub(crate) async fn list(
    portal: &Portal,
    visitor: &Visitor,
    after: Option<&str>,
    limit: usize,
) -> Result<HeldPage, Problem> {
    visitor.demand(Action::ListHeld)?;
    let after = after.and_then(|after| after.parse().ok());
    Ok(portal.ledger.held(visitor.group(), after, limit).await?)
}

/// The task that asks the compliance role to decide, while something waits.
pub(crate) async fn task(portal: &Portal, visitor: &Visitor) -> Result<Option<Task>, Problem> {
    visitor.demand(Action::ListHeld)?;
    Ok(portal.ledger.task_about(visitor.group(), &TaskKind::MailHeld).await?)
}

/// The held mail of that id.
pub(crate) async fn one(portal: &Portal, visitor: &Visitor, id: &str) -> Result<PermittedHeld, Problem> {
    visitor.demand(Action::OpenHeld)?;
    let id: HeldId = id.parse().map_err(|_| Problem::NotHeld)?;
    let page = portal.ledger.held(visitor.group(), before(id), 1).await?;
    let mail = page.mails.into_iter().find(|mail| mail.id == id).ok_or(Problem::NotHeld)?;
    Ok(PermittedHeld { visitor: visitor.clone(), mail })
}

/// The place in the list straight before `id`; none at its beginning.
fn before(id: HeldId) -> Option<HeldId> {
    let mut bytes = *id.as_bytes();
    let last = bytes.iter().rposition(|byte| *byte > 0)?;
    bytes[last] -= 1;
    bytes[last + 1..].fill(u8::MAX);
    Some(HeldId::from_bytes(bytes))
}

impl PermittedHeld {
    pub(crate) fn mail(&self) -> &HeldMail {
        &self.mail
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Whether its files leave the ledger: not onto the officer's own machine what the scanner warned of.
    pub(crate) fn gives_files(&self) -> bool {
        self.mail.scan != Scan::Found
    }

    /// Opens it; the reading is in the audit trail before the key is.
    pub(crate) async fn open(&self, portal: &Portal) -> Result<OpenHeld, Problem> {
        let actor = self.visitor.actor();
        let opened = portal.ledger.open_held(&actor, self.visitor.group(), self.mail.id).await?;
        opened.ok_or(Problem::NotHeld)
    }

    /// Lets it go where it was going. `None`: somebody else decided first.
    pub(crate) async fn release(&self, portal: &Portal) -> Result<Option<Released>, Problem> {
        self.visitor.demand(match self.mail.release {
            Release::Relay => Action::RelayHeld,
            Release::Case => Action::ReleaseHeld,
        })?;
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        let due = |process: &_, rung: &_| portal.due(process, rung);
        Ok(portal.ledger.release_held(&actor, group, self.mail.id, due).await?)
    }

    /// Destroys it; its sender is told. False: somebody else decided first.
    pub(crate) async fn send_back(&self, portal: &Portal) -> Result<bool, Problem> {
        self.visitor.demand(Action::ReturnHeld)?;
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(portal.ledger.return_held(&actor, group, self.mail.id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_before_is_the_nearest() {
        let at = |last: &[u8]| {
            let mut bytes = [7; 20];
            bytes[20 - last.len()..].copy_from_slice(last);
            HeldId::from_bytes(bytes)
        };
        assert_eq!(before(at(&[1])), Some(at(&[0])));
        assert_eq!(before(at(&[5, 0, 0])), Some(at(&[4, 255, 255])));
        assert_eq!(before(HeldId::from_bytes([0; 20])), None);
    }
}
