//! The TLS of every client of ours: ring, TLS 1.2 and 1.3, and one question left to whoever connects, which certificates
//! to take. That the other end holds the key of the certificate that it shows is always verified.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ALL_VERSIONS, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// What a server shows of itself.
pub(in crate::host) struct Shown<'a> {
    /// Its own certificate.
    pub(in crate::host) leaf: &'a CertificateDer<'a>,
    /// Those that it sends with it.
    pub(in crate::host) above: &'a [CertificateDer<'a>],
    /// The name or address that was asked for.
    pub(in crate::host) name: &'a ServerName<'a>,
    /// A stapled answer about revocation.
    pub(in crate::host) ocsp: &'a [u8],
    /// The time now.
    pub(in crate::host) now: UnixTime,
}

/// Which certificates are taken.
pub(in crate::host) trait Judge: fmt::Debug + Send + Sync + 'static {
    /// # Errors
    /// Says why the certificate is refused.
    fn judge(&self, shown: &Shown<'_>) -> Result<(), rustls::Error>;
}

/// A client that takes what this judge takes.
pub(in crate::host) fn config(judge: impl Judge) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(ALL_VERSIONS)
        .expect("ring speaks both versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { judge, provider }))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Verifier<J> {
    judge: J,
    provider: Arc<CryptoProvider>,
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge.judge(&Shown { leaf, above, name, ocsp, now }).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
