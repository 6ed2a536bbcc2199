//! The courier against servers that behave, and against servers that do not: real sockets on loopback, real TLS, a name
//! server of our own.

mod delivering;
mod hostile;
mod mta_sts;
mod routing;
mod server;
mod sharing;

use std::{sync::Arc, time::Duration};

use certs::{Authority, ServerIdentity};
use mail::{Address, Rcpt, ReportWish, ReversePath};
use policies::Ruleset;
use rustls::{ClientConfig, ServerConfig};
use tempfile::TempDir;

use super::*;
use crate::{
    guard::{self, Cleared},
    letters::Signer,
};

/// Whom everybody in a test trusts.
struct Trusted {
    folder: TempDir,
    authority: Authority,
    client: Arc<ClientConfig>,
}

impl Trusted {
    fn new() -> Self {
        certs::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(&folder.path().join("ca")).unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, authority.ca_pem()).unwrap();
        let client = certs::client_config(Some(&file)).unwrap();
        Self { folder, authority, client }
    }

    /// What a server under these names shows.
    fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let issued = self.authority.issue_server(&names).unwrap();
        let place = |end: &str| self.folder.path().join(format!("{}.{end}", names[0]));
        issued.save(&place("pem"), &place("key")).unwrap();
        ServerIdentity::load(&place("pem"), &place("key"), None).unwrap().server_config()
    }
}

/// Patient where a test must not fail by chance.
fn times() -> Times {
    let long = Duration::from_secs(120);
    Times { connect: long, step: long, end: long, idle: long, rest: long, policy: long }
}

/// Impatient where a server is known never to answer.
fn short() -> Times {
    let brief = Duration::from_millis(150);
    Times { step: brief, end: brief, ..times() }
}

fn smarthost(port: u16, tls: TlsPolicy, trusted: &Trusted, times: Times) -> Courier {
    let login = Login { user: "postern".to_owned(), password: "open sesame".to_owned() };
    let route = Route::Smarthost(Smarthost { host: "localhost".to_owned(), port, tls, login: Some(login) });
    courier(route, trusted, times)
}

fn courier(route: Route, trusted: &Trusted, times: Times) -> Courier {
    let roots = Arc::clone(&trusted.client);
    Courier::new(Outbound { route, helo: "postern.example".to_owned(), roots, times, per_host: 4 }).unwrap()
}

const LETTER: &str = "From: <a@b.example>\r\nSubject: x\r\n\r\n.hello\r\n";

fn cleared(text: &str) -> Cleared {
    let printed = guard::Printed::default();
    guard::clear(&Ruleset::shipped().unwrap(), &Signer::none(), &printed, text.as_bytes().to_vec()).unwrap()
}

async fn deliver(courier: &Courier, to: &str) -> Result<Delivered, Failure> {
    deliver_mail(courier, to, &cleared(LETTER)).await
}

async fn deliver_mail(courier: &Courier, to: &str, mail: &Cleared) -> Result<Delivered, Failure> {
    let reverse_path = ReversePath::Address(Address::parse("bounces@postern.example").unwrap());
    let (to, report) = (Rcpt::from(Address::parse(to).unwrap()), ReportWish::default());
    courier.deliver(&Parcel { reverse_path: &reverse_path, to: &to, report: &report, mail }).await
}
