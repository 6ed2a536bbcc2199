//! DKIM signatures over what Postern writes (RFC 6376, RFC 8463): one for each key, all over the same bytes. Mail of
//! others is never signed.

use certs::dkim::{Algorithm, DkimKey};
use mail_auth::{
    common::{
        crypto::{Ed25519Key, RsaKey, Sha256, SigningKey},
        headers::HeaderWriter,
    },
    dkim::{Canonicalization, DkimSigner, Done},
};
use rustls::pki_types::PrivateKeyDer;

/// Fields that are signed. Those that a reader believes are named once more than they occur, so that none can be
/// added (RFC 6376 §8.15).
const SIGNED: [&str; 14] = [
    "From",
    "From",
    "To",
    "To",
    "Reply-To",
    "Reply-To",
    "Subject",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
];

/// The keys of a domain.
#[derive(Default)]
pub struct Signer(Vec<Key>);

enum Key {
    Ed25519(Box<DkimSigner<Ed25519Key, Done>>),
    Rsa(Box<DkimSigner<RsaKey<Sha256>, Done>>),
}

/// A key that cannot sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the DKIM key of selector {selector} cannot sign: {reason}; make a new one with `postern certs dkim`"
)]
pub struct KeyUnusable {
    selector: String,
    reason: String,
}

impl Signer {
    /// Signs nothing: for an installation whose smarthost signs.
    pub fn none() -> Self {
        Self::default()
    }

    /// One signature for each key, in this order. `domain` is the one that the letters come from.
    pub fn new<'a>(
        domain: &str,
        keys: impl IntoIterator<Item = (&'a str, &'a DkimKey)>,
    ) -> Result<Self, KeyUnusable> {
        let keys = keys.into_iter().map(|(selector, key)| {
            let unusable = |reason: String| KeyUnusable { selector: selector.to_owned(), reason };
            Ok(match key.algorithm() {
                Algorithm::Ed25519 => {
                    let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(key.pkcs8());
                    Key::Ed25519(Box::new(signer(
                        key.map_err(|error| unusable(error.to_string()))?,
                        domain,
                        selector,
                    )))
                }
                Algorithm::Rsa2048 => {
                    let key = RsaKey::<Sha256>::from_key_der(PrivateKeyDer::Pkcs8(key.pkcs8().into()));
                    Key::Rsa(Box::new(signer(
                        key.map_err(|error| unusable(error.to_string()))?,
                        domain,
                        selector,
                    )))
                }
            })
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Puts the signatures in front. A key that fails is left out and told: the letter itself is worth more.
    pub(crate) fn sign(&self, letter: Vec<u8>) -> Vec<u8> {
        let mut signed = String::new();
        for key in &self.0 {
            let signature = match key {
                Key::Ed25519(signer) => signer.sign(&letter),
                Key::Rsa(signer) => signer.sign(&letter),
            };
            match signature {
                Ok(signature) => signed.push_str(&signature.to_header()),
                Err(error) => tracing::error!(%error, "a letter leaves without a DKIM signature"),
            }
        }
        [signed.into_bytes(), letter].concat()
    }
}

fn signer<K: SigningKey>(key: K, domain: &str, selector: &str) -> DkimSigner<K, Done> {
    DkimSigner::from_key(key)
        .domain(domain)
        .selector(selector)
        .headers(SIGNED)
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::zone::Zone;
    use mail_auth::{AuthenticatedMessage, DkimResult};

    const LETTER: &[u8] =
        b"From: <notices@postern.example>\r\nTo: <a@beta.example>\r\nSubject: x\r\n\r\nhello\r\n";

    async fn results(zone: &Zone, mail: &[u8]) -> Vec<(String, bool)> {
        let message = AuthenticatedMessage::parse(mail).unwrap();
        let resolver = zone.resolver();
        let outputs = resolver.authenticator().verify_dkim(&message).await;
        outputs
            .iter()
            .map(|output| {
                let selector = output.signature().map(|signature| signature.s.clone()).unwrap_or_default();
                (selector, *output.result() == DkimResult::Pass)
            })
            .collect()
    }

    #[tokio::test]
    async fn both_signatures_verify_and_nothing_may_be_added() {
        let keys = [
            ("e1", DkimKey::generate(Algorithm::Ed25519).unwrap()),
            ("r1", DkimKey::generate(Algorithm::Rsa2048).unwrap()),
        ];
        let zone = Zone::open().await;
        for (selector, key) in &keys {
            zone.txt(&format!("{selector}._domainkey.postern.example"), &key.record());
        }
        let signer =
            Signer::new("postern.example", keys.iter().map(|(selector, key)| (*selector, key))).unwrap();
        let signed = signer.sign(LETTER.to_vec());
        assert!(signed.ends_with(LETTER));
        let text = String::from_utf8(signed.clone()).unwrap();
        assert!(text.starts_with("DKIM-Signature: ") && text.contains("c=relaxed/relaxed"), "{text}");
        assert_eq!(results(&zone, &signed).await, [("e1".to_owned(), true), ("r1".to_owned(), true)]);
        for forged in [
            [b"From: <boss@beta.example>\r\n".as_slice(), &signed].concat(),
            [b"Subject: other\r\n".as_slice(), &signed].concat(),
            [signed.as_slice(), b"more\r\n"].concat(),
        ] {
            let passed = results(&zone, &forged).await;
            assert!(passed.iter().all(|(_, passed)| !passed), "{}", forged.escape_ascii());
        }
    }

    #[test]
    fn without_keys_a_letter_stays_as_it_is() {
        assert_eq!(Signer::none().sign(LETTER.to_vec()), LETTER);
    }
}
