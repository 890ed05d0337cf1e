//! Asks the system for addresses, one family at a time.
//!
//! Asked for both at once, musl (the C library of the static program) gives neither when one of the
//! two answers is bad, as some routers answer for IPv6.

use std::io;
use std::net::SocketAddr;

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError, SockType, getaddrinfo};

use super::Fault;
use crate::daemon::wants;

/// What glibc says of a name that has addresses, but none of this family (netdb.h; Linux only, and
/// the libc crate does not know it for musl).
const EAI_ADDRFAMILY: i32 = -9;

/// One kind of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// The addresses of `name`, for as long as it takes.
pub(super) fn ask(name: &str, family: Family) -> Result<Vec<SocketAddr>, Fault> {
    let family = match family {
        Family::V4 => AddrFamily::Inet,
        Family::V6 => AddrFamily::Inet6,
    };
    let hints = AddrInfoHints {
        address: family.into(),
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    match getaddrinfo(Some(name), None, Some(hints)) {
        Ok(found) => Ok(found.flatten().map(|one| one.sockaddr).collect()),
        Err(error) => {
            log::debug!("cannot look up {name}: {error}");
            Err(fault(error))
        }
    }
}

/// Of two failures the one that keeps more open.
pub(super) fn worse(one: Fault, other: Fault) -> Fault {
    if one == Fault::Unknown { other } else { one }
}

fn fault(error: LookupError) -> Fault {
    match error.error_num() {
        libc::EAI_NONAME | libc::EAI_NODATA | libc::EAI_FAMILY | EAI_ADDRFAMILY => Fault::Unknown,
        libc::EAI_MEMORY => Fault::Ours(libc::ENOMEM),
        _ => match io::Error::from(error).raw_os_error() {
            Some(code) if wants::is_ours(code) => Fault::Ours(code),
            _ => Fault::Away,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_silent_name_service() {
        let fault = |code| fault(LookupError::new(code));
        for gone in [libc::EAI_NONAME, libc::EAI_NODATA, EAI_ADDRFAMILY] {
            assert_eq!(fault(gone), Fault::Unknown);
        }
        for away in [libc::EAI_AGAIN, libc::EAI_FAIL] {
            assert_eq!(fault(away), Fault::Away);
        }
        assert_eq!(fault(libc::EAI_MEMORY), Fault::Ours(libc::ENOMEM));
    }

    #[test]
    fn a_family_is_asked_alone() {
        let v4 = ask("localhost", Family::V4).unwrap();
        assert!(!v4.is_empty() && v4.iter().all(SocketAddr::is_ipv4), "{v4:?}");
    }
}
