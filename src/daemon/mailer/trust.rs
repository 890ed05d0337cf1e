//! Whom we trust to be the mail server.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

/// Made anew for each conversation: mails are rare, and a Pi's memory is not for keeping roots.
pub(super) fn parameters(host: &str, extra_roots: Option<&str>) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = extra_roots {
        builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
    }
    builder.build_rustls()
}
