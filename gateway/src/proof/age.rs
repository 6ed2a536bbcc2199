//! How old a signature is when its mail comes: one that was made long ago may be a copy that somebody kept to hand it in
//! again. It reads no clock.

use std::time::Duration;

use mail_auth::dkim::Signature;

use super::author::headline;
use crate::fields;

/// Clocks that are fast by more than this are wrong.
const FUTURE: i64 = 24 * 60 * 60;

/// When a mail was signed, in seconds since 1970: by the signature's own word (RFC 6376 §3.5, `t=`), else by the mail's
/// Date, which the signature covers.
pub(super) fn signed_at(signature: &Signature, head: &[u8]) -> Option<i64> {
    match i64::try_from(signature.t) {
        Ok(at) if at > 0 => Some(at),
        _ => headline(head).date,
    }
}

/// Whether what was signed then may come now.
pub(super) fn is_fresh(signed_at: i64, now: i64, oldest: Duration) -> bool {
    let age = now.saturating_sub(signed_at);
    age >= -FUTURE && age <= i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX)
}

/// When the server of a mailbox took a mail in: by the topmost Received field, which it wrote itself (RFC 5321 §4.4). None
/// if there is no such field; then nobody knows how long the mail has lain there.
pub(super) fn taken_in(head: &[u8]) -> Option<i64> {
    let received = fields::fields(head).find(|field| field.is("Received"))?.text();
    let (_, date) = received.rsplit_once(';')?;
    headline(format!("Date: {date}\r\n\r\n").as_bytes()).date
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const WEEK: Duration = Duration::from_hours(7 * 24);

    #[test]
    fn a_week_back_and_a_day_ahead_are_fresh() {
        let now = 1_800_000_000;
        for (signed_at, fresh) in [
            (now, true),
            (now - 7 * DAY, true),
            (now - 7 * DAY - 1, false),
            (now + DAY, true),
            (now + DAY + 1, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_fresh(signed_at, now, WEEK), fresh, "{}", signed_at - now);
        }
    }

    #[test]
    fn without_the_signatures_own_word_the_date_counts() {
        let head = b"From: a@alpha.example\r\nDate: Mon, 23 Nov 2026 17:00:00 +0000\r\n\r\n";
        let signed = |t: u64| signed_at(&Signature { t, ..Signature::default() }, head);
        assert_eq!((signed(1_700_000_000), signed(0)), (Some(1_700_000_000), Some(1_795_453_200)));
        assert_eq!(signed(u64::MAX), Some(1_795_453_200), "no time at all");
        assert_eq!(signed_at(&Signature::default(), b"From: a@alpha.example\r\n\r\n"), None);
    }

    #[test]
    fn the_topmost_received_field_says_when_a_mail_was_taken_in() {
        let top = "Received: from a by mx.host.example; Mon, 23 Nov 2026 17:00:00 +0000\r\n";
        let below = "Received: from evil; Mon, 23 Nov 2037 17:00:00 +0000\r\n";
        let head = format!("Return-Path: <x@y>\r\n{top}{below}From: a@alpha.example\r\n\r\n");
        assert_eq!(taken_in(head.as_bytes()), Some(1_795_453_200));
        for odd in ["From: a\r\n\r\n", "Received: by x\r\n\r\n", "Received: by x; soon\r\n\r\n", ""] {
            assert_eq!(taken_in(odd.as_bytes()), None, "{odd}");
        }
    }
}
