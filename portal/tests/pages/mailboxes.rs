//! The mailbox map of a company, as its master administration user changes it, and what was seen and is mapped nowhere.

use axum::http::StatusCode;
use store::{Act, Actor, ClientCertificate, DirectoryChange, Mailbox, MailboxAlerts, Observation, Tally};

use crate::market::{Answer, Browser, Market};

const WHAT: &str = "BETA erroneous-transfers initial-request";

async fn post(browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let token = browser.get("/mailboxes").await.token();
    let mut all = vec![("token", token.as_str())];
    all.extend(fields);
    browser.post("/mailboxes", &all).await
}

impl Market {
    fn mapped(&self, address: &str) -> Option<Mailbox> {
        self.ledger.directory().mailbox(&address.parse().unwrap()).cloned()
    }
}

#[tokio::test]
async fn an_address_is_mapped_mapped_anew_and_unmapped() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    assert!(mau.get("/mail").await.text().contains("href=\"/mailboxes\""));
    let empty = mau.get("/mailboxes").await.text();
    assert!(empty.contains("No mailbox is mapped yet") && empty.contains("beta.example"), "{empty}");
    let typed =
        |address, what, times| [("do", "map"), ("address", address), ("what", what), ("times", times)];
    for (fields, says) in [
        (typed("nonsense", WHAT, ""), "That is not an e-mail address"),
        (typed("et@gamma.example", WHAT, ""), "belongs to another company"),
        (typed("et@beta.example", "", ""), "Choose for what it is"),
        (typed("et@beta.example", WHAT, "25:00"), "up to six times"),
    ] {
        let answer = post(&mut mau, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains(says) && answer.text().contains("aria-invalid"), "{}", answer.text());
    }
    let done = post(&mut mau, &typed("et@beta.example", WHAT, "9:00 14:00")).await;
    assert!(mau.get(done.location()).await.text().contains("daily at 09:00 and 14:00"));
    let again = mau.get("/mailboxes?address=et%40beta.example").await.text();
    assert!(again.contains("value=\"09:00 14:00\"") && again.contains("selected"), "{again}");
    post(&mut mau, &typed("et@beta.example", WHAT, "")).await;
    assert_eq!(market.mapped("et@beta.example").unwrap().alerts, MailboxAlerts::AtOnce);
    post(&mut mau, &[("do", "unmap"), ("address", "et@beta.example")]).await;
    assert_eq!(market.mapped("et@beta.example"), None);
}

#[tokio::test]
async fn what_is_another_companys_stays_and_the_try_is_recorded() {
    let market = Market::new().await;
    let mailbox = Mailbox {
        address: "et@gamma.example".parse().unwrap(),
        group: "gamma".parse().unwrap(),
        participant: "GAMA".parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
        alerts: MailboxAlerts::AtOnce,
    };
    let certificate = ClientCertificate {
        fingerprint: [0xab; 32],
        group: "gamma".parse().unwrap(),
        name: "mail.gamma.example".into(),
        not_after: 1_900_000_000,
    };
    let changes = vec![DirectoryChange::Mailbox(mailbox), DirectoryChange::Certificate(certificate.clone())];
    market.ledger.change_directory(&Actor::Tool, changes).await.unwrap();
    let mut mau = market.signed_in("mau@beta.example").await;
    assert!(!mau.get("/mailboxes").await.text().contains("gamma"));
    let next = market.next_event().await;
    let gamas = "GAMA erroneous-transfers initial-request";
    for fields in [
        &[("do", "unmap"), ("address", "et@gamma.example")][..],
        &[("do", "map"), ("address", "et@gamma.example"), ("what", WHAT)][..],
        &[("do", "map"), ("address", "new@beta.example"), ("what", gamas)][..],
        &[("do", "map"), ("address", "new@beta.example"), ("what", "BETA no-process initial-request")][..],
    ] {
        let status = post(&mut mau, fields).await.status;
        assert!(status == StatusCode::NOT_FOUND || status == StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
    }
    let token = mau.get("/mail").await.token();
    let whole = "ab".repeat(32);
    let fields = [("token", token.as_str()), ("do", "remove"), ("certificate", whole.as_str())];
    assert_eq!(mau.post("/mail/proof", &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.acts(next).await, [Act::ChangeRefused; 5]);
    assert!(market.mapped("et@gamma.example").is_some() && market.mapped("new@beta.example").is_none());
    let mut owner = market.signed_in("mau@gamma.example").await;
    let token = owner.get("/mail").await.token();
    let fields = [("token", token.as_str()), ("do", "remove"), ("certificate", whole.as_str())];
    let done = owner.post("/mail/proof", &fields).await;
    assert!(owner.get(done.location()).await.text().contains("does not speak for your company any more"));
    assert!(market.ledger.directory().certificate(&certificate.fingerprint).is_none());
}

#[tokio::test]
async fn the_busiest_unmapped_address_comes_first_and_a_colleagues_is_recognised() {
    let market = Market::new().await;
    let watch = async |group: &str, address: &str, times: usize| {
        let id = market.ledger.unmapped_id(&address.parse().unwrap());
        let tallies = vec![Tally::Unmapped { group: "beta".parse().unwrap(), id, personal: true }];
        let observation = Observation { group: group.parse().unwrap(), tallies };
        for _ in 0..times {
            market.ledger.observe(&observation, &certs::random::<32>().unwrap()).await.unwrap();
        }
    };
    watch("alpha", "sam@beta.example", 3).await;
    watch("gamma", "sam@beta.example", 2).await;
    watch("gamma", "info@beta.example", 7).await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let page = mau.get("/mailboxes").await.text();
    let info = market.ledger.unmapped_id(&"info@beta.example".parse().unwrap());
    let (first, second) = (page.find(&info).unwrap(), page.find(">sam@beta.example<").unwrap());
    assert!(first < second, "the busiest first");
    assert!(!page.contains("info@beta.example") && !page.contains("alpha"), "{page}");
    let asked = mau.get("/mailboxes?address=info%40beta.example").await.text();
    assert!(asked.contains("7 mails came to this address"), "{asked}");
    let other = market.signed_in("mau@gamma.example").await.get("/mailboxes").await.text();
    assert!(other.contains("No mail was seen"), "{other}");
    post(&mut mau, &[("do", "map"), ("address", "info@beta.example"), ("what", WHAT)]).await;
    assert!(!mau.get("/mailboxes").await.text().contains(&info), "mapped now");
}
