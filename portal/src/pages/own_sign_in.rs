//! How the visitor signs in, on one page: password, second step, sessions. What lasts is changed by who has proved to be
//! the one who signed in (`own_proof`); a session is ended without.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use store::{OwnSession, StoredPasskey};
use templates::pages::{self, SignInSettings};

use crate::access::Visitor;
use crate::access::signing_in::{self, OwnSignIn, ProvedSignIn};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::new_password::{self, Unfit};
use crate::pages::second_step;
use crate::portal::{Place, Portal};
use crate::told::Told;

const HERE: &str = "/account/sign-in";

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    let told = Told::in_words(&portal, &visitor, &asked);
    match signing_in::own(&visitor)?.proved(&portal).await? {
        Ok(proved) => render(&portal, proved.own(), true, told, None).await,
        Err(own) => render(&portal, &own, false, told, None).await,
    }
}

pub(crate) async fn change_password(
    State(portal): State<Arc<Portal>>,
    form: Form,
) -> Result<Response, Problem> {
    let proved = match prove(&portal, &form).await? {
        Ok(proved) => proved,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (typed, again) = (form.fields.value("password"), form.fields.value("again"));
    let email = form.visitor.email().to_string();
    match new_password::hashed(&portal, typed, again, &email).await? {
        Err(unfit) => render(&portal, proved.own(), true, None, Some(unfit)).await,
        Ok(hash) => {
            proved.change_password(&portal, &hash).await?;
            Ok(Told::PasswordChanged.at(&portal, &form.visitor, HERE))
        }
    }
}

pub(crate) async fn begin_app(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    match prove(&portal, &form).await? {
        Ok(proved) => {
            proved.begin_app(&portal).await?;
            Ok(Redirect::to("/account/app").into_response())
        }
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// The key that was made and has shown no code yet; who comes by another way goes back.
pub(crate) async fn app(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Problem> {
    let Ok(proved) = signing_in::own(&visitor)?.proved(&portal).await? else {
        return Ok(Redirect::to(HERE).into_response());
    };
    if portal.ledger.pending_app(visitor.id()).await?.is_none() {
        return Ok(Redirect::to(HERE).into_response());
    }
    key(&portal, &proved, StatusCode::OK, None).await
}

/// The codes are on this answer and nowhere else, so the answer is the page itself and no redirect.
pub(crate) async fn confirm_app(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let proved = match prove(&portal, &form).await? {
        Ok(proved) => proved,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match proved.confirm_app(&portal, form.fields.value("code")).await? {
        Some(codes) => recovery_codes(&portal, &form.visitor, codes),
        None => {
            let says = portal.words.say("second.wrong", &[]);
            key(&portal, &proved, StatusCode::UNPROCESSABLE_ENTITY, Some(says)).await
        }
    }
}

pub(crate) async fn remove_app(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    match prove(&portal, &form).await? {
        Ok(proved) => {
            proved.remove_app(&portal).await?;
            Ok(Told::SecondStepRemoved.at(&portal, &form.visitor, HERE))
        }
        Err(elsewhere) => Ok(elsewhere),
    }
}

pub(crate) async fn renew_recovery(
    State(portal): State<Arc<Portal>>,
    form: Form,
) -> Result<Response, Problem> {
    match prove(&portal, &form).await? {
        Ok(proved) => recovery_codes(&portal, &form.visitor, proved.renew_recovery(&portal).await?),
        Err(elsewhere) => Ok(elsewhere),
    }
}

pub(crate) async fn end_session(
    State(portal): State<Arc<Portal>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    signing_in::own(&form.visitor)?.end(&portal, &name).await?;
    Ok(Told::SessionsEnded.at(&portal, &form.visitor, HERE))
}

pub(crate) async fn end_others(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    signing_in::own(&form.visitor)?.end_others(&portal).await?;
    Ok(Told::SessionsEnded.at(&portal, &form.visitor, HERE))
}

/// The way to a change, or to where it is opened.
pub(crate) async fn prove(portal: &Portal, form: &Form) -> Result<Result<ProvedSignIn, Response>, Problem> {
    let proved = signing_in::own(&form.visitor)?.proved(portal).await?;
    Ok(proved.map_err(|_| Redirect::to("/account/confirm").into_response()))
}

async fn key(
    portal: &Portal,
    proved: &ProvedSignIn,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let visitor = proved.own().visitor();
    let frame = portal.frame(&portal.words.say("set_up.title", &[]), Some(visitor), Place::Account);
    let user = proved.own().user(portal)?;
    let form = ("/account/app/confirm", visitor.form_token().to_owned());
    let page = second_step::key_page(portal, frame, &user, form, problem).await?;
    Ok((status, Html(page)).into_response())
}

pub(crate) fn recovery_codes(
    portal: &Portal,
    visitor: &Visitor,
    codes: Vec<String>,
) -> Result<Response, Problem> {
    let frame = portal.frame(&portal.words.say("recovery.title", &[]), Some(visitor), Place::Account);
    let page = portal.words.page(&pages::RecoveryCodes { frame, codes, next: HERE.to_owned() })?;
    Ok(Html(page).into_response())
}

async fn render(
    portal: &Portal,
    own: &OwnSignIn,
    proved: bool,
    told: Option<String>,
    unfit: Option<Unfit>,
) -> Result<Response, Problem> {
    let visitor = own.visitor();
    let factors = own.factors(portal).await?;
    let here = visitor.session().name();
    let sessions = own.sessions(portal).await?;
    let passkeys = portal.ledger.passkeys(visitor.id()).await?;
    let status = if unfit.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = portal.words.page(&SignInSettings {
        frame: portal.frame(&portal.words.say("signing_in.title", &[]), Some(visitor), Place::Account),
        told,
        token: visitor.form_token().to_owned(),
        email: visitor.email().to_string(),
        proved,
        password: own.user(portal)?.password.is_some(),
        problem: unfit.and_then(|unfit| portal.words.say_of("unfit", unfit.0, &[])),
        app_since: factors.app_since.map(dates::when),
        recovery: factors.recovery_left.to_string(),
        needed: factors.required,
        passkeys: passkeys.into_iter().map(passkey).collect(),
        passkeys_open: portal.passkeys.is_some(),
        others: sessions.len() > 1,
        sessions: sessions.into_iter().map(|session| entry(portal, session, &here)).collect(),
    })?;
    Ok((status, Html(page)).into_response())
}

fn passkey(stored: StoredPasskey) -> pages::PasskeyRow {
    pages::PasskeyRow {
        remove: format!("/account/passkeys/{}/remove", stored.id),
        name: stored.name,
        made: dates::when(stored.made),
    }
}

fn entry(portal: &Portal, own: OwnSession, here: &str) -> pages::SessionRow {
    let OwnSession { name, session } = own;
    pages::SessionRow {
        here: name == here,
        device: session.origin.device.unwrap_or_else(|| portal.words.say("signing_in.some_device", &[])),
        network: session.origin.network.unwrap_or_else(|| portal.words.say("signing_in.some_network", &[])),
        started: dates::when(session.started),
        seen: dates::when(session.last_seen),
        end: format!("/account/sessions/{name}/end"),
    }
}
