//! Tokens: what opens a lock, found out in a time that says nothing of what is in it.

use std::fmt;

use ring::hmac;
use ring::rand::SystemRandom;

use crate::config::settings::Secret;

/// The scheme's name (RFC 6750, section 2.1), in any case (RFC 9110, section 11.1).
const SCHEME: &str = "Bearer";

/// The system gave no random numbers, without which no lock can be made.
#[derive(Debug)]
pub struct NoRandom;

impl fmt::Display for NoRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gives no random numbers")
    }
}

impl std::error::Error for NoRandom {}

/// What one token opens. It keeps a keyed digest, so that comparing takes a time that depends on
/// what is given alone, not on the token, its length included.
pub(super) struct Lock {
    /// Made anew at each start.
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Lock {
    pub(super) fn new(token: &Secret) -> Result<Lock, NoRandom> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| NoRandom)?;
        let tag = hmac::sign(&key, token.reveal().as_bytes());
        Ok(Lock { key, tag })
    }

    pub(super) fn opens_with(&self, given: &str) -> bool {
        hmac::verify(&self.key, given.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

/// Says nothing of what is in it.
impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(locked)")
    }
}

/// The token in an `Authorization` header; `None` for any other scheme.
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens_a_lock() {
        let lock = Lock::new(&Secret::new("correct-horse".into())).unwrap();
        assert!(lock.opens_with("correct-horse"));
        for wrong in ["", "c", "correct-hors", "correct-horsf", "correct-horse ", "Correct-horse"] {
            assert!(!lock.opens_with(wrong), "{wrong:?}");
        }
        assert!(!lock.opens_with(&"correct-horse".repeat(600)));
        assert_eq!(format!("{lock:?}"), "(locked)");
    }

    #[test]
    fn a_token_comes_with_its_scheme() {
        for header in ["Bearer abc=", "bearer abc=", "BEARER  abc=", " Bearer abc= "] {
            assert_eq!(bearer(header), Some("abc="), "{header:?}");
        }
        for header in ["", "abc=", "Bearer", "Basic abc=", "Bearerabc=", "Token abc="] {
            assert_eq!(bearer(header), None, "{header:?}");
        }
    }
}
