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
/// Of a terminal, and for what runs in its foreground. Who started us may have them ignored: nohup(1),
/// a script with `&`, so that Ctrl-C ends the script alone.
const OF_TERMINAL: [i32; 3] = [SIGHUP, SIGINT, SIGQUIT];
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
        let ignored = Ignored::here();
        for signal in STOP.into_iter().filter(|signal| !ignored.has(*signal)) {
            pipe::register(signal, writer.try_clone()?)?;
        }
        let nothing = Arc::new(AtomicBool::new(false));
        // Nor do the signals without a name of their own (signal(7)).
        for signal in NOTHING.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            flag::register(signal, Arc::clone(&nothing))?;
        }
        if ignored.has(SIGHUP) {
            // Nothing is to come of it.
        } else if has_terminal() {
            // It is closed: who started us there is gone.
            pipe::register(SIGHUP, writer)?;
        } else {
            // A daemon is to read its options again. Ours are read at the start, and to end would be the
            // worst answer.
            flag::register(SIGHUP, nothing)?;
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

fn has_terminal() -> bool {
    // A process without a terminal of its own cannot open this one.
    fs::File::open("/dev/tty").is_ok()
}

/// The signals that were ignored when we were started, as a bit for each.
struct Ignored(u64);

impl Ignored {
    fn here() -> Ignored {
        Ignored::of(&fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    /// Reads proc_pid_status(5).
    fn of(status: &str) -> Ignored {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        Ignored(mask.unwrap_or(0))
    }

    /// Whether this is one that we leave ignored. A service manager must be able to stop us, so SIGTERM
    /// is not.
    fn has(&self, signal: i32) -> bool {
        OF_TERMINAL.contains(&signal) && self.0 >> (signal - 1) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_kernel_and_sigterm_never_is() {
        let of = |mask: &str| {
            Ignored::of(&format!("Name:\tx\nSigBlk:\tffff\nSigIgn:\t{mask}\nSigCgt:\tffff\n"))
        };
        for (signal, mask) in [(SIGHUP, "1001"), (SIGINT, "1002"), (SIGQUIT, "0000000000001004")] {
            assert!(of(mask).has(signal) && !of("1000").has(signal));
        }
        assert!(!of("ffffffffffffffff").has(SIGTERM));
        assert!(!Ignored::of("").has(SIGHUP));
    }
}
