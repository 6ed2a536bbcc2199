//! The configuration's words for mail, turned into what the gateway is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use certs::ServerIdentity;
use gateway::smtp::{Hostname, Limits, Listener, Options, PlainAuth, Security, Timeouts};
use gateway::{Gateway, Guards, Login, Pace, Settings, Smarthost, TlsPolicy, Worker};
use rustls::{ClientConfig, RootCertStore};
use templates::Templates;
use tokio::net::TcpListener;

use super::Ready;
use crate::config::{Config, ListenerTls, MailListener, OutboundTls};

/// The name that people see beside the address of a notice.
const NOTICE_NAME: &str = "Postern";

pub(super) fn settings(config: &Config, portal_url: &str) -> Settings {
    Settings {
        notice_domain: config.notices.reply_domain.clone(),
        notice_sender: config.notices.from.clone(),
        notice_name: NOTICE_NAME.to_owned(),
        portal_url: portal_url.to_owned(),
    }
}

/// Binds every mail address of the configuration.
pub(super) async fn bind(
    config: &Config,
    identity: Option<&Arc<ServerIdentity>>,
    ready: &mut Ready,
) -> anyhow::Result<Vec<(TcpListener, Options)>> {
    let mut bound = Vec::new();
    for (name, listener) in [("smtp", &config.smtp), ("submission", &config.submission)] {
        for address in &listener.listen {
            let security = match (listener.tls, identity) {
                (ListenerTls::Starttls, Some(identity)) => Security::StartTls(Arc::clone(identity)),
                _ => Security::Plain,
            };
            bound.push((listen(config, name, *address, ready).await?, options(config, listener, security)?));
        }
        for address in &listener.listen_tls {
            let identity = identity.context("tls.certificate is missing")?;
            let security = Security::Implicit(Arc::clone(identity));
            bound.push((
                listen(config, "submissions", *address, ready).await?,
                options(config, listener, security)?,
            ));
        }
    }
    Ok(bound)
}

async fn listen(
    config: &Config,
    name: &'static str,
    address: SocketAddr,
    ready: &mut Ready,
) -> anyhow::Result<TcpListener> {
    let socket = super::bind(config, name, address).await?;
    ready.add(name, socket.local_addr()?);
    Ok(socket)
}

pub(super) fn listener(socket: TcpListener, gateway: &Arc<Gateway>, options: Options) -> Listener<Guards> {
    Listener::new(socket, Arc::new(Guards(Arc::clone(gateway))), options)
}

fn options(config: &Config, listener: &MailListener, security: Security) -> anyhow::Result<Options> {
    let limits = &config.limits;
    Ok(Options {
        hostname: Hostname::parse(&config.server.name)?,
        security,
        plain_auth: match listener.login_without_tls {
            true => PlainAuth::Loopback,
            false => PlainAuth::Never,
        },
        limits: Limits {
            message_size: limits.message,
            data_line: limits.line as usize,
            recipients: limits.recipients as usize,
            errors: limits.errors,
            connections: limits.connections as usize,
            connections_per_address: limits.connections_per_peer as usize,
            timeouts: Timeouts {
                greeting: limits.command_timeout,
                command: limits.command_timeout,
                data_block: limits.data_timeout,
                grace: config.server.drain,
                ..Timeouts::default()
            },
            ..Limits::default()
        },
    })
}

pub(super) fn worker(config: &Config, gateway: Arc<Gateway>) -> anyhow::Result<Worker> {
    let templates = Arc::new(Templates::load()?);
    Ok(Worker::new(gateway, templates, smarthost(config)?, Pace::default()))
}

fn smarthost(config: &Config) -> anyhow::Result<Smarthost> {
    const STEP: Duration = Duration::from_secs(60);
    let notices = &config.notices;
    let password = config.password()?;
    let login = notices.user.clone().zip(password).map(|(user, password)| Login { user, password });
    Ok(Smarthost {
        host: notices.smarthost.host.clone(),
        port: notices.smarthost.port,
        tls: match notices.tls {
            OutboundTls::Require => TlsPolicy::Require,
            OutboundTls::Prefer => TlsPolicy::Prefer,
            OutboundTls::None => TlsPolicy::None,
        },
        login,
        helo: config.server.name.clone(),
        timeout: STEP,
        roots: roots(config)?,
    })
}

/// A smarthost without TLS needs no roots, and a machine without any must not keep us from starting.
fn roots(config: &Config) -> anyhow::Result<Arc<ClientConfig>> {
    let notices = &config.notices;
    if notices.tls == OutboundTls::None {
        let nobody = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
        return Ok(Arc::new(nobody.with_no_client_auth()));
    }
    certs::client_config(notices.ca.as_deref()).context("[notices]")
}
