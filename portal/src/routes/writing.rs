//! What people write: drafts with their files, new cases, texts for reuse.

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{get, post, put};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::writing::{begin, draft, files, texts};

const WRITES: Rule = Rule::May(Action::WriteDrafts);
const TEXTS: Rule = Rule::May(Action::ManageTexts);

/// Files pass by as they come, within bounds of their own.
pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/drafts", WRITES, || get(begin::list)),
    on(Method::GET, "/new", WRITES, || get(begin::choose)),
    on(Method::POST, "/new", WRITES, || post(begin::begin)),
    on(Method::POST, "/check-tag", WRITES, || post(begin::check_tag)),
    on(Method::POST, "/case/{case}/answer", Rule::Case, || post(begin::answer)),
    on(Method::GET, "/draft/{draft}", WRITES, || get(draft::page)),
    on(Method::POST, "/draft/{draft}", WRITES, || post(draft::change).layer(DefaultBodyLimit::disable())),
    on(Method::POST, "/draft/{draft}/file", WRITES, || post(files::begin)),
    on(Method::GET, "/draft/{draft}/file/{file}", WRITES, || get(files::received)),
    on(Method::PUT, "/draft/{draft}/file/{file}", WRITES, || {
        put(files::receive).layer(DefaultBodyLimit::disable())
    }),
    on(Method::GET, "/texts", TEXTS, || get(texts::page)),
    on(Method::POST, "/texts", TEXTS, || post(texts::add)),
    on(Method::POST, "/texts/{text}", TEXTS, || post(texts::change)),
];
