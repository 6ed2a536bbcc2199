//! Who takes part in the market, for its operator.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::market;

const MARKET: Rule = Rule::May(Action::ManageMarket);

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/market/groups", MARKET, || get(market::page)),
    on(Method::GET, "/market/groups/new", MARKET, || get(market::ask)),
    on(Method::POST, "/market/groups/new", MARKET, || post(market::add)),
    on(Method::GET, "/market/groups/{group}", MARKET, || get(market::show)),
    on(Method::POST, "/market/groups/{group}", MARKET, || post(market::change)),
    on(Method::POST, "/market/groups/{group}/mau", MARKET, || post(market::mau)),
    on(Method::POST, "/market/groups/{group}/participants", MARKET, || post(market::participants)),
    on(Method::GET, "/market/calendars", MARKET, || get(market::calendars)),
];
