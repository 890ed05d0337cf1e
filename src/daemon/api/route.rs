//! The one table of routes: which call a request is, and whether it changes something.
//!
//! A route shows something, or changes something, or shows by GET the form that changes it by POST: who may is
//! decided before its function makes anything of a request.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::check_log::Query;
use crate::daemon::gate::Client;
use crate::daemon::mute_key::{MuteKey, MuteLink, PATH};
use crate::daemon::public_url::base_of;
use crate::engine::recipients::Recipients;
use crate::engine::registration::fields::{FieldError, Fields, Known, shown};
use crate::engine::registration::{Registration, any_name, app_name, caller, single_name};
use crate::engine::registry::MOST_APPS;
use crate::engine::text::span;

use super::access::{Access, Credentials, Effect};
use super::beat::{self, Beat};
use super::command::Command;
use super::format::Format;
use super::mute;
use super::parameters::{self, Pair};
use super::problem::Problem;
use super::scan::Pick;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// To change something: the event loop does it.
    Do(Command),
    /// To ask the network what there is on it, or to watch one of what there was.
    Scan(Option<Pick>),
    /// To register what was typed into the form.
    Save(Vec<Pair>),
    /// To show something of the loop's state.
    Show(Show),
    /// To show lines of the health check log.
    Log(Query),
}

/// What there is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// One app as JSON.
    Info(String),
    /// One app as a page.
    AppPage(String),
    /// All apps as JSON.
    Status,
    /// All apps as a page: this one of its parts, from 1 on.
    Board(usize),
    /// The form in which something is watched, or the app of this name is changed.
    Form(Option<String>),
    /// How the daemon itself is.
    Health,
    /// Numbers for Prometheus.
    Metrics,
    /// The last incidents as JSON.
    Incidents,
    /// The last incidents as a page.
    IncidentsPage,
    /// Every registration as one document.
    Export,
    /// What the link of a mail is about, as a page.
    Mute(MuteLink),
    /// The description of all routes.
    OpenApi,
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
pub(crate) struct Rules {
    /// Where mail may go.
    pub recipients: Recipients,
    /// Who may do what.
    pub access: Access,
    /// Opens the links of mails.
    pub mute_key: Arc<MuteKey>,
    /// Where whoever comes through a proxy finds us, as far as the owner has said so.
    pub public_url: Option<String>,
}

impl Rules {
    /// Where a caller who comes through a proxy has found us, if the owner has said so: a proxy tells neither its scheme
    /// nor its path. What is before `/healthchecker/`.
    pub(super) fn base_through_proxy(&self, client: Client) -> Option<&str> {
        self.public_url.as_deref().filter(|_| client.is_forwarded).map(base_of)
    }
}

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
    /// It shows, by GET and HEAD, or mutes, by POST: see [`mute`].
    Mute,
    /// It changes something.
    Change(By, fn(&[Pair], &Asked<'_>, &Rules) -> Result<Command, Problem>),
    /// An app reports, by GET or POST.
    Beat(Beat),
    /// It asks the network, by POST: that changes nothing here, but a foreign page must not set it off.
    Scan,
    /// It shows a form by GET and HEAD, and changes something by POST.
    Form,
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
            Does::Mute => "GET, HEAD, POST",
            Does::Change(By::GetOrPost, _) | Does::Beat(_) => "GET, POST",
            Does::Change(By::Post, _) | Does::Scan => "POST",
            Does::Form => "GET, HEAD, POST",
        }
    }

    pub(super) fn effect(&self, method: &str) -> Effect {
        match self.does {
            Does::Read(_) => Effect::Reads,
            Does::Form if method != "POST" => Effect::Reads,
            Does::Change(..) | Does::Beat(_) | Does::Scan | Does::Form | Does::Mute => {
                Effect::Changes
            }
        }
    }

    fn is_at(&self, path: &str) -> bool {
        self.path == path || self.other_paths.contains(&path)
    }
}

const NOTHING: &[&Known] = &[];
const PAUSE: &[&Known] = &[&Known::new("appname"), &Known::new("for")];
const SEEN: &[&Known] = &[&Known::new("email")];
const FORMAT: &[&Known] = &[&Known::new("format")];
const STATUS: &[&Known] = &[&Known::new("format"), &Known::new("page")];
const FORM: &[&Known] = &[&Known::new("appname")];
const INFO: &[&Known] = &[&Known::new("appname"), &Known::new("format")];
const LOG: &[&Known] = &[&Known::new("appname"), &Known::new("limit")];

/// How long nobody may be told of an app, in seconds: a restart takes a minute, a journey a month.
const QUIET: RangeInclusive<u64> = 60..=30 * 24 * 3600;

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
            let pairs = at_caller(pairs, asked.client)?;
            let origin = asked.client.origin;
            let registration = Registration::from_fields(&pairs, origin, &rules.recipients)?;
            Ok(Command::Monitor(Box::new(registration)))
        }),
    },
    Route {
        path: "/healthchecker/pause",
        other_paths: &[],
        does: Does::Change(By::GetOrPost, |pairs, _, _| {
            let fields = Fields::read("pause", PAUSE, pairs)?;
            let name = app_name(&fields)?;
            Ok(match fields.optional("for")?.map(quiet_span).transpose()? {
                None => Command::Pause(name),
                Some(span) => Command::Quiet(name, span),
            })
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
    Route { path: PATH, other_paths: &[], does: Does::Mute },
    Route {
        path: "/healthchecker/check",
        other_paths: &[],
        does: Does::Change(By::Post, |pairs, _, _| {
            Ok(Command::Check(single_name("check", pairs)?))
        }),
    },
    Route { path: "/healthchecker/beat", other_paths: &[], does: Does::Beat(Beat::Done) },
    Route { path: "/healthchecker/beat/start", other_paths: &[], does: Does::Beat(Beat::Begins) },
    Route { path: "/healthchecker/beat/fail", other_paths: &[], does: Does::Beat(Beat::Failed) },
    Route {
        path: "/healthchecker/seen",
        other_paths: &[],
        does: Does::Change(By::Post, |pairs, _, _| {
            let fields = Fields::read("seen", SEEN, pairs)?;
            Ok(Command::Seen(fields.required("email")?.to_owned()))
        }),
    },
    Route {
        path: "/healthchecker/info",
        other_paths: &[],
        does: Does::Read(|pairs, accepted| {
            let fields = Fields::read("info", INFO, pairs)?;
            let name = app_name(&fields)?;
            match format(&fields, accepted)? {
                Format::Json => Ok(Errand::Show(Show::Info(name))),
                Format::Html => Ok(Errand::Show(Show::AppPage(name))),
            }
        }),
    },
    Route {
        path: "/healthchecker/status",
        other_paths: &["/", "/healthchecker", "/healthchecker/"],
        does: Does::Read(|pairs, accepted| {
            let fields = Fields::read("status", STATUS, pairs)?;
            let page = page(&fields)?;
            Ok(Errand::Show(match format(&fields, accepted)? {
                Format::Json => Show::Status,
                Format::Html => Show::Board(page),
            }))
        }),
    },
    Route { path: "/healthchecker/scan", other_paths: &[], does: Does::Scan },
    Route { path: "/healthchecker/watch", other_paths: &[], does: Does::Form },
    Route {
        path: "/healthchecker/log",
        other_paths: &[],
        does: Does::Read(|pairs, _| Ok(Errand::Log(log_query(pairs)?))),
    },
    Route {
        path: "/healthchecker/incidents",
        other_paths: &[],
        does: Does::Read(|pairs, accepted| {
            let fields = Fields::read("incidents", FORMAT, pairs)?;
            Ok(Errand::Show(match format(&fields, accepted)? {
                Format::Json => Show::Incidents,
                Format::Html => Show::IncidentsPage,
            }))
        }),
    },
    Route {
        path: "/healthchecker/export",
        other_paths: &[],
        does: Does::Read(|pairs, _| {
            Fields::read("export", NOTHING, pairs)?;
            Ok(Errand::Show(Show::Export))
        }),
    },
    Route {
        path: "/openapi.json",
        other_paths: &[],
        does: Does::Read(|pairs, _| {
            Fields::read("openapi.json", NOTHING, pairs)?;
            Ok(Errand::Show(Show::OpenApi))
        }),
    },
    Route {
        path: "/metrics",
        other_paths: &[],
        does: Does::Read(|pairs, _| {
            Fields::read("metrics", NOTHING, pairs)?;
            Ok(Errand::Show(Show::Metrics))
        }),
    },
    Route {
        path: "/health",
        other_paths: &[],
        does: Does::Read(|pairs, _| {
            Fields::read("health", NOTHING, pairs)?;
            Ok(Errand::Show(Show::Health))
        }),
    },
];

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
    let effect = route.effect(asked.method);
    let admit = || rules.access.admit(effect, asked.method, &asked.credentials);
    let pairs = || parameters::read(query, asked.content_type, asked.body);
    Ok(match route.does {
        Does::Read(show) => {
            admit()?;
            show(&pairs()?, asked.format)?
        }
        Does::Change(_, command) => {
            admit()?;
            Errand::Do(command(&pairs()?, asked, rules)?)
        }
        Does::Scan => {
            admit()?;
            Errand::Scan(Pick::read(&pairs()?)?)
        }
        Does::Form => {
            admit()?;
            let pairs = pairs()?;
            match effect {
                Effect::Changes => Errand::Save(pairs),
                Effect::Reads => {
                    let fields = Fields::read("watch", FORM, &pairs)?;
                    Errand::Show(Show::Form(any_name(&fields)?))
                }
            }
        }
        Does::Mute => mute::route(asked, query, rules)?,
        // It may have another key.
        Does::Beat(beat) => Errand::Do(beat::command(beat, asked, query, rules)?),
    })
}

/// The parameters of a registration, with the caller's address where `url` leaves it out.
fn at_caller(pairs: &[Pair], client: Client) -> Result<Vec<Pair>, FieldError> {
    let complete = |(name, value): &Pair| {
        if name != "url" {
            return Ok((name.clone(), value.clone()));
        }
        let whole = caller::complete(value, client.addr);
        if client.is_forwarded && whole != value.trim() {
            let message = format!(
                "url {} leaves the host out, and a proxy hides whose call it is; give the app's address",
                shown(value)
            );
            return Err(FieldError::of("url", message));
        }
        Ok((name.clone(), whole.into_owned()))
    };
    pairs.iter().map(complete).collect()
}

fn quiet_span(text: &str) -> Result<Duration, FieldError> {
    let right = "1m to 30d, a whole number of s, m, h or d such as 10m";
    span_of(text, &QUIET, right).map(Duration::from_secs)
}

/// Reads `for`, in seconds.
///
/// # Errors
/// It is out of range; `right` says what would be right.
pub(super) fn span_of(
    text: &str,
    range: &RangeInclusive<u64>,
    right: &str,
) -> Result<u64, FieldError> {
    span::seconds(text)
        .filter(|seconds| range.contains(seconds))
        .ok_or_else(|| FieldError::of("for", format!("for must be {right}, not {}", shown(text))))
}

fn log_query(pairs: &[Pair]) -> Result<Query, FieldError> {
    let fields = Fields::read("log", LOG, pairs)?;
    let appname = any_name(&fields)?;
    let limit = match fields.optional("limit")? {
        None => LINES,
        Some(text) => count(text, LINES_MAX).ok_or_else(|| {
            let message =
                format!("limit must be 1 to {LINES_MAX} lines, whole, not {}", shown(text));
            FieldError::of("limit", message)
        })?,
    };
    Ok(Query { appname, limit })
}

/// Which part of the page of all apps.
fn page(fields: &Fields<'_>) -> Result<usize, FieldError> {
    let Some(text) = fields.optional("page")? else { return Ok(1) };
    count(text, MOST_APPS).ok_or_else(|| {
        let message = format!("page must be a whole number from 1 on, not {}", shown(text));
        FieldError::of("page", message)
    })
}

fn count(text: &str, most: usize) -> Option<usize> {
    // `parse` alone would take `+5`.
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits?.parse().ok().filter(|count| (1..=most).contains(count))
}

/// What is asked for by name goes before what is accepted.
fn format(fields: &Fields<'_>, accepted: Format) -> Result<Format, FieldError> {
    let Some(word) = fields.optional("format")? else { return Ok(accepted) };
    Format::named(word).ok_or_else(|| {
        FieldError::of("format", format!("format must be json or html, not {}", shown(word)))
    })
}

#[cfg(test)]
mod tests;
