//! What no single key can say: combinations of good values that must not stand together. Each rule points at
//! the key to change.

use std::net::SocketAddr;

use store::Stage;

use super::Config;
use super::delivery::Relay;
use super::document::Document;
use super::key::Wrong;
use super::listeners::{ListenerTls, MailListener};
use super::outward::{Exit, OutboundTls};
use super::server::EngineChoice;

/// Notes every impossible combination.
pub(crate) fn check(config: &Config, document: &Document<'_>) {
    engine(config, document);
    listener("smtp", &config.smtp, document);
    listener("submission", &config.submission, document);
    logins(config, document);
    addresses(config, document);
    connections(config, document);
    certificate(config, document);
    portal(config, document);
    smarthost(config, document);
    stage(config, document);
    journal(config, document);
}

/// What is only watched goes on, so there has to be a way.
fn stage(config: &Config, document: &Document<'_>) {
    if config.policy.stage == Stage::Shadow && config.relay == Relay::Off {
        let what = "mail that is only watched goes on, and [relay] lets nothing pass";
        let remedy = "write enabled = true under [relay], or stage = \"live\"";
        document.object("policy", "stage", Wrong::new(what, remedy));
    }
}

/// Mail for that domain comes here and nobody else's mailbox is in it, so no mail of theirs can end as a count.
fn journal(config: &Config, document: &Document<'_>) {
    let domain = &config.notices.reply_domain;
    let foreign = config.journal.addresses.iter().find(|address| address.domain() != domain);
    if let Some(address) = foreign {
        let what = format!("{address} is not at the reply_domain of [notices]");
        let remedy = format!("write an address at {domain}, whose mail arrives here");
        document.object("journal", "addresses", Wrong::new(what, remedy));
    }
}

fn engine(config: &Config, document: &Document<'_>) {
    if config.server.engine != EngineChoice::Sled {
        return;
    }
    let wrong = if config.server.durable {
        Wrong::new(
            "sled loses acknowledged mail in a power cut, and durable is true",
            "write engine = \"sqlite\"; or durable = false, if acknowledged mail may be lost",
        )
    } else if cfg!(not(feature = "sled")) {
        Wrong::new(
            "this program was built without sled",
            "write engine = \"sqlite\", or build with --features sled",
        )
    } else {
        return;
    };
    document.object("server", "engine", wrong);
}

fn listener(section: &str, listener: &MailListener, document: &Document<'_>) {
    let Some(open) = listener.listen.iter().find(|address| !address.ip().is_loopback()) else {
        return;
    };
    if listener.tls == ListenerTls::None {
        let what = format!("mail would arrive at {open} without TLS");
        let remedy = "write tls = \"starttls\", or listen on 127.0.0.1 only";
        document.object(section, "tls", Wrong::new(what, remedy));
    }
    if listener.login_without_tls {
        let what = format!("passwords would travel to {open} in the clear");
        let remedy = "write login_without_tls = false, or listen on 127.0.0.1 only";
        document.object(section, "login_without_tls", Wrong::new(what, remedy));
    }
}

fn logins(config: &Config, document: &Document<'_>) {
    let submission = &config.submission;
    let closed = submission.tls == ListenerTls::None && !submission.login_without_tls;
    if closed && submission.is_loopback() && !submission.listen.is_empty() {
        document.object(
            "submission",
            "tls",
            Wrong::new(
                "nobody could log in: there is no TLS, and login without TLS is off",
                "write tls = \"starttls\", or login_without_tls = true",
            ),
        );
    }
}

/// The same address twice would fail at the second bind, long after the file was read.
fn addresses(config: &Config, document: &Document<'_>) {
    let mut taken: Vec<(&str, SocketAddr)> = Vec::new();
    let smtp = config.smtp.listen.iter().map(|address| ("smtp", address));
    let submission = config.submission.listen.iter().map(|address| ("submission", address));
    let submissions = config.submissions.listen.iter().map(|address| ("submissions", address));
    let portal = std::iter::once(("portal", &config.portal.listen));
    let metrics = config.metrics.listen.iter().map(|address| ("metrics", address));
    for (section, address) in smtp.chain(submission).chain(submissions).chain(portal).chain(metrics) {
        let before = taken.iter().find(|(_, other)| other == address && address.port() != 0);
        if let Some((other, _)) = before {
            let what = format!("{address} is already listened on by [{other}]");
            document.object(section, "listen", Wrong::new(what, "write another port"));
        }
        taken.push((section, *address));
    }
}

fn connections(config: &Config, document: &Document<'_>) {
    let limits = &config.limits;
    if limits.connections_per_peer > limits.connections {
        let what = format!(
            "one peer may have {} connections, but all together only {}",
            limits.connections_per_peer, limits.connections
        );
        let remedy = format!("write at most {}, or raise connections", limits.connections);
        document.object("limits", "connections_per_peer", Wrong::new(what, remedy));
    }
}

fn certificate(config: &Config, document: &Document<'_>) {
    let tls = &config.tls;
    let (present, absent) = match (&tls.certificate, &tls.key) {
        (Some(_), Some(_)) => return,
        (Some(_), None) => ("certificate", "key"),
        (None, Some(_)) => ("key", "certificate"),
        (None, None) => return without_certificate(config, document),
    };
    let remedy = format!("write {absent} = \"…\" under [tls], or remove {present}");
    let what = format!("{present} is given without {absent}");
    document.object("tls", present, Wrong::new(what, remedy));
}

fn without_certificate(config: &Config, document: &Document<'_>) {
    let wants = if config.smtp.wants_certificate() {
        "[smtp] offers TLS"
    } else if config.submission.wants_certificate() {
        "[submission] offers TLS"
    } else if config.submissions.wants_certificate() {
        "[submissions] offers TLS"
    } else if config.portal.tls {
        "[portal] speaks HTTPS"
    } else {
        return;
    };
    document.object(
        "tls",
        "certificate",
        Wrong::new(
            format!("{wants}, but there is no certificate"),
            "write certificate and key under [tls]; `postern init` makes a pair to start with",
        ),
    );
}

fn portal(config: &Config, document: &Document<'_>) {
    let portal = &config.portal;
    let loopback = portal.listen.ip().is_loopback();
    if !portal.tls && !portal.behind_proxy && !loopback {
        let what = format!("pages would be served at {} without TLS", portal.listen);
        let remedy =
            "write tls = true; or behind_proxy = true, if a reverse proxy ends TLS; or listen on 127.0.0.1";
        document.object("portal", "tls", Wrong::new(what, remedy));
    }
    let Some(url) = &portal.url else {
        if portal.behind_proxy || !loopback || !config.notices.smarthost.is_loopback() {
            let what = "notices need an address to link to";
            let remedy = "write url = \"https://portal.example.org\", as people type it";
            document.object("portal", "url", Wrong::new(what, remedy));
        }
        return;
    };
    if url.starts_with("http://") && (portal.tls || portal.behind_proxy || !loopback) {
        let what = format!("\"{url}\" would send people to a page without TLS");
        document.object("portal", "url", Wrong::new(what, "write https:// instead of http://"));
    }
    if portal.links_to_loopback() && !config.notices.smarthost.is_loopback() {
        let what = format!("notices leave this machine, and \"{url}\" works on no other");
        let remedy = "write url = \"https://portal.example.org\", as people type it";
        document.object("portal", "url", Wrong::new(what, remedy));
    }
}

fn smarthost(config: &Config, document: &Document<'_>) {
    let notices = &config.notices;
    let near = notices.smarthost.is_loopback();
    if notices.tls == OutboundTls::None && !near {
        let to = match &notices.smarthost {
            Exit::Smarthost { host, .. } => host,
            Exit::Mx => "everywhere",
        };
        let what = format!("notices would travel to {to} without TLS");
        let remedy = "write tls = \"require\" (or \"prefer\"); \"none\" is for a smarthost on 127.0.0.1";
        document.object("notices", "tls", Wrong::new(what, remedy));
    }
    match (&notices.user, &notices.password) {
        (Some(_), None) => document.object(
            "notices",
            "user",
            Wrong::new(
                "a user is given without a password",
                "write password = { file = \"…\" }, or remove user",
            ),
        ),
        (None, Some(_)) => document.object(
            "notices",
            "password",
            Wrong::new("a password is given without a user", "write user = \"…\", or remove password"),
        ),
        (Some(_), Some(_)) if notices.tls != OutboundTls::Require && !near => document.object(
            "notices",
            "tls",
            Wrong::new(
                "the password could travel in the clear",
                "write tls = \"require\", or remove user and password",
            ),
        ),
        _ => {}
    }
}
