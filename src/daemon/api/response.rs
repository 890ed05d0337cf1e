//! How answers look on the wire.
//!
//! The loop hands over plain data; turning it into bytes happens on the API's threads.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use miniz_oxide::inflate::decompress_to_vec;
use serde::Serialize;
use serde_json::Value;
use tiny_http::{Header, Response, ResponseBox, StatusCode};

use super::command::Done;
use super::format::Format;
use super::problem::Problem;
use super::scan::ScanView;
use crate::daemon::check_log::Found;
use crate::daemon::gate::NO_PAGE_POLICY;
use crate::daemon::page::Base;
use crate::daemon::{clock, metrics, page};
use crate::engine::query::incidents::IncidentsView;
use crate::engine::query::view::{HealthView, InfoView};
use crate::engine::text::plain::harmless_json;

/// OpenAPI 3.1, every route with its full path; packed by `packaging/pack.rs`.
const PACKED_OPENAPI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.deflate"));
/// Where it says that the routes are: below the host that has the description.
const HERE: &str = "{\"url\":\"/\"}";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HEALTH_JSON: &str = "application/health+json";
/// JSON lines. Nothing is registered for them; this is what programs know them by.
const JSON_LINES: &str = "application/x-ndjson";
const SERVER: &str = concat!("healthchecker/", env!("CARGO_PKG_VERSION"));

/// What a client gets, if all is well.
pub(super) enum Payload {
    Done(Done),
    Info(InfoView),
    Health(HealthView),
    /// JSON that is put together.
    Status(String),
    Page(String),
    Scan(ScanView),
    /// A form with what is wrong with it, and the status that says so.
    Form(u16, String),
    Metrics(metrics::Body),
    Incidents(IncidentsView),
    /// JSON that is put together.
    Export(String),
    /// Described as it is from there, where that is not just below the host.
    OpenApi(Option<String>),
    /// What a form asked for is done, see there.
    SeeOther(String),
    Log(Found),
}

/// An answer as a response.
pub(super) fn response(answer: Payload) -> ResponseBox {
    match answer {
        Payload::Done(done) => json(200, JSON, &done),
        Payload::Info(info) => json(200, JSON, &info),
        // With a warning it is 200, too.
        Payload::Health(health) => json(200, HEALTH_JSON, &health),
        Payload::Status(status) => of_text(200, JSON, status),
        Payload::Scan(scan) => json(200, JSON, &scan),
        Payload::Page(page) => page_response(200, page),
        Payload::Form(status, page) => page_response(status, page),
        Payload::Metrics(body) => {
            let length = body.len();
            with_policy(200, metrics::MEDIA_TYPE, length, Box::new(body), NO_PAGE_POLICY)
        }
        Payload::Incidents(incidents) => json(200, JSON, &incidents),
        Payload::Export(export) => {
            // For a browser to save.
            let name = "attachment; filename=\"healthchecker.json\"";
            with(of_text(200, JSON, export), "Content-Disposition", name)
        }
        Payload::OpenApi(None) => of_text(200, JSON, openapi()),
        Payload::OpenApi(Some(base)) => {
            let server = format!("{{\"url\":{}}}", Value::from(base));
            of_text(200, JSON, openapi().replacen(HERE, &server, 1))
        }
        // RFC 9110, section 15.4.4.
        Payload::SeeOther(location) => {
            with(of_text(303, TEXT, String::new()), "Location", &location)
        }
        // Its lines are read from the disk as they are sent.
        Payload::Log(found) => {
            with_policy(200, JSON_LINES, found.len(), Box::new(found), NO_PAGE_POLICY)
        }
    }
}

/// Unpacked for whoever asks, who is rare.
pub(super) fn openapi() -> String {
    let unpacked = decompress_to_vec(PACKED_OPENAPI).map_err(|why| why.to_string());
    unpacked
        .and_then(|bytes| String::from_utf8(bytes).map_err(|why| why.to_string()))
        .unwrap_or_else(|why| {
            log::error!("the description of the API cannot be unpacked: {why}");
            String::new()
        })
}

/// A problem as a response: a program gets JSON, the person at a browser a page.
pub(super) fn problem_response(problem: &Problem, format: Format, base: Base) -> ResponseBox {
    let response = match format {
        Format::Json => json(problem.status, JSON, problem),
        Format::Html => {
            page_response(problem.status, page::problem(problem.status, &problem.error, base))
        }
    };
    with_headers_of(problem, response)
}

fn with_headers_of(problem: &Problem, response: ResponseBox) -> ResponseBox {
    let headers = problem.headers.iter();
    headers.fold(response, |response, (name, value)| with(response, name, value))
}

fn page_response(status: u16, page: String) -> ResponseBox {
    with_policy(status, HTML, page.len(), Box::new(Cursor::new(page)), page::policy())
}

/// `shown` as JSON.
///
/// # Errors
/// It cannot be written so, which is a fault of ours.
pub(super) fn json_text(shown: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_string(shown).map_err(|why| {
        log::error!("cannot write an answer as JSON: {why}");
        Problem::new(500, "the answer cannot be shown".to_owned())
    })?;
    // Whoever asks with curl has it on a terminal.
    Ok(match harmless_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(harmless) => harmless,
    })
}

fn json(status: u16, content_type: &str, shown: &impl Serialize) -> ResponseBox {
    let (status, mut body) = match json_text(shown) {
        Ok(body) => (status, body),
        Err(problem) => (problem.status, r#"{"error":"the answer cannot be shown"}"#.to_owned()),
    };
    // So that a shell's prompt has a line of its own.
    body.push('\n');
    of_text(status, content_type, body)
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
    use crate::daemon::api::command::{About, Became};

    fn printed(response: ResponseBox) -> String {
        let mut bytes = Vec::new();
        let version = tiny_http::HTTPVersion(1, 1);
        response.raw_print(&mut bytes, version, &[], false, None).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_change_is_named() {
        let about = About::AppName("Kodi".into());
        let text = printed(response(Payload::Done(Done {
            about,
            result: Became::Registered,
            key: None,
            warnings: Vec::new(),
        })));
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(text.ends_with("{\"appname\":\"Kodi\",\"result\":\"registered\"}\n"));
    }

    #[test]
    fn a_problem_names_its_field_and_the_methods() {
        let printed = |problem| printed(problem_response(&problem, Format::Json, Base::default()));
        let text = printed(Problem::unknown_app("a\"b\n"));
        assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
        assert!(text.contains("\"field\":\"appname\""));
        assert!(text.contains("Content-Type: application/json\r\n"));
        let text = printed(Problem::wrong_method("PUT", "GET, HEAD"));
        assert!(text.contains("\r\nAllow: GET, HEAD\r\n"));
        assert!(!text.contains("field"));
    }
}
