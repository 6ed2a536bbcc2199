//! What administers the visitor's company.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::{alerts, mail_ways, mailboxes, notice_style, sign_in_rules};

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/mail", Rule::May(Action::ReadMailAdministration), || get(mail_ways::page)),
    on(Method::POST, "/mail/task/{task}/done", Rule::May(Action::CloseTask), || post(mail_ways::done)),
    on(Method::GET, "/company/sign-in", Rule::May(Action::SetSignInRules), || get(sign_in_rules::page)),
    on(Method::POST, "/company/sign-in", Rule::May(Action::SetSignInRules), || post(sign_in_rules::set)),
    on(Method::GET, "/company/alerts", Rule::May(Action::SetCompanyAlerts), || get(alerts::company_page)),
    on(Method::POST, "/company/alerts", Rule::May(Action::SetCompanyAlerts), || {
        post(alerts::choose_for_company)
    }),
    on(Method::POST, "/company/notices", Rule::May(Action::SetCompanyAlerts), || post(notice_style::set)),
    on(Method::POST, "/mail/proof", Rule::May(Action::ManageMailboxes), || post(mailboxes::prove)),
    on(Method::GET, "/mailboxes", Rule::May(Action::ManageMailboxes), || get(mailboxes::page)),
    on(Method::POST, "/mailboxes", Rule::May(Action::ManageMailboxes), || post(mailboxes::change)),
];
