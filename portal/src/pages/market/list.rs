//! The companies of the market, page by page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use store::Group;
use templates::pages::{Companies, CompanyRow, Mark};

use crate::access::Visitor;
use crate::access::market::{self, Administered, Market};
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};
use crate::told::Told;

const ROWS: usize = 60;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let market = market::whole(&visitor)?;
    let all: Vec<_> = market.groups().collect();
    let after = asked.value("after");
    let begins = after
        .and_then(|after| all.iter().position(|group| group.id.as_str() == after))
        .map_or(0, |at| at + 1);
    let shown = &all[begins..all.len().min(begins + ROWS)];
    let next = shown.last().filter(|_| begins + shown.len() < all.len());
    Ok(Html(portal.words.page(&Companies {
        frame: portal.frame(&portal.words.say("market.title", &[]), Some(&visitor), Place::Market),
        told: Told::in_words(&portal, &visitor, &asked),
        rows: shown.iter().map(|group| row(&portal, &market, group)).collect(),
        first: (begins > 0).then(|| "/market/groups".to_owned()),
        next: next.map(|group| format!("/market/groups?after={}", group.id)),
    })?))
}

fn row(portal: &Portal, market: &Market, group: &Group) -> CompanyRow {
    let participants = market.participants(&group.id).map(|known| known.mpid.to_string());
    CompanyRow {
        href: format!("/market/groups/{}", group.id),
        name: group.name.clone(),
        id: group.id.to_string(),
        domains: group.domains.join(", "),
        participants: participants.collect::<Vec<_>>().join(", "),
        parent: group.parent.as_ref().map(|parent| market.visitor().group_name(parent)),
        standing: standing(portal, &market.administered(&group.id)),
    }
}

/// How far a company has come.
pub(super) fn standing(portal: &Portal, administered: &Administered) -> Mark {
    let (key, state) = match administered {
        Administered::Acting => ("acting", "good"),
        Administered::Invited(_) => ("invited", "soon"),
        Administered::Nobody => ("nobody", "bad"),
    };
    Mark { label: portal.words.say_of("market_standing", key, &[]).unwrap_or_default(), state }
}
