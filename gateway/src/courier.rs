//! The one way out: hands finished mails to the smarthost over SMTP.
//!
//! Nobody else in Postern opens an outgoing SMTP connection. The courier never builds a mail and
//! never decides whether one may leave (`guard.rs`); it says what became of it, once.

use std::{sync::Arc, time::Duration};

use mail::Address;
use mail_send::{Error, SmtpClient, SmtpClientBuilder, smtp::message::Parameters};
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Where mail goes that leaves.
#[derive(Clone)]
pub struct Smarthost {
    pub host: String,
    pub port: u16,
    pub tls: TlsPolicy,
    pub login: Option<Login>,
    /// The name given in EHLO.
    pub helo: String,
    /// For each step of the dialogue.
    pub timeout: Duration,
    /// The roots that the smarthost's certificate is checked against.
    pub roots: Arc<ClientConfig>,
}

/// User and password at the smarthost; never given without TLS.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPolicy {
    /// No TLS with a certificate that checks out, no mail.
    Require,
    /// TLS if offered; a certificate that does not check out is still a failure.
    Prefer,
    /// For loopback.
    None,
}

/// Why a mail did not get away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) lasting: Lasting,
    /// For the administrator; holds what the smarthost said.
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// The route does not work now; the mail may go later.
    Temporary,
    /// The smarthost will not have this mail.
    Permanent,
}

/// An open connection to the smarthost; many mails go over one.
pub(crate) enum Connection {
    Plain(SmtpClient<TcpStream>),
    Secured(Box<SmtpClient<TlsStream<TcpStream>>>),
}

impl Smarthost {
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        // The library does not bound every step: a host that accepts and never greets would hold us for ever.
        match timeout(self.timeout, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(self.unreachable(&Error::Timeout)),
        }
    }

    async fn open(&self) -> Result<Connection, Failure> {
        let secured = match self.tls {
            TlsPolicy::None => Err(Error::MissingStartTls),
            TlsPolicy::Require | TlsPolicy::Prefer => self.builder().connect().await,
        };
        match secured {
            Ok(client) => {
                at_once(client.stream.get_ref().0);
                Ok(Connection::Secured(Box::new(client)))
            }
            Err(Error::MissingStartTls) if self.tls != TlsPolicy::Require => {
                let mut builder = self.builder();
                builder.credentials = None;
                let client = builder.connect_plain().await.map_err(|error| self.unreachable(&error))?;
                at_once(&client.stream);
                Ok(Connection::Plain(client))
            }
            Err(error) => Err(self.unreachable(&error)),
        }
    }

    fn builder(&self) -> SmtpClientBuilder<String> {
        let connector = TlsConnector::from(Arc::clone(&self.roots));
        let builder = SmtpClientBuilder::new_with_tls_connector(self.host.clone(), self.port, connector)
            .implicit_tls(self.port == 465)
            .helo_host(self.helo.clone())
            .timeout(self.timeout);
        match &self.login {
            Some(Login { user, password }) => builder.credentials((user.clone(), password.clone())),
            None => builder,
        }
    }

    /// Before the first command of a mail, nothing is the mail's fault: not even a 5xx.
    fn unreachable(&self, error: &Error) -> Failure {
        let reason = format!("smarthost {}:{}: {}", self.host, self.port, said(error));
        Failure { lasting: Lasting::Temporary, reason }
    }
}

/// A mail leaves in several writes; without this the last one waits for an acknowledgement that the peer delays.
fn at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection to the smarthost stays slow");
    }
}

impl Connection {
    /// Sends one finished mail. After a failure the connection is not to be used again.
    pub(crate) async fn send(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Plain(client) => send(client, from, to, mail).await,
            Self::Secured(client) => send(client, from, to, mail).await,
        }
    }

    pub(crate) async fn quit(self) {
        // The mails are delivered; a smarthost that hangs up first has lost nothing.
        let _ = match self {
            Self::Plain(client) => client.quit().await,
            Self::Secured(client) => client.quit().await,
        };
    }
}

async fn send<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    client: &mut SmtpClient<T>,
    from: &Address,
    to: &Address,
    mail: &[u8],
) -> Result<(), Failure> {
    let mut parameters = Parameters::default();
    if !to.to_string().is_ascii() {
        parameters.add("SMTPUTF8");
    }
    // A refusal of the envelope sender, or a demand to log in, is about the route, never about this notice.
    let route = |error: Error| Failure { lasting: Lasting::Temporary, reason: said(&error) };
    let notice = |error: Error| Failure { lasting: lasting(&error), reason: said(&error) };
    client.mail_from(&from.to_string(), &parameters).await.map_err(route)?;
    client.rcpt_to(&to.to_string(), &Parameters::default()).await.map_err(notice)?;
    client.data(mail).await.map_err(notice).map(drop)
}

/// The only place that tells a lasting failure from a passing one, once the route works.
fn lasting(error: &Error) -> Lasting {
    match error {
        Error::UnexpectedReply(reply) if reply.code >= 500 => Lasting::Permanent,
        Error::UnexpectedReply(_)
        | Error::Io(_)
        | Error::Tls(_)
        | Error::Base64(_)
        | Error::Auth(_)
        | Error::UnparseableReply
        | Error::AuthenticationFailed(_)
        | Error::InvalidTLSName
        | Error::MissingCredentials
        | Error::MissingMailFrom
        | Error::MissingRcptTo
        | Error::UnsupportedAuthMechanism
        | Error::Timeout
        | Error::MissingStartTls => Lasting::Temporary,
    }
}

/// What went wrong, on one line; what a stranger's server says is cut short and stripped of controls.
fn said(error: &Error) -> String {
    const LONGEST: usize = 300;
    let text = match error {
        Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => {
            let [class, subject, detail] = reply.esc;
            format!("{} {class}.{subject}.{detail} {}", reply.code, reply.message)
        }
        Error::MissingStartTls => "offers no STARTTLS, which the TLS policy requires".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(|symbol| if symbol.is_control() { ' ' } else { symbol }).take(LONGEST).collect()
}
