//! Delivery by MX records: which servers are tried, in which order, and which never.

use std::net::IpAddr;

use super::{
    server::{Act, Manner, Server},
    *,
};
use crate::dns::zone::Zone;

/// Servers on different addresses of loopback share a port.
async fn row(manners: Vec<Manner>) -> (Vec<Server>, u16) {
    let mut manners = manners.into_iter();
    let first = Server::at("127.0.0.1:0", manners.next().unwrap()).await;
    let port = first.port;
    let mut servers = vec![first];
    for (place, manner) in manners.enumerate() {
        servers.push(Server::at(&format!("127.0.0.{}:{port}", place + 2), manner).await);
    }
    (servers, port)
}

fn exchangers(zone: &Zone, port: u16, tls: TlsPolicy) -> Exchangers {
    Exchangers { private: Private::Allowed, port, ..Exchangers::new(zone.resolver(), tls) }
}

async fn by_mx(exchangers: Exchangers, to: &str) -> Result<Delivered, Failure> {
    deliver(&courier(Route::Mx(Box::new(exchangers)), &Trusted::new(), times()), to).await
}

fn status(failure: &Failure) -> String {
    failure.status.to_string()
}

#[tokio::test]
async fn the_most_preferred_server_gets_the_mail() {
    let (servers, port) = row(vec![Manner::default(), Manner::default()]).await;
    let zone = Zone::open().await;
    zone.mx("beta.example", 20, "far.example.").mx("beta.example", 10, "near.example.");
    zone.host("near.example", "127.0.0.2").host("far.example", "127.0.0.1");
    let delivered = by_mx(exchangers(&zone, port, TlsPolicy::None), "a@beta.example").await.unwrap();
    assert_eq!(delivered.host, "near.example");
    assert_eq!((servers[0].seen.mails().len(), servers[1].seen.mails().len()), (0, 1));
    assert!(servers[1].seen.lines().iter().all(|line| !line.starts_with("AUTH")));
}

#[tokio::test]
async fn the_next_server_is_tried_when_one_does_not_work_and_none_when_it_says_no() {
    for (manner, lasting) in [
        (Manner::default().says("GREETING", "554 not today"), None),
        (Manner::default().says("EHLO", "421 busy"), None),
        (Manner::default().acts("GREETING", Act::Close), None),
        (Manner::default().says("RCPT", "550 5.1.1 no such user"), Some(Lasting::Permanent)),
        (Manner::default().says("RCPT", "450 4.2.0 later"), Some(Lasting::Temporary)),
        (Manner::default().says("MAIL", "550 5.7.1 not from you"), Some(Lasting::Permanent)),
    ] {
        let (servers, port) = row(vec![manner, Manner::default()]).await;
        let zone = Zone::open().await;
        zone.mx("beta.example", 10, "first.example.").mx("beta.example", 20, "second.example.");
        zone.host("first.example", "127.0.0.1").host("second.example", "127.0.0.2");
        let result = by_mx(exchangers(&zone, port, TlsPolicy::None), "a@beta.example").await;
        match lasting {
            None => assert_eq!(result.unwrap().host, "second.example"),
            Some(lasting) => {
                assert_eq!(result.unwrap_err().lasting, lasting);
                assert_eq!(servers[1].seen.lines(), Vec::<String>::new());
            }
        }
    }
}

#[tokio::test]
async fn without_records_the_domain_itself_is_the_server() {
    let (servers, port) = row(vec![Manner::default()]).await;
    let zone = Zone::open().await;
    zone.host("beta.example", "127.0.0.1");
    by_mx(exchangers(&zone, port, TlsPolicy::None), "a@beta.example").await.unwrap();
    assert_eq!(servers[0].seen.mails().len(), 1);
}

#[tokio::test]
async fn a_domain_beyond_ascii_is_looked_up_as_dns_knows_it() {
    let (servers, port) = row(vec![Manner::default().offers(&["SMTPUTF8"])]).await;
    let zone = Zone::open().await;
    zone.mx("xn--bcher-kva.example", 10, "mx.example.").host("mx.example", "127.0.0.1");
    by_mx(exchangers(&zone, port, TlsPolicy::None), "a@bücher.example").await.unwrap();
    assert_eq!(servers[0].seen.count("RCPT TO:<a@bücher.example>"), 1);
}

#[tokio::test]
async fn what_cannot_be_found_is_told_apart_from_what_is_not_there() {
    let zone = Zone::open().await;
    zone.mx("null.example", 0, ".").mx("lost.example", 10, "nowhere.example.").fails("broken.example");
    zone.mx("own.example", 10, "postern.example.").mx("own.example", 20, "far.example.");
    zone.mx("literal.example", 10, "here.example.").host("here.example", "127.0.0.9");
    zone.mx("private.example", 10, "inside.example.").host("inside.example", "10.1.2.3");
    let failure = |to: &'static str| {
        let own: Vec<IpAddr> = vec!["127.0.0.9".parse().unwrap()];
        let exchangers =
            Exchangers { private: Private::Refused, own, ..exchangers(&zone, 1, TlsPolicy::None) };
        async move { by_mx(exchangers, to).await.unwrap_err() }
    };
    for (to, code, lasting) in [
        ("a@absent.example", "5.1.2", Lasting::Permanent),
        ("a@null.example", "5.1.10", Lasting::Permanent),
        ("a@own.example", "5.4.6", Lasting::Permanent),
        ("a@literal.example", "5.4.6", Lasting::Permanent),
        ("a@private.example", "5.4.4", Lasting::Permanent),
        ("a@[192.0.2.1]", "5.1.2", Lasting::Permanent),
        ("a@lost.example", "4.4.3", Lasting::Temporary),
        ("a@broken.example", "4.4.3", Lasting::Temporary),
    ] {
        let failure = failure(to).await;
        assert_eq!((status(&failure).as_str(), failure.lasting), (code, lasting), "{to}: {failure}");
    }
}

#[tokio::test]
async fn a_server_with_our_name_is_this_one() {
    let (servers, port) = row(vec![Manner::default().named("Postern.Example")]).await;
    let zone = Zone::open().await;
    zone.host("beta.example", "127.0.0.1");
    let failure = by_mx(exchangers(&zone, port, TlsPolicy::None), "a@beta.example").await.unwrap_err();
    assert_eq!((status(&failure).as_str(), failure.lasting), ("5.4.6", Lasting::Permanent));
    assert_eq!(servers[0].seen.count("MAIL"), 0);
}

#[tokio::test]
async fn require_means_a_certificate_for_the_exchangers_own_name() {
    let trusted = Trusted::new();
    let zone = Zone::open().await;
    zone.mx("beta.example", 10, "mx.example.").host("mx.example", "127.0.0.1");
    for (names, tls, taken) in [
        (&["mx.example"], TlsPolicy::Require, true),
        (&["beta.example"], TlsPolicy::Require, false),
        (&["beta.example"], TlsPolicy::Prefer, true),
    ] {
        let server = Server::open(Manner::encrypting(trusted.server(names))).await;
        let route = Route::Mx(Box::new(exchangers(&zone, server.port, tls)));
        let result = deliver(&courier(route, &trusted, times()), "a@beta.example").await;
        assert_eq!(result.is_ok(), taken, "{names:?} {tls:?}");
        assert_eq!(server.seen.count("TLS DATA"), usize::from(taken));
        assert_eq!(server.seen.count("DATA"), 0, "in clear");
    }
    let clear = Server::open(Manner::default()).await;
    let route = |tls| Route::Mx(Box::new(exchangers(&zone, clear.port, tls)));
    assert!(deliver(&courier(route(TlsPolicy::Require), &trusted, times()), "a@beta.example").await.is_err());
    assert!(deliver(&courier(route(TlsPolicy::Prefer), &trusted, times()), "a@beta.example").await.is_ok());
}

#[tokio::test]
async fn a_server_that_stalls_is_left_alone_for_a_while() {
    let (servers, port) = row(vec![Manner::default().acts("GREETING", Act::Silence)]).await;
    let zone = Zone::open().await;
    zone.host("beta.example", "127.0.0.1").host("gamma.example", "127.0.0.1");
    let route = Route::Mx(Box::new(exchangers(&zone, port, TlsPolicy::None)));
    let courier = courier(route, &Trusted::new(), short());
    for _ in 0..5 {
        let failure = deliver(&courier, "a@beta.example").await.unwrap_err();
        assert_eq!(failure.lasting, Lasting::Temporary);
    }
    assert_eq!(servers[0].seen.count("CONNECT"), 1);
}
