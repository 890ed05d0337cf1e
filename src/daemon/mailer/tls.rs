//! How TLS is spoken to the mail server.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::crypto::CryptoProvider;

use crate::daemon::trust::{Trust, cryptography};

/// Made anew for each conversation: mails are rare, and a Pi's memory is not for keeping roots.
pub(super) fn parameters(host: &str, trust: &Trust) -> Result<TlsParameters, Error> {
    // lettre takes that of the process. It fails when there is one already: the same, from before.
    let _ = CryptoProvider::install_default(cryptography());
    let mut builder =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    for certificate in trust.extra() {
        builder = builder.add_root_certificate(Certificate::from_der(certificate.to_vec())?);
    }
    builder.build_rustls()
}
