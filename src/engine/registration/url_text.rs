//! The text of an address: what may be written, before it is asked whose it is. Whatever is said of one goes through
//! here, so that no error repeats a password.

use url::Url;

use super::fields::{FieldError, shown};
use crate::engine::text::plain::is_obeyed;

/// The longest address or path, in bytes: ten thousand apps of this length still fit in memory,
/// and no real address comes near.
pub(crate) const TEXT_MAX: usize = 512;
/// How an address begins.
pub(super) const BEGINNINGS: &str =
    "must begin with http://, https://, tcp:// or ping://, such as http://192.168.1.20:8080";

/// Reads what has no path as one of HTTP, so that it means the same host in every spelling: the URL standard
/// knows no other kinds of address. One port would be left out there.
pub(super) fn bare(url: &str, right: &str) -> Result<Url, FieldError> {
    let (_, rest) = url.split_once("//").ok_or_else(|| refused(url, right))?;
    let base = base(&format!("http://{rest}"), url)?;
    if base.path() == "/" { Ok(base) } else { Err(refused(url, right)) }
}

/// Reads `url`, or what is meant by it `as_http`.
pub(super) fn base(as_http: &str, url: &str) -> Result<Url, FieldError> {
    check_text("url", url)?;
    let lower = as_http.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(refused(url, BEGINNINGS));
    }
    if lower.contains("//[fe80:") {
        return Err(link_local(url));
    }
    if !authority(&lower).is_ascii() || authority(&lower).contains('%') {
        return Err(refused(
            url,
            "must have its host name in ASCII; a name beyond it is written in punycode (xn--...)",
        ));
    }
    let base = Url::parse(as_http).map_err(|why| refused(url, &format!("is no address: {why}")))?;
    if !base.username().is_empty() || base.password().is_some() {
        return Err(refused(
            url,
            "must carry no user or password: addresses are shown on pages and in mails; give them as \
             auth, USER:PASSWORD",
        ));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(refused(
            url,
            "must have no ? or #: the path is appended to it; a query belongs into path",
        ));
    }
    Ok(base)
}

/// What stands between `//` and the path: host, port, user.
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("//").map_or("", |(_, rest)| rest);
    // A browser, and so the URL standard, reads `\` as `/`.
    // Extra slashes are skipped, by the same standard.
    rest.trim_start_matches(['/', '\\']).split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

pub(super) fn link_local(url: &str) -> FieldError {
    refused(
        url,
        "is a link-local IPv6 address, which means nothing without an interface; \
         give an IPv4 address, a global one, or a name such as kodi.local",
    )
}

pub(super) fn check_text(field: &str, text: &str) -> Result<(), FieldError> {
    if text.len() > TEXT_MAX {
        let message = format!("{field} has {} bytes; at most {TEXT_MAX} are allowed", text.len());
        return Err(FieldError::of(field, message));
    }
    if text.chars().any(is_obeyed) {
        let message = format!("{field} must have no control characters, not {}", shown_url(text));
        return Err(FieldError::of(field, message));
    }
    Ok(())
}

pub(super) fn refused(url: &str, why: &str) -> FieldError {
    FieldError::of("url", format!("url {} {why}", shown_url(url)))
}

/// An address as an error may repeat it: without a user and a password, wherever they may end.
pub(crate) fn shown_url(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return shown(url) };
    let scheme = before.split_once("//").map_or("", |(scheme, _)| scheme);
    // A scheme is short, and has no login in it.
    let scheme = Some(scheme).filter(|it| it.ends_with(':') && it.matches(':').count() == 1);
    shown(&scheme.map_or_else(|| format!("…@{host}"), |scheme| format!("{scheme}//…@{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (url, hint) in [
            ("192.168.1.5:8080", "must begin with http://"),
            ("kodi:8080", "must begin with http://"),
            ("ftp://kodi", "must begin with http://"),
            ("http://", "is no address"),
            ("http://kodi:99999", "is no address"),
            ("http://user:secret@kodi", "give them as auth"),
            ("http://kodi?x=1", "must have no ? or #"),
            ("http://kodi#x", "must have no ? or #"),
            ("http://[fe80::1]:80", "link-local"),
            ("http://[fe80::1%25eth0]:80", "link-local"),
            ("http://küche", "punycode"),
            ("http://k%C3%BCche", "punycode"),
            ("http:///küche", "punycode"),
            ("http://ko\ndi", "no control characters"),
        ] {
            let why = base(url, url).unwrap_err();
            assert!(why.message.contains(hint), "{url}: {why}");
            assert_eq!(why.field.as_deref(), Some("url"));
        }
    }
}
