//! Both ends of SCRAM-SHA-256 (RFC 5802 §3) for the tests: a verifier as a server keeps it, and a client that knows
//! the password.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::smtp::{Limits, Nonces, Options, PlainAuth, ScramChallenge, Security};

use crate::attacks::CLIENT;
use crate::client::{Memory, Peer};
use crate::sample::{Sample, options};

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

/// The exchange of RFC 7677 §3: the ends that the tests use are the real ones.
#[test]
fn the_example_of_rfc_7677() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let said =
        format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}");
    let proof = proof("pencil", &salt, 4096, said.as_bytes());
    assert_eq!(STANDARD.encode(&proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    let signature = Verifier::new("pencil", &salt).check(said.as_bytes(), &proof).unwrap();
    assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/// A client in the middle of a login.
struct Client {
    memory: Memory,
    /// `client-final-message`
    last: String,
}

impl Client {
    /// Says the first message and works out the last.
    async fn asked() -> Self {
        let offer = options(Security::Plain, PlainAuth::Loopback, Limits::default());
        let offer = Arc::new(Options { nonces: Nonces::Random, ..offer });
        let mut memory = Memory::new(Sample::default(), offer, CLIENT, usize::MAX);
        memory.send(b"HELO c\r\n").await;
        memory.line().await.unwrap();
        memory.line().await.unwrap();
        let bare = "n=ada@alpha.example,r=client";
        memory
            .send(format!("AUTH SCRAM-SHA-256 {}\r\n", STANDARD.encode(format!("n,,{bare}"))).as_bytes())
            .await;
        let challenge = memory.line().await.unwrap();
        let challenge = STANDARD.decode(challenge.strip_prefix("334 ").unwrap()).unwrap();
        let challenge = String::from_utf8(challenge).unwrap();
        let nonce = challenge.split(',').next().unwrap();
        let without = format!("c=biws,{nonce}");
        let proof = proof("secret", SALT, ITERATIONS, format!("{bare},{challenge},{without}").as_bytes());
        let last = STANDARD.encode(format!("{without},p={}", STANDARD.encode(proof)));
        Self { memory, last }
    }

    async fn say(&mut self, line: &str) -> String {
        self.memory.send(format!("{line}\r\n").as_bytes()).await;
        self.memory.line().await.unwrap()
    }
}

#[tokio::test]
async fn a_login_that_was_heard_cannot_be_said_again() {
    let mut heard = Client::asked().await;
    let last = heard.last.clone();
    assert!(heard.say(&last).await.starts_with("334 "));
    assert!(heard.say("").await.starts_with("235 "));
    let mut again = Client::asked().await;
    assert_ne!(again.last, last, "another nonce");
    assert!(again.say(&last).await.starts_with("501 5.5.2 "));
    assert!(again.say("MAIL FROM:<proved@alpha.example>").await.starts_with("550 5.7.1 "));
}
