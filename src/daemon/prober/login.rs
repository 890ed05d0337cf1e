//! With what an app is shown who asks: as it is sent, and taken out of what comes back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::HeaderValue;

use crate::engine::registration::auth::{Auth, Means};

const HIDDEN: &str = "(hidden)";
/// A secret shorter than this is no secret, and would be found in every other word.
const SHORTEST: usize = 4;

/// The value of the header `Authorization` (RFC 7617, section 2; RFC 6750, section 2.1).
pub(super) fn header(auth: &Auth) -> Option<HeaderValue> {
    let text = match auth.means() {
        Means::Login(login) => format!("Basic {}", STANDARD.encode(login)),
        Means::Token(token) => format!("Bearer {token}"),
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `text` without what we showed, in any form in which it may be repeated: some apps, and most pages that look for
/// faults, answer with all that they were asked.
pub(super) fn hidden(auth: &Auth, text: &str) -> String {
    let (sent, secret) = match auth.means() {
        Means::Login(login) => {
            (STANDARD.encode(login), login.split_once(':').map_or("", |(_, password)| password))
        }
        Means::Token(token) => (String::new(), token),
    };
    let in_json = serde_json::to_string(secret).unwrap_or_default();
    let in_json = in_json.trim_matches('"');
    // The longest first.
    let forms = [&sent, in_json, secret].into_iter().filter(|form| form.len() >= SHORTEST);
    forms.fold(text.to_owned(), |text, form| text.replace(form, HIDDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(text: &str) -> Auth {
        Auth::read(text).unwrap().unwrap()
    }

    #[test]
    fn it_is_sent_as_the_standards_say() {
        for (text, sent) in [
            ("Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test:123\u{a3}", "Basic dGVzdDoxMjPCow=="),
            ("bearer mF_9.B5f-4.1JqM", "Bearer mF_9.B5f-4.1JqM"),
        ] {
            let header = header(&auth(text)).unwrap();
            assert_eq!(header, sent);
            assert!(!format!("{header:?}").contains(' '), "a library that logs it shows nothing");
        }
    }

    #[test]
    fn what_is_repeated_is_hidden_in_every_form() {
        let login = auth("me:hun\"ter2");
        for form in ["bWU6aHVuInRlcjI=", "hun\"ter2", r#"hun\"ter2"#] {
            assert_eq!(hidden(&login, &format!("got {form}, me")), "got (hidden), me");
        }
        assert_eq!(hidden(&auth("Bearer abc.def"), "Bearer abc.def"), "Bearer (hidden)");
        assert_eq!(hidden(&auth("pi:pi"), "pi is up"), "pi is up", "that is in every other word");
    }
}
