//! Checks the signature that a mail bears itself (S/MIME, OpenPGP), once it has come whole, and says what that is worth
//! for this mail and its author. The mail is read in pieces; whatever the result, it is no reason to refuse it.

use certs::smime::{self, Authorities, Digesting, Digests, Fault, Signer, Worth};
use jiff::Timestamp;
use mail::{Address, Headline, Signature, SignatureResult, SignatureScanner, Standing, Unchecked};
use store::{OpenContent, StoreError};

#[cfg(test)]
mod tests;

/// What came of the check; none for a mail that is not signed.
pub(crate) async fn checked(
    mail: &OpenContent,
    headline: &Headline,
    author: &Address,
    authorities: &Authorities,
    now: Timestamp,
) -> Result<Option<SignatureResult>, StoreError> {
    if headline.signed.is_none() {
        return Ok(None);
    }
    let mut reading = Reading::default();
    let mut pieces = mail.read(0, mail.size());
    while let Some(piece) = pieces.next().await? {
        reading.feed(&piece);
    }
    Ok(reading.result(headline, author, authorities, now))
}

/// A mail on its way past.
#[derive(Default)]
struct Reading {
    scanner: SignatureScanner,
    digesting: Digesting,
}

impl Reading {
    fn feed(&mut self, piece: &[u8]) {
        self.scanner.feed(piece, |signed| self.digesting.feed(signed));
    }

    fn result(
        self,
        headline: &Headline,
        author: &Address,
        authorities: &Authorities,
        now: Timestamp,
    ) -> Option<SignatureResult> {
        let digests = self.digesting.finish();
        Some(match self.scanner.finish(headline)? {
            Signature::Smime(signature) => smime(&signature, &digests, author, authorities, now),
            Signature::Pgp => unchecked(Unchecked::NoKey),
            Signature::NotAll => unchecked(Unchecked::NotAll),
            Signature::Unreadable => unchecked(Unchecked::Unreadable),
        })
    }
}

fn smime(
    signature: &[u8],
    digests: &Digests,
    author: &Address,
    authorities: &Authorities,
    now: Timestamp,
) -> SignatureResult {
    match smime::check(signature, digests, authorities, now.as_second()) {
        Ok(signers) => {
            let named = signers.into_iter().map(|signer| standing(signer, author));
            match named.min_by_key(|(standing, _)| *standing) {
                Some((standing, signer)) => SignatureResult::Intact { signer, standing },
                None => unchecked(Unchecked::Unreadable),
            }
        }
        Err(Fault::Broken) => SignatureResult::Broken,
        Err(Fault::Unreadable) => unchecked(Unchecked::Unreadable),
        Err(Fault::NoCertificate) => unchecked(Unchecked::NoCertificate),
        Err(Fault::Unsupported) => unchecked(Unchecked::Unsupported),
    }
}

/// What a signer's certificate is worth for a mail of this author, and what the signer is called.
fn standing(signer: Signer, author: &Address) -> (Standing, String) {
    let Signer { mut addresses, subject, worth } = signer;
    let is_author = |address: &String| Address::parse(address).is_ok_and(|own| own.key() == author.key());
    match addresses.iter().position(is_author) {
        Some(own) => {
            let standing = match worth {
                Worth::Vouched => Standing::Trusted,
                Worth::Unknown => Standing::IssuerUnknown,
                Worth::Expired => Standing::Expired,
                Worth::Weak => Standing::Weak,
            };
            (standing, addresses.swap_remove(own))
        }
        None => (Standing::NotTheAuthor, addresses.into_iter().next().unwrap_or(subject)),
    }
}

fn unchecked(why: Unchecked) -> SignatureResult {
    SignatureResult::NotChecked { why }
}
