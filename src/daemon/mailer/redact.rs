//! What a mail server says, without what we told it in confidence: some repeat the login that they refuse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::settings::{Login, MailSettings};

const HIDDEN: &str = "(hidden)";
/// A secret shorter than this is no secret, and would be found in every other word.
const SHORTEST: usize = 4;

/// `text` without our password or token, in any form in which we sent it.
pub(super) fn redacted(settings: &MailSettings, text: &str) -> String {
    let said = settings.login.as_ref().map_or_else(Vec::new, said);
    said.iter()
        .filter(|secret| secret.len() >= SHORTEST)
        .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
}

/// What was said to log in, the longest first: RFC 4616 (PLAIN), LOGIN, Google's XOAUTH2.
fn said(login: &Login) -> Vec<String> {
    let (user, secret, framed) = match login {
        Login::Password { user, password } => {
            (user, password.reveal(), format!("\0{user}\0{}", password.reveal()))
        }
        Login::Xoauth2 { user, token } => {
            let token = token.reveal();
            (user, token, format!("user={user}\x01auth=Bearer {token}\x01\x01"))
        }
    };
    let named = STANDARD.encode(format!("{user}\0{user}\0{secret}"));
    vec![named, STANDARD.encode(framed), STANDARD.encode(secret), secret.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Secret, Security};

    fn settings(login: Login) -> MailSettings {
        MailSettings {
            from: "a@b.example".into(),
            host: "mail.example".into(),
            port: 25,
            security: Security::None,
            login: Some(login),
            without_clock: false,
        }
    }

    #[test]
    fn a_login_that_is_repeated_is_hidden() {
        let (user, password) = ("me".to_owned(), Secret::new("hunter2".to_owned()));
        let by_password = settings(Login::Password { user, password });
        for said in ["hunter2", "AG1lAGh1bnRlcjI=", "aHVudGVyMg=="] {
            let reply = format!("5.7.8 bad credentials: {said}, me");
            let hidden = "5.7.8 bad credentials: (hidden), me";
            assert_eq!(redacted(&by_password, &reply), hidden, "{said}");
        }
        let (user, token) = ("me".to_owned(), Secret::new("ya29.abc".to_owned()));
        let by_token = settings(Login::Xoauth2 { user, token });
        let said = STANDARD.encode("user=me\x01auth=Bearer ya29.abc\x01\x01");
        assert_eq!(redacted(&by_token, &said), HIDDEN);
    }
}
