//! Accepts connections within the limits and ends them when the server stops. It reads and writes nothing but the
//! refusal of a connection too many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument, error, info, info_span, warn};

use super::connection::{self, Setting};
use super::crowd::Crowd;
use super::intake::Intake;
use super::options::{Options, Security};
use super::reply::Reply;

/// How long to wait when the system has no more file handles.
const BREATH: Duration = Duration::from_millis(100);

/// What a connection may take beyond the grace of a shutdown: its last reply, and a store that is about to answer.
const MARGIN: Duration = Duration::from_secs(5);

/// One listening port.
pub struct Listener<N: Intake> {
    socket: TcpListener,
    intake: Arc<N>,
    options: Arc<Options>,
    crowd: Arc<Crowd>,
}

impl<N: Intake> Listener<N> {
    /// Takes a bound socket.
    pub fn new(socket: TcpListener, intake: Arc<N>, options: Options) -> Self {
        let crowd = Arc::new(Crowd::new(&options.limits));
        Self { socket, intake, options: Arc::new(options), crowd }
    }

    /// Serves until `stop` turns true (or its sender is gone), then lets transactions in flight finish within
    /// `limits.timeouts.grace`, and returns when the last connection is closed.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut stopped = stop.clone();
        let mut connections = JoinSet::new();
        let mut number: u64 = 0;
        loop {
            tokio::select! {
                biased;
                () = connection::stopped(&mut stopped) => break,
                Some(ended) = connections.join_next() => note(ended),
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        number += 1;
                        self.admit(stream, peer, number, &stop, &mut connections);
                    }
                    Err(error) => {
                        warn!(%error, "cannot accept a connection");
                        sleep(BREATH).await;
                    }
                },
            }
        }
        let Self { socket, options, .. } = self;
        drop(socket);
        drain(connections, options.limits.timeouts.grace + MARGIN).await;
    }

    fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        number: u64,
        stop: &watch::Receiver<bool>,
        connections: &mut JoinSet<()>,
    ) {
        let address = peer.ip().to_canonical();
        let seat = match self.crowd.clone().seat(address, Instant::now()) {
            Ok(seat) => seat,
            Err(full) => {
                info!(peer = %address, ?full, "turned away");
                turn_away(&stream, &self.options.security);
                return;
            }
        };
        // Replies are written whole: waiting to fill a segment would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            info!(peer = %address, %error, "connection gone at once");
            return;
        }
        let setting = Setting {
            intake: self.intake.clone(),
            options: self.options.clone(),
            peer: address,
            stop: stop.clone(),
        };
        let span = info_span!("smtp", connection = number, peer = %address);
        let conversation = async move {
            connection::serve(stream, setting).await;
            drop(seat);
        };
        connections.spawn(conversation.instrument(span));
    }
}

/// Says 421 if that can be said without waiting and in clear.
fn turn_away(stream: &TcpStream, security: &Security) {
    match security {
        Security::Implicit(_) => {}
        Security::Plain | Security::StartTls(_) => {
            let mut output = Vec::new();
            Reply::coded(421, (7, 0), "too many connections; try again later").write(&mut output);
            // A fresh socket has room for one line; if not, closing says the same.
            let _ = stream.try_write(&output);
        }
    }
}

async fn drain(mut connections: JoinSet<()>, limit: Duration) {
    info!(connections = connections.len(), "no longer accepting");
    let wait = async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    };
    if timeout(limit, wait).await.is_err() {
        warn!(connections = connections.len(), "connections cut off");
        connections.shutdown().await;
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!("a connection ended in a panic; this is a fault of Postern, please report it");
    }
}
