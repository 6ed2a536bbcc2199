//! Signatures as OpenSSL makes them, checked; then every one of them damaged.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::Ed25519KeyPair;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nMPAN 1200023305967\r\n";
const EC: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const MAIL: &[&str] = &["extendedKeyUsage=emailProtection", "keyUsage=digitalSignature"];

/// An authority, and people with certificates of it.
struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn open() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(office.path("content"), CONTENT).unwrap();
        office.certificate("authority", EC, &["-subj", "/CN=Authority"]);
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        let run = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output();
        let run = run.expect("openssl is installed");
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    }

    fn certificate(&self, name: &str, key: &[&str], more: &[&str]) {
        let (pem, own) = (format!("{name}.pem"), format!("{name}.key"));
        let fixed = ["req", "-x509", "-noenc", "-days", "30", "-keyout", &own, "-out", &pem, "-newkey"];
        self.openssl(&[&fixed, key, more].concat());
    }

    /// A certificate of `issuer` with these extensions.
    fn issue(&self, issuer: &str, name: &str, key: &[&str], extensions: &[&str]) {
        let (pem, own) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let address = format!("subjectAltName=email:{name}@alpha.example");
        let mut more = vec!["-CA", &pem, "-CAkey", &own, "-subj", "/CN=Somebody", "-addext", &address];
        extensions.iter().for_each(|extension| more.extend(["-addext", extension]));
        if !extensions.iter().any(|extension| extension.starts_with("basicConstraints")) {
            more.extend(["-addext", "basicConstraints=critical,CA:FALSE"]);
        }
        self.certificate(name, key, &more);
    }

    fn sign(&self, name: &str, more: &[&str]) -> Vec<u8> {
        let (pem, own) = (format!("{name}.pem"), format!("{name}.key"));
        let fixed = ["cms", "-sign", "-binary", "-in", "content", "-out", "signature", "-outform", "DER"];
        self.openssl(&[&fixed, &["-signer", &pem, "-inkey", &own][..], more].concat());
        std::fs::read(self.path("signature")).unwrap()
    }

    fn authorities(&self) -> Authorities {
        Authorities::load(&self.path("authority.pem")).unwrap()
    }

    fn check(&self, signature: &[u8]) -> Result<Worth, Fault> {
        check(signature, &digests(CONTENT), &self.authorities(), now()).map(|signers| signers[0].worth)
    }
}

fn digests(content: &[u8]) -> Digests {
    let mut digesting = Digesting::default();
    content.chunks(7).for_each(|piece| digesting.feed(piece));
    digesting.finish()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// What a good signature is in every other circumstance.
fn stands(office: &Office, signature: &[u8], name: &str) {
    let (own, authorities, nobody) = (digests(CONTENT), office.authorities(), Authorities::default());
    let signer = |worth| {
        let addresses = vec![format!("{name}@alpha.example")];
        Ok(vec![Signer { addresses, subject: "Somebody".to_owned(), worth }])
    };
    assert_eq!(check(signature, &own, &authorities, now()), signer(Worth::Vouched), "{name}");
    assert_eq!(check(signature, &own, &nobody, now()), signer(Worth::Unknown), "{name}");
    for other in [now() - 86_400, now() + 31 * 86_400] {
        assert_eq!(check(signature, &own, &authorities, other), signer(Worth::Expired), "{name}");
    }
    for at in 0..CONTENT.len() {
        let mut changed = CONTENT.to_vec();
        changed[at] ^= 1;
        assert_eq!(check(signature, &digests(&changed), &authorities, now()), Err(Fault::Broken), "{name}");
    }
    let cut = digests(&CONTENT[..CONTENT.len() - 1]);
    assert_eq!(check(signature, &cut, &authorities, now()), Err(Fault::Broken), "{name}");
}

#[test]
fn what_openssl_signs_stands() {
    let office = Office::open();
    let curve = |name| ["ec", "-pkeyopt", name];
    let pss = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"];
    office.issue("authority", "rsa", &["rsa:2048"], MAIL);
    office.issue("authority", "p256", &curve("ec_paramgen_curve:P-256"), MAIL);
    office.issue("authority", "p384", &curve("ec_paramgen_curve:P-384"), MAIL);
    office.issue("authority", "p521", &curve("ec_paramgen_curve:P-521"), MAIL);
    for md in ["sha256", "sha384", "sha512"] {
        for name in ["rsa", "p256", "p384", "p521"] {
            stands(&office, &office.sign(name, &["-md", md]), name);
        }
        stands(&office, &office.sign("rsa", &[&["-md", md], &pss[..]].concat()), "rsa");
    }
    stands(&office, &office.sign("rsa", &["-keyid"]), "rsa");
}

/// OpenSSL 3.0 makes no such signature (RFC 8419).
#[test]
fn what_an_edwards_curve_signs_stands() {
    let office = Office::open();
    office.issue("authority", "ed", &["ed25519"], MAIL);
    let pem = |name| std::fs::read(office.path(name)).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem("ed.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&pem("ed.key")).unwrap();
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_der()).unwrap();
    let (_, read) = X509Certificate::from_der(&certificate).unwrap();

    let algorithm = |id: &[u8]| der(SEQUENCE, &[&der(ID, &[id])]);
    let attribute = |id: &[u8], value: &[u8]| der(SEQUENCE, &[&der(ID, &[id]), &der(SET, &[value])]);
    let digest = der(OCTETS, &[digests(CONTENT).of(Hash::Sha512)]);
    let attributes =
        [attribute(CONTENT_TYPE, &der(ID, &[DATA])), attribute(MESSAGE_DIGEST, &digest)].concat();
    let signature = key.sign(&der(SET, &[&attributes]));
    let by = der(SEQUENCE, &[read.issuer().as_raw(), &der(INTEGER, &[read.raw_serial()])]);
    let sha512 = algorithm(b"\x60\x86\x48\x01\x65\x03\x04\x02\x03");
    let signer = der(
        SEQUENCE,
        &[
            &der(INTEGER, &[b"\x01"]),
            &by,
            &sha512,
            &der(context(0), &[&attributes]),
            &algorithm(b"\x2b\x65\x70"),
            &der(OCTETS, &[signature.as_ref()]),
        ],
    );
    let data = der(
        SEQUENCE,
        &[
            &der(INTEGER, &[b"\x01"]),
            &der(SET, &[&sha512]),
            &algorithm(DATA),
            &der(context(0), &[&certificate]),
            &der(SET, &[&signer]),
        ],
    );
    stands(&office, &der(SEQUENCE, &[&der(ID, &[SIGNED_DATA]), &der(context(0), &[&data])]), "ed");
}

fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = (content.len() as u16).to_be_bytes();
    [&[tag, 0x82], &length[..], &content].concat()
}

#[test]
fn old_and_odd_ways_are_told() {
    let office = Office::open();
    office.issue("authority", "rsa", &["rsa:2048"], MAIL);
    office.issue("authority", "short", &["rsa:1024"], MAIL);
    let sign = |more: &[&str]| office.check(&office.sign("rsa", more));
    assert_eq!(sign(&["-md", "sha1"]), Ok(Worth::Weak));
    assert_eq!(sign(&["-md", "md5"]), Err(Fault::Unsupported));
    assert_eq!(sign(&["-keyopt", "rsa_padding_mode:pss"]), Err(Fault::Unsupported), "a salt of 222 bytes");
    assert_eq!(sign(&["-noattr"]), Err(Fault::Unsupported));
    assert_eq!(sign(&["-nocerts"]), Err(Fault::NoCertificate));
    assert_eq!(office.check(&office.sign("short", &[])), Err(Fault::Unsupported));
}

#[test]
fn only_certificates_for_signing_mail_are_vouched_for() {
    let office = Office::open();
    let authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"];
    office.issue("authority", "between", EC, &authority);
    office.issue("between", "below", EC, MAIL);
    office.issue("authority", "web", EC, &["extendedKeyUsage=serverAuth"]);
    office.issue("authority", "secret", EC, &["keyUsage=keyAgreement"]);
    office.issue("authority", "plain", EC, &[]);
    office.certificate("own", EC, &["-subj", "/CN=Authority"]);
    office.issue("own", "stranger", EC, MAIL);
    let worth = |name, more: &[&str]| office.check(&office.sign(name, more)).unwrap();
    assert_eq!(worth("plain", &[]), Worth::Vouched);
    assert_eq!(worth("below", &["-certfile", "between.pem"]), Worth::Vouched);
    assert_eq!(worth("below", &[]), Worth::Unknown, "the one between does not come with it");
    for name in ["web", "secret", "own", "stranger"] {
        assert_eq!(worth(name, &[]), Worth::Unknown, "{name}");
    }
}

#[test]
fn a_second_signer_counts_too() {
    let office = Office::open();
    office.issue("authority", "one", EC, MAIL);
    office.issue("authority", "two", EC, MAIL);
    let signature = office.sign("one", &["-signer", "two.pem", "-inkey", "two.key"]);
    let signers = check(&signature, &digests(CONTENT), &office.authorities(), now()).unwrap();
    let mut addresses: Vec<_> = signers.into_iter().flat_map(|signer| signer.addresses).collect();
    addresses.sort();
    assert_eq!(addresses, ["one@alpha.example", "two@alpha.example"]);
}

#[test]
fn a_damaged_signature_says_nothing_else() {
    let office = Office::open();
    office.issue("authority", "one", EC, MAIL);
    let (whole, own, authorities) = (office.sign("one", &[]), digests(CONTENT), office.authorities());
    let sound = check(&whole, &own, &authorities, now());
    assert!(sound.is_ok());
    for length in 0..whole.len() {
        assert_eq!(check(&whole[..length], &own, &authorities, now()), Err(Fault::Unreadable), "{length}");
    }
    let mut seen = [0; 2];
    for at in 0..whole.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            // A version or a list of algorithms may say anything: it is not signed, and nothing goes by it.
            if let Ok(signers) = check(&damaged, &own, &authorities, now()) {
                assert_eq!(signers[0].worth == Worth::Vouched, Ok(&signers) == sound.as_ref(), "{at} {bit}");
                seen[1] += 1;
            }
            seen[0] += 1;
        }
    }
    println!("{} damaged signatures, {} still signed by somebody", seen[0], seen[1]);
}

#[test]
fn authorities_are_named_or_it_is_an_error() {
    let office = Office::open();
    assert!(Authorities::load(&office.path("nothing.pem")).is_err());
    assert!(Authorities::load(&office.path("authority.key")).is_err());
    assert!(Authorities::load(&office.path("authority.pem")).is_ok());
}
