//! Which DKIM signatures are worked out, and what one must cover before it counts (RFC 6376 §8.2, §8.15; RFC 8301).

use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::{Algorithm, HashAlgorithm};
use mail_auth::dkim::Canonicalization;

use super::Claim;
use crate::fields::Field;

/// Signatures of one mail that are worked out, those of the author's domain first; each costs a look-up.
const MOST_SIGNATURES: usize = 8;

/// Sets of ARC fields that are worked out (RFC 8617 §5.2 allows 50); each costs look-ups.
const MOST_SETS: usize = 10;

/// Names in one signature's list of fields; each costs a walk over the header.
const MOST_NAMES: usize = 256;

/// Fields that a reader shows or goes by, and that may stand once only (RFC 5322 §3.6, RFC 2045 §3).
const SINGLE: [&str; 13] = [
    "From",
    "Subject",
    "Date",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Of these, those without which a signature does not say what the mail is about, and when and for which mail it was made.
const SIGNED: [&str; 4] = ["From", "Subject", "Date", "Message-ID"];

/// Those that must be there: a mail without them could be handed in again as another.
const NEEDED: [&str; 3] = ["From", "Date", "Message-ID"];

/// How near to the author's domain a signer's must be, by the policy that the domain publishes.
pub(super) enum Alignment {
    Relaxed,
    Strict,
    /// The policy could not be looked up.
    Unknown(String),
}

impl From<mail_auth::dmarc::Alignment> for Alignment {
    fn from(alignment: mail_auth::dmarc::Alignment) -> Self {
        match alignment {
            mail_auth::dmarc::Alignment::Relaxed => Self::Relaxed,
            mail_auth::dmarc::Alignment::Strict => Self::Strict,
        }
    }
}

/// Whether the mail has a chain of ARC sets.
pub(super) enum Chain {
    Absent,
    /// One whose check costs no more than that of other signatures.
    Bearable,
    Unbearable,
}

/// What is to be done about the ARC sets of a mail.
pub(super) fn chain(message: &AuthenticatedMessage<'_>) -> Chain {
    let names = message.ams_headers.iter().map(|one| one.header.h.len()).max().unwrap_or_default();
    match message.as_headers.len().max(message.ams_headers.len()) {
        0 => Chain::Absent,
        1..=MOST_SETS if names <= MOST_NAMES => Chain::Bearable,
        _ => Chain::Unbearable,
    }
}

/// The mail as mail-auth wants it, with the hashes of a body that it never sees, and whether the author's domain has
/// signatures that are not worth working out.
pub(super) fn prepare<'a>(
    claim: &Claim<'a>,
    bodies: &[(Canonicalization, Vec<u8>)],
) -> (Option<AuthenticatedMessage<'a>>, bool) {
    let Some(mut message) = AuthenticatedMessage::parse_with_opts(claim.head, None, true) else {
        return (None, false);
    };
    let refused = |signature: &mail_auth::dkim::Signature| {
        signature.a == Algorithm::RsaSha1 || signature.h.len() > MOST_NAMES
    };
    let own = |signature: &mail_auth::dkim::Signature| claim.could_align(&signature.d);
    let weak = message.has_dkim_errors
        || message.dkim_headers.iter().any(|one| own(&one.header) && refused(&one.header));
    message.dkim_headers.retain(|one| !refused(&one.header));
    message.dkim_headers.sort_by_key(|one| !own(&one.header));
    message.dkim_headers.truncate(MOST_SIGNATURES);
    for one in &mut message.dkim_headers {
        // Reports to the signer and third parties that may sign would only cost look-ups.
        one.header.r = false;
        one.header.atps = None;
    }
    for (way, hash, _, body) in &mut message.body_hashes {
        let seen = bodies.iter().find(|(seen, _)| *hash == HashAlgorithm::Sha256 && seen == way);
        // Without a hash nothing matches: a signature has one.
        *body = seen.map(|(_, body)| body.clone()).unwrap_or_default();
    }
    (Some(message), weak)
}

/// Whether a signature over the fields `signed` leaves nothing open that a reader goes by: what names the mail is there
/// and signed, and no field that may stand once has a further copy that nobody signed.
pub(super) fn covers(fields: &[Field<'_>], signed: &[String]) -> bool {
    SINGLE.iter().all(|name| {
        let there = fields.iter().filter(|field| field.is(name)).count();
        let covered = signed.iter().filter(|one| one.eq_ignore_ascii_case(name)).count();
        match covered {
            _ if there == 0 && NEEDED.contains(name) => false,
            0 => there <= usize::from(!SIGNED.contains(name)),
            _ => there <= covered,
        }
    })
}

/// Whether a published key may be used for mail, in earnest, with SHA-256 (RFC 6376 §3.6.1).
pub(super) fn counts(record: &str) -> bool {
    let tags: Vec<(&str, &str)> = record
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim(), value))
        .collect();
    let among = |name: &str, any: &[&str]| {
        let mut values = tags.iter().filter(|(tag, _)| *tag == name).map(|(_, value)| value.split(':'));
        values
            .next()
            .map(|mut values| values.any(|value| any.contains(&value.trim().to_ascii_lowercase().as_str())))
    };
    among("t", &["y"]) != Some(true)
        && among("s", &["*", "email"]) != Some(false)
        && among("h", &["sha256"]) != Some(false)
}

/// The domains above a domain, the nearest first, without the topmost.
pub(super) fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(domain.split_once('.'), |(_, rest)| rest.split_once('.'))
        .map(|(_, parent)| parent)
        .filter(|parent| parent.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    #[test]
    fn what_a_reader_goes_by_must_be_signed_as_often_as_it_stands() {
        let exactly = |head: &str, signed: &str| {
            let fields: Vec<_> = fields::fields(head.as_bytes()).collect();
            covers(&fields, &signed.split(':').map(str::to_owned).collect::<Vec<_>>())
        };
        let named = "Date: x\r\nMessage-ID: y\r\n";
        let covered = |head: &str, signed: &str| {
            exactly(&format!("{named}{head}"), &format!("date:{signed}:message-id"))
        };
        let plain = "From: a\r\nSubject: b\r\nTo: c\r\n";
        assert!(covered(plain, "from:subject") && covered(plain, "From:Subject:To:Date"));
        assert!(!covered(plain, "from") && !covered(plain, "subject:to") && !covered(plain, ""));
        assert!(covered("From: a\r\n", "from"), "no subject, nothing to sign");
        for more in ["Subject: d\r\n", "To: d\r\n", "subject : d\r\n"] {
            let head = format!("{more}{plain}");
            assert!(!covered(&head, "from:subject:to"), "{more}");
            assert!(covered(&head, "from:subject:to:subject:to"), "{more}");
        }
        let typed = "From: a\r\nContent-Type: text/plain\r\n";
        assert!(covered(typed, "from"));
        assert!(!covered(&format!("Content-Type: text/html\r\n{typed}"), "from"), "two that nobody signed");
        let whole = format!("{named}{plain}");
        assert!(exactly(&whole, "from:subject:date:message-id"));
        for open in ["from:subject:date", "from:subject:message-id", "from:subject:x"] {
            assert!(!exactly(&whole, open), "{open}");
        }
        for absent in ["Date: x\r\n", "Message-ID: y\r\n", "From: a\r\n"] {
            let head = whole.replacen(absent, "", 1);
            assert!(!exactly(&head, "from:subject:date:message-id"), "without {absent}");
        }
    }

    #[test]
    fn keys_on_trial_or_for_other_uses_do_not_count() {
        for good in ["v=DKIM1; p=AA", "p=AA", "v=DKIM1; t=s; s=email; h=sha1:sha256; p=A", "s=*; t=; p=A"] {
            assert!(counts(good), "{good}");
        }
        for bad in ["v=DKIM1; t=y; p=AA", "t = S:Y ;p=A", "s=tlsrpt; p=A", "h=sha1; p=A"] {
            assert!(!counts(bad), "{bad}");
        }
    }

    #[test]
    fn parents_stop_below_the_top() {
        assert_eq!(parents("a.b.alpha.example").collect::<Vec<_>>(), ["b.alpha.example", "alpha.example"]);
        assert_eq!(parents("alpha.example").count(), 0);
        assert_eq!(parents("example").count() + parents("").count(), 0);
    }
}
