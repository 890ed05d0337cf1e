//! [`Names`] as the resolver of the HTTP client.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::{Fault, Names};

/// The longest that a look-up is waited for where no time-out is set (checks always set one).
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A name that could not be looked up, as it travels through the HTTP client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    /// The name.
    pub name: String,
    /// Why.
    pub fault: Fault,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot look up {}: {}", self.name, self.fault)
    }
}

impl Error for NameError {}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let deadline = Instant::now() + (*timeout.after).min(WAIT_MAX);
        let found = Names::resolve(self, host, deadline).map_err(|fault| {
            let name = host.to_owned();
            ureq::Error::Other(Box::new(NameError { name, fault }))
        })?;
        let mut addresses = self.empty();
        for address in found.iter().take(16) {
            let mut address: SocketAddr = *address;
            address.set_port(port);
            addresses.push(address);
        }
        Ok(addresses)
    }
}
