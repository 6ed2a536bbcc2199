//! The first page: its counts and lists, by permission alone; giving many cases at once; and the same bytes whether or not
//! another group has cases.

use axum::http::StatusCode;

use crate::market::{Answer, Browser, Market, Sent};
use crate::scenes::OUTSIDER;

const MAIL: &[u8] = b"From: a@alpha.example\r\n\r\ntext\r\n";

/// The number on a tile.
fn count(page: &str, label: &str) -> String {
    let end = format!("</strong> <span>{label}</span>");
    let before = page.split(&end).next().filter(|before| before.len() < page.len()).expect(label);
    before.rsplit("<strong>").next().unwrap().to_owned()
}

fn plain(text: String) -> String {
    text.replace("&#x3D;", "=")
}

impl Market {
    /// Makes the user the owner, whatever page it is done on.
    async fn claim(&self, email: &str, sent: &Sent) {
        let (user, beta) = (self.user(email).id, "beta".parse().unwrap());
        let actor = store::Actor::User(user);
        self.ledger.assign(&actor, sent.case.parse().unwrap(), &beta, None, Some(user)).await.unwrap();
    }
}

impl Browser {
    async fn post_fields(&mut self, path: &str, fields: &[(String, String)]) -> Answer {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(path, &fields).await
    }
}

async fn three(market: &Market) -> [Sent; 3] {
    [market.send(MAIL).await, market.send(MAIL).await, market.send(MAIL).await]
}

#[tokio::test]
async fn what_waits_is_counted_and_each_count_leads_to_its_list() {
    let market = Market::new().await;
    let [mine, free, other] = three(&market).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    market.claim("sam@beta.example", &mine).await;
    market.claim("pat@beta.example", &other).await;
    let page = plain(sam.get("/").await.text());
    for (label, number) in [
        ("My cases", "1"),
        ("Nobody's", "1"),
        ("Due today", "0"),
        ("Overdue", "0"),
        ("Notices came back", "0"),
    ] {
        let label = label.replace('\'', "&#x27;");
        assert_eq!(count(&page, &label), number, "{label}");
    }
    for (query, there) in [
        ("owner=me", [true, false, false]),
        ("owner=nobody", [false, true, false]),
        ("state=awaiting-us", [true, true, true]),
        ("state=closed", [false, false, false]),
        ("with=alpha&order=opened", [true, true, true]),
        ("with=gamma", [false, false, false]),
        ("due=overdue", [false, false, false]),
        ("order=due", [true, true, true]),
        ("age=7", [false, false, false]),
        ("process=debt-assignment", [false, false, false]),
        ("owner=%22%3E%3Cscript%3E&after=zz", [true, true, true]),
    ] {
        let page = sam.get(&format!("/?{query}")).await.text();
        let shown = [&mine, &free, &other].map(|sent| page.contains(&sent.case));
        assert_eq!(shown, there, "{query}");
        assert!(!page.contains("\"><script"), "{query}");
        assert!(page.len() < 60_000, "{query}");
    }
    // Without a permission there is nothing to count.
    let page = market.signed_in("kit@beta.example").await.get("/").await.text();
    assert!(page.contains("You have no permissions yet") && !page.contains(&mine.case));
    assert_eq!(count(&page, "My cases"), "0");
}

#[tokio::test]
async fn many_cases_are_given_at_once_and_what_was_not_possible_is_said_for_each() {
    let market = Market::new().await;
    let [one, two, three] = three(&market).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let token = sam.get("/").await.token();
    let (pat, kit) = (market.user("pat@beta.example").id, market.user("kit@beta.example").id);
    // Somebody else is faster with the third.
    market.claim("pat@beta.example", &three).await;
    let picked = |sent: &Sent| ("case".to_owned(), format!("{}.-", sent.case));
    let form = |owner: String, cases: Vec<(String, String)>| {
        let fixed = [("token".to_owned(), token.clone()), ("owner".to_owned(), owner)];
        fixed.into_iter().chain(cases).collect::<Vec<_>>()
    };
    let absent = ("case".to_owned(), format!("{}.-", "0".repeat(32)));
    let cases = vec![picked(&one), picked(&three), absent];
    let page = sam.post_fields("/cases/give", &form(pat.to_string(), cases)).await;
    assert_eq!(page.status, StatusCode::OK);
    let page = page.text();
    assert!(page.contains("One case has changed hands."), "{page}");
    assert!(page.contains("Somebody else took") && page.contains("There is no such case"), "{page}");
    let owner = |sent: &Sent| {
        let (ledger, case) = (market.ledger.clone(), sent.case.parse().unwrap());
        async move {
            let case = ledger.case(case).await.unwrap().unwrap();
            case.side(&"beta".parse().unwrap()).unwrap().owner
        }
    };
    assert_eq!(owner(&one).await, Some(pat));
    // Kit holds no permission: a case cannot be hers.
    let page = sam.post_fields("/cases/give", &form(kit.to_string(), vec![picked(&two)])).await.text();
    assert!(page.contains("The new owner has no permission for it."), "{page}");
    assert_eq!(owner(&two).await, None);
    let many = (0..52).map(|_| picked(&two)).collect();
    let page = sam.post_fields("/cases/give", &form(kit.to_string(), many)).await.text();
    assert!(page.contains("2 more cases were picked. Fifty are given at once"), "{page}");
    let wrong =
        vec![("token".to_owned(), "wrong".to_owned()), ("owner".to_owned(), "me".to_owned()), picked(&two)];
    assert_eq!(sam.post_fields("/cases/give", &wrong).await.status, StatusCode::FORBIDDEN);
    assert_eq!(owner(&two).await, None, "nothing changes without the session's token");
    // Of another company, and of another contact type: as if there were no such case.
    for email in ["gus@gamma.example", "esc@beta.example", "kit@beta.example"] {
        let mut stranger = market.signed_in(email).await;
        let token = stranger.get("/").await.token();
        let form = [("token".to_owned(), token), ("owner".to_owned(), "me".to_owned()), picked(&two)];
        let page = stranger.post_fields("/cases/give", &form).await.text();
        assert!(page.contains("There is no such case") && !page.contains(&two.reference), "{email}");
    }
    assert_eq!(owner(&two).await, None);
}

#[tokio::test]
async fn held_mail_is_counted_for_who_decides_on_it() {
    let market = Market::new().await;
    market.hold(format!("To: {OUTSIDER}\r\n\r\ntext\r\n").as_bytes()).await;
    let page = market.signed_in("com@alpha.example").await.get("/").await.text();
    assert_eq!(count(&page, "Held mail"), "1");
    let page = market.signed_in("ali@alpha.example").await.get("/").await.text();
    assert!(!page.contains("Held mail</span>"));
}

#[tokio::test]
async fn the_same_bytes_whether_or_not_others_have_cases() {
    let market = Market::new().await;
    let mut gus = market.signed_in("gus@gamma.example").await;
    let mut esc = market.signed_in("esc@beta.example").await;
    let paths =
        ["/", "/?state=all&order=opened", "/?with=alpha", "/?order=due", "/?due=overdue", "/?owner=nobody"];
    let mut before = Vec::new();
    for path in paths {
        before.push((gus.get(path).await.body, esc.get(path).await.body));
    }
    let token = gus.get("/search").await.token();
    let form = [("token".to_owned(), token), ("tag".to_owned(), crate::market::MPAN.to_owned())];
    let found = gus.post_fields("/search", &form).await.body;
    for _ in 0..30 {
        market.send(MAIL).await;
    }
    for (path, (of_gus, of_esc)) in paths.into_iter().zip(before) {
        assert_eq!(gus.get(path).await.body, of_gus, "another company: {path}");
        assert_eq!(esc.get(path).await.body, of_esc, "another contact type: {path}");
    }
    assert_eq!(gus.post_fields("/search", &form).await.body, found);
}
