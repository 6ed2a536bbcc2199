//! Every route in one table: method, path, access rule, page. The router is built from it, and
//! `guard` serves nothing that is not in it.

mod account;
mod api;
mod cases;
mod company;
mod door;
mod figures;
mod held;
mod market;
mod people;
mod writing;

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use policies::access::Action;
use store::ApiScope;

use crate::error::Problem;
use crate::forms;
use crate::guard;
use crate::portal::Portal;

/// Who gets past `guard` to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The same bytes for everybody; the session is not even looked at.
    Static,
    /// Everybody.
    Open,
    /// Everybody, in a sample market; elsewhere nobody.
    Demo,
    /// Users with a session.
    SignedIn,
    /// The same, and the page gets its case from `access::case` or there is none.
    Case,
    /// Who may do this to what is the own group's, or the visitor's own.
    May(Action),
    /// Programs with a token for this; for no scope, with any token. Under `/api/` and nowhere else.
    Api(Option<ApiScope>),
    /// Who may open held mail, and the page gets its mail from `access::held::one` or there is none.
    Held,
}

/// One line of the table: what answers is made when the router is.
struct Route {
    method: Method,
    path: &'static str,
    rule: Rule,
    page: fn() -> MethodRouter<Arc<Portal>>,
}

const fn on(
    method: Method,
    path: &'static str,
    rule: Rule,
    page: fn() -> MethodRouter<Arc<Portal>>,
) -> Route {
    Route { method, path, rule, page }
}

/// The table, an area in each file.
const AREAS: &[&[Route]] = &[
    door::ROUTES,
    cases::ROUTES,
    writing::ROUTES,
    held::ROUTES,
    account::ROUTES,
    api::ROUTES,
    company::ROUTES,
    figures::ROUTES,
    people::ROUTES,
    market::ROUTES,
];

fn routes() -> impl Iterator<Item = &'static Route> {
    AREAS.iter().copied().flatten()
}

/// The whole portal; the server and the tests use the same one.
pub fn router(portal: Arc<Portal>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, (route.page)());
    }
    router
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .layer(DefaultBodyLimit::max(forms::LARGEST))
        .layer(from_fn_with_state(Arc::clone(&portal), guard::pass))
        .with_state(portal)
}

/// The rule of a route; HEAD asks for what GET would give (RFC 9110 §9.3.2).
pub(crate) fn rule(path: &str, method: &Method) -> Option<Rule> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    routes().find(|route| route.path == path && route.method == *method).map(|route| route.rule)
}

/// The table as text, one route a line: what a reviewer reads and a test compares.
pub fn route_table() -> String {
    routes().fold(String::new(), |mut table, route| {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:<5} {:<45} {:?}", route.method.as_str(), route.path, route.rule);
        table
    })
}

async fn nothing() -> Problem {
    Problem::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_reviewers_agreed_to() {
        let table = route_table();
        println!("{table}");
        assert_eq!(table, include_str!("../tests/routes.txt"));
    }

    #[test]
    fn every_route_has_a_rule_and_no_other_method_has_one() {
        for route in routes() {
            assert_eq!(rule(route.path, &route.method), Some(route.rule));
            assert_eq!(rule(route.path, &Method::DELETE), None);
        }
        assert_eq!(rule("/", &Method::HEAD), Some(Rule::SignedIn));
        assert_eq!(rule("/sign-out", &Method::HEAD), None);
        assert_eq!(rule("/absent", &Method::GET), None);
    }

    #[test]
    fn tokens_count_under_one_path_and_cookies_do_not() {
        for route in routes() {
            let by_token = matches!(route.rule, Rule::Api(_));
            assert_eq!(route.path.starts_with("/api/"), by_token, "{}", route.path);
        }
    }

    #[test]
    fn only_these_are_open_to_strangers() {
        let mut open: Vec<_> = routes()
            .filter(|route| matches!(route.rule, Rule::Static | Rule::Open | Rule::Demo))
            .map(|route| route.path)
            .collect();
        open.dedup();
        let agreed = [
            "/healthz",
            "/style.css",
            "/portal.js",
            "/icon.svg",
            "/sign-in",
            "/sign-in/code",
            "/sign-in/set-up",
            "/forgotten",
            "/invitation/{token}",
            "/reset/{token}",
            "/demo/outbox",
        ];
        assert_eq!(open, agreed);
    }
}
