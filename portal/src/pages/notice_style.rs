//! How the letters to a company's people look: the phrase that forged ones lack, and whether they hold links. A form on the page
//! of the company's alerts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mail::Headline;
use policies::detect::{Business, Inspected};
use store::NoticeStyle;
use templates::Phrase;
use templates::pages::NoticeStyleForm;

use super::alerts::{COMPANY, company_page_with};
use crate::access::alerts;
use crate::error::Problem;
use crate::forms::Form;
use crate::portal::Portal;
use crate::told::Told;

pub(crate) async fn set(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let company = alerts::of_company(&form.visitor)?;
    let typed = form.fields.value("phrase").trim();
    let link_free = form.fields.value("link_free") == "yes";
    let problem = match typed {
        "" => None,
        typed => problem(&portal, typed),
    };
    if let Some(problem) = problem {
        let form = NoticeStyleForm { phrase: typed.to_owned(), link_free, problem: Some(problem) };
        let page = company_page_with(&portal, &company, form)?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let phrase = Some(typed.to_owned()).filter(|phrase| !phrase.is_empty());
    company.set_style(&portal, NoticeStyle { phrase, link_free }).await?;
    Ok(Told::NoticeStyleSet.at(&portal, &form.visitor, COMPANY))
}

/// What is wrong with a phrase, in words for who typed it.
fn problem(portal: &Portal, typed: &str) -> Option<String> {
    if Phrase::parse(typed).is_err() {
        return Some(portal.words.say("notice_style.wrong", &[]));
    }
    looks_personal(portal, typed).then(|| portal.words.say("notice_style.personal", &[]))
}

/// Whether the guard of the letters would stop one that bears it: asked here, because afterwards it stops them all.
fn looks_personal(portal: &Portal, phrase: &str) -> bool {
    let Some(rules) = portal.rules() else { return false };
    let nobody = |_: &str| false;
    let business = Business::new(&nobody, &Headline::default());
    let says = portal.words.say("letter.phrase", &[]);
    [phrase.to_owned(), format!("{says}\n  {phrase}\n")].iter().any(|text| {
        let inspected = Inspected { subject: "", text, attachments: &[], business: &business };
        let detectors = rules.detectors();
        detectors.find(&inspected).iter().any(|finding| detectors.counts(finding))
            || !rules.tags().find("", text, &[]).is_empty()
    })
}
