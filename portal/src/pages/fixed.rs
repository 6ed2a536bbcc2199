//! What is the same for everybody: style sheet, script, icon, health.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::portal::Portal;

/// The address changes with the content, so what was fetched is good for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(crate) async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)], templates::STYLE_SHEET)
        .into_response()
}

pub(crate) async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)], templates::SCRIPT)
        .into_response()
}

pub(crate) async fn icon() -> Response {
    let day = "public, max-age=86400";
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, day)], templates::ICON).into_response()
}

/// For a load balancer; says nothing that a stranger could use.
pub(crate) async fn health(State(portal): State<Arc<Portal>>) -> Response {
    match &*portal.ledger.broken().borrow() {
        None => "ok\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "failed\n").into_response(),
    }
}
