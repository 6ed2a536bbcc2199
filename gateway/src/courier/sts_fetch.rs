//! Fetches an MTA-STS policy over HTTPS (RFC 8461 §3.3): one request to one host, certificate checked, no redirects,
//! a bounded body, within a bounded time. It asks nobody in a private network unless it was told that it may.

use std::{future::poll_fn, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{
    Request, StatusCode,
    body::{Body, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    address,
    settings::{Exchangers, Private},
    sts::{LARGEST, Policy},
};

/// Who fetches, and how long it may take.
pub(super) struct Fetcher {
    pub(super) roots: Arc<ClientConfig>,
    pub(super) within: Duration,
}

/// Why there is no policy, for the log; the mail goes as if none were published, or waits for the one that is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPolicy {
    #[error("its host is not found")]
    NoHost,
    #[error("its host has private addresses only")]
    Private,
    #[error("not within the time for it")]
    Timeout,
    #[error("{0}")]
    Network(#[from] std::io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("HTTP status {0} instead of 200")]
    Status(StatusCode),
    #[error("the answer is not text/plain")]
    MediaType,
    #[error("larger than {LARGEST} bytes")]
    TooLarge,
    #[error("what is published is no policy")]
    NotOne,
}

impl Fetcher {
    pub(super) async fn fetch(&self, domain: &str, exchangers: &Exchangers) -> Result<Policy, NoPolicy> {
        match timeout(self.within, self.ask(domain, exchangers)).await {
            Ok(policy) => policy,
            Err(_) => Err(NoPolicy::Timeout),
        }
    }

    async fn ask(&self, domain: &str, exchangers: &Exchangers) -> Result<Policy, NoPolicy> {
        let host = format!("mta-sts.{domain}");
        let addresses = exchangers.resolver.addresses(&host).await.map_err(|_| NoPolicy::NoHost)?;
        let reachable =
            |place: &std::net::IpAddr| exchangers.private == Private::Allowed || address::is_public(*place);
        let place = addresses.into_iter().find(reachable).ok_or(NoPolicy::Private)?;
        let stream = TcpStream::connect(SocketAddr::new(place, exchangers.policy_port)).await?;
        let mut config = (*self.roots).clone();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(host.clone()).map_err(|_| NoPolicy::NoHost)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(LARGEST).handshake(TokioIo::new(stream)).await?;
        // Dropped, and with it the connection, when the answer is there or the time is over.
        let mut connection = pin!(connection);
        let mut answer = pin!(async {
            let response = sender.send_request(request(&host)).await?;
            body(response).await
        });
        tokio::select! {
            answer = &mut answer => answer,
            ended = &mut connection => match ended {
                Ok(()) => answer.await,
                Err(error) => Err(error.into()),
            },
        }
    }
}

fn request(host: &str) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.uri_mut() = hyper::Uri::from_static("/.well-known/mta-sts.txt");
    if let Ok(host) = host.parse() {
        request.headers_mut().insert(HOST, host);
    }
    request.headers_mut().insert(USER_AGENT, hyper::header::HeaderValue::from_static("postern"));
    request
}

async fn body(response: hyper::Response<Incoming>) -> Result<Policy, NoPolicy> {
    if response.status() != StatusCode::OK {
        return Err(NoPolicy::Status(response.status()));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain") {
        return Err(NoPolicy::MediaType);
    }
    let mut body = pin!(response.into_body());
    let mut text = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(piece) = frame?.into_data() else { continue };
        if text.len() + piece.len() > LARGEST {
            return Err(NoPolicy::TooLarge);
        }
        text.extend_from_slice(&piece);
    }
    std::str::from_utf8(&text).ok().and_then(Policy::parse).ok_or(NoPolicy::NotOne)
}
