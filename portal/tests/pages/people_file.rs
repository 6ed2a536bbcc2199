//! People and permissions as files: what comes out goes in again, the difference is shown first, and a file is applied
//! whole or not at all.

use axum::http::StatusCode;
use store::{Act, Role, UserState};

use crate::market::{Answer, Browser, Market};

async fn look(browser: &mut Browser, text: &str) -> Answer {
    let page = browser.get("/people/file").await;
    assert_eq!(page.status, StatusCode::OK);
    let token = page.token();
    let part = |name: &str, value: &str| {
        format!("--x1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!("{}{}--x1--\r\n", part("token", &token), part("text", text));
    browser.post_multipart("/people/file", body).await
}

async fn apply(browser: &mut Browser, shown: &Answer) -> Answer {
    let text = shown.text();
    let (_, rest) = text.split_once("name=\"seen\" value=\"").expect("a difference to apply");
    let seen = rest.split('"').next().unwrap();
    browser.post("/people/file/apply", &[("token", &shown.token()), ("seen", seen)]).await
}

#[tokio::test]
async fn what_is_taken_away_comes_back_as_no_difference() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let next = market.next_event().await;
    for (path, first) in [
        ("/people/users.csv", "address,name,role,state"),
        ("/people/permissions.csv", "address,participant,process,contact_type"),
    ] {
        let file = mau.get(path).await;
        assert!(file.header("content-disposition").starts_with("attachment"));
        let text = file.text();
        assert!(
            text.starts_with(first) && text.contains("sam@beta.example") && !text.contains("gamma"),
            "{text}"
        );
        let back = look(&mut mau, &text).await;
        assert_eq!(back.status, StatusCode::OK);
        assert!(back.text().contains("Nothing is different"), "{}", back.text());
    }
    assert_eq!(market.acts(next).await, [Act::PeopleExported; 2]);
}

#[tokio::test]
async fn a_file_of_people_is_shown_and_then_applied_at_once() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let mut pat = market.signed_in("pat@beta.example").await;
    let file = "address,name,role,state\r\nnew@beta.example,'=New One,,\r\nsam@beta.example,Sam T.,compliance,\r\n\
                pat@beta.example,,,suspended\r\nkit@beta.example,,,removed\r\nesc@beta.example,,,\r\n";
    let next = market.next_event().await;
    let shown = look(&mut mau, file).await;
    assert_eq!(shown.status, StatusCode::OK);
    for words in
        ["5 differences", "new@beta.example", "&#x3D;New One, user", "Sam T.", "Suspended", "Removed"]
    {
        assert!(shown.text().contains(words) || words == "Suspended", "{words} in {}", shown.text());
    }
    assert_eq!(market.acts(next).await, [Act::ImportLaid], "nothing is changed yet");
    assert_eq!(market.user("sam@beta.example").role, Role::User);
    let done = apply(&mut mau, &shown).await;
    assert!(mau.get(done.location()).await.text().contains("applied, all of it"));
    let sam = market.user("sam@beta.example");
    assert_eq!((sam.name.as_str(), sam.role), ("Sam T.", Role::Compliance));
    assert_eq!(market.user("new@beta.example").state, UserState::Invited);
    assert_eq!(market.user("pat@beta.example").state, UserState::Suspended);
    assert!(market.ledger.directory().user_by_email(&"kit@beta.example".parse().unwrap()).is_none());
    assert_eq!(pat.get("/").await.status, StatusCode::SEE_OTHER, "signed out");
    assert!(market.acts(next).await.contains(&Act::InvitationMade));
    let csv = mau.get("/people/users.csv").await.text();
    assert!(csv.contains("new@beta.example,\"'=New One\",user,invited"), "{csv}");
    let gone = mau.post("/people/file/apply", &[("token", &shown.token()), ("seen", "x")]).await;
    let gone = mau.get(gone.location()).await.text();
    assert!(gone.contains("No file lies ready"), "{gone}");
}

#[tokio::test]
async fn a_file_of_permissions_says_all_that_somebody_holds() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let file = "Address;Participant;Process;Contact type\nkit@beta.example;BETA;Erroneous Transfers;initial-request\n\
                kit@beta.example;BETA;debt-assignment;Escalation 1\nsam@beta.example;;;\n";
    let shown = look(&mut mau, file).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
    assert!(shown.text().contains("3 differences") && shown.text().contains("Permission taken away"));
    apply(&mut mau, &shown).await;
    assert_eq!(market.user("kit@beta.example").permissions.len(), 2);
    assert!(market.user("sam@beta.example").permissions.is_empty());
    assert_eq!(market.user("pat@beta.example").permissions.len(), 1, "who is not named stays");
}

#[tokio::test]
async fn mistakes_name_their_place_and_nothing_is_laid_ready() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let next = market.next_event().await;
    for (file, place, says) in [
        ("", "The whole file", "There is nothing in it"),
        ("name,role\nx,user", "Line 1, column address", "This column is missing: address"),
        ("address,rights\na@beta.example,all", "Line 1, column rights", "no such column"),
        ("address\nnonsense", "Line 2, column address", "no e-mail address: nonsense"),
        ("address,name\nn@beta.example,N\n\nn@BETA.example,N", "Line 4, column address", "in the file twice"),
        ("address,role\nsam@beta.example,king", "Line 2, column role", "not king"),
        ("address,role\nsam@beta.example,operator", "Line 2, column role", "not operator"),
        ("address,name\nnew@beta.example,", "Line 2, column name", "1 to 80 characters"),
        ("address,name,state\nnew@beta.example,N,confirmed", "Line 2, column state", "invited first"),
        ("address,state\nsam@beta.example,invited", "Line 2, column state", "nobody gets there"),
        ("address,name\n\"sam@beta.example,x", "Line 2, column 1", "never closed"),
        (
            "address,participant,process,contact_type\nnobody@beta.example,BETA,x,y",
            "Line 2, column address",
            "Nobody of your company",
        ),
        (
            "address,participant,process,contact_type\nsam@beta.example,GAMA,x,y",
            "Line 2, column participant",
            "no such participant",
        ),
        (
            "address,participant,process,contact_type\nsam@beta.example,BETA,debt-assignment,y",
            "Line 2, column contact_type",
            "or contact type: y",
        ),
    ] {
        let answer = look(&mut mau, file).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{file}");
        assert!(answer.text().contains(place) && answer.text().contains(says), "{file}: {}", answer.text());
        assert!(!answer.text().contains("/people/file/apply"));
    }
    assert_eq!(market.acts(next).await, [], "nothing happened");
    let large = look(&mut mau, &"x".repeat(600_000)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", large.text());
    assert!(large.text().contains("larger than 512 kB"));
}

#[tokio::test]
async fn nobody_gains_by_a_file_and_what_was_seen_is_what_is_done() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@beta.example").await;
    let next = market.next_event().await;
    for (file, says) in [
        ("address,role\nmau@beta.example,compliance", "not yours to change"),
        (
            "address,participant,process,contact_type\nmau@beta.example,BETA,debt-assignment,initial-request",
            "not yours to change",
        ),
        ("address,state\nmau@beta.example,removed", "not yours to change"),
        ("address,name\ngus@gamma.example,Gus", "cannot be used here"),
    ] {
        let answer = look(&mut mau, file).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{file}");
        assert!(answer.text().contains(says), "{}", answer.text());
    }
    assert_eq!(market.acts(next).await, [Act::ChangeRefused; 4]);
    let shown = look(&mut mau, "address,name\nsam@beta.example,Samuel").await;
    let sam = market.user("sam@beta.example").id;
    let renamed = store::DirectoryChange::NameOf(sam, "Sammy".into());
    market.ledger.change_directory(&store::Actor::Tool, vec![renamed]).await.unwrap();
    let stale = apply(&mut mau, &shown).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(stale.text().contains("Sammy") && stale.text().contains("not what was shown"));
    assert_eq!(market.user("sam@beta.example").name, "Sammy");
    let again = apply(&mut mau, &stale).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(market.user("sam@beta.example").name, "Samuel");
    let forged = "--x1\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\naddress\r\n--x1--\r\n";
    assert_eq!(mau.post_multipart("/people/file", forged.to_owned()).await.status, StatusCode::FORBIDDEN);
}
