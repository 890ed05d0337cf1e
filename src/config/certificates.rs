//! The file of certificates that the owner trusts besides the built-in roots.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::ReadFile;

/// Reads a file of certificates in PEM (RFC 7468), each checked.
///
/// # Errors
/// In words: it cannot be read, holds no certificate, or one that is none.
pub fn read(path: &Path, read_file: &ReadFile<'_>) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read_file(path).map_err(|why| format!("the file cannot be read: {why}"))?;
    let mut certificates = Vec::new();
    for certificate in in_pem(&bytes) {
        let number = certificates.len() + 1;
        let why_not =
            |why| format!("certificate number {number} in the file cannot be used: {why}");
        let certificate = certificate.map_err(|why| in_words(&why)).and_then(usable);
        certificates.push(certificate.map_err(why_not)?);
    }
    if certificates.is_empty() {
        return Err(
            "the file holds no certificate: one begins with -----BEGIN CERTIFICATE-----, in ASCII"
                .to_owned(),
        );
    }
    Ok(certificates)
}

/// The certificates in a text of any encoding that has ASCII in it: what stands between them is for
/// people. Windows puts a byte order mark before the first, which else would be no line of its own.
pub fn in_pem(bytes: &[u8]) -> impl Iterator<Item = Result<CertificateDer<'static>, pem::Error>> {
    CertificateDer::pem_slice_iter(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

fn in_words(why: &pem::Error) -> String {
    match why {
        pem::Error::MissingSectionEnd { .. } => {
            "it has no end, -----END CERTIFICATE-----; is the file cut off?".to_owned()
        }
        pem::Error::IllegalSectionStart { .. } => {
            "its first line is not -----BEGIN CERTIFICATE-----".to_owned()
        }
        pem::Error::Base64Decode(_) => {
            "what stands between its first and last line is no Base64".to_owned()
        }
        other => other.to_string(),
    }
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
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn problem(text: &[u8]) -> String {
        read(Path::new("ca.pem"), &|_| Ok(text.to_vec())).unwrap_err()
    }

    #[test]
    fn what_editors_and_people_leave_around_a_certificate_is_skipped() {
        let base64 = BASE64_STANDARD.encode(include_bytes!("../../tests/tls/ca.der"));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        let pem = pem.as_bytes();
        let alone = read(Path::new("ca.pem"), &|_| Ok(pem.to_vec())).unwrap();
        for before in [
            &b"\xef\xbb\xbf"[..],
            b"# B\xfcro, K\xfcche\n",
            b"\xef\xbb\xbf# B\xc3\xbcro\r\n",
            b"\xff\xfe\n",
        ] {
            let text = [before, pem].concat();
            assert_eq!(
                read(Path::new("ca.pem"), &|_| Ok(text.clone())).unwrap(),
                alone,
                "{before:?}"
            );
        }
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
        assert!(problem(&[0xFF]).contains("no certificate"));
        for (cut, why) in [
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "has no end"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIF", "no"),
            ("-----BEGIN CERTIFICATE-----\nA*A\n-----END CERTIFICATE-----\n", "no Base64"),
            ("-----BEGIN CERTIFICATE--\n", "first line"),
        ] {
            let why_not = problem(cut.as_bytes());
            assert!(why_not.contains(why) && why_not.contains("number 1"), "{cut}: {why_not}");
            assert!(!why_not.contains('['), "raw bytes: {why_not}");
        }
        let missing = read(Path::new("ca.pem"), &|_| Err(std::io::ErrorKind::NotFound.into()));
        assert!(missing.unwrap_err().contains("cannot be read"));
    }
}
