//! Both ends of SCRAM-SHA-256 (RFC 5802 §3) for the tests: a verifier as a server keeps it, and a client that knows the
//! password.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use gateway::smtp::ScramChallenge;

const SALT: &[u8] = b"sixteen octets..";
const ITERATIONS: u32 = 4096;

/// What a server keeps of a password.
pub(crate) struct Verifier {
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Verifier {
    /// With the salt and the rounds of this file.
    pub(crate) fn of(password: &str) -> Self {
        Self::new(password, SALT)
    }

    fn new(password: &str, salt: &[u8]) -> Self {
        let salted = salted(password, salt, ITERATIONS);
        let stored_key = digest::digest(&digest::SHA256, &mac(&salted, b"Client Key")).as_ref().to_vec();
        Self { salt: salt.to_vec(), stored_key, server_key: mac(&salted, b"Server Key") }
    }

    pub(crate) fn challenge(&self) -> ScramChallenge {
        ScramChallenge { salt: self.salt.clone(), iterations: ITERATIONS }
    }

    /// The server signature if the proof is right.
    pub(crate) fn check(&self, auth_message: &[u8], proof: &[u8]) -> Option<Vec<u8>> {
        let client_key = xor(&mac(&self.stored_key, auth_message), proof);
        let right = digest::digest(&digest::SHA256, &client_key).as_ref() == self.stored_key;
        right.then(|| mac(&self.server_key, auth_message))
    }
}

/// What a client proves with.
pub(crate) fn proof(password: &str, salt: &[u8], iterations: u32, auth_message: &[u8]) -> Vec<u8> {
    let client_key = mac(&salted(password, salt, iterations), b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, &client_key);
    xor(&mac(stored_key.as_ref(), auth_message), &client_key)
}

fn salted(password: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut out = [0; 32];
    let rounds = NonZeroU32::new(iterations).unwrap();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut out);
    out
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}
