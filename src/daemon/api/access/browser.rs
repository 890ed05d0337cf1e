//! Browsers: they do what any page in them says, and bring along where the owner is let in.
//!
//! Programs (curl, python-requests, an ESP8266) ask only what they were told to ask, and keep their
//! GETs. A browser is known by its marks. Over plain HTTP, to an address in the household, today's
//! send neither `Sec-Fetch-*` nor, for an image, `Origin` or `Referer`: what is left is `User-Agent`.

use std::fmt;

use super::Credentials;
use super::host::{Authority, Names};

/// So every large browser's `User-Agent` has begun for thirty years, and those of small ones that fetch
/// what a page names: Dillo and NetSurf for small machines, Opera on older TVs.
const BROWSER_AGENTS: [&str; 4] = ["Mozilla/", "Dillo/", "NetSurf/", "Opera/"];

/// What a browser leaves in a request.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::daemon::api) struct Marks<'a> {
    pub(in crate::daemon::api) origin: Option<&'a str>,
    pub(in crate::daemon::api) referer: Option<&'a str>,
    pub(in crate::daemon::api) fetch_site: Option<&'a str>,
    /// Any `Sec-Fetch-` header is there that only a browser sends.
    pub(in crate::daemon::api) fetch_metadata: bool,
    pub(in crate::daemon::api) user_agent: Option<&'a str>,
}

/// Why a browser may not do what it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon::api) enum Reason {
    /// Not by POST: a link or an image could have asked.
    NotPosted,
    /// From another site's page.
    ForeignPage,
    /// It does not say from which page.
    NoPage,
    /// Under a name that a foreign page may have.
    ForeignName,
}

impl Marks<'_> {
    /// Whether a browser has asked.
    pub(super) fn are_there(&self) -> bool {
        self.origin.is_some()
            || self.referer.is_some()
            || self.fetch_site.is_some()
            || self.fetch_metadata
            || self.user_agent.is_some_and(is_browser)
    }
}

fn is_browser(agent: &str) -> bool {
    BROWSER_AGENTS.iter().any(|browser| agent.starts_with(browser))
}

/// Whether a browser may change something: only by POST, from our own page, under a name of ours.
pub(super) fn may_change(
    method: &str,
    from: &Credentials<'_>,
    names: &Names,
) -> Result<(), Reason> {
    if method != "POST" {
        return Err(Reason::NotPosted);
    }
    // "none" is the person at the browser, without any page.
    if !matches!(from.marks.fetch_site, None | Some("same-origin" | "none")) {
        return Err(Reason::ForeignPage);
    }
    let page = from.marks.origin.or(from.marks.referer).ok_or(Reason::NoPage)?;
    let here = from.host.and_then(Authority::of_host).ok_or(Reason::ForeignName)?;
    if Authority::of_url(page).as_ref() != Some(&here) {
        return Err(Reason::ForeignPage);
    }
    if names.know(&here) { Ok(()) } else { Err(Reason::ForeignName) }
}

/// Whether a browser may read. Other sites cannot see what it reads, but for a page that has given
/// us its own name. A household with a domain of its own looks just so: only once the owner has
/// named the names, the others are turned away.
pub(super) fn may_read(from: &Credentials<'_>, names: &Names) -> Result<(), Reason> {
    let known = || from.host.and_then(Authority::of_host).is_some_and(|here| names.know(&here));
    if !names.are_named() || known() { Ok(()) } else { Err(Reason::ForeignName) }
}

/// For the owner, who may be the one that is turned away.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::NotPosted => {
                "a browser may change something only by POST, from the status page: any page could \
                 hold a link to this. A program should not send Origin, Referer, Sec-Fetch headers \
                 or a User-Agent that begins with Mozilla/"
            }
            Reason::ForeignPage => {
                "a browser may change something only from the health checker's own status page, \
                 and this request comes from another one. A proxy in between must hand on the header \
                 Host as it came (nginx: proxy_set_header Host $http_host)"
            }
            Reason::NoPage => {
                "a browser may change something only from the health checker's own status page, \
                 and this request names no page in Origin or Referer. A program should not send \
                 Sec-Fetch headers or a User-Agent that begins with Mozilla/"
            }
            Reason::ForeignName => {
                "the name in the address bar could belong to a foreign page. Use the address of \
                 the health checker, or have its owner add the name to the option allow_host"
            }
        })
    }
}
