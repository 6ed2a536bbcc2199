//! Signed mail: what is signed and by what, and the check of that.

use certs::smime::{self, Authorities, Digesting, Worth};
use mail::{Budget, Scanner, Signature, SignatureScanner};

use crate::pieces::pieces;

/// However a mail is cut, the same bytes are signed by the same signature; nobody is vouched for where nobody is trusted.
/// The last byte chooses the cuts.
pub fn signature(data: &[u8]) {
    let Some((&choice, mail)) = data.split_last() else { return };
    let whole = read(mail, 0);
    assert_eq!(read(mail, choice), whole, "cut by {choice}");
    let (Some(Signature::Smime(signature)), signed) = whole else { return };
    assert!(signed.len() <= mail.len());
    let mut digesting = Digesting::default();
    digesting.feed(&signed);
    let signers = smime::check(&signature, &digesting.finish(), &Authorities::default(), 0);
    assert!(signers.iter().flatten().all(|signer| signer.worth != Worth::Vouched), "{signers:?}");
}

fn read(mail: &[u8], seed: u8) -> (Option<Signature>, Vec<u8>) {
    let mut parts = Scanner::new(Budget::default());
    parts.feed(mail);
    let (mut scanner, mut signed) = (SignatureScanner::default(), Vec::new());
    pieces(mail, seed).for_each(|piece| scanner.feed(piece, |bytes| signed.extend_from_slice(bytes)));
    (scanner.finish(&parts.finish().headline), signed)
}
