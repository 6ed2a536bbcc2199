//! Client certificates in two steps: in the handshake a peer shows that it holds the key of whatever certificate it
//! has; who that makes it is asked afterwards. So a mail server with a certificate of some other authority still gets
//! its TLS, as one without a certificate. Nobody is identified by the handshake alone.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// For the handshake: any chain may be shown, its signature is checked, its issuer is not.
#[derive(Debug)]
pub(crate) struct AnyChain {
    /// The verifier of the private CA, which is asked everything else.
    pub(crate) strict: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for AnyChain {
    fn offer_client_auth(&self) -> bool {
        self.strict.offer_client_auth()
    }

    /// Always optional: a certificate that counts as none must not be worth more than none.
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    /// Lets the handshake go on. It says nothing of who the peer is: see [`proved`].
    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// The peer's own certificate, if its chain leads to the private CA, is meant for clients and is valid at `now`.
pub(crate) fn proved<'a, 'b>(
    strict: &dyn ClientCertVerifier,
    chain: &'a [CertificateDer<'b>],
    now: UnixTime,
) -> Option<&'a CertificateDer<'b>> {
    let (own, intermediates) = chain.split_first()?;
    strict.verify_client_cert(own, intermediates, now).ok().map(|_| own)
}
