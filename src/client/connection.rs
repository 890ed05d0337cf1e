//! Single calls to the daemon, over HTTP.

use std::env;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use ureq::config::AutoHeaderValue;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::discovery::{self, FIND_WITHIN};
use super::{Error, ServerUrl, TOKEN_VARIABLE};

/// How long one call may take, all of it: the daemon answers within 25 s, or says that it cannot.
const CALL_WITHIN: Duration = Duration::from_secs(30);
/// How long a host that is not there is waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The most bytes of an answer: 10,000 lines of the log with what the apps returned fit.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

const USER_AGENT: &str = concat!("healthchecker-client/", env!("CARGO_PKG_VERSION"));

/// A parameter of a call: its name and its value.
pub type Parameter<'a> = (&'a str, &'a str);

/// The way to one daemon. Its address is looked for by Zeroconf at the first call, and again when
/// it has moved, unless it was given.
#[derive(Debug)]
pub struct Connection {
    agent: Agent,
    place: Place,
    token: Option<String>,
}

/// Where the daemon is.
#[derive(Debug)]
enum Place {
    /// Where somebody said.
    Given(ServerUrl),
    /// Where it was found the last time, if it was.
    Searched(Mutex<Option<ServerUrl>>),
}

impl Connection {
    /// To the daemon that Zeroconf finds.
    pub fn search() -> Connection {
        Connection::new(Place::Searched(Mutex::new(None)))
    }

    /// To the daemon at this address.
    pub fn to(server: ServerUrl) -> Connection {
        Connection::new(Place::Given(server))
    }

    fn new(place: Place) -> Connection {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(CALL_WITHIN))
            .timeout_connect(Some(CONNECT_WITHIN))
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding(AutoHeaderValue::None)
            .max_idle_connections(0)
            .build();
        let token = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
        Connection { agent: config.new_agent(), place, token }
    }

    /// With this token instead of the one in [`TOKEN_VARIABLE`].
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Connection {
        self.token = Some(token.to_owned());
        self
    }

    /// Where the daemon is. Looks for it if that is not known yet.
    ///
    /// # Errors
    /// There is none, or this machine cannot look for one.
    pub fn server(&self) -> Result<ServerUrl, Error> {
        match &self.place {
            Place::Given(server) => Ok(server.clone()),
            Place::Searched(found) => match recall(found) {
                Some(server) => Ok(server),
                None => search(found),
            },
        }
    }

    /// Makes a call that changes something; the answer as it came, JSON.
    ///
    /// # Errors
    /// It was not carried out.
    pub fn post(&self, call: &str, parameters: &[Parameter<'_>]) -> Result<String, Error> {
        let json = Value::Object(
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        );
        let body = json.to_string();
        self.ask(|server| {
            let request = self.agent.post(server.call(call)).content_type("application/json");
            authorised(request, self.token.as_deref()).send(body.as_str())
        })
    }

    /// Makes a call that shows something; the answer as it came, JSON or a line of it for each thing.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, call: &str, parameters: &[Parameter<'_>]) -> Result<String, Error> {
        self.ask(|server| {
            let request = self.agent.get(server.call(call)).query_pairs(parameters.iter().copied());
            authorised(request, self.token.as_deref()).call()
        })
    }

    /// Asks where the daemon was the last time, and where it is now if that leads nowhere.
    fn ask(&self, ask: impl Fn(&ServerUrl) -> Asked) -> Result<String, Error> {
        let once = |server: &ServerUrl| self.read(server, ask(server));
        let found = match &self.place {
            Place::Given(server) => return once(server),
            Place::Searched(found) => found,
        };
        if let Some(server) = recall(found) {
            match once(&server) {
                Err(why) if why.is_elsewhere() => {}
                answer => return answer,
            }
        }
        once(&search(found)?)
    }

    fn read(&self, server: &ServerUrl, asked: Asked) -> Result<String, Error> {
        let unreachable =
            |why: ureq::Error| Error::Unreachable { url: server.to_string(), why: plain(&why) };
        let mut response = asked.map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(ANSWER_MAX).read_to_string();
        let text = text.map_err(unreachable)?;
        let stranger = || Error::Stranger { url: server.to_string(), status };
        match status {
            // Whatever it is, it does not begin like ours.
            200 if !text.trim_start().starts_with('{') && !text.is_empty() => Err(stranger()),
            200 => Ok(text),
            401 if self.token.is_none() => Err(Error::TokenMissing),
            401 => Err(Error::TokenRefused),
            _ => {
                // What is no JSON has nothing to say.
                let problem: Value = serde_json::from_str(&text).unwrap_or_default();
                let part = |name: &str| problem.get(name)?.as_str().map(str::to_owned);
                let sentence = part("error").ok_or_else(stranger)?;
                Err(Error::Refused { status, sentence, field: part("field") })
            }
        }
    }
}

type Asked = Result<Response<Body>, ureq::Error>;

fn authorised<B>(request: ureq::RequestBuilder<B>, token: Option<&str>) -> ureq::RequestBuilder<B> {
    match token {
        Some(token) => request.header("Authorization", format!("Bearer {token}")),
        None => request,
    }
}

fn recall(found: &Mutex<Option<ServerUrl>>) -> Option<ServerUrl> {
    found.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn search(found: &Mutex<Option<ServerUrl>>) -> Result<ServerUrl, Error> {
    let result = discovery::find(FIND_WITHIN);
    *found.lock().unwrap_or_else(PoisonError::into_inner) = result.as_ref().ok().cloned();
    result
}

/// What went wrong, for a person.
fn plain(why: &ureq::Error) -> String {
    match why {
        ureq::Error::Io(io) => match io.kind() {
            std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => io.to_string(),
        },
        ureq::Error::HostNotFound => "the host is not known".to_owned(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        other => other.to_string(),
    }
}
