//! Certificates that are believed for themselves.
//!
//! What `openssl req -x509` makes calls itself an authority, and an authority may not be a server:
//! put into `ca_file` it would vouch for everything but itself. But who put it there meant just this
//! server. So one that is there byte for byte is believed, as long as its name and dates are right.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;

use super::der;

/// Believes certificates of authorities, and those that it knows.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) authorities: Arc<WebPkiServerVerifier>,
    pub(super) known: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.known.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            return verify_known(certificate, name, now);
        }
        self.authorities.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

fn verify_known(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let facts = der::read(certificate).ok_or(CertificateError::BadEncoding)?;
    if now.as_secs() < facts.valid.start {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() >= facts.valid.end {
        return Err(CertificateError::Expired.into());
    }
    match verify_server_name(&ParsedCertificate::try_from(certificate)?, name) {
        // Made without alternative names, as by default.
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) if presented.is_empty()
            && facts.common_name.is_some_and(|it| it.eq_ignore_ascii_case(&name.to_str())) => {}
        result => result?,
    }
    Ok(ServerCertVerified::assertion())
}
