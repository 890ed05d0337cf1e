//! The browser of apps: mdns-sd.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::{Duration, Instant};

use mdns_sd::{
    HostnameResolutionEvent, Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent,
};

use super::Error;
use super::discovery::{Browser, Heard, Multicast, SERVICE_TYPE, Service, instance};

/// mdns-sd for both questions.
pub(super) const MDNS_SD: Multicast = Multicast { browse, look_up };

/// A name is asked for so long, in ms: by then three questions are out, at 0, 1 and 3 s.
const LOOK_UP_MS: u64 = 3500;

/// Its thread, and what that has to tell.
struct MdnsSd {
    searcher: ServiceDaemon,
    events: Receiver<ServiceEvent>,
}

/// Starts it.
///
/// # Errors
/// This machine cannot.
fn browse() -> Result<Box<dyn Browser>, Error> {
    let cannot = |why: mdns_sd::Error| Error::NoMulticast(why.to_string());
    let searcher = ServiceDaemon::new().map_err(cannot)?;
    let events = searcher.browse(SERVICE_TYPE).map_err(cannot)?;
    Ok(Box::new(MdnsSd { searcher, events }))
}

fn look_up(name: &str) -> Vec<SocketAddr> {
    let Ok(searcher) = ServiceDaemon::new() else { return Vec::new() };
    let answers = searcher.resolve_hostname(&format!("{name}."), Some(LOOK_UP_MS));
    let mut found = Vec::new();
    for answer in answers.into_iter().flatten() {
        if let HostnameResolutionEvent::AddressesFound(_, addresses) = answer {
            found.extend(addresses.iter().filter_map(|address| place(address, 0)));
            break;
        }
    }
    // Its thread ends by itself; there is nothing that a failure could mean to anybody.
    let _ = searcher.shutdown();
    found
}

impl Browser for MdnsSd {
    fn next(&mut self, within: Duration) -> Option<Heard> {
        let until = Instant::now() + within;
        loop {
            match self.events.recv_deadline(until).ok()? {
                ServiceEvent::ServiceResolved(service) => {
                    return Some(Heard::Service(announced(&service)));
                }
                ServiceEvent::ServiceFound(_, name) if instance(&name).is_none() => {
                    return Some(Heard::Other);
                }
                _ => {}
            }
        }
    }
}

impl Drop for MdnsSd {
    fn drop(&mut self) {
        // Its thread ends by itself; there is nothing that a failure could mean to anybody.
        let _ = self.searcher.shutdown();
    }
}

fn announced(service: &ResolvedService) -> Service {
    let addresses = service.addresses.iter();
    Service {
        full_name: service.fullname.clone(),
        addresses: addresses.filter_map(|address| place(address, service.port)).collect(),
        version: service.get_property_val_str("version").unwrap_or_default().to_owned(),
    }
}

fn place(address: &ScopedIp, port: u16) -> Option<SocketAddr> {
    match address {
        ScopedIp::V4(v4) => Some(SocketAddrV4::new(*v4.addr(), port).into()),
        ScopedIp::V6(v6) => {
            let is_inner = v6.addr().is_unicast_link_local();
            let link = if is_inner { v6.scope_id().index } else { 0 };
            Some(SocketAddrV6::new(*v6.addr(), port, 0, link).into())
        }
        _ => None,
    }
}
