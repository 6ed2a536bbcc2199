//! Cookies, and who they say is here.
//!
//! The session itself is a record of the ledger; the cookie holds its random name and nothing else.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use store::SessionToken;

use crate::access::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// Longest local path that signing in leads back to.
const PATH_LIMIT: usize = 400;

/// The cookies that the portal sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Names the session.
    Session,
    /// Names somebody whose password was right, and whose second step is to come.
    Step,
    /// Binds a sign-in form to the browser that asked for it.
    Form,
    /// Says that the browser has signed in to an account before. It opens nothing: strangers' tries
    /// are not held against it.
    Known,
}

impl Cookie {
    /// `__Host-` (RFC 6265bis §4.1.3.2) needs TLS; on plain loopback the name goes without.
    fn name(self, portal: &Portal) -> &'static str {
        match (self, portal.url.is_secure()) {
            (Self::Session, true) => "__Host-postern",
            (Self::Session, false) => "postern",
            (Self::Step, true) => "__Host-postern-step",
            (Self::Step, false) => "postern-step",
            (Self::Form, true) => "__Host-postern-form",
            (Self::Form, false) => "postern-form",
            (Self::Known, true) => "__Host-postern-known",
            (Self::Known, false) => "postern-known",
        }
    }

    /// The cookie's value in a request, if it is one of ours by its look: letters and digits.
    pub(crate) fn of<'a>(self, portal: &Portal, headers: &'a HeaderMap) -> Option<&'a str> {
        let name = self.name(portal);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .filter(|value| value.len() <= 128 && value.bytes().all(|b| b.is_ascii_alphanumeric()))
            .filter(|value| !value.is_empty())
    }

    /// `Set-Cookie` for a new value; gone when the browser closes, but for the mark of a known one.
    pub(crate) fn set(self, portal: &Portal, value: &str) -> Option<HeaderValue> {
        /// Half a year, in seconds.
        const AGE_OF_MARK: &str = "; Max-Age=15768000";
        self.header(portal, value, if self == Self::Known { AGE_OF_MARK } else { "" })
    }

    /// `Set-Cookie` that removes it.
    pub(crate) fn clear(self, portal: &Portal) -> Option<HeaderValue> {
        self.header(portal, "", "; Max-Age=0")
    }

    fn header(self, portal: &Portal, value: &str, age: &str) -> Option<HeaderValue> {
        let secure = if portal.url.is_secure() { "; Secure" } else { "" };
        let name = self.name(portal);
        HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()
    }
}

/// Who asks: the user of the session that the cookie names, if it is alive and the user is active.
pub(crate) async fn visitor(portal: &Portal, headers: &HeaderMap) -> Result<Option<Visitor>, Problem> {
    let Some(value) = Cookie::Session.of(portal, headers) else { return Ok(None) };
    let token = SessionToken::from_cookie(value);
    let session = portal.ledger.session(&token).await?;
    Ok(session.and_then(|session| Visitor::arrive(portal.ledger.directory(), token, session)))
}

/// Pages behind sign-in take the visitor whom `guard` let in.
impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Option<Self>>().cloned().flatten().ok_or(Problem::NotFound)
    }
}

/// The visitor, where a page is for everybody.
pub(crate) struct PerhapsVisitor(pub(crate) Option<Visitor>);

impl<S: Sync> FromRequestParts<S> for PerhapsVisitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Option<Visitor>>().cloned().flatten()))
    }
}

/// `path` if it is a place of this portal: `//host`, `/\host` and schemes lead elsewhere.
pub(crate) fn local_path(path: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.?=&%+".contains(&b);
    let local = path.len() <= PATH_LIMIT
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(plain);
    local.then_some(path)
}

/// A local path as the value of a query parameter.
pub(crate) fn in_query(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('=', "%3D").replace('&', "%26").replace('+', "%2B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_places_are_returned_to() {
        for local in ["/", "/case/0123", "/process/erroneous-transfers?after=1&x=%20"] {
            assert_eq!(local_path(local), Some(local));
        }
        for foreign in [
            "",
            "case",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "/é",
            "/x:y@z",
        ] {
            assert_eq!(local_path(foreign), None, "{foreign:?}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(PATH_LIMIT))), None);
    }
}
