//! Watches how long certificates and revocation lists still last, and says so when 30, 14, 7 days and one are left: in the
//! log, and as a task for the people concerned. A certificate that speaks by a company's name is known when it is seen in use.
//! Renews nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use certs::ServerIdentity;
use certs::expiry::{self, Warning};
use gateway::Gateway;
use mail::GroupId;
use store::{Actor, Ledger, TaskKind};
use tokio::sync::watch;

const PAUSE: Duration = Duration::from_hours(1);

/// Something that ends, and who is to be told.
struct Ending {
    name: String,
    group: Option<GroupId>,
    warning: Warning,
}

/// Watches until `stop` turns true.
pub(super) async fn watch(
    gateway: Arc<Gateway>,
    identities: Vec<Arc<ServerIdentity>>,
    mut stop: watch::Receiver<bool>,
) {
    // What was said already; each threshold is worth one word.
    let mut said: HashMap<String, Warning> = HashMap::new();
    loop {
        for ending in endings(&gateway, &identities) {
            if said.get(&ending.name) != Some(&ending.warning) {
                tell(gateway.ledger(), &ending).await;
                said.insert(ending.name, ending.warning);
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn endings(gateway: &Gateway, identities: &[Arc<ServerIdentity>]) -> Vec<Ending> {
    let now = gateway.ledger().now().as_second();
    let own = identities.iter().flat_map(|identity| identity.expiries()).filter_map(|expiry| {
        let name = expiry.path.file_name()?.to_string_lossy().into_owned();
        Some(Ending { name, group: None, warning: expiry.warning(now)? })
    });
    let directory = gateway.ledger().directory();
    let companies = directory.certificates().filter_map(|certificate| {
        let warning = expiry::warning(certificate.not_after, now)?;
        Some(Ending { name: certificate.name.clone(), group: Some(certificate.group.clone()), warning })
    });
    let in_use = gateway.certificates_in_use().into_iter().filter_map(|certificate| {
        let warning = expiry::warning(certificate.not_after, now)?;
        Some(Ending { name: certificate.name, group: Some(certificate.group), warning })
    });
    own.chain(companies).chain(in_use).collect()
}

async fn tell(ledger: &Ledger, ending: &Ending) {
    let Ending { name, group, warning } = ending;
    match warning {
        Warning::Expired => tracing::error!(name, "a certificate or revocation list has run out; renew it"),
        Warning::Days(days) => {
            tracing::warn!(name, days, "a certificate or revocation list ends soon; renew it");
        }
    }
    let kind = TaskKind::CertificateExpires { name: name.clone() };
    if let Err(error) = ledger.raise_task(&Actor::Worker, group.as_ref(), kind, None).await {
        tracing::warn!(%error, "nobody could be told in the portal");
    }
}
