use crate::config::settings::{AccessSettings, Secret};
use crate::daemon::api::access::Marks;
use crate::daemon::api::response::openapi;
use crate::engine::registration::Origin;

use super::*;

fn ask_as(
    credentials: Credentials<'_>,
    method: &str,
    target: &str,
    body: &str,
) -> Result<Errand, Problem> {
    let settings = AccessSettings {
        api_token: Some(Secret::new("change".to_owned())),
        read_token: Some(Secret::new("read".to_owned())),
        allow_host: Vec::new(),
        public_url: None,
    };
    let access = Access::new(&settings, "pi").unwrap();
    let client =
        Client { addr: "10.0.0.8".parse().unwrap(), origin: Origin::Network, is_forwarded: false };
    let body = body.as_bytes();
    let format = Format::Json;
    let asked = Asked { method, target, content_type: None, body, client, credentials, format };
    route(
        &asked,
        &Rules {
            recipients: Recipients::new(Vec::new(), &[]),
            access,
            mute_key: key(),
            public_url: None,
        },
    )
}

fn key() -> std::sync::Arc<MuteKey> {
    MuteKey::random().unwrap().into()
}

const WITH_TOKEN: Credentials<'_> = Credentials {
    authorization: Some("Bearer change"),
    host: None,
    marks: Marks {
        origin: None,
        referer: None,
        fetch_site: None,
        fetch_metadata: false,
        user_agent: None,
    },
    wants_page: false,
};

fn ask(method: &str, target: &str, body: &str) -> Result<Errand, Problem> {
    ask_as(WITH_TOKEN, method, target, body)
}

fn ask_log(query: &str) -> Result<Errand, Problem> {
    ask_as(WITH_TOKEN, "GET", &format!("/healthchecker/log{query}"), "")
}

#[test]
fn every_route_asks_for_leave_before_it_looks_at_parameters() {
    for route in ROUTES {
        let paths = std::iter::once(&route.path).chain(route.other_paths);
        for (path, method) in
            paths.flat_map(|path| route.allowed().split(", ").map(move |it| (path, it)))
        {
            let target = format!("{path}?no=such");
            let nobody = ask_as(Credentials::default(), method, &target, "");
            assert_eq!(nobody.unwrap_err().status, 401, "{method} {path}");
            let reader = Credentials { authorization: Some("Bearer read"), ..WITH_TOKEN };
            let reader = ask_as(reader, method, &target, "").unwrap_err();
            let expected = if route.effect(method) == Effect::Reads { 400 } else { 401 };
            assert_eq!(reader.status, expected, "{method} {path}");
        }
    }
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let description: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    let described: std::collections::BTreeSet<(String, String)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    // A slash at the end is a courtesy to people: a description with both makes two of each client.
    let is_described = |path: &&&str| **path == "/" || !path.ends_with('/');
    let there = ROUTES.iter().flat_map(|route| {
        let paths = std::iter::once(&route.path).chain(route.other_paths);
        paths.filter(is_described).flat_map(|path| {
            // A HEAD goes without saying where there is a GET (RFC 9110, section 9.3.2).
            let methods = route.allowed().split(", ").filter(|method| *method != "HEAD");
            methods.map(|method| ((*path).to_owned(), method.to_owned()))
        })
    });
    assert_eq!(described, there.collect());
}

#[test]
fn every_path_is_there_once() {
    let paths: Vec<&str> = ROUTES
        .iter()
        .flat_map(|route| std::iter::once(&route.path).chain(route.other_paths))
        .copied()
        .collect();
    let unique: std::collections::BTreeSet<&str> = paths.iter().copied().collect();
    assert_eq!(unique.len(), paths.len());
}

#[test]
fn the_log_is_of_all_apps_or_one_and_bounded() {
    let query = |appname: Option<&str>, limit| Query { appname: appname.map(str::to_owned), limit };
    for (asked, expected) in [
        ("", query(None, LINES)),
        ("?appname=Kodi", query(Some("Kodi"), LINES)),
        ("?limit=1", query(None, 1)),
        ("?limit=10000&appname=K%C3%BCche", query(Some("Küche"), LINES_MAX)),
    ] {
        assert_eq!(ask_log(asked), Ok(Errand::Log(expected)), "{asked}");
    }
    for (asked, field) in [
        ("?limit=0", "limit"),
        ("?limit=10001", "limit"),
        ("?limit=%2B5", "limit"),
        ("?limit=many", "limit"),
        ("?limit=99999999999999999999", "limit"),
        ("?limit=", "limit"),
        ("?appname=", "appname"),
        ("?appname=a%0Ab", "appname"),
        ("?since=1", "since"),
    ] {
        let problem = ask_log(asked).unwrap_err();
        assert_eq!((problem.status, problem.field.as_deref()), (400, Some(field)), "{asked}");
    }
}

#[test]
fn every_path_leads_to_its_call() {
    let name = || "Kodi".to_owned();
    for (target, call) in [
        ("/healthchecker/pause?appname=Kodi", Errand::Do(Command::Pause(name()))),
        ("/healthchecker/resume?appname=Kodi", Errand::Do(Command::Resume(name()))),
        ("/healthchecker/stop?appname=Kodi", Errand::Do(Command::Stop(name()))),
        ("/healthchecker/stopmonitoring?appname=Kodi", Errand::Do(Command::Stop(name()))),
        ("/healthchecker/info?appname=Kodi", Errand::Show(Show::Info(name()))),
        ("/health", Errand::Show(Show::Health)),
    ] {
        assert_eq!(ask("GET", target, "").unwrap(), call, "{target}");
    }
    assert_eq!(
        ask("POST", "/healthchecker/stop", "appname=Kodi"),
        Ok(Errand::Do(Command::Stop(name())))
    );
    assert_eq!(ask("HEAD", "/health", ""), Ok(Errand::Show(Show::Health)));
}

#[test]
fn a_registration_comes_as_form_json_or_query() {
    let query = "/healthchecker/monitor?appname=a&url=http://nas";
    let Ok(Errand::Do(Command::Monitor(one))) = ask("POST", query, "") else {
        panic!("no registration");
    };
    for body in ["appname=a&url=http%3A%2F%2Fnas", r#"{"appname": "a", "url": "http://nas"}"#] {
        let call = ask("POST", "/healthchecker/monitor", body);
        assert_eq!(call, Ok(Errand::Do(Command::Monitor(one.clone()))));
    }
}

#[test]
fn a_form_is_shown_by_get_and_taken_by_post() {
    let target = "/healthchecker/watch";
    assert_eq!(ask("GET", target, ""), Ok(Errand::Show(Show::Form(None))));
    let of_kodi = ask("GET", &format!("{target}?appname=Kodi"), "");
    assert_eq!(of_kodi, Ok(Errand::Show(Show::Form(Some("Kodi".to_owned())))));
    let typed = vec![("appname".to_owned(), "a b".to_owned()), ("url".to_owned(), String::new())];
    assert_eq!(ask("POST", target, "appname=a+b&url="), Ok(Errand::Save(typed)));
    assert_eq!(ask("GET", &format!("{target}?url=x"), "").unwrap_err().status, 400);
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    for (method, target, allow) in [
        ("GET", "/healthchecker/monitor", "POST"),
        ("HEAD", "/healthchecker/stop", "GET, POST"),
        ("DELETE", "/healthchecker/stop", "GET, POST"),
        ("POST", "/healthchecker/status", "GET, HEAD"),
        ("OPTIONS", "/health", "GET, HEAD"),
        ("POST", "/healthchecker/log", "GET, HEAD"),
    ] {
        let problem = ask(method, target, "").unwrap_err();
        assert_eq!((problem.status, problem.headers), (405, vec![("Allow", allow)]), "{target}");
    }
}

#[test]
fn what_is_unknown_is_404_or_400() {
    for target in ["/x", "/healthchecker/x", "/healthchecker/info/", "/HEALTH", "//health"] {
        assert_eq!(ask("GET", target, "").unwrap_err().status, 404, "{target}");
    }
    for (target, field) in [
        ("/health?x=1", "x"),
        ("/healthchecker/status?format=xml", "format"),
        ("/healthchecker/info", "appname"),
        ("/healthchecker/info?appname=", "appname"),
        ("/healthchecker/pause?appname=a&for=10", "for"),
        ("/healthchecker/resume?appname=a&for=10m", "for"),
    ] {
        let problem = ask("GET", target, "").unwrap_err();
        assert_eq!((problem.status, problem.field.as_deref()), (400, Some(field)), "{target}");
    }
    assert_eq!(ask("POST", "/healthchecker/monitor", "{").unwrap_err().status, 400);
}
