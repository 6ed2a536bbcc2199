//! The list of one process, page by page, and how a case stands in any list.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Html;
use jiff::Timestamp;
use mail::ProcessId;
use policies::Process;
use templates::pages::{CaseRow, ProcessCases, ProcessLink};

use crate::access::{
    PermittedCase, Visitor,
    lists::{self, Wanted},
};
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};

/// Cases on one page of a process.
const ON_A_PAGE: usize = 40;

/// A process of which the visitor may see nothing does not exist.
pub(crate) async fn process(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(process): Path<String>,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let id: ProcessId = process.parse().map_err(|_| Problem::NotFound)?;
    let catalogue = portal.catalogue();
    let process = catalogue.process(&id).filter(|_| visitor.works_on(&id)).ok_or(Problem::NotFound)?;
    let after = asked.value("after");
    let wanted = Wanted { process: Some(id.clone()), ..Wanted::default() };
    let (cases, next) = lists::page(&portal, &visitor, &wanted, after, ON_A_PAGE).await?;
    let link = link_to(process);
    Ok(Html(portal.words.page(&ProcessCases {
        frame: portal.frame(&link.name, Some(&visitor), Place::Cases),
        rows: rows(&portal, &cases, portal.ledger.now()),
        older: next.map(|next| format!("{}?after={next}", link.href)),
        newest: after.map(|_| link.href),
        name: link.name,
    })?))
}

pub(crate) fn link_to(process: &Process) -> ProcessLink {
    ProcessLink { name: process.name.clone(), href: format!("/process/{}", process.id) }
}

/// The name of the rung on which a case stands, and whether its response time is an assumed default.
pub(crate) fn rung(portal: &Portal, case: &PermittedCase) -> (String, bool) {
    let contact_type = &case.case().contact_type;
    let catalogue = portal.catalogue();
    let process = catalogue.process(&case.case().process);
    match process.and_then(|process| process.rung(contact_type)) {
        Some(rung) => (rung.name.clone(), rung.is_default),
        None => (contact_type.to_string(), false),
    }
}

/// Who must answer by when.
pub(crate) fn due(case: &PermittedCase, now: Timestamp) -> Option<templates::pages::Due> {
    let due = case.case().due.as_ref()?;
    let visitor = case.visitor();
    let who =
        if due.side == *visitor.group() { "your company".to_owned() } else { visitor.group_name(&due.side) };
    Some(dates::due(due.at, who, now))
}

pub(crate) fn rows(portal: &Portal, cases: &[PermittedCase], now: Timestamp) -> Vec<CaseRow> {
    cases.iter().map(|case| row(portal, case, now)).collect()
}

fn row(portal: &Portal, permitted: &PermittedCase, now: Timestamp) -> CaseRow {
    let (case, visitor) = (permitted.case(), permitted.visitor());
    let owner = permitted.owner();
    CaseRow {
        href: format!("/case/{}", case.id),
        reference: case.reference.to_string(),
        company: permitted.counterparty(),
        rung: rung(portal, permitted).0,
        owner: owner.map(|owner| visitor.user_name(&owner)),
        mine: owner == Some(visitor.id()),
        due: due(permitted, now),
        messages: case.messages,
        activity: dates::when(case.last_message_at),
        unseen: permitted.unseen(),
        undelivered: permitted.undelivered(),
        pick: None,
    }
}
