//! A running Postern: one ledger, the listeners and workers of the chosen roles, until a signal or until the
//! ledger breaks. Wires parts together and decides nothing about mail.

mod case_timers;
mod certificates;
mod deadlines;
mod housekeeping;
mod lists;
mod mail_side;
mod metrics;
mod pollers;
mod ready;
mod rules;
mod signals;
mod web;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use certs::ServerIdentity;
use gateway::Gateway;
use policies::Ruleset;
use store::engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

pub(crate) use self::ready::Ready;
use self::rules::Rules;
use self::signals::{Signal, Signals};
use crate::config::Config;
use crate::control;
use crate::tools::Desk;

/// Which parts of Postern a process runs. The embedded ledger belongs to one process at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Everything
    All,
    /// Mail in
    Gateway,
    /// Pages
    Portal,
    /// Notices out
    Worker,
}

impl Role {
    fn has(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

/// How the process ends.
enum End {
    Drained,
    AtOnce,
    Broken(String),
}

/// Started and listening.
pub(crate) struct Server {
    desk: Desk,
    rules: Rules,
    identities: Vec<Arc<ServerIdentity>>,
    tasks: JoinSet<()>,
    /// The reckoning of deadlines that is under way, or was.
    reckoning: Option<AbortHandle>,
    stop: watch::Sender<bool>,
    signals: Signals,
    drain: Duration,
    pub(crate) ready: Ready,
}

impl Server {
    /// Binds every listener and starts to serve the ledger of `desk`. `demo` is for a sample market only.
    pub(crate) async fn start(
        config: &Config,
        desk: Desk,
        role: Role,
        demo: Option<portal::Demo>,
    ) -> anyhow::Result<Self> {
        check_durability(config, &desk)?;
        let rules = Rules::watch(config, &desk).await?;
        let mut server = Self {
            rules,
            signals: Signals::listen()?,
            identities: Vec::new(),
            tasks: JoinSet::new(),
            reckoning: None,
            stop: watch::Sender::new(false),
            drain: config.server.drain,
            ready: Ready::default(),
            desk,
        };
        server.begin_reports().await?;
        server.start_tools(config)?;
        // Notices link to the portal, so its port must be known before the first mail comes in.
        let web = match role.has(Role::Portal) {
            true => Some(web::bind(config).await?),
            false => None,
        };
        let url = web::url(config, web.as_ref())?;
        let gateway = server.start_mail(config, role, &url).await?;
        if let Some(socket) = web {
            server.start_portal(config, socket, &url, demo)?;
        }
        let watch = certificates::watch(gateway, server.identities.clone(), server.stop.subscribe());
        server.tasks.spawn(watch);
        if let Some(address) = config.metrics.listen {
            server.start_metrics(config, address).await?;
        }
        Ok(server)
    }

    /// Answers are counted by the working days of the calendars that stand when they come.
    async fn begin_reports(&self) -> anyhow::Result<()> {
        let rules = self.desk.rules.clone();
        self.desk.ledger.count_days_by(Box::new(move |process, received, answered| {
            rules.now().working_days(process, (received, answered), u32::from(store::MOST_DAYS))
        }));
        Ok(self.desk.ledger.begin_reports().await?)
    }

    fn start_tools(&mut self, config: &Config) -> anyhow::Result<()> {
        let control = control::Listener::bind(&config.server.data)?;
        self.tasks.spawn(control.serve(self.desk.clone(), self.stop.subscribe()));
        self.reckon_deadlines(self.desk.rules.now());
        self.tasks.spawn(lists::make(self.desk.ledger.clone(), self.stop.subscribe()));
        let keeping = housekeeping::Keeping {
            return_after: config.held.return_after,
            report_months: config.reports.keep_months,
            drafts_kept: config.portal.drafts_kept,
        };
        self.tasks.spawn(housekeeping::run(self.desk.ledger.clone(), keeping, self.stop.subscribe()));
        self.tasks.spawn(housekeeping::beat(self.desk.ledger.clone(), self.stop.subscribe()));
        let (ledger, rules) = (self.desk.ledger.clone(), self.desk.rules.clone());
        self.tasks.spawn(case_timers::run(ledger, rules, self.stop.subscribe()));
        Ok(())
    }

    async fn start_mail(
        &mut self,
        config: &Config,
        role: Role,
        portal_url: &str,
    ) -> anyhow::Result<Arc<Gateway>> {
        let settings = mail_side::settings(config, portal_url)?;
        let resolver = mail_side::resolver(config)?;
        let (ledger, rules) = (self.desk.ledger.clone(), self.desk.rules.clone());
        let gateway = Gateway::new(ledger, rules, resolver.clone(), settings);
        let gateway = Arc::new(gateway.trying(self.desk.tried.clone()));
        if role.has(Role::Gateway) {
            let identity = self.identity(config, config.tls.client_ca.as_deref())?;
            for (socket, options) in mail_side::bind(config, identity.as_ref(), &mut self.ready).await? {
                let listener = mail_side::listener(socket, &gateway, options);
                self.tasks.spawn(listener.run(self.stop.subscribe()));
            }
            for poller in pollers::pollers(config, &gateway)? {
                self.tasks.spawn(poller.run(self.stop.subscribe()));
            }
        }
        if role.has(Role::Worker) {
            // The embedded ledger has one process: what an earlier one held when it was killed is free.
            self.desk.ledger.release_leases().await?;
            let worker = mail_side::worker(config, Arc::clone(&gateway), resolver)?;
            self.tasks.spawn(worker.run(self.stop.subscribe()));
        }
        Ok(gateway)
    }

    fn start_portal(
        &mut self,
        config: &Config,
        socket: TcpListener,
        url: &str,
        demo: Option<portal::Demo>,
    ) -> anyhow::Result<()> {
        // Browsers are not asked for a client certificate.
        let identity = match config.portal.tls {
            true => self.identity(config, None)?,
            false => None,
        };
        self.ready.add("portal", web::here(config, &socket)?);
        let pages = web::pages(config, &self.desk, url, demo)?;
        self.rules.tell(Arc::clone(&pages));
        self.tasks.spawn(web::serve(socket, pages, identity, self.stop.subscribe()));
        Ok(())
    }

    async fn start_metrics(&mut self, config: &Config, address: SocketAddr) -> anyhow::Result<()> {
        let socket = bind(config, "metrics", address).await?;
        self.ready.add("metrics", socket.local_addr()?);
        self.tasks.spawn(metrics::serve(socket, self.desk.clone(), self.stop.subscribe()));
        Ok(())
    }

    /// The certificate of a listener, noted down so that SIGHUP reads it again.
    fn identity(
        &mut self,
        config: &Config,
        client_ca: Option<&Path>,
    ) -> anyhow::Result<Option<Arc<ServerIdentity>>> {
        let identity = config.identity(client_ca)?.map(Arc::new);
        self.identities.extend(identity.clone());
        Ok(identity)
    }

    /// Serves until told to stop. An error means that mail is no longer taken although nobody asked for that.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let end = self.wait().await;
        match end {
            End::Drained => {
                self.desk.ledger.close().await;
                tracing::info!("stopped");
                Ok(())
            }
            End::AtOnce => {
                tracing::warn!("stopped at once; what was not acknowledged comes again");
                Ok(())
            }
            End::Broken(reason) => bail!(
                "the ledger failed and takes no more mail: {reason}; mend the disk, check the data folder, start again"
            ),
        }
    }

    async fn wait(&mut self) -> End {
        let engine = Arc::clone(&self.desk.engine);
        let broken = broken(engine.as_ref());
        tokio::pin!(broken);
        loop {
            tokio::select! {
                reason = &mut broken => {
                    tracing::error!(%reason, "the ledger failed; no more mail is taken");
                    self.drain().await;
                    return End::Broken(reason);
                }
                signal = self.signals.next() => match signal {
                    Signal::Reload => self.reload().await,
                    Signal::Stop => return self.drain().await,
                },
            }
        }
    }

    fn reckon_deadlines(&mut self, rules: Arc<Ruleset>) {
        // Two editions at once would undo each other's work for ever.
        if let Some(earlier) = self.reckoning.take() {
            earlier.abort();
        }
        let reckoning = deadlines::reckon_anew(self.desk.ledger.clone(), rules, self.stop.subscribe());
        self.reckoning = Some(self.tasks.spawn(reckoning));
    }

    /// A bad file leaves the old certificate, or the old rules, standing.
    async fn reload(&mut self) {
        if let Some(rules) = self.rules.reload().await {
            self.reckon_deadlines(rules);
        }
        for identity in &self.identities {
            match identity.reload() {
                Ok(()) => tracing::info!("certificates read again"),
                Err(error) => tracing::error!(%error, "the new certificate is not used; the old one stays"),
            }
        }
    }

    async fn drain(&mut self) -> End {
        /// What listeners may take beyond their own limit.
        const MARGIN: Duration = Duration::from_secs(10);
        tracing::info!("stopping: open connections may finish");
        self.stop.send_replace(true);
        let deadline = tokio::time::sleep(self.drain + MARGIN);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => if ended.is_none() { return End::Drained },
                () = &mut deadline => {
                    tracing::warn!(tasks = self.tasks.len(), "not everything finished in time");
                    return End::AtOnce;
                }
                signal = self.signals.next() => if signal == Signal::Stop { return End::AtOnce },
            }
        }
    }
}

/// An engine that can lose acknowledged mail takes none unless the configuration says that this is understood.
fn check_durability(config: &Config, desk: &Desk) -> anyhow::Result<()> {
    match (desk.ledger.durable(), config.server.durable) {
        (true, _) => Ok(()),
        (false, true) => bail!(
            "this ledger's engine cannot promise that acknowledged mail survives a power cut; use sqlite, or say \
             durable = false under [server]"
        ),
        (false, false) => {
            tracing::warn!("durable = false: a power cut may take acknowledged mail away");
            Ok(())
        }
    }
}

/// Resolves when the engine is broken, with the reason.
async fn broken(engine: &dyn Engine) -> String {
    let mut broken = engine.broken();
    match broken.wait_for(Option::is_some).await {
        Ok(reason) => reason.as_ref().map(|broken| broken.0.clone()).unwrap_or_default(),
        // The engine was closed in order: it will not break any more.
        Err(_) => std::future::pending().await,
    }
}

/// Runs a server's future on all processors and leaves nothing to wait for behind it.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}

/// Binds one address; a port that is taken is the most common first error.
async fn bind(config: &Config, name: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let key = format!("{name}.listen");
    TcpListener::bind(address).await.map_err(|error| {
        let (why, remedy) = unbound(address, &error);
        config.places.problem(&key, format!("cannot listen on {address}: {why}"), remedy).into()
    })
}

fn unbound(address: SocketAddr, error: &io::Error) -> (String, &'static str) {
    match error.kind() {
        ErrorKind::AddrInUse => {
            ("another server listens there".to_owned(), "stop the other server, or write another port")
        }
        ErrorKind::AddrNotAvailable => (
            format!("this machine has no address {}", address.ip()),
            "write an address of this machine, or 0.0.0.0 (for IPv6 [::]) for all of them",
        ),
        ErrorKind::PermissionDenied => (
            format!("port {} is not for this user", address.port()),
            "write a port above 1023, or give the process CAP_NET_BIND_SERVICE",
        ),
        _ => (error.to_string(), "write another address"),
    }
}
