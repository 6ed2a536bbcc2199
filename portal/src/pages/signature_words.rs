//! What came of the check of a mail's own signature, in plain words: at a glance, among the checks, and as a warning
//! where one is due. An intact signature is never shown as more than it is.

use mail::{Headline, SignatureResult, Signed, Standing, Unchecked};
use templates::pages::{Check, Mark};

use super::mail_words::line;

/// At a glance; none for a mail that is not signed.
pub(super) fn mark(headline: &Headline) -> Option<Mark> {
    let kind = kind(headline)?;
    let (label, state) = match &headline.signature {
        Some(SignatureResult::Intact { signer, standing }) => match standing {
            Standing::Trusted => (format!("Signed by {}", line(signer)), "good"),
            Standing::IssuerUnknown => ("Signed; nobody vouches for the signer".to_owned(), "plain"),
            Standing::Expired => ("Signed, the certificate was not valid".to_owned(), "soon"),
            Standing::Weak => ("Signed, by an outdated method".to_owned(), "soon"),
            Standing::NotTheAuthor => ("Signed by somebody else".to_owned(), "bad"),
        },
        Some(SignatureResult::Broken) => ("Changed after it was signed".to_owned(), "bad"),
        Some(SignatureResult::NotChecked { .. }) | None => {
            (format!("{kind} signature, not checked here"), "plain")
        }
    };
    Some(Mark { label, state })
}

/// In full, beside the checks of the domain; none for a mail that is not signed, or that an earlier release took.
pub(super) fn check(headline: &Headline) -> Option<Check> {
    let (name, result) = (kind(headline)?, headline.signature.as_ref()?);
    Some(Check { name, result: sentence(result) })
}

/// What a reader must not miss.
pub(super) fn warning(headline: &Headline) -> Option<&'static str> {
    match &headline.signature {
        Some(SignatureResult::Broken) => Some(
            "This mail is not what was signed: it was changed on its way, by a mail system or by somebody. Ask its author \
             before you rely on it.",
        ),
        Some(SignatureResult::Intact { standing: Standing::NotTheAuthor, .. }) => Some(
            "This mail is signed by somebody who is not its author. Ask its author before you rely on it.",
        ),
        Some(SignatureResult::NotChecked { why: Unchecked::NotAll }) => {
            Some("Only a part of this mail is signed, and nobody checked which.")
        }
        _ => None,
    }
}

fn kind(headline: &Headline) -> Option<&'static str> {
    headline.signed.map(|signed| match signed {
        Signed::Smime => "S/MIME",
        Signed::Pgp => "OpenPGP",
    })
}

fn sentence(result: &SignatureResult) -> String {
    match result {
        SignatureResult::Intact { signer, standing } => {
            format!("text and files are as {} signed them; {}", line(signer), worth(*standing))
        }
        SignatureResult::Broken => "text and files are not what was signed".to_owned(),
        SignatureResult::NotChecked { why } => format!("not checked: {}", reason(*why)),
    }
}

fn worth(standing: Standing) -> &'static str {
    match standing {
        Standing::Trusted => "a trusted authority vouches for the certificate",
        Standing::IssuerUnknown => "no authority that is trusted here vouches for the certificate",
        Standing::Expired => "the certificate was not valid when the mail came",
        Standing::Weak => "the method (SHA-1) is outdated and can be forged",
        Standing::NotTheAuthor => "the certificate does not name the author",
    }
}

fn reason(why: Unchecked) -> &'static str {
    match why {
        Unchecked::NoKey => "Postern knows no OpenPGP key of the author",
        Unchecked::NotAll => "it covers only a part of the mail",
        Unchecked::Unreadable => "it is damaged or in a form that Postern does not read",
        Unchecked::NoCertificate => "the signer's certificate did not come with it",
        Unchecked::Unsupported => "it is made in a way that Postern does not know",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(signature: Option<SignatureResult>) -> Headline {
        Headline { signed: Some(Signed::Smime), signature, ..Headline::default() }
    }

    fn intact(standing: Standing) -> Option<SignatureResult> {
        Some(SignatureResult::Intact { signer: "ann@alpha.example".to_owned(), standing })
    }

    #[test]
    fn only_a_trusted_signature_is_good_and_a_broken_one_warns() {
        let states = [Standing::Trusted, Standing::IssuerUnknown, Standing::Expired, Standing::Weak]
            .map(|standing| mark(&signed(intact(standing))).unwrap().state);
        assert_eq!(states, ["good", "plain", "soon", "soon"]);
        for warned in [Some(SignatureResult::Broken), intact(Standing::NotTheAuthor)] {
            let headline = signed(warned);
            assert_eq!(mark(&headline).unwrap().state, "bad");
            assert!(warning(&headline).unwrap().contains("Ask its author"));
        }
        assert_eq!(warning(&signed(intact(Standing::Trusted))), None);
    }

    #[test]
    fn mail_of_earlier_releases_says_that_nothing_was_checked() {
        assert_eq!(mark(&signed(None)).unwrap().label, "S/MIME signature, not checked here");
        assert!(check(&signed(None)).is_none());
        assert!(mark(&Headline::default()).is_none());
    }

    #[test]
    fn a_signer_stays_on_their_line() {
        let signature =
            SignatureResult::Intact { signer: "a\r\nb\u{202e}".to_owned(), standing: Standing::Trusted };
        let headline = signed(Some(signature));
        assert_eq!(mark(&headline).unwrap().label, "Signed by ab");
        assert!(
            check(&headline).unwrap().result.starts_with("text and files are as ab signed them; a trusted")
        );
    }
}
