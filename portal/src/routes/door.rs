//! What is open to strangers, and the way out.

use axum::http::Method;
use axum::routing::{get, post};

use super::{Route, Rule, on};
use crate::pages::{fixed, outbox, password_links, second_step, sign_in};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/healthz", Rule::Static, || get(fixed::health)),
    on(Method::GET, "/style.css", Rule::Static, || get(fixed::style)),
    on(Method::GET, "/portal.js", Rule::Static, || get(fixed::script)),
    on(Method::GET, "/icon.svg", Rule::Static, || get(fixed::icon)),
    on(Method::GET, "/sign-in", Rule::Open, || get(sign_in::form)),
    on(Method::POST, "/sign-in", Rule::Open, || post(sign_in::sign_in)),
    on(Method::GET, "/sign-in/code", Rule::Open, || get(second_step::form)),
    on(Method::POST, "/sign-in/code", Rule::Open, || post(second_step::check)),
    on(Method::GET, "/sign-in/set-up", Rule::Open, || get(second_step::set_up)),
    on(Method::POST, "/sign-in/set-up", Rule::Open, || post(second_step::confirm)),
    on(Method::GET, "/forgotten", Rule::Open, || get(password_links::forgotten)),
    on(Method::POST, "/forgotten", Rule::Open, || post(password_links::send)),
    on(Method::GET, "/invitation/{token}", Rule::Open, || get(password_links::invitation)),
    on(Method::POST, "/invitation/{token}", Rule::Open, || post(password_links::accept)),
    on(Method::GET, "/reset/{token}", Rule::Open, || get(password_links::reset)),
    on(Method::POST, "/reset/{token}", Rule::Open, || post(password_links::choose)),
    on(Method::POST, "/sign-out", Rule::SignedIn, || post(sign_in::sign_out)),
    on(Method::GET, "/demo/outbox", Rule::Demo, || get(outbox::page)),
];
