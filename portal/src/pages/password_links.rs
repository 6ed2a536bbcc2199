//! Invitation and reset links, and asking for one.
//!
//! Looking at a link changes nothing, however often a scanner does it: only the form with the new password uses it. A link
//! that is wrong, used, replaced or over gets one answer, and so does every address for which a link is asked.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use mail::Address;
use store::{LinkKind, LinkToken, OpenLink};
use templates::pages;

use super::sign_in::{self, Peer, Shown};
use crate::error::Problem;
use crate::forms::{EntryToken, Fields};
use crate::new_password::{self, Unfit};
use crate::portal::{Place, Portal};
use crate::session::Cookie;
use crate::throttle::Browser;

pub(crate) async fn invitation(
    State(portal): State<Arc<Portal>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    look(&portal, LinkKind::Invitation, &token, &headers).await
}

pub(crate) async fn reset(
    State(portal): State<Arc<Portal>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    look(&portal, LinkKind::Reset, &token, &headers).await
}

pub(crate) async fn accept(
    State(portal): State<Arc<Portal>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    redeem(&portal, LinkKind::Invitation, &token, &headers, &fields).await
}

pub(crate) async fn choose(
    State(portal): State<Arc<Portal>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    redeem(&portal, LinkKind::Reset, &token, &headers, &fields).await
}

pub(crate) async fn forgotten(
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    ask(&portal, &headers, StatusCode::OK, false, None)
}

/// The answer is there before anything is looked up, so it tells nothing, nor does its time.
pub(crate) async fn send(
    State(portal): State<Arc<Portal>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    if !EntryToken::belongs(&portal, &headers, &fields) {
        return ask(
            &portal,
            &headers,
            StatusCode::FORBIDDEN,
            false,
            Some(portal.words.say("forgotten.stale", &[])),
        );
    }
    let Ok(email) = Address::parse(fields.value("email").trim()) else {
        return ask(
            &portal,
            &headers,
            StatusCode::UNPROCESSABLE_ENTITY,
            false,
            Some(portal.words.say("forgotten.form", &[])),
        );
    };
    let peer = sign_in::network(&portal, peer, &headers);
    let budget = format!("link {email}");
    if portal.throttle.try_now(&budget, peer, Browser::New, Instant::now()).is_ok() {
        let portal = Arc::clone(&portal);
        tokio::spawn(async move {
            if let Err(error) = portal.ledger.forgotten(&email).await {
                tracing::error!(%error, "a link to a new password could not be made");
            }
        });
    }
    ask(&portal, &headers, StatusCode::OK, true, None)
}

async fn look(
    portal: &Portal,
    kind: LinkKind,
    token: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let link = open(portal, kind, token).await?;
    form(portal, &link, token, headers, StatusCode::OK, None)
}

async fn redeem(
    portal: &Portal,
    kind: LinkKind,
    token: &str,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Response, Problem> {
    let link = open(portal, kind, token).await?;
    if !EntryToken::belongs(portal, headers, fields) {
        return form(portal, &link, token, headers, StatusCode::FORBIDDEN, Some(Unfit("stale")));
    }
    let email = link.email.to_string();
    let (typed, again) = (fields.value("password"), fields.value("again"));
    let hash = match new_password::hashed(portal, typed, again, &email).await? {
        Ok(hash) => hash,
        Err(unfit) => {
            return form(portal, &link, token, headers, StatusCode::UNPROCESSABLE_ENTITY, Some(unfit));
        }
    };
    let redeemed = portal.ledger.redeem(&LinkToken::from_address(token), &hash).await?;
    redeemed.ok_or(Problem::NoLink)?;
    let told = portal.words.say("password.chosen", &[]);
    sign_in::page(portal, headers, Shown { email: &email, told: Some(&told), ..Shown::default() })
}

/// The link, if it is open and of that kind.
async fn open(portal: &Portal, kind: LinkKind, token: &str) -> Result<OpenLink, Problem> {
    let link = portal.ledger.link(&LinkToken::from_address(token)).await?;
    link.filter(|link| link.kind == kind).ok_or(Problem::NoLink)
}

fn form(
    portal: &Portal,
    link: &OpenLink,
    token: &str,
    headers: &HeaderMap,
    status: StatusCode,
    unfit: Option<Unfit>,
) -> Result<Response, Problem> {
    let entry = EntryToken::of(portal, headers)?;
    let directory = portal.ledger.directory();
    let company = directory.user(&link.user).and_then(|user| directory.group(&user.group));
    let (title, place) = match link.kind {
        LinkKind::Invitation => (portal.words.say("password.invitation_title", &[]), "invitation"),
        LinkKind::Reset => (portal.words.say("password.reset_title", &[]), "reset"),
    };
    let words = portal.words.page(&pages::NewPassword {
        frame: portal.frame(&title, None, Place::Elsewhere),
        token: entry.field(portal),
        action: format!("/{place}/{token}"),
        invitation: link.kind == LinkKind::Invitation,
        company: company.map_or_else(String::new, |group| group.name.clone()),
        email: link.email.to_string(),
        problem: unfit.and_then(|unfit| portal.words.say_of("unfit", unfit.0, &[])),
    })?;
    Ok(with_entry(portal, &entry, (status, Html(words)).into_response()))
}

fn ask(
    portal: &Portal,
    headers: &HeaderMap,
    status: StatusCode,
    sent: bool,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let entry = EntryToken::of(portal, headers)?;
    let words = portal.words.page(&pages::Forgotten {
        frame: portal.frame(&portal.words.say("forgotten.title", &[]), None, Place::Elsewhere),
        token: entry.field(portal),
        sent,
        problem,
    })?;
    Ok(with_entry(portal, &entry, (status, Html(words)).into_response()))
}

fn with_entry(portal: &Portal, entry: &EntryToken, mut response: Response) -> Response {
    if let Some(cookie) = Cookie::Form.set(portal, entry.cookie()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
