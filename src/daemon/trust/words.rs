//! Sentences for what goes wrong with TLS. The library's own words are partly its source code's.

use rustls::{AlertDescription, CertificateError, Error};
use webpki::Error as PathError;

/// What went wrong, for a person: a fragment without a full stop.
pub fn sentence(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => certificate(why).to_owned(),
        Error::AlertReceived(alert) => format!("the other side refused: {}", refusal(*alert)),
        Error::InvalidMessage(_) => {
            "what answers there does not speak TLS (http, not https?)".to_owned()
        }
        Error::PeerIncompatible(_) => {
            "the other side speaks no TLS that is known here (version 1.2 or 1.3)".to_owned()
        }
        Error::NoCertificatesPresented => "the other side shows no certificate".to_owned(),
        Error::UnsupportedNameType => "no certificate can be for such a name".to_owned(),
        Error::DecryptError | Error::EncryptError => "the encryption failed on the way".to_owned(),
        Error::FailedToGetRandomBytes | Error::FailedToGetCurrentTime => {
            "this machine gave no random numbers, or no time".to_owned()
        }
        _ => "the other side does not follow the rules of TLS".to_owned(),
    }
}

/// Why a certificate is not believed.
fn certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not yet valid"
        }
        CertificateError::UnknownIssuer => {
            "the certificate is not from a known authority (self-signed?)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::BadEncoding => "the certificate cannot be read",
        CertificateError::Revoked => "the certificate was revoked",
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::InvalidOcspResponse => {
            "nobody says whether the certificate was revoked"
        }
        CertificateError::UnhandledCriticalExtension => {
            "the certificate has conditions that are not known here"
        }
        CertificateError::BadSignature => "a signature of the certificate is wrong",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the certificate is signed in a way that is not known here (too old?)"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not for servers"
        }
        CertificateError::Other(inner) => path(inner.0.downcast_ref()),
        _ => "the certificate is not accepted",
    }
}

/// Why no way leads from a certificate to an authority that is believed.
fn path(why: Option<&PathError>) -> &'static str {
    match why {
        Some(PathError::CaUsedAsEndEntity) => {
            "the certificate is not from a known authority (self-signed? ca_file takes it as it is)"
        }
        Some(PathError::EndEntityUsedAsCa | PathError::PathLenConstraintViolated) => {
            "who signed the certificate is no authority"
        }
        Some(PathError::NameConstraintViolation) => {
            "the authority may not sign certificates for this name"
        }
        Some(PathError::UnsupportedCertVersion) => {
            "the certificate is of a version that is too old (X.509 before 3)"
        }
        _ => "the certificate is not accepted",
    }
}

/// What the other side means by an alert (RFC 8446, section 6.2).
fn refusal(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "there is no way of encryption that both know".to_owned()
        }
        AlertDescription::ProtocolVersion => {
            "it speaks another version of TLS than 1.2 and 1.3".to_owned()
        }
        AlertDescription::UnrecognisedName => "it does not know this host name".to_owned(),
        AlertDescription::CertificateRequired
        | AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnknownCA => "it wants a certificate of ours".to_owned(),
        AlertDescription::AccessDenied => "access denied".to_owned(),
        AlertDescription::InternalError => "it has an internal error".to_owned(),
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => {
            "it ended the connection".to_owned()
        }
        other => format!("alert {} of TLS", u8::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, PeerIncompatible, PeerMisbehaved};

    use super::*;

    /// Words, not names from a source.
    fn is_prose(text: &str) -> bool {
        let of_source = |word: &str| word.contains("::") || word.contains('{') || camel(word);
        !text.is_empty() && !text.split_whitespace().any(of_source)
    }

    fn camel(word: &str) -> bool {
        let lower_then_upper =
            |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
        word.as_bytes().windows(2).any(lower_then_upper)
    }

    #[test]
    fn every_failure_is_a_sentence() {
        let other = |why: PathError| CertificateError::Other(OtherError(Arc::new(why)));
        let certificates = [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::NotValidYet,
            CertificateError::Revoked,
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
            CertificateError::InvalidPurpose,
            CertificateError::ApplicationVerificationFailure,
            other(PathError::CaUsedAsEndEntity),
            other(PathError::EndEntityUsedAsCa),
            other(PathError::UnsupportedCertVersion),
            other(PathError::MaximumPathDepthExceeded),
        ];
        let mut errors: Vec<Error> =
            certificates.into_iter().map(Error::InvalidCertificate).collect();
        errors.extend((0..=u8::MAX).map(|code| Error::AlertReceived(code.into())));
        errors.extend([
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerMisbehaved(PeerMisbehaved::TooMuchEarlyDataReceived),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::FailedToGetRandomBytes,
            Error::General("x".to_owned()),
        ]);
        for error in errors {
            let text = sentence(&error);
            assert!(is_prose(&text), "{text}");
        }
        assert!(!is_prose("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))"));
    }
}
