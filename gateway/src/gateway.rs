//! The mail side as one object: what it was told, what it goes by, and the guards it puts before the
//! message path. Listeners and workers share it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use arc_swap::ArcSwap;
use certs::PeerCertificate;
use mail::{Address, GroupId, ReversePath};
use policies::{Passing, Recipient, Ruleset};
use store::{CaseId, Ledger, Proof, StoreError};

use crate::{
    incoming::Incoming,
    placement::{self, Known},
    reply_address,
    sender::{Logins, Sender},
    smtp::{Circumstance, Intake, Refusal, Transaction},
};

/// What the mail side is told by the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The domain of keyed reply addresses and of Message-IDs, lower case.
    pub notice_domain: String,
    /// Where notices come from.
    pub notice_sender: Address,
    /// The name shown with it.
    pub notice_name: String,
    /// Where the portal is, without a slash at the end: `https://postern.example`.
    pub portal_url: String,
}

/// The mail side.
pub struct Gateway {
    ledger: Ledger,
    rules: ArcSwap<Ruleset>,
    settings: Settings,
    logins: Logins,
}

impl Gateway {
    pub fn new(ledger: Ledger, rules: Arc<Ruleset>, settings: Settings) -> Self {
        /// Argon2id takes 19 MiB each.
        const LOGINS_AT_ONCE: usize = 4;
        Self { ledger, rules: ArcSwap::new(rules), settings, logins: Logins::new(LOGINS_AT_ONCE) }
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

    pub(crate) fn rules(&self) -> Arc<Ruleset> {
        self.rules.load_full()
    }
}

/// What a failure of the store means to a peer: always "later", never `250`.
pub(crate) fn refused(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the ledger refused a message");
    match error {
        StoreError::Full => Refusal::StoreFull,
        StoreError::Conflict | StoreError::Broken(_) | StoreError::Corrupt(_) | StoreError::Denied(_) => {
            Refusal::StoreBroken
        }
    }
}

/// An intake that shares the gateway: the listeners' guards.
#[derive(Clone)]
pub struct Guards(pub Arc<Gateway>);

impl Guards {
    fn proved<'a>(&self, identity: Option<&'a Sender>) -> Result<&'a Sender, Refusal> {
        identity.ok_or_else(|| {
            Refusal::NotProved(
                "this gateway takes mail only from companies that it knows; log in with AUTH, or connect with the \
                 client certificate that your administrator was given"
                    .to_owned(),
            )
        })
    }

    fn by_group(&self, group: Option<&GroupId>, proof: Proof) -> Option<Sender> {
        group.map(|group| Sender { group: group.clone(), proof })
    }
}

impl Intake for Guards {
    type Identity = Sender;
    type Class = ();
    type Delivery = Incoming;

    fn by_network(&self, peer: IpAddr) -> Option<Sender> {
        self.by_group(self.0.ledger.directory().group_of_network(peer), Proof::Network)
    }

    fn by_certificate(&self, peer: &PeerCertificate) -> Option<Sender> {
        let directory = self.0.ledger.directory();
        let group = directory.certificate(&peer.fingerprint).map(|certificate| &certificate.group);
        self.by_group(group, Proof::Certificate(peer.fingerprint))
    }

    /// Of a peer whose address nobody told: all of them count as one.
    async fn login(&self, user: &str, password: &str) -> Result<Sender, Refusal> {
        self.login_from(IpAddr::V4(Ipv4Addr::UNSPECIFIED), user, password).await
    }

    async fn login_from(&self, peer: IpAddr, user: &str, password: &str) -> Result<Sender, Refusal> {
        self.0.logins.check(&self.0.ledger, peer, user, password).await
    }

    /// The reverse-path names nobody and is never written to; only the identity counts.
    fn mail(&self, identity: Option<&Sender>, _: &Circumstance<'_>, _: &ReversePath) -> Result<(), Refusal> {
        self.proved(identity).map(drop)
    }

    fn recipient(
        &self,
        identity: Option<&Sender>,
        _: &Circumstance<'_>,
        _: &ReversePath,
        to: &Address,
    ) -> Result<(), Refusal> {
        let group = &self.proved(identity)?.group;
        let recipient = match placement::known_recipient(&self.0, group, to) {
            // The key is good for this group; the case itself is looked up when the mail is judged.
            Known::ReplyAddress(_) => return Ok(()),
            Known::Mailbox(place) => Recipient::Mailbox(place),
            Known::Nothing => Recipient::Unknown,
        };
        let class = self.0.rules().class(group, &recipient, Passing::Off);
        class.map(drop).map_err(|refused| Refusal::UnknownRecipient(refused.public))
    }

    async fn open(
        &self,
        identity: Option<&Sender>,
        _: &Circumstance<'_>,
        transaction: Transaction<()>,
    ) -> Result<Incoming, Refusal> {
        if self.0.ledger.broken().borrow().is_some() {
            return Err(Refusal::StoreBroken);
        }
        Incoming::open(&self.0, self.proved(identity)?.clone(), transaction.envelope)
    }
}
