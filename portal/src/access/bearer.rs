//! Programs that act for a user: `Authorization: Bearer` (RFC 6750) on `/api/`, and nowhere else. A cookie counts for
//! nothing there, so no page elsewhere can make a browser call it.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use mail::GroupId;
use store::{ApiScope, SessionToken, UserId};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// A program, the user it acts for, and what its token was made for. What it may do is what the user may, and no more
/// than the scopes say.
#[derive(Clone)]
pub(crate) struct Bearer {
    visitor: Visitor,
    scopes: Vec<ApiScope>,
}

/// Whose token a request brings.
///
/// # Errors
/// `NoToken` if it brings none that counts, `NotInScope` if it was made for something else.
pub(crate) async fn of(
    portal: &Portal,
    headers: &HeaderMap,
    scope: Option<ApiScope>,
) -> Result<Bearer, Problem> {
    let token = presented(headers).ok_or(Problem::NoToken)?;
    let token = portal.ledger.api_token(token).await?.ok_or(Problem::NoToken)?;
    let visitor = Visitor::of_token(portal, token.user)?;
    if scope.is_some_and(|scope| !token.scopes.contains(&scope)) {
        return Err(Problem::NotInScope);
    }
    Ok(Bearer { visitor, scopes: token.scopes })
}

/// One header of that name and no more: two would be read differently by different readers.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let plain = token.len() <= 128 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (scheme.eq_ignore_ascii_case("bearer") && plain).then_some(token)
}

impl Bearer {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    pub(crate) fn user(&self) -> UserId {
        self.visitor.id()
    }

    pub(crate) fn group(&self) -> &GroupId {
        self.visitor.group()
    }

    pub(crate) fn scopes(&self) -> &[ApiScope] {
        &self.scopes
    }
}

impl Visitor {
    /// Who has no session and no forms: the form token is one that nobody is told.
    fn of_token(portal: &Portal, user: UserId) -> Result<Self, Problem> {
        let random = certs::random::<32>().map_err(|_| Problem::Interrupted)?;
        let directory = portal.ledger.directory();
        let token = SessionToken::from_cookie("");
        let form_token = crate::forms::hex(&random);
        Self::present(directory, user, token, form_token).ok_or(Problem::NoToken)
    }
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or(Problem::NoToken)
    }
}
