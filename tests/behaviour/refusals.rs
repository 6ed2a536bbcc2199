//! What is not taken, and what the sender is told: never an open relay, never a company that was not proved.

use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, mailbox};
use tests::postern::Server;
use tests::smtp::Smtp;

struct Stage {
    server: Server,
    installation: Installation,
    password: String,
}

impl Stage {
    fn set() -> Self {
        let installation = Installation::new(&Settings::default());
        let password = installation.password(AMY);
        Self { server: installation.serve(), installation, password }
    }

    fn amy(&self) -> Smtp {
        Smtp::login(self.server.submission(), AMY, &self.password).unwrap()
    }

    /// Nothing came of it.
    fn ends_empty(self) {
        assert_eq!(self.installation.json(["case", "list"]).as_array().unwrap().len(), 0);
        self.installation.audit_is_whole();
        self.server.stop();
    }
}

#[test]
fn an_unmapped_address() {
    let stage = Stage::set();
    for to in
        ["nobody@beta.example", "et@gamma.example", "r-0000@post.example.org", "someone@elsewhere.example"]
    {
        let mail = Letter::new(AMY, to, "Unmapped", "unmapped@alpha.example").bytes();
        let reply = stage.amy().deliver(AMY, &[to], &mail).unwrap();
        // At another company's domain the subject could have named a process, so there the mail itself is refused.
        let status = if to.ends_with("@beta.example") { "550 5.7.1 " } else { "550 5.1.1 " };
        assert!(reply.is(status), "{to}: {reply:?}");
        assert!(reply.text.contains("not mapped"), "{reply:?}");
    }
    stage.ends_empty();
}

#[test]
fn a_peer_that_nobody_knows() {
    let stage = Stage::set();
    for address in [stage.server.smtp(), stage.server.submission()] {
        for to in [MAILBOX, "someone@elsewhere.example"] {
            let mut smtp = Smtp::greet(address).unwrap();
            let mail = Letter::new(AMY, to, "Unknown", "unknown@alpha.example").bytes();
            let reply = smtp.deliver(AMY, &[to], &mail).unwrap();
            let proof = reply.is("550 5.7.1 ") || reply.is("530 5.7.0 ");
            assert!(proof && reply.text.contains("AUTH"), "it must say how to be known: {reply:?}");
        }
    }
    stage.ends_empty();
}

#[test]
fn an_author_of_another_company() {
    let stage = Stage::set();
    for author in ["ben@beta.example", "amy@elsewhere.example", "amy@alpha.example.elsewhere.example"] {
        let mail = Letter::new(author, MAILBOX, "Borrowed name", "borrowed@alpha.example").bytes();
        let reply = stage.amy().deliver(AMY, &[MAILBOX], &mail).unwrap();
        assert!(reply.is("550 5.7.1 "), "{author}: {reply:?}");
    }
    stage.ends_empty();
}

#[test]
fn more_than_one_author_or_none() {
    let stage = Stage::set();
    let rest = "To: et@beta.example\r\nSubject: x\r\n\r\nx\r\n";
    for from in [
        "From: amy@alpha.example\r\nFrom: ben@beta.example\r\n",
        "From: amy@alpha.example, ben@beta.example\r\n",
        "From: amy@alpha.example\r\nfrom : ben@beta.example\r\n",
        "From: \r\n",
        "",
    ] {
        let reply = stage.amy().deliver(AMY, &[MAILBOX], format!("{from}{rest}").as_bytes()).unwrap();
        assert!(reply.is("550 5.7.1 "), "{from:?}: {reply:?}");
    }
    stage.ends_empty();
}

#[test]
fn a_mailbox_of_the_own_company() {
    let stage = Stage::set();
    let password = stage.installation.password("ben@beta.example");
    let mut ben = Smtp::login(stage.server.submission(), "ben@beta.example", &password).unwrap();
    let mail = Letter::new("ben@beta.example", MAILBOX, "To ourselves", "self@beta.example").bytes();
    let reply = ben.deliver("ben@beta.example", &[MAILBOX], &mail).unwrap();
    assert!(reply.is("550 5."), "{reply:?}");
    stage.ends_empty();
}

#[test]
fn a_wrong_password() {
    let stage = Stage::set();
    for (user, password) in [(AMY, "wrong"), ("ghost@alpha.example", "wrong"), ("x", ""), (AMY, "")] {
        let error = Smtp::login(stage.server.submission(), user, password).err().unwrap().to_string();
        assert!(error.contains("535") && error.contains("5.7.8"), "{error}");
    }
    stage.ends_empty();
}

#[test]
fn a_mail_larger_than_announced_as_possible() {
    let stage = Stage::set();
    let mut smtp = stage.amy();
    let reply = smtp.command(&format!("MAIL FROM:<{AMY}> SIZE=99999999999")).unwrap();
    assert!(reply.is("552 5.3.4 "), "{reply:?}");
    stage.ends_empty();
}

#[test]
fn limits_come_from_the_configuration() {
    let limits =
        "message = \"64 KiB\"\nline = \"1200 bytes\"\nrecipients = 1\nerrors = 3\nconnections_per_peer = 2";
    let installation = Installation::new(&Settings { limits, ..Settings::default() });
    let password = installation.password(AMY);
    let stage = Stage { server: installation.serve(), installation, password };
    let head = format!("From: {AMY}\r\nTo: {MAILBOX}\r\nSubject: Limits\r\n\r\n");

    let long_line = format!("{head}{}\r\n", "x".repeat(1300));
    let reply = stage.amy().deliver(AMY, &[MAILBOX], long_line.as_bytes()).unwrap();
    assert!(reply.is("5") && reply.text.contains("line"), "{reply:?}");

    let large = format!("{head}{}", format!("{}\r\n", "x".repeat(70)).repeat(1000));
    let reply = stage.amy().deliver(AMY, &[MAILBOX], large.as_bytes()).unwrap();
    assert!(reply.is("552 5.3.4 "), "{reply:?}");

    let mut smtp = stage.amy();
    assert!(smtp.command(&format!("MAIL FROM:<{AMY}>")).unwrap().is("250 "));
    assert!(smtp.command(&format!("RCPT TO:<{MAILBOX}>")).unwrap().is("250 "));
    let more = smtp.command(&format!("RCPT TO:<{}>", mailbox(1))).unwrap();
    assert!(more.is("452 "), "{more:?}");
    drop(smtp);

    let mut smtp = stage.amy();
    let replies: Vec<_> = (0..4).map(|_| smtp.command("NONSENSE").unwrap()).collect();
    assert!(replies[..3].iter().all(|reply| reply.is("500 ")) && replies[3].is("421 "), "{replies:?}");

    // Those before may still be closing: two are greeted at the most.
    let held: Vec<_> = (0..5).map_while(|_| Smtp::greet(stage.server.submission()).ok()).collect();
    assert!(held.len() <= 2, "{} connections of one peer were greeted", held.len());
    drop(held);
    stage.ends_empty();
}
