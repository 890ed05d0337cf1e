//! The address of the status page, for mails.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses of the documentation ranges (RFC 5737, RFC 3849): a route is looked up, nothing is sent.
const ANYWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// Where the owner's browser finds the daemon.
#[derive(Clone, Debug)]
pub(super) struct PublicUrl {
    set: Option<String>,
    serving: SocketAddr,
}

impl PublicUrl {
    /// `set` is what the owner says, `serving` the address and port that are served.
    pub(super) fn new(set: Option<String>, serving: SocketAddr) -> PublicUrl {
        PublicUrl { set, serving }
    }

    /// The owner's address, else that of the interface of the default route as it is now; `None`
    /// while there is no route.
    pub(super) fn get(&self) -> Option<String> {
        if let Some(set) = &self.set {
            return Some(set.clone());
        }
        let ip = self.serving.ip();
        let ip =
            if ip.is_unspecified() { ANYWHERE.into_iter().find_map(source_address)? } else { ip };
        Some(format!("http://{}/", SocketAddr::new(ip, self.serving.port())))
    }
}

/// What is before `/healthchecker/` at the owner's address: all is below that, and a proxy may serve no more.
pub(super) fn base_of(public_url: &str) -> &str {
    public_url.trim_end_matches('/').trim_end_matches("/healthchecker")
}

/// Our address on the way to `destination`.
fn source_address(destination: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match destination {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Connecting a UDP socket sends nothing; any port but 0 will do.
    socket.connect((destination, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_owner_says_goes_first_and_then_what_is_served() {
        let serving: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let set = PublicUrl::new(Some("https://home.example/hc".to_owned()), serving);
        assert_eq!(set.get().as_deref(), Some("https://home.example/hc"));
        assert_eq!(PublicUrl::new(None, serving).get().as_deref(), Some("http://127.0.0.1:8080/"));
        let v6 = PublicUrl::new(None, "[::1]:8080".parse().unwrap());
        assert_eq!(v6.get().as_deref(), Some("http://[::1]:8080/"));
    }
}
