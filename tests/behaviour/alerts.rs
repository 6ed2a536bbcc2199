//! Alerts with the real program: a user chooses a digest, the company a phrase and no links; what is counted survives a kill,
//! and the user finds in the account what was really sent.

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::{Letter, Read};
use tests::market::{AMY, BEA, BEN, MAILBOX, Market};
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

/// Signed in, with a form of its own.
fn posts(origin: &str, email: &str, password: &str, path: &str, fields: &[(&str, &str)]) -> Visitor {
    let mut visitor = Visitor::signed_in(origin, email, password);
    let token = visitor.get("/account").field("token");
    let fields: Vec<_> = [("token", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
    let answer = visitor.post(path, &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    visitor
}

#[test]
fn a_digest_counts_what_waits_and_outlives_a_kill() {
    let sink = Sink::start();
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let smarthost = sink.address.to_string();
    let installation = Installation::new(&Settings { market, smarthost, ..Settings::default() });
    let (ben, bea) = (installation.password(BEN), installation.password(BEA));
    let server = installation.serve();
    posts(
        server.portal(),
        BEN,
        &ben,
        "/account/alerts",
        &[("pace", "digest"), ("time", "480"), ("whose", "all")],
    );
    let style = [("phrase", "Green kettle on the roof"), ("link_free", "yes")];
    posts(server.portal(), BEA, &bea, "/company/notices", &style);
    let mut cases = Vec::new();
    for id in ["first", "second"] {
        let letter =
            Letter::new(AMY, MAILBOX, "Mrs Quibble of Acacia Avenue", &format!("{id}@alpha.example"));
        let mut smtp = Smtp::greet(server.smtp()).unwrap();
        cases.push(smtp.deliver(AMY, &[MAILBOX], &letter.bytes()).unwrap().reference());
    }
    let jobs = || installation.json(["queue", "list"]).as_array().unwrap().clone();
    wait::until_true("only the digest waits", || jobs().len() == 1);
    // Dropped, not stopped: that is a kill.
    drop(server);
    let server = installation.serve();
    assert_eq!(jobs().len(), 1, "what was counted is there");
    let job = jobs().remove(0);
    assert_eq!(job["kind"], "alert digest", "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    installation.tool(["queue", "retry", &id]).good("queue retry");
    wait::until_true("an empty queue", || jobs().is_empty());
    let mails: Vec<_> = sink.mails().into_iter().filter(|mail| mail.to == [BEN]).collect();
    let [digest] = mails.as_slice() else { panic!("{} mails for {BEN}", mails.len()) };
    let digest = Read::parse(&digest.bytes);
    assert_eq!(digest.header("Subject"), "2 cases are waiting for you");
    assert!(digest.text.contains("2  Erroneous Transfers"), "{}", digest.text);
    for word in cases.iter().map(String::as_str).chain(["Quibble", "Alpha", "Amy"]) {
        assert!(!digest.text.contains(word), "{word} in {}", digest.text);
    }
    for mail in sink.mails() {
        let read = Read::parse(&mail.bytes);
        assert!(read.links().is_empty() && !read.text.contains("://"), "{}", read.text);
        assert!(
            read.text.contains("Green kettle on the roof") && read.html.contains("Green kettle"),
            "{read:?}"
        );
    }
    let page = Visitor::signed_in(server.portal(), BEN, &ben).get("/account/notices").text();
    assert!(page.contains("Digest of your alerts") && page.contains("taken by your mail system"), "{page}");
    server.stop();
}
