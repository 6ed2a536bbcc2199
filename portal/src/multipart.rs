//! `multipart/form-data` (RFC 7578) as it streams in: part after part, each in pieces of what came. Nothing is held but
//! what may be the beginning of a boundary; who sends nothing for a while is given up.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Buf, BytesMut};
use futures_util::StreamExt;

use crate::error::Problem;

/// A sender of whom nothing comes for this long is gone.
pub(crate) const STALL: Duration = Duration::from_secs(60);

/// Largest head of a part, in bytes.
const LARGEST_HEAD: usize = 8 * 1024;

/// Parts of one form: fields and files.
const MOST_PARTS: usize = 200;

/// A form on its way in.
pub(crate) struct Multipart {
    body: BodyDataStream,
    /// What ends a part: CRLF, two hyphens and the boundary.
    delimiter: Vec<u8>,
    held: BytesMut,
    within: Within,
    parts: usize,
}

/// What the next held byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// The content of a part, or what stands before the first one.
    Content,
    /// The rest of a line of a delimiter.
    Delimiter,
    End,
}

/// The head of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartHead {
    pub(crate) name: String,
    /// It is a file, and this is what its author's machine calls it.
    pub(crate) file_name: Option<String>,
    pub(crate) media_type: String,
}

impl Multipart {
    /// The form in a body, if the request says that there is one.
    pub(crate) fn of(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).ok_or(Problem::BadForm)?;
        let (name, parameters) = kind.split_once(';').ok_or(Problem::BadForm)?;
        if !name.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Err(Problem::BadForm);
        }
        let boundary = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        let boundary = boundary.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("boundary"));
        let boundary = boundary.map(|(_, value)| value.trim_matches('"')).unwrap_or_default();
        // RFC 2046 §5.1.1
        if boundary.is_empty() || boundary.len() > 70 || !boundary.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::BadForm);
        }
        // The first delimiter has no line before it.
        let held = BytesMut::from(&b"\r\n"[..]);
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        Ok(Self { body: body.into_data_stream(), delimiter, held, within: Within::Content, parts: 0 })
    }

    /// The head of the next part; what was left of the one before is passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<PartHead>, Problem> {
        while self.piece().await?.is_some() {}
        if self.within == Within::End {
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Problem::TooLarge);
        }
        let end = loop {
            if self.held.starts_with(b"--") {
                self.within = Within::End;
                return Ok(None);
            }
            if let Some(end) = find(&self.held, b"\r\n\r\n") {
                break end;
            }
            if self.held.len() > LARGEST_HEAD || !self.fill().await? {
                return Err(Problem::BadForm);
            }
        };
        let head = self.held.split_to(end);
        self.held.advance(4);
        self.within = Within::Content;
        read_head(&head).map(Some).ok_or(Problem::BadForm)
    }

    /// The next bytes of the part; none at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.within != Within::Content {
            return Ok(None);
        }
        loop {
            if let Some(end) = find(&self.held, &self.delimiter) {
                if end > 0 {
                    return Ok(Some(self.held.split_to(end).freeze()));
                }
                self.held.advance(self.delimiter.len());
                self.within = Within::Delimiter;
                return Ok(None);
            }
            let sure = self.held.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.held.split_to(sure).freeze()));
            }
            if !self.fill().await? {
                return Err(Problem::BadForm);
            }
        }
    }

    /// The whole part as text, if it is no longer than `most` bytes.
    pub(crate) async fn text(&mut self, most: usize) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            if bytes.len() + piece.len() > most {
                return Err(Problem::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
        String::from_utf8(bytes).map_err(|_| Problem::BadForm)
    }

    async fn fill(&mut self) -> Result<bool, Problem> {
        let Some(piece) = arriving(&mut self.body).await? else { return Ok(false) };
        self.held.extend_from_slice(&piece);
        Ok(true)
    }
}

/// What comes next of a body; none at its end.
pub(crate) async fn arriving(body: &mut BodyDataStream) -> Result<Option<Bytes>, Problem> {
    let next = tokio::time::timeout(STALL, body.next()).await.map_err(|_| Problem::BadForm)?;
    next.transpose().map_err(|_| Problem::BadForm)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

fn read_head(head: &[u8]) -> Option<PartHead> {
    let head = std::str::from_utf8(head).ok()?;
    let field = |wanted: &str| {
        let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = field("content-disposition")?;
    let media_type = field("content-type").unwrap_or_default().split(';').next()?.trim().to_lowercase();
    let name = parameter(disposition, "name")?;
    Some(PartHead { name, file_name: parameter(disposition, "filename"), media_type })
}

/// A quoted parameter as browsers write it: a quotation mark and line ends are percent-encoded (HTML §4.10.21.8).
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let start = value.find(&format!("; {wanted}=\""))? + wanted.len() + 4;
    let text = value.get(start..)?.split('"').next()?;
    Some(text.replace("%22", "\"").replace("%0D", " ").replace("%0A", " "))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures_util::stream;

    use super::*;

    const FORM: &str = "--x1\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na\r\n--x\r\nb\r\n--x1\r\n\
                        Content-Disposition: form-data; name=\"files\"; filename=\"caf\u{e9} %22a%22.csv\"\r\n\
                        Content-Type: text/csv; charset=utf-8\r\n\r\n1,2\r\n\r\n--x1\r\n\
                        Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--x1--\r\n";

    fn form(text: &[u8], cut: usize, kind: &'static str) -> Result<Multipart, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let pieces: Vec<_> =
            text.chunks(cut).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        Multipart::of(&headers, Body::from_stream(stream::iter(pieces)))
    }

    async fn parts(text: &[u8], cut: usize) -> Result<Vec<(PartHead, String)>, Problem> {
        let mut form = form(text, cut, "multipart/form-data; boundary=x1").unwrap();
        let mut parts = Vec::new();
        while let Some(head) = form.next().await? {
            parts.push((head, form.text(100).await?));
        }
        Ok(parts)
    }

    #[tokio::test]
    async fn a_form_is_the_same_however_it_is_cut() {
        for cut in 1..FORM.len() {
            let parts = parts(FORM.as_bytes(), cut).await.unwrap();
            assert_eq!(parts.len(), 3, "cut {cut}");
            assert_eq!((parts[0].0.name.as_str(), parts[0].1.as_str()), ("text", "a\r\n--x\r\nb"));
            assert_eq!(parts[0].0.file_name, None);
            assert_eq!(parts[1].0.file_name.as_deref(), Some("caf\u{e9} \"a\".csv"));
            assert_eq!((parts[1].0.media_type.as_str(), parts[1].1.as_str()), ("text/csv", "1,2\r\n"));
            assert_eq!((parts[2].0.file_name.as_deref(), parts[2].1.as_str()), (Some(""), ""));
        }
    }

    #[tokio::test]
    async fn a_torn_form_is_none() {
        for end in [0, 3, 10, 60, 80, FORM.len() - 8] {
            assert!(parts(&FORM.as_bytes()[..end], 7).await.is_err(), "{end}");
        }
        let long = format!("--x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}", "y".repeat(200));
        assert!(matches!(parts(long.as_bytes(), 50).await, Err(Problem::TooLarge)));
        let head = format!("--x1\r\nX: {}", "y".repeat(20_000));
        assert!(matches!(parts(head.as_bytes(), 50).await, Err(Problem::BadForm)));
        for kind in ["text/plain", "multipart/form-data", "multipart/form-data; boundary="] {
            assert!(form(b"", 1, kind).is_err(), "{kind}");
        }
    }
}
