//! SCRAM-SHA-256 (RFC 5802, RFC 7677): what a server keeps of an app password, and the check of a client's proof. What
//! is kept lets nobody log in as the client.
//!
//! Made for app passwords, which are drawn ([`password::generate`](crate::password::generate)) and plain ASCII: nothing
//! is prepared (RFC 4013), and few rounds suffice. A password that a person chose belongs to Argon2id. It reads and
//! writes no message of the exchange.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::{hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::provider::array;
use crate::{RootKey, equal, sha256};

/// Rounds of PBKDF2: what RFC 7677 §4 asks for at least. More would not help against guessing 100 random bits.
pub const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);

/// Longest password that is looked at, in bytes.
const LONGEST: usize = 1024;

/// What a server keeps of one password, beside salt and rounds (RFC 5802 §3). All app passwords of a user share a salt,
/// since the server must name it before it knows which of them the client has.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub stored_key: [u8; 32],
    pub server_key: [u8; 32],
}

/// Who was proved, and what proves the server in return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Which of the verifiers it was.
    pub index: usize,
    /// For the client, which may check that the server knows its password too.
    pub server_signature: [u8; 32],
}

impl Verifier {
    /// Costs a millisecond or two of CPU.
    pub fn derive(password: &str, salt: &[u8], iterations: NonZeroU32) -> Self {
        let mut salted = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut *salted);
        let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
        Self { stored_key: sha256(&*client_key), server_key: hmac(&*salted, b"Server Key") }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// Which of a user's verifiers the client's proof fits (RFC 5802 §3), if any. All of them are tried, in a time that
/// tells nothing but their number; none costs as much as one.
pub fn check(verifiers: &[Verifier], auth_message: &[u8], client_proof: &[u8]) -> Option<Proved> {
    let proof: [u8; 32] = client_proof.try_into().ok()?;
    let fits = |verifier: &Verifier| {
        let signature = hmac(&verifier.stored_key, auth_message);
        let mut client_key = Zeroizing::new(proof);
        client_key.iter_mut().zip(signature).for_each(|(byte, mask)| *byte ^= mask);
        equal(&sha256(&*client_key), &verifier.stored_key)
    };
    let index = which(verifiers, fits)?;
    let server_key = &verifiers.get(index)?.server_key;
    Some(Proved { index, server_signature: hmac(server_key, auth_message) })
}

/// Which of a user's verifiers a password fits that came as it is (RFC 4616), if any. The same work and answer for a
/// user without any; the salt is then that of [`fake_salt`].
pub fn check_password(
    verifiers: &[Verifier],
    salt: &[u8],
    iterations: NonZeroU32,
    password: &str,
) -> Option<usize> {
    let known = password.len() <= LONGEST;
    let derived = Verifier::derive(if known { password } else { "" }, salt, iterations);
    which(verifiers, |verifier| known & equal(&derived.stored_key, &verifier.stored_key))
}

/// The salt that a stranger is told for a user who does not exist, or has no app password: always the same for a name,
/// so that nobody learns who has one.
pub fn fake_salt(root: &RootKey, user: &str) -> [u8; 16] {
    salt_from(&root.mac(FAKE_SALT, user.to_lowercase().as_bytes()))
}

/// What [`RootKey::mac`] is asked for to make a [`fake_salt`], for callers that reach it through a ledger; with the user
/// name in lower case.
pub const FAKE_SALT: &str = "scram salt of nobody";

/// The salt out of the MAC under [`FAKE_SALT`].
pub fn salt_from(mac: &[u8; 32]) -> [u8; 16] {
    let mut salt = [0; 16];
    salt.copy_from_slice(&mac[..16]);
    salt
}

/// The first that fits; every one is tried.
fn which(verifiers: &[Verifier], fits: impl Fn(&Verifier) -> bool) -> Option<usize> {
    let nobody = [Verifier { stored_key: [0; 32], server_key: [0; 32] }];
    let tried = if verifiers.is_empty() { &nobody[..] } else { verifiers };
    let fitting = tried.iter().enumerate().fold(None, |found, (index, verifier)| {
        let fit = fits(verifier);
        found.or(fit.then_some(index))
    });
    fitting.filter(|_| !verifiers.is_empty())
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::password;

    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SERVER: &str = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn decode(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap()
    }

    /// RFC 7677 §3: user `user`, password `pencil`.
    fn auth_message() -> String {
        format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s={SALT},i=4096,c=biws,r={NONCE}")
    }

    fn pencil() -> Verifier {
        Verifier::derive("pencil", &decode(SALT), ITERATIONS)
    }

    #[test]
    fn example_of_rfc_7677_is_proved_and_answered() {
        let proved = check(&[pencil()], auth_message().as_bytes(), &decode(PROOF)).unwrap();
        assert_eq!(proved.index, 0);
        assert_eq!(proved.server_signature.to_vec(), decode(SERVER));
    }

    #[test]
    fn any_of_several_passwords_is_found_and_no_other() {
        let other = |password: &str| Verifier::derive(password, &decode(SALT), ITERATIONS);
        let several = [other("pen"), other("paper"), pencil(), other("ink")];
        let (message, proof) = (auth_message(), decode(PROOF));
        assert_eq!(check(&several, message.as_bytes(), &proof).unwrap().index, 2);
        assert_eq!(check(&several[..2], message.as_bytes(), &proof), None);
        assert_eq!(check(&[], message.as_bytes(), &proof), None);
        assert_eq!(check(&several, message.replace("user", "usel").as_bytes(), &proof), None);
        for bit in 0..256 {
            let mut forged = proof.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&several, message.as_bytes(), &forged), None);
        }
        for length in [0, 1, 31, 33, 64] {
            assert_eq!(check(&several, message.as_bytes(), &vec![0; length]), None);
        }
    }

    #[test]
    fn password_that_came_as_it_is_fits_the_same_verifiers() {
        let salt = decode(SALT);
        let check =
            |verifiers: &[Verifier], password: &str| check_password(verifiers, &salt, ITERATIONS, password);
        let several = [Verifier::derive("pen", &salt, ITERATIONS), pencil()];
        assert_eq!(check(&several, "pencil"), Some(1));
        for wrong in ["", "Pencil", "pencil ", &"x".repeat(LONGEST + 1)] {
            assert_eq!(check(&several, wrong), None, "{wrong}");
        }
        assert_eq!(check(&[], "pencil"), None);
        assert_eq!(check(&[Verifier::derive("", &salt, ITERATIONS)], &"x".repeat(LONGEST + 1)), None);
        assert_eq!(check_password(&several, b"another salt", ITERATIONS, "pencil"), None);
    }

    #[test]
    fn drawn_passwords_verify_and_salts_of_nobody_stay() {
        let password = password::generate().unwrap();
        let (one, other) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
        let salt = fake_salt(&one, "Ann@alpha.example");
        assert_eq!(salt, fake_salt(&one, "ann@alpha.example"));
        assert_eq!(salt, salt_from(&one.mac(FAKE_SALT, b"ann@alpha.example")));
        assert_ne!(salt, fake_salt(&one, "bob@alpha.example"));
        assert_ne!(salt, fake_salt(&other, "ann@alpha.example"));
        let verifier = Verifier::derive(&password, &salt, ITERATIONS);
        assert_eq!(format!("{verifier:?}"), "Verifier");
        assert_eq!(check_password(&[verifier], &salt, ITERATIONS, &password), Some(0));
    }
}
