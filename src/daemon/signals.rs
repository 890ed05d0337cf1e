//! What signals do: an orderly stop, as an event of the loop, or nothing. None ends the daemon in the
//! middle of its work, but for SIGKILL and those of a crash.

use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use signal_hook::{flag, low_level::pipe};

/// Somebody wants us to end: a service manager, Ctrl-C, Ctrl-\, a limit on processor time.
const STOP: [i32; 4] = [SIGTERM, SIGINT, SIGQUIT, SIGXCPU];
/// They mean nothing here, and would end the process all the same. Of SIGXFSZ (a file has reached a
/// limit) the write learns by itself.
const NOTHING: [i32; 9] =
    [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ, libc::SIGPWR, libc::SIGSTKFLT];

/// The loop's end of a socket that the signal handler writes to.
pub(super) struct Signals(UnixStream);

impl Signals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// The system refuses a socket or a handler.
    pub(super) fn catch(registry: &Registry, token: Token) -> io::Result<Signals> {
        let (reader, writer) = StdUnixStream::pair()?;
        reader.set_nonblocking(true)?;
        for signal in STOP {
            pipe::register(signal, writer.try_clone()?)?;
        }
        let nothing = Arc::new(AtomicBool::new(false));
        // Nor do the signals without a name of their own (signal(7)).
        for signal in NOTHING.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            flag::register(signal, Arc::clone(&nothing))?;
        }
        match HangUp::here() {
            HangUp::Stops => drop(pipe::register(SIGHUP, writer)?),
            HangUp::MeansNothing => drop(flag::register(SIGHUP, nothing)?),
            HangUp::IsIgnored => {}
        }
        let mut reader = UnixStream::from_std(reader);
        registry.register(&mut reader, token, Interest::READABLE)?;
        Ok(Signals(reader))
    }

    /// Whether a signal has come since the last call.
    pub(super) fn came(&mut self) -> bool {
        let mut bytes = [0; 16];
        matches!(self.0.read(&mut bytes), Ok(count) if count > 0)
    }
}

/// What SIGHUP says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HangUp {
    /// Our terminal is closed: who started us there is gone.
    Stops,
    /// We have no terminal: it asks a daemon to read its options again. Ours are read at the start, and
    /// to end would be the worst answer.
    MeansNothing,
    /// nohup(1) started us, to outlive the terminal.
    IsIgnored,
}

impl HangUp {
    fn here() -> HangUp {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        // A process without a terminal of its own cannot open this one.
        let has_terminal = fs::File::open("/dev/tty").is_ok();
        HangUp::of(is_ignored(SIGHUP, &status), has_terminal)
    }

    fn of(is_ignored: bool, has_terminal: bool) -> HangUp {
        match (is_ignored, has_terminal) {
            (true, _) => HangUp::IsIgnored,
            (false, true) => HangUp::Stops,
            (false, false) => HangUp::MeansNothing,
        }
    }
}

/// Reads the set of ignored signals out of proc_pid_status(5).
fn is_ignored(signal: i32, status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_up_stops_what_has_a_terminal_and_nothing_else() {
        assert_eq!(HangUp::of(false, true), HangUp::Stops);
        assert_eq!(HangUp::of(false, false), HangUp::MeansNothing);
        assert_eq!(HangUp::of(true, true), HangUp::IsIgnored);
    }

    #[test]
    fn what_is_ignored_is_read_from_the_kernel() {
        let status =
            |mask: &str| format!("Name:\tx\nSigBlk:\tffff\nSigIgn:\t{mask}\nSigCgt:\tffff\n");
        assert!(is_ignored(SIGHUP, &status("0000000000001001")));
        assert!(!is_ignored(SIGHUP, &status("0000000000001000")));
        assert!(!is_ignored(SIGHUP, ""));
    }
}
