//! Signing in and out.
//!
//! A wrong password, an unknown address and a user who is no longer active get the same words
//! after the same work. A session begins with a new token, always.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use mail::Address;
use store::{Act, Actor, Event, SessionToken, UserId};
use templates::pages;

use crate::error::Problem;
use crate::forms::{Asked, EntryToken, Fields, Form, hex, same};
use crate::new_password;
use crate::origin;
use crate::pages::second_step;
use crate::portal::{Place, Portal};
use crate::session::{Cookie, PerhapsVisitor, local_path};
use crate::throttle::Browser;

/// Who is at the other end of a connection; set by `serve`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// The connection is TLS of ours, so nobody stands in between.
    pub(crate) tls: bool,
}

impl Peer {
    /// Speaks for others: a plain connection to a portal whose address is https, from this machine
    /// or from a network that nobody outside has an address in.
    pub(crate) fn is_proxy(self, portal: &Portal) -> bool {
        !self.tls && portal.url.is_secure() && is_near(self.address)
    }

    /// Where the request came from. A proxy appends whom it saw (`X-Forwarded-For`); what stands
    /// before that was written by anybody.
    fn origin(self, portal: &Portal, headers: &HeaderMap) -> IpAddr {
        if !self.is_proxy(portal) {
            return self.address;
        }
        let seen = headers.get_all("x-forwarded-for").iter().next_back().and_then(|seen| seen.to_str().ok());
        let last = seen.and_then(|seen| seen.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
        last.unwrap_or(self.address)
    }
}

/// Loopback, or an address of a private network (RFC 1918, RFC 3927, RFC 4193, RFC 4291 §2.5.6).
fn is_near(address: IpAddr) -> bool {
    // A listener on `[::]` sees 127.0.0.1 as an IPv6 address (RFC 4291 §2.5.5.2).
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

pub(crate) async fn form(
    State(portal): State<Arc<Portal>>,
    PerhapsVisitor(visitor): PerhapsVisitor,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let next = asked.value("next").and_then(local_path).unwrap_or("/");
    if visitor.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    page(&portal, &headers, Shown { next, ..Shown::default() })
}

pub(crate) async fn sign_in(
    State(portal): State<Arc<Portal>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let (email, password) = (fields.value("email").trim(), fields.value("password"));
    let next = local_path(fields.value("next")).unwrap_or("/");
    if !EntryToken::belongs(&portal, &headers, &fields) {
        let says = "This page was open too long. Please sign in again.";
        return page(&portal, &headers, Shown { next, ..Shown::refused(email, says) });
    }
    let peer = network(&portal, peer, &headers);
    let mark = mark_of(&portal, email);
    let known = Cookie::Known.of(&portal, &headers).is_some_and(|cookie| same(cookie, &mark));
    let browser = if known { Browser::Known } else { Browser::New };
    portal.throttle.try_now(email, peer, browser, Instant::now()).map_err(Problem::TooMany)?;
    match check(&portal, email, password).await? {
        Checked::Right(user) => {
            portal.throttle.succeeded(email, peer, browser, Instant::now());
            let mut response = match second_step::wanted(&portal, user, next).await? {
                Some(step) => step,
                None => begin(&portal, &headers, peer, user, Redirect::to(next).into_response()).await?,
            };
            if let Some(cookie) = Cookie::Known.set(&portal, &mark) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Checked::Wrong(user) => {
            refused(&portal, user).await?;
            let says = "That address and password do not belong together. Check both and try again.";
            page(&portal, &headers, Shown { next, ..Shown::refused(email, says) })
        }
    }
}

pub(crate) async fn sign_out(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    portal.ledger.end_session(form.visitor.session()).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = Cookie::Session.clear(&portal) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What a browser keeps that has signed in to an account; nobody else can make it.
fn mark_of(portal: &Portal, email: &str) -> String {
    hex(&portal.ledger.mac("portal known browser", email.to_lowercase().as_bytes()))
}

pub(crate) enum Checked {
    Right(UserId),
    /// The user whom the address names, if it names one: for the audit trail only.
    Wrong(Option<UserId>),
}

/// Compares the password; the work is the same whether or not there is such a user.
pub(crate) async fn check(portal: &Portal, email: &str, password: &str) -> Result<Checked, Problem> {
    let directory = portal.ledger.directory();
    let user = Address::parse(email).ok().and_then(|email| directory.user_by_email(&email).cloned());
    let stored = user.as_ref().filter(|user| user.is_active()).and_then(|user| user.password.clone());
    if password.len() > new_password::LONGEST {
        return Ok(Checked::Wrong(user.map(|user| user.id)));
    }
    let turn = portal.password_turn().await?;
    let password = new_password::prepared(password);
    let right = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        certs::password::verify(&password, stored.as_deref())
    });
    let right = right.await.map_err(|_| Problem::Interrupted)?;
    Ok(match user {
        Some(user) if right => Checked::Right(user.id),
        user => Checked::Wrong(user.map(|user| user.id)),
    })
}

/// A new session; one that the browser already had is over.
pub(crate) async fn begin(
    portal: &Portal,
    headers: &HeaderMap,
    peer: IpAddr,
    user: UserId,
    mut response: Response,
) -> Result<Response, Problem> {
    if let Some(old) = Cookie::Session.of(portal, headers) {
        portal.ledger.end_session(&SessionToken::from_cookie(old)).await?;
    }
    let token = portal.ledger.start_session_from(user, origin::of(headers, peer)).await?;
    let cookies =
        [Cookie::Session.set(portal, token.as_str()), Cookie::Form.clear(portal), Cookie::Step.clear(portal)];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Puts the failed try into the audit trail, for known and unknown addresses alike.
async fn refused(portal: &Portal, user: Option<UserId>) -> Result<(), Problem> {
    let mut event = Event::new(portal.ledger.now(), Actor::Portal, Act::SignInRefused);
    if let Some(user) = user {
        event = event.user(user);
        event.group = portal.ledger.directory().user(&user).map(|user| user.group.clone());
    }
    Ok(portal.ledger.record(event).await?)
}

/// Where a request came from, for budgets.
pub(crate) fn network(portal: &Portal, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(peer)| peer.origin(portal, headers))
}

/// What differs from one showing of the page to another.
pub(crate) struct Shown<'a> {
    pub(crate) status: StatusCode,
    pub(crate) next: &'a str,
    pub(crate) email: &'a str,
    pub(crate) told: Option<&'a str>,
    pub(crate) problem: Option<&'a str>,
}

impl Default for Shown<'_> {
    fn default() -> Self {
        Self { status: StatusCode::OK, next: "/", email: "", told: None, problem: None }
    }
}

impl<'a> Shown<'a> {
    fn refused(email: &'a str, problem: &'a str) -> Self {
        Self { status: StatusCode::FORBIDDEN, email, problem: Some(problem), ..Self::default() }
    }
}

pub(crate) fn page(portal: &Portal, headers: &HeaderMap, shown: Shown<'_>) -> Result<Response, Problem> {
    let Shown { status, next, email, told, problem } = shown;
    let token = EntryToken::of(portal, headers)?;
    let users = portal.demo.iter().flat_map(|demo| &demo.users);
    let words = portal.words.page(&pages::SignIn {
        frame: portal.frame("Sign in", None, Place::Elsewhere),
        token: token.field(portal),
        next: next.to_owned(),
        email: email.chars().take(320).collect(),
        told: told.map(str::to_owned),
        problem: problem.map(str::to_owned),
        samples: users
            .map(|user| pages::SampleUser {
                email: user.email.clone(),
                password: user.password.clone(),
                company: user.company.clone(),
                note: user.note.clone(),
            })
            .collect(),
    })?;
    let mut response = (status, Html(words)).into_response();
    if let Some(cookie) = Cookie::Form.set(portal, token.cookie()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_near() {
        for near in
            ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "172.18.0.2", "192.168.1.1", "fd00::1"]
        {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in ["192.0.2.1", "172.32.0.1", "::ffff:198.51.100.7", "2001:db8::1", "0.0.0.0"] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }
}
