//! Opens a connection to one server, as protected as the policy demands, up to the point where mail can be given to it.
//!
//! A login is never given without TLS, and where TLS was begun nothing ever goes on in clear.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    dialogue::{self, Dialogue, Fault, Parcel},
    failure::{Cause, Step},
    reply::Reply,
    settings::{Login, Times},
    wire::{Stream, Wire},
};

/// A server that a mail may be given to.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) place: Place,
    pub(super) protection: Protection,
    pub(super) login: Option<Login>,
}

/// Where a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The system knows the host: `/etc/hosts`, `localhost`, an address as it is written.
    System,
    /// An exchanger, looked up and judged before.
    Address(IpAddr),
}

/// What TLS must be on a connection.
#[derive(Clone)]
pub(super) enum Protection {
    Clear,
    /// From the first byte (RFC 8314 §3.3).
    Implicit(Arc<ClientConfig>),
    Demanded(Arc<ClientConfig>),
    /// In clear only if the server offers no STARTTLS.
    IfOffered(Arc<ClientConfig>),
}

/// A server that waits for mail.
pub(super) struct Connection {
    dialogue: Dialogue<Box<dyn Stream>>,
    /// Mails that went over it.
    pub(super) carried: u32,
}

impl Server {
    /// What tells apart connections that are as good as each other from those that are not.
    pub(super) fn key(&self) -> String {
        let place = match self.place {
            Place::System => String::new(),
            Place::Address(address) => address.to_string(),
        };
        let protection = match &self.protection {
            Protection::Clear => 'c',
            Protection::Implicit(_) => 'i',
            Protection::Demanded(_) => 'd',
            Protection::IfOffered(_) => 'o',
        };
        format!("{}:{}/{place}/{protection}", self.host, self.port)
    }

    pub(super) async fn connect(&self, helo: &str, times: &Times) -> Result<Connection, Fault> {
        let stream = self.reach(times).await?;
        if let Protection::Implicit(config) = &self.protection {
            let stream = self.encrypt(stream, config, times).await.map_err(|cause| (Step::Tls, cause))?;
            return self.greeted(Wire::new(stream), helo, times).await;
        }
        let mut wire = Wire::new(stream);
        dialogue::greeting(&mut wire, times).await?;
        let clear = Dialogue::open(wire, helo, *times).await?;
        let config = match (&self.protection, clear.offers.starttls) {
            (Protection::Demanded(config), true) | (Protection::IfOffered(config), true) => config,
            (Protection::Demanded(_), false) => return Err((Step::Tls, Cause::NoTls)),
            (Protection::Clear, _) | (Protection::Implicit(_), _) | (Protection::IfOffered(_), false) => {
                return Ok(Connection::over(clear.wire.boxed(), clear.offers, times));
            }
        };
        let stream = clear.starttls().await?;
        let stream = self.encrypt(stream, config, times).await.map_err(|cause| (Step::Tls, cause))?;
        self.logged_in(Wire::new(stream), helo, times).await
    }

    async fn reach(&self, times: &Times) -> Result<TcpStream, Fault> {
        let connected = match self.place {
            Place::System => {
                timeout(times.connect, TcpStream::connect((self.host.as_str(), self.port))).await
            }
            Place::Address(address) => {
                timeout(times.connect, TcpStream::connect(SocketAddr::new(address, self.port))).await
            }
        };
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err((Step::Connect, Cause::Network(error.to_string()))),
            Err(_) => return Err((Step::Connect, Cause::Timeout)),
        };
        // A mail leaves in several writes; without this the last one waits for an acknowledgement that the peer delays.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays slow");
        }
        Ok(stream)
    }

    async fn encrypt(
        &self,
        stream: TcpStream,
        config: &Arc<ClientConfig>,
        times: &Times,
    ) -> Result<impl Stream + use<>, Cause> {
        let name = ServerName::try_from(self.host.clone()).map_err(|error| Cause::Tls(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(config));
        match timeout(times.step, connector.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(Cause::Tls(error.to_string())),
            Err(_) => Err(Cause::Timeout),
        }
    }

    async fn greeted<S: Stream + 'static>(
        &self,
        mut wire: Wire<S>,
        helo: &str,
        times: &Times,
    ) -> Result<Connection, Fault> {
        dialogue::greeting(&mut wire, times).await?;
        self.logged_in(wire, helo, times).await
    }

    /// The server is asked again what it offers, now that nobody in between can answer (RFC 3207 §4.2).
    async fn logged_in<S: Stream + 'static>(
        &self,
        wire: Wire<S>,
        helo: &str,
        times: &Times,
    ) -> Result<Connection, Fault> {
        let mut dialogue = Dialogue::open(wire, helo, *times).await?;
        if let Some(login) = &self.login {
            dialogue.log_in(login).await?;
        }
        Ok(Connection::over(dialogue.wire.boxed(), dialogue.offers, times))
    }
}

impl Connection {
    fn over(wire: Wire<Box<dyn Stream>>, offers: super::offers::Offers, times: &Times) -> Self {
        Self { dialogue: Dialogue::resume(wire, offers, *times), carried: 0 }
    }

    /// After a failure the connection is not to be used again.
    pub(super) async fn send(&mut self, parcel: &Parcel<'_>) -> Result<Reply, Fault> {
        self.carried += 1;
        self.dialogue.send(parcel).await
    }

    /// The name that the server gave itself, lower case.
    pub(super) fn name(&self) -> &str {
        &self.dialogue.offers.name
    }

    /// Whether the server takes over the duty to report (RFC 3461 §6.2).
    pub(super) fn reports(&self) -> bool {
        self.dialogue.offers.reports
    }

    pub(super) async fn quit(self) {
        self.dialogue.quit().await;
    }
}
