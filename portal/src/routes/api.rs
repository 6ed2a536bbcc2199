//! What programs ask for. Each route is under `/api/`, where cookies count for nothing and tokens do.

use axum::http::Method;
use axum::routing::get;

use super::{Route, Rule, on};
use crate::pages::api_tokens;

pub(super) const ROUTES: &[Route] =
    &[on(Method::GET, "/api/v1/whoami", Rule::Api(None), || get(api_tokens::whoami))];
