//! Attachments and originals on their way out: opened, decoded and sent piece by piece.
//!
//! Always a download, never a page: type, name and policy are ours, only the bytes are the mail's
//! (threat T15).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use mail::{Decoder, Encoding, Headline};
use policies::access::Action;
use store::{ContentReader, OpenContent, Reading, StoreError};

use crate::access::held::PermittedHeld;
use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::file_names;
use crate::pages::{held, message_card};
use crate::portal::Portal;

const FILE_POLICY: &str = "default-src 'none'; sandbox";

pub(crate) async fn attachment(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message, part)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::ReadAttachment).await?;
    let message = case.open_one(&portal, &message, Reading::Attachment).await?;
    file(&message.headline, &message.content, &part, message.record.id.to_string()).await
}

pub(crate) async fn original(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::DownloadOriginal).await?;
    let message = case.open_one(&portal, &message, Reading::Original).await?;
    let name = message_card::file_name(&case, &message);
    whole(&message.content, &name, message.record.id.to_string()).await
}

pub(crate) async fn held_file(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((held, part)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let held = given_away(&portal, &visitor, &held).await?;
    let open = held.open(&portal).await?;
    file(&open.headline, &open.content, &part, open.mail.id.to_string()).await
}

pub(crate) async fn held_original(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(held): Path<String>,
) -> Result<Response, Problem> {
    let held = given_away(&portal, &visitor, &held).await?;
    let open = held.open(&portal).await?;
    whole(&open.content, held::FILE_NAME, open.mail.id.to_string()).await
}

async fn given_away(portal: &Portal, visitor: &Visitor, id: &str) -> Result<PermittedHeld, Problem> {
    let held = access::held::one(portal, visitor, id).await?;
    if held.gives_files() { Ok(held) } else { Err(Problem::NotHeld) }
}

/// One part of a mail, whatever container it stands in.
async fn file(
    headline: &Headline,
    content: &OpenContent,
    number: &str,
    mail: String,
) -> Result<Response, Problem> {
    let number: usize = number.parse().map_err(|_| Problem::NotFound)?;
    let part = headline.parts.get(number).ok_or(Problem::NotFound)?;
    let name = file_names::safe(part.name.as_deref(), &part.media_type, number);
    let length = match (part.encoding, &part.inside) {
        (Encoding::Identity, None) => Some(part.length.min(content.size().saturating_sub(part.offset))),
        _ => None,
    };
    let reader = content.read(part.offset, part.length);
    download("application/octet-stream", &name, length, Outflow::new(mail, reader, part.decoder())).await
}

async fn whole(content: &OpenContent, name: &str, mail: String) -> Result<Response, Problem> {
    let reader = content.read(0, content.size());
    let outflow = Outflow::new(mail, reader, Decoder::new(Encoding::Identity));
    download("message/rfc822", name, Some(content.size()), outflow).await
}

/// Content on its way out. The decoder is gone once all of it has left.
pub(super) struct Outflow {
    /// The id of the mail, for the log.
    mail: String,
    reader: ContentReader,
    decoder: Option<Decoder>,
}

impl Outflow {
    pub(super) fn new(mail: String, reader: ContentReader, decoder: Decoder) -> Self {
        Self { mail, reader, decoder: Some(decoder) }
    }

    /// The next decoded bytes; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while let Some(decoder) = &mut self.decoder {
            let mut decoded = Vec::new();
            // What stands behind a part in its container is not read for it.
            let encoded = if decoder.done() { Ok(None) } else { self.reader.next().await };
            match encoded {
                Ok(Some(encoded)) => decoder.feed(&encoded, &mut decoded),
                Ok(None) => {
                    if let Some(decoder) = self.decoder.take() {
                        decoder.finish(&mut decoded);
                    }
                }
                Err(error) => {
                    tracing::error!(mail = %self.mail, %error, "a download broke off");
                    return Err(error);
                }
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
        }
        Ok(None)
    }
}

/// The first piece is opened before the answer begins, so that damage is a page and not a torn file.
async fn download(
    kind: &'static str,
    name: &str,
    length: Option<u64>,
    mut outflow: Outflow,
) -> Result<Response, Problem> {
    let first = outflow.next().await?;
    let rest = stream::try_unfold(outflow, |mut outflow| async move {
        Ok::<_, StoreError>(outflow.next().await?.map(|piece| (piece, outflow)))
    });
    let first = stream::iter(first.map(Ok));
    Ok(attached(kind, name, length, Body::from_stream(stream::StreamExt::chain(first, rest))))
}

/// An answer that browsers keep and never show.
pub(super) fn attached(kind: &'static str, name: &str, length: Option<u64>, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    let disposition = HeaderValue::try_from(file_names::disposition(name));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}
