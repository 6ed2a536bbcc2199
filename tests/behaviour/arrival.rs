//! A mail in: sent by the programs that people use, over STARTTLS, proved by a login or by a client certificate. It
//! becomes a case, whole, and a second delivery of it becomes nothing.

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, MAILBOX};
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

use crate::stage::{Stage, certificate, curl, reference, story, swaks};

#[test]
fn by_curl_with_a_login() {
    let stage = Stage::set();
    let mail = story("curl@alpha.example").bytes();
    let password = stage.installation.password(AMY);
    let said = curl(&stage, AMY, &password, MAILBOX, &mail);
    let case = reference(&said);
    assert!(said.stderr.contains("SSL connection using TLSv1."), "{}", said.stderr);
    stage.installation.holds(&case, &[mail]);
    let shown = stage.installation.json(["case", "show", &case]);
    assert_eq!(shown["process"], "erroneous-transfers");
    assert_eq!(shown["contact_type"], "initial-request");
    assert_eq!(shown["items"][0]["from"], "alpha");
    assert!(shown["items"][0]["proof"].as_str().unwrap().contains("login"), "{shown}");
    assert!(stage.installation.audit_is_whole() > 0);
    stage.server.stop();
}

#[test]
fn by_swaks_with_a_client_certificate() {
    let stage = Stage::set();
    let mail = story("swaks@alpha.example").bytes();
    let proof = certificate(&stage, "alpha");
    let case = reference(&swaks(&stage, &proof, AMY, MAILBOX, &mail));
    stage.installation.holds(&case, &[mail]);
    let shown = stage.installation.json(["case", "show", &case]);
    assert_eq!(shown["items"][0]["from"], "alpha");
    assert!(shown["items"][0]["proof"].as_str().unwrap().contains("certificate"), "{shown}");
    stage.server.stop();
}

#[test]
fn a_certificate_speaks_for_its_own_company_only() {
    let stage = Stage::set();
    let proof = certificate(&stage, "gamma");
    let said = swaks(&stage, &proof, AMY, MAILBOX, &story("stolen@alpha.example").bytes());
    assert_ne!(said.code, Some(0));
    assert!(said.text().contains("550 5.7.1"), "{}", said.text());
    assert_eq!(stage.installation.json(["case", "list"]).as_array().unwrap().len(), 0);
    stage.server.stop();
}

#[test]
fn a_certificate_of_another_authority_proves_nothing() {
    let stage = Stage::set();
    let stranger = Installation::new(&Settings::default());
    let to = stranger.folder().to_string_lossy().into_owned();
    stranger
        .tool(["certs", "issue", "mail.alpha.example", "--group", "alpha", "--to", &to])
        .good("certs issue");
    let file = |extension: &str| format!("{to}/mail.alpha.example.{extension}");
    let proof = ["--tls-cert".to_owned(), file("pem"), "--tls-key".to_owned(), file("key")];
    let said = swaks(&stage, &proof, AMY, MAILBOX, &story("forged@alpha.example").bytes());
    assert_ne!(said.code, Some(0), "{}", said.text());
    assert!(!said.text().contains("secured as case"), "{}", said.text());
    assert_eq!(stage.installation.json(["case", "list"]).as_array().unwrap().len(), 0);
    stage.server.stop();
}

#[test]
fn a_second_delivery_is_the_first_one() {
    let sink = Sink::start();
    let settings = Settings { smarthost: sink.address.to_string(), ..Settings::default() };
    let installation = Installation::new(&settings);
    let password = installation.password(AMY);
    let server = installation.serve();
    let letter = Letter::new(AMY, MAILBOX, "Once", "once@alpha.example");
    let mut first = Smtp::login(server.submission(), AMY, &password).unwrap();
    let case = first.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap().reference();
    assert_eq!(first.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap().reference(), case);
    // Another connection, another way: a relay has put a line on top.
    let mut second = Smtp::login(server.smtp(), AMY, &password).unwrap();
    let relayed = [b"Received: from somewhere\r\n", letter.bytes().as_slice()].concat();
    assert_eq!(second.deliver(AMY, &[MAILBOX], &relayed).unwrap().reference(), case);
    wait::until_true("the notice", || !sink.mails().is_empty());
    wait::until_true("an empty queue", || {
        installation.json(["queue", "list"]).as_array().unwrap().is_empty()
    });
    assert_eq!(sink.mails().len(), 1);
    installation.holds(&case, &[letter.bytes()]);
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), 1);
    server.stop();
}

#[test]
fn one_mail_to_two_mailboxes_of_one_company_in_one_process_is_one_case() {
    let mut settings = Settings::default();
    settings.market.further_mailboxes = 1;
    let installation = Installation::new(&settings);
    let password = installation.password(AMY);
    let server = installation.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &password).unwrap();
    let mail = Letter::new(AMY, MAILBOX, "Both", "both@alpha.example").bytes();
    let answer = smtp.deliver(AMY, &[MAILBOX, "et-1@beta.example"], &mail).unwrap();
    installation.holds(&answer.reference(), std::slice::from_ref(&mail));
    let answer = smtp.deliver(AMY, &[MAILBOX, "debt-assignment@beta.example"], &mail).unwrap();
    assert_eq!(answer.references().len(), 2, "two processes are two cases: {answer:?}");
    server.stop();
}

#[test]
fn both_listeners_offer_what_clients_look_for() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    for address in [server.smtp(), server.submission()] {
        let offered = Smtp::connect(address).unwrap().command("EHLO client.example").unwrap();
        assert_eq!(offered.code, 250);
        for extension in ["PIPELINING", "SIZE ", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "STARTTLS"] {
            assert!(offered.text.contains(extension), "{extension} in {}", offered.text);
        }
    }
    server.stop();
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let installation = Installation::new(&Settings::default());
    let password = installation.password(BEN);
    let server = installation.serve();
    let mut smtp = Smtp::login(server.smtp(), BEN, &password).unwrap();
    let said =
        format!("MAIL FROM:<{BEN}>\r\nRCPT TO:<nobody@beta.example>\r\nVRFY x\r\nNOOP\r\nRSET\r\nQUIT\r\n");
    smtp.send(said.as_bytes()).unwrap();
    let codes: Vec<_> = (0..6).map(|_| smtp.reply().unwrap().code).collect();
    assert_eq!(codes, [250, 550, 252, 250, 250, 221]);
    assert_eq!(smtp.rest().unwrap(), "");
    server.stop();
}

#[test]
fn letters_beyond_ascii_arrive_as_they_are() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    let mut letter =
        Letter::new("Zoë Łukasik <amy@alpha.example>", MAILBOX, "Zähler für £ 20", "utf8@alpha.example");
    letter.text = "Große Überraschung: 日本語 and £ 20\r\n".to_owned();
    for (number, parameters) in ["SMTPUTF8 BODY=8BITMIME", "BODY=8BITMIME", ""].iter().enumerate() {
        letter.id = format!("utf8-{number}@alpha.example");
        assert_eq!(
            smtp.command(format!("MAIL FROM:<{AMY}> {parameters}").trim_end()).unwrap().code,
            250,
            "{parameters}"
        );
        assert_eq!(smtp.command(&format!("RCPT TO:<{MAILBOX}>")).unwrap().code, 250);
        assert_eq!(smtp.command("DATA").unwrap().code, 354);
        smtp.send(&tests::smtp::stuffed(&letter.bytes())).unwrap();
        let case = smtp.reply().unwrap().reference();
        installation.holds(&case, &[letter.bytes()]);
    }
    let mut reader = Visitor::signed_in(server.portal(), BEN, &installation.password(BEN));
    let case = reader.get("/").links("/case/").remove(0);
    let page = reader.get(&case).text();
    for words in ["Zoë Łukasik", "Zähler für £ 20", "Große Überraschung: 日本語 and £ 20"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    server.stop();
}
