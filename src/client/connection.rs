//! Single calls to the daemon, over HTTP.

use std::env;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use ureq::config::AutoHeaderValue;
use ureq::http::Response;
use ureq::unversioned::transport::TcpConnector;
use ureq::{Agent, Body};

use super::browser::MDNS_SD;
use super::discovery::{self, Browse, FIND_WITHIN, LookUp, Multicast};
use super::lookup::{self, HostResolver, interface};
use super::token::Token;
use super::{Error, SERVER_VARIABLE, ServerUrl, TOKEN_VARIABLE};

/// How long one call may take, all of it: the daemon answers within 25 s, or says that it cannot.
const CALL_WITHIN: Duration = Duration::from_secs(30);
/// How long a host that is not there is waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The most bytes of an answer: 10,000 lines of the log with what the apps returned fit.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

const USER_AGENT: &str = concat!("healthchecker-client/", env!("CARGO_PKG_VERSION"));

/// A parameter of a call: its name and its value.
///
/// ```
/// let name: healthchecker::client::connection::Parameter = ("appname", "NAS");
/// ```
pub type Parameter<'a> = (&'a str, &'a str);

/// The way to one daemon. Its address is looked for by Zeroconf at the first call, and again when
/// it has moved, unless it was given.
///
/// ```no_run
/// use healthchecker::client::connection::Connection;
///
/// println!("{}", Connection::search().get("status", &[("format", "json")])?);
/// # Ok::<(), healthchecker::client::Error>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    whereabouts: Whereabouts,
    token: Result<Option<Token>, Error>,
    multicast: Multicast,
}

/// Where the daemon is.
#[derive(Debug)]
enum Whereabouts {
    /// Where somebody said.
    Given(ServerUrl),
    /// What somebody said is no address: no leave to talk to whoever is found.
    Misnamed(Error),
    /// Where it was found the last time, if it was, and how it is looked for.
    Searched { found: Mutex<Option<ServerUrl>> },
}

impl Connection {
    /// To the daemon that [`SERVER_VARIABLE`] names, else to the one that Zeroconf finds.
    ///
    /// ```
    /// // Nothing is searched for before the first call.
    /// let connection = healthchecker::client::connection::Connection::search();
    /// ```
    pub fn search() -> Connection {
        Connection::search_with(MDNS_SD)
    }

    /// As [`Connection::search`], by this mDNS.
    pub(super) fn search_with(multicast: Multicast) -> Connection {
        let named = env::var_os(SERVER_VARIABLE).filter(|named| !named.is_empty());
        let whereabouts = match named.map(|named| named.to_string_lossy().parse()) {
            None => Whereabouts::Searched { found: Mutex::new(None) },
            Some(Ok(server)) => Whereabouts::Given(server),
            Some(Err(why)) => Whereabouts::Misnamed(why),
        };
        Connection::new(whereabouts, multicast)
    }

    /// To the daemon at this address.
    ///
    /// ```
    /// use healthchecker::client::connection::Connection;
    ///
    /// let connection = Connection::to("192.168.1.5:43210".parse()?);
    /// assert_eq!(connection.server()?.as_str(), "http://192.168.1.5:43210/healthchecker/");
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    pub fn to(server: ServerUrl) -> Connection {
        Connection::to_with(server, MDNS_SD)
    }

    /// As [`Connection::to`], by this mDNS.
    pub(super) fn to_with(server: ServerUrl, multicast: Multicast) -> Connection {
        Connection::new(Whereabouts::Given(server), multicast)
    }

    fn new(whereabouts: Whereabouts, multicast: Multicast) -> Connection {
        let token = match env::var_os(TOKEN_VARIABLE) {
            Some(token) => Token::read(&token.to_string_lossy()),
            None => Ok(None),
        };
        Connection { whereabouts, token, multicast }
    }

    /// With this token instead of the one in [`TOKEN_VARIABLE`]. It is sent only to a daemon that is
    /// named, since anybody can announce the name that Zeroconf finds; what cannot be a token is an
    /// error of every call.
    ///
    /// ```
    /// use healthchecker::client::connection::Connection;
    ///
    /// let connection = Connection::to("http://pi:43210".parse()?).with_token("secret");
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Connection {
        self.token = Token::read(token);
        self
    }

    /// Where the daemon is. Looks for it if that is not known yet.
    ///
    /// ```no_run
    /// let url = healthchecker::client::connection::Connection::search().server()?;
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is none, or this machine cannot look for one.
    pub fn server(&self) -> Result<ServerUrl, Error> {
        match &self.whereabouts {
            Whereabouts::Given(server) => Ok(server.clone()),
            Whereabouts::Misnamed(why) => Err(why.clone()),
            Whereabouts::Searched { found } => match recall(found) {
                Some(server) => Ok(server),
                None => search(found, self.multicast.browse),
            },
        }
    }

    /// The addresses of the daemon's machine; none, if its name is not known.
    pub(super) fn addresses(&self, server: &ServerUrl) -> Vec<SocketAddr> {
        lookup::addresses(server, self.multicast.look_up).unwrap_or_default()
    }

    /// Whether it is known where the daemon is, without a search.
    pub(super) fn is_known(&self) -> bool {
        match &self.whereabouts {
            Whereabouts::Given(_) => true,
            Whereabouts::Misnamed(_) => false,
            Whereabouts::Searched { found } => recall(found).is_some(),
        }
    }

    /// Makes a call that changes something; the answer as it came, JSON.
    ///
    /// ```no_run
    /// use healthchecker::client::connection::Connection;
    ///
    /// Connection::search().post("pause", &[("appname", "NAS")])?;
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    ///
    /// # Errors
    /// It was not carried out.
    pub fn post(&self, call: &str, parameters: &[Parameter<'_>]) -> Result<String, Error> {
        let json = Value::Object(
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        );
        let body = json.to_string();
        self.ask(call, |server| {
            let request = agent(server, self.multicast.look_up)
                .post(server.call(call))
                .content_type("application/json");
            authorised(request, self.token_to_send()).send(body.as_str())
        })
    }

    /// Makes a call that shows something; the answer as it came, JSON or a line of it for each thing.
    ///
    /// ```no_run
    /// use healthchecker::client::connection::Connection;
    ///
    /// let lines = Connection::search().get("log", &[("appname", "NAS"), ("limit", "10")])?;
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, call: &str, parameters: &[Parameter<'_>]) -> Result<String, Error> {
        self.ask(call, |server| {
            let request = agent(server, self.multicast.look_up)
                .get(server.call(call))
                .query_pairs(parameters.iter().copied());
            authorised(request, self.token_to_send()).call()
        })
    }

    /// Asks where the daemon was the last time, and where it is now if that leads nowhere.
    fn ask(&self, call: &str, ask: impl Fn(&ServerUrl) -> Asked) -> Result<String, Error> {
        if let Err(why) = &self.token {
            return Err(why.clone());
        }
        let once = |server: &ServerUrl| self.read(server, call, ask(server));
        let found = match &self.whereabouts {
            Whereabouts::Given(server) => return once(server),
            Whereabouts::Misnamed(why) => return Err(why.clone()),
            Whereabouts::Searched { found } => found,
        };
        if let Some(server) = recall(found) {
            match once(&server) {
                Err(why) if why.is_elsewhere() => {}
                answer => return answer,
            }
        }
        once(&search(found, self.multicast.browse)?)
    }

    /// The token, if the daemon is one that somebody named.
    fn token_to_send(&self) -> Option<&Token> {
        match (&self.whereabouts, &self.token) {
            (Whereabouts::Given(_), Ok(token)) => token.as_ref(),
            _ => None,
        }
    }

    fn token_trouble(&self, server: &ServerUrl) -> Error {
        match (&self.token, &self.whereabouts) {
            (Ok(Some(_)), Whereabouts::Searched { .. }) => {
                Error::TokenWithheld { url: server.to_string() }
            }
            (Ok(Some(_)), _) => Error::TokenRefused,
            _ => Error::TokenMissing,
        }
    }

    fn read(&self, server: &ServerUrl, call: &str, asked: Asked) -> Result<String, Error> {
        let unreachable =
            |why: ureq::Error| Error::Unreachable { url: server.to_string(), why: plain(&why) };
        let mut response = asked.map_err(unreachable)?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(ANSWER_MAX).read_to_string();
        let text = text.map_err(unreachable)?;
        let stranger = || Error::Stranger { url: server.to_string(), status };
        match status {
            200 if is_ours(call, &text) => Ok(text),
            200 => Err(stranger()),
            401 => Err(self.token_trouble(server)),
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

/// What asks this daemon. No connection outlives a call, so there is nothing to keep.
fn agent(server: &ServerUrl, look_up: LookUp) -> Agent {
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
    let link = server.zone().and_then(interface);
    // No proxy and no TLS, which ureq's own agent brings.
    Agent::with_parts(config, TcpConnector::default(), HostResolver { link, look_up })
}

type Asked = Result<Response<Body>, ureq::Error>;

fn authorised<B>(
    request: ureq::RequestBuilder<B>,
    token: Option<&Token>,
) -> ureq::RequestBuilder<B> {
    match token {
        Some(token) => request.header("Authorization", token.header()),
        None => request,
    }
}

/// Whether a daemon says this to this call. Many a server answers 200 to everything.
fn is_ours(call: &str, text: &str) -> bool {
    let member = match call {
        "monitor" | "pause" | "resume" | "stop" => "result",
        "info" => "appname",
        "status" => "apps",
        // A line of JSON for each thing, perhaps none.
        _ => return text.is_empty() || text.starts_with('{'),
    };
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    answer.get(member).is_some()
}

fn recall(found: &Mutex<Option<ServerUrl>>) -> Option<ServerUrl> {
    found.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn search(found: &Mutex<Option<ServerUrl>>, browse: Browse) -> Result<ServerUrl, Error> {
    let result = discovery::find_with(browse, FIND_WITHIN);
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::super::stub;
    use super::*;

    /// Answers one request like this; what was asked.
    fn answering(status: &str, body: &str) -> (Connection, JoinHandle<String>) {
        let (url, asked) = stub::answering(status, body);
        (Connection::to(url), asked)
    }

    #[test]
    fn a_change_is_posted_as_json_with_the_token() {
        let (connection, asked) = answering("200 OK", "{\"result\":\"stopped\"}\n");
        let connection = connection.with_token("secret");
        let said = connection.post("stop", &[("appname", "K\u{fc}che \"1\"")]).unwrap();
        assert_eq!(said, "{\"result\":\"stopped\"}\n");
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /healthchecker/stop HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_lowercase().contains("authorization: bearer secret\r\n"), "{asked}");
        assert!(asked.ends_with("\r\n\r\n{\"appname\":\"K\u{fc}che \\\"1\\\"\"}"), "{asked}");
    }

    #[test]
    fn names_are_escaped_in_a_question() {
        let (connection, asked) = answering("200 OK", "{\"appname\":\"a\"}");
        connection.get("info", &[("appname", "a&b \u{fc}")]).unwrap();
        let asked = asked.join().unwrap();
        assert!(
            asked.starts_with("GET /healthchecker/info?appname=a%26b%20%C3%BC HTTP/1.1"),
            "{asked}"
        );
    }

    #[test]
    fn each_trouble_is_an_error_of_its_own() {
        let fault = |status: &str, body: &str| {
            let (connection, asked) = answering(status, body);
            let why = connection.get("status", &[]).unwrap_err();
            asked.join().unwrap();
            why
        };
        let problem = r#"{"error": "interval is 3", "field": "interval"}"#;
        assert_eq!(
            fault("400 Bad Request", problem),
            Error::Refused {
                status: 400,
                sentence: "interval is 3".to_owned(),
                field: Some("interval".to_owned())
            }
        );
        assert_eq!(fault("401 Unauthorized", problem), Error::TokenMissing);
        for (status, body) in
            [("200 OK", "<html>"), ("200 OK", "{}"), ("404 Not Found", "no"), ("302 Found", "{}")]
        {
            assert!(matches!(fault(status, body), Error::Stranger { .. }), "{status}");
        }
        let (connection, asked) = answering("401 Unauthorized", problem);
        let why = connection.with_token("wrong").get("status", &[]).unwrap_err();
        assert_eq!(why, Error::TokenRefused);
        asked.join().unwrap();
    }

    #[test]
    fn a_closed_port_is_unreachable_and_says_so() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let why = Connection::to(free.into()).get("status", &[]).unwrap_err();
        assert_eq!((why.status(), why.is_elsewhere()), (503, true));
        assert!(why.to_string().ends_with("/healthchecker/: connection refused"), "{why}");
    }
}
