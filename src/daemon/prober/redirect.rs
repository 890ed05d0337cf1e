//! Which redirects a check follows.

use ureq::http::Response;
use ureq::http::header::LOCATION;
use url::{Host, Url};

use crate::engine::verdict::trouble::Trouble;

/// The most redirects that are followed in one check.
pub(super) const REDIRECTS_MAX: usize = 3;

/// Where an answer leads: `None` when it is no redirect, or a redirect without a place to go.
///
/// # Errors
///
/// [`Trouble::RedirectElsewhere`] when it leads anywhere but to the same host and port, or from
/// http to https of the same host: a login page somewhere else is not this app.
pub(super) fn target<B>(from: &str, answer: &Response<B>) -> Result<Option<Url>, Trouble> {
    let status = answer.status().as_u16();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = answer.headers().get(LOCATION);
    let Some(location) = location.and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    else {
        return Ok(None);
    };
    let elsewhere = |to: String| Trouble::RedirectElsewhere { status, to };
    let to = Url::parse(from).ok().filter(|_| authority(location).is_ascii());
    match to.and_then(|from| Some((from.join(location).ok()?, from))) {
        Some((to, from)) if is_near(&from, &to) => Ok(Some(to)),
        Some((to, _)) => Err(elsewhere(place(&to))),
        None => Err(elsewhere(place_as_written(location))),
    }
}

/// The place of `url`, if it is another one than that of `first`.
pub(super) fn place_if_other(first: &str, url: &str) -> Option<String> {
    let (first, url) = (Url::parse(first).ok(), Url::parse(url).ok());
    let is_same = first.is_some() && first.as_ref().map(place) == url.as_ref().map(place);
    (!is_same).then(|| url.as_ref().map(place).unwrap_or_default())
}

/// Host and port as they are written in `location`, if they are. Our URL parser has no tables for names
/// beyond ASCII, and an app's own name is never such a one (see its registration).
fn authority(location: &str) -> &str {
    let slashes = |c| matches!(c, '/' | '\\');
    let Some(start) = location.find(slashes) else { return "" };
    let (before, rest) = location.split_at(start);
    let is_absolute = before.is_empty() || before.ends_with(':');
    if !is_absolute || !rest.chars().nth(1).is_some_and(slashes) {
        return "";
    }
    rest.trim_start_matches(slashes).split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn is_near(from: &Url, to: &Url) -> bool {
    let same_host = from.host().is_some() && from.host() == to.host();
    let same_port = from.port_or_known_default() == to.port_or_known_default();
    match (from.scheme(), to.scheme()) {
        ("http", "https") => same_host,
        ("http", "http") | ("https", "https") => same_host && same_port,
        _ => false,
    }
}

/// Scheme, host and port: the rest of an address may hold a session or a password.
fn place(url: &Url) -> String {
    let host = url.host().map(|host: Host<&str>| host.to_string());
    let port = url.port().map(|port| format!(":{port}"));
    format!("{}://{}{}", url.scheme(), host.unwrap_or_default(), port.unwrap_or_default())
}

/// The same of an address that we cannot read.
fn place_as_written(location: &str) -> String {
    let authority = authority(location);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let scheme = location.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    format!("{scheme}//{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(from: &str, location: &str) -> Result<Option<String>, String> {
        let answer = Response::builder().status(302).header(LOCATION, location);
        match target(from, &answer.body(()).unwrap()) {
            Ok(to) => Ok(to.map(|to| to.to_string())),
            Err(Trouble::RedirectElsewhere { status: 302, to }) => Err(to),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn redirects_within_the_app_are_followed() {
        for (from, location, to) in [
            ("http://nas/health", "/health/", "http://nas/health/"),
            ("http://nas/a/health", "b?c=d", "http://nas/a/b?c=d"),
            ("http://nas/health", "http://NAS:80/x", "http://nas/x"),
            ("http://nas/health", "https://nas/health", "https://nas/health"),
            ("http://nas:8080/", "https://nas:8443/", "https://nas:8443/"),
            ("http://nas/", "//nas/x", "http://nas/x"),
            ("http://nas/", "/a//\u{fc}X", "http://nas/a//%C3%BCX"),
        ] {
            assert_eq!(lead(from, location), Ok(Some(to.to_owned())), "{location}");
        }
    }

    #[test]
    fn redirects_elsewhere_are_not() {
        for (from, location, to) in [
            ("http://nas/", "http://tv/?token=x", "http://tv"),
            ("http://nas/", "http://nas:81/", "http://nas:81"),
            ("https://nas/", "http://nas/", "http://nas"),
            ("https://nas:8443/", "http://nas:8443/", "http://nas:8443"),
            ("http://nas/", "ftp://nas/", "ftp://nas"),
            ("http://nas/", "file:///etc/passwd", "file://"),
            ("http://nas/", "http://a:b@nas.evil/", "http://nas.evil"),
            ("http://nas/", "http://[::1", "http://[::1"),
            ("http://nas/", "//K\u{dc}CHE/x", "//K\u{dc}CHE"),
            ("http://nas/", "https:\\\\K\u{dc}CHE", "https://K\u{dc}CHE"),
            ("http://nas/", "http://a:b@k\u{fc}che/?token=x", "http://k\u{fc}che"),
        ] {
            assert_eq!(lead(from, location), Err(to.to_owned()), "{location}");
        }
    }

    #[test]
    fn another_place_is_another_scheme_host_or_port() {
        for (first, url, other) in [
            ("http://nas/health", "http://nas/login", None),
            ("https://nas:443/", "https://nas/", None),
            ("http://nas/", "https://nas/", Some("https://nas")),
            ("http://nas/", "http://nas:81/", Some("http://nas:81")),
            ("http://nas/", "http://tv/?token=x", Some("http://tv")),
            ("nas", "nas", Some("")),
        ] {
            assert_eq!(place_if_other(first, url).as_deref(), other, "{first} {url}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_an_answer_like_any_other() {
        for status in [200, 300, 304, 302] {
            let answer = Response::builder().status(status).body(()).unwrap();
            assert_eq!(target("http://nas/", &answer), Ok(None));
        }
    }
}
