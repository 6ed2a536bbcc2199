//! What the market's operator does with companies and participants, and that nobody else does.

use axum::http::StatusCode;
use jiff::ToSpan;
use store::{Act, Fuel, Role, UserState};

use crate::market::{Answer, Browser, Market, rich_mail};

const OPERATOR: &str = "ope@alpha.example";

async fn post(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.get("/market/groups").await.token();
    let mut all = vec![("token", token.as_str())];
    all.extend(fields);
    browser.post(path, &all).await
}

fn seen(page: &str) -> String {
    page.split_once("name=\"seen\" value=\"").expect("a form").1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_company_is_brought_in_with_the_invitation_of_its_first_mau() {
    let market = Market::new().await;
    let mut operator = market.signed_in(OPERATOR).await;
    let list = operator.get("/market/groups").await.text();
    assert!(list.contains("Beta Power") && list.contains("BETA") && !list.contains("sam@"), "{list}");
    let typed = |id, domains, email| {
        [
            ("id", id),
            ("name", "Delta Supply"),
            ("domains", domains),
            ("email", email),
            ("person", "Dee"),
            ("parent", "alpha"),
        ]
    };
    for (fields, says) in [
        (typed("Delta!", "delta.example", "dee@delta.example"), "small letters, digits and hyphens"),
        (typed("beta", "delta.example", "dee@delta.example"), "this short name already"),
        (typed("delta", "delta", "dee@delta.example"), "Write domains such as"),
        (typed("delta", "", "dee@delta.example"), "Write domains such as"),
        (typed("delta", "delta.example", "dee@elsewhere.example"), "must lie in one of"),
        (typed("delta", "delta.example", "dee"), "That is not an e-mail address"),
        (typed("delta", "beta.example", "dee@beta.example"), "belongs to another company"),
    ] {
        let answer = post(&mut operator, "/market/groups/new", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        assert!(answer.text().contains(says) && answer.text().contains("aria-invalid"), "{}", answer.text());
    }
    let next = market.next_event().await;
    let fields = typed("delta", "delta.example, Delta-Supply.example", "dee@delta.example");
    let done = post(&mut operator, "/market/groups/new", &fields).await;
    assert_eq!(market.acts(next).await, [Act::DirectoryChanged, Act::UserInvited, Act::InvitationMade]);
    let page = operator.get(done.location()).await.text();
    for words in [
        "The company is in",
        "Delta Supply",
        "dee@delta.example",
        "Send the invitation again",
        "Alpha Energy",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    let dee = market.user("dee@delta.example");
    assert_eq!((dee.role, dee.state), (Role::Mau, UserState::Invited));
    let here = "/market/groups/delta";
    post(&mut operator, &format!("{here}/mau"), &[("do", "again")]).await;
    let back = post(&mut operator, &format!("{here}/mau"), &[("do", "take-back")]).await;
    assert!(operator.get(back.location()).await.text().contains("taken back"));
    let wrong = [("do", "invite"), ("email", "x@beta.example"), ("person", "X")];
    let again = post(&mut operator, &format!("{here}/mau"), &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = [("do", "invite"), ("email", "dot@delta.example"), ("person", "Dot")];
    post(&mut operator, &format!("{here}/mau"), &right).await;
    assert_eq!(market.user("dot@delta.example").state, UserState::Invited);
    let acting = [("do", "invite"), ("email", "x@beta.example"), ("person", "X")];
    post(&mut operator, "/market/groups/beta/mau", &acting).await;
    assert!(market.ledger.directory().user_by_email(&"x@beta.example".parse().unwrap()).is_none());
}

#[tokio::test]
async fn participants_are_entered_moved_and_taken_out() {
    let market = Market::new().await;
    let mut operator = market.signed_in(OPERATOR).await;
    let here = "/market/groups/beta/participants";
    let add = |mpid, name| {
        [("do", "add"), ("mpid", mpid), ("participant", name), ("role", "gas-supplier"), ("fuel", "gas")]
    };
    for (fields, says) in [
        (add("toolong", "Beta Gas"), "four capital letters or digits"),
        (add("GAMA", "Beta Gas"), "belongs to another company"),
        (add("BETG", " "), "1 to 80 characters"),
    ] {
        let answer = post(&mut operator, here, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains(says), "{}", answer.text());
    }
    post(&mut operator, here, &add("betg", "Beta Gas")).await;
    let known = market.ledger.directory().participant(&"BETG".parse().unwrap()).unwrap().clone();
    assert_eq!(
        (known.role.as_str(), known.fuel, known.group.as_str()),
        ("gas-supplier", Some(Fuel::Gas), "beta")
    );
    let day = |days: i64| {
        let now = market.ledger.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        now.checked_add(days.days()).unwrap().to_string()
    };
    for (to, from) in [("gamma", day(-1)), ("beta", day(9)), ("nobody", day(9)), ("gamma", "soon".into())] {
        let fields = [("do", "move"), ("mpid", "BETG"), ("to", to), ("from", from.as_str())];
        let answer = post(&mut operator, here, &fields).await;
        assert!(answer.text().contains("Choose a company and a day to come"), "{to} {from}");
    }
    let later = day(9);
    let fields = [("do", "move"), ("mpid", "BETG"), ("to", "gamma"), ("from", later.as_str())];
    let done = post(&mut operator, here, &fields).await;
    let page = operator.get(done.location()).await.text();
    assert!(page.contains("Moves to Gamma Networks on") && page.contains("Call the move off"), "{page}");
    for group in ["beta", "gamma"] {
        let tasks = market.ledger.tasks(Some(&group.parse().unwrap())).await.unwrap();
        assert_eq!(tasks.len(), 1, "{group} is told");
    }
    post(&mut operator, here, &[("do", "stay"), ("mpid", "BETG")]).await;
    post(&mut operator, here, &[("do", "remove"), ("mpid", "BETG")]).await;
    assert!(market.ledger.directory().participant(&"BETG".parse().unwrap()).is_none());
    let used = post(&mut operator, here, &[("do", "remove"), ("mpid", "BETA")]).await;
    assert!(operator.get(used.location()).await.text().contains("stands in the way"));
    let other = post(&mut operator, here, &[("do", "remove"), ("mpid", "GAMA")]).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(market.ledger.directory().participant(&"GAMA".parse().unwrap()).is_some());
}

#[tokio::test]
async fn a_company_is_changed_as_it_was_seen() {
    let market = Market::new().await;
    let mut operator = market.signed_in(OPERATOR).await;
    let here = "/market/groups/gamma";
    let old = seen(&operator.get(here).await.text());
    let form =
        |seen, domains| [("seen", seen), ("name", "Gamma Wires"), ("domains", domains), ("parent", "beta")];
    let taken = post(&mut operator, here, &form(&old, "gamma.example beta.example")).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    post(&mut operator, here, &form(&old, "gamma.example gw.example")).await;
    let gamma = market.ledger.directory().group(&"gamma".parse().unwrap()).unwrap().clone();
    assert_eq!((gamma.name.as_str(), gamma.domains.len()), ("Gamma Wires", 2));
    assert_eq!(gamma.parent.unwrap().as_str(), "beta");
    let stale = post(&mut operator, here, &form(&old, "gamma.example")).await;
    assert!(operator.get(stale.location()).await.text().contains("in between"));
    let days = operator.get("/market/calendars").await.text();
    assert!(days.contains("england") && days.contains("Erroneous Transfers"), "{days}");
}

#[tokio::test]
async fn the_operator_has_no_way_to_content_and_nobody_else_has_these_pages() {
    let market = Market::new().await;
    let sent = market.send(&rich_mail()).await;
    let mut operator = market.signed_in(OPERATOR).await;
    let mut paths =
        vec!["/market/groups".to_owned(), "/market/groups/new".into(), "/market/calendars".into()];
    paths.extend(["alpha", "beta", "gamma"].map(|group| format!("/market/groups/{group}")));
    for path in &paths {
        let page = operator.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for content in [&sent.reference, "Erroneous transfer <b>", "sam@beta.example", "/case/", "/held/"] {
            assert!(!page.text().contains(content), "{content} on {path}");
        }
    }
    for path in ["/people", "/mailboxes", "/mail", "/held", "/audit", "/texts", "/shadow"] {
        assert_eq!(operator.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(operator.get(&format!("/case/{}", sent.case)).await.status, StatusCode::NOT_FOUND);
    for email in ["mau@beta.example", "com@beta.example", "sam@beta.example"] {
        let mut browser = market.signed_in(email).await;
        for path in &paths {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{email} {path}");
        }
    }
}
