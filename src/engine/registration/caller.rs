//! Addresses that leave the host out: the app is where the call comes from.
//!
//! An app does not know by which of its addresses the household reaches it: behind a VPN, on a
//! machine with several networks. The daemon sees it.

use std::borrow::Cow;
use std::net::IpAddr;

/// The address with the caller's own in place of the host that is left out: `:8080`, `:8080/base`,
/// `https://:8443`, `tcp://:22`. Any other address is given back as it is.
pub(crate) fn complete(url: &str, caller: IpAddr) -> Cow<'_, str> {
    let url = url.trim();
    let (scheme, rest) = match url.split_once("//") {
        Some((scheme, rest)) if is_known(scheme) => (scheme, rest),
        _ => ("http:", url),
    };
    let begins_with_port = rest.strip_prefix(':').is_some_and(|port| {
        port.starts_with(|first: char| first.is_ascii_digit()) && !port.contains(':')
    });
    if !begins_with_port {
        return url.into();
    }
    match caller {
        IpAddr::V4(address) => format!("{scheme}//{address}{rest}").into(),
        IpAddr::V6(address) => format!("{scheme}//[{address}]{rest}").into(),
    }
}

fn is_known(scheme: &str) -> bool {
    ["http:", "https:", "tcp:"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_at_the_caller() {
        let nas: IpAddr = "10.0.0.8".parse().unwrap();
        let six: IpAddr = "fd77::8".parse().unwrap();
        for (given, caller, meant) in [
            (":8080", nas, "http://10.0.0.8:8080"),
            (":8080/kodi", nas, "http://10.0.0.8:8080/kodi"),
            ("https://:8443", nas, "https://10.0.0.8:8443"),
            ("HTTP://:80/", six, "HTTP://[fd77::8]:80/"),
            ("tcp://:22", nas, "tcp://10.0.0.8:22"),
            (":8080", six, "http://[fd77::8]:8080"),
        ] {
            assert_eq!(complete(given, caller), meant, "{given}");
        }
    }

    #[test]
    fn what_has_a_host_or_no_port_stays() {
        for given in
            ["http://nas:80", "", ":", ":port", "http://:", "::1", ":1:2", "//:80", "nas:80"]
        {
            assert_eq!(complete(given, "10.0.0.8".parse().unwrap()), given);
        }
    }
}
