//! The author of a mail that is still to be proved: one From field, one address, read alike by the parser that shows
//! the mail and by the one that checks its signatures.

use mail::{Address, Budget, Headline, Scanner};
use mail_auth::AuthenticatedMessage;

use super::Unproved;
use crate::fields::Field;

/// The one address in `From`.
pub(super) fn author(head: &[u8], fields: &[Field<'_>]) -> Result<Address, Unproved> {
    if fields.iter().filter(|field| field.is("From")).count() != 1 {
        return Err(Unproved::Author);
    }
    let shown = shown(&headline(head)).ok_or(Unproved::Author)?;
    let checked = AuthenticatedMessage::parse_with_opts(head, None, true).ok_or(Unproved::Author)?;
    match checked.from.as_slice() {
        [one] if *one == shown.key() => Ok(shown),
        _ => Err(Unproved::Author),
    }
}

/// A header block as the portal will show it.
pub(super) fn headline(head: &[u8]) -> Headline {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(head);
    scanner.finish().headline
}

fn shown(headline: &Headline) -> Option<Address> {
    match headline.from.as_slice() {
        [one] => Address::parse(one.address.as_deref()?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    fn read(from: &str) -> Result<String, Unproved> {
        let head = format!("Subject: x\r\n{from}\r\n\r\n");
        let fields: Vec<_> = fields::fields(head.as_bytes()).collect();
        author(head.as_bytes(), &fields).map(|address| address.to_string())
    }

    #[test]
    fn one_address_is_the_author_however_it_is_written() {
        for from in [
            "From: ann@alpha.example",
            "from:Ann <ann@alpha.example>",
            "FROM: \"ann@beta.example\" <ann@Alpha.example>",
            "From: =?utf-8?q?Ann?= <ann@alpha.example> (at work)",
            "From: Ann\r\n <ann@alpha.example>",
        ] {
            assert_eq!(read(from).as_deref(), Ok("ann@alpha.example"), "{from}");
        }
    }

    #[test]
    fn no_author_or_several_are_refused() {
        for from in [
            "X: y",
            "From:",
            "From: Ann",
            "From: undisclosed-recipients:;",
            "From: ann@alpha.example, bob@alpha.example",
            "From: ann@alpha.example\r\nFrom: bob@beta.example",
            "From: ann@alpha.example\r\nfrom: ann@alpha.example",
            "From: <ann@alpha.example> <bob@beta.example>",
            "From: ann@alpha@beta.example",
        ] {
            assert_eq!(read(from), Err(Unproved::Author), "{from}");
        }
    }
}
