//! Two companies and everybody else, on an engine in memory; mail comes in as the SMTP server hands it to the guards.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use certs::RootKey;
use gateway::smtp::{Circumstance, Delivery, Encryption, Intake, Refusal, Transaction};
use gateway::{DnsSettings, Gateway, Guards, Resolver, Settings};
use mail::{Address, Envelope, GroupId, Rcpt, ReversePath};
use policies::{Passing, Ruleset};
use store::memory::Memory;
use store::{
    Actor, DirectoryChange, Group, Job, Ledger, Mailbox, MailboxAlerts, Participant, Receipts, Stage,
};

pub(crate) struct Market {
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<Gateway>,
    guards: Guards,
}

impl Market {
    pub(crate) async fn open() -> Self {
        certs::install_provider();
        let root = Arc::new(RootKey::generate().unwrap());
        let ledger = Ledger::open(Arc::new(Memory::new()), root).await.unwrap();
        ledger.change_directory(&Actor::Tool, directory()).await.unwrap();
        let settings = Settings {
            hostname: "mx.postern.example".to_owned(),
            passing: Passing::On,
            stage: Stage::Live,
            providers: Vec::new(),
            signature_age: Duration::from_hours(7 * 24),
            postmaster: None,
            scanner: None,
            documents: None,
            authorities: Default::default(),
            notice_domain: "postern.example".to_owned(),
            notice_sender: address("notices@postern.example"),
            notice_name: "Postern".to_owned(),
            portal_url: "https://portal.example".to_owned(),
        };
        let rules = Arc::new(Ruleset::shipped().unwrap());
        let gateway = Arc::new(Gateway::new(ledger.clone(), rules, nobody(), settings));
        Self { guards: Guards(Arc::clone(&gateway)), ledger, gateway }
    }

    /// One transaction of Alpha's; what the peer reads at the end.
    pub(crate) async fn send(&self, to: &[&str], mail: &str) -> Result<String, Refusal> {
        let recipients = to.iter().map(|to| address(to)).collect();
        let envelope = Envelope::plain(ReversePath::Address(address("ann@alpha.example")), recipients);
        self.transact(envelope, mail.replace('\n', "\r\n").as_bytes()).await
    }

    pub(crate) async fn transact(&self, envelope: Envelope, mail: &[u8]) -> Result<String, Refusal> {
        let peer = IpAddr::from([10, 1, 0, 7]);
        let identity = self.guards.by_network(peer);
        let identity = identity.as_ref();
        let circumstance = Circumstance {
            listener: "smtp",
            peer,
            encryption: Encryption::Tls,
            certificate: None,
            hello: Some("mail.alpha.example"),
            protocol: "ESMTPS",
        };
        self.guards.mail(identity, &circumstance, &envelope.reverse_path)?;
        let mut class = None;
        for Rcpt { address, .. } in &envelope.recipients {
            class = Some(self.guards.recipient(identity, &circumstance, &envelope.reverse_path, address)?);
        }
        let transaction = Transaction { class: class.unwrap(), envelope, announced: None };
        let mut delivery = self.guards.open(identity, &circumstance, transaction).await?;
        for piece in mail.chunks(64 * 1024) {
            delivery.chunk(piece).await?;
        }
        delivery.close().await
    }

    /// The jobs of this kind that are not over.
    pub(crate) async fn jobs(&self, kind: &str) -> Vec<Job> {
        let jobs = self.ledger.jobs().await.unwrap();
        jobs.into_iter().filter(|job| job.kind.as_str() == kind).collect()
    }
}

/// Name servers that nobody runs.
fn nobody() -> Resolver {
    let servers = vec!["127.0.0.1:9".parse().unwrap()];
    Resolver::new(&DnsSettings { servers, timeout: Duration::from_secs(1) }).unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn group(company: &str) -> GroupId {
    company.parse().unwrap()
}

fn directory() -> Vec<DirectoryChange> {
    let mut changes = Vec::new();
    for (number, company) in ["alpha", "beta"].into_iter().enumerate() {
        let domain = format!("{company}.example");
        changes.push(DirectoryChange::Group(Group {
            id: group(company),
            name: format!("{company} Energy"),
            domains: vec![domain.clone()],
            networks: vec![format!("10.{}.0.0/16", number + 1).parse().unwrap()],
            certificate_name: None,
            receipts: Receipts::All,
        }));
        let mpid: mail::Mpid = format!("{}E", &company[..3].to_uppercase()).parse().unwrap();
        changes.push(DirectoryChange::Participant(Participant {
            mpid: mpid.clone(),
            group: group(company),
            name: company.to_owned(),
            role: "electricity-supplier".to_owned(),
        }));
        for (local, rung, alerts) in [
            ("et", "initial-request", MailboxAlerts::AtOnce),
            ("et-esc1", "escalation-1", MailboxAlerts::Digest(vec![0])),
        ] {
            changes.push(DirectoryChange::Mailbox(Mailbox {
                address: address(&format!("{local}@{domain}")),
                group: group(company),
                participant: mpid.clone(),
                process: "erroneous-transfers".parse().unwrap(),
                contact_type: rung.parse().unwrap(),
                alerts,
            }));
        }
    }
    changes
}
