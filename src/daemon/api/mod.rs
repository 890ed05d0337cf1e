//! The API: `tiny_http` behind the gate, on a private socket.
//!
//! Its threads wait for requests that the gate has let in, find out which [`Call`] each is, send it
//! to the event loop, wait for the [`Reply`] and write it. The loop itself never writes an answer:
//! it is the one who empties that socket.

mod access;
#[cfg(test)]
mod documents;
mod folder;
mod format;
mod gather;
mod look;
mod parameters;
mod promise;
mod reply;
mod route;
mod shelf;

use crate::daemon::channel::{Sender, channel};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tiny_http::Request;

use crate::daemon::checklog::{Found, LogReader, Query};
use crate::daemon::gate::{
    API_PLACES, BODY_MAX, CLIENT_HEADER, Client, Door, TICKET_HEADER, Ticket,
};
use crate::engine::show::export::Export;
use crate::engine::show::view::StatusView;

pub use access::Access;
pub use folder::runtime_directory;
pub use format::Format;
pub use look::{Look, Sight};
pub use parameters::{Pair, read as read_parameters};
pub use promise::Promise;
pub use reply::{About, Change, Done, Problem, Reply};
pub use route::{Call, Command, Question, Rules};

use access::{Credentials, Marks};
use folder::SocketFolder;
use route::{Asked, Errand, Fetch, route};
use shelf::Shelf;

/// The loop must answer by then; before the gate gives up, so that the client learns why.
pub const REPLY_WITHIN: Duration = Duration::from_secs(25);
/// JSON of the deepest nesting that serde_json follows fits many times.
const STACK: usize = 256 * 1024;

/// So the headers begin in which a browser says what a request is for (W3C Fetch Metadata).
const FETCH_METADATA: &str = "Sec-Fetch-";

/// Where the page of an app is, up to its name.
const ALL_APPS: &str = "/healthchecker/";
const APP_PAGE: &str = "/healthchecker/info?appname=";

/// A request for the event loop.
#[derive(Debug)]
pub enum ApiRequest {
    /// A client's call.
    Call {
        /// What is to be done.
        call: Call,
        /// Who asks.
        client: Client,
        /// Where the answer goes.
        responder: Responder,
    },
    /// A part of an answer that is put together here.
    Look(Look),
}

/// Takes the answer to one call. Dropped without one, the client is told that there is none.
#[derive(Debug)]
pub struct Responder {
    to: Sender<Reply>,
    promise: Promise,
}

impl Responder {
    /// Answers. Never blocks; a client that is gone by now is no error. An answer that must not reach
    /// the client yet is to be held at the gate beforehand.
    pub fn answer(self, reply: Reply) {
        let _ = self.to.send(reply);
    }

    /// Stands for the answer, when that is to be held at the gate.
    pub fn promise(&self) -> Promise {
        self.promise
    }
}

/// The running API; dropped, it ends.
pub struct Api {
    shelf: Arc<Shelf>,
}

impl Api {
    /// Starts the API, its socket in a fresh folder inside `runtime` (see [`runtime_directory`])
    /// or among the temporary files. Calls go to `requests`, and after each `wake` is called.
    /// `rules` is what the owner wants of every call, and `log` is what `log` shows.
    ///
    /// # Errors
    /// The socket or a thread cannot be made.
    pub fn start(
        runtime: Option<&Path>,
        rules: Rules,
        log: LogReader,
        requests: Sender<ApiRequest>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Api> {
        let shelf = Arc::new(Shelf::new(SocketFolder::new(runtime)?)?);
        let api = Api { shelf };
        let desk = Arc::new(Desk { rules, log, requests, wake: Box::new(wake) });
        // One for each place at the gate: none of them can keep another waiting.
        for n in 1..=API_PLACES {
            let (shelf, desk) = (api.shelf.clone(), desk.clone());
            thread::Builder::new()
                .name(format!("api-{n}"))
                .stack_size(STACK)
                .spawn(move || serve(&shelf, &desk))?;
        }
        Ok(api)
    }

    /// The way in, for the gate.
    pub fn door(&self) -> Door {
        let shelf = self.shelf.clone();
        Box::new(move || shelf.connect())
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shelf.close();
    }
}

/// What the API's threads share.
struct Desk {
    rules: Rules,
    log: LogReader,
    requests: Sender<ApiRequest>,
    wake: Box<dyn Fn() + Send + Sync>,
}

fn serve(shelf: &Shelf, desk: &Desk) {
    while let Some(request) = shelf.next_request() {
        // A request that is dropped on the way is answered with 500 by tiny_http.
        let handled = catch_unwind(AssertUnwindSafe(|| handle(request, desk)));
        if handled.is_err() {
            log::error!("a panic in the API was contained; this is a bug, please report it");
        }
    }
}

/// What a client gets.
enum Answer {
    Reply(Reply),
    Status(StatusView),
    Page(String),
    Metrics(String),
    Export(Export),
    OpenApi,
    SeeOther(String),
    Log(Found),
}

fn handle(mut request: Request, desk: &Desk) {
    let format = Format::accepted(headers(&request, "Accept"));
    let answer = answer_to(&mut request, desk, format);
    let response = match answer.unwrap_or_else(|problem| Answer::Reply(Reply::Problem(problem))) {
        Answer::Reply(reply) => reply::response(&reply, format),
        Answer::Status(status) => reply::status_response(&status),
        Answer::Page(page) => reply::page_response(200, page),
        Answer::Metrics(text) => reply::metrics_response(text),
        Answer::Export(export) => reply::export_response(&export),
        Answer::OpenApi => reply::openapi_response(),
        Answer::SeeOther(location) => reply::see_other(&location),
        Answer::Log(found) => reply::log_response(found),
    };
    if let Err(why) = request.respond(response) {
        log::debug!("an answer could not be written: {why}");
    }
}

fn answer_to(request: &mut Request, desk: &Desk, format: Format) -> Result<Answer, Problem> {
    let mut body = Vec::new();
    let mut reader = request.as_reader().take(BODY_MAX as u64);
    reader
        .read_to_end(&mut body)
        .map_err(|why| Problem::new(400, format!("the body cannot be read: {why}")))?;
    let caller = caller(request, format)
        .ok_or_else(|| Problem::new(400, "the request did not come through the gate".into()))?;
    let client = caller.client;
    let asked = Asked {
        method: request.method().as_str(),
        target: request.url(),
        content_type: header(request, "Content-Type"),
        body: &body,
        client,
        credentials: credentials(request, format),
        format,
    };
    let errand = route(&asked, &desk.rules);
    if let Err(problem) = &errand {
        log::debug!("{} is answered {}: {}", client.addr, problem.status, problem.error);
    }
    match errand? {
        Errand::Loop(call) => {
            let back = way_back(&call, format, asked.credentials.marks.referer);
            match (desk.ask_loop(call, caller)?, back) {
                (Reply::Done(_), Some(location)) => Ok(Answer::SeeOther(location)),
                (reply, _) => Ok(Answer::Reply(reply)),
            }
        }
        Errand::Log(query) => desk.read_log(query, caller).map(Answer::Log),
        Errand::Fetch(Fetch::Status) => desk.status().map(Answer::Status),
        Errand::Fetch(Fetch::Board) => Ok(Answer::Page(desk.board()?.html())),
        Errand::Fetch(Fetch::Export) => desk.export().map(Answer::Export),
        Errand::Fetch(Fetch::OpenApi) => Ok(Answer::OpenApi),
        Errand::Fetch(Fetch::Metrics) => Ok(Answer::Metrics(desk.metrics()?.text())),
        Errand::Fetch(Fetch::AppPage(name)) => Ok(Answer::Page(desk.app_page(name)?.html())),
    }
}

/// Where a browser goes after its form has changed something: back to the page that it came from,
/// as far as there still is one. Programs get JSON.
fn way_back(call: &Call, format: Format, referer: Option<&str>) -> Option<String> {
    let Call::Do(command) = call else { return None };
    if format == Format::Json {
        return None;
    }
    let on_app_page = referer.is_some_and(|page| page.contains(APP_PAGE));
    match command {
        Command::Pause(name) | Command::Resume(name) | Command::Check(name) if on_app_page => {
            let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            Some(format!("{APP_PAGE}{name}"))
        }
        _ => Some(ALL_APPS.to_owned()),
    }
}

fn no_answer() -> Problem {
    Problem::unavailable("no answer in time; try again in a moment".into())
}

impl Desk {
    /// Sends a call to the event loop, and waits for the answer.
    fn ask_loop(&self, call: Call, caller: Caller) -> Result<Reply, Problem> {
        let Caller { client, promise } = caller;
        log::debug!("{} asks: {call:?}", client.addr);
        let (to, reply) = channel();
        let responder = Responder { to, promise };
        let sent = self.requests.send(ApiRequest::Call { call, client, responder });
        sent.map_err(|_| no_answer())?;
        (self.wake)();
        reply.recv_timeout(REPLY_WITHIN).map_err(|_| no_answer())
    }

    /// Reads the log here, for the loop must not wait for the disk. An app that was stopped is still
    /// known to it; one that has no line may be known to the loop.
    fn read_log(&self, query: Query, caller: Caller) -> Result<Found, Problem> {
        log::debug!("{} asks: {query:?}", caller.client.addr);
        let appname = query.appname.map(|name| self.on_record(name)).transpose()?;
        let query = Query { appname, ..query };
        let found = self.log.find(&query).map_err(Problem::unavailable)?;
        match &query.appname {
            Some(name) if found.is_empty() => {
                match self.ask_loop(Call::Show(Question::Info(name.clone())), caller)? {
                    Reply::Problem(unknown) => Err(unknown),
                    _ => Ok(found),
                }
            }
            _ => Ok(found),
        }
    }
}

/// Whose request it is.
#[derive(Clone, Copy)]
struct Caller {
    client: Client,
    promise: Promise,
}

/// `None` if the gate did not say.
fn caller(request: &Request, format: Format) -> Option<Caller> {
    let client = Client::from_header(header(request, CLIENT_HEADER)?)?;
    let ticket = Ticket::from_header(header(request, TICKET_HEADER)?)?;
    Some(Caller { client, promise: Promise::new(ticket, format) })
}

fn credentials(request: &Request, format: Format) -> Credentials<'_> {
    Credentials {
        authorization: header(request, "Authorization"),
        host: header(request, "Host"),
        marks: Marks {
            origin: header(request, "Origin"),
            referer: header(request, "Referer"),
            fetch_site: header(request, "Sec-Fetch-Site"),
            fetch_metadata: request.headers().iter().any(|header| {
                is_fetch_metadata(header.field.as_str().as_str(), header.value.as_str())
            }),
            user_agent: header(request, "User-Agent"),
        },
        wants_page: format == Format::Html,
    }
}

/// Whether a header is one in which a browser says what a request is for. `Sec-Fetch-Mode: cors` proves no
/// browser: the `fetch` of Node sends it, too. One that sends it for a foreign page names that page
/// in `Origin` (Fetch standard, section 3.2).
fn is_fetch_metadata(name: &str, value: &str) -> bool {
    let begins = name.get(..FETCH_METADATA.len());
    begins.is_some_and(|begin| begin.eq_ignore_ascii_case(FETCH_METADATA))
        && !(name.eq_ignore_ascii_case("Sec-Fetch-Mode") && value == "cors")
}

fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    headers(request, name).next()
}

fn headers<'a>(request: &'a Request, name: &'static str) -> impl Iterator<Item = &'a str> {
    let named = request.headers().iter().filter(move |header| header.field.equiv(name));
    named.map(|header| header.value.as_str())
}
