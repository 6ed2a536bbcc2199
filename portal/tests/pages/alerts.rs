//! Alerts: chosen by their user, or by the administrator for whoever chose nothing.

use axum::http::StatusCode;
use store::{Act, AlertPace, AlertRule, Alerts, AlertsOf};

use crate::market::{Answer, Browser, Market};

const OWN: &str = "/account/alerts";
const COMPANY: &str = "/company/alerts";

impl Browser {
    async fn choose_alerts(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/account").await.token();
        let fields: Vec<_> = [("token", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post(path, &fields).await
    }
}

#[tokio::test]
async fn a_user_chooses_a_digest_and_goes_back_to_the_company() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get(OWN).await.text();
    assert!(page.contains("As my company has set it: no alerts"), "{page}");
    let next = market.next_event().await;
    let timeless = sam.choose_alerts(OWN, &[("pace", "digest"), ("whose", "own")]).await;
    assert_eq!(timeless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(timeless.text().contains("Choose at least one time"));
    assert_eq!(market.acts(next).await, []);
    let digest = [("pace", "digest"), ("time", "480"), ("time", "960"), ("whose", "own")];
    let digest: Vec<_> = digest.into_iter().chain([("for-erroneous-transfers", "at-once-all")]).collect();
    let answer = sam.choose_alerts(OWN, &digest).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = sam.get(answer.location()).await.text();
    assert!(page.contains("Saved.") && page.contains("value=\"digest\" checked"), "{page}");
    assert!(page.contains("value=\"at-once-all\" selected"), "{page}");
    assert_eq!(market.acts(next).await, [Act::AlertsSet]);
    let expected = Alerts {
        times: vec![480, 960],
        every: AlertRule { pace: AlertPace::Digest, whose: AlertsOf::Own },
        processes: vec![(
            "erroneous-transfers".parse().unwrap(),
            AlertRule { pace: AlertPace::AtOnce, whose: AlertsOf::All },
        )],
    };
    assert_eq!(market.user("sam@beta.example").alerts, Some(expected));
    sam.choose_alerts(OWN, &[("pace", "company")]).await;
    assert_eq!(market.user("sam@beta.example").alerts, None);
    for wrong in [[("pace", "hourly"), ("whose", "all")], [("pace", "never"), ("whose", "theirs")]] {
        assert_eq!(sam.choose_alerts(OWN, &wrong).await.status, StatusCode::BAD_REQUEST, "{wrong:?}");
    }
}

#[tokio::test]
async fn an_administrator_chooses_for_the_company_and_nobody_else_does() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    assert_eq!(sam.get(COMPANY).await.status, StatusCode::NOT_FOUND);
    let refused = sam.choose_alerts(COMPANY, &[("pace", "never"), ("whose", "all")]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let mut mau = market.signed_in("mau@beta.example").await;
    assert!(mau.get(OWN).await.text().contains(COMPANY));
    let next = market.next_event().await;
    let digest = [("pace", "digest"), ("time", "720"), ("whose", "all")];
    let answer = mau.choose_alerts(COMPANY, &digest).await;
    assert!(mau.get(answer.location()).await.text().contains("Saved."));
    assert_eq!(market.acts(next).await, [Act::GroupAlertsSet]);
    assert!(sam.get(OWN).await.text().contains("digest at 12:00, every case that may be read"));
    let mut operator = market.signed_in("ope@alpha.example").await;
    for path in [OWN, COMPANY] {
        assert_eq!(operator.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_phrase_and_links_are_the_administrators_to_set() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let next = market.next_event().await;
    for wrong in ["kettle", "look at https://evil.example/x", "Green kettle 1200023305967"] {
        let answer = mau.choose_alerts("/company/notices", &[("phrase", wrong)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(answer.text().contains("id=\"phrase-wrong\""), "{wrong}");
    }
    assert_eq!(market.acts(next).await, []);
    let style = [("phrase", " Green kettle on the roof "), ("link_free", "yes")];
    let answer = mau.choose_alerts("/company/notices", &style).await;
    let page = mau.get(answer.location()).await.text();
    assert!(page.contains("Green kettle on the roof") && page.contains("value=\"yes\""), "{page}");
    assert_eq!(market.acts(next).await, [Act::NoticeStyleSet]);
    let mut sam = market.signed_in("sam@beta.example").await;
    let refused = sam.choose_alerts("/company/notices", &style).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    mau.choose_alerts("/company/notices", &[("phrase", "")]).await;
    assert_eq!(market.acts(next).await.last(), Some(&Act::NoticeStyleSet));
}

#[tokio::test]
async fn a_user_sees_what_was_really_sent_and_nobody_elses() {
    let market = Market::new().await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get("/account/notices").await.text();
    assert!(page.contains("Nothing was sent to you yet"), "{page}");
    sam.choose_alerts(OWN, &[("pace", "at-once"), ("whose", "all")]).await;
    let case = market.send(&crate::market::rich_mail()).await.reference;
    for leased in market.ledger.lease_jobs(99, std::time::Duration::from_secs(60), &[]).await.unwrap() {
        market.ledger.finish_job(leased, store::Outcome::Done).await.unwrap();
    }
    let page = sam.get("/account/notices").await.text();
    assert!(
        page.contains("Alert: a message is waiting") && page.contains("taken by your mail system"),
        "{page}"
    );
    assert!(page.contains(&case), "{page}");
    assert!(page.contains("Has a mail come that is not in this list?"));
    let mut pat = market.signed_in("pat@beta.example").await;
    assert!(!pat.get("/account/notices").await.text().contains(&case));
    let strange = pat.get("/account/notices?after=zz").await;
    assert_eq!(strange.status, StatusCode::OK);
}
