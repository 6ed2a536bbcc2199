//! How a poller waits: woken by the server, or by its own clock; and what it says of itself meanwhile.

use std::time::Duration;

use gateway::imap::{Fault, Login, Pin, Standing, Tls};

use crate::papers::Flaw;
use crate::server::ImapServer;
use crate::taking::{Scene, mail};
use crate::{Running, USER, mailbox};

#[tokio::test]
async fn idle_is_woken_by_a_new_mail() {
    let scene = Scene::open().await;
    let running = Running::start(&scene.shelf, scene.mailbox());
    for number in 0..5 {
        scene.quiet(number).await;
        scene.server.until("idle", |server| server.log().last().is_some_and(|line| line == "IDLE")).await;
        scene.server.deliver(&mail(number, 10));
    }
    scene.quiet(5).await;
    running.end().await;
    assert!(scene.server.inbox().is_empty());
}

#[tokio::test]
async fn without_idle_the_clock_wakes_it() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.capabilities = "IMAP4rev1 UIDPLUS".to_owned());
    let mut mailbox = scene.mailbox();
    mailbox.pace.poll = Duration::from_millis(20);
    let running = Running::start(&scene.shelf, mailbox);
    scene.quiet(0).await;
    scene.server.deliver(&mail(0, 10));
    scene.quiet(1).await;
    running.end().await;
    assert!(scene.server.log().iter().all(|line| line != "IDLE"));
}

#[tokio::test]
async fn idle_that_says_nothing_has_a_net() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.before.push(("IDLE", b"* OK Still here\r\n".to_vec())));
    let mut mailbox = scene.mailbox();
    mailbox.pace.poll = Duration::from_millis(20);
    let running = Running::start(&scene.shelf, mailbox);
    let idles = |server: &ImapServer| server.log().iter().filter(|line| *line == "IDLE").count();
    scene.server.until("idle, again and again", |server| idles(server) > 3).await;
    running.end().await;
}

#[tokio::test]
async fn a_server_that_refuses_idle_is_polled() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.refuses.push("IDLE"));
    let mut mailbox = scene.mailbox();
    mailbox.pace.poll = Duration::from_millis(20);
    let running = Running::start(&scene.shelf, mailbox);
    scene.quiet(0).await;
    scene.server.deliver(&mail(0, 10));
    scene.quiet(1).await;
    running.end().await;
    assert_eq!(scene.server.log().iter().filter(|line| *line == "IDLE").count(), 1);
}

#[tokio::test]
async fn a_refused_login_is_told_once_after_some_failures() {
    let scene = Scene::open().await;
    let mut mailbox = scene.mailbox();
    mailbox.login = Login::Password { user: USER.to_owned(), password: "wrong".to_owned() };
    let running = Running::start(&scene.shelf, mailbox);
    let logins =
        |server: &ImapServer| server.log().iter().filter(|line| *line == "AUTHENTICATE PLAIN").count();
    scene.server.until("many failures", |server| logins(server) > 6).await;
    running.end().await;
    assert_eq!(scene.shelf.fault(), Some(Fault::LoginRefused));
    assert_eq!(scene.shelf.contents().stopped, [Fault::LoginRefused]);
}

#[tokio::test]
async fn logins_that_are_not_offered_are_not_tried() {
    for (capabilities, oauth) in [("IMAP4rev1 LOGINDISABLED", false), ("IMAP4rev1 AUTH=PLAIN", true)] {
        let scene = Scene::open().await;
        scene.manners(|manners| manners.capabilities = capabilities.to_owned());
        let mut mailbox = scene.mailbox();
        if oauth {
            mailbox.login = Login::XOAuth2 { user: USER.to_owned(), token_file: scene.papers.file("none") };
        }
        let running = Running::start(&scene.shelf, mailbox);
        scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::LoginNotOffered)).await;
        running.end().await;
        assert!(scene.server.log().iter().all(|line| line == "CAPABILITY"), "{:?}", scene.server.log());
    }
}

#[tokio::test]
async fn a_token_that_is_not_there_is_told() {
    let scene = Scene::open().await;
    let mut mailbox = scene.mailbox();
    mailbox.login = Login::XOAuth2 { user: USER.to_owned(), token_file: scene.papers.file("none") };
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Token)).await;
    running.end().await;
}

#[tokio::test]
async fn certificates_that_do_not_verify_end_it_unless_their_key_is_pinned() {
    let scene = Scene::open().await;
    for flaw in [Flaw::SelfSigned, Flaw::UnknownRoot, Flaw::OtherName, Flaw::Expired] {
        let identity = scene.papers.identity(flaw);
        let shelf = crate::shelf::Shelf::default();
        let server = ImapServer::start(&identity, &shelf).await;
        server.deliver(&mail(0, 10));
        let mut mailbox = mailbox(&scene.papers, server.port);
        let running = Running::start(&shelf, mailbox.clone());
        shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Certificate)).await;
        running.end().await;
        assert_eq!(server.log(), [""; 0], "{flaw:?}");

        mailbox.server.pin = Some(Pin::of(&scene.papers.identity(flaw).certificate).unwrap());
        let running = Running::start(&shelf, mailbox.clone());
        shelf.until("told", |shelf| shelf.contents().stopped == [Fault::Certificate]).await;
        running.end().await;
        assert_eq!(server.log(), [""; 0], "the pin of another key, {flaw:?}");

        mailbox.server.pin = Some(Pin::of(&identity.certificate).unwrap());
        let running = Running::start(&shelf, mailbox);
        shelf.until("taken", |shelf| shelf.standing() == Some(Standing::Watching)).await;
        running.end().await;
        assert_eq!(shelf.contents().mails.len(), 1);
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_tls_where_there_is_none_fails() {
    let scene = Scene::open().await;
    let mut mailbox = scene.mailbox();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    mailbox.server.port = unused.local_addr().unwrap().port();
    drop(unused);
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Unreachable)).await;
    running.end().await;
    // A server that speaks TLS from the first octet never greets who waits for STARTTLS.
    let mut mailbox = scene.mailbox();
    mailbox.server.tls = Tls::StartTls;
    mailbox.pace.command = Duration::from_millis(100);
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::TimedOut)).await;
    running.end().await;
}
