//! The names that mail of ours bears: Message-IDs by which mail clients group it and replies name a case, and envelope
//! senders by which a bounce names what came back. Whoever writes such a name proves nothing by it.

use mail::Address;
use store::{CaseId, HeldId, Job, JobId, JobKind, Ledger};

/// Symbols of a job's id as text.
const ID: usize = 32;

/// The envelope sender of a mail of ours: keyed, so that a bounce says which one failed and nobody who knows the
/// Message-ID can make one up. `None` if the notice domain makes no address.
pub(crate) fn envelope_sender(ledger: &Ledger, job: JobId, domain: &str) -> Option<Address> {
    Address::parse(&format!("b-{job}{}@{domain}", key(ledger, job))).ok()
}

/// The job whose mail comes back to `address`, if it is an envelope sender of ours.
pub(crate) fn job_of(ledger: &Ledger, address: &Address, domain: &str) -> Option<JobId> {
    if address.domain() != domain {
        return None;
    }
    let local = address.local().to_ascii_lowercase();
    let (job, given) = local.strip_prefix("b-")?.split_at_checked(ID)?;
    let job: JobId = job.parse().ok()?;
    certs::equal(given.as_bytes(), key(ledger, job).as_bytes()).then_some(job)
}

/// 64 bits: with the rest the local part keeps inside its 64 octets (RFC 5321 §4.5.3.1.1).
fn key(ledger: &Ledger, job: JobId) -> String {
    ledger.mac("envelope sender", job.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The Message-ID of a mail of ours; the same for every try.
pub(crate) fn message_id(job: &Job, domain: &str) -> String {
    match (&job.kind, job.case()) {
        (JobKind::Notice(_), Some(case)) => format!("n.{}.{case}@{domain}", job.id),
        (_, Some(case)) => format!("r.{}.{case}@{domain}", job.id),
        (_, None) => format!("m.{}@{domain}", job.id),
    }
}

/// The Message-ID that all mails of ours about a case refer to, so that mail clients group them.
pub(crate) fn case_root(case: CaseId, domain: &str) -> String {
    format!("c.{case}@{domain}")
}

/// The same for a held mail.
pub(crate) fn held_root(held: HeldId, domain: &str) -> String {
    format!("h.{held}@{domain}")
}

/// The case that the Message-ID of a notice or a receipt, or of the root of its case, names.
pub(crate) fn case_of(message_id: &str, domain: &str) -> Option<CaseId> {
    let (local, host) = message_id.split_once('@')?;
    let (kind, rest) = local.split_once('.')?;
    let case = match kind {
        "c" => rest,
        "n" | "r" => rest.split_once('.')?.1,
        _ => return None,
    };
    host.eq_ignore_ascii_case(domain).then(|| case.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use certs::RootKey;
    use store::memory::Memory;

    use super::*;

    const ID: &str = "0123456789abcdefghjkmnpqrstvwxyz";

    #[tokio::test]
    async fn a_bounce_names_its_job() {
        certs::install_provider();
        let root = Arc::new(RootKey::generate().unwrap());
        let ledger = Ledger::open(Arc::new(Memory::new()), root).await.unwrap();
        let named = |address: &str, domain| job_of(&ledger, &Address::parse(address).unwrap(), domain);
        let job: JobId = ID.parse().unwrap();
        let sender = envelope_sender(&ledger, job, "postern.example").unwrap().to_string();
        assert!(sender.find('@').unwrap() <= 64, "{sender}");
        assert_eq!(named(&sender, "postern.example"), Some(job));
        assert_eq!(named(&sender, "other.example"), None);
        // A mail system may fold the case of a local part.
        let (local, domain) = sender.split_once('@').unwrap();
        assert_eq!(named(&format!("{}@{domain}", local.to_uppercase()), domain), Some(job));
        for forged in ["b-x", &format!("b-{ID}"), &local[..local.len() - 1], &format!("{local}0"), "b-\u{e9}"]
        {
            assert_eq!(named(&format!("{forged}@{domain}"), domain), None, "{forged}");
        }
    }

    #[test]
    fn replies_name_their_case() {
        let case: CaseId = ID.parse().unwrap();
        for id in
            [case_root(case, "p.example"), format!("n.{ID}.{ID}@P.example"), format!("r.{ID}.{ID}@p.example")]
        {
            assert_eq!(case_of(&id, "p.example"), Some(case), "{id}");
        }
        for id in [
            "",
            "x@p.example",
            &format!("n.{ID}@p.example"),
            &format!("m.{ID}@p.example"),
            &format!("c.{ID}@q.example"),
        ] {
            assert_eq!(case_of(id, "p.example"), None, "{id}");
        }
    }
}
