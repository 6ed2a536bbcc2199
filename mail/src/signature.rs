//! What came of the check of a mail's own signature when the mail was taken. Stored in the sealed headline, because it
//! names a person. Checks nothing itself.

use minicbor::{Decode, Encode};

/// The result of a check. Numbers are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SignatureResult {
    /// All that is shown of the mail is as it was when it was signed. That says nothing of the head: an S/MIME
    /// signature covers neither author nor subject.
    #[n(0)]
    Intact {
        /// Whom the certificate names: a mail address, or else its subject.
        #[n(0)]
        signer: String,
        #[n(1)]
        standing: Standing,
    },
    /// The mail is not what was signed.
    #[n(1)]
    Broken,
    #[n(2)]
    NotChecked {
        #[n(0)]
        why: Unchecked,
    },
}

/// What the certificate of an intact signature is worth, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// It belongs to the author, was valid when the mail came, and an authority that the administrator trusts vouches
    /// for it.
    #[n(0)]
    Trusted,
    /// No such authority vouches for it, so whose it is is its own word.
    #[n(1)]
    IssuerUnknown,
    /// It was not valid when the mail came.
    #[n(2)]
    Expired,
    /// The signature is made with SHA-1, for which a second mail with the same signature can be prepared.
    #[n(3)]
    Weak,
    /// It does not name the author of the mail.
    #[n(4)]
    NotTheAuthor,
}

/// Why a signature is not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Unchecked {
    /// OpenPGP: the author's key is not known here.
    #[n(0)]
    NoKey,
    /// It covers only some of what is shown.
    #[n(1)]
    NotAll,
    /// It is damaged, too large or not there.
    #[n(2)]
    Unreadable,
    /// The signer's certificate does not come with it.
    #[n(3)]
    NoCertificate,
    /// It is made in a way that is not known here.
    #[n(4)]
    Unsupported,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of release 0.1, which every later one reads.
    #[test]
    fn stored_forms_stay() {
        let intact =
            SignatureResult::Intact { signer: "a@b.example".to_owned(), standing: Standing::NotTheAuthor };
        let unchecked = SignatureResult::NotChecked { why: Unchecked::NoCertificate };
        for (result, stored) in [
            (intact, &b"\x82\x00\x82\x6ba@b.example\x04"[..]),
            (SignatureResult::Broken, b"\x82\x01\x80"),
            (unchecked, b"\x82\x02\x81\x03"),
        ] {
            assert_eq!(minicbor::to_vec(&result).unwrap(), stored);
            assert_eq!(minicbor::decode::<SignatureResult>(stored).unwrap(), result);
        }
    }
}
