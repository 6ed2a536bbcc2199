//! Lists of cases, finding them, and what one case shows and lets do.

use axum::http::Method;
use axum::routing::{get, post};

use super::{Route, Rule, on};
use crate::pages::{
    case, case_history, case_lists, case_work, download, give_cases, home, message, search, take_away,
};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/", Rule::SignedIn, || get(home::home)),
    on(Method::POST, "/cases/give", Rule::SignedIn, || post(give_cases::give)),
    on(Method::GET, "/process/{process}", Rule::SignedIn, || get(case_lists::process)),
    on(Method::GET, "/search", Rule::SignedIn, || get(search::form)),
    on(Method::POST, "/search", Rule::SignedIn, || post(search::find)),
    on(Method::GET, "/case/{case}", Rule::Case, || get(case::page)),
    on(Method::POST, "/case/{case}/claim", Rule::Case, || post(case::claim)),
    on(Method::POST, "/case/{case}/release", Rule::Case, || post(case::release)),
    on(Method::POST, "/case/{case}/assign", Rule::Case, || post(case_work::assign)),
    on(Method::POST, "/case/{case}/escalate", Rule::Case, || post(case_work::escalate)),
    on(Method::POST, "/case/{case}/close", Rule::Case, || post(case_work::close)),
    on(Method::POST, "/case/{case}/reopen", Rule::Case, || post(case_work::reopen)),
    on(Method::POST, "/case/{case}/note", Rule::Case, || post(case_work::note)),
    on(Method::POST, "/case/{case}/tag", Rule::Case, || post(case_work::tag)),
    on(Method::POST, "/case/{case}/tag/remove", Rule::Case, || post(case_work::untag)),
    on(Method::GET, "/case/{case}/history", Rule::Case, || get(case_history::page)),
    on(Method::GET, "/case/{case}/file", Rule::Case, || get(take_away::file)),
    on(Method::GET, "/case/{case}/print", Rule::Case, || get(take_away::print)),
    on(Method::GET, "/case/{case}/message/{message}", Rule::Case, || get(message::page)),
    on(Method::GET, "/case/{case}/message/{message}/html", Rule::Case, || get(message::formatted)),
    on(Method::GET, "/case/{case}/message/{message}/part/{part}", Rule::Case, || get(download::attachment)),
    on(Method::GET, "/case/{case}/message/{message}/original", Rule::Case, || get(download::original)),
];
