//! What the event loop answers, and how that looks on the wire.
//!
//! The loop hands over plain data; turning it into bytes happens on the API's threads.

use std::io::{Cursor, Read};

use serde::Serialize;
use tiny_http::{Header, Response, ResponseBox, StatusCode};

use super::access::Refusal;
use super::format::Format;
use crate::daemon::checklog::Found;
use crate::daemon::gate::NO_PAGE_POLICY;
use crate::daemon::{clock, metrics, page};
use crate::engine::registration::fields::{FieldError, shown};
use crate::engine::show::export::Export;
use crate::engine::show::view::{HealthView, InfoView, StatusView};
use crate::engine::words::plain::harmless_json;

/// OpenAPI 3.1, every route with its full path.
pub(super) const OPENAPI: &str = include_str!("openapi.json");
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HEALTH_JSON: &str = "application/health+json";
/// JSON lines. Nothing is registered for them; this is what programs know them by.
const JSON_LINES: &str = "application/x-ndjson";
/// Where a token is missing, what programs are told (RFC 6750, section 3),
const BEARER: (&str, &str) = ("WWW-Authenticate", "Bearer");
/// and browsers, which then ask their person for it (RFC 7617, sections 2 and 2.1). In a header of its
/// own: some read no more than the first challenge of one.
const BASIC: (&str, &str) =
    ("WWW-Authenticate", "Basic realm=\"HealthChecker\", charset=\"UTF-8\"");
const SERVER: &str = concat!("healthchecker/", env!("CARGO_PKG_VERSION"));

/// The answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To a change: it is done.
    Done(Done),
    /// To `info`.
    Info(Box<InfoView>),
    /// To `/health`; 200 with a warning, too.
    Health(Box<HealthView>),
    /// It cannot be done.
    Problem(Problem),
}

/// A change that is made, and on disk before the client learns of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What it is about: in JSON a member that is called like the parameter.
    #[serde(flatten)]
    pub about: About,
    /// What became of it.
    pub result: Change,
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The app of this name.
    AppName(String),
    /// The mails to this address.
    Email(String),
}

/// What became of an app, or of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Registered,
    /// It was known, and something differs.
    Updated,
    /// It was known just so.
    Unchanged,
    /// It is left alone, or was already.
    Paused,
    /// It is checked again, or was already.
    Resumed,
    /// It is forgotten.
    Stopped,
    /// It is being asked now.
    Asked,
    /// That mails were refused is no longer shown.
    Seen,
}

/// Why a call cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// A sentence for the person who made the call.
    pub error: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Headers that go with the status, such as `Allow` with its methods.
    #[serde(skip)]
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Problem {
    /// 404: no app of this name.
    pub fn unknown_app(name: &str) -> Problem {
        let error = format!("no app is registered by the name {}", shown(name));
        Problem { field: Some("appname".to_owned()), ..Problem::new(404, error) }
    }

    /// 404: no mail to this address was refused.
    pub fn nothing_refused(address: &str) -> Problem {
        let error = format!("no mail to {} was refused, or it has been seen since", shown(address));
        Problem { field: Some("email".to_owned()), ..Problem::new(404, error) }
    }

    /// 409: the app of this name is paused.
    pub fn paused(name: &str) -> Problem {
        Problem::new(409, format!("{} is paused; resume it first", shown(name)))
    }

    /// 503 or 507: carried out, but not on disk; `error` says why.
    pub fn not_kept(status: u16, error: String) -> Problem {
        Problem::new(status, error)
    }

    /// 503: not now; `error` says why and what to do.
    pub fn unavailable(error: String) -> Problem {
        Problem { headers: vec![("Retry-After", "1")], ..Problem::new(503, error) }
    }

    pub(super) fn unknown_path(path: &str) -> Problem {
        let error = format!("there is nothing at {}; try /healthchecker/status", shown(path));
        Problem::new(404, error)
    }

    pub(super) fn wrong_method(method: &str, allow: &'static str) -> Problem {
        Problem {
            headers: vec![("Allow", allow)],
            ..Problem::new(405, format!("{method} is not allowed here; use {allow}"))
        }
    }

    pub(super) fn new(status: u16, error: String) -> Problem {
        Problem { status, error, field: None, headers: Vec::new() }
    }
}

/// 400, with the parameter.
impl From<FieldError> for Problem {
    fn from(why: FieldError) -> Problem {
        Problem { field: why.field, ..Problem::new(400, why.message) }
    }
}

/// 401 or 403.
impl From<Refusal> for Problem {
    fn from(why: Refusal) -> Problem {
        let (status, headers) = match why {
            Refusal::Token { login: true, .. } => (401, vec![BASIC, BEARER]),
            Refusal::Token { login: false, .. } => (401, vec![BEARER]),
            Refusal::Browser(_) => (403, Vec::new()),
        };
        Problem { headers, ..Problem::new(status, why.to_string()) }
    }
}

/// The reply as a response, in the format that the client wants.
pub(super) fn response(reply: &Reply, format: Format) -> ResponseBox {
    match reply {
        Reply::Done(done) => json(200, JSON, done),
        Reply::Info(info) => json(200, JSON, info),
        Reply::Health(health) => json(200, HEALTH_JSON, health),
        Reply::Problem(problem) => problem_response(problem, format),
    }
}

/// A problem as a response: a program gets JSON, the person at a browser a page.
pub(super) fn problem_response(problem: &Problem, format: Format) -> ResponseBox {
    let response = match format {
        Format::Json => json(problem.status, JSON, problem),
        Format::Html => {
            page_response(problem.status, page::problem(problem.status, &problem.error))
        }
    };
    with_headers_of(problem, response)
}

fn with_headers_of(problem: &Problem, response: ResponseBox) -> ResponseBox {
    let headers = problem.headers.iter();
    headers.fold(response, |response, (name, value)| with(response, name, value))
}

/// All apps, as JSON.
pub(super) fn status_response(status: &StatusView) -> ResponseBox {
    json(200, JSON, status)
}

/// A web page.
pub(super) fn page_response(status: u16, page: String) -> ResponseBox {
    with_policy(status, HTML, page.len(), Box::new(Cursor::new(page)), page::policy())
}

/// Every registration, for a browser to save.
pub(super) fn export_response(export: &Export) -> ResponseBox {
    let response = json(200, JSON, export);
    with(response, "Content-Disposition", "attachment; filename=\"healthchecker.json\"")
}

/// What there is to ask for, for programs.
pub(super) fn openapi_response() -> ResponseBox {
    with_policy(200, JSON, OPENAPI.len(), Box::new(OPENAPI.as_bytes()), NO_PAGE_POLICY)
}

/// Numbers for Prometheus.
pub(super) fn metrics_response(text: String) -> ResponseBox {
    of_text(200, metrics::MEDIA_TYPE, text)
}

/// 303: what a form asked for is done, see there (RFC 9110, section 15.4.4).
pub(super) fn see_other(location: &str) -> ResponseBox {
    with(of_text(303, TEXT, String::new()), "Location", location)
}

fn json(status: u16, content_type: &str, shown: &impl Serialize) -> ResponseBox {
    let (status, mut body) = match serde_json::to_string(shown) {
        // Whoever asks with curl has it on a terminal.
        Ok(body) => (status, harmless_json(&body).into_owned()),
        Err(why) => {
            log::error!("cannot write an answer as JSON: {why}");
            (500, r#"{"error":"the answer cannot be shown"}"#.to_owned())
        }
    };
    // So that a shell's prompt has a line of its own.
    body.push('\n');
    of_text(status, content_type, body)
}

/// Lines of the health check log, read from the disk as they are sent.
pub(super) fn log_response(found: Found) -> ResponseBox {
    with_policy(200, JSON_LINES, found.len(), Box::new(found), NO_PAGE_POLICY)
}

fn of_text(status: u16, content_type: &str, text: String) -> ResponseBox {
    with_policy(status, content_type, text.len(), Box::new(Cursor::new(text)), NO_PAGE_POLICY)
}

fn with_policy(
    status: u16,
    content_type: &str,
    length: usize,
    body: Box<dyn Read + Send>,
    policy: &str,
) -> ResponseBox {
    let response = Response::new(StatusCode(status), Vec::new(), body, Some(length), None)
        // The length is known, and the smallest clients understand no chunks.
        .with_chunked_threshold(usize::MAX);
    // Without one, tiny_http writes its own, and panics beyond year 9999.
    let response = with(response, "Date", &clock::wall_now().for_http());
    let response = with(response, "Server", SERVER);
    let response = with(response, "Content-Type", content_type);
    let response = with(response, "Cache-Control", "no-store");
    let response = with(response, "X-Content-Type-Options", "nosniff");
    let response = with(response, "Content-Security-Policy", policy);
    // An `<img>` or `<script>` on a foreign page gets nothing to look at.
    let response = with(response, "Cross-Origin-Resource-Policy", "same-origin");
    // Our own forms must say where they come from, other sites need not know.
    with(response, "Referrer-Policy", "same-origin")
}

fn with(response: ResponseBox, name: &str, value: &str) -> ResponseBox {
    match Header::from_bytes(name, value) {
        Ok(header) => response.with_header(header),
        Err(()) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(reply: &Reply) -> String {
        let mut bytes = Vec::new();
        let version = tiny_http::HTTPVersion(1, 1);
        response(reply, Format::Json).raw_print(&mut bytes, version, &[], false, None).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_change_is_named() {
        let text = printed(&Reply::Done(Done {
            about: About::AppName("Kodi".into()),
            result: Change::Registered,
        }));
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(text.ends_with("{\"appname\":\"Kodi\",\"result\":\"registered\"}\n"));
    }

    #[test]
    fn a_problem_names_its_field_and_the_methods() {
        let text = printed(&Reply::Problem(Problem::unknown_app("a\"b\n")));
        assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
        assert!(text.contains("\"field\":\"appname\""));
        assert!(text.contains("Content-Type: application/json\r\n"));
        let text = printed(&Reply::Problem(Problem::wrong_method("PUT", "GET, HEAD")));
        assert!(text.contains("\r\nAllow: GET, HEAD\r\n"));
        assert!(!text.contains("field"));
    }
}
