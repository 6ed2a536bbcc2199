//! What was taken back, what never arrived, and who is away: said to the people of a case, and nothing
//! more than that.

use axum::http::StatusCode;
use jiff::civil::Date;
use store::{Act, Returned};

use crate::market::{Market, rich_mail};

const SECOND: &[u8] = b"From: ali@alpha.example\r\nSubject: Wrong words\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nunfortunate text\r\n\
    --m\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\nsecret file\r\n--m--\r\n";

#[tokio::test]
async fn what_was_not_seen_cannot_be_read_any_more() {
    let market = Market::new().await;
    let first = market.send(&rich_mail()).await;
    let second = market.send_into(&first, SECOND).await;
    let withdrawal = market.withdraw(&second, 2).await;
    assert_eq!(withdrawal.unseen.len(), 1);
    let mut sam = market.signed_in("sam@beta.example").await;
    let case = format!("/case/{}", first.case);
    let message = format!("{case}/message/{}", second.message);
    for path in [&case, &message] {
        let page = sam.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(
            text.contains("Alpha Energy took this message back before your company had read it."),
            "{text}"
        );
        for gone in ["Wrong words", "unfortunate", "a.txt", "cannot be opened"] {
            assert!(!text.contains(gone), "{gone} at {path}");
        }
        assert!(!text.contains(&format!("{message}/")), "nothing of it to take");
    }
    assert!(sam.get(&case).await.text().contains("Please return the supply"), "the other message shows");
    let next = market.next_event().await;
    for path in ["html", "part/0", "part/1", "original"] {
        let answer = sam.get(&format!("{message}/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.text().contains("unfortunate") && !answer.text().contains("secret file"));
    }
    assert_eq!(market.acts(next).await, [], "what cannot be read is not read");

    let mut ali = market.signed_in("ali@alpha.example").await;
    let page = ali.get(&case).await.text();
    for words in ["Your company took this message back on", "not been read by Beta Power", "unfortunate text"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert_eq!(ali.get(&format!("{message}/original")).await.body.as_ref(), SECOND);
}

#[tokio::test]
async fn what_was_seen_stays_and_says_so() {
    let market = Market::new().await;
    let first = market.send(&rich_mail()).await;
    let second = market.send_into(&first, SECOND).await;
    let case = format!("/case/{}", first.case);
    let mut sam = market.signed_in("sam@beta.example").await;
    assert!(sam.get(&case).await.text().contains("unfortunate text"));
    let withdrawal = market.withdraw(&second, 2).await;
    assert_eq!(withdrawal.seen.len(), 1);
    let page = sam.get(&case).await.text();
    for words in ["Alpha Energy took this message back on", "read by your company before", "unfortunate text"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    let page = market.signed_in("ali@alpha.example").await.get(&case).await.text();
    assert!(
        page.contains("Your company took this message back") && page.contains("read by Beta Power before")
    );
}

#[tokio::test]
async fn a_notice_that_came_back_is_told_on_both_sides() {
    let market = Market::new().await;
    let sent = market.send(&rich_mail()).await;
    market.comes_back(Returned::Failed("5.1.1".into())).await;
    let case = format!("/case/{}", sent.case);
    let mut ali = market.signed_in("ali@alpha.example").await;
    assert!(ali.get("/").await.text().contains("Notice came back"));
    let says = "The notice to et@beta.example could not be delivered since";
    let page = ali.get(&case).await.text();
    assert!(page.contains(says) && page.contains("Beta Power may not know that something waits"), "{page}");
    let mut sam = market.signed_in("sam@beta.example").await;
    let page = sam.get(&case).await.text();
    assert!(page.contains(says) && page.contains("Ask your master administration user (MAU)"), "{page}");
    assert!(!sam.get(&case).await.text().contains(says), "somebody has looked");
    assert!(!ali.get(&case).await.text().contains(says));
}

#[tokio::test]
async fn who_is_away_is_told_until_the_day() {
    let market = Market::new().await;
    let sent = market.send(&rich_mail()).await;
    let case = format!("/case/{}", sent.case);
    let left = market.send_what_is_due().await;
    let said = |until: Option<Date>| market.ledger.note_return(left[0], Returned::Away(until));
    let mut ali = market.signed_in("ali@alpha.example").await;
    said(Some("2400-02-29".parse().unwrap())).await.unwrap();
    let next = market.next_event().await;
    let page = ali.get(&case).await.text();
    assert!(page.contains("Beta Power, away until Tue 29 February 2400"), "{page}");
    assert_eq!(market.acts(next).await, [Act::CaseRead]);
    // The later word counts.
    said(Some("2020-01-01".parse().unwrap())).await.unwrap();
    assert!(!ali.get(&case).await.text().contains("Out of office"));
}
