//! Client certificates in two steps: in the handshake a peer shows that it holds the key of whatever certificate it
//! has; who that makes it is asked afterwards. So a mail server with a certificate of some other authority still gets
//! its TLS, as one without a certificate. Nobody is identified by the handshake alone.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::PeerCertificate;

/// What a client's certificate proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// None was shown, or its chain leads elsewhere, is not meant for clients or is not valid now: treat the client like
    /// one without a certificate.
    None,
    /// It is its holder's, and stands.
    Proved(PeerCertificate),
    /// Its authority took it back: it proves nothing for ever.
    Revoked(PeerCertificate),
    /// It would prove its holder, but whether it was taken back cannot be said, because the revocation list has expired
    /// or is not its authority's. It proves nothing until somebody puts that right: refuse for a while, and say so to
    /// the operator.
    Undecided { certificate: PeerCertificate, why: String },
}

/// For the handshake: any chain may be shown, its signature is checked, its issuer is not.
#[derive(Debug)]
pub(crate) struct AnyChain {
    /// A verifier of certain authorities, which is asked for signatures and schemes only.
    pub(crate) strict: Arc<dyn ClientCertVerifier>,
    /// Authorities that clients are told of; empty: clients choose freely.
    pub(crate) hints: Vec<DistinguishedName>,
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
        &self.hints
    }

    /// Lets the handshake go on. It says nothing of who the peer is: see [`Judge`].
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

/// Says afterwards whom a chain proves: the verifier of the private CA, with its revocation lists.
pub(crate) struct Judge(pub(crate) Arc<dyn ClientCertVerifier>);

impl Judge {
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> ClientProof {
        let Some((own, intermediates)) = chain.split_first() else {
            return ClientProof::None;
        };
        let verdict = self.0.verify_client_cert(own, intermediates, now);
        match (PeerCertificate::parse(own), verdict) {
            (Err(_), _) => ClientProof::None,
            (Ok(certificate), Ok(_)) => ClientProof::Proved(certificate),
            (Ok(certificate), Err(error)) => fault(certificate, &error),
        }
    }
}

/// Revocation is looked at only once the chain's signature has been found good, so these errors are about certificates
/// of our own authorities.
fn fault(certificate: PeerCertificate, error: &Error) -> ClientProof {
    use CertificateError::{
        ExpiredRevocationList, ExpiredRevocationListContext, Revoked, UnknownRevocationStatus,
    };
    match error {
        Error::InvalidCertificate(Revoked) => ClientProof::Revoked(certificate),
        Error::InvalidCertificate(
            ExpiredRevocationList | ExpiredRevocationListContext { .. } | UnknownRevocationStatus,
        )
        | Error::InvalidCertRevocationList(_) => {
            ClientProof::Undecided { certificate, why: error.to_string() }
        }
        _ => ClientProof::None,
    }
}
