//! A case and its messages in the words of a transcript and of a page for paper.

use store::{MessageRecord, OpenMessage, Unreadable};
use templates::pages::{CaseOnPaper, TranscriptMessage};

use crate::access::PermittedCase;
use crate::dates;
use crate::pages::{case, case_desk, case_lists, case_notes, message_card};
use crate::portal::Portal;
use crate::text::Extent;

pub(super) fn head(portal: &Portal, permitted: &PermittedCase, lost: Option<String>) -> CaseOnPaper {
    let (of, visitor) = (permitted.case(), permitted.visitor());
    CaseOnPaper {
        process: case::process(portal, permitted).name,
        company: permitted.counterparty(),
        participants: case::participants(permitted),
        rung: case_lists::rung(portal, permitted).0,
        opened: dates::when(of.opened_at),
        standing: case_desk::standing(portal, permitted),
        taken_by: format!("{} ({})", visitor.name(), visitor.company()),
        taken: dates::when(portal.ledger.now()),
        lost,
        archived: of.is_archived(),
    }
}

/// Which messages are not there, though they should be.
pub(super) fn lost(permitted: &PermittedCase, messages: &[MessageRecord]) -> Option<String> {
    match permitted.case().is_archived() {
        true => None,
        false => case_notes::lost(&permitted.case().lost(messages)),
    }
}

pub(super) async fn message(
    permitted: &PermittedCase,
    message: &Result<OpenMessage, Unreadable>,
) -> TranscriptMessage {
    let (card, cut) = match message {
        Ok(message) => message_card::card(permitted, message, Extent::Whole).await,
        Err(closed) => (message_card::closed(permitted, closed), false),
    };
    TranscriptMessage { card, cut }
}
