//! What administers the visitor's company.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::mail_ways;

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/mail", Rule::May(Action::ReadMailAdministration), || get(mail_ways::page)),
    on(Method::POST, "/mail/task/{task}/done", Rule::May(Action::CloseTask), || post(mail_ways::done)),
];
