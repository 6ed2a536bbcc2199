//! "Notices we really sent you": what went to the visitor's own address, so that a forged mail is one that is not here.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use store::{NOTICE_DAYS, NoticeFate, SentNotice};
use templates::pages::{self, OwnNotice};

use crate::access::Visitor;
use crate::access::alerts;
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};

const HERE: &str = "/account/notices";
const ROWS: usize = 50;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let own = alerts::own(&visitor)?;
    let after = asked.value("after");
    let sent = own.sent(&portal, after, ROWS).await?;
    Ok(Html(portal.words.page(&pages::OwnNotices {
        frame: portal.frame(&portal.words.say("own_notices.title", &[]), Some(&visitor), Place::Account),
        email: visitor.email().to_string(),
        days: NOTICE_DAYS.to_string(),
        notices: sent.notices.iter().map(|notice| row(&portal, notice)).collect(),
        older: sent.next.map(|next| format!("{HERE}?after={next}")),
        newest: after.map(|_| HERE),
    })?))
}

fn row(portal: &Portal, notice: &SentNotice) -> OwnNotice {
    let (fate, bad) = match notice.fate {
        NoticeFate::Sent => ("sent", false),
        NoticeFate::GivenUp => ("given_up", true),
        NoticeFate::Returned => ("returned", true),
    };
    let kind = notice.kind.replace(' ', "_");
    OwnNotice {
        at: dates::when(notice.at),
        kind: portal.words.say_of("notice_kind", &kind, &[]).unwrap_or_else(|| notice.kind.clone()),
        case: notice.case.map(|case| case.to_string()),
        fate: portal.words.say_of("notice_fate", fate, &[]).unwrap_or_default(),
        bad,
    }
}
