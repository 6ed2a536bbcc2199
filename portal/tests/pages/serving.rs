//! The real listener: requests over a socket, a slow peer, and the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::market::{Market, PASSWORD};

async fn served(market: &Market) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { stopped.await.unwrap_or_default() };
    (address, stop, tokio::spawn(portal::serve(listener, Arc::clone(&market.portal), shutdown)))
}

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_are_answered_until_the_end_and_open_ones_finish() {
    let market = Market::new().await;
    let (address, stop, server) = served(&market).await;
    let health = ask(address, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.ends_with("ok\n"), "{health}");

    // An idle connection and one in the middle of its head do not hold the end up.
    let _idle = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(12), server).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

/// A try at sign-in as a proxy passes it on.
fn sign_in(password: &str, cookie: &str, token: &str, forwarded: &str) -> String {
    let body = format!("token={token}&email=sam@beta.example&password={password}");
    format!(
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: https://portal.example\r\n\
         X-Forwarded-For: {forwarded}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Behind a proxy on the same machine, budgets of tries are kept by whom the proxy saw.
#[tokio::test]
async fn a_guesser_behind_the_proxy_does_not_use_up_the_tries_of_others() {
    let market = Market::at("https://portal.example", false).await;
    let (address, stop, server) = served(&market).await;
    let mut browser = market.browser();
    let token = browser.get("/sign-in").await.token();
    let cookie = format!("__Host-postern-form={}", browser.cookies["__Host-postern-form"]);
    // What stands before the last address was written by the guesser.
    for number in 0..5 {
        let answer =
            ask(address, &sign_in("wrong", &cookie, &token, &format!("10.0.0.{number}, 192.0.2.1"))).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    let answer = ask(address, &sign_in("wrong", &cookie, &token, "10.0.0.9, 192.0.2.1")).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    let answer = ask(address, &sign_in("wrong", &cookie, &token, "192.0.2.2")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    stop.send(()).unwrap();
    server.await.unwrap();
}

/// Strangers who try an account from many networks slow each other down, and never its owner.
#[tokio::test]
async fn strangers_do_not_lock_a_known_browser_out() {
    let market = Market::at("https://portal.example", false).await;
    let (address, stop, server) = served(&market).await;
    let mut owner = market.signed_in("sam@beta.example").await;
    let known = format!("__Host-postern-known={}", owner.cookies["__Host-postern-known"]);
    let page = owner.get("/").await;
    owner.post("/sign-out", &[("token", &page.token())]).await;
    let token = owner.get("/sign-in").await.token();
    let form = format!("__Host-postern-form={}", owner.cookies["__Host-postern-form"]);
    for number in 0..20 {
        let answer = ask(address, &sign_in("wrong", &form, &token, &format!("198.51.100.{number}"))).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{number} {answer}");
    }
    let stranger = ask(address, &sign_in(PASSWORD, &form, &token, "198.51.100.99")).await;
    assert!(stranger.starts_with("HTTP/1.1 429"), "{stranger}");
    let made_up = format!("{form}; __Host-postern-known={}", "0".repeat(64));
    let stranger = ask(address, &sign_in(PASSWORD, &made_up, &token, "198.51.100.99")).await;
    assert!(stranger.starts_with("HTTP/1.1 429"), "{stranger}");
    let owner = ask(address, &sign_in(PASSWORD, &format!("{form}; {known}"), &token, "203.0.113.7")).await;
    assert!(owner.starts_with("HTTP/1.1 303"), "{owner}");
    stop.send(()).unwrap();
    server.await.unwrap();
}

/// One machine that opens connections and says nothing does not take everybody's place.
#[tokio::test]
async fn one_peer_has_only_so_many_connections() {
    let market = Market::new().await;
    let (address, stop, server) = served(&market).await;
    let mut silent = Vec::new();
    for _ in 0..256 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut one_more = TcpStream::connect(address).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(5), one_more.read(&mut [0; 1])).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "turned away at once");
    drop(silent);
    let health = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let patience = Instant::now() + Duration::from_secs(30);
    while Instant::now() < patience {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut answer = String::new();
        let asked = stream.write_all(health.as_bytes()).await;
        if asked.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.ends_with("ok\n") {
            stop.send(()).unwrap();
            return server.await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    panic!("there is room again once the others are gone");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let market = Market::new().await;
    let (address, stop, server) = served(&market).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before all of it is written.
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    assert!(ask(address, "EHLO alpha.example\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    stop.send(()).unwrap();
    server.await.unwrap();
}
