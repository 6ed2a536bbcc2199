//! What earlier versions wrote must open for ever: one example of each stored form, made once with version 0.1.
//!
//! Never change a constant here. The examples were also opened by a second implementation of the same constructions
//! (HKDF, HPKE and STREAM written out in Python over another library), so they are what the comments say they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::provider::tests::hex;
use crate::{MessageKey, RootKey, SealedPart};

const ROOT: &str = "postern-root-key-1:7BziOJ0RuN2_gd-6jeZIeLJPuJfmJWxPDUGbk8JhI2A\n";
const FINGERPRINT: &str = "f4165d9e74fed1aa050e34b2f6cf4ee7e12dcc21b44bdda84a4febc6cf83ac9c";
const MAC: &str = "d177f8ecea12537ae2d5d698ef0be0a3c5929524909d5e85ce1efde28d994ec3";
const SEALED_PRIVATE: &str = "01309832383f80c277c85961720db9c76dec6c7369ac61b90a4f160eb4a6eb38\
                              1bd48b3e9e7919aa52aaded48d93f2edf078c1c199143dc2fba83495b6";
const SEALED_INDEX: &str = "01c8bd5834494be395ecfba04d3155e26afc5e3dc22d6a8515100890435190c8\
                            3bf8886e0b84a2ea89af3cfe31be7f743d380b459ae1b61e8a7a2a4516";
const DIGEST: &str = "a163f811b582d725deac4a6fa0479686b86672a4c9ab398b29fa3a596b16f840";
const WRAP: &str = "b8617b0fdf98f18e433f4b060d51b7c34839de9344593a1db862d39d1600a60e\
                    c8aabf251f6913c76941c68e0dc07b82db71680339a6371d802ea2cf5ed42b50\
                    cd850473cc4b57cb74c34b1f5f9db29b";
const HEADLINE: &str = "ec299b2fb3fab61de261c124c738e90c7fa00af3321de1";
const ORIGINAL: &str = "6ead168e153ffe192df923ed1a5488b4d4b36060";
const SECOND_CHUNK: &str = "b589402bfaa8beaba2f935ff7b0d77aaba98f614";

fn root() -> RootKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    fs::write(&path, ROOT).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    RootKey::read(&path).unwrap()
}

fn message_key() -> MessageKey {
    root().opener(b"alpha", &hex(SEALED_PRIVATE)).unwrap().unwrap(&hex(WRAP), b"message 1").unwrap()
}

#[test]
fn root_key_file_gives_the_same_subkeys() {
    assert_eq!(root().fingerprint().to_vec(), hex(FINGERPRINT));
    assert_eq!(root().mac("reply", b"case 1").to_vec(), hex(MAC));
}

#[test]
fn tag_key_digests_the_same() {
    let indexer = root().indexer(b"alpha", &hex(SEALED_INDEX)).unwrap();
    assert_eq!(indexer.digest("mpan", b"2000012345678").to_vec(), hex(DIGEST));
}

#[test]
fn wrapped_key_opens_sealed_content() {
    let key = message_key();
    assert_eq!(key.open(b"content 1", SealedPart::Headline, &hex(HEADLINE)).unwrap(), b"subject");
    assert_eq!(key.open(b"content 1", SealedPart::Original, &hex(ORIGINAL)).unwrap(), b"text");
    let second = key.open_chunk(b"content 1", SealedPart::Original, 1, false, &hex(SECOND_CHUNK));
    assert_eq!(second.unwrap(), b"more");
}

#[test]
fn sealing_is_a_function_of_key_place_and_text() {
    let sealed = message_key().seal(b"content 1", SealedPart::Headline, b"subject").unwrap();
    assert_eq!(sealed, hex(HEADLINE));
}
