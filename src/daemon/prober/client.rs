//! The HTTP client, as checks want it.

use std::sync::Arc;
use std::time::Duration;

use ureq::http::HeaderValue;
use ureq::http::header::{AUTHORIZATION, CONNECTION};
use ureq::unversioned::transport::Connector;
use ureq::{Agent, Body, Error};

use super::connect::{LookedUpLater, TcpConnector};
use super::secure::{Tls, TlsConnector};
use crate::daemon::names::Names;
use crate::engine::registration::Origin;

/// The most bytes of the head of an answer.
pub(super) const HEAD_MAX: usize = 16 * 1024;

/// Who we are, in the log of the app.
const USER_AGENT: &str = concat!("HealthChecker/", env!("CARGO_PKG_VERSION"));

/// Room in a request for all but the address and a login: our other header lines, and a TLS record in pieces.
const OUTPUT: usize = 512;

/// What we would like to read. Anything will do: a strict server answers 406 where nothing is said.
const ACCEPT: &str = "application/health+json, application/json, */*;q=0.5";

/// How we would like to read it: not packed.
const ACCEPT_ENCODING: &str = "identity";

/// One client for all checks of registrations that came from `origin`. Statuses are not errors, redirects are ours to follow, nothing is
/// kept alive, and a proxy from the environment has no say in what a household's own apps answer.
/// Over TLS an app must be who `tls` believes it is.
pub(super) fn client(names: Names, tls: Arc<Tls>, origin: Origin) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .accept(ACCEPT)
        .accept_encoding(ACCEPT_ENCODING)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .max_response_header_size(HEAD_MAX)
        .build();
    let connector = ().chain(TcpConnector { names, origin }).chain(TlsConnector(tls));
    Agent::with_parts(config, connector, LookedUpLater)
}

/// One GET of `url`, on a fresh connection, to the end of the head of its answer. It is `shown` who asks.
pub(super) fn get(
    client: &Agent,
    url: &str,
    shown: Option<HeaderValue>,
    timeout: Duration,
) -> Result<ureq::http::Response<Body>, Error> {
    let mut request = client.get(url).header(CONNECTION, "close");
    let mut output = OUTPUT;
    if let Some(value) = shown {
        // With its name, and what is around it.
        output += AUTHORIZATION.as_str().len() + value.len() + 4;
        request = request.header(AUTHORIZATION, value);
    }
    request.config().output_buffer_size(output).timeout_global(Some(timeout)).build().call()
}
