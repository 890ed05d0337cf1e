//! The rules as people meet them: header sets of real clients, let through or not.

use proptest::option;
use proptest::prelude::*;

use super::browser::Reason;
use super::*;
use crate::config::settings::Secret;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CURL: &str = "curl/8.14.1";

fn access(api: Option<&str>, read: Option<&str>, allow_host: &[&str]) -> Access {
    let secret = |text: Option<&str>| text.map(|text| Secret::new(text.to_owned()));
    let settings = AccessSettings {
        api_token: secret(api),
        read_token: secret(read),
        allow_host: allow_host.iter().map(|name| (*name).to_owned()).collect(),
        public_url: None,
    };
    Access::new(&settings, "pi").unwrap()
}

fn open() -> Access {
    access(None, None, &[])
}

/// A request to `host`, by a client called `agent`.
fn from<'a>(host: &'a str, agent: &'a str) -> Credentials<'a> {
    let marks = Marks { user_agent: Some(agent), ..Marks::default() };
    Credentials { host: Some(host), marks, ..Credentials::default() }
}

fn on_page<'a>(host: &'a str, origin: &'a str) -> Credentials<'a> {
    let mut request = from(host, FIREFOX);
    request.marks.origin = Some(origin);
    request
}

fn refused(end: Result<(), Denial>) -> Option<Reason> {
    match end {
        Ok(()) => None,
        Err(Denial::Browser(reason)) => Some(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn programs_keep_their_gets_under_any_name() {
    for agent in [CURL, "python-requests/2.32.5", "ESP8266HTTPClient", "Wget/1.25", ""] {
        for host in ["192.168.1.5:9090", "pi.local", "hc.example.org", "evil.example"] {
            for method in ["GET", "POST"] {
                let request = from(host, agent);
                assert_eq!(open().admit(Effect::Changes, method, &request), Ok(()), "{agent}");
            }
        }
    }
    assert_eq!(open().admit(Effect::Changes, "GET", &Credentials::default()), Ok(()), "no header");
}

#[test]
fn an_image_or_a_link_on_a_page_changes_nothing() {
    let only = |marks| Credentials { host: Some("192.168.1.5"), marks, ..Credentials::default() };
    let none = Marks::default;
    for marks in [
        // Over http to a private address Chromium sends no more than this.
        Marks { user_agent: Some(FIREFOX), ..none() },
        Marks { user_agent: Some("Dillo/3.2.0"), ..none() },
        Marks { user_agent: Some("NetSurf/3.11 (Linux)"), ..none() },
        Marks { user_agent: Some("Opera/9.80 (Linux armv7l; HbbTV/1.2.1)"), ..none() },
        Marks { referer: Some("http://evil.example/"), ..none() },
        Marks { referer: Some("http://192.168.1.5/"), ..none() },
        Marks { fetch_site: Some("cross-site"), ..none() },
        Marks { fetch_site: Some("same-origin"), ..none() },
        Marks { fetch_metadata: true, ..none() },
        Marks { origin: Some("null"), ..none() },
    ] {
        let end = open().admit(Effect::Changes, "GET", &only(marks));
        assert_eq!(refused(end), Some(Reason::NotPosted), "{marks:?}");
    }
}

#[test]
fn only_our_own_page_may_post() {
    let post = |request: &Credentials<'_>| refused(open().admit(Effect::Changes, "POST", request));
    for host in ["192.168.1.5:9090", "[fe80::1]:9090", "pi", "pi.local:9090"] {
        assert_eq!(post(&on_page(host, &format!("http://{host}"))), None, "{host}");
    }
    for origin in
        ["http://evil.example", "null", "http://192.168.1.5:8080", "http://192.168.1.6:9090"]
    {
        assert_eq!(post(&on_page("192.168.1.5:9090", origin)), Some(Reason::ForeignPage));
    }
    let mut by_referer = from("pi.local", FIREFOX);
    assert_eq!(post(&by_referer), Some(Reason::NoPage));
    by_referer.marks.referer = Some("http://pi.local/?app=x");
    assert_eq!(post(&by_referer), None);
    by_referer.marks.origin = Some("http://evil.example");
    assert_eq!(post(&by_referer), Some(Reason::ForeignPage), "the origin goes first");
    let mut fetched = on_page("pi.local", "http://pi.local");
    for (site, end) in [
        ("same-origin", None),
        ("none", None),
        ("same-site", Some(Reason::ForeignPage)),
        ("cross-site", Some(Reason::ForeignPage)),
        ("", Some(Reason::ForeignPage)),
    ] {
        fetched.marks.fetch_site = Some(site);
        assert_eq!(post(&fetched), end, "{site}");
    }
}

#[test]
fn a_page_that_gave_us_its_name_changes_nothing() {
    let rebound = on_page("evil.example:9090", "http://evil.example:9090");
    let end = open().admit(Effect::Changes, "POST", &rebound);
    assert_eq!(refused(end), Some(Reason::ForeignName));
    let no_host = Credentials { host: None, ..on_page("", "http://evil.example") };
    let end = open().admit(Effect::Changes, "POST", &no_host);
    assert_eq!(refused(end), Some(Reason::ForeignName));
    let own = on_page("hc.example.org", "https://hc.example.org");
    let named = access(None, None, &["hc.example.org"]);
    assert_eq!(named.admit(Effect::Changes, "POST", &own), Ok(()), "the owner's own name");
}

#[test]
fn a_browser_may_read_under_any_name_until_the_owner_has_named_them() {
    let rebound = on_page("evil.example", "http://evil.example");
    assert_eq!(open().admit(Effect::Reads, "GET", &rebound), Ok(()));
    let named = access(None, None, &["hc.example.org"]);
    let end = named.admit(Effect::Reads, "GET", &rebound);
    assert_eq!(refused(end), Some(Reason::ForeignName));
    for host in ["192.168.1.5", "pi.local", "hc.example.org"] {
        assert_eq!(named.admit(Effect::Reads, "GET", &from(host, FIREFOX)), Ok(()), "{host}");
    }
    assert_eq!(named.admit(Effect::Reads, "GET", &from("evil.example", CURL)), Ok(()));
}

#[test]
fn a_token_opens_what_it_is_for() {
    use Effect::{Changes, Reads};
    for (api, read, opened_by_none, opened_by_api, opened_by_read) in [
        (None, None, [true, true], [true, true], [true, true]),
        (Some("a"), None, [false, true], [true, true], [false, true]),
        (Some("a"), Some("r"), [false, false], [true, true], [false, true]),
        (None, Some("r"), [true, false], [true, false], [true, true]),
    ] {
        let access = access(api, read, &[]);
        for (authorization, expected) in [
            (None, opened_by_none),
            (Some("Bearer a"), opened_by_api),
            (Some("Bearer r"), opened_by_read),
            (Some("Bearer x"), opened_by_none),
            (Some("Basic a"), opened_by_none),
            // "owner:a", ":r" and "a:x".
            (Some("Basic b3duZXI6YQ=="), opened_by_api),
            (Some("Basic OnI="), opened_by_read),
            (Some("Basic YTp4"), opened_by_none),
            (Some("Bearer "), opened_by_none),
        ] {
            let request = Credentials { authorization, ..from("pi", CURL) };
            let opened =
                [Changes, Reads].map(|effect| access.admit(effect, "POST", &request).is_ok());
            assert_eq!(opened, expected, "{api:?} {read:?} {authorization:?}");
        }
    }
}

#[test]
fn a_token_does_not_let_a_foreign_page_in_and_is_not_repeated() {
    let access = access(Some("hunter2"), Some("hunter2"), &[]);
    let mut foreign = on_page("pi.local", "http://evil.example");
    foreign.authorization = Some("Bearer hunter2");
    let end = access.admit(Effect::Changes, "POST", &foreign);
    assert_eq!(refused(end), Some(Reason::ForeignPage));
    let wrong = Credentials { authorization: Some("Bearer hunter3"), ..from("pi", CURL) };
    let denial = access.admit(Effect::Reads, "GET", &wrong).unwrap_err();
    assert_eq!(denial, Denial::Token { effect: Effect::Reads, given: true, login: false });
    for text in [denial.to_string(), format!("{denial:?} {access:?}")] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

/// "owner:hunter2", as a browser sends it along with whatever any page asks, once it has logged in.
const LOGIN: &str = "Basic b3duZXI6aHVudGVyMg==";

#[test]
fn a_foreign_page_changes_nothing_in_a_browser_that_has_logged_in() {
    let access = access(Some("hunter2"), Some("hunter2"), &[]);
    let host = "192.168.1.5:9090";
    let logged_in = |request| Credentials { authorization: Some(LOGIN), ..request };
    let image = logged_in(from(host, FIREFOX));
    let form = logged_in(on_page(host, "http://evil.example"));
    let rebound = logged_in(on_page("evil.example", "http://evil.example"));
    let own = logged_in(on_page(host, "http://192.168.1.5:9090"));
    let end = |method, request| access.admit(Effect::Changes, method, request);
    assert_eq!(refused(end("GET", &image)), Some(Reason::NotPosted));
    assert_eq!(refused(end("GET", &own)), Some(Reason::NotPosted));
    assert_eq!(refused(end("POST", &image)), Some(Reason::NoPage));
    assert_eq!(refused(end("POST", &form)), Some(Reason::ForeignPage));
    assert_eq!(refused(end("POST", &rebound)), Some(Reason::ForeignName));
    assert_eq!(end("POST", &own), Ok(()));
}

#[test]
fn only_a_person_at_a_browser_is_asked_to_log_in() {
    let access = access(Some("hunter2"), Some("hunter2"), &[]);
    let lynx = Credentials { wants_page: true, ..from("pi", "Lynx/2.9.2") };
    for (request, is_asked) in
        [(from("pi", CURL), false), (from("pi", FIREFOX), true), (lynx, true)]
    {
        for authorization in [None, Some("Basic b3duZXI6aHVudGVyMw==")] {
            let request = Credentials { authorization, ..request };
            let denial = access.admit(Effect::Reads, "GET", &request).unwrap_err();
            let given = authorization.is_some();
            let expected = Denial::Token { effect: Effect::Reads, given, login: is_asked };
            assert_eq!(denial, expected);
            let said = denial.to_string();
            assert_eq!(said.contains("password"), is_asked, "{said}");
            assert!(!said.contains("hunter"), "{said}");
        }
    }
}

/// Hosts and pages that are often the same, sometimes nearly.
#[test]
fn who_is_not_let_in_is_told_which_option_has_the_token() {
    for (effect, option) in
        [(Effect::Changes, " api_token"), (Effect::Reads, " read_token or api_token")]
    {
        for (given, login) in [(false, false), (false, true), (true, true)] {
            let said = Denial::Token { effect, given, login }.to_string();
            assert!(said.contains(option), "{said}");
        }
    }
}

fn address() -> impl Strategy<Value = String> {
    let host =
        prop::sample::select(vec!["pi", "pi.local", "10.0.0.1", "evil.example", "pi.evil.example"]);
    (host, option::of(prop::sample::select(vec!["80", "8080"]))).prop_map(|(host, port)| {
        port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    })
}

proptest! {
    /// Whatever a browser sends: what it changes, our own page has posted under a name of ours.
    #[test]
    fn a_browser_that_changes_something_is_on_our_own_page(
        host in option::of(address()),
        origin in option::of(address()),
        referer in option::of(address()),
        site in option::of(prop::sample::select(vec!["same-origin", "same-site", "cross-site", "none"])),
        agent in prop::sample::select(vec![FIREFOX, CURL]),
        method in prop::sample::select(vec!["GET", "POST"]),
    ) {
        let origin = origin.map(|page| format!("http://{page}"));
        let referer = referer.map(|page| format!("http://{page}/status"));
        let marks = Marks {
            origin: origin.as_deref(),
            referer: referer.as_deref(),
            fetch_site: site,
            fetch_metadata: false,
            user_agent: Some(agent),
        };
        let request = Credentials { host: host.as_deref(), marks, ..Credentials::default() };
        let admitted = open().admit(Effect::Changes, method, &request).is_ok();
        if origin.is_some() || referer.is_some() || site.is_some() || agent == FIREFOX {
            let page = origin.or(referer).unwrap_or_default();
            let own = host.as_deref().is_some_and(|host| page.trim_start_matches("http://").trim_end_matches("/status") == host);
            let foreign = host.unwrap_or_default().contains("evil") || matches!(site, Some("same-site" | "cross-site"));
            prop_assert_eq!(admitted, method == "POST" && own && !foreign);
        } else {
            prop_assert!(admitted, "a program");
        }
    }
}
