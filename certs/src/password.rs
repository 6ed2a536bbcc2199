//! Passwords: hashed with Argon2id (RFC 9106), checked with the same work whether the user exists or not.
//!
//! Every call costs milliseconds of CPU and waits for one of a few blocks of memory (see `workbench`): callers on an
//! async runtime use `spawn_blocking` and bound how many wait. What makes a good password is the caller's to say; only what cannot be hashed is refused here.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{KeyError, random, workbench};

/// Memory in KiB, passes and lanes, as OWASP's password storage cheat sheet recommends for Argon2id.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a stored hash may cost at most (KiB, passes, lanes): one that came in by an import must not stop the server.
const COSTLIEST: (u32, u32, u32) = (256 * 1024, 16, 8);

/// Longest password in bytes: enough for any sentence.
const LONGEST: usize = 1024;

/// What an unknown user's password is checked against: the costs of a real hash, and a digest that is nobody's.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cG9zdGVybiBub2JvZHkgMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Base32 of RFC 4648 §6 in lower case: without 0, 1, 8 and 9 nothing is mistaken when it is read out.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is empty; choose one")]
    Empty,
    #[error("the password has {0} bytes, more than 1024; choose a shorter one")]
    TooLong(usize),
    #[error(transparent)]
    Random(#[from] KeyError),
    #[error("the password cannot be hashed: {0}")]
    Library(String),
}

/// Hashes a password with Argon2id under a fresh salt. The answer is a PHC string and holds salt and costs.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    match password.len() {
        0 => return Err(PasswordError::Empty),
        1..=LONGEST => {}
        length => return Err(PasswordError::TooLong(length)),
    }
    let salt: [u8; 16] = random()?;
    let library = |error: &dyn std::fmt::Display| PasswordError::Library(error.to_string());
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|error| library(&error))?;
    let salt = Salt::new(&salt).map_err(|error| library(&error))?;
    let mut digest = [0; Params::DEFAULT_OUTPUT_LEN];
    compute(password.as_bytes(), &salt, Version::V0x13, &params, &mut digest)
        .map_err(|error| library(&error))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|error| library(&error))?,
        salt: Some(salt),
        hash: Some(Output::new(&digest).map_err(|error| library(&error))?),
    };
    Ok(hash.to_string())
}

/// Whether a password is the one that was hashed. `None` stands for an unknown user: always false, after the same work,
/// so that the time of an answer does not tell who exists. A stored text that is no usable hash counts as unknown.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let known = stored.and_then(usable).filter(|_| password.len() <= LONGEST);
    let exists = known.is_some();
    let Some(hash) = known.or_else(|| usable(NOBODY)) else {
        return false;
    };
    let bytes = password.as_bytes();
    let matches = fits(bytes.get(..LONGEST).unwrap_or(bytes), &hash).unwrap_or(false);
    exists & matches
}

/// Whether the password gives the digest of the hash. `Output` compares in constant time.
fn fits(password: &[u8], hash: &PasswordHash) -> Option<bool> {
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(hash).ok()?;
    let mut digest = [0; Output::MAX_LENGTH];
    let digest = digest.get_mut(..expected.len())?;
    compute(password, salt, version, &params, digest).ok()?;
    Some(Output::new(digest).ok()? == *expected)
}

/// Argon2id in borrowed memory.
fn compute(
    password: &[u8],
    salt: &[u8],
    version: Version,
    params: &Params,
    digest: &mut [u8],
) -> Result<(), argon2::Error> {
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
    workbench::with(params.block_count(), |blocks| {
        argon2.hash_password_into_with_memory(password, salt, digest, blocks)
    })
}

/// A stored hash of the right kind and of bearable cost.
fn usable(stored: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(stored).ok()?;
    let costs = Params::try_from(&hash).ok()?;
    let bearable =
        (costs.m_cost() <= COSTLIEST.0) & (costs.t_cost() <= COSTLIEST.1) & (costs.p_cost() <= COSTLIEST.2);
    (hash.algorithm == Algorithm::Argon2id.ident() && hash.salt.is_some() && hash.hash.is_some() && bearable)
        .then_some(hash)
}

/// A fresh password for a person: 100 bits in five groups of four characters.
pub fn generate() -> Result<String, PasswordError> {
    let characters: Vec<char> = random::<20>()?
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|&c| c.into())
        .collect();
    Ok(characters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn only_the_password_itself_verifies() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse", Some(&stored)));
        for wrong in ["", "correct horse ", "Correct horse", "correct hors", "correct horse\0"] {
            assert!(!verify(wrong, Some(&stored)), "{wrong:?}");
        }
        assert_ne!(stored, hash("correct horse").unwrap(), "each hash has a salt of its own");
    }

    // From the reference implementation's own tests: version 0x13, 2 passes, 64 MiB, 1 lane, salt `somesalt`.
    #[test]
    fn hash_of_the_reference_implementation_verifies() {
        let reference =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify("password", Some(reference)));
        assert!(!verify("passwore", Some(reference)));
    }

    #[test]
    fn unknown_users_cost_what_known_ones_cost() {
        let costs = |stored: &str| Params::try_from(&usable(stored).unwrap()).unwrap();
        let (real, nobody) = (hash("x").unwrap(), NOBODY);
        assert_eq!(costs(&real).m_cost(), costs(nobody).m_cost());
        assert_eq!(costs(&real).t_cost(), costs(nobody).t_cost());
        assert_eq!(costs(&real).p_cost(), costs(nobody).p_cost());
        assert_eq!(costs(&real).output_len(), costs(nobody).output_len());
        // The work is really done: by far more than an early return could take.
        let fastest = |stored: Option<&str>| {
            let once = || {
                let start = Instant::now();
                assert!(!verify("wrong", stored));
                start.elapsed()
            };
            (0..5).map(|_| once()).min().unwrap()
        };
        let known = fastest(Some(&real));
        let long = "x".repeat(LONGEST + 1);
        assert!(fastest(None) > known / 4);
        assert!(fastest(Some("not a hash")) > known / 4);
        assert!(!verify(&long, Some(&real)) && !verify(&long, None));
        assert!(known > Duration::from_micros(100));
    }

    #[test]
    fn stored_texts_that_are_no_usable_hash_verify_nothing() {
        let real = hash("password").unwrap();
        let unbearable = real.replace("m=19456", "m=4000000000");
        let slow = real.replace("t=2", "t=4000000000");
        let weaker = real.replace("argon2id", "argon2i");
        let cut = &real[..real.rfind('$').unwrap()];
        for stored in ["", "password", "$", "$argon2id$", cut, &unbearable, &slow, &weaker, NOBODY] {
            assert!(!verify("password", Some(stored)), "{stored}");
        }
        assert!(!verify("password", None) && !verify("", None));
    }

    #[test]
    fn what_cannot_be_hashed_is_refused() {
        assert!(matches!(hash(""), Err(PasswordError::Empty)));
        assert!(matches!(hash(&"x".repeat(LONGEST + 1)), Err(PasswordError::TooLong(1025))));
        let longest = "x".repeat(LONGEST);
        assert!(verify(&longest, Some(&hash(&longest).unwrap())));
    }

    #[test]
    fn generated_passwords_can_be_read_out_and_do_not_repeat() {
        let password = generate().unwrap();
        let groups: Vec<&str> = password.split('-').collect();
        assert_eq!(groups.len(), 5);
        assert!(groups.iter().all(|group| group.len() == 4 && group.bytes().all(|c| ALPHABET.contains(&c))));
        assert_ne!(password, generate().unwrap());
    }
}
