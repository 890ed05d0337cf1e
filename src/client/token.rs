//! The daemon's token, which must not show up anywhere.

use std::fmt;

use super::Error;

/// What opens a daemon: visible ASCII, since it travels in a header (RFC 6750, section 2.1).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    /// Reads a token; `None` for an empty one. One that was read from a file ends with a line feed.
    ///
    /// # Errors
    /// It has a character in it that no token has.
    pub(super) fn read(text: &str) -> Result<Option<Token>, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain { Ok(Some(Token(text.to_owned()))) } else { Err(Error::TokenUnusable) }
    }

    /// The header that carries it.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<token>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_feed_of_a_file_is_none_of_it() {
        let token = Token::read(" secret\r\n").unwrap().unwrap();
        assert_eq!(token.header(), "Bearer secret");
        assert_eq!(Token::read(" \n"), Ok(None));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_and_none_is_shown() {
        for text in ["sec ret", "sec\nret", "s\u{e9}cret", "sec\0ret"] {
            let why = Token::read(text).unwrap_err();
            assert_eq!(why.status(), 401);
            assert!(!why.to_string().contains("ret"), "{why}");
        }
        let token = Token::read("secret").unwrap();
        assert!(!format!("{token:?}").contains("secret"));
    }
}
