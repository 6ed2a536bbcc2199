//! From a host name to a server that speaks IMAP under TLS. Before TLS nothing is said but STARTTLS, and nothing that
//! a server says before it is remembered.

use std::{sync::Arc, time::Duration};

use async_imap::{
    Client,
    error::Error,
    imap_proto::{Response, Status},
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    fault::Fault,
    settings::{Pace, Server, Tls},
    wire::Wire,
};

/// A server that waits for a login.
pub(super) type Greeted = Client<Wire<TlsStream<TcpStream>>>;

/// Connects. The greeting has been read.
pub(super) async fn connect(server: &Server, pace: &Pace) -> Result<Greeted, Fault> {
    let address = (server.host.as_str(), server.port);
    let tcp = match timeout(pace.connect, TcpStream::connect(address)).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(_)) | Err(_) => return Err(Fault::Unreachable),
    };
    // Without it each short command waits for the delayed acknowledgement of the one before.
    tcp.set_nodelay(true).map_err(|_| Fault::Unreachable)?;
    match server.tls {
        Tls::Implicit => {
            let mut client = Client::new(Wire::new(handshake(server, pace, tcp).await?));
            greeting(&mut client, pace.command).await?;
            Ok(client)
        }
        Tls::StartTls => {
            let quiet = starttls(tcp, pace.command).await?;
            Ok(Client::new(Wire::new(handshake(server, pace, quiet).await?)))
        }
    }
}

async fn handshake(server: &Server, pace: &Pace, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
    let config = match server.pin {
        Some(pin) => Arc::new(pin.client_config(&server.roots).map_err(|_| Fault::Tls)?),
        None => Arc::clone(&server.roots),
    };
    let name = ServerName::try_from(server.host.clone()).map_err(|_| Fault::Certificate)?;
    let shaken = timeout(pace.connect, TlsConnector::from(config).connect(name, tcp)).await;
    shaken.map_err(|_| Fault::TimedOut)?.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_)) => Fault::Certificate,
            _ => Fault::Tls,
        }
    })
}

/// STARTTLS without a look at the capabilities: in the clear they are anybody's word (RFC 3501 §6.2.1).
async fn starttls(tcp: TcpStream, patience: Duration) -> Result<TcpStream, Fault> {
    let mut client = Client::new(Wire::new(tcp));
    greeting(&mut client, patience).await?;
    let answer = timeout(patience, client.run_command_and_check_ok("STARTTLS", None)).await;
    match answer.map_err(|_| Fault::TimedOut)? {
        Ok(()) => client.into_inner().into_quiet().ok_or(Fault::Injection),
        Err(Error::No(_) | Error::Bad(_)) => Err(Fault::NoTls),
        Err(other) => Err(other.into()),
    }
}

/// PREAUTH would mean that STARTTLS is not possible any more, and that what follows is somebody else's folder
/// (RFC 3501 §7.1.4); under TLS it is still not the user that was configured.
async fn greeting<S>(client: &mut Client<Wire<S>>, patience: Duration) -> Result<(), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let response = timeout(patience, client.read_response()).await.map_err(|_| Fault::TimedOut)??;
    match response.ok_or(Fault::Closed)?.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(()),
        Response::Data { status: Status::PreAuth, .. } => Err(Fault::Preauthenticated),
        Response::Data { status: Status::Bye, .. } => Err(Fault::Closed),
        _ => Err(Fault::Protocol),
    }
}
