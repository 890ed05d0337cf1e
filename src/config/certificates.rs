//! The file of certificates that the owner trusts besides the built-in roots.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ReadFile;

/// Reads a file of certificates in PEM (RFC 7468), each checked.
///
/// # Errors
/// In words: it cannot be read, holds no certificate, or one that is none.
pub fn read(path: &Path, read_file: &ReadFile<'_>) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read_file(path).map_err(|why| format!("the file cannot be read: {why}"))?;
    let pem =
        String::from_utf8(bytes).map_err(|_| "the file is not PEM, which is text".to_owned())?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let usable = certificate.map_err(|why| why.to_string()).and_then(usable);
        let why_not = |why| format!("a certificate in the file cannot be used: {why}");
        certificates.push(usable.map_err(why_not)?);
    }
    if certificates.is_empty() {
        return Err(
            "the file holds no certificate: one begins with -----BEGIN CERTIFICATE-----".to_owned()
        );
    }
    Ok(certificates)
}

/// The certificate, if it can be an authority's.
fn usable(certificate: CertificateDer<'static>) -> Result<CertificateDer<'static>, String> {
    match RootCertStore::empty().add(certificate.clone()) {
        Ok(()) => Ok(certificate),
        Err(why) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &[u8]) -> String {
        read(Path::new("ca.pem"), &|_| Ok(text.to_vec())).unwrap_err()
    }

    #[test]
    fn only_certificates_will_do() {
        assert!(problem(b"").contains("no certificate"));
        assert!(
            problem(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                .contains("no certificate")
        );
        let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(problem(bad).contains("cannot be used"));
        assert!(problem(&[0xFF]).contains("not PEM"));
        let missing = read(Path::new("ca.pem"), &|_| Err(std::io::ErrorKind::NotFound.into()));
        assert!(missing.unwrap_err().contains("cannot be read"));
    }
}
