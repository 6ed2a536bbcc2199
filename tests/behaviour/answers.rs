//! Answers by mail: to the notice's reply address, or naming a mail of the case. They land in the same case, stop the
//! clock, and the other side gets its notice.

use tests::letter::{Letter, Read};
use tests::market::{AMY, BEN, GIA, MAILBOX};
use tests::smtp::Smtp;

use crate::stage::{Stage, curl, reference, story};

#[test]
fn to_the_reply_address_of_the_notice() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let asked = story("question@alpha.example").bytes();
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &asked));
    let notice = Read::parse(&stage.postfix.arrived(MAILBOX, 1)[0]);
    let reply_to = notice.header("Reply-To").trim_matches(['<', '>']).to_owned();

    let mut letter =
        Letter::new(BEN, &reply_to, "Re: whatever the client makes of it", "answer@beta.example");
    letter.text = "We give it back on Friday.\r\n".to_owned();
    let password = stage.installation.password(BEN);
    let mut smtp = Smtp::login(stage.server.submission(), BEN, &password).unwrap();
    assert_eq!(smtp.deliver(BEN, &[&reply_to], &letter.bytes()).unwrap().reference(), case);

    stage.installation.holds(&case, &[asked, letter.bytes()]);
    let shown = stage.installation.json(["case", "show", &case]);
    assert!(shown["due"].is_null(), "a human answer stops the clock: {shown}");
    let told = Read::parse(&stage.postfix.arrived(AMY, 1)[0]);
    assert!(told.header("Subject").contains(&case), "{told:?}");
    assert_eq!(told.header("References"), notice.header("References"), "one root for each case");
    assert!(!format!("{told:?}").contains("Friday"), "{told:?}");
    stage.server.stop();
}

#[test]
fn the_reply_address_is_good_in_the_hands_of_its_own_company_only() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    reference(&curl(&stage, AMY, &password, MAILBOX, &story("question@alpha.example").bytes()));
    let notice = Read::parse(&stage.postfix.arrived(MAILBOX, 1)[0]);
    let reply_to = notice.header("Reply-To").trim_matches(['<', '>']).to_owned();
    let (local, domain) = reply_to.split_once('@').unwrap();
    let last = if local.ends_with('0') { "g" } else { "0" };
    let forged = format!("{}{last}@{domain}", &local[..local.len() - 1]);
    let mut texts = Vec::new();
    for (who, to) in [(GIA, reply_to.as_str()), (GIA, &forged), (BEN, &forged), (BEN, "nobody@beta.example")]
    {
        let password = stage.installation.password(who);
        let mut smtp = Smtp::login(stage.server.submission(), who, &password).unwrap();
        let mail = Letter::new(who, to, "Mine", "mine@somewhere.example").bytes();
        let reply = smtp.deliver(who, &[to], &mail).unwrap();
        assert!(reply.is("550 5.1.1 "), "{who} to {to}: {reply:?}");
        texts.push(reply.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "nobody learns which addresses are real: {texts:?}");
    stage.server.stop();
}

#[test]
fn by_reference_to_a_mail_of_the_case() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let first = story("m1@alpha.example").bytes();
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &first));
    let mut mails = vec![first];
    for (number, header) in
        [(2, "In-Reply-To: <m1@alpha.example>"), (3, "References: <m1@alpha.example>\r\n <m2@alpha.example>")]
    {
        let mut letter = story(&format!("m{number}@alpha.example"));
        letter.subject = "A subject of its own".to_owned();
        letter.headers.push(header.to_owned());
        assert_eq!(reference(&curl(&stage, AMY, &password, MAILBOX, &letter.bytes())), case, "{header}");
        mails.push(letter.bytes());
    }
    stage.installation.holds(&case, &mails);
    // Neither the subject nor somebody else's Message-ID leads into a case.
    let mut alone = story("m4@alpha.example");
    alone.headers.push("In-Reply-To: <never-seen@alpha.example>".to_owned());
    assert_ne!(reference(&curl(&stage, AMY, &password, MAILBOX, &alone.bytes())), case);
    let password = stage.installation.password(GIA);
    let mut stranger = Letter::new(GIA, MAILBOX, "Transfer of Mrs Quibble", "g1@gamma.example");
    stranger.headers.push("In-Reply-To: <m1@alpha.example>".to_owned());
    assert_ne!(reference(&curl(&stage, GIA, &password, MAILBOX, &stranger.bytes())), case);
    stage.server.stop();
}

#[test]
fn an_out_of_office_reply_stops_no_clock_and_tells_nobody() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &story("question@alpha.example").bytes()));
    let notice = Read::parse(&stage.postfix.arrived(MAILBOX, 1)[0]);
    let reply_to = notice.header("Reply-To").trim_matches(['<', '>']).to_owned();
    let mut away = Letter::new(BEN, &reply_to, "Out of office", "away@beta.example");
    away.headers.push("Auto-Submitted: auto-replied".to_owned());
    let password = stage.installation.password(BEN);
    let mut smtp = Smtp::login(stage.server.submission(), BEN, &password).unwrap();
    assert_eq!(smtp.deliver(BEN, &[&reply_to], &away.bytes()).unwrap().reference(), case);
    let shown = stage.installation.json(["case", "show", &case]);
    assert!(shown["due"].is_object(), "{shown}");
    assert_eq!(shown["items"][1]["automatic"], true, "{shown}");
    // Every obligation of the mail was written with it: nothing waits, nothing left.
    assert!(stage.installation.json(["queue", "list"]).as_array().unwrap().is_empty());
    assert_eq!(stage.postfix.mails(AMY).len(), 0);
    stage.server.stop();
}
