//! The one way out: hands finished mails to a smarthost or to the recipient's own servers, over SMTP.
//!
//! Nobody else in Postern opens an outgoing SMTP connection. The courier never builds a mail and never decides whether
//! one may leave (`guard.rs`); it says what became of it, once.

mod address;
mod connect;
mod dialogue;
mod exchangers;
mod failure;
mod hosts;
mod offers;
mod opportunistic;
mod reply;
mod settings;
mod sts;
mod sts_fetch;
mod sts_shelf;
mod stuffing;
#[cfg(test)]
mod tests;
mod wire;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use hickory_resolver::proto::rr::Name;
use store::Ledger;

use connect::{Connection, Place, Protection, Server};
use exchangers::Trust;
use failure::{Cause, Hop, Step};
use hosts::{Hosts, Visit};
use sts_fetch::Fetcher;
use sts_shelf::Shelf;

pub(crate) use dialogue::Parcel;
pub(crate) use failure::{Failure, Lasting};
pub use reply::{Malformed, Reply, ReplyReader};
pub use settings::{Exchangers, Login, Outbound, Private, Route, Smarthost, Times, TlsPolicy};

/// The outgoing side, shared by all who have something to send.
pub struct Courier {
    outbound: Outbound,
    trust: Trust,
    hosts: Hosts,
    shelf: Shelf,
}

/// A mail that another server has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) host: String,
    /// Whether that server now owes the reports that the sender wished for (RFC 3461 §6.2).
    pub(crate) reports: bool,
}

/// As the domain stands in DNS and in certificates (RFC 5891 §4.4); as it is if it has no such form.
fn ascii(domain: &str) -> String {
    match Name::from_str_relaxed(domain) {
        Ok(name) if !domain.is_ascii() => name.to_ascii().trim_end_matches('.').to_owned(),
        _ => domain.to_owned(),
    }
}

impl Courier {
    /// # Errors
    /// The TLS library refuses its own defaults.
    pub fn new(outbound: Outbound) -> Result<Self, rustls::Error> {
        let verified = Arc::clone(&outbound.roots);
        Ok(Self {
            trust: Trust {
                anyone: opportunistic::client_config(&verified)?,
                verified: Arc::clone(&verified),
            },
            hosts: Hosts::new(outbound.per_host, outbound.times.idle),
            shelf: Shelf::new(Fetcher { roots: verified, within: outbound.times.policy }),
            outbound,
        })
    }

    /// Remembers in the ledger what other domains ask of who sends to them.
    #[must_use]
    pub fn remembering(mut self, ledger: Ledger) -> Self {
        self.shelf.remember_in(ledger);
        self
    }

    /// The name that this server gives itself.
    pub(crate) fn helo(&self) -> &str {
        &self.outbound.helo
    }

    /// Whether each domain has servers of its own.
    pub(crate) fn spreads(&self) -> bool {
        matches!(self.outbound.route, Route::Mx(_))
    }

    /// How long a step of a dialogue may take.
    pub(crate) fn step(&self) -> Duration {
        self.outbound.times.step
    }

    /// Gives one mail to a server that takes it for its recipient, or says why none did.
    pub(crate) async fn deliver(&self, parcel: &Parcel<'_>) -> Result<Delivered, Failure> {
        let domain = &ascii(parcel.to.address.domain());
        let (hop, servers) = match &self.outbound.route {
            Route::Smarthost(smarthost) => (Hop::Smarthost, vec![self.smarthost(smarthost)]),
            Route::Mx(exchangers) => {
                let policy = self.shelf.policy(domain, exchangers).await;
                let found = exchangers.servers(domain, &self.outbound.helo, policy, &self.trust).await;
                let found = found.map_err(|cause| Failure::new(Hop::Exchanger, domain, Step::Find, cause));
                (Hop::Exchanger, found?)
            }
        };
        let mut last = Failure::new(hop, domain, Step::Find, Cause::NoSuchDomain);
        for server in &servers {
            match self.give(hop, server, parcel).await {
                Err(failure) if failure.is_about_the_server() => last = failure,
                decided => return decided,
            }
        }
        Err(last)
    }

    /// Closes what nobody uses; a few times a minute, and with `all` at the end.
    pub(crate) async fn sweep(&self, all: bool) {
        join_all(self.hosts.sweep(all).into_iter().map(Connection::quit)).await;
    }

    fn smarthost(&self, smarthost: &Smarthost) -> Server {
        let roots = || Arc::clone(&self.trust.verified);
        Server {
            host: smarthost.host.clone(),
            port: smarthost.port,
            place: Place::System,
            protection: match smarthost.tls {
                TlsPolicy::None => Protection::Clear,
                // RFC 8314 §7.3: on this port TLS comes first.
                TlsPolicy::Require | TlsPolicy::Prefer if smarthost.port == 465 => {
                    Protection::Implicit(roots())
                }
                TlsPolicy::Require => Protection::Demanded(roots()),
                TlsPolicy::Prefer => Protection::IfOffered(roots()),
            },
            login: smarthost.login.clone(),
        }
    }

    async fn give(&self, hop: Hop, server: &Server, parcel: &Parcel<'_>) -> Result<Delivered, Failure> {
        let failed = |(step, cause)| Failure::new(hop, &server.host, step, cause);
        let visit = self.hosts.visit(server.key(), self.outbound.times.step).await;
        let mut visit = visit.map_err(|cause| failed((Step::Connect, cause)))?;
        if let Some(open) = visit.open.take() {
            match self.carry(hop, server, open, parcel).await {
                // A server may end a connection after some mails or some time: that is no failure of this one.
                Err(failure) if failure.is_about_the_connection() => {}
                carried => return self.leave(visit, carried).await,
            }
        }
        let opened = match server.connect(&self.outbound.helo, &self.outbound.times).await {
            Ok(opened) => opened,
            Err((step, cause)) => {
                if hop == Hop::Exchanger && cause == Cause::Timeout {
                    self.hosts.let_rest(&visit, self.outbound.times.rest);
                }
                return Err(failed((step, cause)));
            }
        };
        let carried = self.carry(hop, server, opened, parcel).await;
        self.leave(visit, carried).await
    }

    async fn carry(
        &self,
        hop: Hop,
        server: &Server,
        mut connection: Connection,
        parcel: &Parcel<'_>,
    ) -> Result<(Delivered, Connection), Failure> {
        let failed = |(step, cause)| Failure::new(hop, &server.host, step, cause);
        // Whatever the records said: a server with our name is this one (RFC 5321 §6.3).
        if hop == Hop::Exchanger && connection.name().eq_ignore_ascii_case(&self.outbound.helo) {
            return Err(failed((Step::Hello, Cause::Ourselves)));
        }
        connection.send(parcel).await.map_err(failed)?;
        Ok((Delivered { host: server.host.clone(), reports: connection.reports() }, connection))
    }

    /// A connection is kept only after a mail went well: half a dialogue is never gone on with.
    async fn leave(
        &self,
        visit: Visit,
        carried: Result<(Delivered, Connection), Failure>,
    ) -> Result<Delivered, Failure> {
        let (delivered, connection) = carried?;
        if let Some(over) = self.hosts.keep(visit, connection) {
            over.quit().await;
        }
        Ok(delivered)
    }
}
