//! Servers that behave: what they are given, and how connections are used.

use mail::{Notify, ReturnWhat};

use super::{
    server::{Act, Manner, Server},
    *,
};

#[tokio::test]
async fn a_smarthost_is_given_the_login_over_tls_and_then_the_mail() {
    let trusted = Trusted::new();
    let server = Server::open(Manner::encrypting(trusted.server(&["localhost"]))).await;
    let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
    let delivered = deliver(&courier, "et@beta.example").await.unwrap();
    assert_eq!(delivered, Delivered { host: "localhost".to_owned(), reports: true });
    assert_eq!(
        server.seen.lines(),
        [
            "CONNECT",
            "EHLO postern.example",
            "STARTTLS",
            "TLS EHLO postern.example",
            "TLS AUTH PLAIN AHBvc3Rlcm4Ab3BlbiBzZXNhbWU=",
            &format!("TLS MAIL FROM:<bounces@postern.example> SIZE={}", LETTER.len()),
            "TLS RCPT TO:<et@beta.example>",
            "TLS DATA",
        ]
    );
    assert_eq!(server.seen.mails(), [LETTER.as_bytes()]);
}

#[tokio::test]
async fn many_mails_go_over_one_connection_which_is_given_back() {
    let trusted = Trusted::new();
    let server = Server::open(Manner::encrypting(trusted.server(&["localhost"]))).await;
    let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
    for _ in 0..3 {
        deliver(&courier, "et@beta.example").await.unwrap();
    }
    assert_eq!((server.seen.count("CONNECT"), server.seen.mails().len()), (1, 3));
    courier.sweep(false).await;
    assert_eq!(server.seen.count("TLS QUIT"), 0);
    courier.sweep(true).await;
    assert_eq!(server.seen.count("TLS QUIT"), 1);
}

#[tokio::test]
async fn a_connection_that_went_stale_is_replaced_without_a_failure() {
    let trusted = Trusted::new();
    let hasty = Manner::default().acts("END", Act::SayLast(b"250 taken\r\n"));
    let server = Server::open(hasty).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    for _ in 0..3 {
        deliver(&courier, "et@beta.example").await.unwrap();
    }
    assert_eq!((server.seen.count("CONNECT"), server.seen.mails().len()), (3, 3));
}

/// A refusal is an answer, whatever the age of the connection it came over.
#[tokio::test]
async fn a_mail_that_is_put_off_is_put_off_once() {
    let trusted = Trusted::new();
    let server = Server::open(Manner::default().says("RCPT TO:<late@beta.example>", "450 later")).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    deliver(&courier, "et@beta.example").await.unwrap();
    let failure = deliver(&courier, "late@beta.example").await.unwrap_err();
    assert_eq!((failure.step, failure.lasting), (Step::Recipient, Lasting::Temporary));
    assert_eq!((server.seen.count("CONNECT"), server.seen.count("RCPT")), (1, 2));
}

#[tokio::test]
async fn implicit_tls_comes_before_the_greeting() {
    let trusted = Trusted::new();
    let server = super::Server {
        host: "localhost".to_owned(),
        port: 1,
        place: Place::System,
        protection: Protection::Implicit(Arc::clone(&trusted.client)),
        login: None,
    };
    // Nobody listens there; what matters is how the protection is chosen.
    assert!(server.connect("x", &times()).await.is_err());
    let smarthost = Smarthost { host: "h".into(), port: 465, tls: TlsPolicy::Require, login: None };
    let courier = courier(Route::Smarthost(smarthost.clone()), &trusted, times());
    assert!(matches!(courier.smarthost(&smarthost).protection, Protection::Implicit(_)));
}

#[tokio::test]
async fn wishes_about_reports_reach_a_server_that_knows_them() {
    let trusted = Trusted::new();
    let server = Server::open(Manner::default().offers(&["DSN"])).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    let to = Rcpt {
        address: Address::parse("jo@beta.example").unwrap(),
        notify: Notify::On { success: true, failure: true, delay: false },
        original: Some("rfc822;jo@alias.example".to_owned()),
    };
    let report = ReportWish { what: Some(ReturnWhat::Headers), id: Some("x y".to_owned()) };
    let parcel =
        Parcel { reverse_path: &ReversePath::Null, to: &to, report: &report, mail: &cleared(LETTER) };
    assert!(courier.deliver(&parcel).await.unwrap().reports);
    assert_eq!(
        server.seen.lines()[2..4],
        [
            "MAIL FROM:<> RET=HDRS ENVID=x+20y",
            "RCPT TO:<jo@beta.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;jo@alias.example",
        ]
    );
    let plain = Server::open(Manner::default()).await;
    let courier = smarthost(plain.port, TlsPolicy::None, &trusted, times());
    assert!(!courier.deliver(&parcel).await.unwrap().reports);
    assert_eq!(plain.seen.lines()[2..4], ["MAIL FROM:<>", "RCPT TO:<jo@beta.example>"]);
}

#[tokio::test]
async fn what_a_server_cannot_take_is_told_before_the_mail_goes() {
    let trusted = Trusted::new();
    let refused = |offers: &'static [&'static str], to: &'static str, text: &'static str| {
        let trusted = &trusted;
        async move {
            let server = Server::open(Manner::default().offers(offers)).await;
            let courier = smarthost(server.port, TlsPolicy::None, trusted, times());
            let failure = deliver_mail(&courier, to, &cleared(text)).await.unwrap_err();
            assert_eq!((failure.lasting, server.seen.count("MAIL")), (Lasting::Permanent, 0));
            failure.status.to_string()
        }
    };
    assert_eq!(refused(&["SIZE 10"], "a@b.example", LETTER).await, "5.3.4");
    assert_eq!(refused(&["8BITMIME"], "jö@b.example", LETTER).await, "5.6.7");
    assert_eq!(refused(&["SMTPUTF8"], "a@b.example", "Subject: x\r\n\r\nö\r\n").await, "5.6.3");

    let server = Server::open(Manner::default().offers(&["SIZE", "8BITMIME", "SMTPUTF8"])).await;
    let courier = smarthost(server.port, TlsPolicy::None, &trusted, times());
    let mail = cleared("Subject: ö\r\n\r\nö\r\n");
    deliver_mail(&courier, "jö@b.example", &mail).await.unwrap();
    let line = "MAIL FROM:<bounces@postern.example> SIZE=19 BODY=8BITMIME SMTPUTF8";
    assert_eq!(server.seen.lines()[2], line);
}

#[tokio::test]
async fn an_old_server_is_spoken_to_in_the_old_way_only_where_clear_is_allowed() {
    let trusted = Trusted::new();
    let old = || Manner::default().says("EHLO", "500 what");
    let server = Server::open(old()).await;
    let courier = smarthost(server.port, TlsPolicy::Prefer, &trusted, times());
    deliver(&courier, "a@b.example").await.unwrap();
    assert_eq!(server.seen.count("HELO"), 1);
    assert_eq!(server.seen.count("AUTH"), 0, "a login in clear");

    let server = Server::open(old()).await;
    let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
    let failure = deliver(&courier, "a@b.example").await.unwrap_err();
    assert_eq!((failure.step, failure.lasting), (Step::Tls, Lasting::Temporary));
    assert_eq!(server.seen.count("MAIL"), 0);
}

#[tokio::test]
async fn a_login_in_two_lines_works_and_a_wrong_one_is_no_fault_of_the_mail() {
    let trusted = Trusted::new();
    let tls = trusted.server(&["localhost"]);
    let manner = Manner::encrypting(Arc::clone(&tls)).says("TLS EHLO", "250-mx.example\r\n250 AUTH LOGIN");
    let server = Server::open(manner.says("AUTH", "334 VXNlcm5hbWU6").says("LINE", "334 UGFzc3dvcmQ6")).await;
    let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
    // The second line is asked for twice: not what a login ends with.
    let failure = deliver(&courier, "a@b.example").await.unwrap_err();
    assert_eq!((failure.step, failure.lasting), (Step::Login, Lasting::Temporary));
    assert!(server.seen.lines().contains(&"TLS cG9zdGVybg==".to_owned()));

    for reply in ["535 5.7.8 no", "454 4.7.0 later", "250 ok"] {
        let server = Server::open(Manner::encrypting(Arc::clone(&tls)).says("AUTH", reply)).await;
        let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
        let failure = deliver(&courier, "a@b.example").await.unwrap_err();
        assert_eq!((failure.step, failure.lasting), (Step::Login, Lasting::Temporary), "{reply}");
        assert_eq!(server.seen.count("TLS MAIL"), 0);
    }
    let unknown =
        Manner::encrypting(tls).acts("TLS EHLO", Act::Say(b"250-x\r\n250 AUTH CRAM-MD5\r\n".to_vec()));
    let server = Server::open(unknown).await;
    let courier = smarthost(server.port, TlsPolicy::Require, &trusted, times());
    assert_eq!(deliver(&courier, "a@b.example").await.unwrap_err().step, Step::Login);
}
