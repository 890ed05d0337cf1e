//! The name of a daemon's machine to its addresses.

use std::net::ToSocketAddrs;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// ureq keeps no more addresses of one host.
const ADDRESSES_MAX: usize = 16;

/// Asks the system, which gives up by itself: within 10 s, unless somebody told it otherwise
/// (resolv.conf(5)). ureq's own resolver asks on a thread, to be rid of it sooner.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let parts = uri.scheme().zip(uri.authority());
        let place = parts.and_then(|(scheme, host)| DefaultResolver::host_and_port(scheme, host));
        let mut addresses = self.empty();
        for address in place.ok_or(Error::HostNotFound)?.to_socket_addrs()?.take(ADDRESSES_MAX) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}
