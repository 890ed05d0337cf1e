//! Whom we trust to be the mail server.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

/// Stands at the head of each certificate in PEM (RFC 7468 section 5.1).
const PEM_MARK: &str = "-----BEGIN CERTIFICATE-----";

/// Made anew for each conversation: mails are rare, and a Pi's memory is not for keeping roots.
pub(super) fn parameters(host: &str, extra_roots: Option<&str>) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = extra_roots {
        builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
    }
    builder.build_rustls()
}

/// Whether the text of a `ca_file` can be used, so that a bad one is found at the start.
///
/// # Errors
/// In words, when there is no certificate in it or one that cannot be read.
pub fn check_extra_roots(pem: &str) -> Result<(), String> {
    if !pem.contains(PEM_MARK) {
        return Err(format!("no certificate found: one in PEM begins with {PEM_MARK}"));
    }
    match parameters("localhost", Some(pem)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("a certificate cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_will_do() {
        assert!(check_extra_roots("").unwrap_err().contains("no certificate"));
        assert!(check_extra_roots("-----BEGIN PRIVATE KEY-----").is_err());
        let bad = format!("{PEM_MARK}\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(check_extra_roots(&bad).unwrap_err().contains("cannot be read"));
        assert!(parameters("mail.example.org", None).is_ok());
    }
}
