//! The mailbox map of the visitor's group, and by what its mail system proves itself, for its master administration
//! user. Of mail that came by there are counts alone, and never from whom.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use mail::Address;
use policies::access::Action;
use store::{
    ClientCertificate, Connector, DirectoryChange, Group, Mailbox, Participant, StoreError, Tally, User,
};

use super::Visitor;
use crate::error::Problem;
use crate::portal::Portal;

/// The permission to change the map.
pub(crate) struct MailboxMap(Visitor);

/// An address of the group that is no mailbox, and mail to it.
pub(crate) struct Unmapped {
    pub(crate) id: String,
    /// The address, where it is a colleague's.
    pub(crate) known: Option<Address>,
    pub(crate) mails: u64,
    /// With personal data in it.
    pub(crate) personal: u64,
}

/// That of the visitor's group.
pub(crate) fn own(visitor: &Visitor) -> Result<MailboxMap, Problem> {
    visitor.demand(Action::ManageMailboxes)?;
    Ok(MailboxMap(visitor.clone()))
}

impl MailboxMap {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.0
    }

    pub(crate) fn group(&self) -> Option<&Group> {
        self.0.directory().group(self.0.group())
    }

    /// By address.
    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.directory().mailboxes().filter(|mailbox| mailbox.group == *self.0.group())
    }

    pub(crate) fn participants(&self) -> Vec<&Participant> {
        self.0.directory().participants().filter(|known| known.group == *self.0.group()).collect()
    }

    fn colleagues(&self) -> impl Iterator<Item = &User> {
        self.0.directory().users().filter(|user| user.group == *self.0.group())
    }

    pub(crate) fn certificate(&self, fingerprint: &str) -> Option<&ClientCertificate> {
        let own = |known: &&ClientCertificate| {
            known.group == *self.0.group() && crate::forms::hex(&known.fingerprint) == fingerprint
        };
        self.0.directory().certificates().find(own)
    }

    pub(crate) fn connector(&self, name: &str) -> Option<&Connector> {
        self.0.directory().connectors().find(|known| known.group == *self.0.group() && known.name == name)
    }

    /// Addresses of the group's domains to which mail came by that is mapped nowhere, the busiest first. Whose mail it was is
    /// nobody's business: counts of all senders are one.
    pub(crate) async fn seen_unmapped(
        &self,
        portal: &Portal,
        days: (Date, Date),
    ) -> Result<Vec<Unmapped>, Problem> {
        let mut counts = BTreeMap::<String, (u64, u64)>::new();
        for group in self.0.directory().groups() {
            let report = portal.ledger.shadow_report(Some(&group.id), days).await?;
            for (tally, count) in report.counts {
                let Tally::Unmapped { group: of, id, personal } = tally else { continue };
                if of != *self.0.group() {
                    continue;
                }
                let sums = counts.entry(id).or_default();
                sums.0 += count;
                sums.1 += if personal { count } else { 0 };
            }
        }
        // Once it is mapped it is seen no more.
        for mailbox in self.mailboxes() {
            counts.remove(&portal.ledger.unmapped_id(&mailbox.address));
        }
        let known: HashMap<String, &Address> =
            self.colleagues().map(|user| (portal.ledger.unmapped_id(&user.email), &user.email)).collect();
        let mut seen: Vec<_> = counts
            .into_iter()
            .map(|(id, (mails, personal))| Unmapped {
                known: known.get(&id).map(|address| (*address).clone()),
                id,
                mails,
                personal,
            })
            .collect();
        seen.sort_by(|one, other| other.mails.cmp(&one.mails).then_with(|| one.id.cmp(&other.id)));
        Ok(seen)
    }

    /// Changes it; the ledger decides whether that may be, and records what may not.
    pub(crate) async fn change(&self, portal: &Portal, change: DirectoryChange) -> Result<(), StoreError> {
        portal.ledger.change_directory(&self.0.actor(), vec![change]).await
    }

    /// What is tried and is not the visitor's to do is an event, and looks absent.
    pub(crate) async fn refuse(&self, portal: &Portal, what: &'static str) -> Result<Problem, Problem> {
        self.0.refused(portal, what).await?;
        Ok(Problem::NotFound)
    }
}
