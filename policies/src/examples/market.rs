//! The made-up market of the examples: Alpha and Beta with a mailbox for every process, Gamma with none, everybody else
//! outside. It knows no process by itself; the catalogue does.

use mail::{Address, GroupId, ProcessId};

use crate::{Catalogue, NamedCase, Place, Recipient};

/// Its companies by their domains; the first is who writes where an example does not say.
pub(super) const COMPANIES: [&str; 3] = ["alpha.example", "beta.example", "gamma.example"];
/// Where the reply addresses of cases are: `erroneous-transfers@cases.example` is one of a case of Alpha and Beta.
const CASES: &str = "cases.example";

/// The market for one catalogue.
#[derive(Debug)]
pub struct SampleMarket {
    /// Of each process the lowest rung.
    processes: Vec<(ProcessId, mail::ContactType)>,
}

impl SampleMarket {
    /// With a mailbox for every process.
    pub fn of(catalogue: &Catalogue) -> Self {
        let lowest = |process: &crate::Process| {
            let rung = process.rungs.first()?;
            Some((process.id.clone(), rung.contact_type.clone()))
        };
        Self { processes: catalogue.processes().filter_map(lowest).collect() }
    }

    /// Whether a domain is one of a company here.
    pub fn has(domain: &str) -> bool {
        COMPANIES.contains(&domain)
    }

    /// The company of a domain: its first label.
    pub fn company(domain: &str) -> Option<GroupId> {
        Self::has(domain).then(|| domain.split('.').next()?.parse().ok()).flatten()
    }

    /// What an address is to a mail of `sender`.
    pub fn recipient(&self, sender: &GroupId, to: &Address) -> Recipient {
        let (domain, local) = (to.domain(), to.local());
        if domain == CASES {
            return self.case(local).map_or(Recipient::Unknown, Recipient::ReplyAddress);
        }
        let Some(group) = Self::company(domain) else { return Recipient::Outside };
        let (plain, detail) =
            local.split_once('+').map_or((local, None), |(plain, detail)| (plain, Some(detail)));
        let mailboxes = self.mailboxes(domain, &group);
        let mailbox = mailboxes.iter().find(|place| place.address.local() == plain);
        match (mailbox, detail) {
            (Some(mailbox), None) => Recipient::Mailbox(mailbox.clone()),
            (Some(mailbox), Some(detail)) => {
                Recipient::PlusAddress { mailbox: mailbox.clone(), detail: detail.to_owned() }
            }
            (None, _) if group == *sender => Recipient::OwnDomain,
            (None, _) => Recipient::Counterparty { group, mailboxes },
        }
    }

    fn mailboxes(&self, domain: &str, group: &GroupId) -> Vec<Place> {
        if domain == COMPANIES[2] {
            return Vec::new();
        }
        let mailbox = |(process, rung): &(ProcessId, mail::ContactType)| {
            Some(Place {
                address: Address::parse(&format!("{process}@{domain}")).ok()?,
                group: group.clone(),
                participant: domain.get(..4)?.to_uppercase().parse().ok()?,
                process: process.clone(),
                contact_type: rung.clone(),
            })
        };
        self.processes.iter().filter_map(mailbox).collect()
    }

    fn case(&self, local: &str) -> Option<NamedCase> {
        let (process, rung) = self.processes.iter().find(|(process, _)| process.as_str() == local)?;
        let side =
            |domain: &&str| Some((Self::company(domain)?, domain.get(..4)?.to_uppercase().parse().ok()?));
        Some(NamedCase {
            id: "example".to_owned(),
            process: process.clone(),
            contact_type: rung.clone(),
            sides: COMPANIES[..2].iter().filter_map(side).collect(),
        })
    }
}
