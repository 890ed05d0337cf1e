//! The way to the service manager: a datagram to the socket that it names (sd_notify(3)).

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

/// Sends word to the service manager.
#[derive(Debug)]
pub(super) struct Notifier {
    socket: UnixDatagram,
    manager: SocketAddr,
}

impl Notifier {
    /// That of the manager that started us; `None` when none did, or it cannot be reached.
    pub(super) fn from_environment() -> Option<Notifier> {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
        match Notifier::to(&name) {
            Ok(notifier) => Some(notifier),
            Err(why) => {
                log::warn!("cannot report to NOTIFY_SOCKET={}: {why}", name.display());
                None
            }
        }
    }

    /// To the socket of that name; one that begins with `@` is abstract (unix(7)).
    fn to(name: &OsStr) -> io::Result<Notifier> {
        let manager = match name.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // The loop does not wait for a manager that reads nothing.
        socket.set_nonblocking(true)?;
        Ok(Notifier { socket, manager })
    }

    /// Says how we are. What cannot be sent is not sent again: the next word is due soon.
    pub(super) fn notify(&self, state: &str) {
        if let Err(why) = self.socket.send_to_addr(state.as_bytes(), &self.manager) {
            log::debug!("cannot tell the service manager {state}: {why}");
        }
    }
}

/// How often at least the manager wants to hear that we are alive; `None`: not at all
/// (sd_watchdog_enabled(3)).
pub(super) fn watchdog_period() -> Option<Duration> {
    period(env::var_os("WATCHDOG_USEC"), env::var_os("WATCHDOG_PID"), process::id())
}

fn period(micros: Option<OsString>, pid: Option<OsString>, own: u32) -> Option<Duration> {
    // Named for another process, when we were started by the one that was meant.
    if pid.is_some_and(|pid| pid != *own.to_string()) {
        return None;
    }
    let micros: u64 = micros?.to_str()?.parse().ok()?;
    (micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_reaches_sockets_with_a_path_and_abstract_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("@healthchecker-test-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        for (socket, name) in [(by_path, path.as_os_str()), (by_name, OsStr::new(&name))] {
            Notifier::to(name).unwrap().notify("READY=1");
            let mut word = [0; 32];
            let length = socket.recv(&mut word).unwrap();
            assert_eq!(&word[..length], b"READY=1");
        }
    }

    #[test]
    fn a_manager_that_is_gone_does_no_harm() {
        Notifier::to(OsStr::new("/nowhere")).unwrap().notify("READY=1");
        assert!(Notifier::to(OsStr::new(&"long".repeat(100))).is_err());
    }

    #[test]
    fn the_period_is_for_us_only() {
        let of = |micros: &str, pid: Option<&str>| {
            period(Some(micros.into()), pid.map(OsString::from), 7)
        };
        assert_eq!(of("180000000", Some("7")), Some(Duration::from_secs(180)));
        assert_eq!(of("1500000", None), Some(Duration::from_millis(1500)));
        assert_eq!(of("180000000", Some("8")), None);
        assert_eq!(of("0", None), None);
        assert_eq!(of("soon", None), None);
        assert_eq!(period(None, None, 7), None);
    }
}
