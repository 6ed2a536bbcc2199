//! The message path as companies meet it: what opens a case, what joins one, what is refused, who is told, whose clock runs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clock;
mod journal;
mod market;
mod outbound;
mod shadow;
mod standing;

use gateway::Guards;
use gateway::smtp::{Intake, Refusal};
use mail::ReversePath;

use market::{DOMAIN, Market, address, group, marked};

const QUESTION: &str = "From: Ann <ann@alpha.example>\nTo: et@beta.example\nMessage-ID: <q1@alpha.example>\n\
                        Subject: Supply 1200023305967\n\nIs MPAN 1200023305967 yours?\n";

fn mail(from: &str, id: &str, more: &str, body: &str) -> String {
    format!("From: {from}\nMessage-ID: <{id}>\n{more}Subject: s\n\n{body}\n")
}

#[tokio::test]
async fn a_mail_to_a_mapped_mailbox_opens_a_case_and_tells_the_mailbox() {
    let market = Market::open().await;
    let answer = market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    let [case] = market.cases("beta").await.try_into().unwrap();
    assert_eq!(answer, format!("secured as case {}", case.reference));
    assert_eq!(case.due.as_ref().unwrap().side, group("beta"));
    assert_eq!(case.side(&group("alpha")).unwrap().participant.as_str(), "ALPE");
    let [notice] = market.notices().await.try_into().unwrap();
    assert_eq!((notice.group, notice.to), (group("beta"), address("et@beta.example")));
    assert_eq!(market.cases("alpha").await.len(), 1);
    assert!(market.cases("gamma").await.is_empty());
    let tag = mail::Tag::mpan("1200023305967").unwrap();
    for company in ["alpha", "beta"] {
        let found = market.ledger.find_by_tag(&store::Actor::Portal, &group(company), &tag).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn question_answer_question_moves_the_clock_of_the_responder_only() {
    let market = Market::open().await;
    market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    let reply = mail("ann@beta.example", "a1@beta.example", "In-Reply-To: <q1@alpha.example>\n", "Yes.");
    let joined = market.send("beta", &["et@alpha.example"], &reply).await.unwrap();
    assert_eq!(joined, format!("secured as case {}", case.reference));
    assert_eq!(market.cases("beta").await[0].due, None);
    let again = mail("ann@alpha.example", "q2@alpha.example", "References: <q1@alpha.example>\n", "But?");
    market.send("alpha", &["et@beta.example"], &again).await.unwrap();
    let [case] = market.cases("beta").await.try_into().unwrap();
    assert_eq!(case.due.unwrap().side, group("beta"), "the one who asks owes nothing");
    assert_eq!(case.messages, 3);
}

#[tokio::test]
async fn the_answer_to_a_notice_joins_its_case_and_is_good_for_one_company() {
    let market = Market::open().await;
    market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    let reply_to =
        market.gateway.reply_address(case.id, &group("beta"), &address("et@beta.example")).unwrap();
    assert_eq!(reply_to.domain(), DOMAIN);
    let to = reply_to.to_string();
    let reply = mail("ann@beta.example", "a1@beta.example", "", "Yes.");
    for stranger in ["alpha", "gamma"] {
        let forged = mail(&format!("ann@{stranger}.example"), "x@x", "", "Me too.");
        let refused = market.send(stranger, &[&to], &forged).await;
        assert!(matches!(refused, Err(Refusal::UnknownRecipient(_))), "{stranger}: {refused:?}");
    }
    // Mail systems may fold the case of a local part.
    let joined = market.send("beta", &[&to.to_uppercase()], &reply).await.unwrap();
    assert_eq!(joined, format!("secured as case {}", case.reference));
    let notices = market.notices().await;
    assert!(notices.iter().any(|notice| notice.to == address("ann@alpha.example")), "{notices:?}");
}

#[tokio::test]
async fn customers_of_one_mail_service_write_to_each_other() {
    let market = Market::open().await;
    let from = |company: &str| ReversePath::Address(address(&format!("ann@{company}.example")));
    let question = marked("alpha", QUESTION);
    market.transact("service", from("alpha"), &["et@beta.example"], &question).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    let reply_to = market.gateway.reply_address(case.id, &group("beta"), &address("et@beta.example"));
    let to = reply_to.unwrap().to_string();
    let reply = mail("ann@beta.example", "a1@beta.example", "", "Yes.");
    for reverse_path in [from("beta"), ReversePath::Null] {
        let joined = market.transact("service", reverse_path, &[&to], &marked("beta", &reply)).await.unwrap();
        assert_eq!(joined, format!("secured as case {}", case.reference));
    }
    // Who claims one customer and turns out to be another is that other, whose author it must be.
    let refused =
        market.transact("service", from("alpha"), &["et@beta.example"], &marked("beta", QUESTION)).await;
    assert!(matches!(refused, Err(Refusal::NotProved(_))), "{refused:?}");
    let refused = market.transact("service", from("alpha"), &["et@beta.example"], QUESTION).await;
    assert!(matches!(refused, Err(Refusal::NotProved(_))), "{refused:?}");
}

#[tokio::test]
async fn the_root_of_a_notice_names_its_case_too() {
    let market = Market::open().await;
    market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    let job = market.ledger.jobs().await.unwrap().remove(0).id;
    let notice = format!("In-Reply-To: <n.{job}.{}@{DOMAIN}>\n", case.id);
    let reply = mail("ann@beta.example", "a0@beta.example", &notice, "Wait.");
    let joined = market.send("beta", &["et@alpha.example"], &reply).await.unwrap();
    assert_eq!(joined, format!("secured as case {}", case.reference));
    let references = format!("References: <c.{}@{DOMAIN}>\n", case.id);
    let reply = mail("ann@beta.example", "a1@beta.example", &references, "Yes.");
    let joined = market.send("beta", &["et@alpha.example"], &reply).await.unwrap();
    assert_eq!(joined, format!("secured as case {}", case.reference));
    // Somebody who is no side of the case names it in vain.
    let forged = mail("ann@gamma.example", "g1@gamma.example", &references, "Let me in.");
    let other = market.send("gamma", &["et@beta.example"], &forged).await.unwrap();
    assert_ne!(other, joined);
}

#[tokio::test]
async fn a_reference_does_not_carry_a_mail_to_other_people() {
    let market = Market::open().await;
    market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    for (number, other) in
        ["et-esc1@beta.example", "et-gas@beta.example", "et@gamma.example"].iter().enumerate()
    {
        let id = format!("q{number}@elsewhere");
        let mail = mail("ann@alpha.example", &id, "References: <q1@alpha.example>\n", "And you?");
        market.send("alpha", &[other], &mail).await.unwrap();
    }
    assert_eq!(market.cases("alpha").await.len(), 4);
    assert_eq!(market.cases("gamma").await.len(), 1);
    let told: Vec<_> = market.notices().await.into_iter().map(|notice| notice.to.to_string()).collect();
    assert!(
        told.contains(&"et-esc1@beta.example".to_owned()) && told.contains(&"et-gas@beta.example".to_owned())
    );
}

#[tokio::test]
async fn rivals_get_a_case_each_and_colleagues_share_one() {
    let market = Market::open().await;
    let to = ["et@beta.example", "ET@Beta.example", "et@gamma.example", "et-gas@beta.example"];
    let answer = market.send("alpha", &to, QUESTION).await.unwrap();
    assert_eq!(answer.matches('-').count(), 3, "{answer}");
    assert_eq!(market.cases("alpha").await.len(), 3);
    assert_eq!(market.cases("beta").await.len(), 2);
    let [case] = market.cases("gamma").await.try_into().unwrap();
    assert!(case.side(&group("beta")).is_none());
    assert!(market.notices().await.iter().all(|notice| notice.to.to_string().starts_with("et")));
}

#[tokio::test]
async fn a_second_delivery_is_the_same_case_however_it_is_grouped() {
    let market = Market::open().await;
    let first = market.send("alpha", &["et@beta.example", "et@gamma.example"], QUESTION).await.unwrap();
    let relayed = format!("Received: by relay.alpha.example; Mon, 1 Jun 2026 10:00:00 +0000\n{QUESTION}");
    let beta = market.send("alpha", &["et@beta.example"], &relayed).await.unwrap();
    let gamma = market.send("alpha", &["et@gamma.example"], QUESTION).await.unwrap();
    assert_eq!(first, format!("secured as cases {}, {}", &beta[16..], &gamma[16..]));
    assert_eq!(market.notices().await.len(), 2);
    let other =
        market.send("alpha", &["et@beta.example"], &format!("{QUESTION}One word more.\n")).await.unwrap();
    assert_ne!(other, beta);
}

#[tokio::test]
async fn the_author_must_belong_to_the_proved_company() {
    let market = Market::open().await;
    for wrong in [
        "From: ann@beta.example\n\nx\n",
        "From: ann@elsewhere.example\n\nx\n",
        "From: ann@alpha.example\nFrom: ann@beta.example\n\nx\n",
        "From: ann@alpha.example, ann@beta.example\n\nx\n",
        "From: \"ann@alpha.example\" <ann@beta.example>\n\nx\n",
        "From: Undisclosed:;\n\nx\n",
        "Subject: nobody\n\nx\n",
    ] {
        let refused = market.send("alpha", &["et@beta.example"], wrong).await;
        assert!(matches!(refused, Err(Refusal::NotProved(_))), "{wrong}: {refused:?}");
    }
    assert!(market.cases("beta").await.is_empty());
    assert!(market.notices().await.is_empty());
}

#[tokio::test]
async fn strangers_and_unknown_recipients_are_refused_in_the_dialogue() {
    let market = Market::open().await;
    let refused = market.send("nobody", &["et@beta.example"], QUESTION).await;
    assert!(matches!(refused, Err(Refusal::NotProved(text)) if text.contains("log in")));
    for unknown in ["someone@elsewhere.example", "et@alpha.example", "r-0@postern.example"] {
        let refused = market.send("alpha", &[unknown], QUESTION).await;
        assert!(matches!(refused, Err(Refusal::UnknownRecipient(_))), "{unknown}: {refused:?}");
    }
    // What the mail is about could still lead to a mailbox of that company.
    let refused = market.send("alpha", &["none@beta.example"], QUESTION).await;
    assert!(matches!(refused, Err(Refusal::NotPermitted(_))), "{refused:?}");
}

#[tokio::test]
async fn a_login_proves_the_users_company_and_nothing_else_does() {
    let market = Market::open().await;
    let guards = Guards(market.gateway.clone());
    assert!(guards.login("ann@alpha.example", "correct horse battery").await.is_ok());
    for (user, password) in [
        ("ann@alpha.example", "wrong"),
        ("nobody@alpha.example", "correct horse battery"),
        ("not an address", ""),
    ] {
        let refused = guards.login(user, password).await.err();
        assert_eq!(refused, Some(Refusal::BadCredentials), "{user}");
    }
}

#[tokio::test]
async fn machines_open_quiet_cases_and_stop_no_clock() {
    let market = Market::open().await;
    market.send("alpha", &["et@beta.example"], QUESTION).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    market.look("beta", &case).await;
    let away = mail(
        "ann@beta.example",
        "away@beta.example",
        "In-Reply-To: <q1@alpha.example>\nAuto-Submitted: auto-replied\n",
        "I am away.",
    );
    market.send("beta", &["et@alpha.example"], &away).await.unwrap();
    let silent =
        mail("ann@beta.example", "null@beta.example", "In-Reply-To: <q1@alpha.example>\n", "I am away.");
    market.transact("beta", ReversePath::Null, &["et@alpha.example"], &silent).await.unwrap();
    let [case] = market.cases("beta").await.try_into().unwrap();
    assert_eq!(case.due.as_ref().unwrap().side, group("beta"), "only a person answers");
    assert_eq!(case.messages, 3);
    assert_eq!(market.notices().await.len(), 1, "only the question was told");
    let alone = mail("ann@gamma.example", "x@gamma.example", "Auto-Submitted: auto-generated\n", "Report.");
    market.send("gamma", &["et@alpha.example"], &alone).await.unwrap();
    let [quiet] = market.cases("gamma").await.try_into().unwrap();
    assert_eq!(quiet.due, None);
    assert_eq!(market.notices().await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_runs_in_circles_is_stopped() {
    let market = Market::open().await;
    let hops = "Received: by a.example; Mon, 1 Jun 2026 10:00:00 +0000\n".repeat(50);
    let refused = market.send("alpha", &["et@beta.example"], &format!("{hops}{QUESTION}")).await;
    assert_eq!(refused, Err(Refusal::Loop));
}
