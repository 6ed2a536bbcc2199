//! The visitor's own passkeys: made and removed after a proof. The browser's part is done by the script; what it answers
//! comes back in a form like any other.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use templates::pages;

use super::{account, own_sign_in};
use crate::access::Visitor;
use crate::access::signing_in::{self, ProvedSignIn};
use crate::error::Problem;
use crate::forms::Form;
use crate::portal::{Place, Portal};
use crate::told::Told;

const HERE: &str = "/account/sign-in";

pub(crate) async fn begin(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    match own_sign_in::prove(&portal, &form).await? {
        Ok(proved) => {
            proved.begin_passkey(&portal).await?;
            Ok(Redirect::to("/account/passkey").into_response())
        }
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// The question that was begun with; who comes by another way goes back.
pub(crate) async fn page(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Problem> {
    let Ok(proved) = signing_in::own(&visitor)?.proved(&portal).await? else {
        return Ok(Redirect::to(HERE).into_response());
    };
    ask(&portal, &proved, StatusCode::OK, None).await
}

pub(crate) async fn add(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let proved = match own_sign_in::prove(&portal, &form).await? {
        Ok(proved) => proved,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let Some(name) = account::name(form.fields.value("name")) else {
        proved.begin_passkey(&portal).await?;
        let says = portal.words.say("passkey.name_problem", &[]);
        return ask(&portal, &proved, StatusCode::UNPROCESSABLE_ENTITY, Some(says)).await;
    };
    match proved.add_passkey(&portal, &name, form.fields.value("answer")).await? {
        None => {
            proved.begin_passkey(&portal).await?;
            let says = portal.words.say("passkey.problem", &[]);
            ask(&portal, &proved, StatusCode::UNPROCESSABLE_ENTITY, Some(says)).await
        }
        Some(codes) if codes.is_empty() => Ok(Told::PasskeyAdded.at(&portal, &form.visitor, HERE)),
        Some(codes) => own_sign_in::recovery_codes(&portal, &form.visitor, codes),
    }
}

pub(crate) async fn remove(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    match own_sign_in::prove(&portal, &form).await? {
        Ok(proved) => {
            proved.remove_passkey(&portal, &id).await?;
            Ok(Told::PasskeyRemoved.at(&portal, &form.visitor, HERE))
        }
        Err(elsewhere) => Ok(elsewhere),
    }
}

async fn ask(
    portal: &Portal,
    proved: &ProvedSignIn,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let visitor = proved.own().visitor();
    let Some(options) = proved.passkey_question(portal).await? else {
        return Ok(Redirect::to(HERE).into_response());
    };
    let page = portal.words.page(&pages::NewPasskey {
        frame: portal.frame(&portal.words.say("passkey.title", &[]), Some(visitor), Place::Account),
        token: visitor.form_token().to_owned(),
        options,
        problem,
    })?;
    Ok((status, Html(page)).into_response())
}
