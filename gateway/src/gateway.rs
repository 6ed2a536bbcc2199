//! The mail side as one object: what it was told and what it goes by. Listeners, pollers and workers share it.

use std::{sync::Arc, time::Duration};

use certs::smime::Authorities;
use mail::{Address, GroupId};
use policies::{Passing, Ruleset, Standing};
use store::{CaseId, Ledger, Stage, StoreError};

use crate::{
    certificates::{self, NamedCertificate},
    connector::{Fuse, Provider, Providers},
    dns::Resolver,
    documents::{self, DocumentSettings},
    logins::Logins,
    proof::{DomainProver, ProofSettings},
    reply_address,
    smtp::Refusal,
    virus::{ScanSettings, VirusScanner},
};

/// What the mail side is told by the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of this server, as it greets.
    pub hostname: String,
    /// The domain of keyed reply addresses and of Message-IDs, lower case.
    pub notice_domain: String,
    /// Where notices come from.
    pub notice_sender: Address,
    /// The name shown with it.
    pub notice_name: String,
    /// Where the portal is, without a slash at the end: `https://postern.example`.
    pub portal_url: String,
    /// Whether mail that belongs to no case may go on.
    pub passing: Passing,
    /// How far Postern is let with mail for which nothing else is set.
    pub stage: Stage,
    /// Mail services whose customers share addresses.
    pub providers: Vec<Provider>,
    /// How old a DKIM signature may be that proves a company.
    pub signature_age: Duration,
    /// Who reads mail for the postmaster of this server, if anybody does.
    pub postmaster: Option<Address>,
    /// Where companies' own mail systems send copies, which are only counted.
    pub journal: Vec<Address>,
    /// The virus scanner, if there is one.
    pub scanner: Option<ScanSettings>,
    /// How the files of mails are read for their text, if they are.
    pub documents: Option<DocumentSettings>,
    /// Who is trusted to say whose certificate signed a mail.
    pub authorities: Authorities,
}

/// The mail side.
pub struct Gateway {
    ledger: Ledger,
    rules: Standing,
    /// Rules that are tried beside those that stand.
    tried: Option<Standing>,
    settings: Settings,
    prover: DomainProver,
    providers: Providers,
    fuse: Fuse,
    scanner: Option<VirusScanner>,
    documents: Option<documents::Reader>,
    logins: Logins,
    certificates: certificates::Seen,
}

impl Gateway {
    pub fn new(ledger: Ledger, rules: impl Into<Standing>, resolver: Resolver, settings: Settings) -> Self {
        /// Argon2id takes 19 MiB each.
        const LOGINS_AT_ONCE: usize = 4;
        /// Times that one mail may be handed in to go on within an hour: a sender splits its recipients.
        const SAME_MAIL: u32 = 100;
        /// For one mail, so that the peer still waits for its answer (RFC 5321 §4.5.3.2.6).
        const PROVING: Duration = Duration::from_secs(60);
        let proving = ProofSettings {
            host: settings.hostname.clone(),
            timeout: PROVING,
            oldest: settings.signature_age,
        };
        Self {
            ledger,
            rules: rules.into(),
            tried: None,
            prover: DomainProver::new(resolver, proving),
            providers: Providers::new(settings.providers.clone()),
            fuse: Fuse::new(SAME_MAIL),
            scanner: settings.scanner.clone().map(VirusScanner::new),
            documents: settings.documents.clone().map(documents::Reader::new),
            settings,
            logins: Logins::new(LOGINS_AT_ONCE),
            certificates: certificates::Seen::default(),
        }
    }

    /// The same where other rules judge each mail as well, for the counts alone.
    pub fn trying(self, tried: Option<Standing>) -> Self {
        Self { tried, ..self }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The address to which `recipient` of `group` replies in `case`; none if the notice domain makes none.
    pub fn reply_address(&self, case: CaseId, group: &GroupId, recipient: &Address) -> Option<Address> {
        reply_address::mint(&self.ledger, &self.settings.notice_domain, case, group, recipient)
    }

    /// From now on mail is judged by these; what is being judged keeps the old ones.
    pub fn replace_rules(&self, rules: Arc<Ruleset>) {
        self.rules.replace(rules);
    }

    pub(crate) fn rules(&self) -> Arc<Ruleset> {
        self.rules.now()
    }

    pub(crate) fn tried(&self) -> Option<Arc<Ruleset>> {
        self.tried.as_ref().map(Standing::now)
    }

    pub(crate) fn prover(&self) -> &DomainProver {
        &self.prover
    }

    pub(crate) fn providers(&self) -> &Providers {
        &self.providers
    }

    pub(crate) fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    pub(crate) fn scanner(&self) -> Option<&VirusScanner> {
        self.scanner.as_ref()
    }

    /// The client certificates that spoke for a company by their name alone since this was last asked.
    pub fn certificates_in_use(&self) -> Vec<NamedCertificate> {
        self.certificates.take()
    }

    pub(crate) fn certificates(&self) -> &certificates::Seen {
        &self.certificates
    }

    pub(crate) fn documents(&self) -> Option<&documents::Reader> {
        self.documents.as_ref()
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.logins
    }
}

/// What a failure of the store means to a peer: always "later", never `250`.
pub(crate) fn refused(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the ledger refused a message");
    match error {
        StoreError::Full => Refusal::StoreFull,
        StoreError::Conflict
        | StoreError::Broken(_)
        | StoreError::Corrupt(_)
        | StoreError::Forbidden
        | StoreError::LastMau(_)
        | StoreError::Denied(_) => Refusal::StoreBroken,
    }
}
