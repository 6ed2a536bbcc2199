//! Proving once more to be the one who signed in, before something that lasts is changed: the password, and the second
//! factor of who has one. Both are asked for, and one answer is given for either being wrong.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use store::{Act, Event};
use templates::pages;

use super::sign_in::{self, Checked, Peer};
use crate::access::Visitor;
use crate::access::signing_in::{self, OwnSignIn};
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::session::local_path;
use crate::throttle::Browser;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    let own = signing_in::own(&visitor)?;
    ask(&portal, &own, next(asked.value("next").unwrap_or("")), StatusCode::OK, None).await
}

pub(crate) async fn confirm(
    State(portal): State<Arc<Portal>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let own = signing_in::own(&form.visitor)?;
    let next = next(form.fields.value("next"));
    let peer = sign_in::network(&portal, peer, &headers);
    if is_proof(&portal, &own, peer, &form).await? {
        portal.ledger.prove_session(form.visitor.session()).await?;
        return Ok(Redirect::to(next).into_response());
    }
    let event = Event::new(portal.ledger.now(), form.visitor.actor(), Act::IdentityRefused);
    portal.ledger.record(event.group(form.visitor.group()).user(form.visitor.id())).await?;
    let says = portal.words.say("proof.wrong", &[]);
    ask(&portal, &own, next, StatusCode::FORBIDDEN, Some(says)).await
}

async fn is_proof(portal: &Portal, own: &OwnSignIn, peer: IpAddr, form: &Form) -> Result<bool, Problem> {
    // A budget of its own: who guesses in a browser left open uses up nobody's tries at signing in.
    let budget = format!("proof of {}", own.visitor().id());
    portal.throttle.try_now(&budget, peer, Browser::New, Instant::now()).map_err(Problem::TooMany)?;
    let (email, password) = (own.visitor().email().to_string(), form.fields.value("password"));
    let right = matches!(sign_in::check(portal, &email, password).await?, Checked::Right(_));
    let user = own.visitor().id();
    let passed = right
        && (!own.factors(portal).await?.any()
            || portal.ledger.use_code(user, form.fields.value("code")).await?.is_some());
    if passed {
        portal.throttle.succeeded(&budget, peer, Browser::New, Instant::now());
    }
    Ok(passed)
}

/// A proof leads to a page of the account or the company, and nowhere else.
fn next(wanted: &str) -> &str {
    let ours = |path: &&str| path.starts_with("/account") || path.starts_with("/company");
    local_path(wanted).filter(ours).unwrap_or("/account/sign-in")
}

async fn ask(
    portal: &Portal,
    own: &OwnSignIn,
    next: &str,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let visitor = own.visitor();
    let page = portal.words.page(&pages::OwnProof {
        frame: portal.frame(&portal.words.say("proof.title", &[]), Some(visitor), Place::Account),
        token: visitor.form_token().to_owned(),
        email: visitor.email().to_string(),
        next: next.to_owned(),
        code: own.factors(portal).await?.any(),
        problem,
    })?;
    Ok((status, Html(page)).into_response())
}
