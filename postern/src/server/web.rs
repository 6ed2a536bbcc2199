//! The portal's listener, and where people reach it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use certs::ServerIdentity;
use gateway::virus::VirusScanner;
use portal::{Demo, MailSide, Options, Portal, Scanner, Submission, Writing};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::{Config, MailListener};
use crate::tools::Desk;

/// Binds the portal's address.
pub(super) async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    super::bind(config, "portal", config.portal.listen).await
}

/// Where people reach the portal, without a slash at the end: the configured address, or the one listened on.
pub(super) fn url(config: &Config, socket: Option<&TcpListener>) -> anyhow::Result<String> {
    match (&config.portal.url, socket) {
        (Some(url), _) => Ok(url.clone()),
        (None, Some(socket)) => here(config, socket),
        (None, None) => Ok(address(config, config.portal.listen)),
    }
}

/// Where this process serves it.
pub(super) fn here(config: &Config, socket: &TcpListener) -> anyhow::Result<String> {
    Ok(address(config, socket.local_addr()?))
}

fn address(config: &Config, listen: SocketAddr) -> String {
    let scheme = if config.portal.tls { "https" } else { "http" };
    format!("{scheme}://{listen}")
}

pub(super) fn pages(
    config: &Config,
    desk: &Desk,
    url: &str,
    demo: Option<Demo>,
) -> anyhow::Result<Arc<Portal>> {
    let portal = Portal::new(Options {
        ledger: desk.ledger.clone(),
        catalogue: Arc::new(desk.rules.now().catalogue().clone()),
        public_url: url.parse().context("portal.url")?,
        demo,
    })?;
    let mail =
        MailSide { rules: desk.rules.clone(), submission: submission(config), stage: config.policy.stage };
    let portal = portal.beside(mail).for_writing(writing(config)).asking(config.portal.second_step);
    Ok(Arc::new(portal.refusing(config.breached()?)))
}

/// The scanner that the mail side asks, asked about what is written here as well.
fn writing(config: &Config) -> Writing {
    let scanner = super::mail_side::scanner(config).map(VirusScanner::new);
    Writing {
        notice_domain: config.notices.reply_domain.clone(),
        largest_upload: config.portal.largest_upload,
        scanner: scanner.map(|scanner| -> Scanner {
            Arc::new(move |mail, parts| {
                let scanner = scanner.clone();
                Box::pin(async move { scanner.check(&mail, &parts).await })
            })
        }),
    }
}

/// What people write into their mail programs; none where nobody can log in from another machine.
fn submission(config: &Config) -> Option<Submission> {
    let port = |listener: &MailListener| listener.listen.first().map(SocketAddr::port);
    let (starttls, implicit_tls) = (port(&config.submission), port(&config.submissions));
    (starttls.is_some() || implicit_tls.is_some()).then(|| Submission {
        host: config.server.name.clone(),
        implicit_tls,
        starttls,
    })
}

/// Serves until `stop` turns true.
pub(super) async fn serve(
    socket: TcpListener,
    pages: Arc<Portal>,
    identity: Option<Arc<ServerIdentity>>,
    mut stop: watch::Receiver<bool>,
) {
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stops| *stops).await;
    };
    match identity {
        Some(identity) => portal::serve_tls(socket, always_current(identity), pages, stopped).await,
        None => portal::serve(socket, pages, stopped).await,
    }
}

/// A TLS configuration that lasts as long as the listener and shows the certificate of the latest reload.
fn always_current(identity: Arc<ServerIdentity>) -> Arc<ServerConfig> {
    let config = ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_cert_resolver(Arc::new(Current(identity))))
}

#[derive(Debug)]
struct Current(Arc<ServerIdentity>);

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.server_config().cert_resolver.resolve(hello)
    }
}
