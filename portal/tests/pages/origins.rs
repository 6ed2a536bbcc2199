//! How a mail came and what it is: proof, checks of the domain, viruses, signatures, machines, and what
//! stands in containers.

use axum::http::StatusCode;
use mail::{Class, Scan};
use store::{AuthResult, Authentication, Proof};

use crate::market::{Market, Sent};

const PLAIN: &[u8] = b"From: ali@alpha.example\r\nSubject: x\r\n\r\ntext\r\n";

async fn page(market: &Market, sent: &Sent) -> String {
    market.signed_in("sam@beta.example").await.get(&format!("/case/{}", sent.case)).await.text()
}

#[tokio::test]
async fn every_proof_is_told_in_plain_words() {
    let market = Market::new().await;
    let ali = market.user("ali@alpha.example").id;
    for (proof, words, strong) in [
        (Proof::Login(ali, None), "Sender proved by login of ali", true),
        (Proof::Certificate([1; 32]), "Sender proved by its client certificate", true),
        (Proof::Network, "Sender proved by its registered network", true),
        (Proof::Domain("alpha.example".into()), "Signed by alpha.example (DKIM)", true),
        (Proof::Connector("alpha-office".into()), "Sender proved by the connector alpha-office", true),
        (
            Proof::Polled("old <b> box".into()),
            "Taken from the mailbox old &lt;b&gt; box; its server vouched",
            false,
        ),
    ] {
        let sent = market.send_as(PLAIN, |mail| mail.proof = proof).await;
        let page = page(&market, &sent).await;
        assert!(page.contains(words), "{words} in {page}");
        assert_eq!(page.contains("class=\"proof proved\""), strong, "{words}");
        assert!(!page.contains("Checks of the sender"), "none were made");
    }
}

#[tokio::test]
async fn the_checks_of_the_domain_are_a_detail() {
    let market = Market::new().await;
    let authentication = Authentication {
        spf: AuthResult::SoftFail,
        dkim: AuthResult::Pass,
        dmarc: AuthResult::Fail,
        arc: AuthResult::None,
        domain: Some("alpha.example".into()),
        addressed: None,
    };
    let sent = market.send_as(PLAIN, |mail| mail.authentication = Some(authentication)).await;
    let page = page(&market, &sent).await;
    let details =
        page.split("<details class=\"checks\">").nth(1).expect("a detail").split("</details>").next();
    for words in [
        "SPF",
        "failed softly",
        "DKIM",
        "passed, for alpha.example",
        "DMARC",
        "ARC",
        "not there",
        "Recipient",
        "not named in To or Cc",
    ] {
        assert!(details.unwrap().contains(words), "{words}");
    }
}

#[tokio::test]
async fn nothing_is_called_clean_that_was_not_checked() {
    let market = Market::new().await;
    for (scan, shown) in [
        (Scan::Off, None),
        (Scan::Clean, Some("No virus found")),
        (Scan::NotChecked, Some("Not checked for viruses")),
        (Scan::Found, Some("Virus found")),
    ] {
        let sent = market.send_as(PLAIN, |mail| mail.scan = scan).await;
        let page = page(&market, &sent).await;
        for words in ["No virus found", "Not checked for viruses", "Virus found"] {
            assert_eq!(page.contains(words), shown == Some(words), "{words} for {scan}");
        }
    }
}

#[tokio::test]
async fn a_machines_mail_bears_a_badge() {
    let market = Market::new().await;
    for (class, badge) in [
        (Class::AutoReply, "Automatic reply"),
        (Class::Bounce, "Delivery report"),
        (Class::Receipt, "Read receipt"),
        (Class::Calendar, "Invitation"),
        (Class::Recall, "Recall request"),
        (Class::List, "List mail"),
        (Class::Empty, "Empty mail"),
    ] {
        let sent = market.send_as(PLAIN, |mail| mail.class = class).await;
        assert!(
            page(&market, &sent).await.contains(&format!("<span class=\"mark plain\">{badge}</span>")),
            "{class}"
        );
    }
    let sent = market.send(PLAIN).await;
    assert!(!page(&market, &sent).await.contains("class=\"mark plain\""));
}

#[tokio::test]
async fn a_signature_is_named_and_not_vouched_for_and_a_lock_is_told() {
    let market = Market::new().await;
    let signed = b"From: ali@alpha.example\r\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; \
        boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\nsigned words\r\n--s\r\n\
        Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nxxx\r\n--s--\r\n";
    let sent = market.send(signed).await;
    let text = page(&market, &sent).await;
    assert!(text.contains("OpenPGP signature, not checked here") && text.contains("signed words"), "{text}");
    let locked =
        b"From: ali@alpha.example\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; \
        name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n";
    let sent = market.send(locked).await;
    let text = page(&market, &sent).await;
    assert!(text.contains("encrypted or locked with a password") && text.contains("smime.p7m"), "{text}");
}

/// Outlook's container: its text is read, formatted as it was, and its files are taken out one by one.
#[tokio::test]
async fn what_outlooks_container_holds_is_read_and_taken() {
    let market = Market::new().await;
    let plain = rich_text(b"{\\rtf1\\ansi Rich \\b words\\b0\\par}");
    let formatted =
        rich_text(b"{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag64 <p>}Rich words{\\*\\htmltag72 </p>}}");
    for (letter, has_frame) in [(plain, false), (formatted, true)] {
        let sent = market.send(&winmail(&letter)).await;
        let mut sam = market.signed_in("sam@beta.example").await;
        let text = sam.get(&format!("/case/{}", sent.case)).await.text();
        assert!(text.contains("Rich words") && !text.contains("winmail.dat"), "{text}");
        let end = text.find("<bdi>bill.pdf</bdi>").unwrap_or_else(|| panic!("{text}"));
        let link = text[..end].rsplit("href=\"").next().unwrap().split('"').next().unwrap();
        assert_eq!(sam.get(link).await.body.as_ref(), b"%PDF-1.7 says hello");
        let frame = text.split("<iframe src=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(frame.is_some(), has_frame);
        if let Some(frame) = frame {
            let view = sam.get(frame).await;
            assert!(
                view.status == StatusCode::OK && view.text().contains("<p>Rich words</p>"),
                "{}",
                view.text()
            );
        }
        let original = sam.get(&format!("/case/{}/message/{}/original", sent.case, sent.message)).await;
        assert_eq!(original.body.as_ref(), winmail(&letter), "byte for byte, the container and all");
    }
}

/// A mail that is one container (MS-OXTNEF) with this property of its message, and a file.
fn winmail(property: &[u8]) -> Vec<u8> {
    let attribute = |level: u8, id: u16, value: &[u8]| {
        let sum = value.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&[level], &id.to_le_bytes()[..], &[0, 0], &length, value, &sum.to_le_bytes()].concat()
    };
    let head = b"From: ali@alpha.example\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\n";
    [
        &head[..],
        b"\x78\x9f\x3e\x22\x01\x00",
        &attribute(1, 0x9003, &[&1_u32.to_le_bytes()[..], property].concat()),
        &attribute(2, 0x9002, &[0; 14]),
        &attribute(2, 0x8010, b"bill.pdf\0"),
        &attribute(2, 0x800f, b"%PDF-1.7 says hello"),
    ]
    .concat()
}

/// `PidTagRtfCompressed`, not compressed (MS-OXRTFCP §2.1.3.1).
fn rich_text(rtf: &[u8]) -> Vec<u8> {
    let length = |more: usize| u32::try_from(rtf.len() + more).unwrap().to_le_bytes();
    let value = [&length(12)[..], &length(0), b"MELA", &[0; 4], rtf].concat();
    let counted = [1_u32.to_le_bytes(), u32::try_from(value.len()).unwrap().to_le_bytes()].concat();
    let mut property = [&b"\x02\x01\x09\x10"[..], &counted, &value].concat();
    property.resize(property.len().next_multiple_of(4), 0);
    property
}

/// A file in a text, the oldest container there is; and the same behind base64, in a mail attached whole.
#[tokio::test]
async fn a_file_inside_a_text_is_a_file() {
    let market = Market::new().await;
    let inner = "From: x@alpha.example\r\nSubject: inner\r\n\r\nRead this.\r\n\r\nbegin 644 note.txt\r\n\
                 &:&5L;&\\A\r\n`\r\nend\r\n";
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD.encode(inner);
    let coded: Vec<_> = coded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let outer = format!(
        "From: ali@alpha.example\r\nContent-Type: message/rfc822; name=inner.eml\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        coded.join("\r\n")
    );
    for mail in [inner.to_owned(), outer] {
        let sent = market.send(mail.as_bytes()).await;
        let mut sam = market.signed_in("sam@beta.example").await;
        let text = sam.get(&format!("/case/{}", sent.case)).await.text();
        let end = text.find("<bdi>note.txt</bdi>").unwrap_or_else(|| panic!("{text}"));
        let link = text[..end].rsplit("href=\"").next().unwrap().split('"').next().unwrap();
        let file = sam.get(link).await;
        assert_eq!(file.body.as_ref(), b"hello!");
        assert!(!text.contains("&amp;:&amp;5L"), "the file is not in the text");
    }
}

/// A text behind a large file of its container is reached on the page of the message, and the page of the case says that
/// there is more.
#[tokio::test]
async fn the_way_to_a_text_is_bounded() {
    let market = Market::new().await;
    let filler = "X".repeat(74) + "\r\n";
    let inner = format!(
        "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=large.txt\r\n\r\n{}--i\r\nContent-Type: text/plain\r\n\r\n\
         far away\r\n--i--\r\n",
        filler.repeat(100_000)
    );
    let mail = format!(
        "From: ali@alpha.example\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\r\n{inner}"
    );
    let sent = market.send(&signed_data(&mail)).await;
    let mut sam = market.signed_in("sam@beta.example").await;
    let case = sam.get(&format!("/case/{}", sent.case)).await.text();
    assert!(
        case.contains("Read the whole message") && !case.contains("far away"),
        "{}",
        &case[..case.len().min(9_000)]
    );
    let whole = sam.get(&format!("/case/{}/message/{}", sent.case, sent.message)).await.text();
    assert!(whole.contains("far away"));
}

/// The body of a mail as signed data (RFC 5652 §5.1), in the form without lengths.
fn signed_data(mail: &str) -> Vec<u8> {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let element = |tag: &[u8], content: &[u8]| [tag, b"\x80", content, b"\0\0"].concat();
    let octets = |text: &str| {
        let pieces = text
            .as_bytes()
            .chunks(100)
            .map(|piece| [&[0x04, u8::try_from(piece.len()).unwrap()], piece].concat());
        element(b"\x24", &pieces.collect::<Vec<_>>().concat())
    };
    let data = [b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01".as_slice(), &element(b"\xa0", &octets(body))]
        .concat();
    let content = [b"\x02\x01\x01".as_slice(), b"\x31\x00", &element(b"\x30", &data), b"\x31\x00"].concat();
    let signed = element(b"\xa0", &element(b"\x30", &content));
    let info = [b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02".as_slice(), &signed].concat();
    [head.as_bytes(), b"\r\n\r\n", &element(b"\x30", &info)].concat()
}
