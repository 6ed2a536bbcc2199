//! Accepts connections within the limits and ends them when the server stops. It reads and writes nothing but the
//! refusal of a connection too many.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{Instrument, error, info, info_span, warn};

use super::connection::{self, Setting};
use super::intake::Intake;
use super::options::{Limits, Options, Security};
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
        let Some(seat) = self.crowd.clone().seat(address) else {
            info!(peer = %address, "too many connections");
            turn_away(&stream, &self.options.security);
            return;
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

/// Who is connected.
struct Crowd {
    total: usize,
    each: usize,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    total: usize,
    /// Networks with at least one connection.
    each: HashMap<IpAddr, usize>,
}

/// The place of one connection; given back when dropped.
struct Seat {
    crowd: Arc<Crowd>,
    network: IpAddr,
}

impl Crowd {
    fn new(limits: &Limits) -> Self {
        let (total, each) = (limits.connections, limits.connections_per_address);
        Self { total, each, present: Mutex::default() }
    }

    fn seat(self: Arc<Self>, address: IpAddr) -> Option<Seat> {
        let network = network(address);
        let mut present = self.present();
        let mine = present.each.get(&network).copied().unwrap_or(0);
        if present.total >= self.total || mine >= self.each {
            return None;
        }
        present.total += 1;
        present.each.insert(network, mine + 1);
        drop(present);
        Some(Seat { crowd: self, network })
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Two counters cannot be left half changed.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut present = self.crowd.present();
        present.total -= 1;
        if let Entry::Occupied(mut mine) = present.each.entry(self.network) {
            *mine.get_mut() -= 1;
            if *mine.get() == 0 {
                mine.remove();
            }
        }
    }
}

/// One customer has a /64 of IPv6 (RFC 6177 §2), so that counts as one address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(connections: usize, connections_per_address: usize) -> Arc<Crowd> {
        Arc::new(Crowd::new(&Limits { connections, connections_per_address, ..Limits::default() }))
    }

    fn seat(crowd: &Arc<Crowd>, address: &str) -> Option<Seat> {
        crowd.clone().seat(address.parse().expect("an address"))
    }

    #[test]
    fn seats_are_counted_in_all_and_by_network() {
        let crowd = crowd(3, 2);
        let first = seat(&crowd, "192.0.2.1");
        let second = seat(&crowd, "192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(seat(&crowd, "192.0.2.1").is_none(), "two of one address");
        let other = seat(&crowd, "192.0.2.2");
        assert!(other.is_some());
        assert!(seat(&crowd, "192.0.2.3").is_none(), "three in all");
        drop(first);
        assert!(seat(&crowd, "192.0.2.1").is_some());
        drop((second, other));
        assert!(crowd.present().each.is_empty() && crowd.present().total == 0);
    }

    #[test]
    fn a_64_of_ipv6_is_one_address() {
        let crowd = crowd(10, 1);
        let _first = seat(&crowd, "2001:db8::1");
        assert!(seat(&crowd, "2001:db8::2").is_none());
        assert!(seat(&crowd, "2001:db8:0:1::1").is_some());
    }
}
