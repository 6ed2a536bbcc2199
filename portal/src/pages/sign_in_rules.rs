//! How the people of a company sign in, for its master administration user.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use store::{SecondStepDefault, SecondStepRule};
use templates::pages;

use crate::access::Visitor;
use crate::access::sign_in_rules;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

const HERE: &str = "/company/sign-in";
const PROOF: &str = "/account/confirm?next=/company/sign-in";

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let own = sign_in_rules::own(&visitor)?;
    let rules = own.rules(&portal).await?;
    let chosen = rules.second_step.map_or("default", SecondStepRule::as_str);
    let choice =
        |value: &'static str, label: String| pages::RuleChoice { value, label, chosen: value == chosen };
    let default = match portal.second_step {
        SecondStepDefault::Invited => portal.words.say("sign_in_rules.default_invited", &[]),
        SecondStepDefault::Everybody => portal.words.say("sign_in_rules.default_everybody", &[]),
    };
    Ok(Html(portal.words.page(&pages::SignInRules {
        frame: portal.frame(
            &portal.words.say("sign_in_rules.title", &[]),
            Some(own.visitor()),
            Place::SignInRules,
        ),
        told: Told::in_words(&portal, &visitor, &asked),
        token: visitor.form_token().to_owned(),
        company: visitor.company(),
        proof: PROOF.to_owned(),
        proved: own.proof(&portal).await?.is_some(),
        choices: vec![
            choice("default", default),
            choice("everybody", portal.words.say("sign_in_rules.everybody", &[])),
            choice("own-choice", portal.words.say("sign_in_rules.own_choice", &[])),
        ],
    })?))
}

pub(crate) async fn set(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let own = sign_in_rules::own(&form.visitor)?;
    let Some(proof) = own.proof(&portal).await? else { return Ok(Redirect::to(PROOF).into_response()) };
    let rule = match form.fields.value("second_step") {
        "default" => None,
        "everybody" => Some(SecondStepRule::Everybody),
        "own-choice" => Some(SecondStepRule::OwnChoice),
        _ => return Err(Problem::BadForm),
    };
    own.set_second_step(&portal, &proof, rule).await?;
    Ok(Told::SignInRulesSet.at(&portal, &form.visitor, HERE))
}
