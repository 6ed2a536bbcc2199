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
use mail::{Decoder, Encoding};
use policies::access::Action;
use store::{ContentReader, MessageId, Reading, StoreError};

use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::file_names;
use crate::pages::message_card;
use crate::portal::Portal;

const FILE_POLICY: &str = "default-src 'none'; sandbox";

pub(crate) async fn attachment(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message, part)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::ReadAttachment).await?;
    let number: usize = part.parse().map_err(|_| Problem::NotFound)?;
    let message = case.open_one(&portal, &message, Reading::Attachment).await?;
    let part = message.headline.parts.get(number).ok_or(Problem::NotFound)?;
    let name = file_names::safe(part.name.as_deref(), &part.media_type, number);
    let length = match part.encoding {
        Encoding::Identity => Some(part.length.min(message.record.size.saturating_sub(part.offset))),
        _ => None,
    };
    let outflow = Outflow {
        message: message.record.id,
        reader: message.read(part.offset, part.length),
        decoder: Some(Decoder::new(part.encoding)),
    };
    download("application/octet-stream", &name, length, outflow).await
}

pub(crate) async fn original(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::DownloadOriginal).await?;
    let message = case.open_one(&portal, &message, Reading::Original).await?;
    let size = message.record.size;
    let outflow = Outflow {
        message: message.record.id,
        reader: message.read(0, size),
        decoder: Some(Decoder::new(Encoding::Identity)),
    };
    download("message/rfc822", &message_card::file_name(&case, &message), Some(size), outflow).await
}

/// Content on its way out. The decoder is gone once all of it has left.
struct Outflow {
    message: MessageId,
    reader: ContentReader,
    decoder: Option<Decoder>,
}

impl Outflow {
    /// The next decoded bytes; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while let Some(decoder) = &mut self.decoder {
            let mut decoded = Vec::new();
            match self.reader.next().await {
                Ok(Some(encoded)) => decoder.feed(&encoded, &mut decoded),
                Ok(None) => {
                    if let Some(decoder) = self.decoder.take() {
                        decoder.finish(&mut decoded);
                    }
                }
                Err(error) => {
                    tracing::error!(message = %self.message, %error, "a download broke off");
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
    let mut response = Response::new(Body::from_stream(stream::StreamExt::chain(first, rest)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    let disposition = HeaderValue::try_from(file_names::disposition(name));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}
