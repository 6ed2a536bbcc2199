//! Held mail, for the compliance role.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::{download, held};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/held", Rule::May(Action::ListHeld), || get(held::list)),
    on(Method::GET, "/held/{held}", Rule::Held, || get(held::page)),
    on(Method::POST, "/held/{held}/release", Rule::Held, || post(held::release)),
    on(Method::POST, "/held/{held}/return", Rule::Held, || post(held::send_back)),
    on(Method::GET, "/held/{held}/part/{part}", Rule::Held, || get(download::held_file)),
    on(Method::GET, "/held/{held}/original", Rule::Held, || get(download::held_original)),
];
