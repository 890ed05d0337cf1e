//! Finds the words for what can go wrong with a request.

use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::{CertificateError, Error as TlsError};
use ureq::Error;

use super::connect::Unreached;
use super::head::HeadFault;
use super::race::is_timeout;
use super::secure::OtherCertificate;
use crate::daemon::names::Fault;
use crate::daemon::trust::sentence;
use crate::daemon::wants;
use crate::engine::verdict::trouble::Trouble;

/// Why a request failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The app's, or that of the way to it.
    Theirs(Trouble),
    /// Ours: the machine has no descriptor or memory to spare. It says nothing about the app.
    Ours(String),
}

/// What stopped a request that may take `limit`.
pub(super) fn failure(error: Error, limit: Duration) -> Failure {
    let trouble = match error {
        Error::Timeout(_) => Trouble::Timeout { after: limit },
        Error::Io(error) => return io_failure(error, limit),
        Error::Protocol(error) => Trouble::NotHttp(protocol(&error.to_string())),
        Error::LargeResponseHeader(_, most) => Trouble::HeadTooLarge(most),
        Error::Tls(text) => Trouble::Tls(text.to_owned()),
        Error::Other(error) => match error.downcast::<Unreached>() {
            Ok(unreached) => return unreached_failure(*unreached, limit),
            Err(error) if error.is::<HeadFault>() => Trouble::NotHttp(error.to_string()),
            Err(other) => match other.downcast_ref() {
                Some(OtherCertificate { shown, pinned }) => {
                    Trouble::OtherCertificate { shown: *shown, pinned: *pinned }
                }
                None => Trouble::Other(other.to_string()),
            },
        },
        other => Trouble::Other(other.to_string()),
    };
    Failure::Theirs(trouble)
}

fn io_failure(error: io::Error, limit: Duration) -> Failure {
    if error.raw_os_error().is_some_and(wants::is_ours) {
        return Failure::Ours(format!("cannot ask: {error}"));
    }
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<TlsError>());
    Failure::Theirs(match error.kind() {
        _ if inner.is_some() => inner.map_or(Trouble::NoAnswer, tls),
        _ if is_timeout(&error) => Trouble::Timeout { after: limit },
        ErrorKind::ConnectionRefused => Trouble::Refused,
        ErrorKind::HostUnreachable => Trouble::NoRoute,
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Trouble::NoNetwork,
        ErrorKind::PermissionDenied => Trouble::Forbidden,
        _ if matches!(error.raw_os_error(), Some(libc::EHOSTDOWN | libc::ENONET)) => {
            Trouble::NoRoute
        }
        // A kernel without IPv6.
        _ if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => Trouble::NoNetwork,
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Trouble::NoAnswer,
        _ => Trouble::Other(error.to_string()),
    })
}

/// The protocol's complaint without the part that says whose it is.
fn protocol(text: &str) -> String {
    let bare = text.strip_prefix("http parse fail: ").unwrap_or(text);
    bare.to_owned()
}

fn unreached_failure(unreached: Unreached, limit: Duration) -> Failure {
    let (name, fault) = match unreached {
        Unreached::NoAddress { name, fault } => (name, fault),
        Unreached::OwnMachine { name, address } => {
            return Failure::Theirs(Trouble::OwnMachine { name, address });
        }
    };
    Failure::Theirs(match fault {
        Fault::Unknown => Trouble::UnknownHost(name),
        Fault::Away => Trouble::NamesAway(name),
        Fault::Timeout => Trouble::LookupTimeout { name, after: limit },
        Fault::NoTurn | Fault::Ours(_) => {
            return Failure::Ours(format!("cannot look up {name}: {fault}"));
        }
    })
}

/// A certificate that is not yet valid may be our own clock's fault.
fn tls(error: &TlsError) -> Trouble {
    match error {
        TlsError::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => Trouble::NotYetValid,
        other => Trouble::Tls(sentence(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn trouble(error: Error) -> Trouble {
        match failure(error, LIMIT) {
            Failure::Theirs(trouble) => trouble,
            Failure::Ours(text) => panic!("ours: {text}"),
        }
    }

    #[test]
    fn a_machine_without_descriptors_says_nothing_about_the_app() {
        for code in [libc::EMFILE, libc::EADDRNOTAVAIL] {
            let error = Error::Io(io::Error::from_raw_os_error(code));
            assert!(matches!(failure(error, LIMIT), Failure::Ours(_)), "{code}");
        }
        for fault in [Fault::NoTurn, Fault::Ours(libc::EMFILE)] {
            let error = Error::from(Unreached::NoAddress { name: "nas.lan".to_owned(), fault });
            assert!(matches!(failure(error, LIMIT), Failure::Ours(_)), "{fault}");
        }
    }

    #[test]
    fn the_kernel_is_understood() {
        let of = |code| trouble(Error::Io(io::Error::from_raw_os_error(code)));
        assert_eq!(of(libc::ECONNREFUSED), Trouble::Refused);
        assert_eq!(of(libc::EHOSTUNREACH), Trouble::NoRoute);
        assert_eq!(of(libc::EHOSTDOWN), Trouble::NoRoute);
        assert_eq!(of(libc::ENETUNREACH), Trouble::NoNetwork);
        assert_eq!(of(libc::EAFNOSUPPORT), Trouble::NoNetwork);
        assert_eq!(of(libc::EPERM), Trouble::Forbidden);
        assert_eq!(of(libc::EACCES), Trouble::Forbidden);
        assert_eq!(of(libc::ECONNRESET), Trouble::NoAnswer);
        assert_eq!(of(libc::ETIMEDOUT), Trouble::Timeout { after: LIMIT });
    }

    #[test]
    fn a_certificate_that_is_not_yet_valid_is_a_case_of_its_own() {
        let of = |error| trouble(Error::Io(io::Error::new(ErrorKind::InvalidData, error)));
        let certificate = |error| of(TlsError::InvalidCertificate(error));
        assert_eq!(certificate(CertificateError::NotValidYet), Trouble::NotYetValid);
        let expired = Trouble::Tls("the certificate has expired".to_owned());
        assert_eq!(certificate(CertificateError::Expired), expired);
    }
}
