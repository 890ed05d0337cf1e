//! With what we show an app who asks: a login, or a token.

use crate::engine::text::secret::Secret;

/// The longest one, in bytes: tokens that carry what they are for have several hundred, and the head of a request
/// has to have room for it.
pub const AUTH_MAX: usize = 1024;
/// How a token begins.
const BEARER: &str = "Bearer ";
/// What it must be, for people: what it was is never repeated.
const RIGHT: &str = "auth must be USER:PASSWORD or Bearer TOKEN, in 1024 bytes at most and without \
                     control characters; a token is of letters, digits and signs of ASCII";

/// A login or a token, as it was given. It is written once, and read by nobody but whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth(Secret);

/// What it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Means<'a> {
    /// A user and a password, with a colon between (RFC 7617).
    Login(&'a str),
    /// A token (RFC 6750).
    Token(&'a str),
}

impl Auth {
    /// Reads one; `None` of an empty one. What ends a line is none of it, and blanks before it: a password may end with a
    /// blank.
    ///
    /// # Errors
    /// It is neither; the sentence says what would be right, and repeats nothing.
    pub fn read(text: &str) -> Result<Option<Auth>, String> {
        let text = text.trim_start().trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Ok(None);
        }
        let auth = Auth::on_record(text.to_owned());
        let is_right = match auth.means() {
            Means::Token(token) => {
                !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Means::Login(login) => login.contains(':') && login != ":",
        };
        if !is_right || text.len() > AUTH_MAX || text.chars().any(char::is_control) {
            return Err(RIGHT.to_owned());
        }
        Ok(Some(auth))
    }

    /// One that was found right before.
    pub(in crate::engine) fn on_record(text: String) -> Auth {
        Auth(Secret::new(text))
    }

    /// As it was given, for the record.
    pub(in crate::engine) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What it is, for whom it is for.
    pub fn means(&self) -> Means<'_> {
        let text = self.reveal();
        match text.split_at_checked(BEARER.len()) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => {
                Means::Token(token.trim())
            }
            _ => Means::Login(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Auth {
        Auth::read(text).unwrap().unwrap()
    }

    #[test]
    fn a_login_and_a_token_are_told_apart() {
        for (given, login) in [
            ("me:secret", "me:secret"),
            (" me:se:cr et \r\n", "me:se:cr et "),
            ("K\u{fc}che:\u{fc}", "K\u{fc}che:\u{fc}"),
            (":key", ":key"),
            ("key:", "key:"),
            ("bearer:x", "bearer:x"),
        ] {
            assert!(read(given).means() == Means::Login(login), "{given}");
        }
        for given in ["Bearer abc.d-e_f~+/==", "bearer  abc.d-e_f~+/== \n"] {
            assert!(read(given).means() == Means::Token("abc.d-e_f~+/=="), "{given}");
        }
        for nothing in ["", " ", "\r\n"] {
            assert_eq!(Auth::read(nothing), Ok(None));
        }
    }

    #[test]
    fn what_is_neither_is_refused_and_never_repeated() {
        let long = format!("me:{}", "secret".repeat(AUTH_MAX));
        for wrong in [
            "secret",
            ":",
            "Bearer ",
            "Bearer se cret",
            "Bearer s\u{e9}cret",
            "Basic bWU6c2VjcmV0",
            "me:sec\u{1b}ret",
            "me:sec\nret",
            &long,
        ] {
            let why = Auth::read(wrong).unwrap_err();
            assert!(why.contains("USER:PASSWORD or Bearer TOKEN"), "{why}");
            assert!(!why.contains("ret"), "{why}");
        }
        assert!(RIGHT.contains(&AUTH_MAX.to_string()));
        let app = format!("{:?}", read("me:secret"));
        assert!(!app.contains("me") && !app.contains("secret"), "{app}");
    }
}
