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
    match look_at(&portal, &own, peer, &form).await? {
        Proof::Whole => {
            portal.ledger.prove_session(form.visitor.session()).await?;
            return Ok(Redirect::to(next).into_response());
        }
        Proof::PasskeyToCome => return ask(&portal, &own, next, StatusCode::OK, None).await,
        Proof::None => {}
    }
    let event = Event::new(portal.ledger.now(), form.visitor.actor(), Act::IdentityRefused);
    portal.ledger.record(event.group(form.visitor.group()).user(form.visitor.id())).await?;
    let says = portal.words.say("proof.wrong", &[]);
    ask(&portal, &own, next, StatusCode::FORBIDDEN, Some(says)).await
}

/// What a form proves.
enum Proof {
    Whole,
    /// The password was right; the question that the passkey answers is kept for this session alone.
    PasskeyToCome,
    None,
}

async fn look_at(portal: &Portal, own: &OwnSignIn, peer: IpAddr, form: &Form) -> Result<Proof, Problem> {
    // A budget of its own: who guesses in a browser left open uses up nobody's tries at signing in.
    let budget = format!("proof of {}", own.visitor().id());
    portal.throttle.try_now(&budget, peer, Browser::New, Instant::now()).map_err(Problem::TooMany)?;
    let answer = form.fields.value("answer");
    let proof = match answer.is_empty() {
        true => by_password(portal, own, form).await?,
        false if own.answers_passkey(portal, answer).await? => Proof::Whole,
        false => Proof::None,
    };
    if !matches!(proof, Proof::None) {
        portal.throttle.succeeded(&budget, peer, Browser::New, Instant::now());
    }
    Ok(proof)
}

async fn by_password(portal: &Portal, own: &OwnSignIn, form: &Form) -> Result<Proof, Problem> {
    let (email, password) = (own.visitor().email().to_string(), form.fields.value("password"));
    if !matches!(sign_in::check(portal, &email, password).await?, Checked::Right(_)) {
        return Ok(Proof::None);
    }
    let (factors, code) = (own.factors(portal).await?, form.fields.value("code"));
    if !factors.any() {
        return Ok(Proof::Whole);
    }
    if code.is_empty() && own.ask_for_passkey(portal).await? {
        return Ok(Proof::PasskeyToCome);
    }
    let used = portal.ledger.use_code(own.visitor().id(), code).await?;
    Ok(if used.is_some() { Proof::Whole } else { Proof::None })
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
    let factors = own.factors(portal).await?;
    let page = portal.words.page(&pages::OwnProof {
        frame: portal.frame(&portal.words.say("proof.title", &[]), Some(visitor), Place::Account),
        token: visitor.form_token().to_owned(),
        email: visitor.email().to_string(),
        next: next.to_owned(),
        code: factors.any(),
        passkeys: factors.passkeys > 0 && portal.passkeys.is_some(),
        question: own.passkey_asked(portal).await?,
        problem,
    })?;
    Ok((status, Html(page)).into_response())
}
