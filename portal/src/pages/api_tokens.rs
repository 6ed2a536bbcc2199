//! The visitor's own API tokens: made after a proof, shown once, revoked at once. And what a program learns of its token.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;
use store::{ApiScope, TokenNotMade};
use templates::pages::{self, ApiTokens};

use super::account;
use crate::access::Visitor;
use crate::access::api_tokens;
use crate::access::bearer::Bearer;
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

const HERE: &str = "/account/tokens";
const PROOF: &str = "/account/confirm?next=/account/tokens";

/// Lives to choose from, in days.
const LIVES: [u64; 3] = [30, 90, 365];

/// What is on the page beside what is always there.
#[derive(Default)]
struct News {
    told: Option<String>,
    problem: Option<String>,
    fresh: Option<String>,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &visitor, StatusCode::OK, News { told, ..News::default() }).await
}

/// The token is on this answer and nowhere else, so the answer is the page itself and no redirect.
pub(crate) async fn make(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let own = api_tokens::own(&form.visitor)?;
    let Some(proof) = own.proof(&portal).await? else { return Ok(Redirect::to(PROOF).into_response()) };
    let scopes: Vec<ApiScope> = form.fields.values("scope").filter_map(|scope| scope.parse().ok()).collect();
    let days = form.fields.value("days").parse().ok().filter(|days| LIVES.contains(days));
    let (Some(days), Some(name)) = (days, account::name(form.fields.value("name"))) else {
        return refused(&portal, &form.visitor, "name").await;
    };
    let life = Duration::from_hours(24 * days);
    match own.make(&portal, &proof, &name, &scopes, life).await? {
        Ok(token) => {
            let news = News { fresh: Some(token), ..News::default() };
            render(&portal, &form.visitor, StatusCode::OK, news).await
        }
        Err(TokenNotMade::NoScope | TokenNotMade::TooLong) => refused(&portal, &form.visitor, "scope").await,
        Err(TokenNotMade::NameTaken) => refused(&portal, &form.visitor, "taken").await,
        Err(TokenNotMade::Full) => refused(&portal, &form.visitor, "full").await,
    }
}

pub(crate) async fn revoke(
    State(portal): State<Arc<Portal>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    api_tokens::own(&form.visitor)?.revoke(&portal, &name).await?;
    Ok(Told::TokenRevoked.at(&portal, &form.visitor, HERE))
}

/// What a token is good for, so that a program finds out before it tries.
pub(crate) async fn whoami(bearer: Bearer) -> Response {
    let scopes: Vec<_> = bearer.scopes().iter().map(|scope| scope.as_str()).collect();
    let who =
        json!({ "user": bearer.user().to_string(), "group": bearer.group().as_str(), "scopes": scopes });
    ([(CONTENT_TYPE, "application/json")], who.to_string()).into_response()
}

async fn refused(portal: &Portal, visitor: &Visitor, why: &str) -> Result<Response, Problem> {
    let problem = portal.words.say_of("token_problem", why, &[]);
    let news = News { problem, ..News::default() };
    render(portal, visitor, StatusCode::UNPROCESSABLE_ENTITY, news).await
}

async fn render(
    portal: &Portal,
    visitor: &Visitor,
    status: StatusCode,
    news: News,
) -> Result<Response, Problem> {
    let own = api_tokens::own(visitor)?;
    let now = portal.ledger.now();
    let rows = own.all(portal).await?.into_iter().map(|(name, token)| pages::TokenRow {
        name: token.name.clone(),
        scopes: token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
        made: dates::when(token.made),
        until: dates::when(token.until),
        over: token.is_over(now),
        used: token.used.map(dates::when),
        revoke: format!("/account/tokens/{name}/revoke"),
    });
    let scopes = ApiScope::ALL.into_iter().map(|scope| pages::RuleChoice {
        value: scope.as_str(),
        label: portal
            .words
            .say_of("token_scope", &scope.as_str().replace(':', "_"), &[])
            .unwrap_or_else(|| scope.to_string()),
        chosen: scope == ApiScope::CasesRead,
    });
    let page = portal.words.page(&ApiTokens {
        frame: portal.frame(&portal.words.say("tokens.title", &[]), Some(visitor), Place::Account),
        told: news.told,
        problem: news.problem,
        fresh: news.fresh,
        token: visitor.form_token().to_owned(),
        proof: PROOF.to_owned(),
        proved: own.proof(portal).await?.is_some(),
        tokens: rows.collect(),
        scopes: scopes.collect(),
        lives: LIVES.iter().map(ToString::to_string).collect(),
    })?;
    Ok((status, Html(page)).into_response())
}
