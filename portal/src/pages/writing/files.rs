//! Files of a draft as a script brings them: begun, sent from where they broke off, asked about. Every answer is a number
//! or a sentence, for the script; without one the form of the draft brings them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use store::{ContentId, FileWriter, StoreError};

use super::fields::{NotTaken, room};
use crate::access::Visitor;
use crate::access::drafts::{self, OwnDraft};
use crate::error::Problem;
use crate::forms::{self, Asked};
use crate::multipart::arriving;
use crate::portal::Portal;

/// Longest name of a file that is kept, in characters.
const LONGEST_NAME: usize = 200;

/// A new file: `?name=&size=&type=`; the answer is its id.
pub(crate) async fn begin(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(draft): Path<String>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Problem> {
    let mut own = uploading(&portal, &visitor, &draft, &headers).await?;
    let size: u64 = asked.value("size").and_then(|size| size.parse().ok()).ok_or(Problem::BadForm)?;
    if size > room(&portal, &own).await? {
        return Ok(refused(&portal, NotTaken::TooLarge));
    }
    let name: String = asked.value("name").unwrap_or_default().chars().take(LONGEST_NAME).collect();
    let media_type = asked.value("type").unwrap_or_default().to_lowercase();
    match own.begin_file(&portal, &name, &media_type, Some(size)).await {
        Ok(file) => Ok((StatusCode::CREATED, file.to_string()).into_response()),
        Err(Problem::Store(StoreError::Denied(_))) => Ok(refused(&portal, NotTaken::TooMany)),
        Err(problem) => Err(problem),
    }
}

/// How much of a file is kept: where its upload goes on.
pub(crate) async fn received(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((draft, file)): Path<(String, String)>,
) -> Result<String, Problem> {
    portal.writing()?;
    let own = drafts::one(&portal, &visitor, &draft).await?;
    Ok(own.file(&portal, &file).await?.received.to_string())
}

/// Bytes of a file from `?offset=` on; the answer is how much is kept. What breaks off goes on later.
pub(crate) async fn receive(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((draft, file)): Path<(String, String)>,
    headers: HeaderMap,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let own = uploading(&portal, &visitor, &draft, &headers).await?;
    let known = own.file(&portal, &file).await?;
    let Some(announced) = known.announced else { return Err(Problem::NotFound) };
    let offset = asked.value("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    if known.whole {
        return Ok(known.received.to_string().into_response());
    }
    let writer = match own.resume(&portal, known.id, offset).await {
        Ok(writer) => writer,
        // It stands elsewhere by now: the script goes on from there.
        Err(StoreError::Conflict) => return elsewhere(&portal, &own, known.id).await,
        Err(error) => return Err(error.into()),
    };
    match written(writer, body, announced).await {
        Ok(kept) => Ok(kept.to_string().into_response()),
        Err(Problem::Store(StoreError::Conflict)) => elsewhere(&portal, &own, known.id).await,
        Err(Problem::TooLarge) => Ok(refused(&portal, NotTaken::TooLarge)),
        Err(problem) => Err(problem),
    }
}

async fn written(mut writer: FileWriter, body: Body, announced: u64) -> Result<u64, Problem> {
    let mut body = body.into_data_stream();
    loop {
        match arriving(&mut body).await {
            Ok(Some(piece)) if writer.size() + piece.len() as u64 > announced => {
                return Err(Problem::TooLarge);
            }
            Ok(Some(piece)) => writer.write(&piece).await?,
            Ok(None) if writer.size() == announced => return Ok(writer.finish().await?),
            Ok(None) | Err(_) => return Ok(writer.pause().await?),
        }
    }
}

async fn elsewhere(portal: &Portal, own: &OwnDraft, file: ContentId) -> Result<Response, Problem> {
    let known = own.file(portal, &file.to_string()).await?;
    Ok((StatusCode::CONFLICT, known.received.to_string()).into_response())
}

/// The draft, for a script that shows the token of the page it runs on: no form of another site can send this header.
async fn uploading(
    portal: &Portal,
    visitor: &Visitor,
    draft: &str,
    headers: &HeaderMap,
) -> Result<OwnDraft, Problem> {
    portal.writing()?;
    let token = headers.get("x-form-token").and_then(|token| token.to_str().ok()).unwrap_or_default();
    if !forms::same(token, visitor.form_token()) {
        return Err(Problem::NotFromHere("token"));
    }
    drafts::one(portal, visitor, draft).await
}

fn refused(portal: &Portal, why: NotTaken) -> Response {
    let says = portal.words.say_of("file_problem", why.key(), &[]).unwrap_or_default();
    (StatusCode::PAYLOAD_TOO_LARGE, says).into_response()
}
