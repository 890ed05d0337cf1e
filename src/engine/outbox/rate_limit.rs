//! How many mails a person has had: enough is enough.
//!
//! A mail more than [`MAILS_AN_HOUR`] is held back until an hour has passed since one of them, and
//! takes in what else there is to tell until then: a digest. Mail servers refuse those who send too
//! much, and people stop reading. Who had several mails of trouble shortly before gets the next one a little
//! later, with all that came meanwhile: on a bad day of the house it is one for many.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::recipients::Recipient;
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Moment, Stamp};

/// The most mails to one person within an hour. A bad day of a household has a dozen; Gmail takes 500
/// a day.
pub const MAILS_AN_HOUR: usize = 20;
const HOUR: Duration = Duration::from_secs(3600);
/// Who had so many mails of trouble
const SEVERAL: usize = 2;
/// within this time
const SHORTLY: Duration = Duration::from_secs(15 * 60);
/// has each further one wait so long: what has one cause is seen within it.
const PACE: Duration = Duration::from_secs(3 * 60);

/// A mail that a person has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Had {
    /// When it was accepted.
    pub at: Stamp,
    /// Whether it told that an app is unwell.
    pub trouble: bool,
}

/// The mails that each person has had within the last hour.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct RateLimit {
    /// The latest [`MAILS_AN_HOUR`], oldest first.
    had: SortedMap<Recipient, VecDeque<Had>>,
    tidied: Moment,
    /// Those that are not on disk yet.
    new: Vec<(Recipient, Had)>,
}

impl RateLimit {
    /// A mail to `to` was accepted.
    pub(in crate::engine) fn accepted(&mut self, at: Moment, mail: Had, to: &Recipient) {
        self.restore(at, mail, to);
        self.new.push((to.clone(), mail));
    }

    /// Counts a mail that is on record, if it still does.
    pub(in crate::engine) fn restore(&mut self, at: Moment, mail: Had, to: &Recipient) {
        self.tidy(at);
        if !counts(mail.at, at) {
            return;
        }
        self.had.update(to.clone(), VecDeque::new, |had| {
            had.push_back(mail);
            if had.len() > MAILS_AN_HOUR {
                had.pop_front();
            }
        });
    }

    /// Until when `to` has had enough; `None`: may have one now.
    pub(in crate::engine) fn full_until(&self, at: Moment, to: &Recipient) -> Option<Moment> {
        let had = self.had.get(to)?;
        let oldest = had.front().filter(|_| had.len() >= MAILS_AN_HOUR)?;
        // Of a mail before the restart it may not be known how long ago it was. Then it counts for
        // nothing: one too many is better than an alert held back. The others came later.
        let free = oldest.at.at()? + HOUR;
        (free > at).then_some(free)
    }

    /// Until when a mail of trouble to `to` waits that was `written` then, for what else comes; `None`: it goes now.
    pub(in crate::engine) fn paced_until(
        &self,
        at: Moment,
        to: &Recipient,
        written: Moment,
    ) -> Option<Moment> {
        // As above: one too early is better than one that waits for what was long ago.
        let is_lately = |had: &&Had| had.at.at().is_some_and(|had| at.since(had) < SHORTLY);
        let troubles = self.had.get(to)?.iter().filter(|had| had.trouble);
        let had_several = troubles.filter(is_lately).count() >= SEVERAL;
        Some(written + PACE).filter(|until| had_several && *until > at)
    }

    /// All that counts still: to whom, and when.
    pub(in crate::engine) fn all(&self, at: Moment) -> impl Iterator<Item = (&Recipient, Had)> {
        self.had.iter().flat_map(move |(to, had)| {
            let counts = had.iter().filter(move |mail| counts(mail.at, at));
            counts.map(move |mail| (to, *mail))
        })
    }

    /// What is to be written since this was called last.
    pub(in crate::engine) fn take_new(&mut self) -> Vec<(Recipient, Had)> {
        std::mem::take(&mut self.new)
    }

    /// The clock was set, or the machine was asleep: has every time in it put right. What does not
    /// count by now never will again, though the clock may be set back: so it is on disk, too, where a
    /// new file is without it.
    pub(in crate::engine) fn handle_step(
        &mut self,
        at: Moment,
        mut put_right: impl FnMut(&mut Stamp),
    ) {
        for had in self.had.values_mut() {
            had.iter_mut().for_each(|mail| put_right(&mut mail.at));
            had.retain(|mail| counts(mail.at, at));
        }
    }

    /// Forgets, once an hour, who has had nothing for an hour.
    fn tidy(&mut self, at: Moment) {
        if at.since(self.tidied) >= HOUR {
            self.had.retain(|_, had| had.back().is_some_and(|mail| counts(mail.at, at)));
            self.tidied = at;
        }
    }
}

/// Whether a mail was within the last hour, as far as is known.
fn counts(mail: Stamp, at: Moment) -> bool {
    mail.age(at).span < HOUR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{Now, Timeline, Wall};

    fn now(second: u64) -> Now {
        Now { at: Moment::from_millis(second * 1000), wall: Wall::default() }
    }

    fn accepted(rate_limit: &mut RateLimit, second: u64, to: &str) {
        rate_limit.accepted(now(second).at, had(Stamp::noted(now(second))), &Recipient::mail(to));
    }

    fn had(at: Stamp) -> Had {
        Had { at, trouble: false }
    }

    /// Twenty mails on record, of an hour in 2026; the clock shows `second` of 1970 or later.
    fn twenty_on_record(start: Now) -> RateLimit {
        let mut timeline = Timeline::default();
        let mails = (0..20).map(|n| Wall::from_unix_millis(1_795_474_540_000 + n * 1000));
        mails.clone().for_each(|mail| timeline.recall(mail));
        timeline.observe(start, Duration::ZERO);
        let mut rate_limit = RateLimit::default();
        for mail in mails {
            let mail = had(timeline.placed(start, mail));
            rate_limit.accepted(start.at, mail, &Recipient::mail("a@b.c"));
        }
        rate_limit
    }

    #[test]
    fn mails_of_an_earlier_run_count_only_when_it_is_known_that_they_were_within_the_hour() {
        let start = |wall: i64| Now { wall: Wall::from_unix_millis(wall), ..now(9000) };
        let full =
            |start: Now| twenty_on_record(start).full_until(start.at, &Recipient::mail("a@b.c"));
        let ten_minutes_later = start(1_795_474_540_000 + 600_000);
        assert_eq!(full(ten_minutes_later), Some(now(9000 + 3000).at));
        assert_eq!(full(start(20_000)), None, "in 1970");
        assert_eq!(full(start(1_795_474_540_000 - 30 * 86_400_000)), None, "30 days behind");
        assert_eq!(full(start(1_795_474_540_000 + 5_000)), None, "which of them were before that?");
        assert_eq!(twenty_on_record(start(20_000)).all(now(9000).at).count(), 20, "it may be set");
    }

    #[test]
    fn what_came_after_a_mail_that_counts_counts_too() {
        // The last of them in a run whose clock was not set.
        let start = Now { wall: Wall::from_unix_millis(1_795_474_600_000), ..now(9000) };
        let mut timeline = Timeline::default();
        timeline.observe(start, Duration::ZERO);
        let mut rate_limit = RateLimit::default();
        for wall in (0..19).map(|n| 1_795_474_540_000 + n * 1000).chain([130_000]) {
            let mail = timeline.placed(start, Wall::from_unix_millis(wall));
            assert_eq!(mail.at().is_some(), wall != 130_000);
            rate_limit.accepted(start.at, had(mail), &Recipient::mail("a@b.c"));
        }
        assert_eq!(
            rate_limit.full_until(start.at, &Recipient::mail("a@b.c")),
            Some(now(9000 + 3540).at)
        );
    }

    #[test]
    fn the_twenty_first_waits_until_an_hour_after_the_first() {
        let mut rate_limit = RateLimit::default();
        for second in 0..20 {
            assert_eq!(rate_limit.full_until(now(second).at, &Recipient::mail("a@b.c")), None);
            accepted(&mut rate_limit, second, "a@b.c");
        }
        assert_eq!(
            rate_limit.full_until(now(20).at, &Recipient::mail("A@B.C")),
            Some(now(3600).at)
        );
        assert_eq!(
            rate_limit.full_until(now(20).at, &Recipient::mail("d@e.f")),
            None,
            "nobody else waits for it"
        );
        assert_eq!(rate_limit.full_until(now(3600).at, &Recipient::mail("a@b.c")), None);
        accepted(&mut rate_limit, 3600, "a@b.c");
        assert_eq!(
            rate_limit.full_until(now(3600).at, &Recipient::mail("a@b.c")),
            Some(now(3601).at)
        );
    }

    #[test]
    fn what_is_past_is_forgotten() {
        let mut rate_limit = RateLimit::default();
        for n in 0..1000 {
            accepted(&mut rate_limit, n, &format!("{n}@b.c"));
        }
        assert_eq!(rate_limit.all(now(3700).at).count(), 899);
        accepted(&mut rate_limit, 9000, "a@b.c");
        assert_eq!(rate_limit.had.len(), 1);
    }
}
