//! The name of a daemon's machine to its addresses.

use std::net::{SocketAddr, ToSocketAddrs};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::discovery::LookUp;
use super::{ServerUrl, reach};

/// ureq keeps no more addresses of one host.
const ADDRESSES_MAX: usize = 16;

/// Asks the network for a `NAME.local`, for a static program has a system that does not know them
/// (nss-mdns is a plug-in of glibc's). All else, and what nobody answers for, it asks the system, which gives
/// up by itself: within 10 s, unless somebody told it otherwise (resolv.conf(5)). ureq's own resolver asks on a
/// thread, to be rid of it sooner.
#[derive(Debug)]
pub(super) struct HostResolver {
    /// The interface that link-local addresses of IPv6 are meant on.
    pub(super) link: Option<u32>,
    pub(super) look_up: LookUp,
}

/// The number of the interface with this name or number; `None`: this machine has none such.
pub(super) fn interface(zone: &str) -> Option<u32> {
    let mut all = if_addrs::get_if_addrs().unwrap_or_default().into_iter();
    let is_meant = |one: &if_addrs::Interface| {
        one.name == zone || one.index.is_some_and(|index| index.to_string() == zone)
    };
    all.find(is_meant)?.index
}

/// The name of the interface with this number; `None`: this machine has none such.
pub(super) fn interface_name(index: u32) -> Option<String> {
    let mut all = if_addrs::get_if_addrs().unwrap_or_default().into_iter();
    all.find(|one| one.index == Some(index)).map(|one| one.name)
}

/// Whether this machine has such an interface.
pub(super) fn is_interface(zone: &str) -> bool {
    interface(zone).is_some()
}

impl Resolver for HostResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        for address in self.addresses(uri)?.into_iter().take(ADDRESSES_MAX) {
            addresses.push(address);
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Whether a name is one of the network's own (RFC 6762 section 3).
fn is_local(host: &str) -> bool {
    let label = host.len().checked_sub(".local".len()).and_then(|end| host.get(end..));
    label.is_some_and(|label| label.eq_ignore_ascii_case(".local"))
}

/// The addresses of the daemon's machine.
///
/// # Errors
/// Its name is not known.
pub(super) fn addresses(server: &ServerUrl, look_up: LookUp) -> Result<Vec<SocketAddr>, Error> {
    let resolver = HostResolver { link: server.zone().and_then(interface), look_up };
    let uri: Uri = server.call("").parse().map_err(|_| Error::HostNotFound)?;
    resolver.addresses(&uri)
}

impl HostResolver {
    fn addresses(&self, uri: &Uri) -> Result<Vec<SocketAddr>, Error> {
        let parts = uri.scheme().zip(uri.authority());
        let place = parts.and_then(|(scheme, host)| DefaultResolver::host_and_port(scheme, host));
        let place = place.ok_or(Error::HostNotFound)?;
        let mut found = Vec::new();
        if let Some((host, port)) = place.rsplit_once(':').filter(|(host, _)| is_local(host)) {
            let port = port.parse().map_err(|_| Error::HostNotFound)?;
            found = (self.look_up)(host);
            found.iter_mut().for_each(|address| address.set_port(port));
            found.sort_by_key(reach::rank);
        }
        if found.is_empty() {
            found = place.to_socket_addrs()?.collect();
        }
        Ok(found.into_iter().map(|address| self.on_link(address)).collect())
    }

    fn on_link(&self, mut address: SocketAddr) -> SocketAddr {
        if let (SocketAddr::V6(v6), Some(link)) = (&mut address, self.link)
            && v6.ip().is_unicast_link_local()
            && v6.scope_id() == 0
        {
            v6.set_scope_id(link);
        }
        address
    }
}
