//! The kinds of target: how it is found out whether somebody is well.

use super::fields::{FieldError, Fields, shown};
use super::url_text::{BEGINNINGS, shown_url};

/// How it is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its health is asked for over HTTP.
    Http,
    /// A port of it is connected to.
    Tcp,
    /// It is asked for an echo (ICMP).
    Ping,
    /// It is not asked: it reports, and is late if it does not.
    Beat,
}

/// Each kind: its word, and how an address of that kind begins.
const KINDS: [(Kind, &str, &[&str]); 4] = [
    (Kind::Http, "http", &["http://", "https://"]),
    (Kind::Tcp, "tcp", &["tcp://"]),
    (Kind::Ping, "ping", &["ping://"]),
    (Kind::Beat, "beat", &[]),
];
/// Those that are asked, at an address.
pub(super) const ASKED: &[Kind] = &[Kind::Http, Kind::Tcp, Kind::Ping];

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// The words of all.
    pub(crate) fn all() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(_, word, _)| *word)
    }

    /// That of an address.
    pub fn of_url(url: &str) -> Option<Kind> {
        let begins_with = |scheme: &&str| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        KINDS.iter().find(|(.., schemes)| schemes.iter().any(begins_with)).map(|(kind, ..)| *kind)
    }

    /// The kind that is called so.
    pub fn named(word: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, its, _)| *its == word).map(|(kind, ..)| *kind)
    }

    /// Reads `kind`; left out, it follows from `url`.
    ///
    /// # Errors
    /// It is none, or none that has such an address.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Kind, FieldError> {
        if fields.optional("kind")? == Some(Kind::Beat.word()) {
            return Ok(Kind::Beat);
        }
        let url = fields.required("url")?;
        let by_url = Kind::of_url(url)
            .ok_or_else(|| FieldError::of("url", format!("url {} {BEGINNINGS}", shown_url(url))))?;
        let Some(word) = fields.optional("kind")? else { return Ok(by_url) };
        let Some((kind, _, schemes)) = KINDS.iter().find(|(_, its, _)| *its == word) else {
            let message = format!("kind must be {}, not {}", Kind::words(), shown(word));
            return Err(FieldError::of("kind", message));
        };
        if *kind != by_url {
            let begins = schemes.join(" or ");
            let message = format!(
                "kind is {word}, but url {} does not begin with {begins}; leave kind out, it follows from url",
                shown_url(url)
            );
            return Err(FieldError::of("kind", message));
        }
        Ok(*kind)
    }

    /// The words of all, for people.
    pub(super) fn words() -> String {
        let words: Vec<&str> = Kind::all().collect();
        let (last, most) = words.split_last().unwrap_or((&"", &[]));
        format!("{} or {last}", most.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_from_the_address() {
        for (url, kind) in [
            ("http://nas", Some(Kind::Http)),
            ("HTTPS://nas", Some(Kind::Http)),
            ("Tcp://nas:22", Some(Kind::Tcp)),
            ("PING://nas", Some(Kind::Ping)),
            ("tcp:/nas:22", None),
            ("nas:22", None),
            ("beat", None),
            ("", None),
            ("ht", None),
            ("küche", None),
        ] {
            assert_eq!(Kind::of_url(url), kind, "{url}");
        }
        assert_eq!((Kind::Tcp.word(), Kind::words().as_str()), ("tcp", "http, tcp, ping or beat"));
    }
}
