//! Authors that are not the sender's: every way of writing another company's address into `From`, sent by a company that
//! is proved itself, by its network, a login or its signature. Nothing is shown under a company that did not send it.

use tests::dkim::{Sent, Signature};
use tests::installation::{Installation, Settings};
use tests::market::{AMY, BEN, GIA, MAILBOX, Market};
use tests::smtp::{Reply, Smtp};

use crate::domains;

/// `{v}` is the address that is forged.
const FORGED: [&str; 20] = [
    "From: {v}",
    "From: \"Amy Archer\" <{v}>",
    "From: \"amy@alpha.example\" <{v}>",
    "From: amy@alpha.example <{v}>",
    "From: (amy@alpha.example) {v}",
    "From: {v} (amy@alpha.example)",
    "From: =?utf-8?q?amy=40alpha=2Eexample?= <{v}>",
    "From:\r\n {v}",
    "From:\r\n\t\"Amy\"\r\n\t<{v}>",
    "FROM: {v}",
    "fRoM:{v}",
    "From: Staff: {v};",
    "From: <@alpha.example:{v}>",
    "From: \"amy@alpha.example, \" <{v}>",
    "From: {v}\r\nSender: amy@alpha.example",
    "From: {v}\r\nReply-To: amy@alpha.example",
    "Resent-From: amy@alpha.example\r\nFrom: {v}",
    "X-Original-From: amy@alpha.example\r\nFrom: {v}",
    "From: \"amy@alpha.example\\\" <amy@alpha.example>\" <{v}>",
    "From: <{v}> (<amy@alpha.example>)",
];

/// With an author of Alpha as well, or one that nobody can make out.
const AMBIGUOUS: [&str; 12] = [
    "From: {v}, amy@alpha.example",
    "From: amy@alpha.example, {v}",
    "From: amy@alpha.example\r\nFrom: {v}",
    "From: {v}\r\nFrom: amy@alpha.example",
    "From: Staff: amy@alpha.example, {v};",
    "From: <amy@alpha.example> <{v}>",
    "From: <{v}> <amy@alpha.example>",
    "From : {v}\r\nFrom: amy@alpha.example",
    "From: amy@alpha.example\r\nFrom : {v}",
    "Sender: {v}",
    "From: amy@alpha.example;{v}",
    "From: amy@alpha.example.{v}",
];

const VICTIMS: [&str; 3] = [BEN, GIA, MAILBOX];

/// Every form with every victim, as a mail.
fn mails(forms: &[&str]) -> Vec<(String, Vec<u8>)> {
    let pairs = forms.iter().flat_map(|form| VICTIMS.map(|victim| form.replace("{v}", victim)));
    pairs
        .enumerate()
        .map(|(number, from)| {
            let mail = format!(
                "{from}\r\nTo: {MAILBOX}\r\nSubject: Forged\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
                 Message-ID: <forged-{number}-{}@alpha.example>\r\n\r\nBody {number}.\r\n",
                forms.len()
            );
            (from, mail.into_bytes())
        })
        .collect()
}

/// Sends each on a connection of its own, as the company whose network this is.
fn by_network(installation: &Installation, mails: &[(String, Vec<u8>)]) -> Vec<Reply> {
    let server = installation.serve();
    let send = |(_, mail): &(String, Vec<u8>)| {
        Smtp::greet(server.smtp()).unwrap().deliver(AMY, &[MAILBOX], mail).unwrap()
    };
    let replies = mails.iter().map(send).collect();
    server.stop();
    replies
}

/// Cases that are there are Alpha's own.
fn nothing_is_anybody_elses(installation: &Installation) -> usize {
    let cases = installation.cases();
    for case in &cases {
        let shown = installation.json(["case", "show", case]);
        for item in shown["items"].as_array().unwrap() {
            assert_eq!(item["from"], "alpha", "{shown}");
        }
    }
    cases.len()
}

#[test]
fn another_companys_author_is_refused_with_an_event_each_time() {
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let installation = Installation::new(&Settings { market, ..Settings::default() });
    let forged = mails(&FORGED);
    assert!(forged.len() >= 60);
    let before = installation.audit_is_whole();
    for ((from, _), reply) in forged.iter().zip(by_network(&installation, &forged)) {
        assert!(reply.is("550 5.7.1 "), "{from:?}: {reply:?}");
    }
    assert_eq!(installation.audit_is_whole() - before, forged.len() as u64, "an event for each");
    assert!(installation.cases().is_empty());

    let ambiguous = mails(&AMBIGUOUS);
    let replies = by_network(&installation, &ambiguous);
    let taken: Vec<_> = ambiguous.iter().zip(&replies).filter(|(_, reply)| reply.code == 250).collect();
    let cases = nothing_is_anybody_elses(&installation);
    println!(
        "by network: {} of {} forged refused; {} of {} ambiguous refused, {cases} cases of Alpha's own: {:?}",
        forged.len(),
        forged.len(),
        ambiguous.len() - taken.len(),
        ambiguous.len(),
        taken.iter().map(|((from, _), _)| from).collect::<Vec<_>>()
    );
    assert!(taken.is_empty(), "an author that nobody can make out is refused");
}

#[test]
fn a_login_speaks_for_no_other_company_either() {
    /// A peer with more refusals is sent away.
    const ON_ONE: usize = 15;
    let installation = Installation::new(&Settings::default());
    let password = installation.password(AMY);
    let server = installation.serve();
    let forged = mails(&FORGED);
    let login = |_: &[_]| Smtp::login(server.submission(), AMY, &password).unwrap();
    let mut connections: Vec<_> = forged.chunks(ON_ONE).map(login).collect();
    let before = installation.audit_is_whole();
    for (smtp, mails) in connections.iter_mut().zip(forged.chunks(ON_ONE)) {
        for (from, mail) in mails {
            let reply = smtp.deliver(AMY, &[MAILBOX], mail).unwrap();
            assert!(reply.is("550 5.7.1 "), "{from:?}: {reply:?}");
        }
    }
    println!("by login: {0} of {0} forged refused", forged.len());
    assert_eq!(installation.audit_is_whole() - before, forged.len() as u64, "an event for each");
    assert!(installation.cases().is_empty());
    server.stop();
}

#[test]
fn a_signature_proves_no_other_author_either() {
    let stage = domains::Stage::set();
    let forged: Vec<_> = [mails(&FORGED), mails(&AMBIGUOUS)].concat();
    let fields: &[&str] = &["from", "from", "subject", "to", "date", "message-id"];
    let sent: Vec<_> = forged
        .iter()
        // Without a field of that name dkimpy does not sign.
        .filter(|(from, _)| !from.starts_with("Sender:") && !from.contains("From :"))
        .map(|(_, mail)| Sent {
            from: AMY,
            to: MAILBOX,
            mail: mail.clone(),
            signature: Some(Signature { fields, ..Signature::of(&stage.alpha, "alpha.example") }),
        })
        .collect();
    let own = Sent {
        from: AMY,
        to: MAILBOX,
        mail: mails(&["From: amy@alpha.example"]).remove(0).1,
        signature: None,
    };
    let fields: &[&str] = &["from", "subject", "to", "date", "message-id"];
    let signature = Some(Signature { fields, ..Signature::of(&stage.alpha, "alpha.example") });
    assert_eq!(stage.send(&[Sent { signature, ..own }])[0].code, 250, "the same mail with its own author");

    let replies = stage.send(&sent);
    for (mail, reply) in sent.iter().zip(&replies) {
        assert!(reply.is("550 5.7.1 "), "{}: {reply:?}", String::from_utf8_lossy(&mail.mail));
    }
    let taken: Vec<_> = replies.iter().filter(|reply| reply.code == 250).collect();
    let cases = nothing_is_anybody_elses(&stage.installation);
    println!("by signature: {} of {} forged refused, {cases} case", sent.len() - taken.len(), sent.len());
    assert_eq!(cases, 1, "the one of Alpha's own author");
    stage.server.stop();
}
