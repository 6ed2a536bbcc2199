//! The two ends that a script can be run against: a dialogue in memory and a real port on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use certs::ClientProof;
use gateway::smtp::{Dialogue, Intake, Listener, Next, Options, Security, Shown};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::sample::{HOST, Papers, Sample};
use crate::script::Show;

/// Longer than any honest answer takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is read where a reply is missing: it fits no pattern that a script may have.
const SILENCE: &str = "(no reply)";

/// One end of a conversation, as a client sees it.
pub(crate) trait Peer {
    async fn send(&mut self, octets: &[u8]);
    /// The next reply line without its CRLF; none when the server has closed.
    async fn line(&mut self) -> Option<String>;
    async fn secure(&mut self, show: Show, papers: &Papers);
}

/// A dialogue without a socket.
pub(crate) struct Memory {
    next: Option<Next<Sample>>,
    input: Vec<u8>,
    output: Vec<u8>,
    piece: usize,
}

impl Memory {
    /// A client at `peer` whose octets arrive at most `piece` at once.
    pub(crate) fn new(sample: Sample, options: Arc<Options>, peer: IpAddr, piece: usize) -> Self {
        let mut output = Vec::new();
        let dialogue = Dialogue::greet(Arc::new(sample), options, peer, &mut output);
        Self { next: Some(Next::Read(dialogue)), input: Vec::new(), output, piece }
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.next, Some(Next::Close(_)))
    }

    /// All replies so far that were not read.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }
}

impl Peer for Memory {
    async fn send(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.piece) {
            let next = self.next.take().unwrap();
            self.next = Some(match next {
                Next::Read(dialogue) => {
                    self.input.extend_from_slice(piece);
                    dialogue.take(&mut self.input, &mut self.output).await
                }
                over => over,
            });
        }
    }

    async fn line(&mut self) -> Option<String> {
        let end = self.output.windows(2).position(|pair| pair == b"\r\n");
        let Some(end) = end else {
            let over = self.is_closed() && self.output.is_empty();
            return if over { None } else { Some(SILENCE.to_owned()) };
        };
        let line: Vec<u8> = self.output.drain(..end + 2).take(end).collect();
        Some(String::from_utf8(line).unwrap())
    }

    async fn secure(&mut self, show: Show, papers: &Papers) {
        let Some(Next::Secure(handshake)) = self.next.take() else { panic!("no handshake is due") };
        let shown = match show.files() {
            None => Shown::Nothing,
            Some((file, _)) => shown(file, papers),
        };
        self.next = Some(Next::Read(handshake.done(shown)));
    }
}

/// As a connection finds it in the handshake.
fn shown(file: &str, papers: &Papers) -> Shown {
    let chain = [CertificateDer::from_pem_file(papers.path(file)).unwrap()];
    match papers.identity.identify(&chain) {
        ClientProof::Proved(certificate) => Shown::Certificate(Box::new(certificate)),
        ClientProof::Undecided { .. } => Shown::Undecided,
        ClientProof::None | ClientProof::Revoked(_) => {
            let names = Sample::default().provider_names();
            let name = papers.identity.public_name(&chain, &names);
            name.map_or(Shown::Nothing, |name| Shown::Provider(name.to_owned()))
        }
    }
}

impl Show {
    /// The files of a certificate and its key.
    fn files(self) -> Option<(&'static str, &'static str)> {
        match self {
            Show::Nothing => None,
            Show::Certificate => Some(("client.pem", "client-key.pem")),
            Show::Foreign => Some(("foreign.pem", "foreign-key.pem")),
            Show::Provider => Some(("provider.pem", "provider-key.pem")),
            Show::Revoked => Some(("revoked.pem", "revoked-key.pem")),
        }
    }
}

/// A server on a port of its own, stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) sample: Sample,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) ended: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(options: Options) -> Self {
        Self::start_with(Sample::default(), options).await
    }

    pub(crate) async fn start_with(sample: Sample, options: Options) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let listener = Listener::new(socket, Arc::new(sample.clone()), options);
        let ended = tokio::spawn(listener.run(stopped));
        Self { address, sample, stop, ended }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A client with a socket.
pub(crate) struct Socket {
    stream: Option<Box<dyn Stream>>,
    unread: Vec<u8>,
}

impl Socket {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), address).await
    }

    /// All of 127.0.0.0/8 is loopback, so a client can call from more than one address.
    pub(crate) async fn connect_from(client: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((client, 0).into()).unwrap();
        let stream = socket.connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: Some(Box::new(stream)), unread: Vec::new() }
    }

    fn stream(&mut self) -> &mut Box<dyn Stream> {
        self.stream.as_mut().unwrap()
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut text = String::new();
        while let Some(line) = self.line().await {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Everything until the server closes, whatever it is.
    pub(crate) async fn rest_octets(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let read = self.stream.as_mut().unwrap().read_to_end(&mut octets);
        let _ = timeout(PATIENCE, read).await.expect("the end");
        octets
    }

    /// TLS without STARTTLS.
    pub(crate) async fn handshake(&mut self, show: Show, papers: &Papers) -> std::io::Result<()> {
        let stream = self.stream.take().unwrap();
        let config = Arc::new(client_config(show, papers));
        let name = ServerName::try_from(HOST).unwrap();
        let stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await?;
        self.stream = Some(Box::new(stream));
        Ok(())
    }
}

impl Peer for Socket {
    async fn send(&mut self, octets: &[u8]) {
        // The server may close while octets are on their way: what it said before is what counts.
        let _ = self.stream().write_all(octets).await;
        let _ = self.stream().flush().await;
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return Some(String::from_utf8(line).unwrap());
            }
            let mut octets = [0; 4096];
            let read = self.stream.as_mut().unwrap().read(&mut octets);
            match timeout(PATIENCE, read).await {
                Ok(Ok(0) | Err(_)) => {
                    assert!(self.unread.is_empty(), "closed in the middle of a line");
                    return None;
                }
                Ok(Ok(read)) => self.unread.extend_from_slice(&octets[..read]),
                Err(_) => return Some(SILENCE.to_owned()),
            }
        }
    }

    async fn secure(&mut self, show: Show, papers: &Papers) {
        assert!(self.unread.is_empty(), "octets before the handshake");
        self.handshake(show, papers).await.unwrap();
    }
}

fn client_config(show: Show, papers: &Papers) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(papers.path("ca.pem")).unwrap()).unwrap();
    let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
    let Some((certificate, key)) = show.files() else {
        return builder.with_no_client_auth();
    };
    let chain = vec![CertificateDer::from_pem_file(papers.path(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(papers.path(key)).unwrap();
    builder.with_client_auth_cert(chain, key).unwrap()
}

/// A listener with STARTTLS.
pub(crate) fn starttls(papers: &Papers) -> Security {
    Security::StartTls(papers.identity.clone())
}
