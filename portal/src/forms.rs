//! Forms: read within bounds, and only with the token of the session they were made for.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;

use crate::access::Visitor;
use crate::error::Problem;
use crate::portal::Portal;
use crate::session::Cookie;

/// Largest form; also the router's limit for any body.
pub(crate) const LARGEST: usize = 64 * 1024;

/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(15);

/// The fields of a form as they came; nothing says yet that the form is ours.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a form that did not come in the usual coding.
    pub(crate) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The names of its fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A field's value; the first one when it is there twice, empty when it is not there.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field that is there more than once.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What stands behind the `?` of an address; what cannot be read is not there.
pub(crate) struct Asked(Fields);

impl Asked {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        Some(self.0.value(name)).filter(|value| !value.is_empty())
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Fields(parse(query.as_bytes()).unwrap_or_default())))
    }
}

/// A form of the visitor's own session.
pub(crate) struct Form {
    pub(crate) visitor: Visitor,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<Portal>> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, portal: &Arc<Portal>) -> Result<Self, Problem> {
        let form = "application/x-www-form-urlencoded";
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(form) {
            return Err(Problem::BadForm);
        }
        let body = tokio::time::timeout(ARRIVAL, Bytes::from_request(request, portal));
        let body = body.await.map_err(|_| Problem::BadForm)?.map_err(|_| Problem::TooLarge)?;
        parse(&body).map(Self).ok_or(Problem::BadForm)
    }
}

impl FromRequest<Arc<Portal>> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, portal: &Arc<Portal>) -> Result<Self, Problem> {
        let visitor = request.extensions().get::<Option<Visitor>>().cloned().flatten();
        let visitor = visitor.ok_or(Problem::NotFound)?;
        let fields = Fields::from_request(request, portal).await?;
        if !same(fields.value("token"), visitor.form_token()) {
            return Err(Problem::NotFromHere("token"));
        }
        Ok(Self { visitor, fields })
    }
}

/// The token of a sign-in form, bound to the browser by a cookie that has it in another form.
pub(crate) struct EntryToken {
    cookie: String,
}

impl EntryToken {
    /// The one this browser has, or a new one.
    pub(crate) fn of(portal: &Portal, headers: &HeaderMap) -> Result<Self, Problem> {
        if let Some(cookie) = Cookie::Form.of(portal, headers) {
            return Ok(Self { cookie: cookie.to_owned() });
        }
        let random = certs::random::<32>().map_err(|_| Problem::Interrupted)?;
        Ok(Self { cookie: hex(&random) })
    }

    /// Whether a form came with this browser's token.
    pub(crate) fn belongs(portal: &Portal, headers: &HeaderMap, fields: &Fields) -> bool {
        Cookie::Form.of(portal, headers).is_some_and(|cookie| {
            let token = Self { cookie: cookie.to_owned() };
            same(fields.value("token"), &token.field(portal))
        })
    }

    /// What the form holds.
    pub(crate) fn field(&self, portal: &Portal) -> String {
        hex(&portal.ledger.mac("portal sign-in form", self.cookie.as_bytes()))
    }

    /// What the cookie holds.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }
}

/// Equal, in a time that does not tell where the difference is: digests are compared, not secrets.
pub(crate) fn same(one: &str, other: &str) -> bool {
    certs::sha256(one.as_bytes()) == certs::sha256(other.as_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `application/x-www-form-urlencoded` (WHATWG URL §5.1); none when it is not UTF-8.
fn parse(body: &[u8]) -> Option<Vec<(String, String)>> {
    /// No form of ours has more.
    const MOST_FIELDS: usize = 128;
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(MOST_FIELDS)
        .map(|pair| {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(middle + 1..).unwrap_or_default();
            Some((unescape(&pair[..middle])?, unescape(value)?))
        })
        .collect()
}

/// A value as it stands behind a `?`.
pub(crate) fn in_address(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => text.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

/// Undoes percent-encoding; a `%` without two hexadecimal digits stays as it is.
fn unescape(text: &[u8]) -> Option<String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match (digit(after.first()), digit(after.get(1))) {
                (Some(high), Some(low)) => {
                    bytes.push(u8::try_from(high * 16 + low).ok()?);
                    rest = &after[2..];
                }
                _ => bytes.push(b'%'),
            },
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let fields = Fields(parse(b"a=1+2&b=%C3%A9%2B&c&a=3&&d=100%&e=%zz").unwrap());
        assert_eq!(fields.value("a"), "1 2");
        assert_eq!(fields.value("b"), "é+");
        assert_eq!(fields.value("c"), "");
        assert_eq!(fields.value("d"), "100%");
        assert_eq!(fields.value("e"), "%zz");
        assert_eq!(fields.value("absent"), "");
        assert!(parse(b"a=%ff").is_none());
        let value = "a&b=é +%";
        assert_eq!(Fields(parse(format!("v={}", in_address(value)).as_bytes()).unwrap()).value("v"), value);
    }
}
