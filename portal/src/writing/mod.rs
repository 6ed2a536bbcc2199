//! How what people write becomes a message: what the portal was told for it, whom it reaches, and the way that it goes.

pub(crate) mod reach;
pub(crate) mod send;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mail::{Part, Scan};
use store::{OpenContent, SourceKey};

use crate::access::drafts::OwnDraft;
use crate::portal::Portal;

/// What the virus scanner says of a whole mail and its parts; the mail side has the scanner.
pub type Scanner =
    Arc<dyn Fn(OpenContent, Vec<Part>) -> Pin<Box<dyn Future<Output = Scan> + Send>> + Send + Sync>;

/// What the portal is told so that people can write in it.
#[derive(Clone)]
pub struct Writing {
    /// The domain of Message-IDs.
    pub notice_domain: String,
    /// Bytes of one file, and of all files of a message together.
    pub largest_upload: u64,
    /// None: there is no scanner, and nothing is checked.
    pub scanner: Option<Scanner>,
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { notice_domain, largest_upload, scanner } = self;
        f.debug_struct("Writing")
            .field("notice_domain", notice_domain)
            .field("largest_upload", largest_upload)
            .field("scanner", &scanner.is_some())
            .finish()
    }
}

/// What makes two tries to send a draft the same message.
pub(crate) fn source(portal: &Portal, user: &store::UserId, draft: &store::DraftId) -> SourceKey {
    portal.ledger.mac("portal source", &[user.as_bytes().as_slice(), draft.as_bytes()].concat())
}

/// The same for a draft at hand.
fn source_of(portal: &Portal, own: &OwnDraft) -> SourceKey {
    source(portal, &own.draft().user, &own.draft().id)
}
