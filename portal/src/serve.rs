//! Connections: accepted within bounds, with deadlines, and drained when the process ends.
//!
//! Everything about HTTP itself is hyper's; everything about pages is the router's.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::crowd::{Crowd, Seat};
use crate::pages::sign_in::Peer;
use crate::portal::Portal;
use crate::routes::router;
use crate::stall::Unstalled;
use crate::throttle::Network;

/// Connections at the same time; the next one waits to be accepted.
const MOST_CONNECTIONS: usize = 1024;

/// Of those, from one peer: four offices behind an address each still find room. A proxy speaks
/// for everybody and has no such bound.
const MOST_OF_ONE: usize = MOST_CONNECTIONS / 4;

/// A request's head, and the TLS handshake, must be whole in this time; so a connection that says
/// nothing between two requests is closed as well.
const HEAD: Duration = Duration::from_secs(15);

/// A reader that takes no byte for this long is gone.
const STALL: Duration = Duration::from_secs(60);

/// How long open requests may take once the process is asked to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Largest request head, in bytes; hyper answers 431 beyond it.
const LARGEST_HEAD: usize = 32 * 1024;

/// Serves the portal until `shutdown` resolves, then lets open requests finish.
pub async fn serve(listener: TcpListener, portal: Arc<Portal>, shutdown: impl Future<Output = ()>) {
    accept(listener, portal, None, shutdown).await;
}

/// The same over TLS; `tls` may swap its certificate while it runs.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    portal: Arc<Portal>,
    shutdown: impl Future<Output = ()>,
) {
    accept(listener, portal, Some(TlsAcceptor::from(tls)), shutdown).await;
}

async fn accept(
    listener: TcpListener,
    portal: Arc<Portal>,
    tls: Option<TlsAcceptor>,
    shutdown: impl Future<Output = ()>,
) {
    let router = router(Arc::clone(&portal));
    let crowd = Crowd::of(MOST_OF_ONE);
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, peer))) => {
                let peer = Peer { address: peer.ip(), tls: tls.is_some() };
                let seat = crowd.enter(Network::of(peer.address));
                if seat.is_none() && !peer.is_proxy(&portal) {
                    tracing::debug!("a peer with too many connections was turned away");
                    continue;
                }
                let router = router.clone().layer(Extension(peer));
                tokio::spawn(connection(stream, tls.clone(), router, graceful.watcher(), (place, seat)));
            }
            (_, Err(error)) => {
                // No more file handles: the listener stays, so try again when some are free.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            (Err(_), _) => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("open requests were cut off after {} seconds", DRAIN.as_secs());
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
    _places: (OwnedSemaphorePermit, Option<Seat<Network>>),
) {
    // A page is a few packets: waiting to fill them would only delay the last one.
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, router, watcher).await,
        Some(tls) => match tokio::time::timeout(HEAD, tls.accept(stream)).await {
            Ok(Ok(stream)) => speak(stream, router, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, router: Router, watcher: Watcher) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Unstalled::new(stream, STALL)), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
