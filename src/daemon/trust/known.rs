//! Certificates that authorities vouch for, and those that are believed for themselves.
//!
//! The steps of rustls' own verifier, one by one: made whole, it brings lists of revoked certificates, which
//! nobody here has, and they are 16 KiB.
//!
//! What `openssl req -x509` makes calls itself an authority, and an authority may not be a server:
//! put into `ca_file` it would vouch for everything but itself. But who put it there meant just this
//! server. So one that is there byte for byte is believed, as long as its name and dates are right.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::time::Duration;

use super::{Dates, der};
use crate::engine::time::Wall;

/// Believes certificates of authorities, and those that it knows.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) authorities: RootCertStore,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) known: Vec<CertificateDer<'static>>,
    pub(super) dates: Dates,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now = self.dates.at(certificate, intermediates, now);
        if self.known.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            return verify_known(certificate, name, now);
        }
        let certificate = ParsedCertificate::try_from(certificate)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.authorities,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        verify_server_name(&certificate, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Dates {
    /// As when a chain of certificates is looked at.
    fn at(
        self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> UnixTime {
        if self == Dates::ByTheClock {
            return now;
        }
        let shown = std::iter::once(certificate).chain(intermediates);
        let newest = shown.filter_map(|one| Some(der::read(one)?.valid.start)).max();
        let first = Wall::FIRST_POSSIBLE.since(Wall::EPOCH);
        UnixTime::since_unix_epoch(first.max(Duration::from_secs(newest.unwrap_or(0))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::trust::cryptography;

    const OWN: &[u8] = include_bytes!("../../../tests/tls/ca.der");
    const GOOD: &[u8] = include_bytes!("../../../tests/tls/good.der");
    const FUTURE: &[u8] = include_bytes!("../../../tests/tls/future.der");
    const PAST: &[u8] = include_bytes!("../../../tests/tls/past.der");

    fn verify(dates: Dates, known: bool, shown: &[u8], name: &str) -> Result<(), Error> {
        let mut authorities = RootCertStore::empty();
        authorities.add(CertificateDer::from(OWN)).unwrap();
        let algorithms = cryptography().signature_verification_algorithms;
        let shown = CertificateDer::from(shown);
        let known = if known { vec![shown.clone().into_owned()] } else { Vec::new() };
        let verifier = Verifier { authorities, algorithms, known, dates };
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let switched_on = UnixTime::since_unix_epoch(Duration::from_secs(130));
        verifier.verify_server_cert(&shown, &[], &name, &[], switched_on).map(drop)
    }

    fn is(end: Result<(), Error>, what: &str) -> bool {
        matches!(end, Err(Error::InvalidCertificate(why)) if format!("{why:?}").starts_with(what))
    }

    #[test]
    fn without_a_clock_a_certificate_is_looked_at_as_when_it_began() {
        for known in [false, true] {
            let verify = |dates, shown, name| verify(dates, known, shown, name);
            assert!(is(verify(Dates::ByTheClock, GOOD, "127.0.0.1"), "NotValidYet"));
            for shown in [GOOD, FUTURE] {
                assert_eq!(verify(Dates::WithoutClock, shown, "127.0.0.1"), Ok(()));
            }
            let other = verify(Dates::WithoutClock, GOOD, "thief.example");
            assert!(is(other, "NotValidForName"));
            let past = verify(Dates::WithoutClock, PAST, "127.0.0.1");
            assert!(is(past, "Expired"), "it ended before this program began");
        }
    }

    #[test]
    fn without_a_clock_a_stranger_stays_one() {
        let own = verify(Dates::WithoutClock, false, OWN, "127.0.0.1");
        assert!(own.is_err(), "{own:?}");
    }
}
