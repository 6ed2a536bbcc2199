//! The configuration's words for mail, turned into what the gateway is told.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use certs::ServerIdentity;
use certs::dkim::DkimKey;
use gateway::connector::Provider;
use gateway::documents::DocumentSettings;
use gateway::smtp::{Hostname, Limits, Listener, Means, Options, PlainAuth, Security, Timeouts};
use gateway::virus::ScanSettings;
use gateway::{
    Courier, DnsSettings, Exchangers, Gateway, Guards, Login, Outbound, Pace, Private, Resolver, Route,
    Settings, Signer, Smarthost, Times, TlsPolicy, Worker,
};
use policies::Passing;
use rustls::{ClientConfig, RootCertStore};
use templates::Templates;
use tokio::net::TcpListener;

use super::Ready;
use crate::commands::read_documents;
use crate::config::{
    self, Config, Dns, Exit, Identity, ListenerTls, MailListener, OutboundTls, Relay, Signing,
};

/// The name that people see beside the address of a notice.
const NOTICE_NAME: &str = "Postern";

pub(super) fn settings(config: &Config, portal_url: &str) -> anyhow::Result<Settings> {
    Ok(Settings {
        hostname: config.server.name.clone(),
        passing: match config.relay {
            Relay::On => Passing::On,
            Relay::Off => Passing::Off,
        },
        signature_age: config.limits.signature_age,
        postmaster: config.smtp.postmaster.clone(),
        journal: config.journal.addresses.clone(),
        scanner: scanner(config),
        documents: Some(DocumentSettings::of_this_program(read_documents::NAME)),
        authorities: config.authorities()?,
        stage: config.policy.stage,
        providers: config.providers.iter().map(provider).collect(),
        notice_domain: config.notices.reply_domain.clone(),
        notice_sender: config.notices.from.clone(),
        notice_name: NOTICE_NAME.to_owned(),
        portal_url: portal_url.to_owned(),
    })
}

pub(super) fn scanner(config: &Config) -> Option<ScanSettings> {
    let scanner = &config.scanner;
    scanner.clamd.clone().map(|clamd| ScanSettings {
        clamd,
        patience: scanner.timeout,
        at_once: scanner.at_once as usize,
    })
}

fn provider(provider: &config::Provider) -> Provider {
    Provider {
        name: provider.name.clone(),
        networks: provider.networks.clone(),
        certificate_names: provider.certificate_names.clone(),
    }
}

/// Binds every mail address of the configuration.
pub(super) async fn bind(
    config: &Config,
    identity: Option<&Arc<ServerIdentity>>,
    ready: &mut Ready,
) -> anyhow::Result<Vec<(TcpListener, Options)>> {
    let mut bound = Vec::new();
    let listeners =
        [("smtp", &config.smtp), ("submission", &config.submission), ("submissions", &config.submissions)];
    for (name, listener) in listeners {
        for address in &listener.listen {
            let security = match (listener.tls, identity) {
                (ListenerTls::None, _) | (ListenerTls::Starttls, None) => Security::Plain,
                (ListenerTls::Starttls, Some(identity)) => Security::StartTls(Arc::clone(identity)),
                (ListenerTls::Implicit, identity) => {
                    Security::Implicit(Arc::clone(identity.context("tls.certificate is missing")?))
                }
            };
            bound.push((
                listen(config, name, *address, ready).await?,
                options(config, name, listener, security)?,
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

fn options(
    config: &Config,
    name: &str,
    listener: &MailListener,
    security: Security,
) -> anyhow::Result<Options> {
    let limits = &config.limits;
    Ok(Options {
        plain_auth: match listener.login_without_tls {
            true => PlainAuth::Loopback,
            false => PlainAuth::Never,
        },
        limits: Limits {
            message_size: listener.own.message.unwrap_or(limits.message),
            data_line: limits.line as usize,
            recipients: listener.own.recipients.unwrap_or(limits.recipients) as usize,
            errors: limits.errors,
            connections: listener.own.connections.unwrap_or(limits.connections) as usize,
            connections_per_address: listener.own.connections_per_peer.unwrap_or(limits.connections_per_peer)
                as usize,
            timeouts: Timeouts {
                greeting: limits.command_timeout,
                command: limits.command_timeout,
                data_block: limits.data_timeout,
                grace: config.server.drain,
                ..Timeouts::default()
            },
            ..Limits::default()
        },
        identities: listener.identities.iter().map(|identity| means(*identity)).collect(),
        ..Options::new(name, Hostname::parse(&config.server.name)?, security)
    })
}

fn means(identity: Identity) -> Means {
    match identity {
        Identity::Login => Means::Login,
        Identity::Certificate => Means::Certificate,
        Identity::Network => Means::Network,
        Identity::Connector => Means::Connector,
        Identity::Domain => Means::Domain,
        Identity::Return => Means::Return,
    }
}

pub(super) fn worker(config: &Config, gateway: Arc<Gateway>, resolver: Resolver) -> anyhow::Result<Worker> {
    let templates = Arc::new(Templates::load()?);
    let courier = Arc::new(Courier::new(outbound(config, resolver)?)?.remembering(gateway.ledger().clone()));
    let delivery = &config.delivery;
    let pace = Pace {
        lanes: match &config.notices.smarthost {
            Exit::Smarthost { .. } => delivery.connections.min(delivery.connections_per_domain) as usize,
            Exit::Mx => delivery.connections as usize,
        },
        per_domain: delivery.connections_per_domain as usize,
        give_up: delivery.give_up,
        delay_warning: delivery.delay_warning,
        ..Pace::default()
    };
    Ok(Worker::new(gateway, templates, signer(config)?, courier, pace))
}

/// Letters come from the domain of their author's address: a signature of another one would prove nothing (RFC 7489 §3.1.1).
fn signer(config: &Config) -> anyhow::Result<Signer> {
    let load = |signing: &Signing| {
        let key = DkimKey::load(&signing.key).context("[delivery] dkim")?;
        Ok((signing.selector.clone(), key))
    };
    let keys: Vec<(String, DkimKey)> =
        config.delivery.dkim.iter().map(load).collect::<anyhow::Result<_>>()?;
    let keys = keys.iter().map(|(selector, key)| (selector.as_str(), key));
    Ok(Signer::new(config.notices.from.domain(), keys)?)
}

fn outbound(config: &Config, resolver: Resolver) -> anyhow::Result<Outbound> {
    Ok(Outbound {
        route: route(config, resolver)?,
        helo: config.server.name.clone(),
        roots: roots(config)?,
        times: Times::default(),
        per_host: config.delivery.connections_per_domain as usize,
    })
}

fn route(config: &Config, resolver: Resolver) -> anyhow::Result<Route> {
    let notices = &config.notices;
    let tls = match notices.tls {
        OutboundTls::Require => TlsPolicy::Require,
        OutboundTls::Prefer => TlsPolicy::Prefer,
        OutboundTls::None => TlsPolicy::None,
    };
    let login = notices.user.clone().zip(config.password()?);
    let login = login.map(|(user, password)| Login { user, password });
    Ok(match &notices.smarthost {
        Exit::Smarthost { host, port } => {
            Route::Smarthost(Smarthost { host: host.clone(), port: *port, tls, login })
        }
        Exit::Mx => {
            let private = if config.delivery.private_addresses { Private::Allowed } else { Private::Refused };
            let listening = config.smtp.listen.iter().map(SocketAddr::ip);
            Route::Mx(Box::new(Exchangers {
                own: listening.filter(|address| !address.is_unspecified()).collect(),
                private,
                ..Exchangers::new(resolver, tls)
            }))
        }
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

/// The one resolver of the process.
pub(super) fn resolver(config: &Config) -> anyhow::Result<Resolver> {
    let Dns { servers, timeout } = &config.dns;
    Ok(Resolver::new(&DnsSettings { servers: servers.clone(), timeout: *timeout })?)
}
