//! What the portal holds while it runs, and what surrounds every page.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use certs::breached::Breached;
use mail::{ContactType, ProcessId};
use policies::access::Action;
use policies::{Catalogue, Ruleset, Standing};
use store::{Deadline, Ledger, Reckoning, SecondStepDefault, Stage, UserId};
use templates::pages::{Frame, MenuItem, Visitor as Signed};
use templates::{TemplateError, Templates};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Visitor;
use crate::crowd::Crowd;
use crate::error::Problem;
use crate::passkeys::Passkeys;
use crate::throttle::Throttle;
use crate::writing::Writing;

/// Passwords checked at the same time: work that fills a processor and takes 19 MiB each.
const PASSWORDS_AT_ONCE: usize = 2;

/// Formatted mails made at the same time: work as well, but of its own, so that no mail keeps
/// people from signing in.
const VIEWS_AT_ONCE: usize = 2;

/// How long a password or a formatted view waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Requests of one person at the same time, their answers included until they have left: two
/// browsers' worth.
const REQUESTS_OF_ONE: usize = 12;

/// What the portal is made of.
pub struct Options {
    pub ledger: Ledger,
    pub catalogue: Arc<Catalogue>,
    /// Where people reach the portal; notices point there.
    pub public_url: PublicUrl,
    /// Set in a sample market only.
    pub demo: Option<Demo>,
}

/// What the pages know of the mail side, beyond the ledger.
#[derive(Debug, Clone)]
pub struct MailSide {
    /// By what mail is judged: they find again what a held mail waits for, and set the clock of one that is released.
    pub rules: Standing,
    /// Where the staff's mail programs send to; none: they are told to ask.
    pub submission: Option<Submission>,
    /// How far Postern is let where nothing is set.
    pub stage: Stage,
}

/// The submission listeners as mail programs reach them (RFC 6409, RFC 8314).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// A name that the server's certificate holds.
    pub host: String,
    /// The port where TLS begins with the first byte, usually 465.
    pub implicit_tls: Option<u16>,
    /// The port with STARTTLS, usually 587.
    pub starttls: Option<u16>,
}

/// What a sample market shows on top.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The folder with one `.eml` file for each mail that left.
    pub outbox: PathBuf,
    /// Shown with their passwords on the sign-in page.
    pub users: Vec<SampleUser>,
}

/// A user of the sample market.
#[derive(Debug, Clone)]
pub struct SampleUser {
    pub email: String,
    pub password: String,
    pub company: String,
    /// What this user can see, in a few words.
    pub note: String,
}

/// The portal's state; one for the process.
pub struct Portal {
    pub(crate) ledger: Ledger,
    catalogue: ArcSwap<Catalogue>,
    pub(crate) words: Templates,
    pub(crate) url: PublicUrl,
    pub(crate) demo: Option<Demo>,
    pub(crate) mail_side: Option<MailSide>,
    writing: Option<Writing>,
    pub(crate) throttle: Throttle,
    passwords: Arc<Semaphore>,
    pub(crate) breached: Arc<Breached>,
    /// Who needs a second step where a group has set nothing.
    pub(crate) second_step: SecondStepDefault,
    /// None where none can be made: by this build, or at this address.
    pub(crate) passkeys: Option<Passkeys>,
    views: Arc<Semaphore>,
    pub(crate) requests: Crowd<UserId>,
    style: String,
    script: String,
}

/// Which entry of the menu a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Cases,
    Search,
    Writing,
    Held,
    MailWays,
    People,
    Market,
    Shadow,
    Reports,
    Audit,
    SignInRules,
    Account,
    Elsewhere,
}

impl Portal {
    /// Compiles the templates; fails when one is broken.
    pub fn new(options: Options) -> Result<Self, TemplateError> {
        let Options { ledger, catalogue, public_url, demo } = options;
        Ok(Self {
            passkeys: Passkeys::of(&public_url),
            ledger,
            catalogue: ArcSwap::new(catalogue),
            words: Templates::load()?,
            url: public_url,
            demo,
            mail_side: None,
            writing: None,
            throttle: Throttle::default(),
            passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
            breached: Arc::default(),
            second_step: SecondStepDefault::default(),
            views: Arc::new(Semaphore::new(VIEWS_AT_ONCE)),
            requests: Crowd::of(REQUESTS_OF_ONE),
            style: format!("/style.css?v={}", fingerprint(templates::STYLE_SHEET)),
            script: format!("/portal.js?v={}", fingerprint(templates::SCRIPT)),
        })
    }

    /// Tells the portal of the mail side. Without it a held mail's findings are not listed, its clock stays as it was
    /// when the mail came, and nobody is told where mail programs send to.
    #[must_use]
    pub fn beside(self, mail_side: MailSide) -> Self {
        Self { mail_side: Some(mail_side), ..self }
    }

    /// Passwords that nobody may choose, beside the most common ones.
    #[must_use]
    pub fn refusing(self, breached: Breached) -> Self {
        Self { breached: Arc::new(breached), ..self }
    }

    /// Who needs a second step where a group has set nothing.
    #[must_use]
    pub fn asking(self, second_step: SecondStepDefault) -> Self {
        Self { second_step, ..self }
    }

    /// Lets people write: answers, and new cases. The rules that what they write is judged by are those of the mail side.
    #[must_use]
    pub fn for_writing(self, writing: Writing) -> Self {
        Self { writing: Some(writing), ..self }
    }

    /// What is written goes by these; without them no page of writing is there.
    pub(crate) fn writing(&self) -> Result<&Writing, Problem> {
        self.writing.as_ref().filter(|_| self.mail_side.is_some()).ok_or(Problem::NotFound)
    }

    /// The rules by which mail is judged now.
    pub(crate) fn rules(&self) -> Option<Arc<Ruleset>> {
        self.mail_side.as_ref().map(|side| side.rules.now())
    }

    /// The processes as they are now.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// From now on pages go by these processes.
    pub fn replace_catalogue(&self, catalogue: Arc<Catalogue>) {
        self.catalogue.store(catalogue);
    }

    pub(crate) fn frame(&self, title: &str, visitor: Option<&Visitor>, place: Place) -> Frame {
        Frame {
            title: title.to_owned(),
            style: self.style.clone(),
            script: self.script.clone(),
            scripted: visitor.is_some(),
            visitor: visitor.map(|visitor| Signed {
                name: visitor.name().to_owned(),
                company: visitor.company(),
                token: visitor.form_token().to_owned(),
            }),
            menu: visitor.map(|visitor| menu(visitor, place)).unwrap_or_default(),
            demo: self.demo.is_some(),
        }
    }

    /// How far Postern is let where nothing is set; beside no mail side nothing is only watched.
    pub(crate) fn default_stage(&self) -> Stage {
        self.mail_side.as_ref().map_or(Stage::Live, |mail_side| mail_side.stage)
    }

    /// When a message of this process and rung that comes now must be answered.
    pub(crate) fn due(&self, process: &ProcessId, rung: &ContactType) -> Option<Deadline> {
        let rules = self.mail_side.as_ref()?.rules.now();
        let due = rules.due(process, rung, self.ledger.now())?;
        Some(Deadline {
            warn_at: rules.warns_at(process, due.at),
            at: due.at,
            reason: due.reason,
            reckoning: Some(Reckoning {
                since: due.received,
                working_days: due.working_days,
                calendar: due.calendar,
            }),
        })
    }

    /// Waits for a turn at hashing a password; it ends with what is returned.
    pub(crate) async fn password_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.passwords).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Problem::Busy)
    }

    /// Waits for a turn at going through a whole mail; it ends with what is returned.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.views).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Problem::Busy)
    }
}

/// The entries that lead a visitor to something.
fn menu(visitor: &Visitor, here: Place) -> Vec<MenuItem> {
    let entries = [
        ("/", "Cases", Place::Cases, None),
        ("/search", "Find", Place::Search, None),
        ("/drafts", "Write", Place::Writing, Some(Action::WriteDrafts)),
        ("/held", "Held mail", Place::Held, Some(Action::ListHeld)),
        ("/mail", "Mail", Place::MailWays, Some(Action::ReadMailAdministration)),
        ("/people", "People", Place::People, Some(Action::ManagePeople)),
        ("/market/groups", "Companies", Place::Market, Some(Action::ManageMarket)),
        ("/reports", "Reports", Place::Reports, Some(Action::ReadOwnFigures)),
        ("/market/reports", "Reports", Place::Reports, Some(Action::ReadMarketReports)),
        ("/shadow", "Shadow", Place::Shadow, Some(Action::ReadShadow)),
        ("/market/shadow", "Shadow", Place::Shadow, Some(Action::ReadMarketShadow)),
        ("/audit", "Audit", Place::Audit, Some(Action::ReadAudit)),
        ("/company/sign-in", "Sign-in", Place::SignInRules, Some(Action::SetSignInRules)),
        ("/account", "Account", Place::Account, Some(Action::ManageAppPasswords)),
    ];
    let own_account = visitor.may(Action::ManageAppPasswords);
    let sign_in = ("/account/sign-in", "Account", Place::Account, Some(Action::ManageSignIn));
    let entries = entries.into_iter().chain((!own_account).then_some(sign_in));
    let open = entries.filter(|(.., action)| action.is_none_or(|action| visitor.may(action)));
    let item = |(href, label, place, _): (&str, &str, Place, _)| MenuItem {
        href: href.to_owned(),
        label: label.to_owned(),
        current: place == here,
    };
    open.map(item).collect()
}

/// Changes with every change of what is served, so that browsers may keep it for ever.
pub(crate) fn fingerprint(served: &str) -> String {
    let digest = certs::sha256(served.as_bytes());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The portal's public address: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    secure: bool,
}

/// The public address is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("{0:?} is not https://host[:port]; write the address that people type, without a path")]
    Form(String),
    #[error("{0:?} would send passwords in the clear; use https, or a loopback address for trying out")]
    Clear(String),
}

impl PublicUrl {
    /// As browsers send it in `Origin` (RFC 6454 §7): no trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }
}

impl FromStr for PublicUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let origin = text.trim_end_matches('/').to_ascii_lowercase();
        let (secure, authority) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
            (Some(authority), _) => (true, authority),
            (_, Some(authority)) => (false, authority),
            _ => return Err(UrlError::Form(text.to_owned())),
        };
        // Browsers leave the scheme's own port out of `Origin` (RFC 6454 §6.1).
        let own_port = if secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(own_port).unwrap_or(authority);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
        if authority.is_empty() || !authority.bytes().all(plain) {
            return Err(UrlError::Form(text.to_owned()));
        }
        if !secure && !is_loopback(authority) {
            return Err(UrlError::Clear(text.to_owned()));
        }
        let scheme = if secure { "https" } else { "http" };
        Ok(Self { origin: format!("{scheme}://{authority}"), secure })
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_an_origin() {
        let url: PublicUrl = "https://Portal.example/".parse().unwrap();
        assert_eq!(url.origin(), "https://portal.example");
        assert!(url.is_secure());
        for (typed, sent) in [
            ("https://portal.example:443", "https://portal.example"),
            ("http://127.0.0.1:80/", "http://127.0.0.1"),
            ("https://portal.example:80", "https://portal.example:80"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(typed.parse::<PublicUrl>().unwrap().origin(), sent, "as browsers write it");
        }
        for loopback in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080"] {
            assert!(!loopback.parse::<PublicUrl>().unwrap().is_secure());
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for form in ["portal.example", "https://", "https://a.example/x", "https://u@a.example", "ftp://a"] {
            assert!(matches!(form.parse::<PublicUrl>(), Err(UrlError::Form(_))), "{form}");
        }
        for clear in ["http://portal.example", "http://192.0.2.1:80", "http://127.0.0.1.example"] {
            assert!(matches!(clear.parse::<PublicUrl>(), Err(UrlError::Clear(_))), "{clear}");
        }
    }
}
