//! How many mails a person has had: enough is enough.
//!
//! A mail more than [`MAILS_AN_HOUR`] is held back until an hour has passed since one of them, and
//! takes in what else there is to tell until then: a digest. Mail servers refuse those who send too
//! much, and people stop reading.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::recipients::mailbox;
use crate::engine::time::{Moment, Now, Wall};

/// The most mails to one address within an hour. A bad day of a household has a dozen; Gmail takes 500
/// a day.
pub const MAILS_AN_HOUR: usize = 20;
const HOUR: Duration = Duration::from_secs(3600);

/// The mails that each address has had within the last hour.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Rates {
    /// By [`mailbox`]: the latest [`MAILS_AN_HOUR`], oldest first.
    had: BTreeMap<String, VecDeque<Now>>,
    tidied: Moment,
}

impl Rates {
    /// A mail to `to` was accepted.
    pub(in crate::engine) fn accepted(&mut self, now: Now, to: &str) {
        self.tidy(now.at);
        let had = self.had.entry(mailbox(to)).or_default();
        had.push_back(now);
        if had.len() > MAILS_AN_HOUR {
            had.pop_front();
        }
    }

    /// Until when `to` has had enough; `None`: may have one now.
    pub(in crate::engine) fn full_until(&self, at: Moment, to: &str) -> Option<Moment> {
        let had = self.had.get(&mailbox(to))?;
        let oldest = had.front().filter(|_| had.len() >= MAILS_AN_HOUR)?;
        Some(oldest.at + HOUR).filter(|free| *free > at)
    }

    /// All that counts still: to whom, and when.
    pub(in crate::engine) fn all(&self, at: Moment) -> impl Iterator<Item = (&str, Wall)> {
        self.had.iter().flat_map(move |(to, had)| {
            let counts = had.iter().filter(move |mail| at.since(mail.at) < HOUR);
            counts.map(move |mail| (to.as_str(), mail.wall))
        })
    }

    /// Forgets, once an hour, who has had nothing for an hour.
    fn tidy(&mut self, at: Moment) {
        if at.since(self.tidied) >= HOUR {
            self.had.retain(|_, had| had.back().is_some_and(|mail| at.since(mail.at) < HOUR));
            self.tidied = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(second: u64) -> Now {
        Now { at: Moment::from_millis(second * 1000), wall: Wall::default() }
    }

    #[test]
    fn the_twenty_first_waits_until_an_hour_after_the_first() {
        let mut rates = Rates::default();
        for second in 0..20 {
            assert_eq!(rates.full_until(now(second).at, "a@b.c"), None);
            rates.accepted(now(second), "a@b.c");
        }
        assert_eq!(rates.full_until(now(20).at, "A@B.C"), Some(now(3600).at));
        assert_eq!(rates.full_until(now(20).at, "d@e.f"), None, "nobody else waits for it");
        assert_eq!(rates.full_until(now(3600).at, "a@b.c"), None);
        rates.accepted(now(3600), "a@b.c");
        assert_eq!(rates.full_until(now(3600).at, "a@b.c"), Some(now(3601).at));
    }

    #[test]
    fn what_is_past_is_forgotten() {
        let mut rates = Rates::default();
        for n in 0..1000 {
            rates.accepted(now(n), &format!("{n}@b.c"));
        }
        assert_eq!(rates.all(now(3700).at).count(), 899);
        rates.accepted(now(9000), "a@b.c");
        assert_eq!(rates.had.len(), 1);
    }
}
