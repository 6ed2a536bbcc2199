//! What every request passes, in this order: origin, visitor, access rule, page, problem, headers.
//!
//! A route that the table does not list has no rule and is not served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use policies::access::Action;
use serde_json::json;

use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::portal::Portal;
use crate::routes::{self, Rule};
use crate::session;

/// For every page that does not bring its own: nothing but our style sheet, script, icon, forms and frames.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
                                      frame-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// When "not found" is answered on the routes of a case or a held mail, counted from the request: later than it is
/// known, so that the time says nothing.
const EVEN: Duration = Duration::from_millis(5);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The way of a request.
pub(crate) async fn pass(State(portal): State<Arc<Portal>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let rule = path.as_deref().and_then(|path| routes::rule(path, &method));
    let (visitor, response) = match enter(&portal, rule, &mut request).await {
        Ok((visitor, None)) => {
            let response = run(&portal, visitor.as_ref(), request, next).await;
            (visitor, response)
        }
        Ok((visitor, Some(redirect))) => (visitor, redirect),
        Err(problem) => (None, problem.into_response()),
    };
    let mut response = match rule {
        Some(Rule::Api(_)) => in_json(response),
        _ => with_page(&portal, visitor.as_ref(), response),
    };
    if matches!(rule, Some(Rule::Case | Rule::Held)) && response.status() == StatusCode::NOT_FOUND {
        // An absent case is found out a few microseconds sooner than a foreign one (threat T42).
        tokio::time::sleep_until((began + EVEN).into()).await;
    }
    protect(&portal, response.headers_mut());
    // The matched pattern, never the path: ids are worth nothing, but a log is no place for them.
    tracing::debug!(
        %method,
        route = path.unwrap_or_default(),
        status = response.status().as_u16(),
        micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// The page itself. A visitor has only so many at a time, each until it has left: pages can be
/// large, and a reader may be slow.
async fn run(portal: &Portal, visitor: Option<&Visitor>, request: Request, next: Next) -> Response {
    let Some(visitor) = visitor else { return next.run(request).await };
    match portal.requests.enter(visitor.id()) {
        Some(seat) => seat.until_sent(next.run(request).await),
        None => Problem::TooManyPages.into_response(),
    }
}

/// Finds out who asks; a redirect is the answer when that must be known first.
async fn enter(
    portal: &Portal,
    rule: Option<Rule>,
    request: &mut Request,
) -> Result<(Option<Visitor>, Option<Response>), Problem> {
    if let Some(Rule::Api(scope)) = rule {
        let bearer = access::bearer::of(portal, request.headers(), scope).await?;
        let visitor = Some(bearer.visitor().clone());
        request.extensions_mut().insert(bearer);
        return Ok((visitor, None));
    }
    if changes(request.method()) {
        from_here(portal, request.headers())?;
    }
    if rule == Some(Rule::Static) {
        return Ok((None, None));
    }
    let visitor = session::visitor(portal, request.headers()).await?;
    request.extensions_mut().insert(visitor.clone());
    let answer = match rule {
        None => Some(Problem::NotFound.into_response()),
        Some(Rule::Demo) if portal.demo.is_none() => Some(Problem::NotFound.into_response()),
        Some(Rule::SignedIn | Rule::Case | Rule::May(_) | Rule::Held) if visitor.is_none() => {
            Some(to_sign_in(request.method(), request.uri()))
        }
        Some(Rule::May(action)) if !visitor.as_ref().is_some_and(|visitor| visitor.may(action)) => {
            if let Some(visitor) = visitor.as_ref().filter(|_| changes(request.method())) {
                visitor.refused(portal, action.name()).await?;
            }
            Some(Problem::NotFound.into_response())
        }
        Some(Rule::Held) if !visitor.as_ref().is_some_and(|visitor| visitor.may(Action::OpenHeld)) => {
            Some(Problem::NotFound.into_response())
        }
        // No address of ours has an escape in its path: such a one is malformed, like any other.
        Some(_) if request.uri().path().contains('%') => Some(Problem::NotFound.into_response()),
        Some(Rule::Case) if *request.method() == Method::HEAD => {
            Some(head_of_case(portal, visitor.as_ref(), request.uri().path()).await)
        }
        Some(Rule::Held) if *request.method() == Method::HEAD => {
            Some(head_of_held(portal, visitor.as_ref(), request.uri().path()).await)
        }
        Some(Rule::Case | Rule::Held) if unseen(request.headers()) => Some(Problem::NotFound.into_response()),
        Some(
            Rule::Static
            | Rule::Open
            | Rule::Demo
            | Rule::SignedIn
            | Rule::Case
            | Rule::May(_)
            | Rule::Held
            | Rule::Api(_),
        ) => None,
    };
    Ok((visitor, answer))
}

/// Whether a request of this method may change anything (RFC 9110 §9.2.1).
fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// HEAD shows nobody anything, so it opens nothing, marks nothing as read and is no reading.
async fn head_of_case(portal: &Portal, visitor: Option<&Visitor>, path: &str) -> Response {
    let (Some(visitor), Some(id)) = (visitor, path.split('/').nth(2)) else {
        return Problem::NotFound.into_response();
    };
    match access::case(portal, visitor, id, Action::ReadCase).await {
        Ok(_) => Html("").into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The same for a held mail.
async fn head_of_held(portal: &Portal, visitor: Option<&Visitor>, path: &str) -> Response {
    let (Some(visitor), Some(id)) = (visitor, path.split('/').nth(2)) else {
        return Problem::NotFound.into_response();
    };
    match access::held::one(portal, visitor, id).await {
        Ok(_) => Html("").into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// A browser fetches ahead what its user may never look at (`Sec-Purpose`, Fetch §2.2.5): that must
/// not count as read. Refused, it fetches again when the user goes there.
fn unseen(headers: &HeaderMap) -> bool {
    headers.get("sec-purpose").is_some_and(|purpose| purpose.as_bytes().starts_with(b"prefetch"))
}

/// A change must come from a page of ours: `Origin` (RFC 6454 §7) or `Sec-Fetch-Site` proves it, and
/// neither may say otherwise. Under `no-referrer` browsers send `Origin: null` even for our own
/// forms (Fetch, "serializing a request origin"), so null counts only beside `same-origin`.
fn from_here(portal: &Portal, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let origin = text(header::ORIGIN);
    let site = text(FETCH_SITE);
    let ours = match (origin, site) {
        (Some(origin), None) => origin == portal.url.origin(),
        (Some(origin), Some("same-origin")) => origin == portal.url.origin() || origin == "null",
        (None, Some("same-origin")) => true,
        _ => false,
    };
    if ours { Ok(()) } else { Err(Problem::NotFromHere("origin")) }
}

/// Signing in leads back to where the visitor wanted to go; the same for absent and existing cases.
fn to_sign_in(method: &Method, uri: &Uri) -> Response {
    let wanted = match *method {
        Method::GET | Method::HEAD => uri.path_and_query().map_or("/", |place| place.as_str()),
        _ => "/",
    };
    match session::local_path(wanted) {
        Some("/") | None => Redirect::to("/sign-in").into_response(),
        Some(wanted) => Redirect::to(&format!("/sign-in?next={}", session::in_query(wanted))).into_response(),
    }
}

/// Puts the page of its problem into an answer that carries one.
fn with_page(portal: &Portal, visitor: Option<&Visitor>, response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    if problem.is_fault() {
        tracing::error!(error = %problem, "a page could not be given");
    }
    match problem.page(portal, visitor) {
        Ok(page) => {
            let (parts, _) = response.into_parts();
            let mut answer = (parts.status, Html(page)).into_response();
            if let Some(wait) = parts.headers.get(header::RETRY_AFTER) {
                answer.headers_mut().insert(header::RETRY_AFTER, wait.clone());
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "the problem page could not be given");
            response
        }
    }
}

/// A problem as programs read it (RFC 9457), with what RFC 6750 §3 wants beside it.
fn in_json(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    if problem.is_fault() {
        tracing::error!(error = %problem, "a program could not be answered");
    }
    let status = problem.status();
    let detail = if problem.is_fault() { "it could not be done".to_owned() } else { problem.to_string() };
    let body = json!({ "status": status.as_u16(), "title": status.canonical_reason(), "detail": detail });
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    let mut answer = (status, kind, body.to_string()).into_response();
    let challenge = match problem {
        Problem::NoToken => Some("Bearer"),
        Problem::NotInScope => Some("Bearer error=\"insufficient_scope\""),
        _ => None,
    };
    if let Some(challenge) = challenge {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(wait) = response.headers().get(header::RETRY_AFTER) {
        answer.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    answer
}

/// The headers of every answer; what an answer has set itself stays.
fn protect(portal: &Portal, headers: &mut HeaderMap) {
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        ),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if portal.url.is_secure() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
}
