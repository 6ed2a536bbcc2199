//! The one error type of the portal, and the one page it becomes.
//!
//! What people read never shows internals; what the operator needs is logged once, in `guard`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use store::StoreError;
use templates::{TemplateError, pages};

use crate::access::Visitor;
use crate::portal::{Place, Portal};

/// Why a request did not get what it asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Problem {
    /// Absent, malformed, foreign or forbidden: one answer for all four.
    #[error("not found")]
    NotFound,
    /// For those who decide on held mail: absent, foreign and decided are one answer.
    #[error("no such held mail")]
    NotHeld,
    /// A link to a password that is wrong, used, replaced or over: one answer.
    #[error("no such link")]
    NoLink,
    /// A program came without a token that counts.
    #[error("no token that counts; make one in the portal, and send it as `Authorization: Bearer …`")]
    NoToken,
    #[error("the token was made for something else; make one with the scope that this needs")]
    NotInScope,
    /// A form that cannot be read.
    #[error("unreadable form")]
    BadForm,
    /// A change that did not come from a page of ours, or from one that is out of date.
    #[error("refused: {0}")]
    NotFromHere(&'static str),
    #[error("form too large")]
    TooLarge,
    #[error("too many tries")]
    TooMany(Duration),
    /// One visitor asks for more pages at once than two browsers do.
    #[error("too many pages at once")]
    TooManyPages,
    #[error("too busy")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Words(String),
    #[error("a task of the portal ended early")]
    Interrupted,
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        Self::Words(error.to_string())
    }
}

impl IntoResponse for Problem {
    /// An empty answer that carries the problem; `guard` makes the page, once, for all routes.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::TooMany(wait) = &self
            && let Ok(seconds) = HeaderValue::try_from(wait.as_secs().max(1).to_string())
        {
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NotHeld | Self::NoLink => StatusCode::NOT_FOUND,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NotInScope => StatusCode::FORBIDDEN,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::NotFromHere(_) => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) | Self::TooManyPages => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Conflict) => StatusCode::CONFLICT,
            Self::Busy | Self::Store(StoreError::Full | StoreError::Broken(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(StoreError::Denied(_) | StoreError::Forbidden | StoreError::LastMau(_)) => {
                StatusCode::NOT_FOUND
            }
            Self::Store(StoreError::Corrupt(_)) | Self::Words(_) | Self::Interrupted => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The page that says so.
    pub(crate) fn page(&self, portal: &Portal, visitor: Option<&Visitor>) -> Result<String, TemplateError> {
        let (heading, says, advice) = self.words();
        portal.words.page(&pages::Problem {
            frame: portal.frame(heading, visitor, Place::Elsewhere),
            heading: heading.to_owned(),
            says: says.to_owned(),
            advice: advice.to_owned(),
        })
    }

    fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NotFound
            | Self::Store(StoreError::Denied(_) | StoreError::Forbidden | StoreError::LastMau(_)) => (
                "This page does not exist",
                "There is nothing at this address that you are permitted to see.",
                "If a notice led you here, ask your company's master administration user (MAU) for \
                 permission for the process that the notice names.",
            ),
            Self::NotHeld => (
                "That mail does not wait any more",
                "It has been released or returned, or there was no such mail of your company. Nothing was \
                 changed.",
                "What still waits for a decision is listed under \u{201c}Held mail\u{201d}.",
            ),
            Self::NoLink => (
                "This link does not work any more",
                "It was used, it is too old, or it was replaced by a newer one. Nothing was changed.",
                "If you have a password, sign in with it. Otherwise choose \u{201c}Forgotten your password?\u{201d} on the \
                 sign-in page, or ask your company's master administration user (MAU) for a new invitation.",
            ),
            Self::NoToken | Self::NotInScope => (
                "No token that counts",
                "Programs come here, with a token that was made for this.",
                "Tokens are made under \u{201c}Account\u{201d}.",
            ),
            Self::BadForm => (
                "That form could not be read",
                "Something in it was missing or damaged on its way. Nothing was changed.",
                "Go back, reload the page and try again.",
            ),
            Self::NotFromHere(_) => (
                "That form is out of date",
                "The page it was on has been open too long, or the request did not come from this portal. \
                 Nothing was changed.",
                "Go back, reload the page and try again.",
            ),
            Self::TooLarge => (
                "That is too much at once",
                "The form was larger than this portal accepts. Nothing was changed.",
                "Shorten it and try again.",
            ),
            Self::TooMany(_) => (
                "Too many tries",
                "For safety, signing in is paused for a short while.",
                "Wait a few minutes, then try again. If you have forgotten your password, ask your company's \
                 master administration user (MAU).",
            ),
            Self::TooManyPages => (
                "Too many pages at once",
                "Many pages or downloads of yours are still on their way. Nothing was changed.",
                "Wait until some of them have arrived, then try again.",
            ),
            Self::Busy => (
                "The portal is busy",
                "It is dealing with many people at once. Nothing was changed.",
                "Try again in a minute.",
            ),
            Self::Store(StoreError::Conflict) => (
                "Somebody else was faster",
                "The case was changed at the same moment. Your change was not made.",
                "Go back, reload the page and decide again.",
            ),
            Self::Store(StoreError::Full | StoreError::Broken(_)) => (
                "The portal is out of order",
                "It cannot reach its records at the moment. Nothing was changed and nothing is lost.",
                "Try again later. If it lasts, tell your Postern operator.",
            ),
            Self::Store(StoreError::Corrupt(_)) | Self::Words(_) | Self::Interrupted => (
                "Something went wrong",
                "This page could not be put together. Nothing was changed.",
                "Tell your Postern operator what you tried to open, and when.",
            ),
        }
    }

    /// Whether an operator has to look at it.
    pub(crate) fn is_fault(&self) -> bool {
        self.status().is_server_error()
    }
}
