//! The visitor's own account.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::{account, alerts, api_tokens, own_notices, own_passkeys, own_proof, own_sign_in};

/// How one signs in is everybody's own, the operator's too.
const SIGN_IN: Rule = Rule::May(Action::ManageSignIn);

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/account", Rule::May(Action::ManageAppPasswords), || get(account::page)),
    on(Method::POST, "/account/app-passwords", Rule::May(Action::ManageAppPasswords), || post(account::make)),
    on(
        Method::POST,
        "/account/app-passwords/{password}/revoke",
        Rule::May(Action::ManageAppPasswords),
        || post(account::revoke),
    ),
    on(Method::GET, "/account/alerts", Rule::May(Action::ManageAlerts), || get(alerts::page)),
    on(Method::POST, "/account/alerts", Rule::May(Action::ManageAlerts), || post(alerts::choose)),
    on(Method::GET, "/account/notices", Rule::May(Action::ManageAlerts), || get(own_notices::page)),
    on(Method::GET, "/account/sign-in", SIGN_IN, || get(own_sign_in::page)),
    on(Method::GET, "/account/confirm", SIGN_IN, || get(own_proof::page)),
    on(Method::POST, "/account/confirm", SIGN_IN, || post(own_proof::confirm)),
    on(Method::POST, "/account/password", SIGN_IN, || post(own_sign_in::change_password)),
    on(Method::GET, "/account/app", SIGN_IN, || get(own_sign_in::app)),
    on(Method::POST, "/account/app", SIGN_IN, || post(own_sign_in::begin_app)),
    on(Method::POST, "/account/app/confirm", SIGN_IN, || post(own_sign_in::confirm_app)),
    on(Method::POST, "/account/app/remove", SIGN_IN, || post(own_sign_in::remove_app)),
    on(Method::POST, "/account/recovery-codes", SIGN_IN, || post(own_sign_in::renew_recovery)),
    on(Method::POST, "/account/sessions/end-others", SIGN_IN, || post(own_sign_in::end_others)),
    on(Method::POST, "/account/sessions/{session}/end", SIGN_IN, || post(own_sign_in::end_session)),
    on(Method::GET, "/account/tokens", Rule::May(Action::ManageApiTokens), || get(api_tokens::page)),
    on(Method::POST, "/account/tokens", Rule::May(Action::ManageApiTokens), || post(api_tokens::make)),
    on(Method::POST, "/account/tokens/{name}/revoke", Rule::May(Action::ManageApiTokens), || {
        post(api_tokens::revoke)
    }),
    on(Method::POST, "/account/passkey/begin", SIGN_IN, || post(own_passkeys::begin)),
    on(Method::GET, "/account/passkey", SIGN_IN, || get(own_passkeys::page)),
    on(Method::POST, "/account/passkey", SIGN_IN, || post(own_passkeys::add)),
    on(Method::POST, "/account/passkeys/{passkey}/remove", SIGN_IN, || post(own_passkeys::remove)),
];
