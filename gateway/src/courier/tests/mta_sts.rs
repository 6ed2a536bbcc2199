//! MTA-STS (RFC 8461) from the record to the mail: what a policy binds, what a policy host may not do to us, and that a
//! policy once seen is not forgotten when its host is silenced.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{
    server::{Manner, Server},
    *,
};
use crate::dns::zone::Zone;

/// An HTTPS server that gives every request the same answer.
struct PolicyHost {
    port: u16,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl PolicyHost {
    async fn open(tls: Arc<ServerConfig>, answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let (said, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, answer) = (TlsAcceptor::from(Arc::clone(&tls)), said.lock().unwrap().clone());
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let mut request = [0; 1024];
                    let length = stream.read(&mut request).await.unwrap_or(0);
                    assert!(request[..length].starts_with(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"));
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { port, answer, asked, task }
    }
}

impl Drop for PolicyHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn policy(mode: &str, mx: &str, max_age: u32) -> Vec<u8> {
    let body = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n");
    answer("200 OK", "text/plain; charset=utf-8", &body)
}

/// A domain with a policy, one server and the policy's host.
struct Scene {
    trusted: Trusted,
    zone: Zone,
    server: Server,
    host: PolicyHost,
}

impl Scene {
    async fn new(manner: impl FnOnce(&Trusted) -> Manner, answer: Vec<u8>) -> Self {
        let trusted = Trusted::new();
        let zone = Zone::open().await;
        zone.txt("_mta-sts.beta.example", "v=STSv1; id=1;");
        zone.host("mta-sts.beta.example", "127.0.0.1");
        zone.mx("beta.example", 10, "mx.beta.example.").host("mx.beta.example", "127.0.0.1");
        let server = Server::open(manner(&trusted)).await;
        let host = PolicyHost::open(trusted.server(&["mta-sts.beta.example"]), answer).await;
        Self { trusted, zone, server, host }
    }

    fn courier(&self) -> Courier {
        self.courier_where(Private::Allowed, times())
    }

    fn courier_where(&self, private: Private, times: Times) -> Courier {
        let exchangers = Exchangers {
            private,
            port: self.server.port,
            policy_port: self.host.port,
            ..Exchangers::new(self.zone.resolver(), TlsPolicy::Prefer)
        };
        courier(Route::Mx(Box::new(exchangers)), &self.trusted, times)
    }

    fn asked(&self) -> usize {
        self.host.asked.load(Ordering::SeqCst)
    }
}

fn encrypting(trusted: &Trusted) -> Manner {
    Manner::encrypting(trusted.server(&["mx.beta.example"]))
}

#[tokio::test]
async fn an_enforced_policy_is_kept_and_asked_for_once() {
    let scene = Scene::new(encrypting, policy("enforce", "*.beta.example", 86_400)).await;
    let courier = scene.courier();
    for _ in 0..3 {
        deliver(&courier, "a@beta.example").await.unwrap();
    }
    assert_eq!((scene.asked(), scene.server.seen.mails().len()), (1, 3));
    assert_eq!(scene.server.seen.count("DATA"), 0, "in clear");
}

/// `prefer` would have taken each of these servers.
#[tokio::test]
async fn an_enforced_policy_forbids_what_prefer_allows() {
    let enforced = || policy("enforce", "mx.beta.example", 86_400);
    let clear = Scene::new(|_| Manner::default(), enforced()).await;
    let failure = deliver(&clear.courier(), "a@beta.example").await.unwrap_err();
    assert_eq!((failure.step, failure.lasting), (Step::Tls, Lasting::Temporary));

    let wrong_name = |trusted: &Trusted| Manner::encrypting(trusted.server(&["mx.other.example"]));
    let scene = Scene::new(wrong_name, enforced()).await;
    assert_eq!(deliver(&scene.courier(), "a@beta.example").await.unwrap_err().step, Step::Tls);

    let unlisted = Scene::new(encrypting, policy("enforce", "elsewhere.example", 86_400)).await;
    let failure = deliver(&unlisted.courier(), "a@beta.example").await.unwrap_err();
    assert_eq!((failure.step, failure.lasting), (Step::Find, Lasting::Temporary));
    assert!(unlisted.server.seen.lines().is_empty());
}

#[tokio::test]
async fn testing_and_none_bind_nobody() {
    for mode in ["testing", "none"] {
        let scene = Scene::new(|_| Manner::default(), policy(mode, "elsewhere.example", 86_400)).await;
        deliver(&scene.courier(), "a@beta.example").await.unwrap();
        assert_eq!(scene.asked(), 1);
    }
}

#[tokio::test]
async fn what_is_no_policy_binds_nobody_and_floods_nobody() {
    let enforced = String::from_utf8(policy("enforce", "elsewhere.example", 86_400)).unwrap();
    let body = enforced.split_once("\r\n\r\n").unwrap().1;
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{}", "x: y\n".repeat(200_000));
    for (what, bytes) in [
        (
            "a redirect",
            b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ),
        ("another status", answer("404 Not Found", "text/plain", body)),
        ("another type", answer("200 OK", "text/html", body)),
        ("no policy", answer("200 OK", "text/plain", "hello")),
        ("too much", endless.into_bytes()),
        ("a long header", format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200_000)).into_bytes()),
        ("no HTTP", b"220 hello\r\n".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let scene = Scene::new(|_| Manner::default(), bytes).await;
        let delivered = deliver(&scene.courier(), "a@beta.example").await;
        assert!(delivered.is_ok(), "{what}: {delivered:?}");
        assert_eq!(scene.asked(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_policy_host_must_prove_its_name() {
    let enforced = policy("enforce", "elsewhere.example", 86_400);
    let mut scene = Scene::new(|_| Manner::default(), enforced.clone()).await;
    scene.host = PolicyHost::open(scene.trusted.server(&["mx.beta.example"]), enforced).await;
    deliver(&scene.courier(), "a@beta.example").await.unwrap();
    assert_eq!(scene.asked(), 1);
}

/// A name that somebody else controls must not make this server knock at doors of its own network.
#[tokio::test]
async fn a_policy_host_at_a_private_address_is_not_asked() {
    let scene = Scene::new(encrypting, policy("enforce", "*.beta.example", 86_400)).await;
    let failure =
        deliver(&scene.courier_where(Private::Refused, times()), "a@beta.example").await.unwrap_err();
    assert_eq!(failure.status.to_string(), "5.4.4");
    assert_eq!(scene.asked(), 0);
}

#[tokio::test]
async fn a_policy_host_that_never_answers_is_given_up() {
    let scene = Scene::new(|_| Manner::default(), Vec::new()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exchangers = Exchangers {
        private: Private::Allowed,
        port: scene.server.port,
        policy_port: listener.local_addr().unwrap().port(),
        ..Exchangers::new(scene.zone.resolver(), TlsPolicy::Prefer)
    };
    let brief = Times { policy: Duration::from_millis(150), ..times() };
    deliver(&courier(Route::Mx(Box::new(exchangers)), &scene.trusted, brief), "a@beta.example")
        .await
        .unwrap();
}

/// Who can silence the record or the host must not be able to switch the policy off.
#[tokio::test]
async fn a_policy_once_seen_binds_until_it_ends() {
    let scene = Scene::new(|_| Manner::default(), policy("enforce", "mx.beta.example", 86_400)).await;
    let Route::Mx(exchangers) = scene.courier().outbound.route.clone() else { unreachable!() };
    let shelf = Shelf::new(Fetcher { roots: Arc::clone(&scene.trusted.client), within: times().policy });
    assert!(shelf.policy("beta.example", &exchangers).await.is_some());

    let brief = policy("enforce", "mx.beta.example", 0);
    *scene.host.answer.lock().unwrap() = brief;
    let forgotten = Shelf::new(Fetcher { roots: Arc::clone(&scene.trusted.client), within: times().policy });
    assert!(forgotten.policy("beta.example", &exchangers).await.is_some());
    assert!(forgotten.policy("beta.example", &exchangers).await.is_none(), "it had ended");

    let silent = Zone::open().await;
    silent.fails("_mta-sts.beta.example");
    let gone = Exchangers { resolver: silent.resolver(), ..*exchangers };
    shelf.age("beta.example");
    assert!(shelf.policy("beta.example", &gone).await.is_some(), "the record is gone, the policy is not");
}

/// A policy that was seen by an earlier process binds this one, also if by now nobody can be asked.
#[tokio::test]
async fn a_policy_outlives_the_process_that_saw_it() {
    let scene = Scene::new(|_| Manner::default(), policy("enforce", "mx.beta.example", 86_400)).await;
    let root = Arc::new(certs::RootKey::generate().unwrap());
    let ledger = store::Ledger::open(Arc::new(store::memory::Memory::new()), root).await.unwrap();
    let Route::Mx(exchangers) = scene.courier().outbound.route.clone() else { unreachable!() };
    let shelf = || {
        let fetcher = Fetcher { roots: Arc::clone(&scene.trusted.client), within: times().policy };
        let mut shelf = Shelf::new(fetcher);
        shelf.remember_in(ledger.clone());
        shelf
    };
    let seen = shelf().policy("beta.example", &exchangers).await;
    assert!(seen.is_some());
    let silent = Zone::open().await;
    silent.fails("_mta-sts.beta.example");
    let gone = Exchangers { resolver: silent.resolver(), ..*exchangers };
    assert_eq!(shelf().policy("beta.example", &gone).await, seen);
    assert_eq!(scene.asked(), 1);
}
