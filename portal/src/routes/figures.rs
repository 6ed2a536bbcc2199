//! Counts: what shadow mode shows, reports, the audit trail of a company.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::{audit, reports, shadow};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/shadow", Rule::May(Action::ReadShadow), || get(shadow::page)),
    on(Method::GET, "/shadow/counts.csv", Rule::May(Action::ReadShadow), || get(shadow::csv)),
    on(Method::GET, "/shadow/counts.json", Rule::May(Action::ReadShadow), || get(shadow::json)),
    on(Method::GET, "/shadow/stage", Rule::May(Action::SetStage), || get(shadow::ask)),
    on(Method::POST, "/shadow/stage", Rule::May(Action::SetStage), || post(shadow::set)),
    on(Method::GET, "/market/shadow", Rule::May(Action::ReadMarketShadow), || get(shadow::market)),
    on(Method::GET, "/market/shadow/counts.csv", Rule::May(Action::ReadMarketShadow), || {
        get(shadow::market_csv)
    }),
    on(Method::GET, "/market/shadow/counts.json", Rule::May(Action::ReadMarketShadow), || {
        get(shadow::market_json)
    }),
    on(Method::GET, "/market/shadow/stage", Rule::May(Action::SetMarketStage), || get(shadow::ask_market)),
    on(Method::POST, "/market/shadow/stage", Rule::May(Action::SetMarketStage), || post(shadow::set_market)),
    on(Method::GET, "/reports", Rule::May(Action::ReadOwnFigures), || get(reports::page)),
    on(Method::GET, "/reports/figures.csv", Rule::May(Action::ReadOwnFigures), || get(reports::csv)),
    on(Method::GET, "/reports/figures.json", Rule::May(Action::ReadOwnFigures), || get(reports::json)),
    on(Method::GET, "/market/reports", Rule::May(Action::ReadMarketReports), || get(reports::market)),
    on(Method::GET, "/market/reports/figures.csv", Rule::May(Action::ReadMarketReports), || {
        get(reports::market_csv)
    }),
    on(Method::GET, "/market/reports/figures.json", Rule::May(Action::ReadMarketReports), || {
        get(reports::market_json)
    }),
    on(Method::GET, "/audit", Rule::May(Action::ReadAudit), || get(audit::page)),
    on(Method::GET, "/audit/events.csv", Rule::May(Action::ReadAudit), || get(audit::csv)),
    on(Method::GET, "/audit/events.jsonl", Rule::May(Action::ReadAudit), || get(audit::json_lines)),
];
