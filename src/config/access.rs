//! Who may do what over HTTP: values of the options that say so, and what is odd about them together.

use std::net::IpAddr;

use super::given::Given;
use super::quoted::quoted;
use super::settings::{AccessSettings, Secret};
use super::value;

/// Letters and digits of a token that nobody guesses in a life: 16 of them are 95 bits.
const GOOD_TOKEN: usize = 16;

/// A token as it can stand in an `Authorization` header; an empty one is nothing.
///
/// # Errors
/// It has a space or something beyond ASCII, which no client could send.
pub fn bearer_token(given: &Given) -> Result<Option<Secret>, String> {
    let token = value::secret(given)?;
    if token.as_ref().is_some_and(|token| !token.reveal().bytes().all(|b| b.is_ascii_graphic())) {
        return Err(
            "the token has a space or a letter beyond ASCII; it takes letters, digits and \
                    punctuation, such as `openssl rand -hex 16` makes"
                .to_owned(),
        );
    }
    Ok(token)
}

/// Names of hosts: a list, or a text with commas between them. In small letters.
///
/// # Errors
/// One is no name.
pub fn host_names(given: &Given) -> Result<Vec<String>, String> {
    value::distinct(given, |text| {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
            && name.split('.').all(|label| !label.is_empty());
        // An address needs no leave.
        if is_name && name.parse::<IpAddr>().is_err() {
            return Ok(name);
        }
        Err(format!(
            "{} is not a name such as 'hc.example.org', without http:// and without a port; a \
             name beyond ASCII is written in punycode",
            quoted(text)
        ))
    })
}

/// What works, but perhaps not as it was meant.
pub fn remarks(access: &AccessSettings) -> Vec<String> {
    let mut remarks = Vec::new();
    for (name, token) in [("api_token", &access.api_token), ("read_token", &access.read_token)] {
        if token.as_ref().is_some_and(|token| token.reveal().len() < GOOD_TOKEN) {
            remarks.push(format!(
                "{name} is short and can be guessed; {GOOD_TOKEN} letters and digits or more are safe"
            ));
        }
    }
    if access.read_token.is_some() && access.api_token.is_none() {
        remarks.push(
            "read_token is set without api_token: everybody may change what only its holder may read"
                .to_owned(),
        );
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        Given::Text(text.to_owned())
    }

    #[test]
    fn a_token_can_be_sent_and_is_not_repeated() {
        let token = bearer_token(&given("a-b.c_d~e+f/g==")).unwrap().unwrap();
        assert_eq!(token.reveal(), "a-b.c_d~e+f/g==");
        assert_eq!(bearer_token(&given("")), Ok(None));
        for wrong in ["hunter 2", "hunterü", "hunter\n2"] {
            let why = bearer_token(&given(wrong)).unwrap_err();
            assert!(!why.contains("hunter"), "{why}");
        }
    }

    #[test]
    fn host_names_come_as_a_list_or_with_commas() {
        let both = vec!["hc.example.org".to_owned(), "pi".to_owned()];
        assert_eq!(host_names(&given("HC.example.org., pi, hc.example.org")), Ok(both.clone()));
        assert_eq!(host_names(&Given::List(both.clone())), Ok(both));
        assert_eq!(host_names(&given("")), Ok(vec![]));
        for wrong in ["http://pi", "pi:80", "*.example.org", "kü.de", "a..b", "10.0.0.1", "a b"] {
            assert!(host_names(&given(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_odd_is_remarked_on() {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        let none = AccessSettings::default();
        assert_eq!(remarks(&none), Vec::<String>::new());
        let long = secret("0123456789abcdef");
        let good = AccessSettings { api_token: long.clone(), ..none.clone() };
        assert_eq!(remarks(&good), Vec::<String>::new());
        let odd = AccessSettings { read_token: secret("hunter2"), ..none };
        let said = remarks(&odd).join("; ");
        assert!(
            said.contains("read_token is short") && said.contains("without api_token"),
            "{said}"
        );
        assert!(!said.contains("hunter2"));
    }
}
