//! A pinned certificate: for servers of an intranet whose certificate no authority vouches for. The key must be the one
//! that the administrator named; whoever cannot sign with it gets no further. It is never a way to accept just any.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

/// SHA-256 of the certificate's SubjectPublicKeyInfo, as HPKP had it (RFC 7469 §2.4). It outlives a renewal with the
/// same key, and says nothing about name or date: the key is the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Reads 64 hexadecimal digits, with or without colons between.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b':').collect();
        let mut pin = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (octet, pair) in pin.iter_mut().zip(digits.chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *octet = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(pin))
    }

    /// The pin of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        Ok(Self(certs::sha256(&parsed.subject_public_key_info())))
    }

    /// A configuration that trusts this key only.
    pub(super) fn client_config(self, base: &ClientConfig) -> Result<ClientConfig, Error> {
        let provider = Arc::clone(base.crypto_provider());
        let verifier = Arc::new(Pinned { pin: self, provider: Arc::clone(&provider) });
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

#[derive(Debug)]
struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match Pin::of(end_entity)? == self.pin {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_64_hexadecimal_digits() {
        let text = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff".repeat(2).replace("ff00", "ff:00");
        let pin = Pin::parse(&text).unwrap();
        assert_eq!(pin.to_string(), "00112233445566778899aabbccddeeff".repeat(2));
        assert_eq!(Pin::parse(&pin.to_string().to_uppercase()), Some(pin));
        for bad in ["", "00", &"g0".repeat(32), &"00".repeat(33), &"é".repeat(32)] {
            assert_eq!(Pin::parse(bad), None, "{bad}");
        }
    }
}
