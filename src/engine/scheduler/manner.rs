//! How an app has answered so far: which lane its next check takes, and how long a short time-out.

use std::time::Duration;

use crate::engine::scheduler::lanes::{Lane, Share, ShortTimeout};
use crate::engine::time::Moment;
use crate::engine::verdict::answer::{CheckEnd, Outcome};

/// No short time-out is shorter. Far above what a healthy app on a LAN needs, and with ten apps a second
/// beginning to hang it costs five threads.
const SHORTEST: Duration = Duration::from_millis(500);

/// An app that is broken off gets twice the short time-out next time, up to twice this: more would let those
/// that hang hold the threads that are kept for others.
const TRUSTED: Duration = Duration::from_secs(1);

/// What takes no longer is quick: an app on the LAN that is well, asked by a Pi Zero.
const QUICK: Duration = Duration::from_millis(50);

/// An app that takes longer has a moment of its own: several of those at once would hold many threads.
const SLOW: Duration = Duration::from_millis(100);

/// The share of one pass in the average is one of so many: one that waited for a busy Wi-Fi is forgotten after a few.
const WEIGHT: u32 = 8;

/// How an app has answered so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The lane of its next check.
    pub lane: Lane,
    /// About the longest that it took lately.
    usual: Duration,
    /// What its passes took on average of late; none since it last failed.
    passes: Option<Duration>,
    /// When the check was due that was broken off first, while no check in full has followed: it keeps
    /// its place among those that wait for one.
    pub broken_off: Option<Moment>,
}

impl Manner {
    /// That of an app which was never asked.
    pub const NEW: Manner =
        Manner { lane: Lane::New, usual: Duration::ZERO, passes: None, broken_off: None };

    /// A check has ended, and the time that it took was the app's. What took no longer than the
    /// shortest short time-out holds no thread for long, answer or not; a host that is switched off takes three
    /// seconds to be unreachable.
    pub fn observe(&mut self, end: &CheckEnd, latency: Duration) {
        let CheckEnd::Verdict(verdict) = end else { return };
        let answered = verdict.http_status.is_some() || verdict.refused;
        self.broken_off = None;
        self.passes = (verdict.outcome != Outcome::Fail).then(|| {
            let before = self.passes.unwrap_or(latency);
            before - before / WEIGHT + latency / WEIGHT
        });
        if answered || latency <= SHORTEST {
            self.lane = Lane::Answers;
            self.usual = latency.max(self.usual * 31 / 32);
        } else {
            self.lane = Lane::Hangs;
        }
    }

    /// A check that was due at `due` was broken off.
    pub fn break_off(&mut self, due: Moment) {
        self.lane = Lane::BrokenOff;
        self.passes = None;
        self.broken_off.get_or_insert(due);
        self.usual = self.usual.max((self.usual * 2).clamp(SHORTEST, TRUSTED));
    }

    /// How long its next check is likely to take, if that is so little that it may be made in a row with others. An app
    /// that was never asked, or is not well, may hang.
    pub fn quick(self) -> Option<Duration> {
        self.passes.filter(|average| *average <= QUICK)
    }

    /// Whether it takes so long that it is to be asked apart from others.
    pub fn is_slow(self) -> bool {
        self.passes.is_some_and(|average| average > SLOW)
    }

    /// After how long a check on a short time-out is broken off: an answer that takes twice the usual is not
    /// worth a second request.
    pub fn short_timeout(self, short_timeout: ShortTimeout) -> Option<Duration> {
        match short_timeout {
            ShortTimeout::None => None,
            ShortTimeout::Short => Some(SHORTEST),
            ShortTimeout::Usual => Some((self.usual * 2).max(SHORTEST)),
        }
    }

    /// The share of a thread that an app needs which is asked every `interval`, if it answers.
    pub fn share(self, interval: Duration) -> Share {
        if self.lane != Lane::Answers {
            return 0;
        }
        let share = self.usual.as_millis() * 1000 / interval.as_millis().max(1);
        Share::try_from(share).unwrap_or(Share::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verdict::answer::Verdict;
    use crate::engine::verdict::judge;
    use crate::engine::verdict::trouble::Trouble;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn usual(manner: Manner) -> Duration {
        manner.short_timeout(ShortTimeout::Usual).unwrap()
    }

    fn answer() -> Verdict {
        Verdict { http_status: Some(503), ..silence() }
    }

    fn silence() -> Verdict {
        judge(Err(Trouble::NoRoute))
    }

    #[test]
    fn who_answers_answers_however_slowly() {
        let mut manner = Manner::NEW;
        for (verdict, latency, lane) in [
            (answer(), 4_900, Lane::Answers),
            (silence(), 3_100, Lane::Hangs),
            (silence(), 2, Lane::Answers),
            (judge(Err(Trouble::Refused)), 2_000, Lane::Answers),
        ] {
            let reason = verdict.reason.clone();
            manner.observe(&CheckEnd::Verdict(verdict), ms(latency));
            assert_eq!(manner.lane, lane, "{reason} after {latency} ms");
        }
    }

    #[test]
    fn the_short_timeout_is_as_long_as_the_app_is_slow() {
        let mut manner = Manner::NEW;
        assert_eq!(usual(manner), SHORTEST);
        assert_eq!(manner.short_timeout(ShortTimeout::None), None);
        manner.observe(&CheckEnd::Verdict(answer()), ms(600));
        assert_eq!((usual(manner), manner.share(ms(5_000))), (ms(1_200), 120));
        manner.observe(&CheckEnd::Verdict(answer()), ms(5));
        assert!(usual(manner) > ms(1_100), "one quick answer makes no quick app");
        for _ in 0..200 {
            manner.observe(&CheckEnd::Verdict(answer()), ms(5));
        }
        assert_eq!(usual(manner), SHORTEST, "that was long ago");
    }

    #[test]
    fn an_app_is_quick_while_its_passes_are_on_average_and_it_is_well() {
        let pass = Verdict { outcome: Outcome::Pass, http_status: Some(200), ..silence() };
        let refused = judge(Err(Trouble::Refused));
        let mut manner = Manner::NEW;
        assert_eq!(manner.quick(), None, "nobody knows yet");
        for (verdict, latency, quick) in [
            (&pass, 50, true),
            (&pass, 60, false),
            (&pass, 15, true),
            (&refused, 1, false),
            (&pass, 15, true),
            // A busy Wi-Fi.
            (&pass, 500, false),
            (&pass, 15, false),
            (&pass, 15, false),
            (&pass, 15, false),
            (&pass, 15, false),
            (&pass, 15, true),
        ] {
            manner.observe(&CheckEnd::Verdict(verdict.clone()), ms(latency));
            assert_eq!(manner.quick().is_some(), quick, "{} after {latency} ms", verdict.reason);
        }
        manner.break_off(Moment::START);
        assert_eq!(manner.quick(), None, "it may hang");
    }

    #[test]
    fn who_is_broken_off_gets_more_time_and_keeps_its_place() {
        let mut manner = Manner::NEW;
        let due = Moment::from_millis(7);
        let short_timeouts = [1, 2, 3].map(|number| {
            manner.break_off(due + ms(number));
            usual(manner).as_millis()
        });
        assert_eq!(short_timeouts, [1_000, 2_000, 2_000]);
        assert_eq!(manner.broken_off, Some(due + ms(1)));
        manner.observe(&CheckEnd::Verdict(answer()), ms(20_000));
        manner.break_off(due);
        assert_eq!(usual(manner), ms(40_000), "never less than it had");
        assert_eq!(manner.short_timeout(ShortTimeout::Short), Some(SHORTEST));
    }
}
