//! Tokens: what opens a lock, found out in a time that says nothing of what is in it.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;

use crate::config::settings::Secret;

/// How programs send a token (RFC 6750, section 2.1). A scheme's name comes in any case (RFC 9110,
/// section 11.1).
const BEARER: &str = "Bearer";
/// How browsers do, as the password of a login (RFC 7617, section 2).
const BASIC: &str = "Basic";

/// The system gave no random numbers, without which no lock can be made.
#[derive(Debug)]
pub(crate) struct NoRandom;

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

    pub(super) fn opens_with(&self, given: &[u8]) -> bool {
        hmac::verify(&self.key, given, self.tag.as_ref()).is_ok()
    }
}

/// Says nothing of what is in it.
impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(locked)")
    }
}

/// Makes for each app a key that opens its beats and nothing else: of the token, so that none has to be kept,
/// and another token makes others.
pub(super) struct Keys(hmac::Key);

/// Bytes of a key: nobody guesses 128 bits, and a line of cron holds them.
const KEY: usize = 16;

impl Keys {
    pub(super) fn new(token: &Secret) -> Keys {
        Keys(hmac::Key::new(hmac::HMAC_SHA256, token.reveal().as_bytes()))
    }

    /// The key of the app of this name.
    pub(super) fn of(&self, name: &str) -> String {
        let tag = hmac::sign(&self.0, format!("beat {name}").as_bytes());
        tag.as_ref().iter().take(KEY).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether this is it, in a time that depends on what is given alone.
    pub(super) fn open(&self, name: &str, given: &str) -> bool {
        let right = hmac::sign(&self.0, self.of(name).as_bytes());
        hmac::verify(&self.0, given.as_bytes(), right.as_ref()).is_ok()
    }
}

/// Says nothing of what is in it.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(keys)")
    }
}

/// The token in an `Authorization` header; `None` for any other scheme, and for a login that cannot
/// be read.
pub(super) fn given(authorization: &str) -> Option<Cow<'_, [u8]>> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    let rest = rest.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case(BEARER) {
        Some(Cow::Borrowed(rest.as_bytes()))
    } else if scheme.eq_ignore_ascii_case(BASIC) {
        password(rest).map(Cow::Owned)
    } else {
        None
    }
}

/// What follows the first colon: no user's name has one, a password may. The gate lets no more
/// through than a head of `HEAD_MAX` bytes, which bounds what is decoded.
fn password(login: &str) -> Option<Vec<u8>> {
    let mut login = STANDARD.decode(login).ok()?;
    let colon = login.iter().position(|byte| *byte == b':')?;
    Some(login.split_off(colon.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_whole_token_opens_a_lock() {
        let lock = Lock::new(&Secret::new("correct-horse".into())).unwrap();
        assert!(lock.opens_with(b"correct-horse"));
        for wrong in ["", "c", "correct-hors", "correct-horsf", "correct-horse ", "Correct-horse"] {
            assert!(!lock.opens_with(wrong.as_bytes()), "{wrong:?}");
        }
        assert!(!lock.opens_with("correct-horse".repeat(600).as_bytes()));
        assert_eq!(format!("{lock:?}"), "(locked)");
    }

    #[test]
    fn a_token_comes_with_its_scheme() {
        for header in ["Bearer abc=", "bearer abc=", "BEARER  abc=", " Bearer abc= "] {
            assert_eq!(given(header).as_deref(), Some(&b"abc="[..]), "{header:?}");
        }
        for header in ["", "abc=", "Bearer", "Bearerabc=", "Token abc=", "Bearer\tabc="] {
            assert_eq!(given(header), None, "{header:?}");
        }
    }

    fn login(pair: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn a_login_brings_the_token_as_its_password_whoever_it_names() {
        for (pair, password) in [
            (&b"owner:abc"[..], &b"abc"[..]),
            (b":abc", b"abc"),
            (b"owner:a:b:", b"a:b:"),
            (b"owner:", b""),
            ("Jürgen:abc".as_bytes(), b"abc"),
            (b"\xff:\xfe\0", b"\xfe\0"),
        ] {
            assert_eq!(given(&login(pair)).as_deref(), Some(password), "{pair:?}");
        }
        assert_eq!(given("bASIC  b3duZXI6YWJj ").as_deref(), Some(&b"abc"[..]));
    }

    #[test]
    fn a_login_that_cannot_be_read_brings_none() {
        let no_colon = login(b"owner");
        for header in [
            "Basic",
            "Basic owner:abc",
            "Basic b3duZXI6YWJj b3duZXI6YWJj",
            "Basic b3duZXI6YWJj,",
            "Basic b3duZXI6YW",
            "Basic b3duZXI6YWI=b3",
            "Basic =",
            "Basic\tb3duZXI6YWJj",
            no_colon.as_str(),
        ] {
            assert_eq!(given(header), None, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_login_names_its_password_is_read_whole(
            user in "[^:]{0,20}",
            password in any::<Vec<u8>>(),
        ) {
            let pair = [user.as_bytes(), b":", &password].concat();
            let read = given(&login(&pair)).map(Cow::into_owned);
            prop_assert_eq!(read, Some(password));
        }

        #[test]
        fn no_header_panics(header in "(Basic |Bearer )?\\PC{0,40}") {
            let _ = given(&header);
        }
    }
}
