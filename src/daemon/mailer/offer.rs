//! What a server can do, as its answer to EHLO says it. Be liberal: small servers write it in their own way.

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// RFC 4616.
    Plain,
    /// draft-murchison-sasl-login.
    Login,
    /// Google's, with an OAuth2 access token.
    Xoauth2,
}

impl Mechanism {
    const ALL: [Mechanism; 3] = [Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2];

    /// Its name on the wire.
    pub(super) fn word(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::Xoauth2 => "XOAUTH2",
        }
    }
}

/// The extensions that matter to us. A server that speaks only HELO has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// RFC 3207.
    pub(super) starttls: bool,
    /// RFC 6531 and RFC 6152: addresses beyond ASCII.
    pub(super) utf8: bool,
    /// RFC 4954.
    pub(super) mechanisms: Vec<Mechanism>,
    /// It offers a login of some kind.
    pub(super) auth: bool,
}

impl Offer {
    /// Reads the lines of an answer to EHLO, the first of which is a greeting.
    pub(super) fn read(lines: &[String]) -> Offer {
        let mut offer = Offer::default();
        let (mut smtputf8, mut eight_bit) = (false, false);
        for line in lines.iter().skip(1) {
            // `AUTH=LOGIN` is from before RFC 2554, and still said.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "STARTTLS" => offer.starttls = true,
                "SMTPUTF8" => smtputf8 = true,
                "8BITMIME" => eight_bit = true,
                "AUTH" => {
                    offer.auth = true;
                    offer.mechanisms.extend(words.filter_map(named));
                }
                _ => {}
            }
        }
        offer.utf8 = smtputf8 && eight_bit;
        offer
    }
}

fn named(word: &str) -> Option<Mechanism> {
    Mechanism::ALL.into_iter().find(|it| it.word().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&str]) -> Offer {
        Offer::read(&lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_understood_in_any_spelling() {
        for line in ["AUTH LOGIN", "auth login", "AUTH=LOGIN", "Auth = Login CRAM-MD5"] {
            let offer = offer(&["mail.example", line]);
            assert_eq!((offer.auth, offer.mechanisms), (true, vec![Mechanism::Login]), "{line}");
        }
        assert!(offer(&["x", "starttls"]).starttls);
        assert!(offer(&["x", "smtputf8", "8bitmime"]).utf8);
        assert!(!offer(&["x", "SMTPUTF8"]).utf8, "it needs both (RFC 6531 section 3.1)");
    }

    #[test]
    fn the_servers_name_is_no_extension() {
        assert_eq!(offer(&["STARTTLS"]), Offer::default());
        assert_eq!(offer(&[]), Offer::default());
    }
}
