//! The API: `tiny_http` behind the gate, on a private socket.
//!
//! Its threads wait for requests that the gate has let in, and find out what each is for. What changes
//! something is a [`Command`], which the event loop carries out; what shows something is put together
//! here from queries of the loop's state ([`StateQuery`]). The loop itself never writes an answer: it is
//! the one who empties that socket.

mod access;
mod beat;
mod command;
#[cfg(test)]
mod documents;
mod folder;
mod format;
mod mute;
mod parameters;
mod problem;
mod promise;
mod response;
mod route;
mod scan;
mod server_slot;
mod show;
mod state;
mod watch;

use crate::daemon::channel::{Receiver, Sender, channel};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use tiny_http::Request;

use crate::daemon::check_log::{Found, LogReader, Query};
use crate::daemon::echo::{self, NOT_ALLOWED};
use crate::daemon::gate::{
    API_PLACES, BODY_MAX, CLIENT_HEADER, Client, Door, TICKET_HEADER, Ticket,
};

pub(crate) use access::Access;
pub use command::{About, Became, Command, Done};
pub(crate) use folder::runtime_directory;
pub(crate) use format::Format;
pub use parameters::{Pair, read as read_parameters};
pub(crate) use problem::Problem;
pub(crate) use promise::Promise;
pub(crate) use route::Rules;
#[cfg(test)]
pub(crate) use scan::Proposal;
pub(crate) use scan::{Device, Picked, SEEN, ScanView, WATCH, parts};
pub(crate) use state::{LoopState, StateQuery};

use crate::daemon::page::Base;
use crate::engine::incidents::mutes::What;
use crate::engine::registration::Kind;
use crate::engine::registration::fields::FieldError;
use access::{Credentials, Marks};
use folder::SocketFolder;
use response::Payload;
use route::{Asked, Errand, route};
use server_slot::ServerSlot;

/// The loop must answer by then; before the gate gives up, so that the client learns why.
pub(crate) const REPLY_WITHIN: Duration = Duration::from_secs(25);
/// JSON of the deepest nesting that serde_json follows fits many times.
const STACK: usize = 256 * 1024;

/// So the headers begin in which a browser says what a request is for (W3C Fetch Metadata).
const FETCH_METADATA: &str = "Sec-Fetch-";

/// Where pages are, as seen from each other: all apps,
const ALL_APPS: &str = "./";
/// one of them, up to its name,
const APP_PAGE: &str = "info?appname=";
/// and that of a mail's link, up to what it says.
const MUTE_PAGE: &str = "mute?";

/// A request for the event loop.
#[derive(Debug)]
pub(crate) enum ApiRequest {
    /// To change something.
    Do {
        command: Command,
        /// Where the answer goes.
        responder: Responder,
    },
    /// To say something about its state.
    Query(StateQuery),
}

/// Takes the answer to one command. Dropped without one, the client is told that there is none.
#[derive(Debug)]
pub(crate) struct Responder {
    to: Sender<Result<Done, Problem>>,
    promise: Promise,
}

impl Responder {
    /// Answers. Never blocks; a client that is gone by now is no error. An answer that must not reach
    /// the client yet is to be held at the gate beforehand.
    pub(crate) fn answer(self, done: Result<Done, Problem>) {
        let _ = self.to.send(done);
    }

    /// Stands for the answer, when that is to be held at the gate.
    pub(crate) fn promise(&self) -> Promise {
        self.promise
    }
}

/// The running API; dropped, it ends.
pub(crate) struct Api {
    slot: Arc<ServerSlot>,
}

impl Api {
    /// Starts the API, its socket in a fresh folder inside `runtime` (see [`runtime_directory`])
    /// or among the temporary files. Calls go to `requests`, and after each `wake` is called.
    /// `rules` is what the owner wants of every call, and `log` is what `log` shows.
    ///
    /// # Errors
    /// The socket or a thread cannot be made.
    pub(crate) fn start(
        runtime: Option<&Path>,
        rules: Rules,
        log: LogReader,
        requests: Sender<ApiRequest>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Api> {
        let slot = Arc::new(ServerSlot::new(SocketFolder::new(runtime)?)?);
        let api = Api { slot };
        let context = Arc::new(ApiContext {
            rules,
            log,
            requests,
            wake: Box::new(wake),
            scanning: AtomicBool::new(false),
        });
        // One for each place at the gate: none of them can keep another waiting.
        for n in 1..=API_PLACES {
            let (slot, context) = (api.slot.clone(), context.clone());
            thread::Builder::new()
                .name(format!("api-{n}"))
                .stack_size(STACK)
                .spawn(move || serve(&slot, &context))?;
        }
        Ok(api)
    }

    /// The way in, for the gate.
    pub(crate) fn door(&self) -> Door {
        let slot = self.slot.clone();
        Box::new(move || slot.connect())
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.slot.close();
    }
}

/// What the API's threads share.
struct ApiContext {
    rules: Rules,
    log: LogReader,
    requests: Sender<ApiRequest>,
    wake: Box<dyn Fn() + Send + Sync>,
    /// Somebody looks around on the network.
    scanning: AtomicBool,
}

fn serve(slot: &ServerSlot, context: &ApiContext) {
    while let Some(request) = slot.next_request() {
        // A request that is dropped on the way is answered with 500 by tiny_http.
        let handled = catch_unwind(AssertUnwindSafe(|| handle(request, context)));
        if handled.is_err() {
            log::error!("a panic in the API was contained; this is a bug, please report it");
        }
    }
}

fn handle(mut request: Request, context: &ApiContext) {
    let format = Format::accepted(headers(&request, "Accept"));
    let response = match answer_to(&mut request, context, format) {
        Ok(answer) => response::response(answer),
        Err(problem) => {
            let base = Base::of(path_of(request.url()));
            response::problem_response(&problem, format, base)
        }
    };
    if let Err(why) = request.respond(response) {
        log::debug!("an answer could not be written: {why}");
    }
}

fn answer_to(
    request: &mut Request,
    context: &ApiContext,
    format: Format,
) -> Result<Payload, Problem> {
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
    let errand = route(&asked, &context.rules);
    if let Err(problem) = &errand {
        log::debug!("{} is answered {}: {}", client.addr, problem.status, problem.error);
    }
    match errand? {
        Errand::Save(typed) => context.save(typed, caller, format),
        Errand::Do(command) => {
            let back = way_back(&command, format, asked.credentials.marks.referer);
            let reports =
                matches!(&command, Command::Monitor(registered) if registered.beats().is_some());
            let mut done = context.carry_out(command, caller)?;
            if let (true, About::AppName(name)) = (reports, &done.about) {
                done.key = context.rules.access.key_of(name);
            }
            Ok(back.map_or(Payload::Done(done), Payload::SeeOther))
        }
        Errand::Scan(pick) => context.scan(pick, caller, format),
        Errand::Show(show) => context.show(show, &asked),
        Errand::Log(query) => context.read_log(query, client).map(Payload::Log),
    }
}

/// Where a browser goes after its form has changed something: back to the page that it came from,
/// as far as there still is one. Programs get JSON.
fn way_back(command: &Command, format: Format, referer: Option<&str>) -> Option<String> {
    if format == Format::Json {
        return None;
    }
    // The last part of an address, whose first ones are those of a proxy.
    let page = referer.and_then(|page| {
        let (path, _) = page.split_once('?')?;
        page.get(path.rfind('/')?.saturating_add(1)..)
    });
    let came_from = |its: &str| page.filter(|page| page.starts_with(its));
    let on_app_page = came_from(APP_PAGE).is_some();
    match command {
        Command::Pause(name)
        | Command::Quiet(name, _)
        | Command::Resume(name)
        | Command::Check(name)
        | Command::Mute(What::App(name, _), _)
            if on_app_page =>
        {
            Some(page_of(name))
        }
        Command::Mute(What::Mail(..), _) => {
            Some(came_from(MUTE_PAGE).unwrap_or(ALL_APPS).to_owned())
        }
        _ => Some(ALL_APPS.to_owned()),
    }
}

/// Where the page of the app of this name is.
fn page_of(name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{APP_PAGE}{name}")
}

/// A target without its query.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn no_answer() -> Problem {
    Problem::unavailable("no answer in time; try again in a moment".into())
}

impl ApiContext {
    /// Sends a command to the event loop, and waits until it is carried out.
    fn carry_out(&self, command: Command, caller: Caller) -> Result<Done, Problem> {
        log::debug!("{} asks: Do({command:?})", caller.client.addr);
        if let Command::Monitor(app) = &command
            && app.target.kind() == Kind::Ping
            && !echo::is_allowed()
        {
            return Err(
                FieldError::of("url", format!("url cannot be watched: {NOT_ALLOWED}")).into()
            );
        }
        let (to, done) = channel();
        let responder = Responder { to, promise: caller.promise };
        self.ask(ApiRequest::Do { command, responder }, &done)?
    }

    /// Sends a request to the event loop, and waits for what arrives in `answers`.
    fn ask<T>(&self, request: ApiRequest, answers: &Receiver<T>) -> Result<T, Problem> {
        self.requests.send(request).map_err(|_| no_answer())?;
        (self.wake)();
        answers.recv_timeout(REPLY_WITHIN).map_err(|_| no_answer())
    }

    /// Reads the log here, for the loop must not wait for the disk. An app that was stopped is still
    /// known to it; one that has no line may be known to the loop.
    fn read_log(&self, query: Query, client: Client) -> Result<Found, Problem> {
        log::debug!("{} asks: {query:?}", client.addr);
        let appname = query.appname.map(|name| self.on_record(name)).transpose()?;
        let query = Query { appname, ..query };
        let found = self.log.find(&query).map_err(Problem::unavailable)?;
        if let Some(name) = query.appname.filter(|_| found.is_empty()) {
            self.info(name, client)?;
        }
        Ok(found)
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
    Some(Caller { client, promise: Promise::new(ticket, format, Base::of(path_of(request.url()))) })
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
