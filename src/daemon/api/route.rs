//! Which call a request is.

use crate::daemon::checklog::Query;
use crate::daemon::gate::Client;
use crate::engine::registration::fields::{FieldError, Fields, Known, shown};
use crate::engine::registration::{Registration, any_name, single_name};

use super::parameters::{self, Pair};
use super::reply::Problem;

/// What a client asks the daemon to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Register an app, or update it.
    Monitor(Box<Registration>),
    /// Leave the app of this name alone for now.
    Pause(String),
    /// Check it again.
    Resume(String),
    /// Forget it.
    Stop(String),
    /// Show it.
    Info(String),
    /// Show everything.
    Status,
    /// Show how the daemon itself is.
    Health,
}

/// What a request is for, and who sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// The event loop.
    Loop(Call),
    /// Whoever reads the health check log.
    Log(Query),
}

/// A request as it came through the gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: &'a [u8],
    pub(super) client: Client,
}

const READ: &str = "GET, HEAD";
const CHANGE: &str = "GET, POST";
const REGISTER: &str = "POST";

const NOTHING: &[Known] = &[];
const STATUS: &[Known] = &[Known::new("format")];
const LOG: &[Known] = &[Known::new("appname"), Known::new("limit")];

/// How many lines of the log there are to see at once: what a person reads,
const LINES: usize = 100;
/// and what a program may want: a megabyte or so.
const LINES_MAX: usize = 10_000;

/// Finds the errand. `default_email` is for registrations that name nobody.
///
/// # Errors
/// What the client is answered instead: an unknown path, a wrong method, a bad parameter.
pub(super) fn route(asked: Asked<'_>, default_email: &[String]) -> Result<Errand, Problem> {
    let (path, query) = match asked.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked.target, None),
    };
    let allowed = allowed(path).ok_or_else(|| Problem::unknown_path(path))?;
    if !allowed.split(", ").any(|method| method == asked.method) {
        return Err(Problem::wrong_method(asked.method, allowed));
    }
    let pairs = parameters::read(query, asked.content_type, asked.body)?;
    match path {
        "/healthchecker/log" => Ok(Errand::Log(log_query(&pairs)?)),
        _ => call(path, &pairs, asked.client, default_email).map(Errand::Loop),
    }
}

/// The methods of a path; `None` if there is no such path. A HEAD must change nothing (RFC 9110,
/// section 9.2.1), though for the sake of small hardware a GET may.
fn allowed(path: &str) -> Option<&'static str> {
    match path {
        "/healthchecker/monitor" => Some(REGISTER),
        "/healthchecker/pause"
        | "/healthchecker/resume"
        | "/healthchecker/stop"
        | "/healthchecker/stopmonitoring" => Some(CHANGE),
        "/"
        | "/healthchecker"
        | "/healthchecker/"
        | "/healthchecker/status"
        | "/healthchecker/info"
        | "/healthchecker/log"
        | "/health" => Some(READ),
        _ => None,
    }
}

fn call(
    path: &str,
    pairs: &[Pair],
    client: Client,
    default_email: &[String],
) -> Result<Call, Problem> {
    let call = match path.strip_prefix("/healthchecker/").unwrap_or(path) {
        "monitor" => {
            let registration = Registration::from_fields(pairs, client.origin, default_email)?;
            Call::Monitor(Box::new(registration))
        }
        "pause" => Call::Pause(single_name("pause", pairs)?),
        "resume" => Call::Resume(single_name("resume", pairs)?),
        "stop" | "stopmonitoring" => Call::Stop(single_name("stop", pairs)?),
        "info" => Call::Info(single_name("info", pairs)?),
        "/health" => {
            Fields::read("health", NOTHING, pairs)?;
            Call::Health
        }
        _ => {
            check_format(&Fields::read("status", STATUS, pairs)?)?;
            Call::Status
        }
    };
    Ok(call)
}

fn log_query(pairs: &[Pair]) -> Result<Query, FieldError> {
    let fields = Fields::read("log", LOG, pairs)?;
    let appname = any_name(&fields)?;
    let limit = match fields.optional("limit")? {
        None => LINES,
        Some(text) => lines(text).ok_or_else(|| {
            let message =
                format!("limit must be 1 to {LINES_MAX} lines, whole, not {}", shown(text));
            FieldError::of("limit", message)
        })?,
    };
    Ok(Query { appname, limit })
}

fn lines(text: &str) -> Option<usize> {
    // `parse` alone would take `+5`.
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits?.parse().ok().filter(|lines| (1..=LINES_MAX).contains(lines))
}

fn check_format(fields: &Fields<'_>) -> Result<(), FieldError> {
    match fields.optional("format")? {
        None | Some("json") => Ok(()),
        Some(other) => {
            let message = format!("format must be json, not {}", shown(other));
            Err(FieldError::of("format", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::registration::Origin;

    use super::*;

    fn ask(method: &str, target: &str, body: &str) -> Result<Call, Problem> {
        let asked = Asked {
            method,
            target,
            content_type: None,
            body: body.as_bytes(),
            client: Client { addr: "10.0.0.8".parse().unwrap(), origin: Origin::Network },
        };
        route(asked, &[]).map(|errand| match errand {
            Errand::Loop(call) => call,
            Errand::Log(query) => panic!("{query:?}"),
        })
    }

    fn ask_log(query: &str) -> Result<Errand, Problem> {
        let asked = Asked {
            method: "GET",
            target: &format!("/healthchecker/log{query}"),
            content_type: None,
            body: &[],
            client: Client { addr: "10.0.0.8".parse().unwrap(), origin: Origin::Network },
        };
        route(asked, &[])
    }

    #[test]
    fn the_log_is_of_all_apps_or_one_and_bounded() {
        let query =
            |appname: Option<&str>, limit| Query { appname: appname.map(str::to_owned), limit };
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
            ("/healthchecker/pause?appname=Kodi", Call::Pause(name())),
            ("/healthchecker/resume?appname=Kodi", Call::Resume(name())),
            ("/healthchecker/stop?appname=Kodi", Call::Stop(name())),
            ("/healthchecker/stopmonitoring?appname=Kodi", Call::Stop(name())),
            ("/healthchecker/info?appname=Kodi", Call::Info(name())),
            ("/healthchecker/status?format=json", Call::Status),
            ("/healthchecker/", Call::Status),
            ("/", Call::Status),
            ("/health", Call::Health),
        ] {
            assert_eq!(ask("GET", target, "").unwrap(), call, "{target}");
        }
        assert_eq!(ask("POST", "/healthchecker/stop", "appname=Kodi"), Ok(Call::Stop(name())));
        assert_eq!(ask("HEAD", "/health", ""), Ok(Call::Health));
    }

    #[test]
    fn a_registration_comes_as_form_json_or_query() {
        let query = "/healthchecker/monitor?appname=a&url=http://nas";
        let Ok(Call::Monitor(one)) = ask("POST", query, "") else {
            panic!("no registration");
        };
        for body in ["appname=a&url=http%3A%2F%2Fnas", r#"{"appname": "a", "url": "http://nas"}"#] {
            let call = ask("POST", "/healthchecker/monitor", body);
            assert_eq!(call, Ok(Call::Monitor(one.clone())));
        }
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
            assert_eq!((problem.status, problem.allow), (405, Some(allow)), "{target}");
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
            ("/healthchecker/pause?appname=a&for=10m", "for"),
        ] {
            let problem = ask("GET", target, "").unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref()), (400, Some(field)), "{target}");
        }
        assert_eq!(ask("POST", "/healthchecker/monitor", "{").unwrap_err().status, 400);
    }
}
