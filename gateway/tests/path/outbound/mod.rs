//! The way out as a whole: mail goes in through the guards, jobs come due, the worker makes and sends what they say, and a
//! mail server on loopback keeps what it was given.

mod canaries;
mod hostile;
mod large;
mod letters;
#[path = "../../polling/notation.rs"]
mod notation;
mod papers;
mod passing;
mod server;

use std::{sync::Arc, time::Duration};

use gateway::{Courier, Login, Outbound, Pace, Route, Signer, Smarthost, Times, TlsPolicy, Worker};
use rustls::ClientConfig;
use templates::Templates;
use tokio::sync::watch;

use crate::market::Market;

/// What the server is called that all mail goes to.
const HOST: &str = "localhost";

/// Long enough that nothing ends by it but what never would.
const PATIENT: Duration = Duration::from_secs(60);

/// A worker that sends by a smarthost.
struct Way {
    port: u16,
    tls: TlsPolicy,
    roots: Arc<ClientConfig>,
    step: Duration,
    pace: Pace,
}

impl Way {
    /// In clear to a server on loopback.
    fn to(port: u16) -> Self {
        let nobody = ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
        let roots = Arc::new(nobody.with_no_client_auth());
        Self { port, tls: TlsPolicy::None, roots, step: PATIENT, pace: Pace::default() }
    }

    fn worker(&self, market: &Market) -> Worker {
        let login = Login { user: "postern".to_owned(), password: "open sesame".to_owned() };
        let smarthost =
            Smarthost { host: HOST.to_owned(), port: self.port, tls: self.tls, login: Some(login) };
        let outbound = Outbound {
            route: Route::Smarthost(smarthost),
            helo: "mx.postern.example".to_owned(),
            roots: Arc::clone(&self.roots),
            times: Times { step: self.step, end: self.step, ..Times::default() },
            per_host: 4,
        };
        let courier = Arc::new(Courier::new(outbound).unwrap());
        let templates = Arc::new(Templates::load().unwrap());
        Worker::new(Arc::clone(&market.gateway), templates, Signer::none(), courier, self.pace)
    }

    /// Works until `enough`, then ends what is under way.
    async fn work(&self, market: &Market, enough: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn(self.worker(market).run(stopped));
        tokio::time::timeout(PATIENT, enough).await.expect("the worker does what is due");
        stop.send(true).unwrap();
        tokio::time::timeout(PATIENT, work).await.expect("the worker ends").unwrap();
    }
}
