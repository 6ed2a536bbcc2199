//! What the people of a side do with a case beside reading and answering it: what the life of a case allows now, and the deeds
//! themselves. Every deed is asked of the escalation table once more by the ledger, on the case as it is then.

use jiff::Timestamp;
use mail::{GroupId, Tag};
use policies::access::Action;
use policies::escalation::{End, Gate, Part, Reason, Situation, Step, Who, archives_at, unstated};
use policies::{Field, FieldId, Process, Rung};
use store::{
    CaseEnd, CaseNote, CaseReason, CaseState, CaseTag, Detail, Escalated, Escalation, EventPage, UserId,
};

use super::PermittedCase;
use crate::error::Problem;
use crate::portal::Portal;

/// What an escalation asks for before it is one.
pub(crate) enum Wish {
    Done(Escalated),
    /// Not now.
    Shut(Gate),
    /// These fields are not stated.
    Unstated(Vec<FieldId>),
    /// The case stands on another rung by now.
    Moved,
}

impl PermittedCase {
    /// How the case stands for the visitor's side.
    pub(crate) fn state(&self) -> CaseState {
        self.case.state(self.visitor.group())
    }

    fn part(&self) -> Part {
        match self.own_side().is_some_and(|side| side.initiator) {
            true => Part::Initiator,
            false => Part::Responder,
        }
    }

    /// Whether the visitor may take that step now, by the escalation table. A process that the catalogue does not have
    /// any more has no next rung.
    pub(crate) fn gate(&self, portal: &Portal, step: Step) -> Gate {
        let catalogue = portal.catalogue();
        let Some(process) = catalogue.process(&self.case.process) else {
            return Gate::Never(Reason::HighestRung);
        };
        let situation = Situation {
            process,
            contact_type: &self.case.contact_type,
            answer_due: self.case.due.as_ref().map(|due| due.at),
            end: self.case.ended.as_ref().map(|ended| match ended.how {
                CaseEnd::Closed => End::Closed,
                CaseEnd::Archived => End::Archived,
            }),
        };
        let who =
            Who { part: self.part(), role: self.visitor.role(), relation: self.visitor.relation(&self.case) };
        situation.gate(step, who, portal.ledger.now())
    }

    /// The next rung and the fields that going there must state.
    pub(crate) fn next_rung(&self, portal: &Portal) -> Option<(Rung, Vec<Field>)> {
        let catalogue = portal.catalogue();
        let rung = catalogue.process(&self.case.process)?.above(&self.case.contact_type)?.clone();
        let fields = rung.requires.iter().filter_map(|id| catalogue.field(id).cloned()).collect();
        Some((rung, fields))
    }

    /// Whether the visitor could read the case on that rung.
    pub(crate) fn follows_to(&self, rung: &Rung) -> bool {
        let mut there = self.case.clone();
        there.contact_type = rung.contact_type.clone();
        self.visitor.may_with(Action::ReadCase, &there)
    }

    /// When its content is destroyed, if nobody writes.
    pub(crate) fn goes_at(&self, process: &Process) -> Timestamp {
        archives_at(self.case.last_message_at, process)
    }

    /// To whom on the visitor's side it may be given, by name.
    pub(crate) fn takers(&self) -> Vec<(UserId, String)> {
        let colleagues = super::lists::colleagues(&self.visitor);
        colleagues.into_iter().filter(|(user, _)| self.is_open_to(*user)).collect()
    }

    /// Takes the case to the next rung, if the gate is open and all is stated.
    pub(crate) async fn escalate(
        &self,
        portal: &Portal,
        seen: &str,
        stated: impl Fn(&FieldId) -> String,
    ) -> Result<Wish, Problem> {
        match self.gate(portal, Step::Escalate) {
            Gate::Open => {}
            shut => return Ok(Wish::Shut(shut)),
        }
        if self.case.contact_type.as_str() != seen {
            return Ok(Wish::Moved);
        }
        let (rung, fields) = self.next_rung(portal).ok_or(Problem::NotFound)?;
        let said: Vec<(FieldId, String)> = fields
            .iter()
            .map(|field| (field.id.clone(), stated(&field.id)))
            .filter(|(_, choice)| !choice.is_empty())
            .collect();
        let missing: Vec<_> =
            unstated(&portal.catalogue(), &rung, &said).iter().map(|field| field.id.clone()).collect();
        if !missing.is_empty() {
            return Ok(Wish::Unstated(missing));
        }
        let deadline = portal.due(&self.case.process, &rung.contact_type).ok_or(Problem::Interrupted)?;
        let escalation = Escalation {
            seen: self.case.contact_type.clone(),
            next: rung.contact_type,
            deadline,
            stated: said.into_iter().map(|(field, choice)| (field.as_str().to_owned(), choice)).collect(),
        };
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(Wish::Done(portal.ledger.escalate(&actor, self.case.id, group, &escalation).await?))
    }

    pub(crate) async fn close(&self, portal: &Portal, reason: CaseReason) -> Result<(), Problem> {
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(portal.ledger.close_case(&actor, self.case.id, group, reason).await?)
    }

    pub(crate) async fn reopen(&self, portal: &Portal, reason: CaseReason) -> Result<(), Problem> {
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(portal.ledger.reopen_case(&actor, self.case.id, group, reason).await?)
    }

    /// The notes of the visitor's side, the oldest first.
    pub(crate) async fn notes(&self, portal: &Portal) -> Result<Vec<CaseNote>, Problem> {
        Ok(portal.ledger.notes(self.case.id, self.visitor.group()).await?)
    }

    pub(crate) async fn note(&self, portal: &Portal, text: &str) -> Result<(), Problem> {
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(portal.ledger.add_note(&actor, &self.case, group, text).await?)
    }

    /// The tags of the visitor's side.
    pub(crate) async fn tags(&self, portal: &Portal) -> Result<Vec<CaseTag>, Problem> {
        Ok(portal.ledger.tags(self.case.id, self.visitor.group()).await?)
    }

    /// Whether it was not there yet.
    pub(crate) async fn tag(&self, portal: &Portal, tag: &Tag) -> Result<bool, Problem> {
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        Ok(portal.ledger.add_tag(&actor, self.case.id, group, tag).await?)
    }

    pub(crate) async fn untag(&self, portal: &Portal, tag: &Tag) -> Result<(), Problem> {
        let (actor, group) = (self.visitor.actor(), self.visitor.group());
        portal.ledger.remove_tag(&actor, self.case.id, group, tag).await?;
        Ok(())
    }

    /// What the visitor's side may know of what happened, newest first.
    pub(crate) async fn history(
        &self,
        portal: &Portal,
        detail: Detail,
        after: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, Problem> {
        let group: &GroupId = self.visitor.group();
        Ok(portal.ledger.case_events(self.case.id, group, detail, after, limit).await?)
    }
}
