//! The one table of routes: which call a request is, and whether it changes something.
//!
//! A route either shows something or changes something, and its function's type says which: only
//! [`Does::Change`] can make a [`Command`], and who may make one is decided before it is made.

use crate::daemon::checklog::Query;
use crate::daemon::gate::Client;
use crate::engine::alerts::recipients::Recipients;
use crate::engine::registration::fields::{FieldError, Fields, Known, shown};
use crate::engine::registration::{Registration, any_name, app_name, single_name};

use super::access::{Access, Credentials, Effect};
use super::format::Format;
use super::parameters::{self, Pair};
use super::reply::Problem;

/// What a client asks the event loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// To change something.
    Do(Command),
    /// To show something.
    Show(Question),
}

/// What a client has the daemon change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Register an app, or update it.
    Monitor(Box<Registration>),
    /// Leave the app of this name alone for now.
    Pause(String),
    /// Check it again.
    Resume(String),
    /// Forget it.
    Stop(String),
    /// Ask it now.
    Check(String),
}

/// What a client wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// One app.
    Info(String),
    /// How the daemon itself is.
    Health,
}

/// What a request is for, and who sees to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// The event loop.
    Loop(Call),
    /// Whoever reads the health check log.
    Log(Query),
    /// Whoever puts an answer together from many looks.
    Fetch(Fetch),
}

/// Answers that are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    /// All apps as JSON.
    Status,
    /// All apps as a page.
    Board,
    /// One app as a page.
    AppPage(String),
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
    pub(super) credentials: Credentials<'a>,
    /// What the client accepts.
    pub(super) format: Format,
}

/// What the owner wants of every call.
#[derive(Debug)]
pub struct Rules {
    /// Where mail may go.
    pub recipients: Recipients,
    /// Who may do what.
    pub access: Access,
}

/// One route.
pub(super) struct Route {
    /// Where it is; the other paths are shorter or older.
    pub(super) path: &'static str,
    pub(super) other_paths: &'static [&'static str],
    pub(super) does: Does,
}

/// What a route does.
pub(super) enum Does {
    /// It shows something, by GET and HEAD.
    Read(fn(&[Pair], Format) -> Result<Errand, Problem>),
    /// It changes something.
    Change(By, fn(&[Pair], &Asked<'_>, &Rules) -> Result<Command, Problem>),
}

/// By which methods something is changed. Never by HEAD, which must change nothing (RFC 9110, section
/// 9.2.1), though for the sake of small hardware a GET may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Post,
    GetOrPost,
}

impl Route {
    /// The methods, for `Allow`.
    pub(super) fn allowed(&self) -> &'static str {
        match self.does {
            Does::Read(_) => "GET, HEAD",
            Does::Change(By::GetOrPost, _) => "GET, POST",
            Does::Change(By::Post, _) => "POST",
        }
    }

    pub(super) fn effect(&self) -> Effect {
        match self.does {
            Does::Read(_) => Effect::Reads,
            Does::Change(..) => Effect::Changes,
        }
    }

    fn is_at(&self, path: &str) -> bool {
        self.path == path || self.other_paths.contains(&path)
    }
}

const NOTHING: &[Known] = &[];
const STATUS: &[Known] = &[Known::new("format")];
const INFO: &[Known] = &[Known::new("appname"), Known::new("format")];
const LOG: &[Known] = &[Known::new("appname"), Known::new("limit")];

/// How many lines of the log there are to see at once: what a person reads,
const LINES: usize = 100;
/// and what a program may want: a megabyte or so.
const LINES_MAX: usize = 10_000;

/// Every route there is.
pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/healthchecker/monitor",
        other_paths: &[],
        does: Does::Change(By::Post, |pairs, asked, rules| {
            let origin = asked.client.origin;
            let registration = Registration::from_fields(pairs, origin, &rules.recipients)?;
            Ok(Command::Monitor(Box::new(registration)))
        }),
    },
    Route {
        path: "/healthchecker/pause",
        other_paths: &[],
        does: Does::Change(By::GetOrPost, |pairs, _, _| {
            Ok(Command::Pause(single_name("pause", pairs)?))
        }),
    },
    Route {
        path: "/healthchecker/resume",
        other_paths: &[],
        does: Does::Change(By::GetOrPost, |pairs, _, _| {
            Ok(Command::Resume(single_name("resume", pairs)?))
        }),
    },
    Route {
        path: "/healthchecker/stop",
        other_paths: &["/healthchecker/stopmonitoring"],
        does: Does::Change(By::GetOrPost, |pairs, _, _| {
            Ok(Command::Stop(single_name("stop", pairs)?))
        }),
    },
    Route {
        path: "/healthchecker/check",
        other_paths: &[],
        does: Does::Change(By::Post, |pairs, _, _| {
            Ok(Command::Check(single_name("check", pairs)?))
        }),
    },
    Route {
        path: "/healthchecker/info",
        other_paths: &[],
        does: Does::Read(|pairs, accepted| {
            let fields = Fields::read("info", INFO, pairs)?;
            let name = app_name(&fields)?;
            match format(&fields, accepted)? {
                Format::Json => show(Question::Info(name)),
                Format::Html => Ok(Errand::Fetch(Fetch::AppPage(name))),
            }
        }),
    },
    Route {
        path: "/healthchecker/status",
        other_paths: &["/", "/healthchecker", "/healthchecker/"],
        does: Does::Read(|pairs, accepted| {
            let fields = Fields::read("status", STATUS, pairs)?;
            Ok(Errand::Fetch(match format(&fields, accepted)? {
                Format::Json => Fetch::Status,
                Format::Html => Fetch::Board,
            }))
        }),
    },
    Route {
        path: "/healthchecker/log",
        other_paths: &[],
        does: Does::Read(|pairs, _| Ok(Errand::Log(log_query(pairs)?))),
    },
    Route {
        path: "/health",
        other_paths: &[],
        does: Does::Read(|pairs, _| {
            Fields::read("health", NOTHING, pairs)?;
            show(Question::Health)
        }),
    },
];

fn show(question: Question) -> Result<Errand, Problem> {
    Ok(Errand::Loop(Call::Show(question)))
}

/// Finds the errand.
///
/// # Errors
/// What the client is answered instead: an unknown path, a wrong method, no leave, a bad parameter.
pub(super) fn route(asked: &Asked<'_>, rules: &Rules) -> Result<Errand, Problem> {
    let (path, query) = match asked.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked.target, None),
    };
    let route = ROUTES.iter().find(|route| route.is_at(path));
    let route = route.ok_or_else(|| Problem::unknown_path(path))?;
    let allowed = route.allowed();
    if !allowed.split(", ").any(|method| method == asked.method) {
        return Err(Problem::wrong_method(asked.method, allowed));
    }
    rules.access.admit(route.effect(), asked.method, &asked.credentials)?;
    let pairs = parameters::read(query, asked.content_type, asked.body)?;
    match route.does {
        Does::Read(question) => question(&pairs, asked.format),
        Does::Change(_, command) => Ok(Errand::Loop(Call::Do(command(&pairs, asked, rules)?))),
    }
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

/// What is asked for by name goes before what is accepted.
fn format(fields: &Fields<'_>, accepted: Format) -> Result<Format, FieldError> {
    let Some(word) = fields.optional("format")? else { return Ok(accepted) };
    Format::named(word).ok_or_else(|| {
        FieldError::of("format", format!("format must be json or html, not {}", shown(word)))
    })
}

#[cfg(test)]
mod tests {
    use crate::config::settings::{AccessSettings, Secret};
    use crate::daemon::api::access::Marks;
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
        };
        let access = Access::new(&settings, "pi").unwrap();
        let client = Client { addr: "10.0.0.8".parse().unwrap(), origin: Origin::Network };
        let body = body.as_bytes();
        let format = Format::Json;
        let asked = Asked { method, target, content_type: None, body, client, credentials, format };
        route(&asked, &Rules { recipients: Recipients::new(Vec::new(), &[]), access })
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
    };

    fn ask(method: &str, target: &str, body: &str) -> Result<Call, Problem> {
        ask_as(WITH_TOKEN, method, target, body).map(|errand| match errand {
            Errand::Loop(call) => call,
            other => panic!("{other:?}"),
        })
    }

    fn ask_log(query: &str) -> Result<Errand, Problem> {
        ask_as(WITH_TOKEN, "GET", &format!("/healthchecker/log{query}"), "")
    }

    #[test]
    fn every_route_asks_for_leave_before_it_looks_at_parameters() {
        for route in ROUTES {
            let method = if route.effect() == Effect::Reads { "GET" } else { "POST" };
            for path in std::iter::once(&route.path).chain(route.other_paths) {
                let target = format!("{path}?no=such");
                let nobody = ask_as(Credentials::default(), method, &target, "");
                assert_eq!(nobody.unwrap_err().status, 401, "{path}");
                let reader = Credentials { authorization: Some("Bearer read"), ..WITH_TOKEN };
                let reader = ask_as(reader, method, &target, "").unwrap_err();
                let expected = if route.effect() == Effect::Reads { 400 } else { 401 };
                assert_eq!(reader.status, expected, "{path}");
            }
        }
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
            ("/healthchecker/pause?appname=Kodi", Call::Do(Command::Pause(name()))),
            ("/healthchecker/resume?appname=Kodi", Call::Do(Command::Resume(name()))),
            ("/healthchecker/stop?appname=Kodi", Call::Do(Command::Stop(name()))),
            ("/healthchecker/stopmonitoring?appname=Kodi", Call::Do(Command::Stop(name()))),
            ("/healthchecker/info?appname=Kodi", Call::Show(Question::Info(name()))),
            ("/health", Call::Show(Question::Health)),
        ] {
            assert_eq!(ask("GET", target, "").unwrap(), call, "{target}");
        }
        assert_eq!(
            ask("POST", "/healthchecker/stop", "appname=Kodi"),
            Ok(Call::Do(Command::Stop(name())))
        );
        assert_eq!(ask("HEAD", "/health", ""), Ok(Call::Show(Question::Health)));
    }

    #[test]
    fn a_registration_comes_as_form_json_or_query() {
        let query = "/healthchecker/monitor?appname=a&url=http://nas";
        let Ok(Call::Do(Command::Monitor(one))) = ask("POST", query, "") else {
            panic!("no registration");
        };
        for body in ["appname=a&url=http%3A%2F%2Fnas", r#"{"appname": "a", "url": "http://nas"}"#] {
            let call = ask("POST", "/healthchecker/monitor", body);
            assert_eq!(call, Ok(Call::Do(Command::Monitor(one.clone()))));
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
            assert_eq!((problem.status, problem.header), (405, Some(("Allow", allow))), "{target}");
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
