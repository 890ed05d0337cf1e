//! Whom we believe over TLS, for checks and for mail: the public authorities that are built in, and
//! besides them those of `ca_file` and of the system, where they are there.
//!
//! A household's own authority is put into the system's store as for every other program, or named
//! in `ca_file`. Built-in roots make a bare machine, whose store is empty, work all the same.

mod anybody;
mod der;
mod known;
mod words;

use std::env;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use log::debug;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};
use webpki_roots::TLS_SERVER_ROOTS;

use crate::config::certificates::in_pem;
use crate::engine::registration::Print;

use self::anybody::Anybody;
use self::known::Verifier;
pub use self::words::sentence;

/// Where systems keep the certificates of the authorities that they trust, all in one file.
const SYSTEM_STORES: [&str; 4] = [
    // Debian, Raspberry Pi OS, Alpine, Arch.
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora and its kin.
    "/etc/pki/tls/certs/ca-bundle.crt",
    // openSUSE.
    "/etc/ssl/ca-bundle.pem",
    // Void, OpenBSD.
    "/etc/ssl/cert.pem",
];

/// Names another store, as for OpenSSL.
const STORE_VARIABLE: &str = "SSL_CERT_FILE";

/// When certificates are looked at as being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// Now.
    ByTheClock,
    /// Our clock is plainly wrong, and we were told to do without: on the day that the newest
    /// certificate shown begins, or that this program can have run first. Whether one has run out
    /// since then cannot be known.
    WithoutClock,
}

/// The authorities that are believed. Clones share what they have read.
#[derive(Clone, Debug)]
pub struct Trust {
    owner: Arc<[CertificateDer<'static>]>,
    system: Option<PathBuf>,
    /// Those of the owner and of the system that are not built in, read when first needed.
    extra: Arc<OnceLock<Vec<CertificateDer<'static>>>>,
}

impl Trust {
    /// Believes the built-in authorities, the `owner`'s, and those of the system's store, if it has
    /// one.
    pub fn new(owner: &[CertificateDer<'static>]) -> Trust {
        let system = env::var_os(STORE_VARIABLE)
            .map(PathBuf::from)
            .or_else(|| SYSTEM_STORES.iter().map(PathBuf::from).find(|store| store.exists()));
        Trust::with_system(owner, system)
    }

    fn with_system(owner: &[CertificateDer<'static>], system: Option<PathBuf>) -> Trust {
        Trust { owner: owner.into(), system, extra: Arc::default() }
    }

    /// The certificates that are believed besides the built-in ones. Reads the disk the first time:
    /// not for the event loop.
    pub fn extra(&self) -> &[CertificateDer<'static>] {
        self.extra.get_or_init(|| {
            let mut extra = Extra { found: Vec::new(), one: RootCertStore::empty() };
            extra.add(self.owner.iter().cloned());
            if let Some(path) = &self.system {
                match fs::read(path) {
                    Ok(pem) => extra.add(in_pem(&pem).flatten()),
                    Err(why) => debug!("the system's certificates, {}: {why}", path.display()),
                }
            }
            debug!("{} authorities are believed besides the built-in ones", extra.found.len());
            extra.found
        })
    }

    /// How a client speaks TLS to whom it believes: to who shows a certificate of one of the authorities,
    /// or one that is among the [extra](Trust::extra) ones itself.
    ///
    /// # Errors
    /// Never: the cryptography that is built in knows the versions that are.
    pub fn client(&self, dates: Dates) -> Result<ClientConfig, rustls::Error> {
        let mut authorities = RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() };
        authorities.add_parsable_certificates(self.extra().iter().cloned());
        let provider = cryptography();
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Verifier { authorities, algorithms, known: self.extra().to_vec(), dates };
        client_with(provider, Arc::new(verifier))
    }
}

/// How a client speaks TLS to whoever it is. `is_shown`: who shows a certificate has its key, so that
/// it can be told from others by it.
///
/// # Errors
/// Never, as above.
pub fn client_of_anybody(is_shown: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = cryptography();
    let algorithms = provider.signature_verification_algorithms;
    client_with(provider, Arc::new(Anybody { algorithms, is_shown }))
}

fn client_with(
    provider: CryptoProvider,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(rustls::ALL_VERSIONS)?.dangerous();
    Ok(builder.with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// What a certificate is known by: see [`Print`].
pub fn print(certificate: &CertificateDer<'_>) -> Print {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let mut print = Print([0; Print::BYTES]);
    print.0.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    print
}

/// When a certificate is valid, in seconds since 1970; `None` when it cannot be read.
pub fn validity(certificate: &CertificateDer<'_>) -> Option<Range<u64>> {
    Some(der::read(certificate)?.valid)
}

/// Certificates that are not built in, each once.
struct Extra {
    found: Vec<CertificateDer<'static>>,
    /// Room to read one.
    one: RootCertStore,
}

impl Extra {
    /// What cannot be read as a certificate is left out: old stores hold such.
    fn add(&mut self, certificates: impl Iterator<Item = CertificateDer<'static>>) {
        for certificate in certificates {
            if self.one.add(certificate.clone()).is_err() {
                continue;
            }
            let Some(anchor) = self.one.roots.pop() else { continue };
            if !TLS_SERVER_ROOTS.contains(&anchor) && !self.found.contains(&certificate) {
                self.found.push(certificate);
            }
        }
    }
}

/// The cryptography of *ring*, without what only servers and clients with a certificate of their
/// own need: 40 KiB less.
pub fn cryptography() -> CryptoProvider {
    CryptoProvider { key_provider: &NoKeys, ..default_provider() }
}

/// We never show a certificate.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no client certificates here".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An authority of a household.
    const OWN: &[u8] = include_bytes!("../../../tests/tls/ca.der");

    fn own() -> CertificateDer<'static> {
        CertificateDer::from(OWN)
    }

    /// A store in a file of its own, as systems have them.
    fn store(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    fn pem(certificate: &[u8]) -> String {
        let code = lettre::message::header::ContentTransferEncoding::Base64;
        let body = lettre::message::Body::new_with_encoding(certificate.to_vec(), code).unwrap();
        let lines = String::from_utf8(body.into_vec()).unwrap();
        format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn the_built_in_authorities_are_always_there() {
        let trust = Trust::with_system(&[], Some("/nowhere".into()));
        assert!(trust.extra().is_empty());
        assert!(TLS_SERVER_ROOTS.len() > 100);
        trust.client(Dates::ByTheClock).unwrap();
    }

    #[test]
    fn the_owners_and_the_systems_are_added_each_once() {
        let file = store(&format!("{}{}{}", pem(OWN), pem(b"no certificate"), pem(OWN)));
        let path = Some(file.path().to_owned());
        assert_eq!(Trust::with_system(&[], path.clone()).extra(), [own()]);
        assert_eq!(Trust::with_system(&[own(), own()], path).extra(), [own()]);
        assert_eq!(Trust::with_system(&[own()], None).extra(), [own()]);
    }

    #[test]
    fn no_key_is_ever_loaded() {
        let key = PrivateKeyDer::Pkcs8(Vec::new().into());
        assert!(cryptography().key_provider.load_private_key(key).is_err());
    }
}
