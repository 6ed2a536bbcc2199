//! A market of three companies on an engine in memory, and mail handed to the guards as the SMTP server does.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use certs::RootKey;
use gateway::connector::Provider;
use gateway::smtp::{Circumstance, Delivery, Encryption, Intake, Refusal, Transaction};
use gateway::{DnsSettings, Gateway, Guards, Incoming, Resolver, Sender, Settings};
use mail::{Address, Envelope, GroupId, ReversePath};
use policies::{Passing, Ruleset, Standing};
use store::engine::{Engine, Range, Row};
use store::memory::Memory;
use store::{
    Actor, Case, Connector, DirectoryChange, Event, Group, Job, JobKind, Ledger, Mailbox, Notice,
    Participant, Stage, Tally, User, UserId, chain,
};

pub(crate) struct Market {
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) guards: Guards,
    engine: Arc<dyn Engine>,
}

pub(crate) const DOMAIN: &str = "postern.example";

impl Market {
    pub(crate) async fn open() -> Self {
        Self::set(|_| {}).await
    }

    /// The same where mail of no case goes on, receipts are wanted, and the mailboxes of escalations have a digest.
    pub(crate) async fn sending() -> Self {
        Self::sending_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn sending_with(change: impl FnOnce(&mut Settings)) -> Self {
        let market = Self::set(|settings| {
            settings.passing = Passing::On;
            change(settings);
        })
        .await;
        let directory = market.ledger.directory();
        let groups = directory
            .groups()
            .map(|group| DirectoryChange::Group(Group { receipts: store::Receipts::All, ..group.clone() }));
        let escalations =
            directory.mailboxes().filter(|mailbox| mailbox.contact_type.as_str() == "escalation-1");
        let digests = escalations.map(|mailbox| {
            let alerts = store::MailboxAlerts::Digest(vec![0]);
            DirectoryChange::Mailbox(Mailbox { alerts, ..mailbox.clone() })
        });
        let changes = groups.chain(digests).collect();
        market.ledger.change_directory(&Actor::Tool, changes).await.unwrap();
        market
    }

    /// One where mail of no case goes on and these rules are tried beside the shipped ones.
    pub(crate) async fn trying(tried: Ruleset, stage: Stage) -> Self {
        let change = |settings: &mut Settings| (settings.passing, settings.stage) = (Passing::On, stage);
        Self::made(change, Some(Arc::new(tried).into())).await
    }

    /// One where mail of no case goes on and companies' mail systems journal to this address.
    pub(crate) async fn journaling(to: &str) -> Self {
        let change = |settings: &mut Settings| {
            (settings.passing, settings.journal) = (Passing::On, vec![address(to)]);
        };
        Self::made(change, None).await
    }

    async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        Self::made(change, None).await
    }

    async fn made(change: impl FnOnce(&mut Settings), tried: Option<Standing>) -> Self {
        certs::install_provider();
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        let root = Arc::new(RootKey::generate().unwrap());
        let ledger = Ledger::open(engine.clone(), root).await.unwrap();
        ledger.change_directory(&Actor::Tool, directory(&ledger)).await.unwrap();
        let mut settings = Settings {
            hostname: "mx.postern.example".to_owned(),
            passing: Passing::Off,
            stage: Stage::Live,
            providers: vec![provider()],
            signature_age: Duration::from_hours(7 * 24),
            postmaster: None,
            journal: Vec::new(),
            scanner: None,
            documents: None,
            authorities: Default::default(),
            notice_domain: DOMAIN.to_owned(),
            notice_sender: address("notices@postern.example"),
            notice_name: "Postern".to_owned(),
            portal_url: "https://portal.example".to_owned(),
        };
        change(&mut settings);
        let rules = Arc::new(Ruleset::shipped().unwrap());
        let gateway = Gateway::new(ledger.clone(), rules, nobody(), settings).trying(tried);
        let gateway = Arc::new(gateway);
        Self { guards: Guards(Arc::clone(&gateway)), ledger, gateway, engine }
    }

    /// One transaction from a company's network; what the peer reads at the end.
    pub(crate) async fn send(&self, company: &str, to: &[&str], mail: &str) -> Result<String, Refusal> {
        self.transact(company, ReversePath::Address(address("bounces@alpha.example")), to, mail).await
    }

    pub(crate) async fn transact(
        &self,
        company: &str,
        from: ReversePath,
        to: &[&str],
        mail: &str,
    ) -> Result<String, Refusal> {
        let peer = network(company);
        let identity = self.guards.by_network(peer).or_else(|| self.guards.by_provider(peer, None));
        self.handed_in(identity.as_ref(), from, to, mail).await?.close().await
    }

    /// One mail of Ann's at Alpha.
    pub(crate) async fn write(&self, to: &[&str], mail: &str) -> Result<String, Refusal> {
        self.transact("alpha", ReversePath::Address(address("ann@alpha.example")), to, mail).await
    }

    /// One transaction of Alpha's, byte for byte.
    pub(crate) async fn pass(&self, envelope: Envelope, mail: &[u8]) -> Result<String, Refusal> {
        let identity = self.guards.by_network(network("alpha"));
        let mut delivery = self.begun(identity.as_ref(), envelope).await?;
        for piece in mail.chunks(64 * 1024) {
            delivery.chunk(piece).await?;
        }
        delivery.close().await
    }

    /// A whole mail of a peer that was proved earlier, of which nobody has said yet that it ends.
    pub(crate) async fn handed_in(
        &self,
        identity: Option<&Sender>,
        from: ReversePath,
        to: &[&str],
        mail: &str,
    ) -> Result<Incoming, Refusal> {
        let recipients = to.iter().map(|to| address(to)).collect();
        let mut delivery = self.begun(identity, Envelope::plain(from, recipients)).await?;
        for piece in mail.replace('\n', "\r\n").as_bytes().chunks(7) {
            delivery.chunk(piece).await?;
        }
        Ok(delivery)
    }

    async fn begun(&self, identity: Option<&Sender>, envelope: Envelope) -> Result<Incoming, Refusal> {
        let circumstance = Circumstance {
            listener: "smtp",
            peer: network("alpha"),
            encryption: Encryption::Tls,
            certificate: None,
            hello: Some("mail.alpha.example"),
            protocol: "ESMTPS",
        };
        let from = &envelope.reverse_path;
        self.guards.mail(identity, &circumstance, from)?;
        let mut class = None;
        for to in &envelope.recipients {
            let this = self.guards.recipient(identity, &circumstance, from, &to.address)?;
            assert!(class.is_none_or(|first| first == this), "the session would answer 452 4.5.3");
            class = Some(this);
        }
        let transaction = Transaction { class: class.unwrap(), envelope, announced: None };
        self.guards.open(identity, &circumstance, transaction).await
    }

    /// The cases of a company's erroneous transfers, newest first.
    pub(crate) async fn cases(&self, company: &str) -> Vec<Case> {
        let process = "erroneous-transfers".parse().unwrap();
        self.ledger.cases(&group(company), &process, None, 100).await.unwrap().cases
    }

    /// The jobs of this kind that are not over.
    pub(crate) async fn jobs(&self, kind: &str) -> Vec<Job> {
        let jobs = self.ledger.jobs().await.unwrap();
        jobs.into_iter().filter(|job| job.kind.as_str() == kind).collect()
    }

    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let jobs = self.ledger.jobs().await.unwrap();
        jobs.into_iter()
            .filter_map(|job| match job.kind {
                JobKind::Notice(notice) => Some(notice),
                _ => None,
            })
            .collect()
    }

    /// What shadow mode has counted of a company's mail today.
    pub(crate) async fn counted(&self, company: &str) -> BTreeMap<Tally, u64> {
        let today = self.ledger.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        self.ledger.shadow_report(Some(&group(company)), (today, today)).await.unwrap().counts
    }

    /// The rows of the ledger, whatever they are.
    pub(crate) async fn rows(&self) -> Vec<(Vec<u8>, Row)> {
        let everything = Range { from: Vec::new(), to: vec![u8::MAX; 8] };
        self.engine.scan(everything, 100_000).await.unwrap()
    }

    /// The audit trail.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let rows = self.engine.scan(chain::records(1), 10_000).await.unwrap();
        rows.iter().map(|(_, row)| Event::from_bytes(&chain::event(&row.value).unwrap()).unwrap()).collect()
    }

    /// People of a company look at a case.
    pub(crate) async fn look(&self, company: &str, case: &Case) {
        let case = self.ledger.case(case.id).await.unwrap().unwrap();
        let messages = self.ledger.messages(case.id).await.unwrap();
        let reading = store::Reading::Page;
        self.ledger.open_messages(&Actor::Portal, &case, messages, &group(company), reading).await.unwrap();
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

/// A mail service of which alpha and beta are customers.
fn provider() -> Provider {
    Provider {
        name: "service".to_owned(),
        networks: vec!["198.51.100.0/24".parse().unwrap()],
        certificate_names: Vec::new(),
    }
}

/// How the service marks a customer's mail.
pub(crate) fn marked(company: &str, mail: &str) -> String {
    format!("X-Tenant: {company}\nX-Secret: secret of {company}\n{mail}")
}

pub(crate) fn connector(company: &str, active: bool) -> DirectoryChange {
    DirectoryChange::Connector(Connector {
        name: format!("{company}-service"),
        group: group(company),
        provider: "service".to_owned(),
        tenant_header: "X-Tenant".to_owned(),
        tenant: company.to_owned(),
        secret_header: "X-Secret".to_owned(),
        secret: certs::sha256(format!("secret of {company}").as_bytes()),
        active,
    })
}

pub(crate) fn network(company: &str) -> IpAddr {
    if company == "service" {
        return IpAddr::from([198, 51, 100, 7]);
    }
    let third = match company {
        "alpha" => 1,
        "beta" => 2,
        "gamma" => 3,
        _ => 99,
    };
    IpAddr::from([10, third, 0, 7])
}

fn directory(ledger: &Ledger) -> Vec<DirectoryChange> {
    let mut changes = Vec::new();
    for (number, company) in ["alpha", "beta", "gamma"].into_iter().enumerate() {
        let domain = format!("{company}.example");
        changes.push(DirectoryChange::Group(Group {
            domains: vec![domain.clone()],
            networks: vec![format!("10.{}.0.0/16", number + 1).parse().unwrap()],
            receipts: store::Receipts::Off,
            ..Group::new(group(company), format!("{company} Energy"))
        }));
        for (mpid, role) in [("E", "electricity-supplier"), ("G", "gas-supplier")] {
            changes.push(DirectoryChange::Participant(Participant::new(
                mpid_of(company, mpid),
                group(company),
                company.to_owned(),
                role.to_owned(),
            )));
        }
        for (local, mpid, rung) in [
            ("et", "E", "initial-request"),
            ("et-esc1", "E", "escalation-1"),
            ("et-gas", "G", "initial-request"),
        ] {
            changes.push(DirectoryChange::Mailbox(Mailbox {
                address: address(&format!("{local}@{domain}")),
                group: group(company),
                participant: mpid_of(company, mpid),
                process: "erroneous-transfers".parse().unwrap(),
                contact_type: rung.parse().unwrap(),
                alerts: store::MailboxAlerts::AtOnce,
            }));
        }
        let (id, email) = (UserId::new(ledger.now()).unwrap(), address(&format!("ann@{domain}")));
        changes.push(DirectoryChange::User(User {
            // Made slowly, as it must be: one is enough.
            password: (company == "alpha").then(|| certs::password::hash("correct horse battery").unwrap()),
            state: store::UserState::Confirmed,
            ..User::new(id, group(company), email, "Ann".to_owned())
        }));
    }
    changes.extend(["alpha", "beta"].map(|company| connector(company, true)));
    changes
}

fn mpid_of(company: &str, kind: &str) -> mail::Mpid {
    format!("{}{kind}", &company[..3].to_uppercase()).parse().unwrap()
}
