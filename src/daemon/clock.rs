//! The machine's two clocks, and whether the one for people can be believed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::engine::time::{Moment, Now, Wall};

/// Made once by systemd-timesyncd, when it has set the clock (systemd-time-wait-sync.service(8)).
const TIMESYNC_MARK: &str = "/run/systemd/timesync/synchronized";
/// Seconds since the machine was switched on, among others.
const UPTIME: &str = "/proc/uptime";

/// Another text for each time that the machine was switched on (random(4)); of the host, in a container.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Which boot of the machine this is, if the system tells.
pub fn boot_id() -> Option<String> {
    let id = fs::read_to_string(BOOT_ID).ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Tells the time to the event loop.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose [`Moment::START`] is now.
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// How long from now until `moment`; zero when it has passed.
    pub fn until(&self, moment: Moment) -> Duration {
        let at = moment.since(Moment::START);
        at.saturating_sub(self.start.elapsed())
    }

    /// When that was. Rounded down, as [`Clock::now`].
    pub fn moment(&self, at: Instant) -> Moment {
        moment(at.saturating_duration_since(self.start))
    }

    /// How long the machine was asleep since an unknown time; `None`: the system does not tell. The
    /// difference of two answers counts: what was slept through in between, to 10 ms.
    pub fn asleep(&self) -> Option<Duration> {
        // CLOCK_BOOTTIME (proc_uptime(5)): it goes on while the machine sleeps, std's clock does not.
        let since_boot = seconds(&fs::read_to_string(UPTIME).ok()?)?;
        since_boot.checked_sub(self.start.elapsed())
    }

    /// Both clocks. Moments are rounded down, so no deadline seems to have come early.
    pub fn now(&self) -> Now {
        Now { at: moment(self.start.elapsed()), wall: wall_now() }
    }
}

/// The first number of a text, in seconds with two places. No `f64`, whose parser nobody else needs.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = hundredths.parse().ok()?;
    Some(Duration::from_secs(whole.parse().ok()?) + Duration::from_millis(hundredths.min(99) * 10))
}

fn moment(span: Duration) -> Moment {
    Moment::START.after_whole_millis(span)
}

/// The wall clock.
pub fn wall_now() -> Wall {
    wall(SystemTime::now())
}

/// The wall clock for the date of a mail, if it can be right. The library that writes it panics before
/// 1970 and beyond year 9999.
pub fn date_now() -> Option<SystemTime> {
    date(wall_now())
}

fn date(wall: Wall) -> Option<SystemTime> {
    let millis = u64::try_from(wall.as_unix_millis()).ok()?;
    (!wall.is_plainly_wrong()).then(|| SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
}

fn wall(time: SystemTime) -> Wall {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Wall::from_unix_millis(match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    })
}

/// Whether the wall clock has been set by a time server: false on a Pi, which has no clock battery,
/// until the network is up. Told by the kernel, or, where it is not allowed to say, by systemd.
pub fn is_synchronised() -> bool {
    kernel_says_synchronised() || Path::new(TIMESYNC_MARK).exists()
}

/// Room for the kernel's `struct timex`, whatever the width of its times: 208 bytes on 64-bit Linux,
/// 128 or 208 on 32-bit, and to spare.
#[repr(C, align(16))]
struct Timex([u8; 512]);

/// Asks adjtimex(2), which changes nothing when `modes`, its first field, is 0.
#[allow(
    unsafe_code,
    reason = "nothing safe asks adjtimex; its buffer is larger than any of the kernel's"
)]
fn kernel_says_synchronised() -> bool {
    /// The clock is not synchronised (`TIME_ERROR`, also known as `TIME_BAD`).
    const TIME_ERROR: libc::c_int = 5;
    let mut timex = Timex([0; 512]);
    // SAFETY: std does not offer this call. The pointer is to zeroed memory
    // that we own, aligned for every field and larger than any layout of the struct, so no
    // mismatch between the C library's `time_t` and that of the `libc` crate (32 or 64 bits on
    // musl) can make the call write beyond it. Its fields are never read: only the result counts.
    let state = unsafe { libc::adjtimex((&raw mut timex).cast()) };
    (0..TIME_ERROR).contains(&state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_from_the_start_and_never_go_back() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(first.at.since(Moment::START) < Duration::from_secs(1));
        assert!(clock.now().at >= first.at);
        assert!(first.wall > Wall::from_unix_millis(1_700_000_000_000));
    }

    #[test]
    fn a_machine_that_is_awake_has_not_slept() {
        let clock = Clock::start();
        let before = clock.asleep().unwrap();
        std::thread::sleep(Duration::from_millis(30));
        let after = clock.asleep().unwrap();
        assert!(after.abs_diff(before) < Duration::from_secs(1), "{before:?} {after:?}");
        assert_eq!(seconds("350735.47 234388.90\n"), Some(Duration::from_millis(350_735_470)));
        for bad in ["", "7", "a.b", "1.-2", "-1.00 2.00"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_clock_before_1970_is_borne() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        assert_eq!(wall(before), Wall::from_unix_millis(-1500));
    }

    #[test]
    fn a_mail_has_no_date_that_is_wrong_or_cannot_be_written() {
        for millis in [i64::MIN, -1, 0, 1000, Wall::LAST.as_unix_millis() + 1, i64::MAX] {
            assert_eq!(date(Wall::from_unix_millis(millis)), None, "{millis}");
        }
        let last = lettre::message::header::Date::new(date(Wall::LAST).unwrap());
        assert_eq!(
            SystemTime::from(last),
            SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799)
        );
    }

    #[test]
    fn the_kernel_answers_without_harm() {
        let first = is_synchronised();
        assert_eq!(first, is_synchronised());
    }
}
