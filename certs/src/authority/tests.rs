//! The authority: what it makes, what it takes back, what it refuses.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[test]
fn created_authority_loads_and_signs_under_the_same_certificate() {
    let folder = folder();
    let dir = folder.path().join("deep/ca");
    let created = Authority::create(&dir).unwrap();
    assert_eq!(fs::metadata(dir.join(KEY)).unwrap().mode() & 0o777, 0o600);
    let loaded = Authority::load(&dir).unwrap();
    assert_eq!(loaded.ca_pem(), created.ca_pem());
    for authority in [created, loaded] {
        let issued = authority.issue_client("Alpha Energy").unwrap();
        let (ca, leaf) = (der(authority.ca_pem()), der(&issued.certificate_pem));
        let (_, ca) = X509Certificate::from_der(&ca).unwrap();
        let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
        assert_eq!(leaf.issuer(), ca.subject());
        assert!(ca.is_ca() && !leaf.is_ca());
        assert_eq!(leaf.validity().not_after.timestamp(), issued.not_after);
        assert!(leaf.validity().is_valid() && ca.validity().is_valid());
    }
}

#[test]
fn existing_authority_is_never_overwritten() {
    let folder = folder();
    let first = Authority::create(folder.path()).unwrap();
    assert!(matches!(
        Authority::create(folder.path()),
        Err(AuthorityError::File(KeyFileError::Exists { .. }))
    ));
    assert_eq!(Authority::load(folder.path()).unwrap().ca_pem(), first.ca_pem());
}

#[test]
fn mixed_up_and_exposed_files_are_refused() {
    let (one, other) = (folder(), folder());
    let authority = Authority::create(one.path()).unwrap();
    Authority::create(other.path()).unwrap();
    let load = || Authority::load(one.path()).unwrap_err().to_string();

    fs::copy(other.path().join(CERTIFICATE), one.path().join(CERTIFICATE)).unwrap();
    assert!(load().contains("does not belong to the key"));
    let leaf = authority.issue_client("Alpha Energy").unwrap();
    leaf.save(&one.path().join(CERTIFICATE), &one.path().join(KEY)).unwrap();
    assert!(load().contains("not the certificate of an authority"));
    fs::remove_file(one.path().join(CERTIFICATE)).unwrap();
    assert!(load().contains("cannot read the key file"));
    fs::write(one.path().join(KEY), "no key").unwrap();
    assert!(load().contains("damaged"));
    fs::set_permissions(one.path().join(KEY), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(load().contains("chmod 600"));
}

#[test]
fn names_that_cannot_stand_in_a_certificate_are_refused() {
    let folder = folder();
    let authority = Authority::create(folder.path()).unwrap();
    let server = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        matches!(authority.issue_server(&names), Err(AuthorityError::Name(..)))
    };
    assert!(server(&[]));
    for bad in ["", " ", "mail example", "mail.example\n", "-", "*.example", "münchen.example"] {
        assert!(server(&["mail.example", bad]), "{bad:?}");
    }
    for bad in ["", "  ", "a\0b", "a\nb", &"a".repeat(COMMON_NAME + 1)] {
        assert!(matches!(authority.issue_client(bad), Err(AuthorityError::Name(..))), "{bad:?}");
    }
    assert!(authority.issue_client(&"é".repeat(COMMON_NAME)).is_ok());
    assert!(!server(&[&format!("{0}.{0}.example", "a".repeat(60))]));
}

#[test]
fn issued_certificates_end_with_their_authority() {
    let folder = folder();
    let mut authority = Authority::create(folder.path()).unwrap();
    authority.not_after = now() + DAY;
    assert_eq!(authority.issue_client("Alpha Energy").unwrap().not_after, authority.not_after as i64);
    authority.not_after = now();
    assert!(matches!(authority.issue_client("Alpha Energy"), Err(AuthorityError::Expired(_))));
}

#[test]
fn saved_files_hold_certificate_and_private_key() {
    let folder = folder();
    let authority = Authority::create(folder.path()).unwrap();
    let issued = authority.issue_client("Alpha Energy").unwrap();
    let (certificate, key) = (folder.path().join("client.pem"), folder.path().join("client-key.pem"));
    issued.save(&certificate, &key).unwrap();
    assert_eq!(fs::read_to_string(&certificate).unwrap(), issued.certificate_pem);
    assert_eq!(fs::read_to_string(&key).unwrap(), *issued.key_pem);
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&certificate).unwrap().mode() & 0o777, 0o644);
}

#[test]
fn debug_shows_no_key() {
    let folder = folder();
    let authority = Authority::create(folder.path()).unwrap();
    let issued = authority.issue_client("Alpha Energy").unwrap();
    assert!(!format!("{authority:?}{issued:?}").to_lowercase().contains("key"));
}
fn serials(authority: &Authority) -> Vec<Serial> {
    let pem = fs::read(authority.revocation_list()).unwrap();
    let der = CertificateRevocationListDer::from_pem_slice(&pem).unwrap();
    let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
    assert!(list.next_update().unwrap().timestamp() > now() as i64);
    list.iter_revoked_certificates().map(|one| Serial::from_der(one.raw_serial())).collect()
}

#[test]
fn what_was_signed_stands_in_the_register_and_what_is_revoked_on_the_list() {
    let folder = folder();
    let authority = Authority::create(folder.path()).unwrap();
    assert_eq!(serials(&authority), []);
    let issued = ["alpha.example", "beta.example"].map(|name| authority.issue_client(name).unwrap());
    authority.issue_server(&["mail.example".into(), "192.0.2.1".into()]).unwrap();

    let taken_back = authority.revoke(&issued[1].serial, Reason::KeyCompromise).unwrap();
    assert_eq!(taken_back.name, "beta.example");
    assert_eq!(serials(&authority), [issued[1].serial.clone()]);
    // Read by another process; a second time nothing changes, and a new certificate does not lose the old list.
    let again = Authority::load(folder.path()).unwrap();
    assert_eq!(again.revoke(&issued[1].serial, Reason::Superseded).unwrap(), taken_back);
    again.issue_client("gamma.example").unwrap();
    assert_eq!(serials(&again), [issued[1].serial.clone()]);

    let entries = authority.entries().unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["alpha.example", "beta.example", "mail.example", "gamma.example"]);
    assert_eq!(entries[0].fingerprint, Some(issued[0].fingerprint));
    assert_eq!(entries[0].not_after, issued[0].not_after);
    assert_eq!((entries[1].purpose, entries[2].purpose), (Purpose::Client, Purpose::Server));
    assert_eq!(entries.iter().filter(|entry| entry.revoked.is_some()).count(), 1);
}

#[test]
fn certificate_older_than_the_register_is_revoked_by_itself() {
    let (folder, other) = (folder(), self::folder());
    let authority = Authority::create(folder.path()).unwrap();
    let issued = authority.issue_client("Alpha Energy").unwrap();
    fs::remove_file(folder.path().join("register.txt")).unwrap();
    assert!(matches!(authority.revoke(&issued.serial, Reason::Unspecified), Err(AuthorityError::Unknown)));
    let entry = authority.revoke_certificate(&issued.certificate_pem, Reason::Unspecified).unwrap();
    assert_eq!((entry.name.as_str(), entry.fingerprint), ("Alpha Energy", Some(issued.fingerprint)));
    assert_eq!(serials(&authority), [issued.serial]);

    let stranger = Authority::create(other.path()).unwrap().issue_client("Alpha Energy").unwrap();
    for pem in ["", "no certificate", &stranger.certificate_pem, authority.ca_pem()] {
        let outcome = authority.revoke_certificate(pem, Reason::Unspecified);
        assert!(matches!(outcome, Err(AuthorityError::Unknown)), "{pem}");
    }
}

#[test]
fn certificates_signed_at_once_are_all_registered() {
    let folder = folder();
    Authority::create(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let dir = folder.path();
            scope.spawn(move || {
                Authority::load(dir).unwrap().issue_client(&format!("Client {number}")).unwrap()
            });
        }
    });
    let mut names: Vec<_> =
        Authority::load(folder.path()).unwrap().entries().unwrap().into_iter().map(|one| one.name).collect();
    names.sort();
    assert_eq!(names, (0..8).map(|number| format!("Client {number}")).collect::<Vec<_>>());
}
