//! The visitor's own drafts, and the cases that they answer. A colleague's draft, and one whose case the visitor may no
//! longer answer, is not there.

use mail::{ContactType, Mpid, ProcessId};
use policies::access::{self as table, Action};
use store::{ContentId, Draft, DraftFile, DraftId, DraftWords, FileWriter, StoreError};

use super::{PermittedCase, Visitor};
use crate::error::Problem;
use crate::portal::Portal;

/// Tries against a script that saves at the same moment.
const TRIES: usize = 5;

/// A draft of the visitor's own.
pub(crate) struct OwnDraft {
    visitor: Visitor,
    draft: Draft,
    case: Option<PermittedCase>,
}

impl Visitor {
    /// Whether the visitor may open a case for this participant of the own group.
    pub(crate) fn may_open(&self, participant: &Mpid, process: &ProcessId, rung: &ContactType) -> bool {
        let permissions = self.0.permissions.iter().map(|permission| table::Permission {
            participant: &permission.participant,
            process: &permission.process,
            contact_type: &permission.contact_type,
        });
        let of = self.directory().participant(participant).map(|participant| &participant.group);
        let own = of.map(|group| table::Side { group, participant });
        let relation = table::relation(self.group(), permissions, own, process, rung);
        table::may(Action::OpenCase, self.role(), relation)
    }
}

/// The draft of that id, if it is the visitor's and may still become a message.
pub(crate) async fn one(portal: &Portal, visitor: &Visitor, id: &str) -> Result<OwnDraft, Problem> {
    visitor.demand(Action::WriteDrafts)?;
    let id: DraftId = id.parse().map_err(|_| Problem::NotFound)?;
    let draft = portal.ledger.draft(visitor.id(), id).await?.ok_or(Problem::NotFound)?;
    own(portal, visitor, draft).await
}

/// All of them, the latest first.
pub(crate) async fn all(portal: &Portal, visitor: &Visitor) -> Result<Vec<OwnDraft>, Problem> {
    visitor.demand(Action::WriteDrafts)?;
    let mut all = Vec::new();
    for draft in portal.ledger.drafts(visitor.id()).await? {
        match own(portal, visitor, draft).await {
            Ok(draft) => all.push(draft),
            Err(Problem::NotFound) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(all)
}

/// The visitor's draft for this case; a new one if there is none.
pub(crate) async fn answering(portal: &Portal, case: &PermittedCase) -> Result<DraftId, Problem> {
    let (visitor, id) = (case.visitor(), case.case().id);
    visitor.demand(Action::WriteDrafts)?;
    let known = portal.ledger.drafts(visitor.id()).await?;
    if let Some(draft) = known.into_iter().find(|draft| draft.case == Some(id)) {
        // It shows that somebody is answering again.
        let words = draft.words.clone();
        return Ok(portal.ledger.save_draft(&draft, words).await?.id);
    }
    let words = DraftWords { seen: case.case().messages, ..DraftWords::default() };
    Ok(portal.ledger.begin_draft(visitor.id(), visitor.group(), Some(id), words).await?)
}

async fn own(portal: &Portal, visitor: &Visitor, draft: Draft) -> Result<OwnDraft, Problem> {
    if draft.group != *visitor.group() {
        return Err(Problem::NotFound);
    }
    let case = match draft.case {
        Some(case) => Some(super::case(portal, visitor, &case.to_string(), Action::Answer).await?),
        None => None,
    };
    Ok(OwnDraft { visitor: visitor.clone(), draft, case })
}

impl OwnDraft {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }

    pub(crate) fn words(&self) -> &DraftWords {
        &self.draft.words
    }

    /// The case that it answers.
    pub(crate) fn case(&self) -> Option<&PermittedCase> {
        self.case.as_ref()
    }

    /// Keeps what is written now. What a script has saved meanwhile was of the same form.
    pub(crate) async fn save(&mut self, portal: &Portal, words: DraftWords) -> Result<(), Problem> {
        for _ in 0..TRIES {
            match portal.ledger.save_draft(&self.draft, words.clone()).await {
                Ok(saved) => {
                    self.draft = saved;
                    return Ok(());
                }
                Err(StoreError::Conflict) => self.read_again(portal).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    pub(crate) async fn discard(&mut self, portal: &Portal) -> Result<(), Problem> {
        for _ in 0..TRIES {
            match portal.ledger.discard_draft(&self.draft).await {
                Err(StoreError::Conflict) => self.read_again(portal).await?,
                done => return Ok(done?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    pub(crate) async fn files(&self, portal: &Portal) -> Result<Vec<DraftFile>, Problem> {
        Ok(portal.ledger.draft_files(&self.draft).await?)
    }

    /// The file of that id.
    pub(crate) async fn file(&self, portal: &Portal, id: &str) -> Result<DraftFile, Problem> {
        let id: ContentId = id.parse().map_err(|_| Problem::NotFound)?;
        portal.ledger.draft_file(&self.draft, id).await?.ok_or(Problem::NotFound)
    }

    pub(crate) async fn begin_file(
        &mut self,
        portal: &Portal,
        name: &str,
        media_type: &str,
        announced: Option<u64>,
    ) -> Result<ContentId, Problem> {
        for _ in 0..TRIES {
            match portal.ledger.begin_file(&self.draft, name, media_type, announced).await {
                Err(StoreError::Conflict) => self.read_again(portal).await?,
                done => return Ok(done?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    pub(crate) async fn resume(
        &self,
        portal: &Portal,
        file: ContentId,
        offset: u64,
    ) -> Result<FileWriter, StoreError> {
        portal.ledger.resume_file(&self.draft, file, offset).await
    }

    pub(crate) async fn remove_file(&self, portal: &Portal, id: &str) -> Result<(), Problem> {
        let id: ContentId = id.parse().map_err(|_| Problem::NotFound)?;
        Ok(portal.ledger.remove_file(&self.draft, id).await?)
    }

    async fn read_again(&mut self, portal: &Portal) -> Result<(), Problem> {
        let draft = portal.ledger.draft(self.draft.user, self.draft.id).await?;
        self.draft = draft.ok_or(Problem::NotFound)?;
        Ok(())
    }
}
