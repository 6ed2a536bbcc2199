//! Copies of mail that a company's own mail system journals: who may hand them in, what is counted of them, and that nothing
//! else comes of them.

use std::collections::BTreeMap;

use gateway::smtp::{Intake, Refusal};
use mail::ReversePath;
use store::Tally;

use crate::market::{Market, address};

const JOURNAL: &str = "journal@postern.example";

const QUESTION: &str = "From: Ann <ann@alpha.example>\nTo: et@beta.example\nMessage-ID: <q1@alpha.example>\n\
                        Subject: Supply 1200023305967\n\nIs MPAN 1200023305967 of Mrs Gallimaufry yours?\n";

/// As Exchange writes it.
fn report(lines: &str, attached: &str) -> String {
    format!(
        "From: Microsoft Exchange <exchange@alpha.example>\nX-MS-Journal-Report:\nMessage-ID: <j1@alpha.example>\n\
         Subject: Supply 1200023305967\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain; charset=\"us-ascii\"\n\n{lines}\n--b\nContent-Type: message/rfc822\n\n\
         {attached}\n--b--\n"
    )
}

fn lines(to: &str) -> String {
    format!("Sender: ann@alpha.example\nSubject: Supply\nMessage-Id: <q1@alpha.example>\n{to}")
}

async fn journaled(market: &Market, company: &str, mail: &str) -> Result<String, Refusal> {
    market.transact(company, ReversePath::Null, &[JOURNAL], mail).await
}

fn left_out(why: &str) -> BTreeMap<Tally, u64> {
    [(Tally::LeftOut { why: why.to_owned() }, 1)].into()
}

#[tokio::test]
async fn what_would_have_become_of_the_attached_mail_is_counted_and_nothing_is_kept() {
    let market = Market::journaling(JOURNAL).await;
    let to = "To: et@beta.example\nBcc: jo@outside.example";
    for _ in 0..2 {
        let answer = journaled(&market, "alpha", &report(&lines(to), QUESTION)).await.unwrap();
        assert_eq!(answer, "counted");
    }
    let counts = market.counted("alpha").await;
    let verdict = |verdict: &str, rule: &str| Tally::Verdict { verdict: verdict.into(), rule: rule.into() };
    for expected in [
        Tally::Mail { class: "human".to_owned() },
        verdict("secure", "secure-mapped-mailbox"),
        verdict("refuse", "refuse-personal-data-outside"),
        Tally::Notice { address: address("et@beta.example") },
        Tally::Finding { category: "mpan".to_owned(), verdict: "refuse".to_owned() },
    ] {
        assert_eq!(counts.get(&expected), Some(&1), "{expected:?} once in {counts:?}");
    }
    assert!(market.counted("beta").await.is_empty());
    for company in ["alpha", "beta"] {
        assert!(market.cases(company).await.is_empty());
    }
    assert!(market.ledger.jobs().await.unwrap().is_empty(), "no notice, nothing sent on");
    for (key, row) in market.rows().await {
        for mark in ["Gallimaufry", "1200023305967", "jo@outside"] {
            let held = |bytes: &[u8]| bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
            assert!(!held(&key) && !held(&row.value), "{mark} in {}", key.escape_ascii());
        }
    }
}

/// Of such a mail sealed rows are committed while it comes, of the report and of the mail in it.
#[tokio::test]
async fn of_a_large_mail_nothing_stays_either() {
    let market = Market::journaling(JOURNAL).await;
    let large = format!("{QUESTION}{}", format!("{}\n", "x".repeat(70)).repeat(60_000));
    let answer = journaled(&market, "alpha", &report(&lines("To: et@beta.example"), &large)).await;
    assert_eq!(answer.unwrap(), "counted");
    let (content, arriving) = (0x40, 0x41);
    let mut left = usize::MAX;
    for _ in 0..100_000 {
        let rows = market.rows().await;
        left = rows.iter().filter(|(key, _)| [content, arriving].contains(&key[0])).count();
        if left == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(left, 0, "rows of content");
}

#[tokio::test]
async fn a_mail_that_came_here_itself_is_not_counted_again() {
    let market = Market::journaling(JOURNAL).await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    journaled(&market, "alpha", &report(&lines("To: et@beta.example"), QUESTION)).await.unwrap();
    assert!(market.counted("alpha").await.is_empty());
    assert_eq!(market.cases("beta").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_counted_is_taken_and_counted_as_that() {
    let bounce = "From: ann@beta.example\nSubject: s\n\nx\n";
    let silent = report(&lines("Cc: nobody"), QUESTION);
    let foreign = report("Sender: ann@beta.example\nRecipient: et@alpha.example", bounce);
    for (mail, why) in [
        (QUESTION.to_owned(), "no mail attached"),
        (silent, "no recipient named"),
        (foreign, "written by nobody of the company"),
    ] {
        let market = Market::journaling(JOURNAL).await;
        let events = market.events().await.len();
        for _ in 0..2 {
            assert_eq!(journaled(&market, "alpha", &mail).await.unwrap(), "counted", "{why}");
        }
        assert_eq!(market.counted("alpha").await, left_out(why));
        assert!(market.counted("beta").await.is_empty(), "nobody counts for another company");
        assert_eq!(market.events().await.len(), events, "{why}: no event for each mail a company gets");
    }
}

#[tokio::test]
async fn a_mail_that_ran_in_circles_before_it_was_journaled_does_not_come_again() {
    let market = Market::journaling(JOURNAL).await;
    let hops = "Received: by a.example; Mon, 1 Jun 2026 10:00:00 +0000\n".repeat(50);
    let report = report(&lines("To: et@beta.example"), &format!("{hops}{QUESTION}"));
    assert_eq!(journaled(&market, "alpha", &report).await.unwrap(), "counted");
}

#[tokio::test]
async fn only_a_companys_own_mail_system_journals() {
    let market = Market::journaling(JOURNAL).await;
    let mail = report(&lines("To: et@beta.example"), QUESTION);
    let stranger = journaled(&market, "nobody", &mail).await;
    assert!(matches!(stranger, Err(Refusal::NotProved(_))), "{stranger:?}");
    let customer = journaled(&market, "service", &mail).await;
    assert!(matches!(customer, Err(Refusal::NotPermitted(_))), "{customer:?}");
    let user = market.guards.login("ann@alpha.example", "correct horse battery").await.unwrap();
    let person = market.handed_in(Some(&user), ReversePath::Null, &[JOURNAL], &mail).await.err();
    assert!(matches!(person, Some(Refusal::NotPermitted(_))), "{person:?}");
    assert!(market.counted("alpha").await.is_empty());
    // Without the key it is an address like any other that nobody has.
    let other = Market::sending().await;
    let unknown = journaled(&other, "alpha", &mail).await;
    assert!(matches!(unknown, Err(Refusal::UnknownRecipient(_))), "{unknown:?}");
}
