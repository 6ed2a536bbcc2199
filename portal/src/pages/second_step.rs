//! The second step of signing in: a code of an app or a recovery code, or setting an app up first.
//!
//! Who comes here has given the right password and has no session yet: a cookie of its own names the sign-in that is
//! under way, for minutes and few tries. Guessing is slowed down by account and network on top of that.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use store::{Act, Actor, EntryToken, Event, SignInEntry, User, UserId};
use templates::pages::{self, Frame};

use super::sign_in::{self, Peer, Shown};
use crate::access::sign_in_rules;
use crate::error::Problem;
use crate::forms::{Fields, hex, same};
use crate::portal::{Place, Portal};
use crate::qr;
use crate::session::{Cookie, local_path};
use crate::throttle::Browser;

/// What a user whose password was right has to do next; nothing if the password is enough.
pub(crate) async fn wanted(portal: &Portal, user: UserId, next: &str) -> Result<Option<Response>, Problem> {
    let Some(record) = portal.ledger.directory().user(&user).cloned() else { return Ok(None) };
    let factors = sign_in_rules::factors(portal, &record).await?;
    let place = match (factors.any(), factors.required) {
        (true, _) => "/sign-in/code",
        (false, true) => {
            if portal.ledger.pending_app(user).await?.is_none() {
                portal.ledger.begin_app(user).await?;
            }
            "/sign-in/set-up"
        }
        (false, false) => return Ok(None),
    };
    let token = portal.ledger.begin_entry(user, next).await?;
    begin_passkey(portal, user, &token).await?;
    let mut response = Redirect::to(place).into_response();
    if let Some(cookie) = Cookie::Step.set(portal, token.as_str()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(Some(response))
}

pub(crate) async fn form(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Result<Response, Problem> {
    match arrive(&portal, &headers).await? {
        Some(step) if step.has_factor => ask(&portal, &step, StatusCode::OK, None).await,
        _ => Ok(Redirect::to("/sign-in").into_response()),
    }
}

pub(crate) async fn set_up(
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match arrive(&portal, &headers).await? {
        Some(step) if !step.has_factor => show_key(&portal, &step, StatusCode::OK, None).await,
        _ => Ok(Redirect::to("/sign-in").into_response()),
    }
}

pub(crate) async fn check(
    State(portal): State<Arc<Portal>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let peer = sign_in::network(&portal, peer, &headers);
    let Some(step) = try_once(&portal, peer, &headers, &fields).await?.filter(|step| step.has_factor) else {
        return over(&portal, &headers);
    };
    if !is_passed(&portal, &step, &fields).await? {
        refused(&portal, &step.user).await?;
        begin_passkey(&portal, step.entry.user, &step.token).await?;
        let says = portal.words.say("second.wrong", &[]);
        return ask(&portal, &step, StatusCode::FORBIDDEN, Some(says)).await;
    }
    passed(&portal, peer, &step).await?;
    let next = local_path(&step.entry.next).unwrap_or("/");
    sign_in::begin(&portal, &headers, peer, step.entry.user, Redirect::to(next).into_response()).await
}

/// By a passkey, or by a code.
async fn is_passed(portal: &Portal, step: &Step, fields: &Fields) -> Result<bool, Problem> {
    let (user, answer) = (step.entry.user, fields.value("answer"));
    if answer.is_empty() {
        return Ok(portal.ledger.use_code(user, fields.value("code")).await?.is_some());
    }
    let state = portal.ledger.take_ceremony(&place(&step.token), user).await?;
    let (Some(passkeys), Some(state)) = (&portal.passkeys, state) else { return Ok(false) };
    let known = portal.ledger.passkeys(user).await?;
    let Some(shown) = passkeys.finish_showing(answer, &state, &known) else { return Ok(false) };
    portal.ledger.update_passkey(user, &shown.id, &shown.key).await?;
    Ok(true)
}

/// Asks for a passkey of who has one.
async fn begin_passkey(portal: &Portal, user: UserId, token: &EntryToken) -> Result<(), Problem> {
    let known = portal.ledger.passkeys(user).await?;
    let begun = portal.passkeys.as_ref().filter(|_| !known.is_empty());
    let Some(begun) = begun.and_then(|passkeys| passkeys.begin_showing(&known)) else { return Ok(()) };
    Ok(portal.ledger.begin_ceremony(&place(token), user, &begun.options, &begun.state).await?)
}

fn place(token: &EntryToken) -> String {
    format!("sign-in {}", token.as_str())
}

/// The codes are on this answer and nowhere else, so the answer is the page itself and no redirect.
pub(crate) async fn confirm(
    State(portal): State<Arc<Portal>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let peer = sign_in::network(&portal, peer, &headers);
    let Some(step) = try_once(&portal, peer, &headers, &fields).await?.filter(|step| !step.has_factor) else {
        return over(&portal, &headers);
    };
    let Some(codes) = portal.ledger.confirm_app(step.entry.user, fields.value("code")).await? else {
        let says = portal.words.say("second.wrong", &[]);
        return show_key(&portal, &step, StatusCode::UNPROCESSABLE_ENTITY, Some(says)).await;
    };
    passed(&portal, peer, &step).await?;
    let page = portal.words.page(&pages::RecoveryCodes {
        frame: portal.frame(&portal.words.say("recovery.title", &[]), None, Place::Elsewhere),
        codes,
        next: local_path(&step.entry.next).unwrap_or("/").to_owned(),
    })?;
    sign_in::begin(&portal, &headers, peer, step.entry.user, Html(page).into_response()).await
}

/// A sign-in that is under way.
struct Step {
    token: EntryToken,
    entry: SignInEntry,
    user: User,
    has_factor: bool,
}

impl Step {
    /// What the forms of this sign-in hold: nobody who does not have the cookie can make it.
    fn form_token(&self, portal: &Portal) -> String {
        form_token(portal, &self.token)
    }
}

fn form_token(portal: &Portal, token: &EntryToken) -> String {
    hex(&portal.ledger.mac("portal second step form", token.as_str().as_bytes()))
}

/// The sign-in that the cookie names, if it is not over and its user may still sign in.
async fn arrive(portal: &Portal, headers: &HeaderMap) -> Result<Option<Step>, Problem> {
    let Some(token) = Cookie::Step.of(portal, headers).map(EntryToken::from_cookie) else { return Ok(None) };
    let entry = portal.ledger.entry(&token).await?;
    complete(portal, token, entry).await
}

/// The same for a form that was sent, which costs one try.
async fn try_once(
    portal: &Portal,
    peer: IpAddr,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Option<Step>, Problem> {
    let Some(token) = Cookie::Step.of(portal, headers).map(EntryToken::from_cookie) else { return Ok(None) };
    if !same(fields.value("token"), &form_token(portal, &token)) {
        return Ok(None);
    }
    let Some(entry) = portal.ledger.entry(&token).await? else { return Ok(None) };
    // A budget of its own: who knows the password and guesses codes uses up nobody's tries at the password.
    let budget = budget(entry.user);
    portal.throttle.try_now(&budget, peer, Browser::New, Instant::now()).map_err(Problem::TooMany)?;
    let entry = portal.ledger.try_entry(&token).await?;
    complete(portal, token, entry).await
}

async fn complete(
    portal: &Portal,
    token: EntryToken,
    entry: Option<SignInEntry>,
) -> Result<Option<Step>, Problem> {
    let Some(entry) = entry else { return Ok(None) };
    let user = portal.ledger.directory().user(&entry.user).filter(|user| user.is_active()).cloned();
    let Some(user) = user else { return Ok(None) };
    let has_factor = portal.ledger.factors(entry.user).await?.any();
    Ok(Some(Step { token, entry, user, has_factor }))
}

fn budget(user: UserId) -> String {
    format!("second step of {user}")
}

/// A right code costs nobody a try, and its sign-in is no longer under way.
async fn passed(portal: &Portal, peer: IpAddr, step: &Step) -> Result<(), Problem> {
    portal.throttle.succeeded(&budget(step.entry.user), peer, Browser::New, Instant::now());
    Ok(portal.ledger.end_entry(&step.token).await?)
}

fn over(portal: &Portal, headers: &HeaderMap) -> Result<Response, Problem> {
    let says = portal.words.say("second.over", &[]);
    sign_in::page(
        portal,
        headers,
        Shown { status: StatusCode::FORBIDDEN, problem: Some(&says), ..Shown::default() },
    )
}

async fn ask(
    portal: &Portal,
    step: &Step,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let passkey = portal.ledger.ceremony_question(&place(&step.token), step.entry.user).await?;
    let frame = portal.frame(&portal.words.say("second.title", &[]), None, Place::Elsewhere);
    let page = portal.words.page(&pages::SecondStep {
        frame: Frame { scripted: passkey.is_some(), ..frame },
        token: step.form_token(portal),
        passkey,
        problem,
    })?;
    Ok((status, Html(page)).into_response())
}

async fn show_key(
    portal: &Portal,
    step: &Step,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let frame = portal.frame(&portal.words.say("set_up.title", &[]), None, Place::Elsewhere);
    let page = key_page(portal, frame, &step.user, ("/sign-in/set-up", step.form_token(portal)), problem);
    Ok((status, Html(page.await?)).into_response())
}

/// The key for the app that a user has begun to set up, with a picture of it, and a form of that action and token for
/// the code that the app shows.
pub(crate) async fn key_page(
    portal: &Portal,
    frame: pages::Frame,
    user: &User,
    (action, token): (&str, String),
    problem: Option<String>,
) -> Result<String, Problem> {
    let secret = portal.ledger.pending_app(user.id).await?.ok_or(Problem::NotFound)?;
    let email = user.email.to_string();
    let key = secret.in_base32();
    let blocks: Vec<_> = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    let uri = secret.uri(&portal.words.say("set_up.issuer", &[]), &email);
    Ok(portal.words.page(&pages::SetUp {
        frame,
        action: action.to_owned(),
        token,
        key: blocks.join(" "),
        picture: qr::picture(&uri),
        uri,
        email,
        problem,
    })?)
}

async fn refused(portal: &Portal, user: &User) -> Result<(), Problem> {
    let event = Event::new(portal.ledger.now(), Actor::Portal, Act::SecondStepRefused);
    Ok(portal.ledger.record(event.group(&user.group).user(user.id)).await?)
}
