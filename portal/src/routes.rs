//! Every route in one table: method, path, access rule, page. The router is built from it, and
//! `guard` serves nothing that is not in it.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use policies::access::Action;

use crate::error::Problem;
use crate::forms;
use crate::guard;
use crate::pages::{
    account, case, case_lists, download, fixed, held, mail_ways, message, outbox, search, sign_in,
};
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
    /// Who may open held mail, and the page gets its mail from `access::held::one` or there is none.
    Held,
}

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Health,
    Style,
    Icon,
    SignIn,
    TrySignIn,
    SignOut,
    Home,
    Process,
    SearchForm,
    Search,
    Case,
    Claim,
    Release,
    Message,
    Formatted,
    Attachment,
    Original,
    HeldList,
    Held,
    HeldRelease,
    HeldReturn,
    HeldFile,
    HeldOriginal,
    Account,
    MakePassword,
    RevokePassword,
    MailWays,
    TaskDone,
    Outbox,
}

struct Route {
    method: Method,
    path: &'static str,
    rule: Rule,
    page: Page,
}

const fn on(method: Method, path: &'static str, rule: Rule, page: Page) -> Route {
    Route { method, path, rule, page }
}

const ROUTES: &[Route] = &[
    on(Method::GET, "/healthz", Rule::Static, Page::Health),
    on(Method::GET, "/style.css", Rule::Static, Page::Style),
    on(Method::GET, "/icon.svg", Rule::Static, Page::Icon),
    on(Method::GET, "/sign-in", Rule::Open, Page::SignIn),
    on(Method::POST, "/sign-in", Rule::Open, Page::TrySignIn),
    on(Method::POST, "/sign-out", Rule::SignedIn, Page::SignOut),
    on(Method::GET, "/", Rule::SignedIn, Page::Home),
    on(Method::GET, "/process/{process}", Rule::SignedIn, Page::Process),
    on(Method::GET, "/search", Rule::SignedIn, Page::SearchForm),
    on(Method::POST, "/search", Rule::SignedIn, Page::Search),
    on(Method::GET, "/case/{case}", Rule::Case, Page::Case),
    on(Method::POST, "/case/{case}/claim", Rule::Case, Page::Claim),
    on(Method::POST, "/case/{case}/release", Rule::Case, Page::Release),
    on(Method::GET, "/case/{case}/message/{message}", Rule::Case, Page::Message),
    on(Method::GET, "/case/{case}/message/{message}/html", Rule::Case, Page::Formatted),
    on(Method::GET, "/case/{case}/message/{message}/part/{part}", Rule::Case, Page::Attachment),
    on(Method::GET, "/case/{case}/message/{message}/original", Rule::Case, Page::Original),
    on(Method::GET, "/held", Rule::May(Action::ListHeld), Page::HeldList),
    on(Method::GET, "/held/{held}", Rule::Held, Page::Held),
    on(Method::POST, "/held/{held}/release", Rule::Held, Page::HeldRelease),
    on(Method::POST, "/held/{held}/return", Rule::Held, Page::HeldReturn),
    on(Method::GET, "/held/{held}/part/{part}", Rule::Held, Page::HeldFile),
    on(Method::GET, "/held/{held}/original", Rule::Held, Page::HeldOriginal),
    on(Method::GET, "/account", Rule::May(Action::ManageAppPasswords), Page::Account),
    on(Method::POST, "/account/app-passwords", Rule::May(Action::ManageAppPasswords), Page::MakePassword),
    on(
        Method::POST,
        "/account/app-passwords/{password}/revoke",
        Rule::May(Action::ManageAppPasswords),
        Page::RevokePassword,
    ),
    on(Method::GET, "/mail", Rule::May(Action::ReadMailAdministration), Page::MailWays),
    on(Method::POST, "/mail/task/{task}/done", Rule::May(Action::CloseTask), Page::TaskDone),
    on(Method::GET, "/demo/outbox", Rule::Demo, Page::Outbox),
];

/// The whole portal; the server and the tests use the same one.
pub fn router(portal: Arc<Portal>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, answer(route.page));
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
    ROUTES.iter().find(|route| route.path == path && route.method == *method).map(|route| route.rule)
}

/// The table as text, one route a line: what a reviewer reads and a test compares.
pub fn route_table() -> String {
    ROUTES.iter().fold(String::new(), |mut table, route| {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{:<5} {:<45} {:?}", route.method.as_str(), route.path, route.rule);
        table
    })
}

fn answer(page: Page) -> MethodRouter<Arc<Portal>> {
    match page {
        Page::Health => get(fixed::health),
        Page::Style => get(fixed::style),
        Page::Icon => get(fixed::icon),
        Page::SignIn => get(sign_in::form),
        Page::TrySignIn => post(sign_in::sign_in),
        Page::SignOut => post(sign_in::sign_out),
        Page::Home => get(case_lists::home),
        Page::Process => get(case_lists::process),
        Page::SearchForm => get(search::form),
        Page::Search => post(search::find),
        Page::Case => get(case::page),
        Page::Claim => post(case::claim),
        Page::Release => post(case::release),
        Page::Message => get(message::page),
        Page::Formatted => get(message::formatted),
        Page::Attachment => get(download::attachment),
        Page::Original => get(download::original),
        Page::HeldList => get(held::list),
        Page::Held => get(held::page),
        Page::HeldRelease => post(held::release),
        Page::HeldReturn => post(held::send_back),
        Page::HeldFile => get(download::held_file),
        Page::HeldOriginal => get(download::held_original),
        Page::Account => get(account::page),
        Page::MakePassword => post(account::make),
        Page::RevokePassword => post(account::revoke),
        Page::MailWays => get(mail_ways::page),
        Page::TaskDone => post(mail_ways::done),
        Page::Outbox => get(outbox::page),
    }
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
        for route in ROUTES {
            assert_eq!(rule(route.path, &route.method), Some(route.rule));
            assert_eq!(rule(route.path, &Method::DELETE), None);
        }
        assert_eq!(rule("/", &Method::HEAD), Some(Rule::SignedIn));
        assert_eq!(rule("/sign-out", &Method::HEAD), None);
        assert_eq!(rule("/absent", &Method::GET), None);
    }

    #[test]
    fn only_these_are_open_to_strangers() {
        let open: Vec<_> = ROUTES
            .iter()
            .filter(|route| matches!(route.rule, Rule::Static | Rule::Open | Rule::Demo))
            .map(|route| route.path)
            .collect();
        assert_eq!(open, ["/healthz", "/style.css", "/icon.svg", "/sign-in", "/sign-in", "/demo/outbox"]);
    }
}
