//! The first page: what waits, counted; and a list of cases that a filter narrows.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use policies::access::Action;
use store::CaseCounts;
use templates::pages::{Bulk, Choice, Home, Tile};

use crate::access::{self, Visitor, lists};
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::pages::{case_lists, list_filter::Filter};
use crate::portal::{Place, Portal};

/// Cases on one page.
const ON_A_PAGE: usize = 25;

pub(crate) async fn home(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let now = portal.ledger.now();
    let filter = Filter::read(|field| asked.value(field));
    let wanted = filter.wanted(&visitor, now);
    let after = asked.value("after");
    let counts = lists::counts(&portal, &visitor, dates::midnight(now)).await?;
    let (cases, next) = lists::page(&portal, &visitor, &wanted, after, ON_A_PAGE).await?;
    let full = cases.len() == ON_A_PAGE;
    let older = next.map(|next| filter.href(Some(&next)));
    let mut rows = case_lists::rows(&portal, &cases, now);
    for (row, case) in rows.iter_mut().zip(&cases) {
        let owner = case.owner().map_or_else(|| "-".to_owned(), |owner| owner.to_string());
        row.pick = Some(format!("{}.{owner}", case.case().id));
    }
    Ok(Html(portal.words.page(&Home {
        frame: portal.frame("Cases", Some(&visitor), Place::Cases),
        company: visitor.company(),
        operator: visitor.may(Action::ManageMarket),
        unpermitted: lists::permissions(&visitor).is_empty(),
        being_made: !portal.ledger.lists_are_made().await?,
        tiles: tiles(&portal, &visitor, &counts, &filter).await?,
        filtered: !filter.is_empty(),
        selects: filter.selects(&portal, &visitor),
        bulk: Bulk {
            token: visitor.form_token().to_owned(),
            back: filter.query(),
            people: people(&portal, &visitor),
        },
        rows,
        cut: older.clone().filter(|_| !full),
        older: older.filter(|_| full),
        newest: after.map(|_| filter.href(None)),
    })?))
}

/// To whom cases may be given.
pub(crate) fn people(portal: &Portal, visitor: &Visitor) -> Vec<Choice> {
    let fixed =
        [("me", portal.words.say("lists.me", &[])), ("nobody", portal.words.say("lists.nobody", &[]))];
    let fixed = fixed.into_iter().map(|(value, label)| (value.to_owned(), label));
    let others = lists::colleagues(visitor).into_iter().map(|(id, name)| (id.to_string(), name));
    fixed.chain(others).map(|(value, label)| Choice { chosen: value == "me", value, label }).collect()
}

/// `365,000`
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What waits: each a number and the list of it.
async fn tiles(
    portal: &Portal,
    visitor: &Visitor,
    counts: &CaseCounts,
    filter: &Filter,
) -> Result<Vec<Tile>, Problem> {
    let here = filter.query();
    let tile = |name: &'static str, query: &str, count: u64, pressing: bool| Tile {
        label: portal.words.say_of("list_tile", name, &[]).unwrap_or_default(),
        count: grouped(count),
        href: format!("/?{query}"),
        current: here == query,
        pressing: pressing && count > 0,
    };
    let mut tiles = vec![
        tile("own", "owner=me", counts.own, false),
        tile("unowned", "owner=nobody", counts.unowned, false),
        tile("today", "due=today", counts.due_today, true),
        tile("overdue", "due=overdue", counts.overdue, true),
        tile("escalation", "due=escalation", counts.escalation_open, false),
        tile("undelivered", "notice=back", counts.undelivered, true),
    ];
    if visitor.may(Action::ListHeld) {
        /// More are not counted.
        const COUNTED: usize = 100;
        let page = access::held::list(portal, visitor, None, COUNTED).await?;
        let more = if page.next.is_some() { "+" } else { "" };
        tiles.push(Tile {
            count: format!("{}{more}", page.mails.len()),
            href: "/held".to_owned(),
            pressing: !page.mails.is_empty(),
            ..tile("held", "", 0, true)
        });
    }
    Ok(tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_are_written_so_that_they_can_be_read() {
        let written = [0, 999, 1_000, 365_000, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "365,000", "1,234,567"]);
    }
}
