//! Second factors: codes of an app and of paper, each good once; the way between password and second step.

use super::*;
use crate::{EntryToken, RECOVERY_CODES, SecondStep};

/// The code that the app of `secret` shows now.
fn shown(market: &Market, secret: &certs::totp::TotpSecret) -> String {
    secret.code_at(u64::try_from(market.ledger.now().as_second()).unwrap())
}

#[tokio::test]
async fn an_app_counts_once_it_has_shown_a_code() {
    for market in Market::everywhere().await {
        let (ledger, user) = (&market.ledger, market.reader);
        assert!(!ledger.factors(user).await.unwrap().any());
        let secret = ledger.begin_app(user).await.unwrap();
        assert!(!ledger.factors(user).await.unwrap().any(), "not yet");
        assert_eq!(ledger.use_code(user, &shown(&market, &secret)).await.unwrap(), None);
        assert_eq!(ledger.confirm_app(user, "000000").await.unwrap(), None);
        let codes = ledger.confirm_app(user, &shown(&market, &secret)).await.unwrap().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let summary = ledger.factors(user).await.unwrap();
        assert!(summary.any() && summary.recovery_left == RECOVERY_CODES);
        assert_eq!(
            ledger.use_code(user, &shown(&market, &secret)).await.unwrap(),
            None,
            "a code counts once"
        );
        market.pass(SignedDuration::from_secs(30));
        let code = shown(&market, &secret);
        let spaced = format!(" {} {}", &code[..3], &code[3..]);
        assert_eq!(ledger.use_code(user, &spaced).await.unwrap(), Some(SecondStep::App));
        assert_eq!(ledger.use_code(user, &code).await.unwrap(), None, "nor is it replayed");
        let everything = market.everything().await;
        let found = |needle: &[u8]| everything.windows(needle.len()).any(|window| window == needle);
        assert!(!found(secret.bytes()) && !found(secret.in_base32().as_bytes()), "sealed at rest");
        assert!(!codes.iter().any(|code| found(code.replace('-', "").as_bytes())));
    }
}

#[tokio::test]
async fn recovery_codes_count_once_and_new_ones_replace_them() {
    for market in Market::everywhere().await {
        let (ledger, user) = (&market.ledger, market.reader);
        let secret = ledger.begin_app(user).await.unwrap();
        let codes = ledger.confirm_app(user, &shown(&market, &secret)).await.unwrap().unwrap();
        let typed = codes[3].to_uppercase().replace('-', " ");
        assert_eq!(ledger.use_code(user, &typed).await.unwrap(), Some(SecondStep::Recovery));
        assert_eq!(ledger.use_code(user, &codes[3]).await.unwrap(), None);
        assert_eq!(ledger.factors(user).await.unwrap().recovery_left, RECOVERY_CODES - 1);
        let newer = ledger.renew_recovery(user).await.unwrap();
        assert_eq!(ledger.use_code(user, &codes[4]).await.unwrap(), None);
        assert_eq!(ledger.use_code(user, &newer[4]).await.unwrap(), Some(SecondStep::Recovery));
        let stranger = UserId::new(ledger.now()).unwrap();
        assert_eq!(ledger.use_code(stranger, &newer[5]).await.unwrap(), None, "for its owner alone");
        let session = ledger.start_session(user).await.unwrap();
        ledger.reset_factors(&Actor::Tool, user).await.unwrap();
        assert!(ledger.session(&session).await.unwrap().is_none(), "who found the telephone is out");
        assert_eq!(ledger.use_code(user, &newer[5]).await.unwrap(), None);
        assert!(!ledger.factors(user).await.unwrap().any());
        assert_eq!(market.count(Act::RecoveryCodeUsed).await, 2);
        assert_eq!(market.count(Act::FactorsReset).await, 1);
    }
}

#[tokio::test]
async fn of_many_who_use_one_code_one_passes() {
    for market in Market::everywhere().await {
        let (ledger, user) = (&market.ledger, market.reader);
        let secret = ledger.begin_app(user).await.unwrap();
        ledger.confirm_app(user, &shown(&market, &secret)).await.unwrap().unwrap();
        market.pass(SignedDuration::from_secs(60));
        let code = shown(&market, &secret);
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (ledger, code) = (ledger.clone(), code.clone());
            tries.spawn(async move { ledger.use_code(user, &code).await.unwrap().is_some() });
        }
        assert_eq!(tries.join_all().await.into_iter().filter(|passed| *passed).count(), 1);
    }
}

#[tokio::test]
async fn who_is_invited_needs_a_second_factor_and_who_was_there_does_not() {
    let market = Market::open().await;
    assert!(!market.ledger.factors(market.reader).await.unwrap().required);
    market.ledger.invite(&Actor::Tool, market.reader).await.unwrap();
    assert!(market.ledger.factors(market.reader).await.unwrap().required);
    market.ledger.reset_factors(&Actor::Tool, market.reader).await.unwrap();
    assert!(market.ledger.factors(market.reader).await.unwrap().required, "only the factors are gone");
}

#[tokio::test]
async fn between_the_steps_there_are_few_tries_and_little_time() {
    for market in Market::everywhere().await {
        let ledger = &market.ledger;
        let token = ledger.begin_entry(market.reader, "/case/x").await.unwrap();
        assert_eq!(ledger.entry(&token).await.unwrap().unwrap().next, "/case/x");
        for _ in 0..5 {
            assert!(ledger.try_entry(&token).await.unwrap().is_some());
        }
        assert_eq!(ledger.try_entry(&token).await.unwrap(), None);
        assert_eq!(ledger.session(&SessionToken::from_cookie(token.as_str())).await.unwrap(), None);
        let session = ledger.start_session(market.reader).await.unwrap();
        assert_eq!(ledger.entry(&EntryToken::from_cookie(session.as_str())).await.unwrap(), None);
        let token = ledger.begin_entry(market.reader, "/").await.unwrap();
        market.pass(SignedDuration::from_mins(15));
        assert_eq!(ledger.entry(&token).await.unwrap(), None);
        assert_eq!(ledger.sweep_entries().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_group_sets_who_needs_a_second_step_and_nobody_else_does() {
    use crate::{SecondStepDefault as Default, SecondStepRule as Rule, SignInRules};
    for (set, default, invited, needed) in [
        (None, Default::Invited, false, false),
        (None, Default::Invited, true, true),
        (None, Default::Everybody, false, true),
        (Some(Rule::Everybody), Default::Invited, false, true),
        (Some(Rule::OwnChoice), Default::Everybody, true, false),
    ] {
        assert_eq!(SignInRules { second_step: set }.need_second_step(default, invited), needed);
    }
    for market in Market::everywhere().await {
        let (ledger, beta) = (&market.ledger, "beta".parse().unwrap());
        let reader = ledger.set_second_step_rule(&Actor::User(market.reader), &beta, None).await;
        assert!(matches!(reader, Err(StoreError::Denied(_))), "{reader:?}");
        let portal = ledger.set_second_step_rule(&Actor::Portal, &beta, Some(Rule::OwnChoice)).await;
        assert!(matches!(portal, Err(StoreError::Denied(_))));
        ledger.set_second_step_rule(&Actor::Tool, &beta, Some(Rule::Everybody)).await.unwrap();
        assert_eq!(ledger.sign_in_rules(&beta).await.unwrap().second_step, Some(Rule::Everybody));
        assert_eq!(ledger.sign_in_rules(&"alpha".parse().unwrap()).await.unwrap(), SignInRules::default());
        assert_eq!(market.count(Act::SecondStepRuleSet).await, 1);
    }
}

#[tokio::test]
async fn a_token_counts_for_its_time_and_its_user_and_is_stored_nowhere() {
    use crate::{ApiScope, TokenNotMade};
    let day = std::time::Duration::from_hours(24);
    for market in Market::everywhere().await {
        let (ledger, user) = (&market.ledger, market.reader);
        let scopes = [ApiScope::ReportsRead, ApiScope::CasesRead, ApiScope::CasesRead];
        let token = ledger.make_api_token(user, "Nightly", &scopes, 30 * day).await.unwrap().unwrap();
        let everything = market.everything().await;
        assert!(!everything.windows(token.len()).any(|window| window == token.as_bytes()));
        for (name, scopes, life, why) in [
            ("Nightly", &scopes[..], day, TokenNotMade::NameTaken),
            ("Other", &[], day, TokenNotMade::NoScope),
            ("Other", &scopes[..], 400 * day, TokenNotMade::TooLong),
        ] {
            assert_eq!(ledger.make_api_token(user, name, scopes, life).await.unwrap(), Err(why));
        }
        let found = ledger.api_token(&token).await.unwrap().unwrap();
        assert_eq!((found.user, found.scopes), (user, vec![ApiScope::CasesRead, ApiScope::ReportsRead]));
        for strange in [&token[1..], "", "postern_", &format!("{token}x")] {
            assert_eq!(ledger.api_token(strange).await.unwrap(), None);
        }
        let (name, listed) = ledger.api_tokens_of(user).await.unwrap().remove(0);
        assert_eq!(listed.used, Some(ledger.now()));
        let stranger = UserId::new(ledger.now()).unwrap();
        assert!(!ledger.revoke_api_token(stranger, &name).await.unwrap());
        market.pass(SignedDuration::from_hours(30 * 24));
        assert_eq!(ledger.api_token(&token).await.unwrap(), None, "over");
        assert_eq!(ledger.sweep_api_tokens().await.unwrap(), 1);
        assert_eq!(ledger.api_tokens_of(user).await.unwrap(), []);
        let token = ledger.make_api_token(user, "Nightly", &scopes, day).await.unwrap().unwrap();
        let (name, _) = ledger.api_tokens_of(user).await.unwrap().remove(0);
        assert!(ledger.revoke_api_token(user, &name).await.unwrap());
        assert_eq!(ledger.api_token(&token).await.unwrap(), None, "revoked");
    }
}
