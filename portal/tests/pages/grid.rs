//! Permissions box by box, column by column, copied from a colleague, and for many people at once.

use axum::http::StatusCode;
use store::{Act, Permission};

use crate::market::{Answer, Browser, Market};

const SAM: &str = "sam@beta.example";
const KIT: &str = "kit@beta.example";
const ET: &str = "erroneous-transfers initial-request";

fn seen(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"seen\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

impl Market {
    fn grid(&self, email: &str) -> String {
        format!("/people/{}/permissions", self.user(email).id)
    }

    fn held(&self, email: &str) -> Vec<String> {
        let text = |held: &Permission| format!("{} {} {}", held.participant, held.process, held.contact_type);
        self.user(email).permissions.iter().map(text).collect()
    }
}

async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    let (token, seen) = (page.token(), seen(&page));
    let mut all = vec![("token", token.as_str()), ("seen", seen.as_str()), ("participant", "BETA")];
    all.extend(fields);
    browser.post(path, &all).await
}

#[tokio::test]
async fn boxes_columns_and_copies() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let (kit, sam) = (market.grid(KIT), market.user(SAM).id.to_string());
    let page = mau.get(&kit).await.text();
    assert!(page.len() < 60_000, "{}", page.len());
    assert!(page.contains("Erroneous Transfers") && !page.contains("Electricity Disconnections<x"));
    let next = market.next_event().await;
    let saved = post(&mut mau, &kit, &[("do", "save"), ("box", ET), ("end", "end")]).await;
    assert!(mau.get(saved.location()).await.text().contains("Saved."));
    assert_eq!(market.acts(next).await, [Act::PermissionGranted]);
    assert_eq!(market.held(KIT), ["BETA erroneous-transfers initial-request"]);
    let cut = post(&mut mau, &kit, &[("do", "save"), ("box", ET)]).await;
    assert_eq!(cut.status, StatusCode::BAD_REQUEST, "a form that lost its end takes nothing away");
    post(&mut mau, &kit, &[("do", "column"), ("rung", "contract-manager")]).await;
    let held = market.held(KIT);
    assert!(held.len() > 5 && held[1..].iter().any(|one| one.ends_with("contract-manager")), "{held:?}");
    post(&mut mau, &kit, &[("do", "everything")]).await;
    assert!(market.held(KIT).len() > held.len());
    post(&mut mau, &kit, &[("do", "copy-replace"), ("colleague", &sam)]).await;
    assert_eq!(market.held(KIT), market.held(SAM));
    let esc = market.user("esc@beta.example").id.to_string();
    post(&mut mau, &kit, &[("do", "copy-add"), ("colleague", &esc)]).await;
    assert_eq!(market.held(KIT).len(), 2);
    post(&mut mau, &kit, &[("do", "nothing")]).await;
    assert!(market.held(KIT).is_empty());
    let same = post(&mut mau, &kit, &[("do", "nothing")]).await;
    assert!(mau.get(same.location()).await.text().contains("Nothing was different"));
}

#[tokio::test]
async fn what_no_form_offers_is_refused_and_recorded() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let kit = market.grid(KIT);
    let gus = market.user("gus@gamma.example").id.to_string();
    let next = market.next_event().await;
    let tries: [&[(&str, &str)]; 5] = [
        &[("do", "save"), ("box", "erroneous-transfers no-such-rung"), ("end", "end")],
        &[("do", "save"), ("box", "no-such-process initial-request"), ("end", "end")],
        &[("do", "copy-add"), ("colleague", &gus)],
        &[("do", "copy-replace"), ("colleague", "nobody")],
        &[("do", "save"), ("box", "x"), ("end", "end")],
    ];
    for fields in tries {
        assert_eq!(post(&mut mau, &kit, fields).await.status, StatusCode::NOT_FOUND, "{fields:?}");
    }
    let page = mau.get(&kit).await;
    let foreign = [
        ("token", page.token()),
        ("seen", seen(&page)),
        ("participant", "GAMA".into()),
        ("do", "everything".into()),
    ];
    let foreign: Vec<_> = foreign.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(mau.post(&kit, &foreign).await.status, StatusCode::NOT_FOUND);
    let own = market.grid("mau@beta.example");
    assert_eq!(post(&mut mau, &own, &[("do", "everything")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.acts(next).await, [Act::ChangeRefused; 7]);
    assert!(market.held(KIT).is_empty() && market.held("mau@beta.example").is_empty());
}

#[tokio::test]
async fn many_people_get_a_permission_at_once_or_none_does() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let page = mau.get("/people/several").await;
    assert!(page.text().contains("BETA · Erroneous Transfers · every contact type"));
    let token = page.token();
    let (kit, sam) = (market.user(KIT).id.to_string(), market.user(SAM).id.to_string());
    let what = "BETA debt-assignment";
    let nobody = mau.post("/people/several", &[("token", &token), ("what", what), ("do", "give")]).await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nobody.text().contains("Tick at least one person"));
    let both =
        [("token", token.as_str()), ("person", &kit), ("person", &sam), ("what", what), ("do", "give")];
    mau.post("/people/several", &both).await;
    assert!(market.held(KIT).len() > 2 && market.held(SAM).len() == market.held(KIT).len() + 1);
    let take = [("token", token.as_str()), ("person", &sam), ("what", what), ("do", "take")];
    mau.post("/people/several", &take).await;
    assert_eq!(market.held(SAM).len(), 1);
    let own = market.user("mau@beta.example").id.to_string();
    let gus = market.user("gus@gamma.example").id.to_string();
    let next = market.next_event().await;
    for stranger in [&own, &gus] {
        let fields = [
            ("token", token.as_str()),
            ("person", &sam),
            ("person", stranger),
            ("what", what),
            ("do", "give"),
        ];
        assert_eq!(mau.post("/people/several", &fields).await.status, StatusCode::NOT_FOUND);
    }
    let foreign =
        [("token", token.as_str()), ("person", &sam), ("what", "GAMA debt-assignment"), ("do", "give")];
    assert_eq!(mau.post("/people/several", &foreign).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.acts(next).await, [Act::ChangeRefused; 3]);
    assert_eq!(market.held(SAM).len(), 1);
}
