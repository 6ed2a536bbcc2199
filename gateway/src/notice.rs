//! The names that mail of ours bears: Message-IDs by which mail clients group it and replies name a case, and envelope
//! senders by which a bounce names what came back. Whoever writes such a name proves nothing by it.

use mail::Address;
use store::{CaseId, HeldId, Job, JobId, JobKind};

/// The envelope sender of a mail of ours: keyed, so that a bounce says which one failed. `None` if the notice domain
/// makes no address.
pub(crate) fn envelope_sender(job: JobId, domain: &str) -> Option<Address> {
    Address::parse(&format!("b-{job}@{domain}")).ok()
}

/// The job whose mail comes back to `address`, if it is an envelope sender of ours.
pub(crate) fn job_of(address: &Address, domain: &str) -> Option<JobId> {
    if address.domain() != domain {
        return None;
    }
    address.local().to_ascii_lowercase().strip_prefix("b-")?.parse().ok()
}

/// The Message-ID of a mail of ours; the same for every try.
pub(crate) fn message_id(job: &Job, domain: &str) -> String {
    match (&job.kind, job.case()) {
        (JobKind::Notice(_), Some(case)) => format!("n.{}.{case}@{domain}", job.id),
        (_, Some(case)) => format!("r.{}.{case}@{domain}", job.id),
        (_, None) => format!("m.{}@{domain}", job.id),
    }
}

/// The Message-ID of the warning that a relayed mail waits.
pub(crate) fn delay_id(job: &Job, domain: &str) -> String {
    format!("d.{}@{domain}", job.id)
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
    use super::*;

    const ID: &str = "0123456789abcdefghjkmnpqrstvwxyz";

    #[test]
    fn a_bounce_names_its_job() {
        let job: JobId = ID.parse().unwrap();
        let sender = envelope_sender(job, "postern.example").unwrap();
        assert_eq!(job_of(&sender, "postern.example"), Some(job));
        assert_eq!(job_of(&sender, "other.example"), None);
        let shouted = Address::parse(&format!("B-{}@postern.example", ID.to_uppercase())).unwrap();
        assert_eq!(job_of(&shouted, "postern.example"), Some(job));
        assert_eq!(job_of(&Address::parse("b-x@postern.example").unwrap(), "postern.example"), None);
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
