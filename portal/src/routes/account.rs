//! The visitor's own account.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::account;

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/account", Rule::May(Action::ManageAppPasswords), || get(account::page)),
    on(Method::POST, "/account/app-passwords", Rule::May(Action::ManageAppPasswords), || post(account::make)),
    on(
        Method::POST,
        "/account/app-passwords/{password}/revoke",
        Rule::May(Action::ManageAppPasswords),
        || post(account::revoke),
    ),
];
