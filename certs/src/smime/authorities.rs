//! Whom the administrator trusts to say whose a signing certificate is, and whether they do so. Asks nobody whether a
//! certificate was taken back.

use std::path::Path;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::{TlsError, pem_file};

/// `id-kp-emailProtection` (RFC 8550 §4.4.4): 1.3.6.1.5.5.7.3.4
const MAIL: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x04";

/// Authorities for the certificates that people sign mail with. By default there are none.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Those of a PEM file, at least one.
    pub fn load(path: &Path) -> Result<Self, TlsError> {
        let anchor = |certificate: CertificateDer<'static>| {
            let refused =
                |error: webpki::Error| TlsError::Root { path: path.into(), reason: error.to_string() };
            anchor_from_trusted_cert(&certificate).map(|anchor| anchor.to_owned()).map_err(refused)
        };
        pem_file::certificates(path)?.into_iter().map(anchor).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them vouches for this certificate, perhaps through others that came with it, for mail, at `now` in
    /// seconds since 1970.
    pub(super) fn vouch_for(&self, certificate: &[u8], others: &[CertificateDer<'_>], now: u64) -> bool {
        let certificate = CertificateDer::from(certificate);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now));
        EndEntityCert::try_from(&certificate).is_ok_and(|end| {
            end.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &self.0,
                others,
                time,
                KeyUsage::required_if_present(MAIL),
                None,
                None,
            )
            .is_ok()
        })
    }
}
