//! How the file descriptors that the system allows are shared out.
//!
//! A check, the journal and the mail must always find one. So clients and checks get what is left
//! when everything else has been counted, and never more than that at once. (A check of an app with
//! several addresses, the first of which answer nothing, takes up to four more for a moment, or goes
//! on without them where there are none.)

use std::fs;

use super::gate::{CONNECTIONS_MAX, DESCRIPTORS_RESERVED};
use super::{lookout, names};

/// Assumed where the system does not say: the usual limit.
const USUAL_LIMIT: usize = 1024;

/// What may be opened beside clients and checks, all at the same moment: the journal written anew
/// and its folder (3), the health check log rotated (2) and read by four clients (4), a mail (2),
/// mDNS (11: two for waiting, one for looking at the networks, two for each of four of them), a
/// client who is turned away (1), a look around besides what it connects to (1).
const OTHERS: usize = 24;

/// Below this limit there are descriptors for few look-ups of names at once.
const LOW_LIMIT: usize = 256;
/// One for names that were slow, four for the others.
const LOOK_UPS_MIN: usize = 5;

/// A look at a few, the nearest, while there are few descriptors.
const LOOKS_MIN: usize = 3;

/// Below these the daemon would not be of use, whatever the limit.
const CLIENTS_MIN: usize = 4;
/// As for clients.
const CHECKS_MIN: usize = 4;

/// How many clients, checks, look-ups of names and witnesses of a look there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) clients: usize,
    pub(super) checks: usize,
    pub(super) look_ups: usize,
    pub(super) looks: usize,
}

impl Shares {
    /// What the limit of this process allows, up to `checks_wanted` checks, with all that is open
    /// now. Says so when it is less than usual.
    pub(super) fn of_this_process(checks_wanted: usize) -> Shares {
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let limit = open_files(&limits).unwrap_or(USUAL_LIMIT);
        // The folder that is read is itself one of them, for the moment.
        let open = fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1));
        let shares = Shares::new(limit, open, checks_wanted);
        if shares != Shares::new(USUAL_LIMIT.max(limit), open, checks_wanted) {
            log::warn!(
                "only {limit} files may be open (ulimit -n): at most {} clients and {} checks at once",
                shares.clients,
                shares.checks
            );
        }
        shares
    }

    fn new(limit: usize, open: usize, checks_wanted: usize) -> Shares {
        let (look_ups, looks) = match limit {
            0..LOW_LIMIT => (LOOK_UPS_MIN, LOOKS_MIN),
            _ => (names::THREADS_MAX, lookout::AT_ONCE_MAX),
        };
        let kept = DESCRIPTORS_RESERVED + OTHERS + look_ups + looks;
        let left = limit.saturating_sub(open + kept);
        // Checks are what the daemon is for: they come first, but not all of a small rest.
        let checks = checks_wanted.min((left / 2).max(CHECKS_MIN));
        let clients = left.saturating_sub(checks).clamp(CLIENTS_MIN, CONNECTIONS_MAX);
        Shares { clients, checks, look_ups, looks }
    }
}

/// The soft limit in the text of `/proc/self/limits` (proc_pid_limits(5)).
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let text = |soft: &str| {
            format!(
                "Limit   Soft Limit   Hard Limit   Units\nMax open files   {soft}   4096   files\n"
            )
        };
        assert_eq!(open_files(&text("64")), Some(64));
        assert_eq!(open_files(&text("unlimited")), Some(usize::MAX));
        assert_eq!(open_files("no such file"), None);
        let own = fs::read_to_string("/proc/self/limits").unwrap();
        assert!(open_files(&own) >= Some(64), "{own}");
    }

    #[test]
    fn the_usual_limit_is_enough_for_all() {
        let look_ups = names::THREADS_MAX;
        let looks = lookout::AT_ONCE_MAX;
        let full = Shares { clients: CONNECTIONS_MAX, checks: 32, look_ups, looks };
        assert_eq!(Shares::new(USUAL_LIMIT, 30, 32), full);
        assert_eq!(Shares::new(usize::MAX, 30, 32), full);
    }

    #[test]
    fn a_low_limit_is_kept_whatever_is_open() {
        for limit in 0..600 {
            for open in [8, 12, 40] {
                let Shares { clients, checks, look_ups, looks } = Shares::new(limit, open, 32);
                assert!(clients >= CLIENTS_MIN && checks >= CHECKS_MIN);
                let others = open + DESCRIPTORS_RESERVED + OTHERS + look_ups + looks;
                let all = others + clients + checks;
                let least = others + CLIENTS_MIN + CHECKS_MIN;
                assert!(all <= limit.max(least), "{limit} {open}: {clients} {checks}");
            }
        }
        assert_eq!(
            Shares::new(64, 12, 32),
            Shares { clients: 4, checks: 4, look_ups: 5, looks: 3 }
        );
    }
}
