//! What is open to strangers, and the way out.

use axum::http::Method;
use axum::routing::{get, post};

use super::{Route, Rule, on};
use crate::pages::{fixed, outbox, sign_in};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/healthz", Rule::Static, || get(fixed::health)),
    on(Method::GET, "/style.css", Rule::Static, || get(fixed::style)),
    on(Method::GET, "/icon.svg", Rule::Static, || get(fixed::icon)),
    on(Method::GET, "/sign-in", Rule::Open, || get(sign_in::form)),
    on(Method::POST, "/sign-in", Rule::Open, || post(sign_in::sign_in)),
    on(Method::POST, "/sign-out", Rule::SignedIn, || post(sign_in::sign_out)),
    on(Method::GET, "/demo/outbox", Rule::Demo, || get(outbox::page)),
];
