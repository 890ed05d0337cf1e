//! Our name in EHLO.

use std::fs;
use std::net::IpAddr;

/// Where the system says what the machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// The machine's own name if it is a whole one, else our address on the way to the server (RFC 5321,
/// sections 4.1.3 and 4.1.4). Most household machines have a name without a domain, which many servers
/// refuse (Postfix: `reject_non_fqdn_helo_hostname`), and at RCPT only.
pub(super) fn own_name(address: IpAddr) -> String {
    named(&fs::read_to_string(HOST_NAME).unwrap_or_default(), address)
}

fn named(host: &str, address: IpAddr) -> String {
    let host = host.trim();
    match (is_whole(host), address) {
        (true, _) => host.to_owned(),
        (false, IpAddr::V4(address)) => format!("[{address}]"),
        (false, IpAddr::V6(address)) => format!("[IPv6:{address}]"),
    }
}

/// A name with a domain, of letters that every server takes. `localhost` with a domain is every machine's.
fn is_whole(host: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    host.contains('.')
        && host.split('.').all(is_label)
        && !host.split('.').next_back().is_none_or(is_number)
        && !host.starts_with("localhost.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_domain_is_no_name() {
        let v4: IpAddr = "192.168.1.5".parse().unwrap();
        for whole in ["pi.home.example\n", "PI-2.home.example"] {
            assert_eq!(named(whole, v4), whole.trim());
        }
        for odd in [
            "raspberrypi",
            "",
            "pi.",
            ".pi",
            "my_pi.home.example",
            "küche.home.example",
            "-pi.example",
            "10.0.0.7",
            "localhost.localdomain",
            "pi home.example",
            "pi..example",
        ] {
            assert_eq!(named(odd, v4), "[192.168.1.5]", "{odd}");
        }
        assert_eq!(named("raspberrypi", "2001:db8::5".parse().unwrap()), "[IPv6:2001:db8::5]");
    }
}
